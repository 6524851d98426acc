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


def test_a_day_of_guessing_at_one_identifier_has_one_chance_in_ten_thousand() -> None:
    """A guess needs a code to fit: of the twenty that are sent, each is met by five at most."""
    met = limits.SENDS_PER_DAY * limits.TRIES_PER_VERIFICATION
    assert met / 10**limits.CODE_DIGITS <= 1e-4


def test_the_guesses_of_known_devices_are_bounded_too() -> None:
    hourly = limits.GUESSES_PER_ADDRESS * (1 + limits.KNOWN_DEVICES)
    assert hourly <= 60


def test_what_is_sent_can_be_tried() -> None:
    assert limits.SENDS_PER_10_MINUTES < limits.SENDS_PER_DAY
    assert limits.SAME_CLICK < limits.RESEND_AFTER


def test_every_rate_is_in_the_table() -> None:
    rates = [value for value in vars(limits).values() if isinstance(value, limits.Rate)]
    assert set(rates) == set(limits.RATES)


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
