"""A double of Twilio SendGrid: Mail Send, and the signed Event Webhook."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .wire import Call, Reply, Request, Taken

KEY = "SG.laboratory-api-key"
AT = 1_778_241_600  # 2026-05-08 12:00 UTC, in seconds


@cache
def signing_key() -> ec.EllipticCurvePrivateKey:
    """SendGrid's own key for the webhook."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def verification_key() -> str:
    """What its settings show of it."""
    public = signing_key().public_key()
    return base64.b64encode(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()


def options() -> dict[str, Any]:
    """A route's options."""
    return {
        "provider": "sendgrid",
        "api_key": KEY,
        "from": "Acme <no-reply@example.com>",
        "verification_key": verification_key(),
    }


class Sendgrid:
    """`at` is when it signs, in seconds."""

    def __init__(
        self, callback_url: str = "https://auth.example.com/v1/receipts/sendgrid", at: int = AT
    ) -> None:
        self.taken: list[Taken] = []
        self.letters: list[dict[str, Any]] = []
        self.refuse_with: tuple[int, str, str] | None = None  # whatever comes: status, field, words
        self.callback_url = callback_url
        self.at = at

    def handle(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self.refuse_credentials()
        if self.refuse_with:
            return error(*self.refuse_with)
        if (request.method, request.path) != ("POST", "/v3/mail/send"):
            return error(404, "", "not found")
        letter = request.json
        [[to]] = [one["to"] for one in letter["personalizations"]]
        if "," in to["email"] or not to["email"].isascii():
            return error(400, "personalizations.0.to.0.email", "Does not contain a valid address.")
        if not letter["from"]["email"].endswith("example.com"):
            return error(403, "from", "The from address does not match a verified Sender Identity.")
        self.letters.append(letter)
        ref = letter["custom_args"]["doorcode_message"]
        self.taken.append(Taken(ref, to["email"], letter["content"][0]["value"]))
        number = f"14c5d75ce93.dfd.{len(self.taken):06x}"
        return Reply(202, b"", {"x-message-id": number})

    def refuse_credentials(self) -> Reply:
        words = "The provided authorization grant is invalid, expired, or revoked"
        return error(401, "", words)

    def throttle(self) -> Reply:
        return error(429, "", "too many requests")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        """`code` is the type of a bounce ("blocked") or the reason of a drop."""
        sort = {"sent": "processed", "undelivered": "bounce", "failed": "dropped"}.get(state, state)
        event = {"event": sort, "doorcode_message": taken.ref}
        if sort == "bounce":
            event |= {"type": code or "bounce", "reason": f"550 <{taken.to}> unknown"}
        elif sort == "dropped":
            event |= {"reason": code}
        return [self.call([event])]

    def call(self, events: list[dict[str, Any]]) -> Call:
        """A signed webhook."""
        about = {
            "email": "ada@example.com",
            "timestamp": AT,
            "sg_message_id": "14c5d.filter1",
        }
        return self.sign(json.dumps([about | event for event in events]).encode())

    def sign(self, body: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> Call:
        signed = str(self.at).encode() + body
        signature = (key or signing_key()).sign(signed, ec.ECDSA(SHA256()))
        headers = {
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": str(self.at),
        }
        return Call("POST", self.callback_url, headers, body)


def error(status: int, field: str, message: str) -> Reply:
    """An error of the API."""
    return Reply.of(status, {"errors": [{"message": message, "field": field or None}]})
