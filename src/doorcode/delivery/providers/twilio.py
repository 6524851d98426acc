"""Texts and WhatsApp messages by Twilio: the Messages API of 2010-04-01.

    {"provider": "twilio", "account_sid": "AC…", "auth_token": "env:TWILIO_AUTH_TOKEN",
     "messaging_service_sid": "MG…"}

Twilio's pages that say so: "Messages resource" (fields, states), "Requests to the Twilio API"
(credentials), "Using the Twilio REST API in a non-US Region" and "Twilio API domain migration
guide" (hosts), "Secure webhooks" (signatures), "Outbound Message Status in Status Callbacks",
"whatsapp/authentication" (the template of a code), "Error and Warning Dictionary".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

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
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.answers import micros, text
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict
from doorcode.domain.limits import CODE_LIVES_FOR, SECOND

# Where data are processed elsewhere, the host names a city and a region, both.
_CITIES = {"ie1": "dublin", "au1": "sydney", "jp1": "tokyo"}
_LONGEST_QUEUE = 36_000  # seconds, of ValidityPeriod

_STATES = {
    "accepted": State.ACCEPTED,
    "scheduled": State.ACCEPTED,
    "queued": State.ACCEPTED,
    "sending": State.ACCEPTED,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
_LOST = (State.UNDELIVERED, State.FAILED)
_WAITED_TOO_LONG = "30036"
_SID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_CODE = re.compile(r"[1-9]\d{4}", re.ASCII)

_TEMPLATE = "set content_sid to an approved template of the category authentication"
_MEANINGS: Meanings = {
    "10001": (TryAnother, "the account is not active; look at its console"),
    "10002": (TryAnother, "a trial account may not do this; upgrade it"),
    "20003": (TryAnother, "the credentials are refused; check account_sid and its token"),
    "20005": (TryAnother, "the account is not active; look at its console"),
    "20404": (TryAnother, "there is no such account; check account_sid and region"),
    "20429": (TryLater, "too many requests at once"),
    "20500": (TryLater, "Twilio has trouble of its own"),
    "20503": (TryLater, "Twilio has trouble of its own"),
    "21211": (Never, "this is no phone number"),
    "21212": (TryAnother, "the sender is no number of yours; check from"),
    "21214": (Never, "this phone number cannot be reached"),
    "21217": (Never, "this is no phone number"),
    "21266": (Never, "the number is the sender's own"),
    "21408": (
        TryElsewhere,
        "texts to this country are off; allow it under Messaging, Geo permissions",
    ),
    "21603": (TryAnother, "no sender; set messaging_service_sid or from"),
    "21604": (Never, "this is no phone number"),
    "21606": (TryAnother, "the sender cannot send texts; check from"),
    "21608": (TryElsewhere, "a trial account reaches verified numbers only; upgrade it"),
    "21610": (Never, "the person has answered STOP; a text of START takes that back"),
    "21611": (TryLater, "the sender's queue is full; add numbers to its pool"),
    "21612": (TryElsewhere, "this sender does not reach this number; add another sender"),
    "21614": (Never, "this is no mobile number"),
    "21617": (Never, "the text is too long"),
    "21635": (Never, "this is a landline, which takes no texts"),
    "21655": (TryAnother, "there is no such template; check content_sid"),
    "21656": (TryAnother, "the template takes other variables; " + _TEMPLATE),
    "21660": (TryAnother, "the sender belongs to another account; check from"),
    "21663": (TryAnother, "the sender lives in another region; check region"),
    "21701": (TryAnother, "there is no such service; check messaging_service_sid"),
    "21703": (TryAnother, "the Messaging Service has no senders; add one"),
    "21705": (TryAnother, "there is no such service; check messaging_service_sid"),
    "21730": (TryLater, "Twilio is being maintained"),
    "30001": (TryLater, "the queue is full; add numbers to the pool"),
    "30002": (TryAnother, "the account is suspended; look at its console"),
    "30003": (TryLater, "the phone is switched off or out of reach"),
    "30004": (TryElsewhere, "the carrier or the person blocks this sender"),
    "30005": (Never, "the carrier does not know this number"),
    "30006": (Never, "this is a landline, or its carrier takes no texts"),
    "30007": (TryAnother, "the carrier took the text for spam; register the sender"),
    "30008": (TryLater, "the carrier gave no reason"),
    "30010": (TryElsewhere, "it costs more than max_price"),
    "30022": (TryLater, "the campaign sends too fast for US carriers"),
    "30023": (TryElsewhere, "the brand's day is used up at a US carrier"),
    "30032": (TryElsewhere, "the toll-free number is not verified; verify it"),
    "30034": (TryElsewhere, "the number is in no A2P 10DLC campaign; register it"),
    _WAITED_TOO_LONG: (TryLater, "it waited in the queue until the code was of no use"),
    "30450": (TryElsewhere, "Twilio's protection from pumping blocked it"),
    "63003": (TryElsewhere, "the number is not on WhatsApp"),
    "63007": (TryAnother, "the sender is not on WhatsApp; check from"),
    "63013": (TryAnother, "WhatsApp refused it by its policy"),
    "63014": (TryElsewhere, "the person blocks this sender"),
    "63016": (TryAnother, "WhatsApp lets nobody begin with free words; " + _TEMPLATE),
    "63018": (TryLater, "the WhatsApp sender sends too fast"),
    "63024": (TryElsewhere, "the number is not on WhatsApp"),
    "63038": (TryAnother, "the account's day is used up"),
    "63049": (TryElsewhere, "WhatsApp chose not to deliver it"),
}


class Options(RouteOptions, frozen=True, forbid_unknown_fields=True):
    """`auth_token` also checks receipts, so it is wanted beside an API key as well.

    `max_price` is a last net, in US dollars for the whole message. `url` replaces the host,
    for a gateway of your own that speaks this API.
    """

    account_sid: str
    auth_token: str = ""
    api_key_sid: str = ""
    api_key_secret: str = ""
    messaging_service_sid: str = ""
    sender: str = msgspec.field(default="", name="from")
    content_sid: str = ""
    region: str = "us1"
    edge: str = ""
    validity_seconds: int = CODE_LIVES_FOR // SECOND
    max_price: float | None = None
    url: str = ""


class Twilio:
    """A provider for the channels "sms" and "whatsapp"."""

    name = "twilio"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        self._transport = transport
        if not _SID.fullmatch(options.account_sid):
            raise BadOptions("account_sid is what the console shows under Account info (AC…)")
        if bool(options.api_key_sid) != bool(options.api_key_secret):
            raise BadOptions("api_key_sid and api_key_secret belong together; set both")
        if not options.auth_token and not options.api_key_sid:
            raise BadOptions("set auth_token, or api_key_sid and api_key_secret")
        if not options.messaging_service_sid and not options.sender:
            raise BadOptions("set messaging_service_sid, or from (a number or a name of yours)")
        if not 1 <= options.validity_seconds <= _LONGEST_QUEUE:
            raise BadOptions(f"validity_seconds is from 1 to {_LONGEST_QUEUE}")
        base = expect_url(options.url) if options.url else f"https://{_host(options)}"
        self._url = f"{base}/2010-04-01/Accounts/{options.account_sid}/Messages.json"
        user = options.api_key_sid or options.account_sid
        password = options.api_key_secret or options.auth_token
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"

    async def send(self, letter: Letter) -> Taken:
        answer = await self._transport.ask(
            "POST",
            self._url,
            headers={
                "Authorization": self._authorization,
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            content=urlencode(self._fields(letter)).encode(),
        )
        document = answer.json
        state = _STATES.get(text(document, "status"), State.ACCEPTED)
        if not answer.is_success or state in _LOST:
            raise _verdict(answer)
        price = micros(text(document, "price"), text(document, "price_unit"))
        return Taken(text(document, "sid"), state, price)

    def receipts(self, callback: Callback) -> list[Receipt]:
        """A status callback: the URL and the sorted fields, by HMAC-SHA1 under the auth token."""
        told = self._verified(callback)
        state = _STATES.get(told.get("MessageStatus", ""))
        ref = told.get("MessageSid") or told.get("SmsSid", "")
        if state is None or not ref:
            return []
        code = told.get("ErrorCode", "")
        code = code if _CODE.fullmatch(code) else ""
        if code == _WAITED_TOO_LONG:
            state = State.EXPIRED
        return [Receipt(ref, state, code=code, why=_words(code))]

    def _fields(self, letter: Letter) -> dict[str, str]:
        options = self._options
        is_whatsapp = letter.channel == "whatsapp"
        fields = {"To": _address(letter.to, is_whatsapp)}
        if options.messaging_service_sid:
            fields["MessagingServiceSid"] = options.messaging_service_sid
        if options.sender:
            fields["From"] = _address(options.sender, is_whatsapp)
        if is_whatsapp and options.content_sid and letter.code:
            fields["ContentSid"] = options.content_sid
            fields["ContentVariables"] = msgspec.json.encode({"1": letter.code}).decode()
        else:
            fields["Body"] = letter.text
        # Without the token nobody could tell a receipt from a forgery.
        if letter.callback_url and options.auth_token:
            fields["StatusCallback"] = letter.callback_url
        if letter.code:
            # A code that waited longer is of no use, and costs all the same.
            fields["ValidityPeriod"] = str(options.validity_seconds)
        if options.max_price is not None:
            fields["MaxPrice"] = f"{options.max_price:f}"
        return fields

    def _verified(self, callback: Callback) -> dict[str, str]:
        token = self._options.auth_token.encode()
        signature = callback.headers.get("x-twilio-signature", "")
        if not token:
            raise Foreign("Twilio signs with the auth token; set auth_token to read receipts")
        try:
            fields = parse_qsl(callback.body.decode(), keep_blank_values=True, max_num_fields=200)
        except ValueError:
            raise Foreign("its body is no form") from None
        found = [_sign(token, url, fields) for url in _spellings(callback.url)]
        # Each is compared: which of them fits is told by nothing.
        if not any([hmac.compare_digest(one, signature.encode()) for one in found]):  # noqa: C419
            raise Foreign("its signature is not by this auth token, for this URL and these fields")
        return dict(fields)


def _host(options: Options) -> str:
    """The API's host. A region without a city was switched off in April 2026."""
    if options.region == "us1" and not options.edge:
        return "api.twilio.com"
    city = options.edge or _CITIES.get(options.region, "")
    if not city or not city.replace("-", "").isalnum() or not options.region.isalnum():
        raise BadOptions("region is us1, ie1 or au1; another one needs its edge (a city)")
    return f"api.{city}.{options.region}.twilio.com"


def _address(number: str, is_whatsapp: bool) -> str:
    return f"whatsapp:{number}" if is_whatsapp and not number.startswith("whatsapp:") else number


def _sign(token: bytes, url: str, fields: Sequence[tuple[str, str]]) -> bytes:
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.digest(token, signed.encode(), hashlib.sha1))


def _spellings(url: str) -> Iterator[str]:
    """The URL as it was given, and with its port left out or written: Twilio does either."""
    yield url
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.port is None:
        host += ":443" if parts.scheme == "https" else ":80"
    yield parts._replace(netloc=host).geturl()


def _verdict(answer: Answer) -> NotSent:
    # Its own sentence is not repeated: it may quote the number and the text.
    code = text(answer.json, "code") or text(answer.json, "error_code")
    return verdict(_MEANINGS, "Twilio", answer.status, code if _CODE.fullmatch(code) else "")


def _words(code: str) -> str:
    if code in _MEANINGS:
        return _MEANINGS[code][1]
    return f"see twilio.com/docs/api/errors/{code}" if code else ""
