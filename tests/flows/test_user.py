"""Looking people up."""

from __future__ import annotations

import pytest

from doorcode.domain.errors import Refused
from doorcode.domain.instance import Lockout
from doorcode.flows import client, sign_in, user
from doorcode.flows.deps import Caller
from doorcode.flows.guesses import Standing

from .world import ADA, ADA_MAIL, EMAIL, PHONE, World


async def test_account_is_found_whole(world: World) -> None:
    _, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user is not None
    found = await user.get(world.deps, answer.user.id)
    assert found.id == answer.user.id
    assert sorted(owned.address.value for owned in found.addresses) == [ADA, "ada@example.com"]
    assert all(owned.verified_at == world.clock() for owned in found.addresses)


@pytest.mark.parametrize("user_id", ["", "user_unknown", "user_' OR 1=1", "user_\x00"])
async def test_unknown_account_is_not_found(world: World, user_id: str) -> None:
    await world.account()
    with pytest.raises(Refused, match="resource_not_found"):
        await user.get(world.deps, user_id)


async def test_looking_up_writes_nothing(world: World) -> None:
    _, answer = await world.account()
    assert answer.user is not None
    before = world.storage.begun
    await user.get(world.deps, answer.user.id)
    await user.standing(world.deps, answer.user.id)
    assert world.storage.begun == before


async def test_a_person_stands_as_at_the_worst_of_their_addresses(world: World) -> None:
    """Somebody locked at one address is told as locked, however the others are."""
    _, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user is not None
    await guessed(world, ADA_MAIL, 3)
    await guessed(world, ADA, 5)
    assert await user.standing(world.deps, answer.user.id) == Standing(5)
    world.clock.forward(30_500)
    await guessed(world, ADA_MAIL, 7)
    assert await user.standing(world.deps, answer.user.id) == Standing(0, 3_570)


async def test_two_locks_end_with_the_later_one(world: World) -> None:
    _, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user is not None
    await guessed(world, ADA, 10)
    world.clock.forward(60_000)
    await guessed(world, ADA_MAIL, 10)
    assert await user.standing(world.deps, answer.user.id) == Standing(0, 3_600)


async def test_a_lock_goes_by_the_limit_as_it_is_now(world: World) -> None:
    _, answer = await world.account()
    assert answer.user is not None
    await guessed(world, ADA, 5)
    world.clock.forward(60_000)
    await guessed(world, ADA, 3)
    world.switch(lockout=Lockout(5))
    assert await user.standing(world.deps, answer.user.id) == Standing(0, 3_540)
    world.switch(lockout=Lockout(20))
    assert await user.standing(world.deps, answer.user.id) == Standing(12)


async def test_the_guesses_of_a_known_device_are_not_those_of_everybody_else(world: World) -> None:
    caller, answer = await world.account()
    assert answer.user is not None
    await client.sign_out(world.deps, caller)
    await guessed(world, ADA, 5, caller)
    assert await user.standing(world.deps, answer.user.id) == Standing(10)


async def guessed(world: World, identifier: str, times: int, caller: Caller | None = None) -> None:
    """Wrong codes, by a client that is new each time where none is named."""
    strategy = EMAIL if "@" in identifier else PHONE
    for first in range(0, times, 5):
        by, attempt = await world.signing_in(identifier, caller)
        await sign_in.send_code(world.deps, by, attempt.id, sign_in.Wish(strategy))
        for _ in range(min(5, times - first)):
            answer = await sign_in.try_code(world.deps, by, attempt.id, strategy, world.wrong)
            assert answer.refusal
