"""A gateway of somebody's own, which takes JSON and signs its receipts as our page asks."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from .wire import Call, Reply, Request, Taken

TOKEN = "gateway-token-6bc1bee22e409f96"
SECRET = "gateway-secret-e93d7e117393172a"


class GatewayDouble:
    """It sends a letter once, however often it gets it: by its Idempotency-Key."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.requests: list[Request] = []
        self.status = 200

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.refuse_credentials()
        if self.status >= 300:
            return Reply.of(self.status, {"error": f"no: {request.body.decode()}"})
        body, key = request.json, request.headers["idempotency-key"]
        if key not in [one.key for one in self.taken]:
            url = body.get("callback_url", "")
            self.taken.append(Taken(key, body["to"], body["text"], url, key))
        return Reply.of(self.status, {"accepted": True})

    def refuse_credentials(self) -> Reply:
        return Reply.of(401, {"error": "who are you?"})

    def throttle(self) -> Reply:
        return Reply.of(429, {"error": "slow down"})

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        body = {"id": taken.ref, "state": state} | ({"code": code, "why": "no"} if code else {})
        return [signed(taken.callback_url, body)]


def signed(url: str, body: Any, secret: str = SECRET) -> Call:
    raw = json.dumps(body).encode()
    mac = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return Call("POST", url, {"doorcode-signature": f"sha256={mac}"}, raw)
