"""What is remembered of a refusal, though its unit was taken back."""

from __future__ import annotations

import sqlite3

import pytest

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.event import Event
from doorcode.domain.limits import MINUTE
from doorcode.domain.send import Pause
from doorcode.flows import audit

from .world import World

EVENT = Event("limit.refused", "refused", bucket="guesses.network", network="203.0.113.7")


async def refuse(world: World, event: Event | None = EVENT, pause: Pause | None = None) -> None:
    with pytest.raises(Refused):
        async with audit.unit(world.deps) as tx:
            await tx.save_setting("half-done", b"1")
            raise Refused(errors.TOO_MANY_REQUESTS, event, pause)


async def test_a_refusal_undoes_its_unit_and_leaves_its_line(world: World) -> None:
    await refuse(world)
    assert world.rows("SELECT name, bucket, network FROM events") == [
        ("limit.refused", "guesses.network", "203.0.113.7")
    ]
    assert world.rows("SELECT * FROM settings WHERE name = 'half-done'") == []


async def test_a_refusal_without_an_event_leaves_nothing(world: World) -> None:
    await refuse(world, event=None)
    assert world.count("events") == 0


async def test_a_flood_of_refusals_makes_one_line_a_minute_and_bucket(world: World) -> None:
    seen: list[Event] = []
    world.deps.observe = seen.append
    for _ in range(50):
        await refuse(world)
    await refuse(world, Event("limit.refused", "refused", bucket="codes.send"))
    assert world.count("events") == 2
    assert len(seen) == 51  # whoever counts, counts them all
    world.clock.forward(MINUTE)
    await refuse(world)
    assert world.count("events") == 3


async def test_a_pause_outlives_the_refusal_and_is_told_once(world: World) -> None:
    for _ in range(3):
        await refuse(world, pause=Pause("GB", world.clock(), "nobody types these codes"))
    assert world.rows("SELECT country, why FROM pauses") == [("GB", "nobody types these codes")]
    told = world.rows("SELECT subject FROM events WHERE name = 'country.paused'")
    assert told == [("GB",)]


async def test_what_is_written_can_be_read_and_not_changed(world: World) -> None:
    event = Event(
        "setting.changed",
        "done",
        subject="shield.mode",
        user_id="user_1",
        client_id="client_1",
        details={"to": "deny", "n": 1},
    )
    async with world.deps.storage.transaction() as tx:
        await audit.write(world.deps, tx, event)
        [line] = await tx.events(0, 10)
        assert (line.at, line.event) == (world.clock(), event)
        assert await tx.events(0, 10, name="limit.refused") == []
        assert await tx.events(0, 10, subject="shield.mode") == [line]
        assert await tx.events(world.clock() + 1, 10) == []
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        world.write("UPDATE events SET outcome = 'never'")
