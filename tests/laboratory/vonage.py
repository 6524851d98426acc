"""Vonage's Messages API, version 1, as its pages "Messages API", "Authentication", "Signed
webhooks", "Messages API Status Callbacks" and "API Errors" have it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from .wire import Call, Reply, Request, Taken

API_KEY, API_SECRET = "aaa012bb", "vonage-api-secret-3ad77bb4"
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
SIGNATURE_SECRET = "vonage-signature-secret-0d7a3660a89ecaf32466ef97"
SENDER = "447700900001"
TEMPLATE = "sign_in_code"

_WORDS = {"sent": "submitted", "undelivered": "rejected", "failed": "undeliverable"}
_PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_KEY = _PRIVATE.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()


class VonageDouble:
    """An account with one application and one number. `refusals` says with which status and
    code a number is refused; `now` (s) tells whether a token has expired."""

    def __init__(
        self, refusals: Mapping[str, tuple[int, str]] | None = None, now: int = 1_800_000_000
    ) -> None:
        self.taken: list[Taken] = []
        self.bodies: list[dict[str, Any]] = []
        self.refusals = dict(refusals or {})
        self.now = now

    def handle(self, request: Request) -> Reply:
        if not self._is_known(request.headers.get("authorization", "")):
            return self.refuse_credentials()
        if (request.method, request.path) != ("POST", "/v1/messages"):
            return problem(404, "not-found", "Not Found")
        body = request.json
        wrong = _wrong(body)
        if wrong:
            return problem(422, "1150", "Invalid params", of_messages=True, wrong=wrong)
        if body["from"] not in (SENDER, "Acme"):
            return problem(422, "1120", "Invalid sender", of_messages=True)
        if body["to"] in self.refusals:
            status, code = self.refusals[body["to"]]
            said = f"it cannot be sent: {body}"
            return problem(status, code, said, of_messages=code.isdigit())
        return self._take(body)

    def refuse_credentials(self) -> Reply:
        return problem(401, "unauthorized", "Invalid credentials supplied")

    def throttle(self) -> Reply:
        return problem(429, "1000", "Throttled", of_messages=True)

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        body: dict[str, Any] = {
            "message_uuid": taken.ref,
            "to": taken.to,
            "from": SENDER,
            "timestamp": "2027-01-15T08:00:00Z",
            "status": _WORDS.get(state, state),
            "channel": "sms",
            "client_ref": taken.key,
            "usage": {"currency": "EUR", "price": "0.0333"},
            "sms": {"count_total": "1"},
        }
        if code:
            body["error"] = {
                "type": f"https://developer.vonage.com/api-errors/messages#{code}",
                "title": int(code),
                "detail": f"it went wrong with {taken.to}",
                "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
            }
        return [signed(taken.callback_url, body, self.now)]

    def _is_known(self, authorization: str) -> bool:
        pair = base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
        if authorization == f"Basic {pair}":
            return True
        head, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
        try:
            _PRIVATE.public_key().verify(
                _raw(signature), head.encode(), padding.PKCS1v15(), SHA256()
            )
            header, claims = (json.loads(_raw(part)) for part in head.split("."))
        except (InvalidSignature, ValueError):
            return False
        return (
            header == {"alg": "RS256", "typ": "JWT"}
            and claims["application_id"] == APPLICATION
            and claims["iat"] <= self.now < claims["exp"] <= claims["iat"] + 86_400
            and bool(claims["jti"])
        )

    def _take(self, body: dict[str, Any]) -> Reply:
        self.bodies.append(body)
        ref = f"aaaaaaaa-bbbb-4ccc-8ddd-{len(self.taken) + 1:012x}"
        text = body.get("text") or json.dumps(body["custom"])
        # client_ref is told back, and tells nothing apart: the same one twice is sent twice.
        taken = Taken(ref, body["to"], text, body.get("webhook_url", ""), body["client_ref"])
        self.taken.append(taken)
        return Reply.of(202, {"message_uuid": ref})


def _wrong(body: dict[str, Any]) -> list[dict[str, str]]:
    wrong = []
    if not re.fullmatch(r"[1-9]\d{6,14}", str(body.get("to"))):
        wrong.append("to")
    if not body.get("from"):
        wrong.append("from")
    if body.get("channel") not in ("sms", "whatsapp"):
        wrong.append("channel")
    if body.get("message_type") == "text":
        wrong += [] if 0 < len(body.get("text", "")) <= 1000 else ["text"]
    elif not (body.get("message_type") == "custom" and body.get("channel") == "whatsapp"):
        wrong.append("message_type")
    if len(body.get("client_ref", "")) > 100:
        wrong.append("client_ref")
    if "ttl" in body and not 20 <= body["ttl"] <= 604_800:
        wrong.append("ttl")
    return [{"name": name, "reason": "invalid value"} for name in wrong]


def problem(
    status: int,
    code: str,
    title: str,
    *,
    of_messages: bool = False,
    wrong: list[dict[str, str]] | None = None,
) -> Reply:
    document: dict[str, Any] = {
        "type": f"https://developer.vonage.com/api-errors{'/messages' * of_messages}#{code}",
        "title": title,
        "detail": "See the page that type leads to.",
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    }
    return Reply.of(status, document | ({"invalid_parameters": wrong} if wrong else {}))


def signed(
    url: str,
    body: Mapping[str, Any],
    issued: int,
    secret: str = SIGNATURE_SECRET,
    *,
    algorithm: str = "HS256",
    **claims: Any,
) -> Call:
    """A webhook with a JWT in its Authorization header."""
    raw = json.dumps(body).encode()
    told = {
        "iat": issued,
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(raw).hexdigest(),
        "api_key": API_KEY,
        "application_id": APPLICATION,
        **claims,
    }
    head = f"{_text({'alg': algorithm, 'typ': 'JWT'})}.{_text(told)}"
    mac = hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    headers = {"content-type": "application/json", "authorization": f"Bearer {head}.{signature}"}
    return Call("POST", url, headers, raw)


def _text(document: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
