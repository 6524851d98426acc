"""The server's objects as they are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from doorcode.client.errors import AnswerError
from doorcode.client.resources import (
    ClientRecord,
    Factor,
    Session,
    SignInAttempt,
    SignUpAttempt,
    User,
    Verification,
    decode,
    decode_client,
)

MOMENT_MS = 1_795_407_894_500
MOMENT = datetime(2026, 11, 23, 4, 24, 54, 500_000, tzinfo=UTC)

USER = {
    "object": "user",
    "id": "user_1",
    "primary_phone_number_id": "idn_2",
    "primary_email_address_id": None,
    "phone_numbers": [
        {"id": "idn_1", "phone_number": "+14155552671"},
        {"id": "idn_2", "phone_number": "+14155552672", "verification": {"status": "verified"}},
    ],
    "email_addresses": [{"id": "idn_3", "email_address": "ada@example.com"}],
    "created_at": MOMENT_MS,
    "something_newer": {"than": ["this", "package"]},
}


def test_user_knows_its_primary_addresses() -> None:
    user = decode(User, USER)
    assert user.primary_phone_number is user.phone_numbers[1]
    assert user.primary_email_address is None
    assert decode(User, USER | {"primary_email_address_id": "idn_3"}).primary_email_address


def test_times_are_utc() -> None:
    assert decode(User, USER).created_at == MOMENT
    assert decode(User, USER).last_sign_in_at is None
    assert decode(Verification, {"expire_at": MOMENT_MS}).expire_at == MOMENT
    assert decode(SignUpAttempt, {"abandon_at": MOMENT_MS}).abandon_at == MOMENT
    assert decode(SignInAttempt, {"abandon_at": MOMENT_MS}).abandon_at == MOMENT


@pytest.mark.parametrize("never", [2**62, -(2**62), 10**30])
def test_time_beyond_the_calendar_is_none(never: int) -> None:
    assert decode(Verification, {"expire_at": never}).expire_at is None


def test_session_times_are_utc() -> None:
    times = {"expire_at": MOMENT_MS, "abandon_at": MOMENT_MS, "last_active_at": MOMENT_MS}
    session = decode(Session, {"id": "sess_1", "status": "active", **times})
    assert session.expire_at == session.abandon_at == session.last_active_at == MOMENT


def test_factor_names_its_address() -> None:
    assert decode(Factor, {"strategy": "phone_code", "phone_number_id": "a"}).address_id == "a"
    assert decode(Factor, {"strategy": "email_code", "email_address_id": "b"}).address_id == "b"


def test_what_a_server_leaves_out_has_a_default() -> None:
    assert decode(SignUpAttempt, {"id": "sua_1"}).status == "missing_requirements"
    assert decode(SignInAttempt, {}).supported_first_factors is None


def test_unknown_browser_is_an_empty_client() -> None:
    assert decode_client(None) == ClientRecord()


@pytest.mark.parametrize(
    "told", [{"id": 3}, {"sessions": [{"id": "x"}]}, {"sign_up": {"missing_fields": "text"}}]
)
def test_unreadable_object_is_an_answer_error(told: dict[str, object]) -> None:
    with pytest.raises(AnswerError, match="ClientRecord cannot be read"):
        decode_client(told)
