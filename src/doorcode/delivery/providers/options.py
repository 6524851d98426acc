"""Reads what an operator set for a route, and says what is wrong with it, with the mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

Options = TypeVar("Options", bound=msgspec.Struct)


class BadOptions(ValueError):
    """A route's settings make no provider. The text is a sentence with the mend, no secret."""


def read(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """The options of a provider, or `BadOptions`. `kind` forbids fields that it has not."""
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        # msgspec names the field and the type, never the value.
        raise BadOptions(f"{error}; it takes {_fields(kind)}") from None


def _fields(kind: type[msgspec.Struct]) -> str:
    names = [
        one.encode_name if one.required else f"{one.encode_name} (optional)"
        for one in msgspec.structs.fields(kind)
    ]
    return ", ".join(names)
