"""Using and ending a session."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute
from doorcode.domain.session import Status
from doorcode.flows import client as clients
from doorcode.flows import session, sign_in
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, PHONE, World


async def signed_in(world: World, phone: str = ADA) -> tuple[Caller, str]:
    caller, answer = await world.account(phone)
    assert answer.subject is not None
    assert answer.subject.created_session_id is not None
    return caller, answer.subject.created_session_id


async def test_session_is_shown_to_its_client(world: World) -> None:
    caller, session_id = await signed_in(world)
    answer = await session.get(world.deps, caller, session_id)
    assert answer.subject is not None
    assert answer.user is not None
    assert (answer.subject.id, answer.subject.status) == (session_id, Status.ACTIVE)
    assert answer.user.identifier == ADA


async def test_session_is_nobody_elses(world: World) -> None:
    _, session_id = await signed_in(world)
    other, _ = await signed_in(world, BEA)
    for story in (
        session.get(world.deps, other, session_id),
        session.touch(world.deps, other, session_id),
        session.refresh(world.deps, other, session_id),
        session.end(world.deps, other, session_id, Status.ENDED),
    ):
        with pytest.raises(Refused, match="resource_not_found"):
            await story
    assert world.rows("SELECT DISTINCT status FROM sessions") == [("active",)]


async def test_signed_out_browser_is_told_so(world: World) -> None:
    _, session_id = await signed_in(world)
    for story in (
        session.refresh(world.deps, Caller(), session_id),
        session.of_request(world.deps, Caller(), None),
    ):
        with pytest.raises(Refused, match="signed_out"):
            await story


async def test_a_refresh_asks_nothing_of_the_limits(world: World) -> None:
    """Every open page refreshes each minute: what it costs is what a server can carry."""
    caller, session_id = await signed_in(world)
    with world.statements() as run:
        await session.refresh(world.deps, caller, session_id)
    assert run == ["client", "session"]


async def test_touch_notes_the_time(world: World) -> None:
    caller, session_id = await signed_in(world)
    world.clock.forward(60_000)
    before = world.storage.kept
    answer = await session.touch(world.deps, caller, session_id)
    assert world.storage.kept == before + 1
    assert answer.subject is not None
    assert answer.subject.last_active_at == world.clock()
    assert world.rows("SELECT last_active_at FROM sessions") == [(world.clock(),)]


async def test_touch_moves_the_current_session_only(world: World) -> None:
    caller, session_id = await signed_in(world)
    before = await clients.show(world.deps, caller)
    world.clock.forward(60_000)
    answer = await session.touch(world.deps, caller, session_id)
    assert before is not None
    assert answer.client is not None
    assert answer.client.client.updated_at == before.client.updated_at
    assert answer.client.client.last_active_session_id == session_id


async def test_refresh_writes_nothing(world: World) -> None:
    caller, session_id = await signed_in(world)
    before = world.storage.begun
    _, found = await session.refresh(world.deps, caller, session_id)
    assert found.id == session_id
    assert world.storage.begun == before


@pytest.mark.parametrize("how", [Status.ENDED, Status.REMOVED])
async def test_ended_session_is_over(world: World, how: Status) -> None:
    caller, session_id = await signed_in(world)
    answer = await session.end(world.deps, caller, session_id, how)
    assert answer.subject is not None
    assert answer.client is not None
    assert answer.subject.status is how
    assert answer.client.sessions == ()
    for story in (
        session.refresh(world.deps, caller, session_id),
        session.touch(world.deps, caller, session_id),
        session.end(world.deps, caller, session_id, how),
    ):
        with pytest.raises(Refused, match="authentication_invalid"):
            await story


async def test_session_ends_with_its_time(world: World) -> None:
    caller, session_id = await signed_in(world)
    world.clock.forward(world.deps.instance.session_lives_for - 1)
    await session.refresh(world.deps, caller, session_id)
    world.clock.forward(1)
    with pytest.raises(Refused, match="authentication_invalid"):
        await session.refresh(world.deps, caller, session_id)
    with pytest.raises(Refused, match="signed_out"):
        await session.of_request(world.deps, caller, None)


async def test_session_ended_by_many_ends_once(world: World) -> None:
    caller, session_id = await signed_in(world)
    ends = [session.end(world.deps, caller, session_id, Status.ENDED) for _ in range(5)]
    outcomes = await asyncio.gather(*ends, return_exceptions=True)
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 4
    assert sum(isinstance(outcome, clients.Answer) for outcome in outcomes) == 1


async def test_request_means_the_last_active_session(world: World) -> None:
    world.switch(single_session=False)
    await world.account(BEA)
    caller, first = await signed_in(world, ADA)
    _, attempt = await world.signing_in(BEA, caller)
    await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    _, meant, user = await session.of_request(world.deps, caller, None)
    assert user.identifier == BEA
    assert meant.id != first
    _, named, owner = await session.of_request(world.deps, caller, first)
    assert (named.id, owner.identifier) == (first, ADA)
    await session.touch(world.deps, caller, first)
    _, meant, _ = await session.of_request(world.deps, caller, None)
    assert meant.id == first


async def test_request_cannot_name_an_ended_session(world: World) -> None:
    world.switch(single_session=False)
    await world.account(BEA)
    caller, first = await signed_in(world, ADA)
    _, attempt = await world.signing_in(BEA, caller)
    await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    await session.end(world.deps, caller, first, Status.REMOVED)
    with pytest.raises(Refused, match="authentication_invalid"):
        await session.of_request(world.deps, caller, first)


async def test_other_session_stays_current_when_one_ends(world: World) -> None:
    world.switch(single_session=False)
    await world.account(BEA)
    caller, first = await signed_in(world, ADA)
    _, attempt = await world.signing_in(BEA, caller)
    await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    await session.end(world.deps, caller, first, Status.REMOVED)
    _, _, user = await session.of_request(world.deps, caller, None)
    assert user.identifier == BEA


async def test_new_session_replaces_the_client_s_own(world: World) -> None:
    caller, first = await signed_in(world)
    async with world.storage.transaction() as tx:
        client = await tx.lock_client(caller.client_id)
        [(_, user)] = (await clients.view(tx, client, world.clock())).sessions
        _, started, token = await session.start(world.deps, tx, client, user)
    assert token
    assert world.rows("SELECT status FROM sessions WHERE id = ?", first) == [("replaced",)]
    assert world.rows("SELECT status FROM sessions WHERE id = ?", started.id) == [("active",)]


async def test_sessions_of_other_clients_stay(world: World) -> None:
    laptop, first = await signed_in(world)
    phone, attempt = await world.asked_to_sign_in()
    await sign_in.try_code(world.deps, phone, attempt.id, PHONE, world.code)
    _, found = await session.refresh(world.deps, laptop, first)
    assert found.status is Status.ACTIVE


# ── a session that waits for a second step ────────────────────────────────────────────
async def waiting(world: World) -> tuple[Caller, str]:
    """Somebody signed in by mail where two steps are asked of everybody."""
    second = Attribute(used_for_second_factor=True)
    world.switch(phone=second, mfa_required=True)
    caller, answer = await world.account(None, ADA_MAIL)
    assert answer.subject is not None
    assert answer.subject.created_session_id is not None
    return caller, answer.subject.created_session_id


async def status_of(world: World, caller: Caller, session_id: str) -> Status:
    answer = await session.get(world.deps, caller, session_id)
    assert answer.subject is not None
    return answer.subject.status


async def test_session_waits_for_a_second_step(world: World) -> None:
    caller, session_id = await waiting(world)
    assert await status_of(world, caller, session_id) is Status.PENDING
    await session.refresh(world.deps, caller, session_id)
    await session.touch(world.deps, caller, session_id)
    assert await status_of(world, caller, session_id) is Status.PENDING


async def test_done_task_makes_a_session_active_once(world: World) -> None:
    caller, session_id = await waiting(world)
    for first in (True, False):
        async with world.storage.transaction() as tx:
            assert await tx.activate_session(session_id, world.clock()) is first
        assert await status_of(world, caller, session_id) is Status.ACTIVE


async def test_touch_ends_the_wait_where_no_second_step_is_asked_any_more(world: World) -> None:
    caller, session_id = await waiting(world)
    world.switch(mfa_required=False)
    answer = await session.touch(world.deps, caller, session_id)
    assert answer.subject is not None
    assert answer.client is not None
    assert answer.subject.status is Status.ACTIVE
    assert answer.client.sessions[0][0].status is Status.ACTIVE


async def test_second_step_set_up_elsewhere_opens_no_session_that_waits(world: World) -> None:
    """Who began it by one factor alone may be a thief of that factor.

    Nor does it help them that the instance stops asking everybody for a second.
    """
    caller, session_id = await waiting(world)
    [(user_id,)] = world.rows("SELECT id FROM users")
    world.write(
        "INSERT INTO addresses (id, user_id, kind, value, spelling, is_test, verified_at,"
        " created_at, updated_at, reserved_for_second_factor)"
        " VALUES ('idn_p', ?, 'phone_number', ?, ?, 0, 1, 1, 1, 1)",
        user_id, ADA, ADA,
    )  # fmt: skip
    for required in (True, False):
        world.switch(mfa_required=required)
        await session.touch(world.deps, caller, session_id)
        assert await status_of(world, caller, session_id) is Status.PENDING


async def test_ended_session_is_not_made_active(world: World) -> None:
    caller, session_id = await waiting(world)
    await session.end(world.deps, caller, session_id, Status.ENDED)
    async with world.storage.transaction() as tx:
        assert not await tx.activate_session(session_id, world.clock())
    assert await status_of(world, caller, session_id) is Status.ENDED


# ── a person who was banned ───────────────────────────────────────────────────────────
async def test_session_of_a_banned_person_is_good_for_nothing(world: World) -> None:
    caller, session_id = await signed_in(world)
    world.write("UPDATE users SET banned = 1")
    for story in (session.refresh, session.touch):
        with pytest.raises(Refused, match="user_banned"):
            await story(world.deps, caller, session_id)
    with pytest.raises(Refused, match="signed_out"):
        await session.of_request(world.deps, caller, None)
    shown = await clients.show(world.deps, caller)
    assert shown is not None
    assert (shown.sessions, shown.current) == ((), None)
    answer = await session.get(world.deps, caller, session_id)
    assert answer.subject is not None
    assert not answer.subject.is_live(world.clock())


async def test_browser_of_a_banned_person_is_free_for_somebody_else(world: World) -> None:
    caller, session_id = await signed_in(world)
    await signed_in(world, BEA)
    [(banned,)] = world.rows("SELECT user_id FROM sessions WHERE id = ?", session_id)
    world.write("UPDATE users SET banned = 1 WHERE id = ?", banned)
    _, attempt = await world.signing_in(BEA, caller)
    await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    answer = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    world.write("UPDATE users SET banned = 0")
    assert await status_of(world, caller, session_id) is Status.REPLACED


async def test_browser_of_a_banned_person_can_sign_up_somebody_else(world: World) -> None:
    caller, _ = await signed_in(world)
    world.write("UPDATE users SET banned = 1")
    _, attempt = await world.signing_up(BEA, caller=caller)
    assert attempt.status == "missing_requirements"


async def test_banned_person_can_sign_out(world: World) -> None:
    caller, session_id = await signed_in(world)
    world.write("UPDATE users SET banned = 1")
    answer = await session.end(world.deps, caller, session_id, Status.ENDED)
    assert answer.subject is not None
    assert world.rows("SELECT status FROM sessions") == [("ended",)]
