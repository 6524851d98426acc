"""The second step of signing in."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain import limits
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute
from doorcode.domain.sign_in import SignIn
from doorcode.flows import backup_codes, second_factor, sign_in
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, EMAIL, PHONE, World

BY_PHONE, BY_EMAIL = sign_in.Wish(PHONE), sign_in.Wish(EMAIL)


async def two_steps(world: World) -> str:
    """Ada, whose number is reserved for the second step; her id."""
    world.switch(phone=Attribute(used_for_second_factor=True), backup_codes=True)
    _, account = await world.account(ADA, ADA_MAIL)
    assert account.user is not None
    world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", ADA)
    return account.user.id


async def at_second_step(world: World) -> tuple[Caller, SignIn]:
    caller, attempt = await world.asked_to_sign_in(ADA_MAIL)
    done = await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert done.refusal is None
    assert done.subject is not None
    assert done.client_token is None  # nobody is signed in yet
    return caller, done.subject


async def test_the_right_first_code_leads_to_the_second_step(world: World) -> None:
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    assert attempt.status == "needs_second_factor"
    assert world.rows("SELECT count(*) FROM sessions WHERE client_id = ?", caller.client_id) == [
        (0,)
    ]


async def test_the_right_second_code_signs_in(world: World) -> None:
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    await second_factor.send_code(world.deps, caller, attempt.id, BY_PHONE)
    assert world.post.announced[-1].to == ADA
    done = await second_factor.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.subject is not None
    assert done.client is not None
    assert done.client_token
    assert done.subject.status == "complete"
    [(session, _)] = done.client.sessions
    assert session.factor_age(world.clock()) == [0, 0]


async def test_the_first_code_is_no_second_code(world: World) -> None:
    """Who holds the mailbox must not get in by typing the mailed code twice."""
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    first = world.code
    await second_factor.send_code(world.deps, caller, attempt.id, BY_PHONE)
    for strategy in (EMAIL, PHONE):
        try:
            answer = await second_factor.try_code(world.deps, caller, attempt.id, strategy, first)
            said = answer.refusal.code if answer.refusal else None
        except Refused as refused:
            said = refused.refusal.code
        assert said in ("verification_strategy_invalid", "form_code_incorrect")


async def test_a_second_code_cannot_travel_by_the_first_channel(world: World) -> None:
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    with pytest.raises(Refused, match="no_second_factors"):
        await second_factor.send_code(world.deps, caller, attempt.id, BY_EMAIL)


async def test_the_second_step_cannot_come_first(world: World) -> None:
    await two_steps(world)
    caller, attempt = await world.signing_in(ADA_MAIL)
    for story in (
        second_factor.send_code(world.deps, caller, attempt.id, BY_PHONE),
        second_factor.try_code(world.deps, caller, attempt.id, PHONE, "123456"),
        second_factor.try_backup_code(world.deps, caller, attempt.id, "abcd-efgh"),
    ):
        with pytest.raises(Refused, match="client_state_invalid"):
            await story


async def test_the_first_step_is_over_when_it_is_done(world: World) -> None:
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    with pytest.raises(Refused, match="verification_already_verified"):
        await sign_in.send_code(world.deps, caller, attempt.id, BY_EMAIL)


async def test_a_reserved_number_gets_no_first_code(world: World) -> None:
    await two_steps(world)
    caller, attempt = await world.signing_in(ADA)
    with pytest.raises(Refused, match="strategy_for_user_invalid"):
        await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)


async def test_second_codes_run_out_like_first_ones(world: World) -> None:
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    await second_factor.send_code(world.deps, caller, attempt.id, BY_PHONE)
    said = []
    for _ in range(limits.TRIES_PER_VERIFICATION):
        answer = await second_factor.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
        said.append(answer.refusal.code if answer.refusal else None)
    assert said == ["form_code_incorrect"] * 4 + ["verification_failed"]
    with pytest.raises(Refused, match="verification_failed"):
        await second_factor.try_code(world.deps, caller, attempt.id, PHONE, world.code)


async def test_of_two_right_second_codes_at_once_one_signs_in(world: World) -> None:
    await two_steps(world)
    caller, attempt = await at_second_step(world)
    await second_factor.send_code(world.deps, caller, attempt.id, BY_PHONE)
    tries = [
        second_factor.try_code(world.deps, caller, attempt.id, PHONE, world.code) for _ in range(5)
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    won = [one for one in answers if not isinstance(one, BaseException) and one.refusal is None]
    assert len(won) == 1
    assert world.rows("SELECT count(*) FROM sessions WHERE client_id = ?", caller.client_id) == [
        (1,)
    ]


# ── backup codes ──────────────────────────────────────────────────────────────────────
async def with_backup_codes(world: World) -> tuple[Caller, SignIn]:
    user_id = await two_steps(world)
    digests = [backup_codes.digest_backup_code(world.deps, user_id, one) for one in CODES]
    async with world.deps.storage.transaction() as tx:
        await tx.replace_backup_codes(user_id, digests)
    return await at_second_step(world)


CODES = ["abcdefgh", "ijklmnop"]


async def test_a_backup_code_signs_in_once(world: World) -> None:
    caller, attempt = await with_backup_codes(world)
    done = await second_factor.try_backup_code(world.deps, caller, attempt.id, CODES[0])
    assert done.refusal is None
    assert done.user is not None
    assert done.user.backup_codes == 1
    caller, attempt = await at_second_step(world)
    again = await second_factor.try_backup_code(world.deps, caller, attempt.id, CODES[0])
    assert again.refusal is not None
    assert again.refusal.code == "form_code_incorrect"


async def test_of_one_backup_code_used_by_many_at_once_one_signs_in(world: World) -> None:
    first = await with_backup_codes(world)
    attempts = [first, *[await at_second_step(world) for _ in range(4)]]
    answers = await asyncio.gather(
        *[
            second_factor.try_backup_code(world.deps, caller, attempt.id, CODES[0])
            for caller, attempt in attempts
        ]
    )
    assert [one.refusal is None for one in answers].count(True) == 1


async def test_backup_codes_cannot_be_guessed_from_many_clients(world: World) -> None:
    first = await with_backup_codes(world)
    attempts = [first, await at_second_step(world), await at_second_step(world)]
    counted = 0
    with pytest.raises(Refused, match="user_locked"):
        for turn in range(100):
            caller, attempt = attempts[turn % 3]
            await second_factor.try_backup_code(world.deps, caller, attempt.id, "wrongcode")
            counted += 1
    assert counted == limits.GUESSES_PER_ADDRESS
    with pytest.raises(Refused, match="user_locked"):
        await second_factor.try_backup_code(world.deps, *_of(first), CODES[1])


def _of(attempt: tuple[Caller, SignIn]) -> tuple[Caller, str]:
    return attempt[0], attempt[1].id


async def test_backup_codes_that_are_off_are_no_factor(world: World) -> None:
    caller, attempt = await with_backup_codes(world)
    world.switch(backup_codes=False)
    with pytest.raises(Refused, match="no_second_factors"):
        await second_factor.try_backup_code(world.deps, caller, attempt.id, CODES[0])


# ── a new browser ─────────────────────────────────────────────────────────────────────
async def test_a_new_browser_is_asked_for_the_other_channel_once(world: World) -> None:
    world.switch(client_trust=True)
    await world.account(ADA, ADA_MAIL)
    caller, attempt = await world.asked_to_sign_in(ADA_MAIL)
    step = await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert step.subject is not None
    assert step.subject.status == "needs_client_trust"
    await second_factor.send_code(world.deps, caller, attempt.id, BY_PHONE)
    done = await second_factor.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.subject is not None
    assert done.subject.status == "complete"
    [(session, _)] = (done.client or pytest.fail("no client")).sessions
    world.write("UPDATE sessions SET status = 'ended' WHERE id = ?", session.id)
    world.clock.forward(limits.RESEND_AFTER)
    _, again = await world.signing_in(ADA_MAIL, caller)
    await sign_in.send_code(world.deps, caller, again.id, BY_EMAIL)
    known = await sign_in.try_code(world.deps, caller, again.id, EMAIL, world.code)
    assert known.subject is not None
    assert known.subject.status == "complete"
