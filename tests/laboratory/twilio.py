"""Twilio's Messages API of 2010-04-01, as its pages "Messages resource", "Twilio's response",
"Error and Warning Dictionary" and "Secure webhooks" have it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from .wire import Call, Reply, Request, Taken

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "twilio-auth-token-2b7e1516"
KEY, KEY_SECRET = "SK" + "0" * 31 + "2", "twilio-key-secret-28aed2a6"
SERVICE = "MG" + "0" * 31 + "3"
NUMBER = "+15005550006"
TEMPLATE = "HX" + "0" * 31 + "4"

_STATUS = {20003: 401, 20404: 404, 20429: 429, 20500: 500, 20503: 503, 21408: 403}


class TwilioDouble:
    """An account with one number, one Messaging Service and one template.

    `refusals` says with which code a number is refused.
    """

    def __init__(self, refusals: Mapping[str, int] | None = None) -> None:
        self.taken: list[Taken] = []
        self.forms: list[dict[str, str]] = []
        self.refusals = dict(refusals or {})

    def handle(self, request: Request) -> Reply:
        if not self._is_known(request):
            return self.refuse_credentials()
        if request.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return refused(20404, "The requested resource was not found")
        if request.method != "POST":
            return refused(20004, "Method not allowed", 405)
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return refused(21604, "A 'To' phone number is required.")
        code = self._wrong(request.form)
        return (
            refused(code, f"it cannot be sent to {request.form}") if code else self._take(request)
        )

    def refuse_credentials(self) -> Reply:
        return refused(20003, "Authenticate")

    def throttle(self) -> Reply:
        return refused(20429, "Too Many Requests")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        form = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "From": NUMBER,
            "MessageSid": taken.ref,
            "MessageStatus": state,
            "SmsSid": taken.ref,
            "SmsStatus": state,
            "To": taken.to,
        }
        if code:
            form["ErrorCode"] = code
        return [signed(taken.callback_url, form)]

    def _is_known(self, request: Request) -> bool:
        pairs = {f"{ACCOUNT}:{TOKEN}", f"{KEY}:{KEY_SECRET}"}
        known = {f"Basic {base64.b64encode(pair.encode()).decode()}" for pair in pairs}
        return request.headers.get("authorization") in known

    def _wrong(self, form: dict[str, str]) -> int:
        to = form.get("To", "")
        is_whatsapp = to.startswith("whatsapp:")
        number = to.removeprefix("whatsapp:")
        sender = form.get("From", "")
        checks = {
            21604: not to,
            21603: not sender and "MessagingServiceSid" not in form,
            21705: form.get("MessagingServiceSid", SERVICE) != SERVICE,
            21211: not re.fullmatch(r"\+[1-9]\d{6,14}", number),
            21606: bool(sender) and sender.removeprefix("whatsapp:") != NUMBER,
            63007: is_whatsapp and bool(sender) and not sender.startswith("whatsapp:"),
            21602: "Body" not in form and "ContentSid" not in form,
            21655: form.get("ContentSid", TEMPLATE) != TEMPLATE,
            21656: "ContentSid" in form and not _fits(form.get("ContentVariables", "")),
            21624: not 1 <= int(form.get("ValidityPeriod", "1")) <= 36_000,
        }
        return next((code for code, is_so in checks.items() if is_so), self.refusals.get(number, 0))

    def _take(self, request: Request) -> Reply:
        form = request.form
        self.forms.append(form)
        ref = f"SM{len(self.taken) + 1:032x}"
        text = form.get("Body") or form["ContentVariables"]
        self.taken.append(Taken(ref, form["To"], text, form.get("StatusCallback", "")))
        document = {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": form.get("Body", ""),
            "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": ref,
            "status": "accepted" if "MessagingServiceSid" in form else "queued",
            "to": form["To"],
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{ref}.json",
        }
        return Reply.of(201, document)


def _fits(variables: str) -> bool:
    """An authentication template has one variable, the code."""
    try:
        return list(json.loads(variables)) == ["1"]
    except ValueError:
        return False


def refused(code: int, message: str, status: int = 0) -> Reply:
    status = status or _STATUS.get(code, 400)
    more = f"https://www.twilio.com/docs/errors/{code}"
    document = {"code": code, "message": message, "more_info": more, "status": status}
    return Reply.of(status, document)


def signed(url: str, form: Mapping[str, str], token: str = TOKEN) -> Call:
    """A request that Twilio signs: HMAC-SHA1 of the URL and the sorted fields, in base64."""
    said = url
    for name in sorted(form):
        said += name + form[name]
    mac = hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": base64.b64encode(mac).decode(),
    }
    return Call("POST", url, headers, urlencode(form).encode())
