"""The types that a setting's value can have: what fits, and how a person writes it.

A value is *plain* in TOML and JSON (booleans, numbers, texts, lists, maps) and *typed* in
`Instance`. `read` turns plain into typed and refuses what does not fit; `plain` turns it
back. `read_text` reads what somebody typed in a terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import phonenumbers

from doorcode.domain.addresses import Channel, Malformed, parse_email_address, parse_phone_number
from doorcode.domain.origins import origin_of

_ON, _OFF = ("true", "on", "yes"), ("false", "off", "no")
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
MOST_CHARACTERS = 2_000
MOST_ENTRIES = 10_000


class Misfit(ValueError):
    """The value is not of the type; the text says more where there is more to say."""


class Type(Protocol):
    """What a setting's value may be. `expected` completes the sentence "expected …"."""

    @property
    def expected(self) -> str:
        """What fits, in words."""

    def read(self, value: object) -> Any:
        """The typed value of a plain one, or `Misfit`."""

    def read_text(self, text: str) -> Any:
        """The typed value of what somebody typed, or `Misfit`."""

    def plain(self, value: Any) -> Any:
        """The plain value of a typed one, as JSON can hold it."""


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    expected: ClassVar[str] = "true or false (in a terminal also on or off)"

    def read(self, value: object) -> bool:
        """See `Type`."""
        if not isinstance(value, bool):
            raise Misfit
        return value

    def read_text(self, text: str) -> bool:
        """See `Type`."""
        if text.lower() not in (*_ON, *_OFF):
            raise Misfit
        return text.lower() in _ON

    def plain(self, value: bool) -> bool:
        """See `Type`."""
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number. In `Instance` it is multiplied by `unit` (minutes into milliseconds)."""

    least: int
    most: int
    unit: int = 1
    called: str = "number"

    @property
    def expected(self) -> str:
        """See `Type`."""
        return f"a whole {self.called} from {self.least} to {self.most}"

    def read(self, value: object) -> int:
        """See `Type`."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misfit
        if not self.least <= value <= self.most:
            raise Misfit
        return value * self.unit

    def read_text(self, text: str) -> int:
        """See `Type`."""
        if not _NUMBER.fullmatch(text):
            raise Misfit
        return self.read(int(text))

    def plain(self, value: int) -> int:
        """See `Type`."""
        return value // self.unit


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: type[StrEnum]

    @property
    def expected(self) -> str:
        """See `Type`."""
        return "one of " + ", ".join(self.words)

    def read(self, value: object) -> StrEnum:
        """See `Type`."""
        if not isinstance(value, str) or value not in list(self.words):
            raise Misfit
        return self.words(value)

    def read_text(self, text: str) -> StrEnum:
        """See `Type`."""
        return self.read(text.lower())

    def plain(self, value: StrEnum) -> str:
        """See `Type`."""
        return value.value


PHONE_CHANNELS = (Channel.SMS, Channel.WHATSAPP)


@dataclass(frozen=True, slots=True)
class PhoneChannels:
    """By what phone codes may travel: at least one channel, the usual one first."""

    expected: ClassVar[str] = 'a list of sms and whatsapp, such as ["sms", "whatsapp"]'

    def read(self, value: object) -> tuple[Channel, ...]:
        """See `Type`."""
        if not isinstance(value, list) or not value:
            raise Misfit
        if any(one not in PHONE_CHANNELS for one in value) or len(set(value)) < len(value):
            raise Misfit
        return tuple(Channel(one) for one in value)

    def read_text(self, text: str) -> tuple[Channel, ...]:
        """See `Type`."""
        return self.read(_list(text))

    def plain(self, value: Iterable[Channel]) -> list[str]:
        """See `Type`."""
        return [one.value for one in value]


@dataclass(frozen=True, slots=True)
class CountryChannels:
    """The channel that people of a country prefer."""

    expected: ClassVar[str] = (
        "a map of countries (two letters, ISO 3166-1) to sms or whatsapp, "
        'such as {"BR": "whatsapp"}'
    )

    def read(self, value: object) -> dict[str, Channel]:
        """See `Type`."""
        if not isinstance(value, dict):
            raise Misfit
        read: dict[str, Channel] = {}
        for country, channel in value.items():
            code = str(country).upper()
            if code not in phonenumbers.SUPPORTED_REGIONS or code in read:
                raise Misfit(f"{short(country)} is no country here, or is named twice")
            if channel not in PHONE_CHANNELS:
                raise Misfit(f"{short(channel)} is no channel of phone codes")
            read[code] = Channel(channel)
        return read

    def read_text(self, text: str) -> dict[str, Channel]:
        """See `Type`."""
        return self.read(_json(text))

    def plain(self, value: dict[str, Channel]) -> dict[str, str]:
        """See `Type`."""
        return {country: channel.value for country, channel in sorted(value.items())}


@dataclass(frozen=True, slots=True)
class Countries:
    """A list of countries; None stands for all."""

    expected: ClassVar[str] = (
        'a list of countries (two letters, ISO 3166-1), such as ["US", "CA"], or ["*"] for all'
    )

    def read(self, value: object) -> frozenset[str] | None:
        """See `Type`."""
        if not isinstance(value, list):
            raise Misfit
        if value == ["*"]:
            return None
        return frozenset(_country(one) for one in value)

    def read_text(self, text: str) -> frozenset[str] | None:
        """See `Type`."""
        return self.read(_list(text))

    def plain(self, value: frozenset[str] | None) -> list[str]:
        """See `Type`."""
        return ["*"] if value is None else sorted(value)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a segment costs by country: dollars as they are written, millionths of one inside."""

    expected: ClassVar[str] = (
        'a map of countries (two letters, ISO 3166-1) to US dollars, such as {"GB": 0.04}'
    )

    def read(self, value: object) -> dict[str, int]:
        """See `Type`."""
        if not isinstance(value, dict):
            raise Misfit
        prices = {}
        for country, dollars in value.items():
            is_number = isinstance(dollars, int | float) and not isinstance(dollars, bool)
            if not is_number or not 0 <= dollars <= 100:
                raise Misfit(f"{short(dollars)} is no price of one segment")
            prices[_country(country)] = round(dollars * 1_000_000)
        return prices

    def read_text(self, text: str) -> dict[str, int]:
        """See `Type`."""
        return self.read(_json(text))

    def plain(self, value: dict[str, int]) -> dict[str, float]:
        """See `Type`."""
        return {country: price / 1_000_000 for country, price in sorted(value.items())}


def _country(text: object) -> str:
    code = text.strip().upper() if isinstance(text, str) else ""
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise Misfit(f"{short(text)} is no country here")
    return code


@dataclass(frozen=True, slots=True)
class Addresses:
    """A list of addresses and domains, each brought to the form that it is compared in.

    An entry that no address can ever match is refused: somebody counts on it.
    """

    expected: ClassVar[str] = (
        "a list of e-mail addresses, phone numbers (+14155552671), domains (example.com) and "
        "wildcards (*@example.com, *@*.example.com)"
    )

    def read(self, value: object) -> tuple[str, ...]:
        """See `Type`."""
        if not isinstance(value, list) or len(value) > MOST_ENTRIES:
            raise Misfit
        return tuple(dict.fromkeys(self._entry(one) for one in value))

    def read_text(self, text: str) -> tuple[str, ...]:
        """See `Type`."""
        return self.read(_list(text))

    def plain(self, value: Iterable[str]) -> list[str]:
        """See `Type`."""
        return list(value)

    def _entry(self, entry: object) -> str:
        try:
            return _entry(entry.strip() if isinstance(entry, str) else "")
        except Malformed:
            raise Misfit(f"{short(entry)} is none of these") from None


def _entry(entry: str) -> str:
    if entry.startswith("+") and "@" not in entry:
        # Test numbers are let in: whether they count is a setting of its own.
        return parse_phone_number(entry, test_mode=True).value
    local, at, domain = entry.rpartition("@")
    under = domain.startswith("*.")
    domain = domain.removeprefix("*.")
    if not _LABEL.fullmatch(domain.lower()) or not under:  # "*.ru" is a whole top-level domain
        domain = parse_email_address(f"x@{domain}", test_mode=True).value.partition("@")[2]
    if local not in ("", "*"):
        if "*" in local:
            raise Malformed("a wildcard stands for the whole part before the @")
        local = parse_email_address(f"{local}@example.com", test_mode=True).value
        local = local.rpartition("@")[0]
    return f"{local}{at}{'*.' if under else ''}{domain.lower()}"


@dataclass(frozen=True, slots=True)
class Link:
    """Where a browser may be sent. Never javascript: or data:, which would run in the page."""

    expected: ClassVar[str] = (
        "an address that begins with https:// or http://, or a path such as /welcome; "
        "empty for none"
    )

    def read(self, value: object) -> str:
        """See `Type`."""
        if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
            raise Misfit
        if value and not _is_path(value) and origin_of(value) is None:
            raise Misfit
        return value

    def read_text(self, text: str) -> str:
        """See `Type`."""
        return self.read(text)

    def plain(self, value: str) -> str:
        """See `Type`."""
        return value


def _is_path(text: str) -> bool:
    # "//host" and "/\host" name another host, and browsers drop tabs and line feeds.
    plain = text.isprintable() and not any(c in text for c in "\\ ")
    return plain and text.startswith("/") and not text.startswith("//")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An e-mail address."""

    expected: ClassVar[str] = "an e-mail address such as help@example.com; empty for none"

    def read(self, value: object) -> str:
        """See `Type`."""
        if not isinstance(value, str):
            raise Misfit
        try:
            return parse_email_address(value, test_mode=True).spelling if value else ""
        except Malformed:
            raise Misfit from None

    def read_text(self, text: str) -> str:
        """See `Type`."""
        return self.read(text)

    def plain(self, value: str) -> str:
        """See `Type`."""
        return value


def show(plain: object) -> str:
    """A plain value as `doorcode settings set` takes it back."""
    if isinstance(plain, bool):
        return "on" if plain else "off"
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, ensure_ascii=False)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Misfit from None


def _list(text: str) -> object:
    if text.startswith("["):
        return _json(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def short(value: object) -> str:
    """A value as a complaint repeats it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
