"""What receipts do to a message: noted once, in any order, and mailboxes that bounced."""

from __future__ import annotations

from doorcode.delivery.interface import Receipt
from doorcode.domain.message import Posted, State, Step
from doorcode.flows import receipts, sign_up
from doorcode.flows.deps import Caller

from .world import ADA_MAIL, EMAIL, World


async def sent_mail(world: World) -> str:
    """A letter that a route took under the name `ref_1`."""
    await sign_up.start(
        world.deps, Caller(), sign_up.Wanted({EMAIL.kind: ADA_MAIL}, strategy=EMAIL)
    )
    message_id = world.post.announced[-1].id
    async with world.deps.storage.transaction() as tx:
        [message] = await tx.lease_messages(world.clock(), world.clock() + 60_000, 10)
        step = Step(message.id, world.clock(), State.ACCEPTED, "postmark", ref="ref_1")
        assert await tx.message_taken(message, step, "")
        await tx.add_step(step)
    return message_id


async def of(world: World, message_id: str) -> tuple[Posted, list[Step]]:
    async with world.deps.storage.reading() as tx:
        posted = await tx.posted(message_id)
        assert posted is not None
        return posted, await tx.steps(message_id)


async def test_a_receipt_told_twice_is_noted_once(world: World) -> None:
    message_id = await sent_mail(world)
    for _ in range(3):
        assert await receipts.take(world.deps, "postmark", Receipt("ref_1", State.DELIVERED))
    posted, steps = await of(world, message_id)
    assert posted.state is State.DELIVERED
    assert [step.state for step in steps] == ["accepted", "delivered"]


async def test_what_comes_late_takes_nothing_back(world: World) -> None:
    message_id = await sent_mail(world)
    for state in (State.DELIVERED, State.UNDELIVERED, State.SENT):
        await receipts.take(world.deps, "postmark", Receipt("ref_1", state))
    assert (await of(world, message_id))[0].state is State.DELIVERED


async def test_a_letter_of_another_route_is_none_of_its(world: World) -> None:
    message_id = await sent_mail(world)
    assert not await receipts.take(world.deps, "mailgun", Receipt("ref_1", State.DELIVERED))
    assert not await receipts.take(world.deps, "postmark", Receipt("ref_2", State.DELIVERED))
    assert (await of(world, message_id))[0].state is State.ACCEPTED


async def test_a_mailbox_that_bounced_is_sent_nothing_more_and_no_address_is_repeated(
    world: World,
) -> None:
    message_id = await sent_mail(world)
    bounced = Receipt(
        "ref_1", State.UNDELIVERED, code="HardBounce", why=f"no {ADA_MAIL} here", suppress=True
    )
    await receipts.take(world.deps, "postmark", bounced)
    async with world.deps.storage.reading() as tx:
        found = await tx.suppression(ADA_MAIL.lower())
    assert found is not None
    assert found.route == "postmark"
    _, steps = await of(world, message_id)
    assert steps[-1].code == "HardBounce"
    assert ADA_MAIL not in steps[-1].why
