"""Reads what an operator set for a route, and says what is wrong with it, with the mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec


class BadOptions(ValueError):
    """A route's settings make no provider. The text is a sentence with the mend, no secret."""


class BadShape(BadOptions):
    """A name that a provider does not know or misses, or a sort of value it cannot take."""


class RouteOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider is made from. Most of it is credentials, so none of it is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}(…)"


Options = TypeVar("Options", bound=msgspec.Struct)


def read(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """The options of a provider, or `BadOptions`. `kind` forbids fields that it has not."""
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        # msgspec names the field and the type, never the value.
        raise BadShape(f"{error}; it takes {_fields(kind)}") from None


def expect_url(url: str) -> str:
    """An address to which letters go, without the slash at its end, or `BadOptions`."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise BadOptions("url must begin with https:// (or http:// on a network you trust)")
    return url.rstrip("/")


def _fields(kind: type[msgspec.Struct]) -> str:
    names = [
        one.encode_name if one.required else f"{one.encode_name} (optional)"
        for one in msgspec.structs.fields(kind)
    ]
    return ", ".join(names)
