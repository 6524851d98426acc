"""A double of Telnyx: its messages API, and webhooks signed by Ed25519."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .wire import Call, Reply, Request, Taken

KEY = "KEY0laboratory_api_key"
NUMBER = "+15550100"
AT = 1_778_241_600  # 2026-05-08 12:00 UTC, in seconds


@cache
def signing_key() -> Ed25519PrivateKey:
    """Telnyx's own key for the account."""
    return Ed25519PrivateKey.generate()


def options() -> dict[str, Any]:
    """A route's options."""
    public = signing_key().public_key().public_bytes_raw()
    return {
        "provider": "telnyx",
        "api_key": KEY,
        "from": NUMBER,
        "public_key": base64.b64encode(public).decode(),
    }


class Telnyx:
    """`at` is when it signs, in seconds."""

    def __init__(self, at: int = AT) -> None:
        self.taken: list[Taken] = []
        self.messages: list[dict[str, Any]] = []
        self.refuse_with: tuple[int, str] | None = None  # whatever comes: status, code
        self.at = at

    def handle(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self.refuse_credentials()
        if self.refuse_with:
            return error(*self.refuse_with)
        if (request.method, request.path) != ("POST", "/v2/messages"):
            return error(404, "10005")
        message = request.json
        if message.get("from") != NUMBER:
            return error(400, "40305")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", message["to"]):
            return error(400, "40310")
        ref = f"40385f64-5717-4562-b3fc-{len(self.taken):012x}"
        self.messages.append(message)
        url = message.get("webhook_url", "")
        self.taken.append(Taken(ref, message["to"], message["text"], url))
        cost = {"amount": "0.0040", "currency": "USD"}
        to = [{"phone_number": message["to"], "status": "queued"}]
        return Reply.of(200, {"data": {"id": ref, "to": to, "cost": cost, "errors": []}})

    def refuse_credentials(self) -> Reply:
        return error(401, "10009")

    def throttle(self) -> Reply:
        return error(429, "10011")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        status = {"undelivered": "delivery_failed", "failed": "sending_failed"}.get(state, state)
        payload = {
            "id": taken.ref,
            "to": [{"phone_number": taken.to, "status": status}],
            "cost": {"amount": "0.0051", "currency": "USD"},
            "errors": [{"code": code, "title": "it failed"}] if code else [],
        }
        sort = "message.sent" if state == "sent" else "message.finalized"
        return [self.call({"event_type": sort, "payload": payload}, taken.callback_url)]

    def call(self, data: Any, url: str = "") -> Call:
        """A signed webhook."""
        stamped = {"occurred_at": "2026-05-08T12:00:00.000+00:00"} | data
        return self.sign(json.dumps({"data": stamped}).encode(), url)

    def sign(self, body: bytes, url: str = "", key: Ed25519PrivateKey | None = None) -> Call:
        signature = (key or signing_key()).sign(f"{self.at}|".encode() + body)
        headers = {
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
            "telnyx-timestamp": str(self.at),
        }
        return Call("POST", url, headers, body)


def error(status: int, code: str) -> Reply:
    """An error of the API."""
    return Reply.of(status, {"errors": [{"code": code, "title": "no", "detail": "no"}]})
