"""The limits that people were promised."""

from __future__ import annotations

import pytest

from doorcode.domain import limits


@pytest.mark.parametrize(
    ("limit", "promised"),
    [
        (limits.CODE_DIGITS, 6),
        (limits.CODE_LIVES_FOR, 10 * 60 * 1000),
        (limits.CODES_ALIVE, 3),
        (limits.TRIES_PER_VERIFICATION, 5),
        (limits.RESEND_AFTER, 30 * 1000),
        (limits.GUESSES_PER_ADDRESS, 10),
        (limits.GUESS_WINDOW, 60 * 60 * 1000),
        (limits.SENDS_PER_10_MINUTES, 6),
        (limits.SENDS_PER_DAY, 20),
        (limits.TOKEN_LIVES_FOR_SECONDS, 60),
        (limits.BODY_BYTES, 65_536),
    ],
)
def test_a_limit_is_what_was_promised(limit: int, promised: int) -> None:
    assert limit == promised


def test_a_year_of_guessing_at_one_address_mostly_fails() -> None:
    guesses_a_year = limits.GUESSES_PER_ADDRESS * 365 * limits.DAY / limits.GUESS_WINDOW
    chance = guesses_a_year * limits.CODES_ALIVE / 10**limits.CODE_DIGITS
    assert chance < 0.3  # with three live codes at every moment of the year


def test_a_code_can_be_asked_for_again_before_it_expires() -> None:
    assert limits.RESEND_AFTER * limits.CODES_ALIVE < limits.CODE_LIVES_FOR


def test_an_attempt_outlives_its_codes_and_a_session_its_tokens() -> None:
    assert limits.CODE_LIVES_FOR < limits.ATTEMPT_LIVES_FOR
    assert limits.TOKEN_LIVES_FOR_SECONDS * limits.SECOND < limits.SESSION_LIVES_FOR
    assert limits.SESSION_LIVES_FOR < limits.CLIENT_LIVES_FOR


def test_every_rate_has_a_name_of_its_own() -> None:
    rates = [value for value in vars(limits).values() if isinstance(value, limits.Rate)]
    assert len({rate.name for rate in rates}) == len(rates) > 0
    assert all(rate.times > 0 and rate.window > 0 for rate in rates)
