"""A refusal on the wire."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from doorcode.domain import errors
from doorcode.domain.errors import Refusal
from doorcode.web.errors import envelope, respond

ALL = [(name, value) for name, value in vars(errors).items() if isinstance(value, Refusal)]


def test_a_refusal_is_put_into_the_envelope() -> None:
    document = envelope(errors.CODE_INCORRECT)
    assert len(document.pop("clerk_trace_id")) == 32
    assert document == {
        "errors": [
            {
                "code": "form_code_incorrect",
                "message": "is incorrect",
                "long_message": "Incorrect code",
                "meta": {"param_name": "code"},
            }
        ]
    }


def test_a_refusal_about_no_field_has_no_field() -> None:
    (error,) = envelope(errors.VERIFICATION_FAILED)["errors"]
    assert "meta" not in error


def test_more_can_be_told_beside_the_field() -> None:
    (error,) = envelope(replace(errors.USER_LOCKED, meta={"seconds": 3}, param="code"))["errors"]
    assert error["meta"] == {"seconds": 3, "param_name": "code"}


def test_no_two_answers_have_one_trace() -> None:
    traces = {envelope(errors.NOT_FOUND)["clerk_trace_id"] for _ in range(100)}
    assert len(traces) == 100


def test_the_time_to_wait_is_a_header() -> None:
    response = respond(replace(errors.TOO_MANY_REQUESTS, retry_after=7))
    assert response.headers["retry-after"] == "7"
    assert "retry-after" not in respond(errors.NOT_FOUND).headers


def test_a_refusal_is_not_kept_by_a_cache() -> None:
    assert respond(errors.NOT_FOUND).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("name", "refusal"), ALL)
def test_every_refusal_has_a_code_a_status_and_words(name: str, refusal: Refusal) -> None:
    about = refusal.about("phone_number")
    response = respond(about)
    (error,) = json.loads(response.body)["errors"]
    assert 400 <= response.status < 600
    assert error["code"].replace("_", "").isalpha()
    assert error["message"]
    assert "{" not in error["long_message"]
    assert error["long_message"][0].isupper()


def test_the_words_name_the_field_as_people_do() -> None:
    refusal = errors.IDENTIFIER_TAKEN.about("email_address")
    assert refusal.long_message == "That email address is taken. Please try another."
