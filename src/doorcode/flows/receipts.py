"""What a provider tells of a letter afterwards: noted once, in whatever order it comes."""

from __future__ import annotations

from doorcode.delivery.interface import Receipt
from doorcode.domain.event import Event
from doorcode.domain.message import State, Step, Suppression, advances
from doorcode.flows import audit
from doorcode.flows.deps import Deps
from doorcode.security.redaction import redact

WHY_CHARACTERS = 200


async def take(deps: Deps, route: str, receipt: Receipt) -> bool:
    """Note a receipt of a route; False where no letter of ours is meant (yet).

    A provider can be quicker than the note that it took the letter: it is to come again.
    Told twice, it is noted once; told late, it takes back nothing that is known.
    """
    why = redact(receipt.why)[:WHY_CHARACTERS]  # a gateway's own words may quote the letter
    async with deps.storage.transaction() as tx:
        message_id = await tx.message_by_ref(route, receipt.ref)
        posted = await tx.posted(message_id) if message_id else None
        if posted is None:
            return False
        step = Step(
            posted.id,
            receipt.at or deps.now(),
            str(receipt.state),
            route,
            ref=receipt.ref,
            code=receipt.code[:40],
            why=why,
            price=receipt.price,
        )
        told = await tx.steps(posted.id)
        if not any(
            (one.state, one.code, one.ref) == (step.state, step.code, step.ref) for one in told
        ):
            await tx.add_step(step)
        if advances(posted.state, receipt.state):
            await tx.advance_message(posted, State(receipt.state), step.at, receipt.price)
        if receipt.suppress and posted.channel == "email":
            address = posted.recipient.lower()
            await tx.suppress(Suppression(address, deps.now(), route, why))
    return True


async def refuse(deps: Deps, route: str, network: str, why: str) -> None:
    """Note a callback that nobody of ours signed."""
    event = Event(
        "receipt.refused", "refused", bucket="receipts", subject=route, network=network,
        details={"why": why},
    )  # fmt: skip
    async with deps.storage.transaction() as tx:
        await audit.note(deps, tx, event)
