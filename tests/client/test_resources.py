"""The server's objects as they are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from doorcode.client.errors import AnswerError
from doorcode.client.resources import (
    Factor,
    SignInAttempt,
    SignUpAttempt,
    Verification,
    decode,
)

MOMENT_MS = 1_795_407_894_500
MOMENT = datetime(2026, 11, 23, 4, 24, 54, 500_000, tzinfo=UTC)


def test_times_are_utc() -> None:
    assert decode(Verification, {"expire_at": MOMENT_MS}).expire_at == MOMENT
    assert decode(SignUpAttempt, {"abandon_at": MOMENT_MS}).abandon_at == MOMENT
    assert decode(SignUpAttempt, {"legal_accepted_at": MOMENT_MS}).legal_accepted_at == MOMENT
    assert decode(SignInAttempt, {"abandon_at": MOMENT_MS}).abandon_at == MOMENT


@pytest.mark.parametrize("never", [2**62, -(2**62), 10**30])
def test_time_beyond_the_calendar_is_none(never: int) -> None:
    assert decode(Verification, {"expire_at": never}).expire_at is None


def test_factor_names_its_address() -> None:
    assert decode(Factor, {"strategy": "phone_code", "phone_number_id": "a"}).address_id == "a"
    assert decode(Factor, {"strategy": "email_code", "email_address_id": "b"}).address_id == "b"
    assert decode(Factor, {"strategy": "backup_code"}).address_id is None


def test_what_a_server_leaves_out_has_a_default() -> None:
    assert decode(SignUpAttempt, {"id": "sua_1"}).status == "missing_requirements"
    assert decode(SignInAttempt, {}).supported_first_factors is None


def test_what_a_newer_server_adds_is_ignored() -> None:
    told = {"strategy": "phone_code", "something_newer": {"than": ["this", "package"]}}
    assert decode(Factor, told) == Factor(strategy="phone_code")


@pytest.mark.parametrize("told", [{"id": 3}, {"missing_fields": "text"}, [], None])
def test_unreadable_object_is_an_answer_error(told: object) -> None:
    with pytest.raises(AnswerError, match="SignUpAttempt cannot be read"):
        decode(SignUpAttempt, told)
