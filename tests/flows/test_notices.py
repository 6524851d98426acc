"""Letters without a code lie in the outbox like those with one."""

from __future__ import annotations

import pytest

from doorcode.delivery.render import Notice, pack_notice, render
from doorcode.domain.addresses import Address, Kind
from doorcode.flows import codes, notices

from .world import World

LINK = "https://auth.example.com/v1/tickets/accept?ticket=secret"
BEA = Address(Kind.EMAIL, "bea@example.com", "Bea@example.com")
TEST = Address(Kind.EMAIL, "b+clerk_test@example.com", "b+clerk_test@example.com", is_test=True)


async def test_a_letter_is_sealed_and_announced_after_the_commit(world: World) -> None:
    packed = pack_notice(Notice.INVITATION, "Acme", LINK, 30)
    end = world.clock() + 1000
    async with world.deps.storage.transaction() as tx:
        message = await notices.write(world.deps, tx, "inv_1", BEA, packed, end)
    assert (message.recipient, message.expires_at) == ("Bea@example.com", end)
    await codes.post(world.deps, message)
    (heard,) = world.post.announced
    assert (heard.committed, heard.link, heard.code) == (True, LINK, "")
    assert render(message, packed).link == LINK
    for file in world.file.parent.iterdir():
        assert b"ticket=secret" not in file.read_bytes()


async def test_a_letter_is_taken_back_by_what_it_is_about(world: World) -> None:
    packed = pack_notice(Notice.INVITATION, "Acme", LINK, 30)
    async with world.deps.storage.transaction() as tx:
        for about in ("inv_1", "inv_2"):
            await notices.write(world.deps, tx, about, BEA, packed, world.clock() + 1000)
        await tx.retire_attempt("inv_1")
    states = world.rows("SELECT verification_id, state, sealed IS NULL FROM outbox ORDER BY 1")
    assert states == [("inv_1", "cancelled", 1), ("inv_2", "queued", 0)]


@pytest.mark.parametrize("channels", [set(), {"sms"}, {"sms", "email"}])
async def test_a_letter_can_be_sent_where_there_is_mail(world: World, channels: set[str]) -> None:
    world.post.channels = channels
    assert notices.can_send(world.deps, BEA) is ("email" in channels)
    assert notices.can_send(world.deps, TEST)
