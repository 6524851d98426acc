"""What every URL of the Backend API has in common: the secret key, JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import BODY_BYTES, FIELD_CHARACTERS, METADATA_BYTES
from doorcode.domain.ticket import Listing
from doorcode.security import api_keys
from doorcode.security.random_ids import digest
from doorcode.web.door import Door

Handler = Callable[[Request], Awaitable[Response]]
DEPTH = 32
MOST_LISTED = 500
LISTED = 10
MOST_SKIPPED = 10_000_000
_encode = msgspec.json.Encoder().encode


# ── the secret key ────────────────────────────────────────────────────────────────────
def guarded(door: Door, handler: Handler) -> Handler:
    """The handler, for callers with a secret key."""

    async def answer(request: Request) -> Response:
        await _expect_secret_key(door, request)
        return await handler(request)

    return answer


async def _expect_secret_key(door: Door, request: Request) -> None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if "origin" in request.headers and secret:
        # A page that holds the secret key has published it.
        raise Refused(errors.ORIGIN_AND_AUTHORIZATION)
    deps = door.deps
    if scheme.lower() == "bearer" and secret:
        async with deps.storage.reading() as tx:
            valid = await tx.secret_key_digests()
        if api_keys.is_one_of(digest(deps.instance.id, "secret-key", secret.strip()), valid):
            return
    raise Refused(errors.SECRET_KEY_INVALID)


# ── answers ───────────────────────────────────────────────────────────────────────────
def answer(document: Any) -> Response:
    """A document that is kept by nobody on the way."""
    return raw_answer(_encode(document))


def raw_answer(body: bytes) -> Response:
    """JSON that is encoded already."""
    # No charset: with one, @clerk/backend takes the document for text.
    response = Response(body)
    response.headers["content-type"] = "application/json"
    response.headers["cache-control"] = "no-store"
    return response


# ── the body ──────────────────────────────────────────────────────────────────────────
class Fields:
    """The fields of a JSON object, each refused by its name. `null` counts as not given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}
        self._names = list(values)

    def only(self, *names: str) -> Fields:
        """Refuse a field of any other name: it would be dropped and nobody told."""
        for name in self._names:
            if name not in names:
                raise Refused(errors.PARAM_UNKNOWN.about(name[:FIELD_CHARACTERS]))
        return self

    def text(self, name: str) -> str | None:
        """A text, if it was given."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise Refused(errors.PARAM_TYPE.about(name))
        if value is not None and len(value) > FIELD_CHARACTERS:
            raise Refused(errors.PARAM_TOO_LONG.about(name))
        return value

    def needed_text(self, name: str) -> str:
        """A text that must be there and say something."""
        value = self.text(name)
        if not value:
            raise Refused(errors.PARAM_MISSING.about(name))
        return value

    def switch(self, name: str, default: bool) -> bool:
        """`true` or `false`."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise Refused(errors.PARAM_TYPE.about(name))
        return value

    def whole(self, name: str, default: int, most: int, least: int = 1) -> int:
        """A whole number from `least` to `most`."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused(errors.PARAM_TYPE.about(name))
        if not least <= value <= most:
            raise Refused(errors.PARAM_VALUE.about(name))
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An object of the app's own making; empty where none was given."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise Refused(errors.PARAM_TYPE.about(name))
        if len(_encode(value)) > METADATA_BYTES:
            raise Refused(errors.PARAM_TOO_LONG.about(name))
        return value


async def read_fields(request: Request) -> Fields:
    """The object in a request's body; none at all is an empty one."""
    return as_fields(await _read(request, {}))


async def read_list(request: Request, most: int) -> list[Fields]:
    """The objects of the array in a request's body, from 1 to `most` of them."""
    values = await _read(request, [])
    if not isinstance(values, list) or not values:
        raise Refused(errors.BODY_INVALID)
    if len(values) > most:
        raise Refused(errors.BULK_SIZE)
    return [as_fields(value) for value in values]


def as_fields(value: Any) -> Fields:
    """The fields of a JSON value that must be an object."""
    if not isinstance(value, dict):
        raise Refused(errors.BODY_INVALID)
    return Fields(value)


async def _read(request: Request, default: Any) -> Any:
    body = await _read_bytes(request)
    if not body:
        return default
    # A page elsewhere can send a form or text without being asked for leave, JSON it cannot.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(errors.JSON_CONTENT_TYPE)
    try:
        value = json.loads(body.decode(), object_pairs_hook=_pairs, parse_constant=_no_number)
    except (ValueError, RecursionError):  # a number of 5000 digits is a ValueError
        raise Refused(errors.BODY_INVALID) from None
    _expect_storable(value, DEPTH)
    return value


async def _read_bytes(request: Request) -> bytes:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                raise Refused(errors.BODY_TOO_LARGE)
    except ClientDisconnect:
        raise Refused(errors.BODY_INVALID) from None
    return body


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different.

    Two parsers in a row that choose differently among equal names are how a check is
    walked around.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(errors.PARAM_DUPLICATE.about(twice[:FIELD_CHARACTERS]))
    return fields


def _no_number(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON (RFC 8259, section 6)


def _expect_storable(value: Any, levels: int) -> None:
    """Refuse what could not be written again: it would spoil every later answer."""
    if isinstance(value, dict | list):
        if levels == 0:
            raise Refused(errors.BODY_INVALID)
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        for one in inner:
            _expect_storable(one, levels - 1)
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise Refused(errors.BODY_INVALID)
    elif isinstance(value, int | float) and abs(value) >= 2**63:
        raise Refused(errors.BODY_INVALID)  # 1e999 would come back as null


# ── lists ─────────────────────────────────────────────────────────────────────────────
def read_listing(request: Request, statuses: type[Any], orders: tuple[str, ...]) -> Listing:
    """What a request for a list asks for: `status`, `query`, `order_by`, `limit`, `offset`."""
    query = request.query_params
    status = query.get("status", "")
    if status and status not in [str(one) for one in statuses]:
        raise Refused(errors.PARAM_VALUE.about("status"))
    order = query.get("order_by", "") or "-created_at"
    # A `+` that was not escaped arrives as a space.
    descending, name = order[0] == "-", order.lstrip(" ").removeprefix("+").removeprefix("-")
    if name not in orders:
        raise Refused(errors.PARAM_VALUE.about("order_by"))
    text = query.get("query", "")
    if len(text) > FIELD_CHARACTERS or "\x00" in text:
        raise Refused(errors.PARAM_FORMAT.about("query"))
    return Listing(
        status=status,
        text=text,
        order=name,
        descending=descending,
        most=_number(request, "limit", LISTED, 1, MOST_LISTED),
        skip=_number(request, "offset", 0, 0, MOST_SKIPPED),
    )


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(errors.PARAM_TYPE.about(name))
    number = int(text)
    if not least <= number <= most:
        raise Refused(errors.PARAM_VALUE.about(name))
    return number
