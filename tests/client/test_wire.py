"""Requests written and answers read."""

from __future__ import annotations

from typing import Any, TypedDict

import httpx
import pytest

from doorcode.client.errors import AnswerError, ApiError, NetworkError
from doorcode.client.wire import (
    Answer,
    checked,
    encode_form,
    get,
    post,
    read,
    segment,
    upload,
)

URL = "http://localhost:8787/v1/client"


def answer(status: int = 200, **how: Any) -> Answer:
    """Read a reply with this status and content."""
    return read(httpx.Response(status, request=httpx.Request("GET", URL), **how))


def test_get_carries_the_api_version() -> None:
    request = get("/client").build(httpx.Client(), "http://localhost:8787")
    assert str(request.url) == f"{URL}?__clerk_api_version=2026-05-12"
    assert request.content == b""


def test_other_verbs_are_a_post_with_an_override() -> None:
    built = post("/client/sessions", method="DELETE").build(httpx.Client(), "http://h")
    assert built.method == "POST"
    assert built.url.params["_method"] == "DELETE"
    assert built.headers["content-type"] == "application/x-www-form-urlencoded"


def test_no_request_names_an_origin() -> None:
    headers = post("/client/sign_ups", {"a": "b"}).build(httpx.Client(), "http://h").headers
    assert "origin" not in headers
    assert "referer" not in headers
    assert "sec-fetch-site" not in headers


def test_proxy_path_is_kept() -> None:
    built = get("/client").build(httpx.Client(), "http://h/__clerk")
    assert built.url.path == "/__clerk/v1/client"


def test_file_is_the_one_field_of_a_form() -> None:
    built = upload("/me/profile_image", b"\x00\r\n--", query={"a": "b"}).build(
        httpx.Client(), "http://h"
    )
    assert built.headers["content-type"].startswith("multipart/form-data; boundary=")
    built.read()
    assert built.content.count(b'name="file"') == 1
    assert b"\x00\r\n--" in built.content
    assert built.url.params["a"] == "b"


class Names(TypedDict, total=False):
    """What a form may hold."""

    first_name: str


def test_field_that_does_not_exist_is_a_mistake() -> None:
    assert checked("user", {"first_name": "Ada"}, Names) == {"first_name": "Ada"}
    with pytest.raises(TypeError, match="A user has no field firstName"):
        checked("user", {"firstName": "Ada"}, Names)


def test_list_is_an_answer_too() -> None:
    assert answer(json=[{"id": "sess_1"}]).resource == [{"id": "sess_1"}]
    assert isinstance(answer(500, json=[]).error, AnswerError)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({}, ""),
        ({"a": None, "b": ""}, "b="),
        ({"phone_number": "+1 415"}, "phone_number=%2B1+415"),
        ({"a": True, "b": False}, "a=true&b=false"),
        ({"a": {"b": [1]}}, "a=%7B%22b%22%3A+%5B1%5D%7D"),
        ({"a": ["x", "y"]}, "a=x&a=y"),
        ({"name": "Zoë"}, "name=Zo%C3%AB"),
    ],
)
def test_form_is_encoded_as_browsers_do(form: dict[str, object], text: str) -> None:
    assert encode_form(form) == text


def test_strange_id_stays_one_segment() -> None:
    assert segment("../me?x") == "..%2Fme%3Fx"


def test_wrapped_answer_is_unwrapped() -> None:
    told = answer(json={"response": {"id": "sua_1"}, "client": {"id": "client_1"}})
    assert told == Answer({"id": "sua_1"}, {"id": "client_1"})


def test_null_response_is_nothing() -> None:
    assert answer(json={"response": None, "client": None}) == Answer()


def test_bare_answer_is_taken_whole() -> None:
    assert answer(json={"jwt": "x"}).resource == {"jwt": "x"}


def test_no_content_is_nothing() -> None:
    assert answer(204) == Answer()


def test_refusal_is_read_in_full() -> None:
    error = {
        "code": "form_code_incorrect",
        "message": "is incorrect",
        "long_message": "Incorrect code",
        "meta": {"param_name": "code", "name": "x"},
    }
    told = answer(422, json={"errors": [error], "clerk_trace_id": "t1"}).error
    assert isinstance(told, ApiError)
    assert (told.status, told.trace_id, told.retry_after) == (422, "t1", None)
    assert told.problems[0].param_name == "code"
    assert told.problems[0].meta == {"param_name": "code", "name": "x"}


@pytest.mark.parametrize("place", [{"client": {"id": "c"}}, {"meta": {"client": {"id": "c"}}}])
def test_client_rides_on_errors_too(place: dict[str, object]) -> None:
    told = answer(422, json={"errors": [{"code": "x"}], **place})
    assert told.client == {"id": "c"}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("-7", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("9" * 5000, None)],
)
def test_retry_after_is_read_in_seconds(header: str, seconds: int | None) -> None:
    body = {"errors": [{"code": "too_many_requests"}]}
    error = answer(429, json=body, headers={"retry-after": header}).error
    assert error is not None
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (200, {"text": "<html>hello</html>", "headers": {"content-type": "text/html"}}),
        (200, {"json": "a text"}),
        (400, {"json": ["a list"]}),
        (200, {"content": b"\xff\xfe{"}),
        (200, {"text": "[" * 100_000}),
        (307, {"json": {}, "headers": {"location": "https://elsewhere"}}),
        (502, {"text": "Bad Gateway"}),
        (500, {"json": {"detail": "another framework"}}),
        (422, {"json": {"errors": "text"}}),
        (422, {"json": {"errors": [None, 1]}}),
    ],
)
def test_foreign_answer_is_an_error_with_its_status(status: int, how: dict[str, Any]) -> None:
    error = answer(status, **how).error
    assert isinstance(error, AnswerError)
    assert error.status == status
    assert error.code == "unexpected_answer"
    assert f"{URL}, got status {status}" in str(error)


@pytest.mark.parametrize("meta", [None, 1, [], {"param_name": 3}, {"client": "text"}])
def test_odd_meta_is_no_crash(meta: object) -> None:
    told = answer(400, json={"errors": [{"code": None, "meta": meta}], "meta": meta})
    assert told.error is not None
    assert told.error.code == "unknown_error"
    assert told.error.problems[0].param_name is None
    assert told.client is None


def test_network_error_passes_through() -> None:
    error = NetworkError("refused")
    assert read(error) == Answer(error=error)
