"""Guessing a code: in parallel, by restarting, by asking again, by any order of all of these.

What is counted here is what was compared. A refusal may say what it likes; a guess that was
compared is one of a million tries at somebody's account.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.web.house import OTHER_PHONE, Plan

from doorcode.domain import limits
from doorcode.domain.instance import Attribute
from doorcode.domain.limits import HOUR, MINUTE, SECOND

from .conftest import ENGINES
from .street import (
    EMAIL,
    PHONE,
    SIGN_INS,
    SIGN_UPS,
    Comparisons,
    Engine,
    Street,
    open_street,
    said,
)

MOST, TRIES = limits.GUESSES_PER_ADDRESS, limits.TRIES_PER_VERIFICATION
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
EXAMPLES = 100 if THOROUGH else 8  # each is a server of its own
UNPROVED = Attribute(verify_at_sign_up=False)
WAYS = pytest.mark.parametrize("way", [SIGN_INS, SIGN_UPS])


async def guess(street: Street, attempts: list[Any], way: str, each: int, to: str) -> Counter[str]:
    """Guess wrongly at all attempts at once; what was said."""
    wrong = street.house.wrong(to)
    tries = [
        visitor.attempt(way, attempt, wrong, to)
        for _ in range(each)
        for visitor, attempt in attempts
    ]
    return Counter(said(await asyncio.gather(*tries)))


# ── all at once ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("way", "to"), [(SIGN_INS, PHONE), (SIGN_UPS, EMAIL)])
async def test_of_a_thousand_guesses_at_once_ten_are_compared(
    street: Street, compared: Comparisons, way: str, to: str
) -> None:
    if way == SIGN_INS:
        await street.visitor().sign_up(to)
        compared.verdicts.clear()
    attempts = await street.neighbours(200, way, to)
    answers = await guess(street, attempts, way, TRIES, to)
    assert sum(answers.values()) == 1_000
    assert len(compared) == MOST
    assert answers["user_locked"] >= 1_000 - 2 * MOST
    assert set(answers) <= {"user_locked", "form_code_incorrect", "verification_failed"}


async def test_sign_ups_and_sign_ins_share_the_guesses_of_an_identifier(
    street: Street, compared: Comparisons
) -> None:
    """Each door would otherwise add its own ten."""
    ups = await street.neighbours(20, SIGN_UPS)
    ins = await street.neighbours(20, SIGN_INS, sign_up_if_missing="true")
    await asyncio.gather(
        guess(street, ups, SIGN_UPS, TRIES, PHONE), guess(street, ins, SIGN_INS, TRIES, PHONE)
    )
    assert len(compared) == MOST


@WAYS
async def test_of_a_hundred_guesses_at_one_code_five_are_compared(
    street: Street, compared: Comparisons, way: str
) -> None:
    if way == SIGN_INS:
        await street.visitor().sign_up()
        compared.verdicts.clear()
    attempts = await street.neighbours(1, way)
    await guess(street, attempts, way, 100, PHONE)
    assert len(compared) == TRIES
    visitor, attempt = attempts[0]
    answer = await visitor.attempt(way, attempt, street.house.code())
    assert said([answer]) == {"verification_failed": 1}


async def test_a_right_code_among_many_guesses_is_one_of_those_counted(
    street: Street, compared: Comparisons
) -> None:
    """Counting and comparing are two units: no burst may slip a right code between them."""
    attempts = await street.neighbours(40, SIGN_UPS)
    codes = {one.code for one in street.house.inbox.messages(PHONE)}
    wrong = street.house.wrong()
    typed = [wrong, *codes][:5]
    tries = [one.attempt(SIGN_UPS, attempt, code) for code in typed for one, attempt in attempts]
    answers = Counter(said(await asyncio.gather(*tries)))
    assert compared.wrong <= MOST
    assert len(compared) <= MOST + answers["ok"]
    assert answers["ok"] <= 1
    assert street.house.rows("sessions")["sessions"] == answers["ok"]


# ── one after another ─────────────────────────────────────────────────────────────────
@WAYS
async def test_a_loop_of_restarts_wins_no_guess(
    street: Street, compared: Comparisons, way: str
) -> None:
    if way == SIGN_INS:
        await street.visitor().sign_up()
        compared.verdicts.clear()
    street.house.allow_many_codes()
    visitor, refused = street.visitor(), 0
    form = {"identifier": PHONE} if way == SIGN_INS else {"phone_number": PHONE}
    for _ in range(20):
        begun = await visitor.post(way, {**form, "strategy": "phone_code"})
        if begun.status_code != 200:
            refused += said([begun])["user_locked"]
            continue
        attempt = begun.json()["response"]["id"]
        for _ in range(TRIES - 1):
            await visitor.attempt(way, attempt, street.house.wrong())
    assert len(compared) == MOST
    assert refused > 10  # no code is sent, and paid for, that could not be tried


@WAYS
async def test_a_loop_of_resends_wins_no_guess(
    street: Street, compared: Comparisons, way: str
) -> None:
    if way == SIGN_INS:
        await street.visitor().sign_up()
        compared.verdicts.clear()
    [(visitor, attempt)] = await street.neighbours(1, way)
    resend = visitor.prepare_sign_in if way == SIGN_INS else visitor.prepare_sign_up
    for _ in range(30):
        await visitor.attempt(way, attempt, street.house.wrong())
        street.house.clock.advance(limits.RESEND_AFTER)
        await resend(attempt)
    assert len(compared) <= MOST
    assert len(compared) >= TRIES


async def test_an_hour_later_ten_more_and_no_more(street: Street, compared: Comparisons) -> None:
    for hours in (1, 2, 3):
        attempts = await street.neighbours(10, SIGN_UPS)
        await guess(street, attempts, SIGN_UPS, TRIES, PHONE)
        assert len(compared) == hours * MOST
        street.house.clock.advance(HOUR)


# ── whose guesses they are ────────────────────────────────────────────────────────────
async def lock_out(street: Street, to: str = PHONE) -> Street:
    """Let strangers use up all that strangers have."""
    attempts = await street.neighbours(10, SIGN_INS, to)
    answers = await guess(street, attempts, SIGN_INS, TRIES, to)
    assert answers["user_locked"]
    return street


@pytest.mark.parametrize("to", [PHONE, EMAIL])
async def test_strangers_never_keep_out_a_device_that_was_here(street: Street, to: str) -> None:
    owner = street.visitor()
    await owner.sign_up(to)
    await owner.sign_out()
    await lock_out(street, to)
    assert (await owner.sign_in(to)).json()["response"]["status"] == "complete"


async def test_a_new_device_is_kept_out_for_an_hour_at_most_and_the_operator_sees_it(
    street: Street,
) -> None:
    await street.visitor().sign_up()
    begun = await street.neighbours(1, SIGN_INS)
    await lock_out(street)
    new, attempt = begun[0]
    answer = await new.attempt(SIGN_INS, attempt, street.house.code())
    assert said([answer]) == {"user_locked": 1}
    seconds = int(answer.headers["retry-after"])
    assert 0 < seconds <= HOUR // SECOND
    async with street.house.storage.reading() as tx:
        [line, *_] = await tx.events(0, 10, subject=f"phone_number:{PHONE}", name="limit.refused")
    assert line.event.bucket == limits.GUESSES
    street.house.clock.advance(seconds * SECOND)
    assert (await street.visitor().sign_in()).status_code == 200


async def test_each_known_device_has_ten_of_its_own(street: Street, compared: Comparisons) -> None:
    known = [street.visitor() for _ in range(limits.KNOWN_DEVICES)]
    await known[0].sign_up()
    for one in known:
        if one is not known[0]:
            street.house.clock.advance(HOUR)
            await one.sign_in()
        await one.sign_out()
    await lock_out(street)
    for one in known:
        compared.verdicts.clear()
        for _ in range(4):
            begun = await one.post(SIGN_INS, {"identifier": PHONE, "strategy": "phone_code"})
            if begun.status_code == 200:
                attempt = begun.json()["response"]["id"]
                for _ in range(TRIES - 1):
                    await one.attempt(SIGN_INS, attempt, street.house.wrong())
        assert len(compared) == MOST


async def test_a_device_is_known_to_the_identifiers_of_its_account_alone(
    street: Street, compared: Comparisons
) -> None:
    """A thief's own account must not open a budget at his victim's."""
    await street.visitor().sign_up(PHONE)
    thieves = [street.visitor() for _ in range(3)]
    await thieves[0].sign_up(OTHER_PHONE)
    for one in thieves:
        if one is not thieves[0]:
            street.house.clock.advance(MINUTE)
            await one.sign_in(OTHER_PHONE)
        await one.sign_out()
    compared.verdicts.clear()
    street.house.allow_many_codes()
    attempts = [(one, await one.begin(SIGN_INS)) for one in thieves]
    await guess(street, attempts, SIGN_INS, TRIES, PHONE)
    assert len(compared) == MOST


async def test_an_address_that_was_never_proved_makes_no_device_known(
    build: Any, compared: Comparisons
) -> None:
    """Whoever signs up by a stranger's mailbox, unproved, could come back as ever new devices
    of "its owner", each with guesses and with codes of its own."""
    street = await build(instance={"email": UNPROVED})
    thief = street.visitor()
    street.house.allow_many_codes()
    attempt = await thief.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    await thief.prepare_sign_up(attempt)
    done = await thief.attempt_sign_up(attempt, street.house.code())
    assert done.json()["response"]["status"] == "complete"
    compared.verdicts.clear()
    mail = done.json()["client"]["sessions"][0]["user"]["email_addresses"][0]["id"]
    for _ in range(3):
        again = street.visitor()
        await again.sign_in(PHONE)
        for _ in range(3):
            path = f"/v1/me/email_addresses/{mail}"
            await again.post(f"{path}/prepare_verification", {"strategy": "email_code"})
            for _ in range(TRIES):
                form = {"code": street.house.wrong(EMAIL)}
                await again.post(f"{path}/attempt_verification", form)
        street.house.clock.advance(MINUTE)
    assert compared.wrong == MOST


# ── any order of everything ───────────────────────────────────────────────────────────
STEPS = st.one_of(
    st.tuples(st.just("guess"), st.integers(0, 2), st.integers(1, 6)),
    st.tuples(st.just("right"), st.integers(0, 2), st.just(1)),
    st.tuples(st.just("resend"), st.integers(0, 2), st.just(1)),
    st.tuples(st.just("sign in"), st.integers(0, 2), st.just(1)),
    st.tuples(st.just("sign up"), st.integers(0, 2), st.just(1)),
    st.tuples(st.just("wait"), st.just(0), st.sampled_from([1, 9, 30, 59, 60])),
)


@dataclass
class Model:
    """What should have been compared: when, under whose name."""

    wrong: dict[str, list[int]] = field(default_factory=dict)

    def left(self, name: str, now: int) -> int:
        """How many guesses are left to a name."""
        return MOST - sum(at > now - HOUR for at in self.wrong.get(name, []))

    def spend(self, name: str, now: int, many: int) -> None:
        """Note guesses that were wrong."""
        assert many <= self.left(name, now)
        self.wrong.setdefault(name, []).extend([now] * many)


class Play:
    """One run of steps: three browsers, of which those that signed in are known."""

    def __init__(self, street: Street, compared: Comparisons) -> None:
        self.street, self.compared, self.model = street, compared, Model()
        self.browsers = [street.visitor() for _ in range(3)]
        self.under_way: dict[int, tuple[str, str]] = {}
        self.known: set[int] = set()

    @property
    def now(self) -> int:
        return self.street.house.clock.now

    def name(self, who: int) -> str:
        """Under whose name this browser's guesses are counted."""
        return f"known {who}" if who in self.known else "everybody else"

    async def play(self, steps: list[tuple[str, int, int]]) -> None:
        for step, who, many in steps:
            if step == "wait":
                self.street.house.clock.advance(many * MINUTE)
            elif step in ("sign in", "sign up"):
                await self.restart(who, SIGN_INS if step == "sign in" else SIGN_UPS)
            elif who in self.under_way:
                await getattr(self, step)(who, many)

    async def restart(self, who: int, way: str) -> None:
        browser = self.browsers[who]
        await browser.sign_out()
        form = {"identifier": PHONE} if way == SIGN_INS else {"phone_number": PHONE}
        answer = await browser.post(way, {**form, "strategy": "phone_code"})
        self.expect_locked_rightly(who, said([answer]))
        self.under_way.pop(who, None)
        if answer.status_code == 200:
            self.under_way[who] = way, answer.json()["response"]["id"]

    async def resend(self, who: int, many: int) -> None:
        way, attempt = self.under_way[who]
        browser = self.browsers[who]
        resend = browser.prepare_sign_in if way == SIGN_INS else browser.prepare_sign_up
        self.expect_locked_rightly(who, said([await resend(attempt)]))

    async def guess(self, who: int, many: int) -> None:
        way, attempt = self.under_way[who]
        browser, before = self.browsers[who], self.compared.wrong
        code, left = self.street.house.wrong(), self.model.left(self.name(who), self.now)
        tries = [browser.attempt(way, attempt, code) for _ in range(many)]
        answers = said(await asyncio.gather(*tries))
        compared = self.compared.wrong - before
        self.model.spend(self.name(who), self.now, compared)
        if "user_locked" in answers:
            assert compared == left

    async def right(self, who: int, many: int) -> None:
        way, attempt = self.under_way[who]
        browser, before = self.browsers[who], self.compared.wrong
        answer = await browser.attempt(way, attempt, self.newest_code(who))
        self.model.spend(self.name(who), self.now, self.compared.wrong - before)
        self.expect_locked_rightly(who, said([answer]))
        if answer.status_code == 200 and answer.json()["response"]["status"] == "complete":
            self.known.add(who)
            del self.under_way[who]

    def newest_code(self, who: int) -> str:
        """A code of the three browsers' is a guess for the other two."""
        return self.street.house.code()

    def expect_locked_rightly(self, who: int, answers: dict[str, int]) -> None:
        """Nobody is locked out whose own budget is not used up."""
        if "user_locked" in answers:
            assert self.model.left(self.name(who), self.now) == 0


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=10, max_size=40))
def test_in_no_order_of_steps_more_than_ten_guesses_an_hour_are_compared(
    engine: Engine, steps: list[tuple[str, int, int]]
) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
            async with open_street(Path(directory), Plan(), engine) as street:
                street.house.allow_many_codes()
                await Play(street, Comparisons(patch)).play(steps)

    asyncio.run(play())


def test_the_model_itself_refuses_an_eleventh_guess() -> None:
    model = Model()
    model.spend("everybody else", 0, MOST)
    with pytest.raises(AssertionError):
        model.spend("everybody else", HOUR - 1, 1)
    model.spend("everybody else", HOUR, 1)
