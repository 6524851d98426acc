"""JSON bodies and lists of the Backend API: each mistake is refused by its field."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from doorcode.domain.limits import BODY_BYTES, METADATA_BYTES

from .house import House, refusal

PATH = "/v1/invitations"
JSON = "application/json"
MAIL = {"email_address": "bea@example.com", "notify": False}
INVALID = (400, "request_body_invalid", None)


async def send(house: House, body: bytes, kind: str | None = JSON) -> httpx.Response:
    headers = {"authorization": f"Bearer {house.secret_key}"}
    if kind is not None:
        headers["content-type"] = kind
    return await house.browser(None).http.post(PATH, content=body, headers=headers)


@pytest.mark.parametrize("kind", [JSON, "Application/JSON", "application/json; charset=utf-8"])
async def test_json_is_read(house: House, kind: str) -> None:
    answer = await send(house, b'{"email_address": "bea@example.com"}', kind)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp"],
)
async def test_anything_else_is_refused(house: House, kind: str | None) -> None:
    answer = await send(house, b'{"email_address": "bea@example.com"}', kind)
    assert refusal(answer) == (415, "unsupported_content_type", None)
    assert house.rows("tickets") == {"tickets": 0}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"\xff",
        b'{"email_address": NaN}',
        b'{"public_metadata": {"a": 1e999}}',
        b'{"public_metadata": {"a": -1e999}}',
        b'{"public_metadata": {"a": ' + b"1" * 20 + b"}}",
        b'{"public_metadata": {"a": ' + b"9" * 6_000 + b"}}",
        b'{"email_address": "a\\u0000b"}',
        b'{"a\\u0000": 1}',
        b'{"email_address": "\\ud800"}',
        b'{"public_metadata": {"\\udfff": 1}}',
        b"[" * 60_000,
        b'{"public_metadata": ' + b'{"a":' * 40 + b"1" + b"}" * 41,
    ],
)
async def test_what_cannot_be_read_or_kept_is_refused(house: House, body: bytes) -> None:
    assert refusal(await send(house, body)) == INVALID


async def test_a_field_that_is_sent_twice_is_refused(house: House) -> None:
    body = b'{"email_address": "a@example.com", "email_address": "b@example.com"}'
    assert refusal(await send(house, body)) == (422, "form_param_duplicate", "email_address")


async def test_a_body_that_is_too_long_is_refused(house: House) -> None:
    body = b'{"email_address": "' + b"a" * BODY_BYTES + b'"}'
    assert refusal(await send(house, body)) == (413, "request_body_too_large", None)


@pytest.mark.parametrize(
    ("body", "code", "name"),
    [
        ({}, "form_param_missing", "email_address"),
        ({"email_address": None}, "form_param_missing", "email_address"),
        ({"email_address": ""}, "form_param_missing", "email_address"),
        ({"email_address": 1}, "form_param_type_invalid", "email_address"),
        ({"email_address": ["a@b.de"]}, "form_param_type_invalid", "email_address"),
        ({"email_address": "a" * 2049}, "form_param_max_length_exceeded", "email_address"),
        ({**MAIL, "nonsense": 1}, "form_param_unknown", "nonsense"),
        ({**MAIL, "id": None}, "form_param_unknown", "id"),
        ({**MAIL, "status": "accepted"}, "form_param_unknown", "status"),
        ({**MAIL, "notify": "true"}, "form_param_type_invalid", "notify"),
        ({**MAIL, "notify": 1}, "form_param_type_invalid", "notify"),
        ({**MAIL, "expires_in_days": "3"}, "form_param_type_invalid", "expires_in_days"),
        ({**MAIL, "expires_in_days": True}, "form_param_type_invalid", "expires_in_days"),
        ({**MAIL, "expires_in_days": 1.5}, "form_param_type_invalid", "expires_in_days"),
        ({**MAIL, "expires_in_days": 0}, "form_param_value_invalid", "expires_in_days"),
        ({**MAIL, "expires_in_days": -1}, "form_param_value_invalid", "expires_in_days"),
        ({**MAIL, "expires_in_days": 366}, "form_param_value_invalid", "expires_in_days"),
        ({**MAIL, "public_metadata": []}, "form_param_type_invalid", "public_metadata"),
        ({**MAIL, "public_metadata": "{}"}, "form_param_type_invalid", "public_metadata"),
        (
            {**MAIL, "public_metadata": {"a": "b" * METADATA_BYTES}},
            "form_param_max_length_exceeded",
            "public_metadata",
        ),
    ],
)
async def test_a_wrong_field_is_refused_by_its_name(
    house: House, body: Any, code: str, name: str
) -> None:
    assert refusal(await house.ask("POST", PATH, body)) == (422, code, name)
    assert house.rows("tickets") == {"tickets": 0}


async def test_null_is_as_good_as_nothing(house: House) -> None:
    nothing = ("public_metadata", "redirect_url", "notify", "ignore_existing", "expires_in_days")
    body = {"email_address": "bea@example.com", **dict.fromkeys(nothing)}
    answer = await house.ask("POST", PATH, body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ([], INVALID),
        ({}, INVALID),
        ([1], INVALID),
        ([MAIL, []], INVALID),
        ([MAIL] * 11, (400, "bulk_size_exceeded", None)),
        ([MAIL, {}], (422, "form_param_missing", "email_address")),
    ],
)
async def test_a_wrong_list_is_refused_whole(house: House, body: Any, wanted: Any) -> None:
    assert refusal(await house.ask("POST", f"{PATH}/bulk", body)) == wanted
    assert house.rows("tickets") == {"tickets": 0}


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("limit=x", "form_param_type_invalid", "limit"),
        ("limit=1.5", "form_param_type_invalid", "limit"),
        ("limit=-1", "form_param_type_invalid", "limit"),
        ("limit=%D9%A1", "form_param_type_invalid", "limit"),
        ("limit=9999999999999999999999", "form_param_type_invalid", "limit"),
        ("limit=0", "form_param_value_invalid", "limit"),
        ("limit=501", "form_param_value_invalid", "limit"),
        ("offset=-1", "form_param_type_invalid", "offset"),
        ("offset=99999999", "form_param_value_invalid", "offset"),
        ("status=nonsense", "form_param_value_invalid", "status"),
        ("order_by=id", "form_param_value_invalid", "order_by"),
        ("order_by=-", "form_param_value_invalid", "order_by"),
        ("order_by=created_at;DROP", "form_param_value_invalid", "order_by"),
        ("query=%00", "form_param_format_invalid", "query"),
    ],
)
async def test_a_wrong_list_request_is_refused_by_its_field(
    house: House, query: str, code: str, name: str
) -> None:
    assert refusal(await house.ask("GET", f"{PATH}?{query}")) == (422, code, name)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("", "cba"),
        ("-created_at", "cba"),
        ("created_at", "abc"),
        ("%2Bcreated_at", "abc"),
        ("+created_at", "abc"),  # arrives as a space
        ("-email_address", "cba"),
    ],
)
async def test_a_list_comes_in_the_order_asked_for(house: House, order: str, found: str) -> None:
    for name in "abc":
        await house.ask("POST", PATH, {"email_address": f"{name}@example.com", "notify": False})
        house.clock.advance(1)
    listed = (await house.ask("GET", f"{PATH}?order_by={order}")).json()
    assert "".join(one["email_address"][0] for one in listed) == found
