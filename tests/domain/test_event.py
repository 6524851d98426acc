"""An event tells what happened, and can be told without telling of whom."""

from __future__ import annotations

import pytest

from doorcode.domain.event import masked


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("phone_number:+447400123456", "+44********56"),
        ("email_address:ada@example.com", "a*****@example.com"),
        ("GB", "GB"),
        ("shield.countries", "shield.countries"),
        ("backup_codes:user_1", "backup_codes:user_1"),
        ("", ""),
    ],
)
def test_a_person_is_masked_and_a_thing_is_not(subject: str, shown: str) -> None:
    assert masked(subject) == shown
