"""A request and a response, as the doors see them, over plain ASGI.

The Frontend API is served by this alone: its requests are small forms and its answers
small documents, and a framework's share of such a request was measured at a third of
it. Pages, files and the Backend API run on Starlette.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import BODY_BYTES, FIELD_CHARACTERS

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FORM = "application/x-www-form-urlencoded"
_JOINS = {"cookie": "; ", "host": " "}  # two hosts make one that is nobody's
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OVERRIDES = frozenset({"PATCH", "PUT", "DELETE"})


@dataclass(slots=True)
class Request:
    """One request. `method` takes the SDKs' `_method` override into account."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    peer: str
    body: bytes = b""
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE_METHODS

    def cookie_values(self, name: str) -> list[str]:
        """Every value of a cookie that was sent more than once, as browsers order them."""
        return [value for key, value in _pairs_of(self.headers.get("cookie", "")) if key == name]

    def emptied(self) -> frozenset[str]:
        """The fields of the form that were sent blank: that is how SDKs send null."""
        pairs = (pair.partition(b"=") for pair in self.body.split(b"&") if pair)
        return frozenset(_decode(name, "body") for name, _, value in pairs if not value)

    def form(self) -> dict[str, str]:
        """The fields of a form body, or `Refused`; what is blank counts as not given."""
        if not self.body:
            return {}
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != FORM:
            raise Refused(errors.CONTENT_TYPE)
        return parse_form(self.body)


@dataclass(slots=True)
class Response:
    """One response. `cookies` are complete Set-Cookie values."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)


def read_request(scope: Scope) -> Request:
    """The request of an ASGI scope, its body not read yet."""
    headers = _headers(scope["headers"])
    query = _parse_query(scope["query_string"])
    method = scope["method"]
    if method == "POST" and query.get("_method", "").upper() in OVERRIDES:
        method = query["_method"].upper()
    peer = scope["client"][0] if scope.get("client") else ""
    return Request(
        method=method,
        path=scope["path"],
        query=query,
        headers=headers,
        peer=peer,
        cookies=_parse_cookies(headers.get("cookie", "")),
    )


async def read_body(request: Request, receive: Receive, most: int = BODY_BYTES) -> None:
    """Read the body, or refuse it once it is over `most` bytes, usually 64 KiB."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Refused(errors.BODY_INVALID)
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > most:
            raise Refused(errors.BODY_TOO_LARGE)
        parts.append(chunk)
        if not event.get("more_body"):
            break
    request.body = b"".join(parts)


async def send_response(response: Response, send: Send) -> None:
    """Write a response."""
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
    headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in response.cookies]
    if response.status not in (204, 304):
        headers.append((b"content-type", response.content_type.encode()))
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def parse_form(body: bytes) -> dict[str, str]:
    """`application/x-www-form-urlencoded` (WHATWG URL, section 5), strictly.

    A field that is sent twice is refused rather than guessed at: two parsers in a row
    that choose differently are how a check is walked around.
    """
    fields: dict[str, str] = {}
    for pair in body.split(b"&"):
        if not pair:
            continue
        raw_name, _, raw_value = pair.partition(b"=")
        name = _decode(raw_name, "body")
        value = _decode(raw_value, name)
        if name in fields:
            raise Refused(errors.PARAM_DUPLICATE.about(name))
        if len(value) > FIELD_CHARACTERS and name != "unsafe_metadata":
            raise Refused(errors.PARAM_TOO_LONG.about(name))
        fields[name] = value
    return {name: value for name, value in fields.items() if value}


def _decode(raw: bytes, param: str) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(errors.PARAM_FORMAT.about(param)) from None
    if "\x00" in text:
        raise Refused(errors.PARAM_FORMAT.about(param))
    return text


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by name; what is sent more than once is joined (RFC 9110, 5.3)."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return {
        name: _JOINS.get(name, ", ").join(parts) if len(parts) > 1 else parts[0]
        for name, parts in values.items()
    }


def _parse_query(raw: bytes) -> dict[str, str]:
    query: dict[str, str] = {}
    for pair in raw.split(b"&"):
        name, _, value = pair.partition(b"=")
        key = unquote_to_bytes(name.replace(b"+", b" ")).decode("utf-8", "replace")
        text = unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8", "replace")
        query.setdefault(key, text)
    return query


def _parse_cookies(header: str) -> dict[str, str]:
    cookies: dict[str, str] = {}
    for name, value in _pairs_of(header):
        cookies.setdefault(name, value)
    return cookies


def _pairs_of(cookies: str) -> Iterator[tuple[str, str]]:
    """Names and values; without an equals sign it is all value (RFC 6265bis), and not ours."""
    for pair in cookies.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            yield name, value.strip('"')
