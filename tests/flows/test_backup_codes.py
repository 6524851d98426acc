"""Codes that a person writes down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain.limits import BACKUP_CODES
from doorcode.flows import backup_codes
from doorcode.security.codes import BACKUP_ALPHABET, BACKUP_CHARACTERS, Codes
from doorcode.security.master_key import MasterKey

from .world import INSTANCE, MASTER, World


async def issued(world: World) -> tuple[str, tuple[str, ...]]:
    """Somebody's id and their fresh codes."""
    _, answer = await world.account()
    assert answer.user
    async with world.deps.storage.transaction() as tx:
        return answer.user.id, await backup_codes.issue(world.deps, tx, answer.user.id)


async def use(world: World, user_id: str, code: str) -> bool:
    digest = backup_codes.digest_backup_code(world.deps, user_id, code)
    async with world.deps.storage.transaction() as tx:
        return await tx.use_backup_code(user_id, digest, world.clock())


async def test_there_are_ten_and_each_differs(world: World) -> None:
    _, codes = await issued(world)
    assert len(set(codes)) == BACKUP_CODES == 10
    assert all(len(code) == BACKUP_CHARACTERS for code in codes)
    assert set("".join(codes)) <= set(BACKUP_ALPHABET)


async def test_none_can_be_read_in_the_database(world: World) -> None:
    _, codes = await issued(world)
    digests = world.rows("SELECT digest FROM backup_codes")
    assert len(digests) == BACKUP_CODES
    assert not [code for code in codes if any(code.encode() in row[0] for row in digests)]


async def test_each_works_once(world: World) -> None:
    user_id, codes = await issued(world)
    assert [await use(world, user_id, code) for code in codes] == [True] * BACKUP_CODES
    assert [await use(world, user_id, code) for code in codes] == [False] * BACKUP_CODES


async def test_fresh_ones_make_the_earlier_worthless(world: World) -> None:
    user_id, codes = await issued(world)
    async with world.deps.storage.transaction() as tx:
        await backup_codes.issue(world.deps, tx, user_id)
    assert not await use(world, user_id, codes[0])
    assert world.count("backup_codes") == BACKUP_CODES


async def test_each_works_once_after_the_master_key_was_changed_too(world: World) -> None:
    user_id, codes = await issued(world)
    both = MasterKey({1: MASTER.versions[1], 2: bytes(32)})
    deps = replace(world.deps, codes=Codes(both, INSTANCE.id))
    async with world.deps.storage.transaction() as tx:
        assert [await backup_codes.use(deps, tx, user_id, codes[0]) for _ in range(2)] == [
            True,
            False,
        ]
        new_alone = Codes(MasterKey({2: bytes(32)}), INSTANCE.id)
        deps = replace(world.deps, codes=new_alone)
        assert not await backup_codes.use(deps, tx, user_id, codes[1])


async def test_a_code_is_its_owners_alone(world: World) -> None:
    user_id, codes = await issued(world)
    mine = backup_codes.digest_backup_code(world.deps, user_id, codes[0])
    assert mine != backup_codes.digest_backup_code(world.deps, "user_other", codes[0])


@pytest.mark.parametrize("typed", ["0A1B-C2D3E4", " oa1b c2d3e4 ", "OAIB-c2d3-E4", "0alb c2d3e4"])
def test_a_code_may_be_typed_as_it_was_read(world: World, typed: str) -> None:
    kept = backup_codes.digest_backup_code(world.deps, "user_1", "0a1bc2d3e4")
    assert backup_codes.digest_backup_code(world.deps, "user_1", typed) == kept
