"""Servers that count guesses wrongly: each fails the row that is about it, and no other."""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from tests.web.house import House

from doorcode.domain import limits
from doorcode.domain.instance import Lockout
from doorcode.flows import codes
from doorcode.selfcheck import guesses
from doorcode.selfcheck.report import Verdict
from doorcode.storage.sql import SqlTransaction

from .conftest import Build, check, failed, people_of
from .fronts import Backend, Front, LocksEverybody

Patch = pytest.MonkeyPatch


async def count_nothing(*_: object, **__: object) -> bool:
    return True


async def test_guesses_that_are_not_counted_are_found(house: House, monkeypatch: Patch) -> None:
    monkeypatch.setattr(SqlTransaction, "spend_guess", count_nothing)
    report = await check(Front(house))
    assert failed(report) == {guesses.BY_ALL, guesses.BY_KNOWN}
    row = next(row for row in report.rows if row.guarantee == guesses.BY_ALL)
    assert "35 were compared, 0 refused as locked" in row.tried
    assert report.exit_status == 1


async def test_one_guess_too_many_is_found(build: Build) -> None:
    house = await build(instance={"lockout": Lockout(guesses.MOST + 1)})
    [row] = await guesses.by_all(await people_of(Front(house)))
    assert row.verdict is Verdict.FAILS
    assert "11 were compared" in row.tried


async def test_guesses_that_a_restart_forgets_are_found(house: House, monkeypatch: Patch) -> None:
    """Counted by the code alone, as where the count lies in the attempt."""
    counted: Counter[str] = Counter()
    current: ContextVar[str] = ContextVar("verification")
    count = codes.count

    async def count_for(deps: Any, tx: Any, caller: Any, verification: Any) -> Any:
        current.set(verification.id)
        return await count(deps, tx, caller, verification)

    async def spend(self: object, guess_id: str, subject: str, most: int, *_: Any) -> bool:
        counted[current.get()] += 1
        return counted[current.get()] <= most

    monkeypatch.setattr(codes, "count", count_for)
    monkeypatch.setattr(SqlTransaction, "spend_guess", spend)
    [row] = await guesses.by_all(await people_of(Front(house)))
    assert row.verdict is Verdict.FAILS
    assert "35 were compared, 0 refused as locked" in row.tried


async def test_a_known_client_that_guesses_without_end_is_found(
    house: House, monkeypatch: Patch
) -> None:
    spend = SqlTransaction.spend_guess

    async def spend_unless_known(self: Any, guess_id: str, subject: str, *more: Any) -> bool:
        return "@client_" in subject or await spend(self, guess_id, subject, *more)

    monkeypatch.setattr(SqlTransaction, "spend_guess", spend_unless_known)
    assert failed(await check(Front(house))) == {guesses.BY_KNOWN}


async def test_a_lock_that_keeps_known_clients_out_is_found(house: House) -> None:
    rows = await guesses.by_strangers(await people_of(LocksEverybody(house)))
    verdicts = {row.guarantee: row.verdict for row in rows}
    assert verdicts[guesses.KNOWN_ENTERS] is Verdict.FAILS
    assert verdicts[guesses.NEW_WAITS] is Verdict.HOLDS


async def test_a_lock_that_keeps_known_clients_out_fails_that_row_alone(house: House) -> None:
    assert failed(await check(LocksEverybody(house))) == {guesses.KNOWN_ENTERS}


async def test_a_lock_of_more_than_an_hour_is_found(build: Build) -> None:
    house = await build(instance={"lockout": Lockout(window=limits.HOUR + limits.MINUTE)})
    assert failed(await check(Front(house))) == {guesses.NEW_WAITS}


async def test_a_server_that_locks_nobody_shows_no_lock(build: Build) -> None:
    house = await build(instance={"lockout": Lockout(1_000)})
    rows = await guesses.by_strangers(await people_of(Front(house), secret_key=house.secret_key))
    verdicts = {row.guarantee: row.verdict for row in rows}
    assert verdicts[guesses.NEW_WAITS] is Verdict.NOT_RUN
    assert verdicts[guesses.OPERATOR_SEES] is Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({}, Verdict.HOLDS),
        ({"locked": False}, Verdict.FAILS),
        ({"lockout_expires_in_seconds": None}, Verdict.FAILS),
    ],
)
async def test_an_operator_must_see_the_lock_and_its_end(
    house: House, told: dict[str, object], verdict: Verdict
) -> None:
    front = Backend(house, told)
    rows = await guesses.by_strangers(await people_of(front, secret_key=house.secret_key))
    assert [row.verdict for row in rows if row.guarantee == guesses.OPERATOR_SEES] == [verdict]


async def test_an_operator_sees_the_lock_on_a_good_server(house: House) -> None:
    rows = await guesses.by_strangers(await people_of(Front(house), secret_key=house.secret_key))
    assert [row.verdict for row in rows] == [Verdict.HOLDS] * 3


async def test_a_server_where_nothing_can_be_guessed_does_not_pass(house: House) -> None:
    """Ten guesses at most is no achievement of a server that takes no code at all."""

    class TakesNone(Front):
        async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
            if request.url.path.endswith("/attempt_first_factor"):
                return httpx.Response(404, json={"errors": [{"code": "resource_not_found"}]})
            return await self.pass_on(request)

    [row] = await guesses.by_all(await people_of(TakesNone(house)))
    assert (row.verdict, "0 were compared" in row.tried) == (Verdict.FAILS, True)
