"""A message becomes a letter: the words that people read.

The flow packs what the words are made of and seals it; the courier opens the seal and
renders. So the readable code lies in the sealed column and nowhere else, and a letter
exists only while it is being sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

import jinja2
import msgspec

from doorcode.delivery.interface import Letter, Withheld
from doorcode.delivery.sandbox import BadTemplate, fill
from doorcode.delivery.sms import clean_name, short_text
from doorcode.delivery.words import SHIPPED, Voice
from doorcode.domain import limits
from doorcode.domain.languages import is_right_to_left, lookup
from doorcode.domain.message import Message
from doorcode.domain.texts import DEFAULT_LANGUAGE

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("doorcode.delivery"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
)
_ENGLISH = Voice(DEFAULT_LANGUAGE)
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Unreadable(ValueError):
    """The payload was packed by something else."""


class Notice(StrEnum):
    """What a letter without a code tells."""

    INVITATION = "invitation"
    WAITLIST = "waitlist"
    NO_ACCOUNT = "no_account"
    HAS_ACCOUNT = "has_account"
    COUNTRY_PAUSED = "country_paused"


class _Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed.

    A letter has a `code`, or it is a `notice`, perhaps with a `link` that is valid for
    `days`; `about` is what its sentence names. `own` are an operator's templates that take
    the place of those shipped, `host` that of the page where the code is typed. One that
    `is_withheld` is not for sending.
    """

    code: str
    name: str
    locale: str | None = None
    notice: Notice | None = None
    link: str = ""
    days: int = 0
    about: dict[str, str] = {}
    host: str = ""
    own: dict[str, str] = {}
    is_withheld: bool = False


class _Alert(NamedTuple):
    """A letter to an operator: English, and nobody's to change."""

    alone: str
    of_app: str
    sentence: str
    button: str
    ending: str


_ALERTS = {
    Notice.COUNTRY_PAUSED: _Alert(
        "Text messages to {country} are paused",
        "Text messages of {name} to {country} are paused",
        "No codes are sent to phone numbers of {country} any more, because it looks like an "
        "attack that runs up a bill: {why}. People who signed in before on the same device "
        "still get theirs. If it is no attack, this link lets codes go there again:",
        "Look at it, and resume",
        "On the server, 'doorcode audit' and 'doorcode shield status' show what happened.",
    ),
}

_decode = msgspec.json.Decoder(_Payload).decode
_encode = msgspec.json.Encoder().encode


def pack(
    code: str, name: str, locale: str | None, host: str = "", own: Mapping[str, str] = _NOTHING
) -> bytes:
    """What a letter will be made of: the code, the app's name, the reader's language.

    With a `host` a text message is bound to it; `own` are templates instead of those shipped.
    """
    return _encode(_Payload(code, clean_name(name), locale, host=host, own=dict(own)))


def pack_notice(
    notice: Notice,
    name: str,
    link: str = "",
    days: int = 0,
    about: Mapping[str, str] = _NOTHING,
    voice: Voice = _ENGLISH,
) -> bytes:
    """What a letter without a code will be made of: its sort, the app's name, a link."""
    packed = _Payload(
        "",
        clean_name(name),
        voice.language,
        notice=notice,
        link=link,
        days=days,
        about=dict(about),
        own=dict(voice.own),
    )
    return _encode(packed)


def pack_withheld(
    code: str, name: str, locale: str | None, host: str = "", own: Mapping[str, str] = _NOTHING
) -> bytes:
    """What looks like a letter with a code until it is opened, and is not for sending."""
    packed = _Payload(code, clean_name(name), locale, host=host, own=dict(own), is_withheld=True)
    return _encode(packed)


def render(message: Message, payload: bytes) -> Letter:
    """The letter for a message, or `Unreadable`, or `Withheld`."""
    try:
        packed = _decode(payload)
        subject, text, html = _words(packed, message.channel)
    except msgspec.MsgspecError:
        raise Unreadable("not a packed message") from None
    except BadTemplate:
        raise Unreadable("a template that cannot be rendered") from None
    if packed.is_withheld:
        raise Withheld("there is no code to send")
    return Letter(
        id=message.id,
        channel=message.channel,
        to=message.recipient,
        subject=subject,
        text=text,
        html=html,
        code=packed.code,
        created_at=message.created_at,
        link=packed.link,
    )


def _words(packed: _Payload, channel: str) -> tuple[str, str, str]:
    name = clean_name(packed.name)
    voice = _ENGLISH if packed.notice in _ALERTS else _voice(packed)
    if packed.notice is None and channel == "email":
        return _email(packed.code, name, voice)
    if packed.notice is None:
        host = packed.host if channel == "sms" else ""
        return "", short_text(voice.words["sms"], packed.code, name, host), ""
    if channel != "email":
        raise Unreadable("a notice is told by e-mail")
    return _notice(packed, packed.notice, name, voice)


def _voice(packed: _Payload) -> Voice:
    """Where an operator wrote nothing, a language that is not shipped is English."""
    shipped = lookup(packed.locale, SHIPPED)
    if packed.own and packed.locale:
        return Voice(shipped or packed.locale, packed.own)
    return Voice(shipped or DEFAULT_LANGUAGE)


def _email(code: str, name: str, voice: Voice) -> tuple[str, str, str]:
    minutes = limits.CODE_LIVES_FOR // limits.MINUTE
    values: dict[str, str | int] = {"code": code, "app": name, "minutes": minutes}
    parts = ("subject", "heading", "advice", "unasked")
    filled = {part: fill(voice.words[part], values) for part in parts}
    return _letter("code", voice, name, {**filled, "code": code})


def _notice(packed: _Payload, notice: Notice, name: str, voice: Voice) -> tuple[str, str, str]:
    words = voice.words
    values: dict[str, str | int] = {"app": name, "days": packed.days}
    valid = "valid_day" if packed.days == 1 else "valid_days"
    validity = fill(words[valid], values)
    if notice in _ALERTS:
        said = _alert(_ALERTS[notice], name, packed.about)
    else:
        said = {
            "subject": fill(words[f"{notice}_subject"], values),
            "sentence": fill(words[f"{notice}_sentence"], values),
            "button": fill(words[f"{notice}_button"], values) if packed.link else "",
            "ending": fill(words["unexpected"], values),
        }
    return _letter("notice", voice, name, {**said, "link": packed.link, "validity": validity})


def _alert(alert: _Alert, name: str, about: Mapping[str, str]) -> dict[str, str]:
    return {
        "subject": (alert.of_app if name else alert.alone).format(name=name, **about),
        "sentence": alert.sentence.format(**about),
        "button": alert.button,
        "ending": alert.ending,
    }


def _letter(kind: str, voice: Voice, name: str, said: Mapping[str, str]) -> tuple[str, str, str]:
    """Words are filled in before they come to the page: what stands in them is never markup."""
    direction = "rtl" if is_right_to_left(voice.language) else "ltr"
    values = {**said, "name": name, "language": voice.language, "direction": direction}
    text = _templates.get_template(f"{kind}.email.txt").render(values)
    html = _templates.get_template(f"{kind}.email.html").render(values)
    return said["subject"], text, html
