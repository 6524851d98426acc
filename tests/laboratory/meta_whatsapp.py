"""A double of WhatsApp's Cloud API: template messages, and signed webhooks."""

from __future__ import annotations

import hmac
import json
import re
from typing import Any

from .wire import Call, Reply, Request, Taken

NUMBER = "106540352242922"
TOKEN = "EAAJlaboratory"
SECRET = "laboratory-app-secret"
VERIFY_TOKEN = "laboratory-verify-token"
AT = 1778241600  # 2026-05-08 12:00 UTC, in seconds
OPTIONS = {
    "provider": "meta_whatsapp",
    "phone_number_id": NUMBER,
    "access_token": TOKEN,
    "template": "login_code",
    "app_secret": SECRET,
    "verify_token": VERIFY_TOKEN,
}


class MetaWhatsapp:
    """`languages` are those in which the template was approved."""

    def __init__(
        self, callback_url: str = "https://auth.example.com/v1/receipts/meta_whatsapp"
    ) -> None:
        self.taken: list[Taken] = []
        self.messages: list[dict[str, Any]] = []
        self.languages = {"en_US", "de"}
        self.refuse_with: tuple[int, int, str] | None = None  # whatever comes: status, code, words
        self.callback_url = callback_url

    def handle(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if self.refuse_with:
            return error(*self.refuse_with)
        if not re.fullmatch(rf"/v\d+\.\d/{NUMBER}/messages", request.path):
            return error(400, 100, "Unsupported post request. Object does not exist")
        message = request.json
        to, template = message["to"], message["template"]
        if not re.fullmatch(r"\+?[1-9]\d{6,14}", to):
            return error(400, 131009, "(#131009) Parameter value is not valid")
        language = template["language"]["code"]
        if template["name"] != "login_code" or language not in self.languages:
            return error(404, 132001, "(#132001) Template name does not exist in the translation")
        code = _code(template)
        if not code:
            return error(400, 132000, "(#132000) Number of parameters does not match")
        ref = f"wamid.HBgLMTY1MDUwNzY1MjAVAgARGBI5{len(self.taken):012X}"
        self.messages.append(message)
        self.taken.append(Taken(ref, to, code))
        wa_id = to.removeprefix("+")
        told = {"contacts": [{"input": to, "wa_id": wa_id}], "messages": [{"id": ref}]}
        return Reply.of(200, {"messaging_product": "whatsapp"} | told)

    def refuse_credentials(self) -> Reply:
        return error(401, 190, "Error validating access token: Session has expired")

    def throttle(self) -> Reply:
        return error(429, 130429, "(#130429) Rate limit hit")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        status: dict[str, Any] = {
            "id": taken.ref,
            "status": "failed" if state == "undelivered" else state,
            "timestamp": str(AT),
            "recipient_id": taken.to.removeprefix("+"),
        }
        if state in ("failed", "undelivered"):
            number = int(code or "131026")
            status["errors"] = [{"code": number, "title": "Message undeliverable"}]
        else:
            price = {"billable": True, "pricing_model": "PMP", "category": "authentication"}
            status["pricing"] = price
        return [self.call([status])]

    def call(self, statuses: list[dict[str, Any]], number: str = NUMBER) -> Call:
        """A webhook of the app, signed with its secret."""
        about = {"display_phone_number": "15550783881", "phone_number_id": number}
        value = {"messaging_product": "whatsapp", "metadata": about, "statuses": statuses}
        change = {"value": value, "field": "messages"}
        told = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [change]}],
        }
        return self.sign(json.dumps(told).encode())

    def sign(self, body: bytes, secret: str = SECRET) -> Call:
        shown = hmac.digest(secret.encode(), body, "sha256").hex()
        headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={shown}"}
        return Call("POST", self.callback_url, headers, body)


def _code(template: dict[str, Any]) -> str:
    """The code, where the body and the button have the same one, as such a template asks."""
    body, button = template["components"]
    codes = {part["parameters"][0]["text"] for part in (body, button)}
    shape = (body["type"], button["type"], button["sub_type"], button["index"])
    fits = shape == ("body", "button", "url", "0") and len(codes) == 1
    return str(codes.pop()) if fits else ""


def error(status: int, code: int, message: str) -> Reply:
    """An error of the Graph API."""
    about = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Az8or2"}
    return Reply.of(status, {"error": about})
