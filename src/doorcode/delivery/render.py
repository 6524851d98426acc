"""A message becomes a letter: the words that people read.

The flow packs what the words are made of and seals it; the courier opens the seal and
renders. So the readable code lies in the sealed column and nowhere else, and a letter
exists only while it is being sent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import jinja2
import msgspec

from doorcode.delivery.interface import Letter, Withheld
from doorcode.domain import limits
from doorcode.domain.message import Message
from doorcode.domain.segments import ALPHABET, segments

NAME_CHARACTERS = 60

# Control, format, surrogate, line and paragraph characters: a line break in a name would
# add a header to the mail, a bidirectional override would make it read as another name.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # format characters that Persian words and emoji are made with

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("doorcode.delivery"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
)


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
    """What is sealed. `locale` is kept with it; the words are English so far.

    A letter has a `code`, or it is a `notice`, perhaps with a `link` that is valid for
    `days`; `about` is what its sentence names. One that `is_withheld` is not for sending.
    """

    code: str
    name: str
    locale: str | None = None
    notice: Notice | None = None
    link: str = ""
    days: int = 0
    about: dict[str, str] = {}
    is_withheld: bool = False


class _Words(NamedTuple):
    """What a notice says; `of_app` is its subject where the app has a name.

    `button` is what stands on its link.
    """

    alone: str
    of_app: str
    sentence: str
    button: str = ""
    ending: str = "If you did not expect this e-mail, you can ignore it."


_NOTICES = {
    Notice.INVITATION: _Words(
        "You are invited",
        "You are invited to {name}",
        "Open this link to accept the invitation:",
        "Accept the invitation",
    ),
    Notice.WAITLIST: _Words(
        "You are on the waitlist",
        "You are on the waitlist of {name}",
        "We will write to you as soon as there is a place for you.",
    ),
    Notice.NO_ACCOUNT: _Words(
        "There is no account for this address",
        "There is no account for this address at {name}",
        "Somebody, perhaps you, tried to sign in with this e-mail address. There is no account "
        "for it: sign up, or try another address.",
    ),
    Notice.HAS_ACCOUNT: _Words(
        "You have an account already",
        "You have an account at {name} already",
        "Somebody, perhaps you, tried to sign up with an address that belongs to your account. "
        "Sign in with it instead.",
    ),
    Notice.COUNTRY_PAUSED: _Words(
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


def pack(code: str, name: str, locale: str | None) -> bytes:
    """What a letter will be made of: the code, the app's name, the reader's language."""
    return _encode(_Payload(code, clean_name(name), locale))


def pack_notice(
    notice: Notice,
    name: str,
    link: str = "",
    days: int = 0,
    about: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """What a letter without a code will be made of: its sort, the app's name, a link."""
    packed = _Payload("", clean_name(name), notice=notice, link=link, days=days, about=dict(about))
    return _encode(packed)


def pack_withheld(code: str, name: str, locale: str | None) -> bytes:
    """What looks like a letter with a code until it is opened, and is not for sending."""
    return _encode(_Payload(code, clean_name(name), locale, is_withheld=True))


def render(message: Message, payload: bytes) -> Letter:
    """The letter for a message, or `Unreadable`, or `Withheld`."""
    try:
        packed = _decode(payload)
    except msgspec.MsgspecError:
        raise Unreadable("not a packed message") from None
    subject, text, html = _words(packed, message.channel == "email")
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


@lru_cache(maxsize=64)
def sms_segments(name: str) -> int:
    """How many messages a code of the app of this name travels in, and is paid for as."""
    _, text, _ = _sms("0" * limits.CODE_DIGITS, clean_name(name))
    return segments(text)


def clean_name(name: str) -> str:
    """The app's name on one line, of a length that a subject bears."""
    spaced = "".join(" " if char in "\t\r\n\u2028\u2029" else char for char in name)
    kept = (c for c in spaced if c in _JOINERS or unicodedata.category(c) not in _UNWANTED)
    clean = " ".join("".join(kept).split())
    if len(clean) > NAME_CHARACTERS:
        return clean[: NAME_CHARACTERS - 1].rstrip() + "…"
    return clean


def _words(packed: _Payload, by_email: bool) -> tuple[str, str, str]:
    name = clean_name(packed.name)
    if packed.notice is None:
        return _email(packed.code, name) if by_email else _sms(packed.code, name)
    if not by_email:
        raise Unreadable("a notice is told by e-mail")
    return _notice(packed, name)


def _notice(packed: _Payload, name: str) -> tuple[str, str, str]:
    assert packed.notice is not None  # noqa: S101 - the caller has looked
    words = _NOTICES[packed.notice]
    subject = (words.of_app if name else words.alone).format(name=name, **packed.about)
    values = {
        "name": name,
        "subject": subject,
        "sentence": words.sentence.format(**packed.about),
        "button": words.button,
        "ending": words.ending,
        "link": packed.link,
        "days": packed.days,
    }
    text = _templates.get_template("notice.email.txt").render(values)
    html = _templates.get_template("notice.email.html").render(values)
    return subject, text, html


def _email(code: str, name: str) -> tuple[str, str, str]:
    subject = _sentence(code, name)
    values = {"code": code, "name": name, "subject": subject, "minutes": _minutes()}
    text = _templates.get_template("code.email.txt").render(values)
    html = _templates.get_template("code.email.html").render(values)
    return subject, text, html


def _sms(code: str, name: str) -> tuple[str, str, str]:
    fitting = _in_gsm7(name)
    text = _short_text(code, fitting)
    while segments(text) > 1 and fitting:  # each further one is paid for again
        fitting = fitting[:-1].rstrip()
        text = _short_text(code, fitting)
    return "", text, ""


def _short_text(code: str, name: str) -> str:
    return f"{_sentence(code, name)}. It is valid for {_minutes()} minutes. Do not share it."


def _sentence(code: str, name: str) -> str:
    return f"{code} is your {name} code" if name else f"{code} is your code"


def _minutes() -> int:
    return limits.CODE_LIVES_FOR // limits.MINUTE


def _in_gsm7(name: str) -> str:
    """The name in the alphabet of text messages, or nothing where it has no such form."""
    bare = "".join(_bare(char) for char in name)
    return bare if all(char in ALPHABET for char in bare) else ""


def _bare(char: str) -> str:
    """The character, without its accents where the alphabet lacks them."""
    if char in ALPHABET:
        return char
    if char == "…":
        return "..."
    return "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
