"""E-mail by Postmark.

    {"provider": "postmark", "server_token": "env:POSTMARK_TOKEN",
     "from": "Acme <no-reply@example.com>", "webhook_secret": "env:POSTMARK_WEBHOOK_SECRET"}

https://postmarkapp.com/developer/api/email-api "Send a single email",
https://postmarkapp.com/developer/api/overview "API error codes", and
https://postmarkapp.com/developer/webhooks/webhooks-overview "Protecting your webhook".

Postmark signs nothing. It proves itself by a secret that it was given with the webhook: the
password of basic authentication, or the header X-Webhook-Secret. Nothing in that tells a
replay; a receipt that comes twice says nothing new.
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
from doorcode.delivery.providers.answers import document, moment, text
from doorcode.delivery.providers.mailboxes import ascii_recipient, mailbox
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict

_URL = "https://api.postmarkapp.com"
_LEAST_SECRET = 12  # characters; it is all that keeps a forged bounce out

_OURS = "Postmark does not understand the request; is url set to something else?"
_UNCONFIRMED = "the sender is not confirmed; confirm its address or domain in Postmark"
_MEANINGS: Meanings = MappingProxyType(
    {
        "10": (TryAnother, "the token is wrong; set server_token to the server's API token"),
        "100": (TryLater, "Postmark is being maintained"),
        "300": (Never, "Postmark does not accept this address"),
        "400": (TryAnother, _UNCONFIRMED),
        "401": (TryAnother, _UNCONFIRMED),
        "402": (TryAnother, _OURS),
        "403": (TryAnother, _OURS),
        "405": (TryAnother, "the account may send no more this month; buy credit or a larger plan"),
        "406": (
            Never,
            "the mailbox bounced or complained before; reactivate it in Postmark if it works again",
        ),
        "409": (TryAnother, _OURS),
        "412": (
            TryAnother,
            "the account is not approved yet and reaches its own domain only; ask for approval",
        ),
        "413": (TryAnother, "Postmark has stopped this account; write to its support"),
        "429": (TryLater, "Postmark was asked too often"),
        "500": (TryLater, "Postmark has trouble of its own"),
        "1235": (TryAnother, "there is no such message stream; check message_stream"),
    }
)

_GONE = "the mailbox does not exist, or refuses letters for good"
_LATER = "the mail server could not take the letter yet; Postmark tries again"
_LISTED = "Postmark sends nothing to this mailbox; reactivate it there if it works again"
_SPAM = "its owner marked the letter as spam; ask before you write to them again"
# https://postmarkapp.com/developer/api/bounce-api "Bounce types"
_BOUNCES = {
    "HardBounce": _GONE,
    "Transient": _LATER,
    "Unsubscribe": "its owner has asked for no more letters",
    "AddressChange": "the mailbox has moved to another address",
    "DnsError": "the mail server's name cannot be found; is the domain spelt right?",
    "SpamNotification": "the mail server took the letter for spam; check SPF, DKIM and DMARC",
    "SoftBounce": "the mail server could not take the letter; the mailbox may be full",
    "VirusNotification": "the mail server found a virus in the letter",
    "ChallengeVerification": "the mailbox wants its senders to prove that they are people",
    "BadEmailAddress": "this is no e-mail address",
    "SpamComplaint": _SPAM,
    "ManuallyDeactivated": _LISTED,
    "Blocked": "the mail server blocks the sender; check SPF, DKIM and DMARC",
    "DMARCPolicy": "the sender's domain forbids it by DMARC; set up DKIM in Postmark",
    "SMTPApiError": "Postmark could not accept the letter",
}
_SUPPRESSES = frozenset(
    {"HardBounce", "Unsubscribe", "BadEmailAddress", "SpamComplaint", "ManuallyDeactivated"}
)
# Answers of people and machines to a letter that has arrived.
_NO_BOUNCES = frozenset({"AutoResponder", "Subscribe", "OpenRelayTest", "Unconfirmed"})


class Options(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`message_stream` is a transactional one. Without `webhook_secret` there are no receipts."""

    server_token: str
    sender: str = msgspec.field(name="from")
    reply_to: str = ""
    message_stream: str = "outbound"
    webhook_secret: str = ""
    url: str = _URL


class Postmark:
    """A provider for the channel "email"."""

    name = "postmark"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        self._url = expect_url(options.url)
        self._transport = transport
        self._fixed = {"From": mailbox(options.sender), "MessageStream": options.message_stream}
        if options.reply_to:
            self._fixed["ReplyTo"] = mailbox(options.reply_to)
        if options.webhook_secret and len(options.webhook_secret) < _LEAST_SECRET:
            raise BadOptions(f"webhook_secret is short; give it {_LEAST_SECRET} characters or more")

    async def send(self, letter: Letter) -> Taken:
        """Hand a letter over, or raise."""
        request = self._fixed | {
            "To": ascii_recipient("Postmark", letter.to),
            "Subject": letter.subject,
            "TextBody": letter.text,
            "HtmlBody": letter.html,
        }
        # A link that is rewritten to be counted would tell a third party the ticket in it.
        quiet = {"TrackOpens": False, "TrackLinks": "None"}
        answer = await self._transport.ask(
            "POST",
            f"{self._url}/email",
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "X-Postmark-Server-Token": self._options.server_token,
            },
            content=msgspec.json.encode(request | quiet),
        )
        if not answer.is_success or text(answer.json, "ErrorCode") not in ("", "0"):
            raise _refusal(answer)
        return Taken(text(answer.json, "MessageID"))

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`."""
        self._expect_secret(callback)
        receipt = _receipt(document(callback.body))
        return [receipt] if receipt and receipt.ref else []

    def _expect_secret(self, callback: Callback) -> None:
        expected = self._options.webhook_secret.encode()
        if not expected:
            raise Foreign("the route has no webhook_secret; set it, and in Postmark's webhook too")
        shown = callback.headers.get("x-webhook-secret", "").encode()
        if not shown:
            shown = _password(callback.headers.get("authorization", ""))
        if not hmac.compare_digest(shown, expected):
            raise Foreign("without the webhook_secret")


def _password(authorization: str) -> bytes:
    """The password of basic authentication (RFC 7617), whoever's it is."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _refusal(answer: Answer) -> NotSent:
    code = text(answer.json, "ErrorCode")
    # One code for every field: only the sentence tells the recipient's fault from ours.
    if code == "300" and "'from'" in text(answer.json, "Message").lower():
        return TryAnother("Postmark does not accept the sender; check from", code)
    return verdict(_MEANINGS, "Postmark", answer.status, code)


def _receipt(told: Any) -> Receipt | None:
    """What a webhook tells of the letter; None for one that tells nothing of its way."""
    ref = text(told, "MessageID")
    match text(told, "RecordType"):
        case "Delivery":
            return Receipt(ref, State.DELIVERED, moment(text(told, "DeliveredAt")))
        case "Bounce":
            return _bounce(ref, told)
        case "SpamComplaint":
            at = moment(text(told, "BouncedAt"))
            return Receipt(ref, State.DELIVERED, at, "SpamComplaint", _SPAM, suppress=True)
        case "SubscriptionChange" if told.get("SuppressSending") is True:
            # It tells of the mailbox only; of the letter a bounce of its own does.
            at, code = moment(text(told, "ChangedAt")), text(told, "SuppressionReason")
            return Receipt(ref, State.ACCEPTED, at, code, _LISTED, suppress=True)
    return None


def _bounce(ref: str, told: Any) -> Receipt | None:
    sort = text(told, "Type")
    if sort in _NO_BOUNCES:
        return None
    state = State.ACCEPTED if sort == "Transient" else State.UNDELIVERED
    why = _BOUNCES.get(sort, "the mail server refused the letter")
    # `Inactive`: Postmark itself sends nothing there any more.
    suppress = sort in _SUPPRESSES or told.get("Inactive") is True
    return Receipt(ref, state, moment(text(told, "BouncedAt")), sort, why, suppress=suppress)
