"""A double of Resend: its e-mail API, and webhooks signed as Svix signs them."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from .wire import Call, Reply, Request, Taken

KEY = "re_laboratory_api_key"
SECRET = "whsec_" + base64.b64encode(b"laboratory-signing-secret").decode()
AT = 1_778_241_600  # 2026-05-08 12:00 UTC, in seconds
OPTIONS = {
    "provider": "resend",
    "api_key": KEY,
    "from": "Acme <no-reply@example.com>",
    "webhook_secret": SECRET,
}


class Resend:
    """`at` is when it signs, in seconds."""

    def __init__(
        self, callback_url: str = "https://auth.example.com/v1/receipts/resend", at: int = AT
    ) -> None:
        self.taken: list[Taken] = []
        self.letters: list[dict[str, Any]] = []
        self.refuse_with: tuple[int, str, str] | None = None  # whatever comes: status, name, words
        self.callback_url = callback_url
        self.at = at

    def handle(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return error(401, "validation_error", "API key is invalid")
        if self.refuse_with:
            return error(*self.refuse_with)
        if (request.method, request.path) != ("POST", "/emails"):
            return error(404, "not_found", "The requested endpoint does not exist.")
        letter, key = request.json, request.headers.get("idempotency-key", "")
        earlier = [one for one in self.taken if key and one.key == key]
        if earlier:
            return Reply.of(200, {"id": earlier[0].ref})
        [to] = letter["to"]
        if "," in to or not to.isascii():
            return error(422, "validation_error", "Invalid `to` field.")
        if "example.com" not in letter["from"]:
            return error(403, "validation_error", "The domain is not verified.")
        ref = f"49a3999c-0ce1-4ea6-ab68-{len(self.taken):012x}"
        self.letters.append(letter)
        self.taken.append(Taken(ref, to, letter["text"], key=key))
        return Reply.of(200, {"id": ref})

    def refuse_credentials(self) -> Reply:
        return error(403, "invalid_api_key", "API key is invalid")

    def throttle(self) -> Reply:
        return error(429, "rate_limit_exceeded", "Too many requests.")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        """`code` is the type of a bounce: "Permanent"."""
        sort = {"undelivered": "bounced"}.get(state, state)
        data: dict[str, Any] = {"email_id": taken.ref, "to": [taken.to]}
        if sort == "bounced":
            data["bounce"] = {"type": code or "Permanent", "subType": "General"}
        elif sort == "failed":
            data["failed"] = {"reason": code}
        return [self.call({"type": f"email.{sort}", "data": data})]

    def call(self, told: Any) -> Call:
        """A signed webhook."""
        stamped = {"created_at": "2026-05-08T12:00:00.000Z"} | told
        return self.sign(json.dumps(stamped).encode())

    def sign(self, body: bytes, secret: str = SECRET, number: str = "msg_1") -> Call:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{number}.{self.at}.".encode() + body
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        headers = {
            "svix-id": number,
            "svix-timestamp": str(self.at),
            "svix-signature": f"v1,{signature}",
        }
        return Call("POST", self.callback_url, headers, body)


def error(status: int, name: str, message: str) -> Reply:
    """An error of the API."""
    return Reply.of(status, {"statusCode": status, "name": name, "message": message})
