"""The client as it rides along with every answer."""

from __future__ import annotations

import pytest

from doorcode.client.errors import AnswerError
from doorcode.client.record import ClientRecord, decode_client


def test_unknown_browser_is_an_empty_client() -> None:
    assert decode_client(None) == ClientRecord()


def test_sessions_come_with_their_users() -> None:
    user = {"id": "user_1", "phone_numbers": [{"id": "idn_1", "phone_number": "+14155552671"}]}
    told = {"sessions": [{"id": "sess_1", "status": "active", "user": user}]}
    record = decode_client(told)
    assert record.sessions[0].user is not None
    assert record.sessions[0].user.phone_numbers[0].phone_number == "+14155552671"


@pytest.mark.parametrize(
    "told", [{"id": 3}, {"sessions": [{"id": "x"}]}, {"sign_up": {"missing_fields": "text"}}]
)
def test_unreadable_client_is_an_answer_error(told: dict[str, object]) -> None:
    with pytest.raises(AnswerError, match="ClientRecord cannot be read"):
        decode_client(told)
