"""What a verification allows, and what a typed code turns out to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Kind, Strategy
from doorcode.domain.errors import Refusal
from doorcode.domain.verification import (
    TRANSITIONS,
    Code,
    Status,
    Verdict,
    Verification,
    judge,
    refusal_for,
)

NOW = 1_700_000_000_000
RIGHT, WRONG = b"r" * 32, b"w" * 32
FRESH = Verification(
    id="ver_1",
    attempt_id="sua_1",
    address=Address(Kind.PHONE, "+14155552671", "+14155552671"),
    channel="sms",
    status=Status.UNVERIFIED,
    attempts=0,
    sent_at=NOW,
    expires_at=NOW + limits.CODE_LIVES_FOR,
)
CODE = Code(RIGHT, key_version=1, expires_at=NOW + limits.CODE_LIVES_FOR)


def verdict(typed: bytes, *codes: Code, number: int = 1, now: int = NOW) -> Verdict:
    return judge({1: typed}, codes, number, now)


def test_only_an_unverified_one_goes_on_to_anything() -> None:
    assert TRANSITIONS.keys() == set(Status)
    assert [status for status in Status if TRANSITIONS[status]] == [Status.UNVERIFIED]
    assert TRANSITIONS[Status.UNVERIFIED] == set(Status) - {Status.UNVERIFIED}


def test_it_expires_on_the_millisecond() -> None:
    end = FRESH.expires_at
    assert (FRESH.as_of(end - 1), FRESH.as_of(end)) == (Status.UNVERIFIED, Status.EXPIRED)


@pytest.mark.parametrize("status", [Status.VERIFIED, Status.FAILED, Status.EXPIRED])
def test_time_changes_nothing_that_is_settled(status: Status) -> None:
    settled = replace(FRESH, status=status)
    assert settled.as_of(NOW) is settled.as_of(FRESH.expires_at + limits.DAY) is status


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (Status.UNVERIFIED, None),
        (Status.VERIFIED, errors.VERIFICATION_DONE),
        (Status.FAILED, errors.VERIFICATION_FAILED),
        (Status.EXPIRED, errors.VERIFICATION_EXPIRED),
    ],
)
def test_each_status_says_why_it_takes_no_code(status: Status, refusal: Refusal | None) -> None:
    verification = replace(FRESH, status=status)
    assert verification.why_not_try(NOW) == refusal
    assert verification.can_be_sent_again(NOW) is (refusal is None)


def test_the_fifth_try_is_the_last() -> None:
    last = limits.TRIES_PER_VERIFICATION
    assert replace(FRESH, attempts=last - 1).why_not_try(NOW) is None
    assert replace(FRESH, attempts=last).why_not_try(NOW) == errors.VERIFICATION_FAILED
    assert not replace(FRESH, attempts=last).can_be_sent_again(NOW)


def test_an_expired_one_is_not_sent_again_but_started_afresh() -> None:
    assert not FRESH.can_be_sent_again(FRESH.expires_at)


@pytest.mark.parametrize(
    ("after", "wait"), [(0, 30), (1, 30), (1_000, 29), (29_001, 1), (29_999, 1), (30_000, 0)]
)
def test_the_wait_before_another_code_is_in_whole_seconds(after: int, wait: int) -> None:
    assert FRESH.wait_before_resend(NOW + after) == wait


def test_a_test_address_never_waits() -> None:
    test = replace(FRESH, address=replace(FRESH.address, is_test=True))
    assert test.wait_before_resend(NOW) == 0


def test_the_strategy_is_that_of_the_address() -> None:
    assert FRESH.strategy is Strategy.PHONE_CODE


def test_the_right_code_is_right_up_to_the_last_try() -> None:
    numbers = range(1, limits.TRIES_PER_VERIFICATION + 1)
    assert {verdict(RIGHT, CODE, number=number) for number in numbers} == {Verdict.RIGHT}


def test_the_right_code_is_wrong_after_the_last_try() -> None:
    number = limits.TRIES_PER_VERIFICATION + 1
    assert verdict(RIGHT, CODE, number=number) is Verdict.LAST_WRONG


def test_the_fifth_wrong_code_is_the_last() -> None:
    verdicts = [verdict(WRONG, CODE, number=number) for number in range(1, 6)]
    assert verdicts == [Verdict.WRONG] * 4 + [Verdict.LAST_WRONG]


def test_a_code_is_right_until_its_own_expiry() -> None:
    assert verdict(RIGHT, CODE, now=CODE.expires_at - 1) is Verdict.RIGHT
    assert verdict(RIGHT, CODE, now=CODE.expires_at) is Verdict.WRONG


def test_an_earlier_code_is_as_good_as_the_newest() -> None:
    newest = Code(b"n" * 32, 1, CODE.expires_at + 1)
    assert verdict(RIGHT, CODE, newest) is verdict(newest.digest, CODE, newest) is Verdict.RIGHT


def test_an_expired_code_is_not_revived_by_a_newer_one() -> None:
    newest = Code(b"n" * 32, 1, CODE.expires_at + limits.MINUTE)
    assert verdict(RIGHT, CODE, newest, now=CODE.expires_at) is Verdict.WRONG


def test_no_code_is_right_where_none_was_sent() -> None:
    assert verdict(RIGHT) is Verdict.WRONG


def test_a_code_is_compared_under_the_key_that_made_it() -> None:
    typed = {1: WRONG, 2: RIGHT}
    assert judge(typed, [replace(CODE, key_version=2)], 1, NOW) is Verdict.RIGHT
    assert judge(typed, [CODE], 1, NOW) is Verdict.WRONG


def test_a_code_of_a_key_that_is_not_kept_is_wrong() -> None:
    assert verdict(RIGHT, replace(CODE, key_version=9)) is Verdict.WRONG
    assert judge({}, [replace(CODE, digest=b"\0")], 1, NOW) is Verdict.WRONG


def test_a_wrong_code_is_told_apart_from_the_last_wrong_one() -> None:
    assert refusal_for(Verdict.WRONG) == errors.CODE_INCORRECT
    assert refusal_for(Verdict.LAST_WRONG) == errors.VERIFICATION_FAILED
