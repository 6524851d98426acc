"""A double of Mailgun: its messages API and its webhooks."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from .wire import Call, Reply, Request, Taken

KEY = "key-laboratory-api"
SIGNING_KEY = "laboratory-signing-key"
DOMAIN = "mail.example.com"
AT = 1_778_241_600  # 2026-05-08 12:00 UTC, in seconds
OPTIONS = {
    "provider": "mailgun",
    "domain": DOMAIN,
    "api_key": KEY,
    "from": f"Acme <no-reply@{DOMAIN}>",
    "signing_key": SIGNING_KEY,
}


class Mailgun:
    """`at` is when it signs, in seconds."""

    def __init__(
        self, callback_url: str = "https://auth.example.com/v1/receipts/mailgun", at: int = AT
    ) -> None:
        self.taken: list[Taken] = []
        self.forms: list[dict[str, str]] = []
        self.refuse_with: tuple[int, str] | None = None  # whatever comes: status, words
        self.callback_url = callback_url
        self.at = at

    def handle(self, request: Request) -> Reply:
        user = base64.b64encode(f"api:{KEY}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {user}":
            return self.refuse_credentials()
        if self.refuse_with:
            return error(*self.refuse_with)
        if request.path != f"/v3/{DOMAIN}/messages":
            return error(404, "Domain not found")
        form = request.form
        if "," in form["to"] or not form["to"].isascii():
            return error(400, "to parameter is not a valid address. please check documentation")
        ref = f"20260508120000.{len(self.taken):016X}@{DOMAIN}"
        self.forms.append(form)
        self.taken.append(Taken(ref, form["to"], form["text"]))
        return Reply.of(200, {"id": f"<{ref}>", "message": "Queued. Thank you."})

    def refuse_credentials(self) -> Reply:
        return Reply(401, b"Forbidden", {"content-type": "text/html"})

    def throttle(self) -> Reply:
        return error(429, "Too many requests")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        """`code` is "severity/reason" of a failure: "permanent/bounce"."""
        sort = {"sent": "accepted", "undelivered": "failed", "failed": "rejected"}.get(state, state)
        event: dict[str, Any] = {
            "event": sort,
            "timestamp": AT + 0.25,
            "message": {"headers": {"message-id": taken.ref, "to": taken.to}},
            "recipient": taken.to,
        }
        if sort == "failed":
            severity, _, reason = (code or "permanent/bounce").partition("/")
            event |= {"severity": severity, "reason": reason}
        return [self.call(event)]

    def call(self, event: Any, key: str = SIGNING_KEY) -> Call:
        """A webhook; its signature is of the moment and the token."""
        token = "0123456789abcdef" * 3 + "01"
        signature = hmac.digest(key.encode(), f"{self.at}{token}".encode(), "sha256").hex()
        signed = {"timestamp": str(self.at), "token": token, "signature": signature}
        body = json.dumps({"signature": signed, "event-data": event}).encode()
        return Call("POST", self.callback_url, {"content-type": "application/json"}, body)


def error(status: int, message: str) -> Reply:
    """An error of the API."""
    return Reply.of(status, {"message": message})
