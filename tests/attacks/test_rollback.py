"""Storage that fails at the worst moment: nothing is given back, nothing is opened half.

A guess that was compared stays counted whatever happens next; a unit that was taken back
never leads to an answer that says otherwise.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from doorcode.domain import limits
from doorcode.flows import codes
from doorcode.storage.interface import Unavailable

from .street import (
    PHONE,
    SIGN_INS,
    SIGN_UPS,
    Comparisons,
    Engine,
    Street,
    Visitor,
    open_street,
    said,
)

BUSY = {"service_unavailable": 1}
WAYS = pytest.mark.parametrize("way", [SIGN_INS, SIGN_UPS])


class Failing:
    """An engine whose nth unit from now fails at its commit: nothing of it is kept.

    With `kept` it is on disk all the same, and only the word of it is lost.
    """

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self.fails_at: int | None = None
        self.kept = False
        self.begun = 0

    def fail_at(self, unit: int, *, kept: bool = False) -> None:
        self.fails_at, self.kept, self.begun = unit, kept, 0

    def recover(self) -> None:
        self.fails_at = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self.begun += 1
        fails = self.begun == self.fails_at
        async with self._storage.transaction() as tx:
            yield tx
            if fails and not self.kept:
                raise Unavailable("injected at the commit")
        if fails:
            raise Unavailable("injected after the commit")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


@pytest.fixture
async def street(tmp_path: Path, engine: Engine) -> AsyncIterator[Street]:
    """A server whose storage can fail."""
    async with open_street(tmp_path, engine=lambda path: Failing(engine(path))) as opened:
        yield opened


@pytest.fixture
def storage(street: Street) -> Any:
    return street.house.storage


async def begun(street: Street, way: str) -> tuple[Visitor, str]:
    if way == SIGN_INS:
        await street.visitor().sign_up()
    visitor = street.visitor()
    attempt = await visitor.begin(way)
    await street.delivered()
    return visitor, attempt


def counted(street: Street) -> tuple[int, int]:
    """The guesses that are counted at the identifier, and the sessions that are there."""
    with sqlite3.connect(street.house.database) as connection:
        query = "SELECT count(*) FROM guesses WHERE address = ?"
        [guesses] = connection.execute(query, [f"phone_number:{PHONE}"]).fetchone()
    connection.close()
    return guesses, street.house.rows("sessions")["sessions"]


# ── the unit that counts ──────────────────────────────────────────────────────────────
@WAYS
async def test_a_guess_that_could_not_be_counted_is_not_compared(
    street: Street, storage: Failing, compared: Comparisons, way: str
) -> None:
    visitor, attempt = await begun(street, way)
    before, made = counted(street), len(compared)
    for code in (street.house.wrong(), street.house.code()):
        storage.fail_at(1)
        answer = await visitor.attempt(way, attempt, code)
        assert said([answer]) == BUSY
        assert answer.status_code == 503
    storage.recover()
    assert len(compared) == made
    assert counted(street) == before


@WAYS
async def test_a_count_that_was_kept_stays_though_the_answer_failed(
    street: Street, storage: Failing, compared: Comparisons, way: str
) -> None:
    visitor, attempt = await begun(street, way)
    guesses, sessions = counted(street)
    made = len(compared)
    storage.fail_at(1, kept=True)
    assert said([await visitor.attempt(way, attempt, street.house.code())]) == BUSY
    storage.recover()
    assert len(compared) == made
    assert counted(street) == (guesses + 1, sessions)


# ── the unit that consumes ────────────────────────────────────────────────────────────
@WAYS
async def test_without_consumption_there_is_no_session_and_the_guess_stays_counted(
    street: Street, storage: Failing, way: str
) -> None:
    visitor, attempt = await begun(street, way)
    guesses, sessions = counted(street)
    code, token = street.house.code(), visitor.token
    storage.fail_at(2)
    answer = await visitor.attempt(way, attempt, code)
    storage.recover()
    assert said([answer]) == BUSY
    assert "set-cookie" not in answer.headers
    assert visitor.token == token
    assert counted(street) == (guesses + 1, sessions)
    assert said([await visitor.attempt(way, attempt, code)]) == {"ok": 1}
    assert counted(street) == (guesses + 1, sessions + 1)


@WAYS
async def test_a_code_that_was_consumed_opens_no_second_session_though_the_answer_failed(
    street: Street, storage: Failing, way: str
) -> None:
    visitor, attempt = await begun(street, way)
    guesses, sessions = counted(street)
    storage.fail_at(2, kept=True)
    assert said([await visitor.attempt(way, attempt, street.house.code())]) == BUSY
    storage.recover()
    assert "ok" not in said([await visitor.attempt(way, attempt, street.house.code())])
    assert counted(street) == (guesses, sessions + 1)


@WAYS
async def test_right_codes_that_fail_for_ever_are_no_free_guesses(
    street: Street, storage: Failing, compared: Comparisons, way: str
) -> None:
    """Each costs a try, as a wrong one does: an attacker can make a disk full."""
    visitor, attempt = await begun(street, way)
    compared.verdicts.clear()
    for _ in range(limits.TRIES_PER_VERIFICATION + 3):
        storage.fail_at(2)
        await visitor.attempt(way, attempt, street.house.code())
    storage.recover()
    assert len(compared) == limits.TRIES_PER_VERIFICATION
    last = await visitor.attempt(way, attempt, street.house.code())
    assert said([last]) == {"verification_failed": 1}


@WAYS
async def test_of_many_right_codes_some_of_which_fail_one_enters(
    street: Street, storage: Failing, way: str
) -> None:
    visitor, attempt = await begun(street, way)
    _, sessions = counted(street)
    token = visitor.token
    assert token
    copies = [visitor.with_token(token) for _ in range(20)]
    storage.fail_at(3)
    code = street.house.code()
    answers = said(await asyncio.gather(*(one.attempt(way, attempt, code) for one in copies)))
    storage.recover()
    assert answers.get("ok", 0) <= 1
    assert counted(street)[1] == sessions + answers.get("ok", 0)


# ── the lock ──────────────────────────────────────────────────────────────────────────
@WAYS
async def test_the_fifth_wrong_code_locks_though_its_settling_fails(
    street: Street, storage: Failing, way: str
) -> None:
    visitor, attempt = await begun(street, way)
    wrong = street.house.wrong()
    for _ in range(limits.TRIES_PER_VERIFICATION - 1):
        await visitor.attempt(way, attempt, wrong)
    storage.fail_at(2)
    assert said([await visitor.attempt(way, attempt, wrong)]) == BUSY
    storage.recover()
    answer = await visitor.attempt(way, attempt, street.house.code())
    assert said([answer]) == {"verification_failed": 1}


async def test_the_count_outlives_whatever_fails_after_it(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-35597: the lock was written in the unit that the refusal took back."""
    visitor, attempt = await begun(street, SIGN_UPS)
    guesses, _ = counted(street)

    def fail(*arguments: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(codes, "judge", fail)
        answer = await visitor.attempt(SIGN_UPS, attempt, street.house.code())
    assert answer.status_code == 500
    assert counted(street)[0] == guesses + 1


async def test_a_refusal_is_remembered_though_its_unit_was_taken_back(street: Street) -> None:
    attempts = await street.neighbours(4, SIGN_UPS)
    for visitor, attempt in attempts:
        for _ in range(4):
            await visitor.attempt(SIGN_UPS, attempt, street.house.wrong())
    assert counted(street)[0] == limits.GUESSES_PER_ADDRESS
    async with street.house.storage.reading() as tx:
        [event] = await tx.events(0, 100, name="limit.refused")
    assert event.event.subject == f"phone_number:{PHONE}"


async def test_who_hangs_up_after_guessing_has_guessed(
    street: Street, compared: Comparisons
) -> None:
    """The answer is not waited for: the count must not be cancelled with the request."""
    attempts = await street.neighbours(4, SIGN_UPS)
    compared.verdicts.clear()
    port = int(street.url.rpartition(":")[2])
    for visitor, attempt in attempts * 5:
        body = f"strategy=phone_code&code={street.house.wrong()}"
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST {SIGN_UPS}/{attempt}/attempt_verification HTTP/1.1\r\nhost: localhost\r\n"
            f"cookie: __client={visitor.token}\r\ncontent-length: {len(body)}\r\n"
            f"content-type: application/x-www-form-urlencoded\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()
    # Every request of this visitor comes after those: the storage has one writer.
    for visitor, attempt in attempts:
        await visitor.attempt(SIGN_UPS, attempt, street.house.wrong())
    assert len(compared) == limits.GUESSES_PER_ADDRESS
    assert counted(street)[0] == limits.GUESSES_PER_ADDRESS
