"""Minutes in which two providers fail by turns, twenty codes a second: none is lost, none
sent twice without a word, and those sent by the other route are hardly later."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from doorcode.delivery.courier import LEASE_FOR
from doorcode.delivery.interface import Letter, Taken, TryAnother, TryLater
from doorcode.domain.limits import MINUTE, SECOND
from doorcode.domain.message import Message, State, Step

from .conftest import NOON, PostOffice, routing_of, running
from .virtual_time import Patient, VirtualLoop, run

PER_SECOND = 20
ADDED_AT_MOST = 5 * SECOND

# From which tenth of the time on, how the first provider is, and the second.
SCRIPT = [
    (0.0, "well", "well"),
    (1.0, "hangs", "well"),
    (3.0, "well", "well"),
    (4.0, "answers 503", "well"),
    (5.0, "flaps", "well"),
    (6.0, "has no credit", "well"),
    (7.0, "hangs", "answers 503"),
    (7.5, "well", "answers 503"),
    (8.5, "well", "hangs"),
    (9.5, "well", "well"),
]


@dataclass
class Provider:
    """Takes a letter within 600 ms where it is well."""

    name: str
    column: int
    lasts: int
    loop: VirtualLoop
    dice: random.Random
    taken: list[tuple[str, int]] = field(default_factory=list)
    immediate = False

    async def send(self, letter: Letter) -> Taken:
        state = at_that_time(self.loop.now(), self.lasts)[self.column]
        if state == "flaps":
            state = self.dice.choice(["well", "answers 503"])
        if state == "hangs":
            if self.dice.random() < 0.1:  # it took it, and cannot say so
                self.taken.append((letter.id, self.loop.now()))
            await asyncio.sleep(3600)
        await asyncio.sleep(self.dice.uniform(0.05, 0.6))
        if state == "answers 503":
            raise TryLater("503")
        if state == "has no credit":
            raise TryAnother("there is no credit left")
        self.taken.append((letter.id, self.loop.now()))
        return Taken(f"{self.name}-{letter.id}")


def at_that_time(now: int, lasts: int) -> tuple[str, str, str]:
    tenths = 10 * (now - NOON) / lasts
    _, first, second = [row for row in SCRIPT if row[0] <= tenths][-1]
    both = "both" if "well" not in (first, second) and "flaps" not in (first, second) else ""
    return first, second, both


@dataclass
class Day:
    """What became of every message. It lasted so many milliseconds."""

    lasts: int
    messages: list[Message]
    states: Counter[State]
    timelines: dict[str, list[Step]]
    taken: dict[str, list[int]]  # when providers took a message, by its id


async def live_through(path: Path, lasts: int) -> Day:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    office = PostOffice(path, loop.now)  # type: ignore[arg-type]
    engine = office.storage
    office.storage = Patient(engine, loop)  # type: ignore[assignment]
    dice = random.Random(7)
    providers = [Provider(name, n, lasts, loop, dice) for n, name in enumerate(("first", "second"))]
    messages = []
    async with running(office.courier_of(routing_of(sms=providers))) as courier:
        while loop.now() < NOON + lasts:
            messages.append(await office.post("+14155552671"))
            await courier.announce(messages[-1].id, "sms", False)
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.sleep(2 * LEASE_FOR / SECOND)  # what was put off, or lies under a lease
    async with engine.reading() as tx:
        posted = [await tx.posted(message.id) for message in messages]
        timelines = {message.id: await tx.steps(message.id) for message in messages}
    await engine.close()
    taken: dict[str, list[int]] = {}
    for provider in providers:
        for name, at in provider.taken:
            taken.setdefault(name, []).append(at)
    return Day(lasts, messages, Counter(one.state for one in posted if one), timelines, taken)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(MINUTE, id="a minute"),
        pytest.param(10 * MINUTE, id="ten minutes", marks=pytest.mark.slow),
    ],
)
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Day:
    path = tmp_path_factory.mktemp("outage") / "doorcode.db"
    return run(live_through(path, request.param))


def percentile(values: list[Any], share: float) -> Any:
    return sorted(values)[int(len(values) * share)]


def test_twenty_a_second_were_asked_for(day: Day) -> None:
    assert len(day.messages) == pytest.approx(PER_SECOND * day.lasts / SECOND, rel=0.01)


def test_no_message_is_lost(day: Day) -> None:
    assert day.states == {State.ACCEPTED: len(day.messages)}
    assert {message.id for message in day.messages} == set(day.taken)


def test_none_is_sent_twice_but_those_whose_timeline_says_so(day: Day) -> None:
    twice = {name for name, times in day.taken.items() if len(times) > 1}
    marked = {name for name, steps in day.timelines.items() if any(one.maybe for one in steps)}
    assert twice, "a provider that took letters without saying so is part of the script"
    assert twice <= marked


def test_the_timeline_names_the_route_that_took_it(day: Day) -> None:
    for steps in day.timelines.values():
        assert steps[0].state == "sending"
        assert steps[-1].state == State.ACCEPTED
        assert steps[-1].ref


def test_a_letter_is_hardly_later_while_one_provider_is_down(day: Day) -> None:
    """From the first moment of an outage on, with those that found it out."""
    usual, later = [], []
    for message in day.messages:
        first, second, both = at_that_time(message.created_at, day.lasts)
        added = day.timelines[message.id][-1].at - message.created_at
        if (first, second) == ("well", "well"):
            usual.append(added)
        elif not both:
            later.append(added)
    assert len(later) > 5 * len(day.messages) / 10
    assert percentile(later, 0.99) - percentile(usual, 0.5) < ADDED_AT_MOST


def test_what_waited_while_both_were_down_goes_out_once_one_is_back(day: Day) -> None:
    back_at = NOON + day.lasts * 75 // 100
    waited = [m for m in day.messages if at_that_time(m.created_at, day.lasts)[2]]
    assert len(waited) > len(day.messages) / 25
    done = [day.timelines[message.id][-1].at for message in waited]
    assert percentile(done, 0.99) < back_at + MINUTE  # the longest wait between two tries
