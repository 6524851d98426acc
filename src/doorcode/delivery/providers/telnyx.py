"""Texts by Telnyx.

    {"provider": "telnyx", "api_key": "env:TELNYX_API_KEY", "from": "+15550100",
     "public_key": "e5jeBd2E62zcfqhmsfbYrllM…"}

https://developers.telnyx.com/docs/messaging/messages/send-message "Send a message",
https://developers.telnyx.com/docs/messaging/messages/error-codes "Messaging Error Code
Reference", https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
"Receiving Webhooks for Messaging".
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.answers import document, expect_recent, micros, moment, text
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict
from doorcode.domain.limits import MINUTE

_URL = "https://api.telnyx.com"
LIVES = 5 * MINUTE  # a webhook

_KEY = "the API key is not valid; check api_key"
_SPAM = "the text was taken for spam; register the sender, or use another"
_CAMPAIGN = "the sender's 10DLC campaign is not registered, or its day is used up"
_FROM = "the sender cannot be used; check from and messaging_profile_id"
_PROFILE = "the messaging profile cannot be used; check messaging_profile_id"
_EXPIRED = ("40005", "40014")

_MEANINGS: Meanings = MappingProxyType(
    {
        "10009": (TryAnother, _KEY),
        "10010": (TryAnother, "the API key may not do this; check its permissions"),
        "10011": (TryLater, "Telnyx was asked too often"),
        "10016": (Never, "this is no phone number"),
        "20012": (TryAnother, "the account is not active; see its portal"),
        "20100": (TryAnother, "the account's credit is used up; add funds"),
        "40001": (Never, "this is a landline, or no carrier serves the number"),
        "40002": (TryAnother, _SPAM),
        "40003": (TryAnother, _SPAM),
        "40004": (TryElsewhere, "the number's carrier refused it and gave no reason"),
        "40005": (TryLater, "it waited until the code was of no use"),
        "40006": (TryLater, "the number's carrier is down"),
        "40008": (TryElsewhere, "the number's carrier did not take it"),
        "40009": (TryAnother, "the text holds what cannot be sent"),
        "40010": (TryElsewhere, _CAMPAIGN),
        "40011": (TryLater, "too many texts at once for the carrier"),
        "40012": (Never, "this is no phone number"),
        "40013": (TryAnother, _FROM),
        "40014": (TryLater, "it waited until the code was of no use"),
        "40015": (TryAnother, _SPAM),
        "40016": (TryElsewhere, _CAMPAIGN),
        "40017": (TryElsewhere, _CAMPAIGN),
        "40018": (TryElsewhere, _CAMPAIGN),
        "40300": (Never, "the person has answered STOP; a text of START takes that back"),
        "40305": (TryAnother, _FROM),
        "40306": (TryAnother, "no sender ID is set up; set it in the messaging profile"),
        "40307": (TryAnother, "the sender ID is not the messaging profile's; check from"),
        "40309": (TryElsewhere, "the messaging profile does not allow this country; allow it"),
        "40310": (Never, "this is no phone number"),
        "40311": (TryAnother, _PROFILE),
        "40312": (TryAnother, _PROFILE),
        "40315": (TryAnother, "the sender's texts hardly arrive any more; use another number"),
        "40318": (TryLater, "the sender's queue is full; add numbers to the profile"),
        "40319": (TryElsewhere, "this sender does not reach this number; add another sender"),
        "40320": (TryLater, "the sender cannot be used for now"),
        "40321": (TryAnother, "the messaging profile has no number that may send; add one"),
        "40322": (TryAnother, _SPAM),
        "40329": (TryElsewhere, "the toll-free number is not verified; verify it"),
    }
)

_STATES = {
    "queued": State.ACCEPTED,
    "sending": State.ACCEPTED,
    "sent": State.SENT,
    "delivery_unconfirmed": State.SENT,
    "delivered": State.DELIVERED,
    "expired": State.EXPIRED,
    "sending_failed": State.FAILED,
    "delivery_failed": State.UNDELIVERED,
}
_LOST = (State.EXPIRED, State.FAILED, State.UNDELIVERED)


class Options(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`from` is a number or a sender ID; with a sender ID, or none, a messaging profile is set.

    Without `public_key` there are no receipts.
    """

    api_key: str
    sender: str = msgspec.field(name="from", default="")
    messaging_profile_id: str = ""
    public_key: str = ""
    url: str = _URL


class Telnyx:
    """A provider for the channel "sms"."""

    name = "telnyx"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        self._url = expect_url(options.url)
        self._transport = transport
        if not options.sender.startswith("+") and not options.messaging_profile_id:
            raise BadOptions("set from to a number of yours (+15550100), or messaging_profile_id")
        self._key = _public_key(options.public_key) if options.public_key else None
        named = {"from": options.sender, "messaging_profile_id": options.messaging_profile_id}
        self._fixed = {name: value for name, value in named.items() if value}

    async def send(self, letter: Letter) -> Taken:
        """Hand a text over, or raise."""
        request = self._fixed | {"to": letter.to, "text": letter.text}
        # Without the key nobody could tell a receipt from a forgery.
        if letter.callback_url and self._key:
            request |= {"webhook_url": letter.callback_url}
        answer = await self._transport.ask(
            "POST",
            f"{self._url}/v2/messages",
            headers={
                "Authorization": f"Bearer {self._options.api_key}",
                "Content-Type": "application/json",
            },
            content=msgspec.json.encode(request),
        )
        if not answer.is_success:
            raise _refusal(answer)
        said = answer.json
        price = micros(text(said, "data", "cost", "amount"), text(said, "data", "cost", "currency"))
        return Taken(text(said, "data", "id"), price=price)

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`."""
        self._expect_signature(callback)
        receipt = _receipt(document(callback.body))
        return [receipt] if receipt and receipt.ref else []

    def _expect_signature(self, callback: Callback) -> None:
        if self._key is None:
            raise Foreign("the route has no public_key; set it to the account's")
        written = callback.headers.get("telnyx-timestamp", "")
        shown = callback.headers.get("telnyx-signature-ed25519", "")
        expect_recent(written, callback.at, LIVES)
        try:
            signature = base64.b64decode(shown, validate=True)
            self._key.verify(signature, f"{written}|".encode() + callback.body)
        except (InvalidSignature, ValueError):
            raise Foreign("the signature is not by Telnyx, or the body was altered") from None


def _public_key(encoded: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded, validate=True))
    except ValueError:
        raise BadOptions("public_key is the account's, base64 as the portal shows it") from None


def _first(found: Any) -> Any:
    return found[0] if isinstance(found, list) and found else None


def _refusal(answer: Answer) -> NotSent:
    said = answer.json
    code = text(_first(said.get("errors")), "code") if isinstance(said, dict) else ""
    return verdict(_MEANINGS, "Telnyx", answer.status, code)


def _receipt(told: Any) -> Receipt | None:
    """What an event tells of the text; None for one that tells nothing of its way."""
    if text(told, "data", "event_type") not in ("message.sent", "message.finalized"):
        return None
    payload = told["data"].get("payload")
    if not isinstance(payload, dict):
        return None
    state = _STATES.get(text(_first(payload.get("to")), "status"))
    if state is None:
        return None
    ref, at = text(payload, "id"), moment(text(told, "data", "occurred_at"))
    price = micros(text(payload, "cost", "amount"), text(payload, "cost", "currency"))
    if state not in _LOST:
        return Receipt(ref, state, at, price=price)
    code = text(_first(payload.get("errors")), "code")
    state = State.EXPIRED if code in _EXPIRED else state
    code = code if code in _MEANINGS else ""
    why = _MEANINGS[code][1] if code else "Telnyx did not deliver it, and gave no known reason"
    return Receipt(ref, state, at, code, why, price)
