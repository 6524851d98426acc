"""By which routes messages go, as an operator sets it: lists of providers, one a channel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import phonenumbers

from doorcode.domain.setting_types import Misfit, short

CHANNELS = ("sms", "whatsapp", "voice", "email")
LADDER = ("sms", "whatsapp", "voice")  # what reaches the same number
MOST_ROUTES = 10
MOST_CHARACTERS = 20_000
FROM_ENVIRONMENT = "env:"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}", re.ASCII)
# What may be shown of a route; everything else may be a credential, or hold one.
_SHOWN = frozenset({"provider", "name", "countries", "method", "from", "sender", "region"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """The routes of each channel in their order, as they were written, and what stands in.

    A route is a map with `provider`, perhaps `name` and `countries`, and the provider's own
    options. `is_stopped` holds everything back.
    """

    sms: tuple[Mapping[str, Any], ...] = ()
    whatsapp: tuple[Mapping[str, Any], ...] = ()
    voice: tuple[Mapping[str, Any], ...] = ()
    email: tuple[Mapping[str, Any], ...] = ()
    ladder: tuple[str, ...] = ()
    is_stopped: bool = False

    def of(self, channel: str) -> tuple[Mapping[str, Any], ...]:
        """The routes of a channel."""
        routes: tuple[Mapping[str, Any], ...] = getattr(self, channel)
        return routes

    def carriers(self, usual: Mapping[str, str]) -> dict[str, str]:
        """Who carries a channel first, by name; `usual` are those where no route is set."""
        own = {one: str(self.of(one)[0]["provider"]) for one in CHANNELS if self.of(one)}
        named = {**usual, **own}
        for number, channel in enumerate(self.ladder):
            stand_ins = [named[one] for one in self.ladder[number:] if one in named]
            if stand_ins:
                named[channel] = stand_ins[0]
        return named


@dataclass(frozen=True, slots=True)
class Routes:
    """An ordered list of routes (see `setting_types.Type`)."""

    expected: ClassVar[str] = (
        'a list of routes, the first to be tried first, such as [{"provider": "twilio", …}]'
    )

    def read(self, value: object) -> tuple[Mapping[str, Any], ...]:
        """See `Type`."""
        if not isinstance(value, list) or len(value) > MOST_ROUTES:
            raise Misfit
        routes = [_route(one) for one in value]
        names = [route["name"] for route in routes if "name" in route]
        if len(set(names)) < len(names):
            raise Misfit("two routes have one name")
        return tuple(routes)

    def read_text(self, text: str) -> tuple[Mapping[str, Any], ...]:
        """See `Type`."""
        try:
            return self.read(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise error if isinstance(error, Misfit) else Misfit from None

    def plain(self, value: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See `Type`."""
        return [dict(route) for route in value]

    def masked(self, plain: object) -> object:
        """The routes as they may be shown: whatever could be a credential is not."""
        return [_masked(route) for route in plain] if isinstance(plain, list) else plain


@dataclass(frozen=True, slots=True)
class Ladder:
    """The channels that stand in for one another, in this order."""

    expected: ClassVar[str] = 'a list of sms, whatsapp and voice, such as ["sms", "whatsapp"]'

    def read(self, value: object) -> tuple[str, ...]:
        """See `Type`."""
        if not isinstance(value, list) or len(set(map(str, value))) < len(value):
            raise Misfit
        if any(one not in LADDER for one in value):
            raise Misfit
        return tuple(value)

    def read_text(self, text: str) -> tuple[str, ...]:
        """See `Type`."""
        if not text.startswith("["):
            return self.read([part.strip() for part in text.split(",") if part.strip()])
        try:
            return self.read(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise error if isinstance(error, Misfit) else Misfit from None

    def plain(self, value: Iterable[str]) -> list[str]:
        """See `Type`."""
        return list(value)


def _route(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("provider"), str):
        raise Misfit('each route is a map that names its provider, {"provider": "twilio", …}')
    if len(json.dumps(value)) > MOST_CHARACTERS:
        raise Misfit(f"a route is at most {MOST_CHARACTERS} characters long")
    name = value.get("name", "x")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Misfit(f"{short(name)} is no name of a route: a-z, 0-9, _ . - and 40 at most")
    countries = value.get("countries", [])
    if not isinstance(countries, list) or any(
        not isinstance(one, str) or one not in phonenumbers.SUPPORTED_REGIONS for one in countries
    ):
        raise Misfit("countries is a list of countries (two letters, ISO 3166-1)")
    return value


def _masked(route: object) -> object:
    if not isinstance(route, dict):
        return "…"
    return {key: value if key in _SHOWN else _hidden(value) for key, value in route.items()}


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return value if value.startswith(FROM_ENVIRONMENT) else "…"
    if isinstance(value, dict):
        return {key: _hidden(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    return value
