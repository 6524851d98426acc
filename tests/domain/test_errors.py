"""Every refusal, as a person and as a program meets it."""

from __future__ import annotations

import re

import pytest

from doorcode.domain import errors
from doorcode.domain.errors import Refusal, Refused

REFUSALS = {name: value for name, value in vars(errors).items() if isinstance(value, Refusal)}
EACH = pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())


def test_there_are_refusals() -> None:
    assert len(REFUSALS) > 30


@EACH
def test_a_code_is_snake_case_and_a_status_an_error(refusal: Refusal) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", refusal.code)
    assert 400 <= refusal.status <= 503


@EACH
def test_the_texts_can_be_shown(refusal: Refusal) -> None:
    assert refusal.message.strip() == refusal.message != ""
    assert refusal.long_message[0].isupper()


@EACH
def test_a_text_that_names_its_field_says_nothing_else_in_braces(refusal: Refusal) -> None:
    assert "{" not in refusal.about("phone_number").long_message


@EACH
def test_a_text_with_a_blank_belongs_to_a_field(refusal: Refusal) -> None:
    elsewhere = (
        errors.PARAM_DISABLED,
        errors.NOT_ALLOWED,
        errors.ATTRIBUTE_IMMUTABLE,
        errors.MAILBOX_TAKEN,
    )
    names_a_field = "{param}" in refusal.long_message
    assert not names_a_field or refusal.status == 422 or refusal in elsewhere


def test_one_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for refusal in REFUSALS.values():
        statuses.setdefault(refusal.code, set()).add(refusal.status)
    assert [code for code, found in statuses.items() if len(found) > 1] == []


def test_a_field_is_named_in_words() -> None:
    about = errors.PARAM_MISSING.about("phone_number")
    assert (about.param, about.long_message) == ("phone_number", "Enter the phone number.")
    assert errors.PARAM_MISSING.param is None


def test_what_is_raised_carries_what_is_said() -> None:
    refused = Refused(errors.USER_LOCKED)
    assert (refused.refusal, str(refused)) == (errors.USER_LOCKED, "user_locked")


@pytest.mark.parametrize(
    ("refusal", "code", "status", "param"),
    [
        (errors.CODE_INCORRECT, "form_code_incorrect", 422, "code"),
        (errors.VERIFICATION_FAILED, "verification_failed", 400, None),
        (errors.VERIFICATION_EXPIRED, "verification_expired", 400, None),
        (errors.PHONE_FORMAT, "form_param_format_invalid", 422, None),
        (errors.USER_LOCKED, "user_locked", 403, None),
        (errors.NOT_FOUND, "resource_not_found", 404, None),
        (errors.ORIGIN_INVALID, "origin_invalid", 400, None),
        (errors.SECRET_KEY_INVALID, "clerk_key_invalid", 401, None),
        (errors.IDENTIFIER_UNKNOWN, "form_identifier_not_found", 422, "identifier"),
    ],
)
def test_programs_rely_on_these(
    refusal: Refusal, code: str, status: int, param: str | None
) -> None:
    assert (refusal.code, refusal.status, refusal.param) == (code, status, param)
