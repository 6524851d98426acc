"""Strict servers that tell known from unknown after all: each by one thing, found in one row."""

from __future__ import annotations

import pytest
from tests.web.house import House

from doorcode.domain.instance import UsernameAttribute
from doorcode.selfcheck import enumeration
from doorcode.selfcheck.enumeration import (
    ANSWERS,
    EFFECTS,
    TIME,
    Step,
    comparable,
    outcomes,
    wordings,
)
from doorcode.selfcheck.prober import Answer
from doorcode.selfcheck.report import Verdict

from .conftest import STRICT, Build, check, failed, of, people_of
from .fronts import (
    ForgetsGuesses,
    Front,
    RefusesTaken,
    TakesLonger,
    TellsByBody,
    TellsByHeader,
    Timed,
)

WHO = "ann+clerk_test@example.com"


async def test_nothing_is_found_where_nothing_tells(strict: House) -> None:
    report = await check(Timed(strict), samples=3)
    assert of(report, Verdict.HOLDS) >= {ANSWERS, EFFECTS, TIME}


async def test_nothing_is_passed_where_nothing_is_promised(house: House) -> None:
    people = await people_of(Front(house))
    rows = [*await enumeration.told_apart(people), *await enumeration.timed_apart(people, 3)]
    assert {(row.tried, row.verdict) for row in rows} == {(enumeration.OFF, Verdict.NOT_RUN)}


@pytest.mark.parametrize(
    ("front", "rows"),
    [
        (TakesLonger, {TIME}),
        (ForgetsGuesses, {EFFECTS}),
        (TellsByHeader, {ANSWERS}),
        (TellsByBody, {ANSWERS}),
    ],
)
async def test_what_tells_is_found(strict: House, front: type[Timed], rows: set[str]) -> None:
    report = await check(front(strict), samples=3)
    assert failed(report) == rows
    assert of(report, Verdict.STOPPED) == set()


async def test_a_sign_up_that_says_taken_is_found(strict: House) -> None:
    report = await check(RefusesTaken(strict), samples=3)
    told = [row.tried for row in report.rows if row.guarantee == ANSWERS]
    assert "starting to sign up: 422 form_identifier_exists and 200" in told[0]


def answer(body: object, *headers: tuple[str, str]) -> Answer:
    return Answer(200, headers, body, 0.1)


def text(body: object, *headers: tuple[str, str], noise: frozenset[str] = frozenset()) -> str:
    return comparable(answer(body, *headers), [WHO], noise)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "sia_01M8A3CXKCDH5AQFY44SXJF03Q"}, {"id": "sia_01M8A3CXW9MM9N0S50FM6RF8KS"}),
        ({"expire_at": 1_800_000_000_000}, {"expire_at": 1_800_000_000_001}),
        ({"clerk_trace_id": "0" * 32}, {"clerk_trace_id": "a" * 32}),
        ({"lockout_expires_in_seconds": 3600}, {"lockout_expires_in_seconds": 3599}),
    ],
)
def test_what_must_differ_does_not_count(one: object, other: object) -> None:
    assert text(one) == text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "sia_01M8A3CXKCDH5AQFY44SXJF03Q"}, {"id": "sua_1"}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"attempts": 1}, {"attempts": 2}),
        ({"user_data": None}, {"user_data": {}}),
        ("a page", "another"),
    ],
)
def test_everything_else_counts(one: object, other: object) -> None:
    assert text(one) != text(other)


def test_the_order_of_headers_counts_and_chance_does_not() -> None:
    a, b = ("a", "1"), ("b", "2")
    assert text({}, a, b) != text({}, b, a)
    assert text({}, ("x-id", "1"), noise=frozenset({"x-id"})) == text(
        {}, ("x-id", "2"), noise=frozenset({"x-id"})
    )
    assert text({}, ("set-cookie", "__client=1; Path=/")) == text(
        {}, ("set-cookie", "__client=2; Path=/")
    )
    assert text({}, ("set-cookie", "__client=1; Path=/")) != text(
        {}, ("set-cookie", "__client=1; Path=/; Secure")
    )


def test_what_was_drawn_by_chance_does_not_count() -> None:
    ann = comparable(answer({"identifier": "ann", "username": "a1"}), ["ann", "a1"], frozenset())
    bea = comparable(answer({"identifier": "bea", "username": "b2"}), ["bea", "b2"], frozenset())
    mixed = comparable(answer({"identifier": "b2", "username": "bea"}), ["bea", "b2"], frozenset())
    assert ann == bea != mixed


async def test_what_else_a_sign_up_must_hold_does_not_count(build: Build) -> None:
    required = UsernameAttribute(used_for_sign_up=True, required=True)
    house = await build(instance={**STRICT, "username": required})
    rows = await enumeration.told_apart(await people_of(Timed(house)))
    assert [row.verdict for row in rows] == [Verdict.HOLDS] * 2


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ("200\nx-a: 2\n{}", "a wrong code: 200, another x-a"),
        ('200\nx-a: 1\n{"a": 1}', "a wrong code: 200, another body"),
        ("200\n{}", "a wrong code: 200, another x-a"),
    ],
)
def test_a_difference_is_told_where_it_lies(other: str, found: str) -> None:
    one = [Step("a wrong code", "200\nx-a: 1\n{}", "200")]
    assert wordings(one, [Step("a wrong code", other, "200")]) == [found]


def test_another_outcome_is_told_by_both_answers() -> None:
    one, other = Step("a wrong code", "200", "200"), Step("a wrong code", "403", "403 no")
    assert outcomes([one, one], [one, other]) == ["a wrong code: 200 and 403 no"]
    assert wordings([one, one], [one, other]) == []
