"""E-mail by Resend.

    {"provider": "resend", "api_key": "env:RESEND_API_KEY", "from": "Acme <no-reply@example.com>",
     "webhook_secret": "env:RESEND_WEBHOOK_SECRET"}

https://resend.com/docs/api-reference/emails/send-email "Send Email",
https://resend.com/docs/api-reference/errors "Errors",
https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests "Verify webhooks requests",
which are signed as https://docs.svix.com/receiving/verifying-payloads/how-manual says.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

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
    TryLater,
)
from doorcode.delivery.providers.answers import document, expect_recent, moment, text
from doorcode.delivery.providers.mailboxes import ascii_recipient, mailbox
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict
from doorcode.domain.limits import MINUTE

_URL = "https://api.resend.com"
LIVES = 5 * MINUTE  # a webhook, each try of which is signed anew

_KEY = "the API key is not valid; set api_key to one with sending access"
_FROM = "Resend does not accept the sender; verify its domain, and check from"
_QUOTA = "the quota is used up; choose a larger plan"
_MEANINGS: Meanings = MappingProxyType(
    {
        "missing_api_key": (TryAnother, _KEY),
        "invalid_api_key": (TryAnother, _KEY),
        "restricted_api_key": (TryAnother, _KEY),
        "invalid_access": (TryAnother, _KEY),
        "suspended_api_key": (TryAnother, _KEY),
        "validation_error": (TryAnother, _FROM),
        "invalid_from_address": (TryAnother, _FROM),
        "invalid_parameter": (TryAnother, _FROM),
        "missing_required_field": (TryAnother, _FROM),
        "daily_quota_exceeded": (TryAnother, _QUOTA),
        "monthly_quota_exceeded": (TryAnother, _QUOTA),
        "rate_limit_exceeded": (TryLater, "Resend was asked too often"),
        "concurrent_idempotent_requests": (TryLater, "the same letter is under way already"),
        "invalid_idempotent_request": (
            TryAnother,
            "another letter of this name was sent within a day",
        ),
        "application_error": (TryLater, "Resend has trouble of its own"),
        "internal_server_error": (TryLater, "Resend has trouble of its own"),
        "not_found": (TryAnother, "there is no such endpoint; check url"),
        "method_not_allowed": (TryAnother, "there is no such endpoint; check url"),
    }
)

_SPAM = "its owner marked the letter as spam; ask before you write to them again"
_LISTED = "Resend sends nothing to this mailbox; take it off its list if it works again"
_BOUNCES = {
    "Permanent": "the mailbox does not exist, or refuses letters for good",
    "Transient": "the mail server could not take the letter; the mailbox may be full",
    "Undetermined": "the mail server did not say why it refused the letter",
}
# "The email.failed event" names a reason by a word.
_FAILURES = {
    "reached_daily_quota": _QUOTA,
    "reached_monthly_quota": _QUOTA,
    "domain_not_verified": _FROM,
}


class Options(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `webhook_secret` ("whsec_…") there are no receipts."""

    api_key: str
    sender: str = msgspec.field(name="from")
    reply_to: str = ""
    webhook_secret: str = ""
    url: str = _URL


class Resend:
    """A provider for the channel "email"."""

    name = "resend"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        self._url = expect_url(options.url)
        self._transport = transport
        self._fixed = {"from": mailbox(options.sender)}
        if options.reply_to:
            self._fixed["reply_to"] = mailbox(options.reply_to)
        self._key = _signing_key(options.webhook_secret) if options.webhook_secret else None

    async def send(self, letter: Letter) -> Taken:
        """Hand a letter over, or raise."""
        request = self._fixed | {
            "to": [ascii_recipient("Resend", letter.to)],
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
        }
        answer = await self._transport.ask(
            "POST",
            f"{self._url}/emails",
            headers={
                "Authorization": f"Bearer {self._options.api_key}",
                "Content-Type": "application/json",
                "Idempotency-Key": letter.id,  # for a day: a letter handed over twice goes once
            },
            content=msgspec.json.encode(request),
        )
        if not answer.is_success:
            raise _refusal(answer)
        return Taken(text(answer.json, "id"))

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`."""
        self._expect_signature(callback)
        receipt = _receipt(document(callback.body))
        return [receipt] if receipt and receipt.ref else []

    def _expect_signature(self, callback: Callback) -> None:
        if self._key is None:
            raise Foreign("the route has no webhook_secret; set it to the webhook's signing secret")
        headers = callback.headers
        number, written = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
        expect_recent(written, callback.at, LIVES)
        signed = f"{number}.{written}.".encode() + callback.body
        expected = b"v1," + base64.b64encode(hmac.digest(self._key, signed, "sha256"))
        # There are two while a secret is being changed.
        shown = headers.get("svix-signature", "").encode().split(b" ")
        if not any([hmac.compare_digest(one, expected) for one in shown]):  # noqa: C419
            raise Foreign("the signature is not by the webhook_secret, or the body was altered")


def _signing_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if len(key) < 16 or not secret.startswith("whsec_"):
        raise BadOptions("webhook_secret is the webhook's signing secret, whsec_…")
    return key


def _refusal(answer: Answer) -> NotSent:
    code = text(answer.json, "name")
    # One code for every field: only the sentence tells the recipient's fault from ours.
    if code == "validation_error" and "`to`" in text(answer.json, "message"):
        return Never("Resend does not accept this address", code)
    return verdict(_MEANINGS, "Resend", answer.status, code)


def _receipt(told: Any) -> Receipt | None:
    """What an event tells of the letter; None for one that tells nothing of its way."""
    ref, at = text(told, "data", "email_id"), moment(text(told, "created_at"))
    match text(told, "type"):
        case "email.sent":
            return Receipt(ref, State.ACCEPTED, at)
        case "email.delivered":
            return Receipt(ref, State.DELIVERED, at)
        case "email.delivery_delayed":
            why = "the mail server could not take the letter yet; Resend tries again"
            return Receipt(ref, State.ACCEPTED, at, "delivery_delayed", why)
        case "email.bounced":
            sort = text(told, "data", "bounce", "type")
            why = _BOUNCES.get(sort, _BOUNCES["Undetermined"])
            return Receipt(ref, State.UNDELIVERED, at, sort, why, suppress=sort == "Permanent")
        case "email.suppressed":
            return Receipt(ref, State.UNDELIVERED, at, "suppressed", _LISTED, suppress=True)
        case "email.complained":
            return Receipt(ref, State.DELIVERED, at, "complained", _SPAM, suppress=True)
        case "email.failed":
            reason = text(told, "data", "failed", "reason")
            why = _FAILURES.get(reason, "Resend could not send the letter")
            return Receipt(ref, State.FAILED, at, reason if reason in _FAILURES else "failed", why)
    return None
