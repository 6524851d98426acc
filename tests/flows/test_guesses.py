"""Whose guesses are whose: a stranger's cost the owner nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import parse_identifier
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Lockout
from doorcode.domain.session import Device
from doorcode.flows import client, guesses, me, sign_in, sign_up
from doorcode.flows.deps import Caller

from .world import ADA, BEA, PHONE, World

NETWORK = "203.0.113.7"


def at(address: str, caller: Caller | None = None) -> Caller:
    """A caller from a network address."""
    return replace(caller or Caller(), device=Device(ip_address=address))


async def refusal_of(story: Any) -> str | None:
    try:
        answer = await story
    except Refused as refused:
        return refused.refusal.code
    return answer.refusal.code if answer.refusal else None


async def lock(world: World, to: str = ADA) -> None:
    """Ten wrong codes from strangers."""
    address = parse_identifier(to, test_mode=True)
    for _ in range(limits.GUESSES_PER_ADDRESS):
        async with world.deps.storage.transaction() as tx:
            against = await guesses.budgets_for(world.deps, tx, Caller(), address)
            await guesses.spend(world.deps, tx, Caller(), against)


async def sign_in_on(world: World, caller: Caller, to: str = ADA) -> str | None:
    """A sign-in by the right code on a client that exists; how it is refused."""
    try:
        begun = await sign_in.start(world.deps, caller, sign_in.Wanted(to, PHONE))
    except Refused as refused:
        return refused.refusal.code
    assert begun.subject is not None
    return await refusal_of(
        sign_in.try_code(world.deps, caller, begun.subject.id, PHONE, world.code)
    )


async def signed_out(world: World) -> Caller:
    """Ada's own device: she has signed in on it, and out again."""
    caller, _ = await world.account()
    await client.sign_out(world.deps, caller)
    return caller


# ── known devices ─────────────────────────────────────────────────────────────────────
async def test_strangers_guesses_never_keep_the_owner_out_of_a_known_device(world: World) -> None:
    ada = await signed_out(world)
    await lock(world)
    assert await sign_in_on(world, ada) is None


async def test_a_new_device_waits_until_the_hour_is_over(world: World) -> None:
    await signed_out(world)
    await lock(world)
    asked = sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA, PHONE))
    assert await refusal_of(asked) == "user_locked"
    world.clock.forward(limits.GUESS_WINDOW - 1)
    asked = sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA, PHONE))
    assert await refusal_of(asked) == "user_locked"
    world.clock.forward(1)
    caller, attempt = await world.asked_to_sign_in()
    tried = sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refusal_of(tried) is None


async def test_the_operator_sees_who_was_refused_and_until_when(world: World) -> None:
    await signed_out(world)
    await lock(world)
    stranger = at(NETWORK)
    await refusal_of(sign_in.start(world.deps, stranger, sign_in.Wanted(ADA, PHONE)))
    async with world.deps.storage.reading() as tx:
        [line] = await tx.events(0, 10)
    assert (line.event.bucket, line.event.subject) == (limits.GUESSES, f"phone_number:{ADA}")
    assert line.event.network == NETWORK
    assert line.event.details == {"opens_in_seconds": 3600}


async def test_a_known_device_has_ten_guesses_and_no_more(world: World) -> None:
    world.switch_sending_limits_off()
    ada = await signed_out(world)
    said = []
    for _ in range(limits.GUESSES_PER_ADDRESS + 2):
        begun = await sign_in.start(world.deps, ada, sign_in.Wanted(ADA))
        assert begun.subject is not None
        wish = sign_in.Wish(PHONE)
        locked = await refusal_of(sign_in.send_code(world.deps, ada, begun.subject.id, wish))
        attempt = begun.subject.id
        said.append(
            locked
            or await refusal_of(sign_in.try_code(world.deps, ada, attempt, PHONE, world.wrong))
        )
    assert said == ["form_code_incorrect"] * 10 + ["user_locked"] * 2
    caller, attempt = await world.asked_to_sign_in()  # and nobody else pays for it
    tried = sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refusal_of(tried) is None


async def test_one_known_device_spends_nothing_of_another(world: World) -> None:
    world.switch_sending_limits_off()
    first = await signed_out(world)
    second = await other_device(world)
    address = parse_identifier(ADA, test_mode=True)
    for _ in range(limits.GUESSES_PER_ADDRESS):
        async with world.deps.storage.transaction() as tx:
            against = await guesses.budgets_for(world.deps, tx, first, address)
            assert guesses.is_known(against)
            await guesses.spend(world.deps, tx, first, against)
    assert await sign_in_on(world, first) == "user_locked"
    assert await sign_in_on(world, second) is None


async def other_device(world: World) -> Caller:
    """Another device on which Ada has signed in and out."""
    caller, attempt = await world.asked_to_sign_in()
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    await client.sign_out(world.deps, caller)
    world.clock.forward(1)
    return caller


async def test_only_the_last_devices_are_known(world: World) -> None:
    """Each has guesses of its own, so their number bounds all guesses."""
    world.switch_sending_limits_off()
    devices = [await signed_out(world)]
    world.clock.forward(1)
    devices += [await other_device(world) for _ in range(limits.KNOWN_DEVICES)]
    address = parse_identifier(ADA, test_mode=True)
    async with world.deps.storage.reading() as tx:
        known = [
            guesses.is_known(await guesses.budgets_for(world.deps, tx, one, address))
            for one in devices
        ]
    assert known == [False] + [True] * limits.KNOWN_DEVICES


async def test_a_device_is_known_to_its_person_only(world: World) -> None:
    ada = await signed_out(world)
    await world.account(BEA)
    await lock(world, BEA)
    assert await sign_in_on(world, ada, BEA) == "user_locked"


async def test_a_device_that_proved_one_of_two_steps_is_not_known(world: World) -> None:
    world.switch(
        mfa_required=True, phone=replace(world.deps.instance.phone, used_for_second_factor=True)
    )
    _, account = await world.account()
    assert account.client is not None
    assert account.client.sessions[0][0].status == "pending"
    assert world.count("devices") == 0


async def test_a_browser_that_forgets_itself_is_forgotten(world: World) -> None:
    caller, _ = await world.account()
    assert world.count("devices") == 1
    await client.destroy(world.deps, caller)
    assert world.count("devices") == 0


async def test_a_deleted_account_leaves_no_devices(world: World) -> None:
    caller, _ = await world.account()
    await me.delete(world.deps, caller, None)
    assert world.count("devices") == 0


# ── networks ──────────────────────────────────────────────────────────────────────────
async def test_one_network_cannot_spray_a_guess_over_everybody(world: World) -> None:
    """A wrong code at each of many identifiers: no identifier's own budget would notice."""
    said = []
    for number in range(limits.GUESSES_PER_NETWORK + 5):
        address = parse_identifier(f"person{number}@example.com", test_mode=True)
        caller = at(NETWORK)
        async with world.deps.storage.transaction() as tx:
            against = await guesses.budgets_for(world.deps, tx, caller, address)
        try:
            async with world.deps.storage.transaction() as tx:
                await guesses.spend(world.deps, tx, caller, against)
        except Refused as refused:
            said.append(refused.refusal)
    assert [one.code for one in said] == ["too_many_requests"] * 5
    assert said[0].retry_after == 3600


async def test_a_spraying_network_keeps_no_known_device_out(world: World) -> None:
    ada = await signed_out(world)
    stranger = at(NETWORK)
    budget = guesses.budgets(world.deps.instance, stranger, "x", known=False)[1]
    for _ in range(limits.GUESSES_PER_NETWORK):
        async with world.deps.storage.transaction() as tx:
            await guesses.spend(world.deps, tx, stranger, (budget,))
    assert await sign_in_on(world, at(NETWORK, ada)) is None


async def test_a_right_code_pays_back_its_own_guess_and_no_other(world: World) -> None:
    caller = at(NETWORK)
    begun = await sign_up.start(
        world.deps, caller, sign_up.Wanted({PHONE.kind: ADA}, strategy=PHONE)
    )
    assert begun.subject is not None
    assert begun.client is not None
    mine = replace(caller, client_id=begun.client.client.id)
    await sign_up.try_code(world.deps, mine, begun.subject.id, PHONE, world.wrong)
    assert world.count("guesses") == 2  # by the address, and by the network
    await sign_up.try_code(world.deps, mine, begun.subject.id, PHONE, world.code)
    assert world.count("guesses") == 2


# ── backup codes ──────────────────────────────────────────────────────────────────────
async def test_strangers_guesses_at_backup_codes_spend_their_own_budget(world: World) -> None:
    ada, account = await world.account()
    assert account.user is not None
    async with world.deps.storage.transaction() as tx:
        strangers = await guesses.budgets_of_person(world.deps, tx, Caller(), account.user.id)
        own = await guesses.budgets_of_person(world.deps, tx, ada, account.user.id)
    assert [one.bucket for one in strangers] == [limits.BACKUP_GUESSES]
    assert [one.bucket for one in own] == [limits.DEVICE_GUESSES]
    assert strangers[0].subject != own[0].subject


# ── what an operator sets ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize("attempts", [5, 20])
async def test_an_operator_sets_how_many_and_for_how_long(world: World, attempts: int) -> None:
    world.switch(lockout=Lockout(attempts, 5 * limits.MINUTE))
    address = parse_identifier(ADA, test_mode=True)

    async def guess() -> None:
        async with world.deps.storage.transaction() as tx:
            against = await guesses.budgets_for(world.deps, tx, Caller(), address)
            await guesses.spend(world.deps, tx, Caller(), against)

    for _ in range(attempts):
        await guess()
    with pytest.raises(Refused) as refused:
        await guess()
    assert refused.value.refusal.retry_after == 300
