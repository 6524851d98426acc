"""What stands in a provider's answer or callback: names, money, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from doorcode.delivery.interface import Foreign
from doorcode.domain.limits import SECOND

MOST_CHARACTERS = 200
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MOST_MONEY = 1000  # a letter that costs more is a mistake, or 1e999999


def document(body: bytes) -> Any:
    """The JSON of a body, or None where it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def text(document: Any, *path: str) -> str:
    """The text, or the whole number, at a path of a JSON document; empty where there is none.

    A provider that is broken, or is not the provider at all, may answer anything.
    """
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, bool) or not isinstance(document, str | int):
        return ""
    found = str(document)
    return found if found.isprintable() and len(found) <= MOST_CHARACTERS else ""


def micros(amount: str, currency: str) -> int | None:
    """A price in millionths of a US dollar; None where it is none, or is in other money."""
    if currency.upper() != "USD":
        return None
    try:
        price = abs(Decimal(amount))
    except InvalidOperation:
        return None
    # Not a number compares with nothing, and would be no price either.
    return int(price * 1_000_000) if price.is_finite() and price < _MOST_MONEY else None


def moment(written: str) -> int | None:
    """A time by ISO 8601, in milliseconds; None where it is none."""
    try:
        at = datetime.fromisoformat(written)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * SECOND)
    except (ValueError, OverflowError):
        return None


def unix_moment(written: str) -> int | None:
    """A time in seconds since 1970, in milliseconds; None where it is none."""
    return int(written) * SECOND if _SECONDS.fullmatch(written) else None


def expect_recent(written: str, at: int, lives: int) -> None:
    """Raise `Foreign` unless a callback says, in seconds since 1970, that it is of now.

    Only the signature over that time makes it true; without it an old callback could be
    sent again for ever.
    """
    signed_at = unix_moment(written)
    if signed_at is None:
        raise Foreign("it is not signed: it says no time")
    if abs(at - signed_at) > lives:
        raise Foreign("signed too long ago, or this machine's clock is wrong")
