"""Requests and responses over plain ASGI: what is read, and how strictly."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.errors import Refused
from doorcode.web.http import (
    Request,
    Response,
    parse_form,
    read_body,
    read_request,
    send_response,
)

from .house import FORM


def _scope(method: str = "GET", query: bytes = b"", *headers: tuple[bytes, bytes]) -> Any:
    return {
        "type": "http",
        "method": method,
        "path": "/v1/client",
        "query_string": query,
        "headers": list(headers),
        "client": ("203.0.113.9", 1),
    }


def _request(body: bytes, kind: str | None = FORM) -> Request:
    headers = {"content-type": kind} if kind else {}
    return Request("POST", "/", {}, headers, "", body)


# ── the request ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("text", ["DELETE", "PATCH", "PUT", "delete", "Patch"])
def test_the_sdks_name_the_method_in_the_query(text: str) -> None:
    request = read_request(_scope("POST", f"a=1&_method={text}".encode()))
    assert request.method == text.upper()
    assert not request.is_safe


@pytest.mark.parametrize("text", ["GET", "HEAD", "OPTIONS", "CONNECT", "", "x", "DELETE%00"])
def test_a_request_that_changes_something_cannot_be_named_a_safe_one(text: str) -> None:
    assert read_request(_scope("POST", f"_method={text}".encode())).method == "POST"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_only_a_post_is_overridden(method: str) -> None:
    """A link must not be able to delete anything."""
    assert read_request(_scope(method, b"_method=DELETE")).method == method


def test_the_first_of_two_methods_counts() -> None:
    assert read_request(_scope("POST", b"_method=PATCH&_method=DELETE")).method == "PATCH"


def test_a_query_is_decoded_and_never_fails() -> None:
    request = read_request(_scope("GET", b"a=1+2%203&b=%ff&%00=x&c&=&a=9"))
    assert request.query["a"] == "1 2 3"
    assert request.query["b"] == "\ufffd"
    assert request.query["c"] == ""


def test_cookies_are_read_and_the_first_of_a_name_counts() -> None:
    header = (b"cookie", b'a=1; b="2"; a=3; junk; =x;;  c = d ')
    request = read_request(_scope("GET", b"", header))
    assert request.cookies["a"] == "1"
    assert request.cookies["b"] == "2"
    assert "junk" not in request.cookies


def test_a_cookie_without_a_name_is_none_of_ours() -> None:
    header = (b"cookie", b"__client; __client=x; =y; __client")
    request = read_request(_scope("GET", b"", header))
    assert request.cookie_values("__client") == ["x"]


def test_a_repeated_header_is_joined() -> None:
    request = read_request(
        _scope("GET", b"", (b"x", b"1"), (b"x", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2"))
    )
    assert request.headers["x"] == "1, 2"
    assert request.cookies == {"a": "1", "b": "2"}


def test_a_request_without_a_peer_has_an_empty_one() -> None:
    assert read_request({**_scope(), "client": None}).peer == ""


# ── the body ──────────────────────────────────────────────────────────────────────────
async def _read(*events: dict[str, Any]) -> bytes:
    queue = list(events)

    async def receive() -> dict[str, Any]:
        return queue.pop(0)

    request = read_request(_scope("POST"))
    await read_body(request, receive)
    return request.body


async def test_a_body_is_read_in_parts() -> None:
    first = {"type": "http.request", "body": b"a=", "more_body": True}
    assert await _read(first, {"type": "http.request", "body": b"1"}) == b"a=1"


async def test_a_body_over_64_kib_is_refused_before_its_end() -> None:
    part = {"type": "http.request", "body": b"x" * 40_000, "more_body": True}
    with pytest.raises(Refused) as refused:
        await _read(part, part, part)
    assert refused.value.refusal.code == "request_body_too_large"
    assert refused.value.refusal.status == 413


async def test_a_body_of_64_kib_is_read() -> None:
    assert len(await _read({"type": "http.request", "body": b"x" * 65_536})) == 65_536


async def test_a_browser_that_goes_away_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        await _read({"type": "http.disconnect"})
    assert refused.value.refusal.code == "request_body_invalid"


# ── forms ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1+2%2B3", {"a": "1 2+3"}),
        (b"a=%C3%BC%E2%82%AC", {"a": "ü€"}),
        (b"a=1=2", {"a": "1=2"}),
        (b"a&b=", {}),
        (b"&&a=1&&", {"a": "1"}),
        (b"a=%zz", {"a": "%zz"}),
        (b"a%3D=1", {"a=": "1"}),
    ],
)
def test_a_form_is_read_and_what_is_blank_counts_as_not_given(
    body: bytes, fields: dict[str, str]
) -> None:
    assert parse_form(body) == fields


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"a=1&a=1", "form_param_duplicate", "a"),
        (b"a=&a=", "form_param_duplicate", "a"),
        (b"a=%00", "form_param_format_invalid", "a"),
        (b"a=%ff", "form_param_format_invalid", "a"),
        (b"a=%c0%af", "form_param_format_invalid", "a"),
        (b"%00=a", "form_param_format_invalid", "body"),
        (b"a=" + b"x" * 2049, "form_param_max_length_exceeded", "a"),
    ],
)
def test_a_malformed_form_is_refused_by_the_name_of_the_field(
    body: bytes, code: str, param: str
) -> None:
    with pytest.raises(Refused) as refused:
        parse_form(body)
    assert (refused.value.refusal.code, refused.value.refusal.param) == (code, param)


def test_no_body_needs_no_content_type() -> None:
    assert _request(b"", None).form() == {}


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/json", "multipart/form-data"]
)
def test_another_content_type_is_refused(kind: str | None) -> None:
    with pytest.raises(Refused) as refused:
        _request(b"a=1", kind).form()
    assert refused.value.refusal.code == "unsupported_content_type"


# ── the response ──────────────────────────────────────────────────────────────────────
async def _sent(response: Response) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []

    async def send(event: Any) -> None:
        events.append(event)

    await send_response(response, send)
    return events


async def test_a_response_is_written_with_its_cookies_one_a_header() -> None:
    start, body = await _sent(Response(200, b"{}", headers={"a": "b"}, cookies=["c=1", "d=2"]))
    assert start["status"] == 200
    assert (b"set-cookie", b"c=1") in start["headers"]
    assert (b"set-cookie", b"d=2") in start["headers"]
    assert (b"content-type", b"application/json") in start["headers"]
    assert (b"content-length", b"2") in start["headers"]
    assert body["body"] == b"{}"


async def test_no_content_has_no_type() -> None:
    start, _ = await _sent(Response(204))
    assert start["headers"] == []
