"""WhatsApp messages by Meta's Cloud API.

    {"provider": "meta_whatsapp", "phone_number_id": "106540352242922",
     "access_token": "env:WHATSAPP_EXPIRED", "template": "login_code", "language": "en_US",
     "app_secret": "env:META_APP_SECRET", "verify_token": "env:META_VERIFY_EXPIRED"}

https://developers.facebook.com/documentation/business-messaging/whatsapp/ "Copy code
authentication templates" (the same request serves one-tap templates), "Error codes" and
"Webhooks"; https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"Verification requests" and "Validating payloads".

WhatsApp carries codes in a template of the category "authentication" only, so a letter
without a code goes another way.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

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
from doorcode.delivery.providers.answers import document, text, unix_moment
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import Answer, Meanings, Transport, verdict

_URL = "https://graph.facebook.com"
MOST_CHARACTERS = 15  # of a code in an authentication template

_ID = re.compile(r"[0-9]{5,25}", re.ASCII)
_PERMISSIONS = re.compile(r"2[0-9][0-9]", re.ASCII)  # the whole range is about them
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?", re.ASCII)
# It is sent back as it came: nothing that a browser could take for a page.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


_EXPIRED = "the access token is not valid any more; set one of a system user, which does not expire"
_PERMISSION = "the access token may not do this; give it whatsapp_business_messaging"
_POLICY = "Meta has blocked the account for breaking its policy; see Business Support Home"
_TROUBLE = "Meta has trouble of its own"
_TOO_OFTEN = "WhatsApp was asked too often; have the number's throughput raised"
_PARAMETER = "Meta does not accept the request; check phone_number_id, template and language"
_TEMPLATE = (
    "the template does not fit; it must be one of the category authentication, with a button"
)
_PACED = "WhatsApp delivers no more to this person for now"
_UNREACHABLE = "this number does not use WhatsApp, or cannot take messages of businesses"

_MEANINGS: Meanings = MappingProxyType(
    {
        "0": (TryAnother, _EXPIRED),
        "1": (TryLater, _TROUBLE),
        "2": (TryLater, _TROUBLE),
        "3": (TryAnother, _PERMISSION),
        "4": (TryLater, _TOO_OFTEN),
        "10": (TryAnother, _PERMISSION),
        "33": (TryAnother, "there is no such phone number; check phone_number_id"),
        "100": (TryAnother, _PARAMETER),
        "190": (TryAnother, _EXPIRED),
        "200": (TryAnother, _PERMISSION),
        "368": (TryAnother, _POLICY),
        "80007": (TryLater, _TOO_OFTEN),
        "130429": (TryLater, _TOO_OFTEN),
        "130472": (TryElsewhere, _PACED + ": it is part of an experiment of Meta's"),
        "130497": (TryElsewhere, "this account may not write to people of this country"),
        "131000": (TryLater, _TROUBLE),
        "131005": (TryAnother, _PERMISSION),
        "131008": (TryAnother, _PARAMETER),
        "131009": (TryAnother, _PARAMETER),
        "131016": (TryLater, _TROUBLE),
        "131021": (Never, "the number is the sender's own"),
        "131026": (TryElsewhere, _UNREACHABLE),
        "131030": (
            TryElsewhere,
            "a test number writes to the numbers on its list only; add it there, or use your own",
        ),
        "131031": (TryAnother, "the account is locked or restricted; see Business Support Home"),
        "131037": (TryAnother, "the sender's display name is not approved; have it approved"),
        "131042": (TryAnother, "the account cannot be charged; mend its payment method"),
        "131045": (TryAnother, "the number is not registered for the Cloud API; register it"),
        "131047": (TryElsewhere, "the person has not written for a day; send a template"),
        "131048": (TryAnother, "people blocked or reported this sender; see its quality rating"),
        "131049": (TryElsewhere, _PACED),
        "131050": (TryElsewhere, "the person has asked for no more messages of this kind"),
        "131056": (TryElsewhere, "too many messages to this number at once; wait a while"),
        "131057": (TryLater, "the account is being maintained"),
        "132000": (TryAnother, _TEMPLATE),
        "132001": (TryAnother, "there is no such template in this language, or it is not approved"),
        "132005": (TryAnother, _TEMPLATE),
        "132007": (TryAnother, _POLICY),
        "132012": (TryAnother, _TEMPLATE),
        "132015": (TryAnother, "the template is paused for its low quality; use another"),
        "132016": (TryAnother, "the template is switched off for good; make a new one"),
        "133004": (TryLater, _TROUBLE),
        "133010": (TryAnother, "the number is not registered for the Cloud API; register it"),
    }
)

_STATES = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "failed": State.FAILED,
}


class Options(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`app_secret` proves receipts and `verify_token` the setting of the webhook.

    Without `app_secret` there are no receipts.
    """

    phone_number_id: str
    access_token: str
    template: str
    language: str = "en_US"
    app_secret: str = ""
    verify_token: str = ""
    version: str = "v24.0"
    url: str = _URL


class MetaWhatsapp:
    """A provider for the channel "whatsapp"."""

    name = "meta_whatsapp"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = options = read(Options, given)
        self._transport = transport
        if not _ID.fullmatch(options.phone_number_id):
            raise BadOptions("phone_number_id is digits; it is not the phone number itself")
        if not _VERSION.fullmatch(options.version):
            raise BadOptions("version is one of the Graph API, such as v24.0")
        if not _LANGUAGE.fullmatch(options.language):
            raise BadOptions("language is the template's, such as en or en_US")
        self._url = (
            f"{expect_url(options.url)}/{options.version}/{options.phone_number_id}/messages"
        )

    async def send(self, letter: Letter) -> Taken:
        """Hand a code over, or raise."""
        if not letter.code:
            raise TryElsewhere("WhatsApp carries codes only, and this letter has none")
        if len(letter.code) > MOST_CHARACTERS:
            raise TryElsewhere(f"a code by WhatsApp has {MOST_CHARACTERS} characters at most")
        answer = await self._transport.ask(
            "POST",
            self._url,
            headers={
                "Authorization": f"Bearer {self._options.access_token}",
                "Content-Type": "application/json",
            },
            content=msgspec.json.encode(self._message(letter)),
        )
        if not answer.is_success:
            raise _refusal(answer)
        return Taken(text(next(_dicts(answer.json, "messages"), None), "id"))

    def _message(self, letter: Letter) -> dict[str, Any]:
        code = [{"type": "text", "text": letter.code}]
        return {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": letter.to,
            "type": "template",
            "template": {
                "name": self._options.template,
                "language": {"code": self._options.language},
                "components": [
                    {"type": "body", "parameters": code},
                    # Its button copies the code, or fills it in; to the API it is a link.
                    {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
                ],
            },
        }

    # ── receipts ──────────────────────────────────────────────────────────────────────
    async def greet(self, callback: Callback) -> bytes | None:
        """See `Greeter`: prove that the webhook is ours by saying Meta's challenge again."""
        if callback.method != "GET":
            return None
        query = parse_qs(urlsplit(callback.url).query)
        asked = {name: values[-1] for name, values in query.items()}
        expected = self._options.verify_token.encode()
        shown = asked.get("hub.verify_token", "").encode()
        if not expected:
            raise Foreign("the route has no verify_token; set it, and in the app's webhook too")
        if not hmac.compare_digest(shown, expected):
            raise Foreign("without the verify_token")
        challenge = asked.get("hub.challenge", "")
        if asked.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
            raise Foreign("no verification as Meta asks for it")
        return challenge.encode()

    def receipts(self, callback: Callback) -> list[Receipt]:
        """See `Reporter`."""
        self._expect_signature(callback)
        found = (_receipt(status) for status in self._statuses(document(callback.body)))
        return [receipt for receipt in found if receipt]

    def _expect_signature(self, callback: Callback) -> None:
        secret = self._options.app_secret.encode()
        if not secret:
            raise Foreign("the route has no app_secret; set it to that of the Meta app")
        expected = "sha256=" + hmac.digest(secret, callback.body, "sha256").hex()
        shown = callback.headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(shown.encode(), expected.encode()):
            raise Foreign("the signature is not by the app_secret, or the body was altered")

    def _statuses(self, told: object) -> Iterator[dict[str, Any]]:
        """Those of our number: an app has one webhook for all that it serves."""
        for entry in _dicts(told, "entry"):
            for change in _dicts(entry, "changes"):
                number = text(change, "value", "metadata", "phone_number_id")
                if number == self._options.phone_number_id:
                    yield from _dicts(change["value"], "statuses")


def _refusal(answer: Answer) -> NotSent:
    code = text(answer.json, "error", "code")
    if _PERMISSIONS.fullmatch(code):
        code = "200"
    return verdict(_MEANINGS, "WhatsApp", answer.status, code)


def _receipt(status: object) -> Receipt | None:
    state, ref = _STATES.get(text(status, "status")), text(status, "id")
    if state is None or not ref:
        return None
    at = unix_moment(text(status, "timestamp"))
    if state is not State.FAILED:
        return Receipt(ref, state, at)
    code = text(next(_dicts(status, "errors"), None), "code")
    sort, why = _MEANINGS.get(code, (TryLater, "WhatsApp did not deliver it"))
    # It failed on the way to this person, or before, by what is wrong with us.
    is_theirs = issubclass(sort, Never | TryElsewhere)
    return Receipt(ref, State.UNDELIVERED if is_theirs else State.FAILED, at, code, why)


def _dicts(document: Any, name: str) -> Iterator[Any]:
    """The parts of a list in a JSON document, as far as there is one."""
    found = document.get(name) if isinstance(document, dict) else None
    yield from found if isinstance(found, list) else ()
