"""Countries that no codes are sent to: paused by the shield or an operator, resumed by an operator.

The shield's own pauses begin in `flows/audit.py: remember`, when the refusal that shows the
attack is written down.
"""

from __future__ import annotations

from doorcode.domain import errors, limits
from doorcode.domain.errors import Refused
from doorcode.domain.event import Event
from doorcode.domain.send import Pause
from doorcode.flows import audit
from doorcode.flows.deps import Clock, Deps
from doorcode.storage.interface import Transaction


async def pause(clock: Clock, tx: Transaction, country: str, why: str) -> bool:
    """Hold a country's messages, as an operator says; False where they are held already."""
    if not await tx.add_pause(Pause(country, clock.now(), why)):
        return False
    details = {"why": why, "by": "operator"}
    event = Event("country.paused", "done", subject=country, details=details)
    await audit.write(clock, tx, event)
    return True


async def resume(clock: Clock, tx: Transaction, country: str, by: str) -> Event | None:
    """Let a country's messages go again: what was written of it, None where they were not held."""
    if not await tx.delete_pause(country):
        return None
    event = Event("country.resumed", "done", subject=country, details={"by": by})
    await audit.write(clock, tx, event)
    return event


async def find(deps: Deps, tx: Transaction, text: str) -> Pause:
    """The pause that the link of an alert ends, or `Refused`.

    A link of an earlier pause of the same country ends nothing: whoever finds it in a mailbox
    a month later must not open a country that was closed again since.
    """
    named = deps.tickets.read_resume(text)
    if named is None or deps.now() >= named[1] + limits.RESUME_LINK_LIVES_FOR:
        raise Refused(errors.RESUME_LINK_INVALID)
    found = await tx.pause(named[0])
    if found is None or found.at != named[1]:
        raise Refused(errors.RESUME_LINK_INVALID)
    return found


async def show(deps: Deps, text: str) -> Pause:
    """What the link of an alert is about; looking changes nothing."""
    async with deps.storage.reading() as tx:
        return await find(deps, tx, text)


async def resume_by_link(deps: Deps, text: str) -> Pause:
    """Let the country of a link go again; the pause that was."""
    async with deps.storage.transaction() as tx:
        found = await find(deps, tx, text)
        event = await resume(deps, tx, found.country, "link")
    if event:
        deps.observe(event)
    return found
