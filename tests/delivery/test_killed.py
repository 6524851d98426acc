"""A courier that is killed, at each step that it takes in turn: nothing is lost, and what was
sent twice had been taken by a provider who could not tell us any more, and says so."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from doorcode.delivery.courier import LEASE_FOR
from doorcode.delivery.inbox import Inbox
from doorcode.delivery.interface import Letter, State, Taken, TryLater
from doorcode.domain.message import Message

from .conftest import CODE, MASTER_TEXT, PATIENCE, Clock, HeardLog, PostOffice, routing_of, running

PHONE = "+14155552671"
DYING = Path(__file__).with_name("dying_courier.py")


class Killed(BaseException):
    """The process is gone: no handler of ours sees it."""


@dataclass
class Fate:
    """Kills at the step of this number; from then on nothing is done any more."""

    dies_at: int
    steps: list[str] = field(default_factory=list)
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) >= self.dies_at:
            self.died.set()
            raise Killed(name)


class Mortal:
    """A storage in which each unit and each statement is a step."""

    def __init__(self, storage: Any, fate: Fate) -> None:
        self._storage, self._fate = storage, fate

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self._fate.step("before a unit")
        async with self._storage.transaction() as tx:
            yield _MortalUnit(tx, self._fate)
            self._fate.step("before its commit")
        self._fate.step("after its commit")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        self._fate.step("before a look")
        async with self._storage.reading() as tx:
            yield _MortalUnit(tx, self._fate)


class _MortalUnit:
    def __init__(self, tx: Any, fate: Fate) -> None:
        self._tx, self._fate = tx, fate

    def __getattr__(self, name: str) -> Any:
        self._fate.step(name)
        return getattr(self._tx, name)


@dataclass
class Carrying:
    """A provider who keeps what it took, whatever becomes of us."""

    name: str
    taken: list[str]
    fate: Fate | None = None
    refuses: bool = False
    immediate = False

    async def send(self, letter: Letter) -> Taken:
        self._step("before the provider")
        await asyncio.sleep(0)
        if self.refuses:
            self._step("refused by the provider")
            raise TryLater("503")
        self.taken.append(letter.id)
        self._step("taken by the provider")
        return Taken(f"{self.name}-{letter.id}", State.DELIVERED)

    def _step(self, name: str) -> None:
        if self.fate:
            self.fate.step(name)


async def live(office: PostOffice, fate: Fate, taken: list[str], messages: int) -> None:
    """A first life, until it ends or everything is sent."""
    routes = [Carrying("a", taken, fate, refuses=True), Carrying("b", taken, fate)]
    engine = office.storage
    office.storage = Mortal(engine, fate)  # type: ignore[assignment]
    courier = office.courier_of(routing_of(sms=routes))
    office.storage = engine
    loop = asyncio.create_task(courier.run())
    ends = [fate.died.wait(), office.log.heard("message_delivered", messages)]
    ending = [asyncio.create_task(end) for end in ends]
    await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
    gone = [loop, *ending, *courier._tasks]
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    async with engine.transaction():
        pass  # a commit that had reached the disk's thread is through by now


async def live_again(office: PostOffice, taken: list[str], messages: list[Message]) -> None:
    """Another courier, once the leases of the dead one have ended."""
    office.clock.pass_by(LEASE_FOR)
    left = [message for message in messages if office.row(message)["state"] == "queued"]
    office.log = HeardLog()
    async with running(office.courier_of(routing_of(sms=[Carrying("c", taken)]))):
        await office.log.heard("message_delivered", len(left))


async def test_killed_at_any_step_it_loses_nothing_and_tells_what_may_be_double(
    tmp_path: Path,
) -> None:
    unheard, steps = set(), 0
    for dies_at in count(1):
        office = PostOffice(tmp_path / f"{dies_at}.db", Clock())
        messages = [await office.post(PHONE) for _ in range(2)]
        fate, taken = Fate(dies_at), list[str]()
        await live(office, fate, taken, len(messages))
        known = {m.id for m in messages if office.row(m)["state"] == "delivered"}
        before = set(taken)
        await live_again(office, taken, messages)
        for message in messages:
            row, timeline = office.row(message), await office.timeline(message)
            assert (row["state"], row["sealed"]) == ("delivered", None)
            times = Counter(taken)[message.id]
            was_unheard = message.id in before - known
            assert times == (2 if was_unheard else 1), (fate.steps, timeline)
            assert not was_unheard or any(step.maybe for step in timeline), timeline
            if was_unheard:
                unheard.add(fate.steps[dies_at - 1])
        await office.storage.close()
        if not fate.died.is_set():
            steps = dies_at - 1
            break
    assert steps > 40  # each was died at
    assert "taken by the provider" in unheard
    assert "before its commit" in unheard


async def test_killed_at_any_step_the_inbox_shows_each_letter_once(tmp_path: Path) -> None:
    for dies_at in count(1):
        office, fate = PostOffice(tmp_path / f"{dies_at}.db", Clock()), Fate(dies_at)
        inbox = Inbox(development=True)
        message = await office.post(PHONE)
        engine = office.storage
        office.storage = Mortal(engine, fate)  # type: ignore[assignment]
        first = office.courier(inbox)
        office.storage = engine
        with suppress(Killed):
            await first.announce(message.id, message.channel, is_test=False)
        if not fate.died.is_set():
            await engine.close()
            break
        if office.row(message)["state"] == "queued":
            office.clock.pass_by(LEASE_FOR)
            async with running(office.courier(inbox)):
                await office.log.heard("message_delivered")
        assert [x.id for x in inbox.messages()] == [message.id]
        await engine.close()
    assert dies_at > 8


async def test_kill_9_while_a_provider_has_the_letter(office: PostOffice) -> None:
    """The real thing: a process that is not asked."""
    message = await office.post(PHONE)
    dying = subprocess.Popen(
        [sys.executable, str(DYING), str(office.path), MASTER_TEXT, str(office.clock())],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert dying.stdout is not None
    try:
        line = await asyncio.wait_for(asyncio.to_thread(dying.stdout.readline), PATIENCE * 4)
        assert line.strip() == f"taken {message.id}"
    finally:
        dying.send_signal(signal.SIGKILL)
        dying.wait(PATIENCE)
        dying.stdout.close()
    taken = [message.id]
    await live_again(office, taken, [message])
    assert taken == [message.id, message.id]
    steps = [(step.state, step.maybe) for step in await office.timeline(message)]
    assert steps == [
        ("sending", False), ("unknown", True), ("sending", False), ("delivered", False),
    ]  # fmt: skip
    with sqlite3.connect(office.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert CODE.encode() not in office.path.read_bytes()
