"""Texts and WhatsApp messages by Vonage: the Messages API, version 1.

    {"provider": "vonage", "api_key": "…", "api_secret": "env:VONAGE_API_SECRET",
     "signature_secret": "env:VONAGE_SIGNATURE_SECRET", "from": "Acme"}

Not the older SMS API: this one signs each webhook as a whole, and carries WhatsApp as well.

Vonage's pages that say so: "Messages API" (fields, statuses), "Authentication" (Basic, JWT),
"Signed webhooks", "Messages API Status Callbacks", "Send a WhatsApp Authentication Template",
"API Errors" and "API Errors: Messages API".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

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
from doorcode.delivery.providers.answers import micros, moment, text
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict
from doorcode.domain.limits import DAY, MINUTE, SECOND

_HOSTS = {
    "": "api.nexmo.com",
    "us": "api-us.vonage.com",
    "eu": "api-eu.vonage.com",
    "ap": "api-ap.vonage.com",
}
_JWT_LIVES_FOR = 15 * MINUTE
_TOLD_WITHIN = DAY  # for so long it tells again what nobody heard
_SHORTEST_TTL = 20  # seconds

# Of a title that is a word or two, such as "Throttled", nothing is read.
_CODE = re.compile(r"\d{1,4}|[a-z]{3,15}(-[a-z]{3,15}){0,2}", re.ASCII)

_STATES = {
    "submitted": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "rejected": State.UNDELIVERED,
    "undeliverable": State.FAILED,
}

_ACCOUNT = "the account may not send; look at its dashboard"
_CREDENTIALS = "the credentials are refused; check api_key and api_secret"
_CREDIT = "the account has no credit; top it up"
_NO_WHATSAPP = "the number is not on WhatsApp"
_SENDER = "the sender is refused; check from"
_TEMPLATE = "the template is refused; check template and locale"
_TROUBLE = "Vonage has trouble of its own"
_WRONG = "a field of the request is refused; check from and ttl"
_MEANINGS: Meanings = {
    "low-balance": (TryAnother, _CREDIT),
    "unauthorized": (TryAnother, _CREDENTIALS),
    "invalid-api-key": (TryAnother, _CREDENTIALS),
    "invalid-signature": (TryAnother, _CREDENTIALS),
    "jwt-expired": (TryAnother, "the token had expired; set this machine's clock by NTP"),
    "jwt-revoked": (TryAnother, "the key was revoked; make a new one for the application"),
    "forbidden": (TryAnother, _ACCOUNT),
    "unprovisioned": (TryAnother, _ACCOUNT),
    "account-suspended": (TryAnother, "the account is suspended; look at its dashboard"),
    "rate-limit": (TryLater, "too many requests at once"),
    "1000": (TryLater, "too many requests at once"),
    "1010": (TryAnother, _WRONG),
    "1020": (TryAnother, _WRONG),
    "1022": (TryAnother, _TEMPLATE),
    "1030": (TryLater, _TROUBLE),
    "1040": (Never, "no network has such a number"),
    "1050": (Never, "the number is on a list of those that get nothing"),
    "1060": (TryAnother, "the account is barred; look at its dashboard"),
    "1070": (TryAnother, _CREDIT),
    "1080": (TryAnother, _ACCOUNT),
    "1090": (Never, "the text is too long"),
    "1100": (TryLater, _TROUBLE),
    "1120": (TryElsewhere, "this country takes no such sender; check from"),
    "1130": (TryAnother, "the ttl is refused; check ttl"),
    "1140": (TryAnother, _ACCOUNT),
    "1150": (TryAnother, _WRONG),
    "1160": (TryElsewhere, "a trial account reaches its test numbers only; top it up"),
    "1170": (Never, "this is no phone number"),
    "1180": (TryLater, "the phone is switched off or out of reach"),
    "1190": (Never, "the number is no longer in use"),
    "1200": (TryElsewhere, "the number has just changed its carrier"),
    "1210": (TryElsewhere, "the carrier took the text for spam; register the sender"),
    "1220": (TryLater, "the phone was busy"),
    "1230": (TryLater, "the carrier's network has trouble"),
    "1240": (Never, "the person has answered STOP"),
    "1241": (TryLater, "too many texts to this number"),
    "1250": (TryElsewhere, "no way leads to this number's network"),
    "1260": (TryElsewhere, "the number cannot be reached"),
    "1270": (Never, "the carrier blocks it by the person's age"),
    "1280": (TryElsewhere, "the carrier blocks texts to this number"),
    "1290": (Never, "the number's prepaid account is empty"),
    "1300": (TryElsewhere, _NO_WHATSAPP),
    "1310": (TryElsewhere, "the phone cannot show such a message"),
    "1320": (TryElsewhere, "the same text was just sent to this number"),
    "1330": (TryElsewhere, "the carrier gave no reason; the number may be wrong"),
    "1340": (TryAnother, "WhatsApp lets nobody begin with free words; set template"),
    "1360": (TryElsewhere, "it was not delivered within its ttl"),
}
_TTL_OVER = "1360"


class Options(RouteOptions, frozen=True, forbid_unknown_fields=True):
    """`application_id` and its `private_key` (PEM) stand in for `api_key` and `api_secret`.

    `template` is the name of an authentication template, which WhatsApp wants of whoever
    writes first. `ttl` is in seconds; Vonage advises half an hour at least.
    """

    sender: str = msgspec.field(name="from")
    api_key: str = ""
    api_secret: str = ""
    application_id: str = ""
    private_key: str = ""
    signature_secret: str = ""
    template: str = ""
    locale: str = "en"
    ttl: int = 1800
    region: str = ""
    url: str = ""


class Vonage:
    """A provider for the channels "sms" and "whatsapp"."""

    name = "vonage"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        self._transport = transport
        self._key = _private_key(options)
        if self._key is None and not (options.api_key and options.api_secret):
            raise BadOptions("set api_key and api_secret, or application_id and private_key")
        if options.region not in _HOSTS:
            raise BadOptions("region is us, eu or ap; without it the nearest one is used")
        if options.ttl < _SHORTEST_TTL:
            raise BadOptions(f"ttl is {_SHORTEST_TTL} seconds at least")
        base = expect_url(options.url) if options.url else f"https://{_HOSTS[options.region]}"
        self._url = f"{base}/v1/messages"

    async def send(self, letter: Letter) -> Taken:
        answer = await self._transport.ask(
            "POST",
            self._url,
            headers={
                "Authorization": self._authorization(letter),
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            content=msgspec.json.encode(self._fields(letter)),
        )
        if not answer.is_success:
            raise _verdict(answer)
        return Taken(text(answer.json, "message_uuid"))

    def receipts(self, callback: Callback) -> list[Receipt]:
        """A status webhook: a JWT by HS256 under the signature secret, with the body's hash."""
        _verify(self._options.signature_secret, callback)
        try:
            told = msgspec.json.decode(callback.body)
        except (msgspec.DecodeError, RecursionError):
            return []
        state, ref = _STATES.get(text(told, "status")), text(told, "message_uuid")
        if state is None or not ref:
            return []
        code = _code(told["error"]) if "error" in told else ""
        if code == _TTL_OVER:
            state = State.EXPIRED
        price = micros(text(told, "usage", "price"), text(told, "usage", "currency"))
        at = moment(text(told, "timestamp"))
        return [Receipt(ref, state, at, code=code, why=_words(code), price=price)]

    def _fields(self, letter: Letter) -> dict[str, Any]:
        options = self._options
        fields: dict[str, Any] = {
            "channel": letter.channel,
            "to": letter.to.removeprefix("+"),
            "from": options.sender.removeprefix("+"),
            "client_ref": letter.id[:100],
        }
        if letter.callback_url and options.signature_secret:
            fields |= {"webhook_url": letter.callback_url, "webhook_version": "v1"}
        if letter.channel == "whatsapp" and options.template and letter.code:
            custom = _template(options.template, options.locale, letter.code)
            return fields | {"message_type": "custom", "custom": custom}
        if letter.channel == "sms":
            fields["ttl"] = options.ttl
        return fields | {"message_type": "text", "text": letter.text}

    def _authorization(self, letter: Letter) -> str:
        options = self._options
        if self._key is None:
            pair = f"{options.api_key}:{options.api_secret}".encode()
            return f"Basic {b64encode(pair).decode()}"
        claims = {
            "application_id": options.application_id,
            "iat": letter.at // SECOND,
            "exp": (letter.at + _JWT_LIVES_FOR) // SECOND,
            "jti": f"{letter.id}.{letter.at}",
        }
        signed = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        signature = self._key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"Bearer {signed}.{_base64(signature)}"


def _private_key(options: Options) -> RSAPrivateKey | None:
    if bool(options.application_id) != bool(options.private_key):
        raise BadOptions("application_id and private_key belong together; set both")
    if not options.private_key:
        return None
    try:
        key = load_pem_private_key(options.private_key.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise BadOptions("private_key is no RSA key in PEM; paste all of private.key")
    return key


def _template(name: str, locale: str, code: str) -> dict[str, Any]:
    """The code in the template's words, and behind its button."""
    filled = [{"type": "text", "text": code}]
    return {
        "type": "template",
        "template": {
            "name": name,
            "language": {"policy": "deterministic", "code": locale},
            "components": [
                {"type": "body", "parameters": filled},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": filled},
            ],
        },
    }


def _verify(secret: str, callback: Callback) -> None:
    if not secret:
        raise Foreign("Vonage signs with the signature secret; set signature_secret")
    scheme, _, token = callback.headers.get("authorization", "").partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        raise Foreign("it is not signed (Authorization: Bearer)")
    header, payload, signature = parts
    # The algorithm is ours to choose: a token that names "none", or RS256, chooses nothing.
    if text(_decoded(header), "alg") != "HS256":
        raise Foreign("its token is not signed by HS256")
    right = _base64(hmac.digest(secret.encode(), f"{header}.{payload}".encode(), hashlib.sha256))
    if not hmac.compare_digest(right.encode(), signature.encode()):
        raise Foreign("its signature is not by this signature secret")
    claims = _decoded(payload)
    # Without this, a token once overheard would sign any body.
    hashed = hashlib.sha256(callback.body).hexdigest()
    if not hmac.compare_digest(hashed.encode(), text(claims, "payload_hash").lower().encode()):
        raise Foreign("its body is not what was signed")
    issued = claims.get("iat") if isinstance(claims, dict) else None
    if not isinstance(issued, int | float) or callback.at - issued * SECOND > _TOLD_WITHIN:
        raise Foreign("it was signed more than a day ago")


def _decoded(part: str) -> Any:
    try:
        return msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None


def _encoded(claims: Mapping[str, Any]) -> str:
    return _base64(msgspec.json.encode(claims))


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _verdict(answer: Answer) -> NotSent:
    document = answer.json
    code = _code(document)
    # One code for any field: only the number's own is the number's fault.
    if code in ("1150", "1020") and _names_number(document):
        return Never("Vonage: this is no phone number", code)
    return verdict(_MEANINGS, "Vonage", answer.status, code)


def _names_number(document: Any) -> bool:
    found = document.get("invalid_parameters") if isinstance(document, dict) else None
    return isinstance(found, list) and [text(one, "name") for one in found] == ["to"]


def _code(error: Any) -> str:
    """The code of an error (RFC 7807): its title where that is a number, or its type's end."""
    candidates = (text(error, "title"), text(error, "type").rpartition("#")[2])
    return next((one for one in candidates if _CODE.fullmatch(one)), "")


def _words(code: str) -> str:
    if code in _MEANINGS:
        return _MEANINGS[code][1]
    return f"see developer.vonage.com/api-errors/messages, code {code}" if code else ""
