"""When a route is left alone, when it is tried again, and whose codes nobody types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.breaker import (
    CONVERSION_LEAST,
    FAILURES_IN_ROW,
    FIRST_REST,
    LONGEST_REST,
    RECENT,
    TRIAL_WITHIN,
    Breaker,
    Conversion,
    has_fallen,
)
from doorcode.domain.limits import SECOND

NOW = 1_800_000_000_000
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["trying", "worked", "failed", "for good", "untried"]),
        st.integers(0, 90 * SECOND),
    ),
    max_size=60,
)


def after(deeds: list[tuple[str, int]]) -> tuple[Breaker, int]:
    """A breaker after deeds, each so many milliseconds after the one before, and the time."""
    breaker, now = Breaker(), NOW
    for deed, pause in deeds:
        now += pause
        breaker = done(breaker, deed, now)
    return breaker, now


def done(breaker: Breaker, deed: str, now: int) -> Breaker:
    if deed == "trying":
        return breaker.trying(now)
    if deed == "worked":
        return breaker.worked()
    if deed == "untried":
        return breaker.untried()
    return breaker.failed(now, for_good=deed == "for good")


def opened(now: int = NOW) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_IN_ROW):
        breaker = breaker.failed(now, for_good=False)
    assert breaker.is_open(now)
    return breaker


# ── opening ───────────────────────────────────────────────────────────────────────────
def test_failures_in_a_row_open_it_and_fewer_do_not() -> None:
    breaker = Breaker()
    for number in range(1, FAILURES_IN_ROW + 1):
        breaker = breaker.failed(NOW, for_good=False)
        assert breaker.is_open(NOW) is (number == FAILURES_IN_ROW)


def test_one_failure_for_good_opens_it() -> None:
    assert Breaker().failed(NOW, for_good=True).is_open(NOW)


def test_a_route_that_flaps_is_left_when_most_of_its_last_letters_failed() -> None:
    deeds = ["failed", "failed", "worked"]
    breaker = Breaker()
    for number in range(RECENT):
        assert not breaker.is_open(NOW)
        breaker = done(breaker, deeds[number % 3], NOW)
    assert breaker.is_open(NOW)


@given(st.lists(st.booleans(), max_size=100))
def test_a_route_that_fails_one_letter_in_two_at_most_stays(coins: list[bool]) -> None:
    """Never twice in a row, so never more than a half."""
    breaker = Breaker()
    for coin in coins:
        breaker = done(breaker, "failed" if coin else "worked", NOW)
        breaker = breaker.worked()
        assert not breaker.is_open(NOW)


# ── trying again ──────────────────────────────────────────────────────────────────────
@given(DEEDS)
def test_it_is_never_open_for_ever(deeds: list[tuple[str, int]]) -> None:
    breaker, now = after(deeds)
    assert not breaker.is_open(now + max(LONGEST_REST, TRIAL_WITHIN))


@given(DEEDS)
def test_a_letter_that_arrives_closes_it(deeds: list[tuple[str, int]]) -> None:
    breaker, now = after(deeds)
    if breaker.opened_at is not None:
        assert breaker.trying(now).worked() == Breaker()


@given(DEEDS)
def test_one_letter_tries_at_a_time(deeds: list[tuple[str, int]]) -> None:
    breaker, now = after(deeds)
    if breaker.opened_at is None:
        return
    later = now + max(LONGEST_REST, TRIAL_WITHIN)
    assert not breaker.is_open(later)
    breaker = breaker.trying(later)
    assert breaker.is_open(later)
    assert breaker.is_open(later + TRIAL_WITHIN - 1)


def test_a_letter_that_never_came_back_lets_another_try() -> None:
    breaker = opened().trying(NOW + FIRST_REST)
    assert breaker.is_open(NOW + FIRST_REST + TRIAL_WITHIN - 1)
    assert not breaker.is_open(NOW + FIRST_REST + TRIAL_WITHIN)


def test_a_letter_that_was_none_lets_the_next_one_try_at_once() -> None:
    breaker = opened().trying(NOW + FIRST_REST).untried()
    assert not breaker.is_open(NOW + FIRST_REST)
    assert breaker.is_open(NOW + FIRST_REST - 1)


def test_each_trial_that_fails_doubles_the_rest_up_to_a_minute() -> None:
    breaker, now, rests = opened(), NOW, []
    for _ in range(7):
        rests.append(breaker.rest // SECOND)
        assert breaker.is_open(now + breaker.rest - 1)
        now += breaker.rest
        assert not breaker.is_open(now)
        breaker = breaker.trying(now).failed(now, for_good=False)
    assert rests == [5, 10, 20, 40, 60, 60, 60]


def test_letters_that_were_under_way_when_it_opened_do_not_lengthen_the_rest() -> None:
    breaker = opened()
    for _ in range(50):
        breaker = breaker.failed(NOW + 1, for_good=True)
    assert not breaker.is_open(NOW + FIRST_REST)


@given(DEEDS)
def test_what_it_remembers_is_bounded(deeds: list[tuple[str, int]]) -> None:
    breaker, _ = after(deeds)
    assert len(breaker.outcomes) <= RECENT
    assert breaker.rest <= LONGEST_REST


# ── codes that nobody types ───────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("own", "others", "fallen"),
    [
        (Conversion(20, 4), Conversion(100, 80), True),
        (Conversion(20, 8), Conversion(100, 80), False),  # half of what the others reach
        (Conversion(20, 7), Conversion(100, 80), True),
        (Conversion(CONVERSION_LEAST - 1, 0), Conversion(100, 100), False),  # too few to tell
        (Conversion(20, 5), Conversion(5, 5), True),  # the others are too few: what is usual
        (Conversion(20, 6), Conversion(5, 5), False),
        (Conversion(20, 0), Conversion(100, 0), False),  # nobody types anything anywhere
        (Conversion(0, 0), Conversion(0, 0), False),
    ],
)
def test_a_route_falls_behind_when_its_codes_are_typed_half_as_often(
    own: Conversion, others: Conversion, fallen: bool
) -> None:
    assert has_fallen(own, others) is fallen
