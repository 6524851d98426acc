"""Looking people up."""

from __future__ import annotations

import pytest

from doorcode.domain.errors import Refused
from doorcode.flows import user

from .world import ADA, ADA_MAIL, World


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
    assert world.storage.begun == before
