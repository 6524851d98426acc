"""E-mail by Twilio SendGrid.

    {"provider": "sendgrid", "api_key": "env:SENDGRID_API_KEY",
     "from": "Acme <no-reply@example.com>", "verification_key": "MFkwEwYHKoZIzj0CAQY…"}

https://www.twilio.com/docs/sendgrid/api-reference/mail-send "Mail Send",
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event "Event Webhook
Reference", and "Getting Started with the Event Webhook Security Features" beside it.

SendGrid names its errors by a status and a field, not by a code. Its own name for a letter
is only the beginning of what its events call it, so a letter carries ours with it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

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
from doorcode.delivery.providers.answers import document, expect_recent, text, unix_moment
from doorcode.delivery.providers.mailboxes import ascii_recipient
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict
from doorcode.delivery.smtp import parse_sender
from doorcode.domain.limits import HOUR

_URLS = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
_OURS = "doorcode_message"  # in each letter, and so in each event of it
LIVES = 25 * HOUR  # events are tried again for a day, perhaps under their first signature

_MEANINGS: Meanings = MappingProxyType(
    {
        "400": (TryAnother, "SendGrid does not accept the request; check from and reply_to"),
        "401": (TryAnother, "the API key is not valid, or its credit is used up; check api_key"),
        "403": (TryAnother, "the sender is not verified, or the key may not send; verify it"),
    }
)

_SPAM = "its owner marked the letter as spam; ask before you write to them again"
_GONE = "the mailbox does not exist, or refuses letters for good"
_BLOCKED = "the mail server blocks the letter for now; check SPF, DKIM and DMARC"
_DROPS = {
    "Bounced Address": "the mailbox bounced before; take it off SendGrid's list if it works again",
    "Spam Reporting Address": _SPAM,
    "Unsubscribed Address": "its owner has unsubscribed from your letters in SendGrid",
    "Invalid": "this is no e-mail address",
}


class Options(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is global or eu. Without `verification_key` there are no receipts."""

    api_key: str
    sender: str = msgspec.field(name="from")
    reply_to: str = ""
    region: str = "global"
    verification_key: str = ""
    url: str = ""


class Sendgrid:
    """A provider for the channel "email"."""

    name = "sendgrid"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        if options.region not in _URLS:
            raise BadOptions("region is global or eu")
        self._url = expect_url(options.url or _URLS[options.region])
        self._transport = transport
        self._fixed: dict[str, Any] = {"from": _party(options.sender)}
        if options.reply_to:
            self._fixed["reply_to"] = _party(options.reply_to)
        self._key = _public_key(options.verification_key) if options.verification_key else None

    async def send(self, letter: Letter) -> Taken:
        """Hand a letter over, or raise."""
        to = ascii_recipient("SendGrid", letter.to)
        request = self._fixed | {
            "personalizations": [{"to": [{"email": to}]}],
            "subject": letter.subject,
            "content": [
                {"type": "text/plain", "value": letter.text},
                {"type": "text/html", "value": letter.html},
            ],
            "custom_args": {_OURS: letter.id},
            # A link that is rewritten to be counted would tell a third party the ticket in it.
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
        answer = await self._transport.ask(
            "POST",
            f"{self._url}/v3/mail/send",
            headers={
                "Authorization": f"Bearer {self._options.api_key}",
                "Content-Type": "application/json",
            },
            content=msgspec.json.encode(request),
        )
        if not answer.is_success:
            raise _refusal(answer)
        return Taken(letter.id)

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`; one callback holds many events, also of letters that are not ours."""
        self._expect_signature(callback)
        events = document(callback.body)
        found = (_receipt(event) for event in events) if isinstance(events, list) else ()
        return [receipt for receipt in found if receipt and receipt.ref]

    def _expect_signature(self, callback: Callback) -> None:
        if self._key is None:
            raise Foreign("the route has no verification_key; set it to that of the event webhook")
        written = callback.headers.get("x-twilio-email-event-webhook-timestamp", "")
        shown = callback.headers.get("x-twilio-email-event-webhook-signature", "")
        expect_recent(written, callback.at, LIVES)
        try:
            signature = base64.b64decode(shown, validate=True)
            self._key.verify(signature, written.encode() + callback.body, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            raise Foreign(
                "the signature is not by the verification_key, or the body was altered"
            ) from None


def _party(written: str) -> dict[str, str]:
    try:
        address = parse_sender(written)
    except ValueError as error:
        raise BadOptions(str(error)) from None
    named = {"name": address.display_name} if address.display_name else {}
    return {"email": address.addr_spec, **named}


def _public_key(encoded: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(encoded, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadOptions("verification_key is the event webhook's, base64 as SendGrid shows it")
    return key


def _refusal(answer: Answer) -> NotSent:
    said = answer.json
    errors = said.get("errors") if isinstance(said, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    field = text(first, "field")
    if answer.status == 400 and field.startswith("personalizations"):
        return Never("SendGrid does not accept this address", "400")
    return verdict(_MEANINGS, "SendGrid", answer.status, str(answer.status))


def _receipt(event: Any) -> Receipt | None:
    """What an event tells of the letter; None for one that tells nothing of its way."""
    ref, at = text(event, _OURS), unix_moment(text(event, "timestamp"))
    match text(event, "event"):
        case "processed":
            return Receipt(ref, State.ACCEPTED, at)
        case "delivered":
            return Receipt(ref, State.DELIVERED, at)
        case "deferred":
            why = "the mail server could not take the letter yet; SendGrid tries again"
            return Receipt(ref, State.ACCEPTED, at, "deferred", why)
        case "bounce":
            is_hard = text(event, "type") != "blocked"
            code, why = ("bounce", _GONE) if is_hard else ("blocked", _BLOCKED)
            return Receipt(ref, State.UNDELIVERED, at, code, why, suppress=is_hard)
        case "dropped":
            reason = text(event, "reason")
            why = _DROPS.get(reason, "SendGrid did not send the letter; see its activity feed")
            return Receipt(ref, State.FAILED, at, "dropped", why, suppress=reason in _DROPS)
        case "spamreport":
            return Receipt(ref, State.DELIVERED, at, "spamreport", _SPAM, suppress=True)
    return None
