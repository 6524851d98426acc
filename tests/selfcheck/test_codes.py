"""Servers that let a code open too much: each fails the row that is about it, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.web.house import House

from doorcode.domain import errors
from doorcode.domain import sign_in as rules
from doorcode.domain.addresses import Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.sign_in import SignIn
from doorcode.domain.verification import Verification, judge
from doorcode.flows import client as clients
from doorcode.flows import codes, sign_in
from doorcode.selfcheck import codes as rows
from doorcode.selfcheck.report import Report, Verdict
from doorcode.storage.sql import SqlTransaction

from .conftest import check, failed
from .fronts import Front

Patch = pytest.MonkeyPatch


def tried(report: Report, guarantee: str) -> str:
    return next(row.tried for row in report.rows if row.guarantee == guarantee)


async def test_a_code_that_is_not_used_up_is_found(house: House, monkeypatch: Patch) -> None:
    """Several locks hold this door; the row must see it open, so all of them are taken off."""
    settle = SqlTransaction.settle

    async def settle_again(self: Any, *given: Any) -> bool:
        await settle(self, *given)
        return True

    async def whoever(tx: Any, caller: Any) -> Any:
        return await tx.lock_client(caller.client_id) if caller.client_id else None

    monkeypatch.setattr(SqlTransaction, "settle", settle_again)
    monkeypatch.setattr(SignIn, "expect_open", lambda *_: None)
    monkeypatch.setattr(SignIn, "expect_first_factor", lambda *_: None)
    monkeypatch.setattr(clients, "current", whoever)
    report = await check(Front(house))
    assert failed(report) == {rows.ONE_SESSION}
    assert "5 accepted" in tried(report, rows.ONE_SESSION)


async def test_a_code_that_lives_on_is_found(house: House, monkeypatch: Patch) -> None:
    count = SqlTransaction.count_try

    async def count_late(self: Any, verification_id: str, most: int, _: int) -> int | None:
        return await count(self, verification_id, most, 0)

    monkeypatch.setattr(SqlTransaction, "count_try", count_late)
    monkeypatch.setattr(Verification, "as_of", lambda self, _: self.status)
    monkeypatch.setattr(
        codes, "judge", lambda typed, kept, number, _: judge(typed, kept, number, 0)
    )
    assert failed(await check(Front(house), slow=True)) == {rows.NOT_EXPIRED}


async def test_an_expired_code_is_left_alone_unless_asked(house: House) -> None:
    report = await check(Front(house))
    [row] = [row for row in report.rows if row.guarantee == rows.NOT_EXPIRED]
    assert (row.verdict, "--slow" in row.tried) == (Verdict.NOT_RUN, True)


async def test_the_life_of_a_code_is_waited_out(house: House) -> None:
    report = await check(Front(house), slow=True)
    assert tried(report, rows.NOT_EXPIRED).startswith(
        "the right code, 602 s after it was sent: 400"
    )


async def test_a_code_of_another_attempt_is_found(house: House, monkeypatch: Patch) -> None:
    """The code is looked up by the address, whichever attempt it was made for."""
    newest: dict[str, Verification] = {}
    send, own = codes.send, sign_in._own

    async def send_and_remember(*given: Any) -> Any:
        made = await send(*given)
        newest[made[0].address.name] = made[0]
        return made

    async def own_with_any_code(deps: Any, tx: Any, caller: Any, sign_in_id: str) -> Any:
        client, found, user = await own(deps, tx, caller, sign_in_id)
        if found.first is None and found.identifier:
            found = replace(found, first=newest.get(found.identifier.name))
        return client, found, user

    monkeypatch.setattr(codes, "send", send_and_remember)
    monkeypatch.setattr(sign_in, "_own", own_with_any_code)
    assert failed(await check(Front(house))) == {rows.OTHER_ATTEMPT}


async def test_a_code_of_another_client_is_found(house: House, monkeypatch: Patch) -> None:
    """Whoever knows the attempt's id is taken for its client."""

    async def anybodys(deps: Any, tx: Any, caller: Any, sign_in_id: str) -> Any:
        found = await tx.sign_in(sign_in_id)
        client = await tx.lock_client(found.client_id) if found else None
        if client is None or client.sign_in_id != sign_in_id:
            raise Refused(errors.NOT_FOUND)
        return client, found, await tx.user(found.user_id)

    monkeypatch.setattr(sign_in, "_own", anybodys)
    assert failed(await check(Front(house))) == {rows.OTHER_CLIENT}


async def test_a_code_of_another_channel_is_found(house: House, monkeypatch: Patch) -> None:
    expect = rules._expect

    def by_any(verification: Verification | None, strategy: Strategy) -> Verification:
        return expect(verification, verification.strategy if verification else strategy)

    monkeypatch.setattr(rules, "_expect", by_any)
    assert failed(await check(Front(house))) == {rows.OTHER_CHANNEL}


async def test_a_code_of_another_instance_is_found(house: House, monkeypatch: Patch) -> None:
    """An attempt that is not here is taken for the one that the client has under way."""
    own = sign_in._own

    async def own_or_newest(deps: Any, tx: Any, caller: Any, sign_in_id: str) -> Any:
        client = await clients.current(tx, caller)
        if client and client.sign_in_id and await tx.sign_in(sign_in_id) is None:
            sign_in_id = client.sign_in_id
        return await own(deps, tx, caller, sign_in_id)

    monkeypatch.setattr(sign_in, "_own", own_or_newest)
    assert failed(await check(Front(house))) == {rows.OTHER_INSTANCE}
