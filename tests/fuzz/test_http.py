"""Forms, queries, cookies and bodies: read in one way, or refused by name."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.limits import FIELD_CHARACTERS
from doorcode.web.http import (
    FORM,
    OVERRIDES,
    SAFE_METHODS,
    Request,
    parse_form,
    read_body,
    read_request,
)

from .spoiling import BYTES, TEXTS, spoilt, tried

NAMES = st.sampled_from(["code", "strategy", "phone_number", "ä", "a.b", "_method"])
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
FIELDS = st.dictionaries(NAMES | VALUES, VALUES, max_size=6)


@st.composite
def written(draw: Any, text: str) -> bytes:
    """A text in one of the ways in which a form may hold it."""
    return b"".join(
        draw(st.sampled_from([f"%{byte:02x}", f"%{byte:02X}"])).encode()
        if byte in b"&=+%;\x00 " or draw(st.booleans())
        else bytes([byte])
        for byte in text.encode()
    )


@st.composite
def forms(draw: Any) -> tuple[dict[str, str], bytes]:
    """Fields, and a body that holds them, with nothing at all between some of them."""
    fields = draw(FIELDS)
    pairs = [draw(written(name)) + b"=" + draw(written(value)) for name, value in fields.items()]
    return fields, draw(st.sampled_from([b"&", b"&&"])).join(pairs)


BODIES = spoilt(forms().map(lambda form: form[1]))


@given(forms())
def test_however_a_form_is_written_it_says_the_same(form: tuple[dict[str, str], bytes]) -> None:
    fields, body = form
    assert parse_form(body) == fields


@given(BODIES | st.binary(max_size=300))
def test_a_spoilt_form_is_read_or_refused_by_the_name_of_a_field(body: bytes) -> None:
    found = tried(parse_form, body)
    if isinstance(found, Refusal):
        assert found.status == 422
        assert found.param is not None
        return
    assert all(found.values())
    assert all("\x00" not in name + value for name, value in found.items())
    assert all(
        len(one) <= FIELD_CHARACTERS for name, one in found.items() if name != "unsafe_metadata"
    )
    assert parse_form(urlencode(found).encode()) == found


@given(BODIES)
def test_what_was_sent_blank_is_not_also_a_field(body: bytes) -> None:
    if isinstance(tried(parse_form, body), Refusal):
        return
    request = Request("POST", "/", {}, {"content-type": FORM}, "", body)
    assert not request.emptied() & request.form().keys()


def test_what_stands_between_two_ampersands_is_no_field() -> None:
    request = Request("POST", "/", {}, {"content-type": FORM}, "", b"=x&&code=")
    assert request.form() == {"": "x"}
    assert request.emptied() == {"code"}


@given(st.dictionaries(NAMES, VALUES, min_size=1), st.data())
def test_no_field_can_be_sent_twice_however_it_is_written(
    fields: dict[str, str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(fields)))
    twice = data.draw(written(name)) + b"=" + data.draw(written(data.draw(st.just("") | VALUES)))
    body = urlencode(fields, quote_via=quote).encode()
    for whole in (body + b"&" + twice, twice + b"&" + body):
        found = tried(parse_form, whole)
        assert isinstance(found, Refusal)
        assert (found.code, found.param) == ("form_param_duplicate", name)


# ── the head of a request ─────────────────────────────────────────────────────────────
HEADERS = st.lists(
    st.tuples(st.sampled_from([b"cookie", b"host", b"origin", b"x-forwarded-for", b"x"]), BYTES),
    max_size=6,
)
METHODS = st.sampled_from(
    ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW", "post"]
)
QUERIES = spoilt(st.sampled_from([b"_method=PATCH&_is_native=1", b"_method=%44ELETE", b"a=1&a=2"]))


def head(method: str = "GET", query: bytes = b"", headers: Any = ()) -> Request:
    scope: MutableMapping[str, Any] = {
        "method": method,
        "path": "/",
        "query_string": query,
        "headers": headers,
        "client": None,
    }
    return read_request(scope)


@given(METHODS, QUERIES | BYTES, HEADERS)
def test_any_head_is_read(method: str, query: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    request = head(method, query, headers)
    assert request.method == method or (method == "POST" and request.method in OVERRIDES)
    assert request.is_safe == (method in SAFE_METHODS)
    for text in [*request.query, *request.query.values(), *request.headers.values()]:
        text.encode()  # nothing that could not be written again


@given(spoilt(st.sampled_from([b"__client=a; __client=b", b"a=1; __client=x; b"])) | BYTES)
def test_the_cookie_that_is_read_is_the_first_of_its_name(field: bytes) -> None:
    request = head(headers=[(b"cookie", field)])
    for name, value in request.cookies.items():
        assert request.cookie_values(name)[:1] == [value]
        assert ";" not in name + value


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_a_query_is_what_its_escapes_say(name: bytes, value: bytes) -> None:
    plain = head(
        query=quote_from_bytes(name, "").encode() + b"=" + quote_from_bytes(value, "").encode()
    )
    assert plain.query == {name.decode("utf-8", "replace"): value.decode("utf-8", "replace")}


# ── the body ──────────────────────────────────────────────────────────────────────────
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=9), st.integers(0, 200))
async def test_a_body_is_the_same_in_whatever_chunks_it_comes(
    chunks: list[bytes], most: int
) -> None:
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    events[-1]["more_body"] = False
    left = iter(events)

    async def receive() -> dict[str, Any]:
        return next(left)

    request, whole = head("POST"), b"".join(chunks)
    if len(whole) <= most:
        await read_body(request, receive, most)
        assert request.body == whole
        return
    with pytest.raises(Refused) as refused:
        await read_body(request, receive, most)
    assert refused.value.refusal.status == 413
    assert request.body == b""


@given(TEXTS)
def test_only_a_form_is_read_as_a_form(kind: str) -> None:
    request = Request("POST", "/", {}, {"content-type": kind}, "", b"a=1")
    with pytest.raises(Refused) as refused:
        request.form()
    assert refused.value.refusal.status == 415
