"""The audit log: one table, and one function that writes to it.

What was refused is taken back with its unit, so what is to be remembered of a refusal is
written by a unit of its own. A flood of equal refusals makes one line a minute and bucket:
the log must not become the weapon; the metric counts them all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doorcode.domain.errors import Refused
from doorcode.domain.event import Event
from doorcode.domain.send import Pause
from doorcode.flows import alerts
from doorcode.flows.deps import Clock, Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


async def write(clock: Clock, tx: Transaction, event: Event) -> None:
    """Append a line to the audit log, in the unit under way."""
    now = clock.now()
    await tx.add_event(new_id("evt", now), event, now)


async def note(deps: Deps, tx: Transaction, event: Event | None) -> None:
    """Write down what is no refusal, or one that a story answers by a value: once a minute."""
    if event is None:
        return
    deps.observe(event)
    if deps.recent.is_new(event, deps.now()):
        await write(deps, tx, event)


async def remember(deps: Deps, refused: Refused) -> None:
    """Write down what a refusal is remembered by, once."""
    event, refused.event = refused.event, None
    found, refused.pause = refused.pause, None
    if event is None:
        return
    deps.observe(event)
    is_new = deps.recent.is_new(event, deps.now())
    if not (is_new or found):
        return
    async with deps.storage.transaction() as tx:
        if is_new:
            await write(deps, tx, event)
        if found:
            await pause(deps, tx, found)
    if found:
        deps.post.wake()  # a letter may wait


async def pause(deps: Deps, tx: Transaction, found: Pause) -> None:
    """Hold a country's messages, as the shield says: once, with a line and a letter."""
    if not await tx.add_pause(found):
        return
    details = {"why": found.why, "by": "shield"}
    paused = Event("country.paused", "done", subject=found.country, details=details)
    await write(deps, tx, paused)
    await alerts.tell_of_pause(deps, tx, found)
    deps.observe(paused)


@asynccontextmanager
async def unit(deps: Deps) -> AsyncIterator[Transaction]:
    """A unit of work whose refusals are remembered."""
    try:
        async with deps.storage.transaction() as tx:
            yield tx
    except Refused as refused:
        await remember(deps, refused)
        raise
