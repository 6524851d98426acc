"""A country is paused by the shield or an operator, and goes on when an operator says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.errors import Refused
from doorcode.domain.event import Event
from doorcode.domain.send import Pause
from doorcode.flows import audit, pauses

from .world import World


async def paused(world: World, country: str = "GB") -> Pause:
    async with world.deps.storage.transaction() as tx:
        assert await pauses.pause(world.deps, tx, country, "an attack")
        found = await tx.pause(country)
    assert found is not None
    return found


async def written(world: World) -> list[tuple[str, str, object]]:
    async with world.deps.storage.reading() as tx:
        events = [one.event for one in await tx.events(0, 100)]
    return [(event.name, event.subject, event.details.get("by")) for event in events]


async def refused(world: World, text: str) -> bool:
    """Whether a link is worth nothing, to look at and to use."""
    said = []
    for story in (pauses.show, pauses.resume_by_link):
        try:
            await story(world.deps, text)
        except Refused as why:
            said.append(why.refusal.code)
    assert said in ([], ["resume_link_invalid"] * 2)
    return bool(said)


async def test_an_operator_pauses_and_resumes_once_and_it_is_written(world: World) -> None:
    await paused(world)
    async with world.deps.storage.transaction() as tx:
        assert not await pauses.pause(world.deps, tx, "GB", "again")
        assert await pauses.resume(world.deps, tx, "GB", "operator")
        assert not await pauses.resume(world.deps, tx, "GB", "operator")
        assert await tx.pauses() == []
    assert sorted(await written(world)) == [
        ("country.paused", "GB", "operator"),
        ("country.resumed", "GB", "operator"),
    ]


async def test_the_shield_pauses_once_and_writes_one_letter(world: World) -> None:
    world.switch(alert_email="ops@example.com")
    seen: list[Event] = []
    world.deps = replace(world.deps, observe=seen.append)
    for number in range(3):
        event = Event("shield.decided", "refused", bucket="shield.area", subject=f"+4474{number}")
        pause = Pause("GB", world.clock() + number, "an attack")
        await audit.remember(world.deps, Refused(errors.SENDING_BLOCKED, event, pause))
    assert [event.name for event in seen].count("country.paused") == 1
    assert world.rows("SELECT country, paused_at FROM pauses") == [("GB", world.clock())]
    assert world.count("outbox") == 1
    assert ("country.paused", "GB", "shield") in await written(world)


async def test_a_link_resumes_and_is_worth_nothing_afterwards(world: World) -> None:
    one = await paused(world)
    text = world.deps.tickets.resume_text(one)
    for _ in range(3):
        assert await pauses.show(world.deps, text) == one  # mail programs look first
    assert world.count("pauses") == 1
    seen: list[Event] = []
    world.deps = replace(world.deps, observe=seen.append)
    assert await pauses.resume_by_link(world.deps, text) == one
    assert world.count("pauses") == 0
    assert [event.name for event in seen] == ["country.resumed"]
    assert ("country.resumed", "GB", "link") in await written(world)
    assert await refused(world, text)


async def test_a_link_ends_its_own_pause_and_no_later_one(world: World) -> None:
    text = world.deps.tickets.resume_text(await paused(world))
    async with world.deps.storage.transaction() as tx:
        await pauses.resume(world.deps, tx, "GB", "operator")
    world.clock.forward(1)
    await paused(world)
    assert await refused(world, text)
    assert world.count("pauses") == 1


@pytest.mark.parametrize(("age", "is_over"), [(7 * limits.DAY - 1, False), (7 * limits.DAY, True)])
async def test_a_link_is_worth_something_for_seven_days(
    world: World, age: int, is_over: bool
) -> None:
    text = world.deps.tickets.resume_text(await paused(world))
    world.clock.forward(age)
    assert await refused(world, text) is is_over


async def test_a_link_of_another_country_or_of_nobodys_making_ends_nothing(world: World) -> None:
    one = await paused(world)
    text = world.deps.tickets.resume_text(one)
    name, _, mac = text.partition(".")
    for other in ("", name, f"US-{one.at}.{mac}", world.deps.tickets.text(name), f"{text}x"):
        assert await refused(world, other)
    assert world.count("pauses") == 1
