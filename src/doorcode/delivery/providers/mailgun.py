"""E-mail by Mailgun.

    {"provider": "mailgun", "region": "eu", "domain": "mail.example.com",
     "api_key": "env:MAILGUN_API_KEY", "from": "Acme <no-reply@mail.example.com>",
     "signing_key": "env:MAILGUN_SIGNING_KEY"}

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages "Messages",
https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks "Webhooks" and
"Securing Webhooks" beside it.

Mailgun names its errors by a status and a sentence, not by a code. Its signature covers a
moment and a token and not the event beside them: only TLS keeps the event from being altered.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import msgspec

from doorcode.delivery.interface import (
    Callback,
    Foreign,
    Letter,
    Never,
    NotSent,
    Receipt,
    State,
    Taken,
    TryAnother,
)
from doorcode.delivery.providers.answers import document, expect_recent, text
from doorcode.delivery.providers.mailboxes import ascii_recipient, mailbox
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict
from doorcode.domain.limits import HOUR, SECOND

_URLS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{3,253}", re.ASCII)
LIVES = 9 * HOUR  # a webhook is tried again for eight, perhaps under its first signature
_LATEST = 10**11  # seconds

_MEANINGS: Meanings = MappingProxyType(
    {
        "400": (TryAnother, "Mailgun does not accept the request; check from and reply_to"),
        "401": (TryAnother, "the API key is not valid, or of the other region; check api_key"),
        "402": (TryAnother, "the account cannot be charged; mend its payment method"),
        "403": (TryAnother, "the account may not send; see its dashboard"),
        "404": (TryAnother, "there is no such domain in this region; check domain and region"),
    }
)

_SPAM = "its owner marked the letter as spam; ask before you write to them again"
_REASONS = {
    "bounce": "the mailbox does not exist, or refuses letters for good",
    "suppress-bounce": "the mailbox bounced before; take it off Mailgun's list if it works again",
    "suppress-complaint": _SPAM,
    "suppress-unsubscribe": "its owner has unsubscribed from your letters in Mailgun",
    "espblock": "the mail server blocks the sender; check SPF, DKIM and DMARC",
    "greylisted": "the mail server puts unknown senders off",
    "old": "the mail server could not take the letter for too long",
    "generic": "the mail server refused the letter",
}
_SUPPRESSES = frozenset({"bounce", "suppress-bounce", "suppress-complaint", "suppress-unsubscribe"})


class Options(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is us or eu. Without `signing_key` there are no receipts."""

    domain: str
    api_key: str
    sender: str = msgspec.field(name="from")
    reply_to: str = ""
    region: str = "us"
    signing_key: str = ""
    url: str = ""


class Mailgun:
    """A provider for the channel "email"."""

    name = "mailgun"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        if options.region not in _URLS:
            raise BadOptions("region is us or eu")
        if not _DOMAIN.fullmatch(options.domain) or ".." in options.domain:
            raise BadOptions("domain is the sending domain in Mailgun, such as mail.example.com")
        base = expect_url(options.url or _URLS[options.region])
        self._url = f"{base}/v3/{options.domain}/messages"
        self._transport = transport
        user = base64.b64encode(f"api:{options.api_key}".encode()).decode()
        self._authorization = f"Basic {user}"
        # A link that is rewritten to be counted would tell a third party the ticket in it.
        self._fixed = {"from": mailbox(options.sender), "o:tracking": "no"}
        if options.reply_to:
            self._fixed["h:Reply-To"] = mailbox(options.reply_to)

    async def send(self, letter: Letter) -> Taken:
        """Hand a letter over, or raise."""
        form = self._fixed | {
            "to": ascii_recipient("Mailgun", letter.to),
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
        }
        answer = await self._transport.ask(
            "POST",
            self._url,
            headers={
                "Authorization": self._authorization,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=urlencode(form).encode(),
        )
        if not answer.is_success:
            raise _refusal(answer)
        return Taken(text(answer.json, "id").strip("<>"))

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`."""
        told = document(callback.body)
        self._expect_signature(told, callback.at)
        receipt = _receipt(told.get("event-data"))
        return [receipt] if receipt and receipt.ref else []

    def _expect_signature(self, told: Any, at: int) -> None:
        key = self._options.signing_key.encode()
        if not key:
            raise Foreign("the route has no signing_key; set it to the webhook signing key")
        written, token = text(told, "signature", "timestamp"), text(told, "signature", "token")
        expected = hmac.digest(key, f"{written}{token}".encode(), "sha256").hex().encode()
        shown = text(told, "signature", "signature").encode()
        expect_recent(written, at, LIVES)
        if not token or not hmac.compare_digest(shown, expected):
            raise Foreign("the signature is not by the signing_key")


def _refusal(answer: Answer) -> NotSent:
    if answer.status == 400 and "to parameter" in text(answer.json, "message"):
        return Never("Mailgun does not accept this address", "400")
    return verdict(_MEANINGS, "Mailgun", answer.status, str(answer.status))


def _receipt(event: Any) -> Receipt | None:
    """What an event tells of the letter; None for one that tells nothing of its way."""
    ref = text(event, "message", "headers", "message-id").strip("<>")
    at = _moment(event)
    match text(event, "event"):
        case "accepted":
            return Receipt(ref, State.ACCEPTED, at)
        case "delivered":
            return Receipt(ref, State.DELIVERED, at)
        case "failed":
            return _failure(ref, at, event)
        case "rejected":
            why = "Mailgun did not send the letter; see its logs"
            return Receipt(ref, State.FAILED, at, "rejected", why)
        case "complained":
            return Receipt(ref, State.DELIVERED, at, "complained", _SPAM, suppress=True)
    return None


def _failure(ref: str, at: int | None, event: Any) -> Receipt:
    reason = text(event, "reason")
    why = _REASONS.get(reason, _REASONS["generic"])
    code = reason if reason in _REASONS else "failed"
    if text(event, "severity") != "permanent":
        return Receipt(ref, State.ACCEPTED, at, code, f"{why}; Mailgun tries again")
    return Receipt(ref, State.UNDELIVERED, at, code, why, suppress=reason in _SUPPRESSES)


def _moment(event: Any) -> int | None:
    written = event.get("timestamp") if isinstance(event, dict) else None  # seconds, a fraction
    if not isinstance(written, int | float) or not 0 <= written < _LATEST:
        return None
    return int(written * SECOND)
