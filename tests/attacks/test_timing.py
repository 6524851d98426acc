"""In strict mode no answer takes longer because somebody has an account.

Answers about a known and an unknown identifier are timed by turns, from another process, and
their medians compared. A machine that is busy with something else is given three runs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode.domain import limits
from doorcode.domain.instance import Enumeration
from doorcode.domain.limits import DAY, HOUR

from .conftest import Builder
from .street import EMAIL, PHONE, SIGN_INS, SIGN_UPS, Street
from .test_enumeration import INSTANCE, Scene, somebody, switch, with_mailbox

pytestmark = pytest.mark.slow

REQUESTS = 500  # about each of the two, in a run
RUNS = 3
TOLERATED = 0.05  # of the time that an unknown identifier takes
WAIT = 2 * HOUR  # on the server's clock: no limit is met within the test
UNKNOWN = {PHONE: "+14155552699", EMAIL: "Bob@example.com"}
WAYS = pytest.mark.parametrize("way", [SIGN_INS, SIGN_UPS])
Told = list[tuple[float, int, str]]


class Stopwatch:
    """The other process. What it takes the time of is one conversation after another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hold(self, conversation: list[Any]) -> Told:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(conversation).encode() + b"\n")
        told: Told = json.loads(await self._process.stdout.readline())
        return told


@asynccontextmanager
async def stopwatch(street: Street) -> AsyncIterator[Stopwatch]:
    script, port = Path(__file__).with_name("stopwatch.py"), urlsplit(street.url).port
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        yield Stopwatch(process)
    finally:
        process.terminate()
        await process.wait()


# ── the conversations, and which of their answers count ───────────────────────────────
def starting(way: str, to: str) -> tuple[list[Any], slice]:
    return [[way, _form(way, to)]], slice(0, 1)


def sending(way: str, to: str) -> tuple[list[Any], slice]:
    return [[way, {**_form(way, to), "strategy": _strategy(to)}]], slice(0, 1)


def trying(way: str, to: str) -> tuple[list[Any], slice]:
    """At once after the code was sent, while the courier may still be busy with it."""
    step = "attempt_first_factor" if way == SIGN_INS else "attempt_verification"
    wrong = [f"{way}/{{id}}/{step}", {"strategy": _strategy(to), "code": "00000x"}]
    tries = [wrong] * limits.TRIES_PER_VERIFICATION
    return [*sending(way, to)[0], *tries], slice(1, None)


def _form(way: str, to: str) -> dict[str, str]:
    if way == SIGN_INS:
        return {"identifier": to}
    return {"email_address" if "@" in to else "phone_number": to}


def _strategy(to: str) -> str:
    return "email_code" if "@" in to else "phone_code"


# ── the measure ───────────────────────────────────────────────────────────────────────
async def apart(street: Street, watch: Stopwatch, step: Any, way: str, to: str) -> float:
    """How far the medians of one run lie apart, as a part of the unknown identifier's."""
    sides: list[tuple[str, list[float]]] = [(to, []), (UNKNOWN[to], [])]
    round_number = 0
    while len(sides[0][1]) < REQUESTS:
        # Each of them begins every other time: what follows on an answer favours neither.
        for identifier, times in sides if round_number % 2 else reversed(sides):
            conversation, counted = step(way, identifier)
            told = await watch.hold(conversation)
            if round_number:
                times += [seconds for seconds, _, _ in told[counted]]
            await street.delivered()
        street.house.clock.advance(WAIT)
        round_number += 1
    known, unknown = (median(times) for _, times in sides)
    print(f"{step.__name__} {way} {to}: {1000 * known:.2f} and {1000 * unknown:.2f} ms")
    return abs(known - unknown) / unknown


async def measured(
    build: Builder, scene: Scene, step: Any, way: str, to: str, mode: Enumeration
) -> float:
    """The least of three runs; the first that is within the tolerance is enough."""
    street = await build(instance=INSTANCE)
    await scene(street, to)
    street.house.clock.advance(DAY + HOUR)
    switch(street, enumeration=mode)
    found = []
    async with stopwatch(street) as watch:
        while len(found) < RUNS and min(found, default=1.0) > TOLERATED:
            found.append(await apart(street, watch, step, way, to))
    return min(found)


@WAYS
@pytest.mark.parametrize(
    ("scene", "to"), [(with_mailbox, PHONE), (with_mailbox, EMAIL), (somebody, PHONE)]
)
@pytest.mark.parametrize("step", [starting, sending, trying])
async def test_in_strict_mode_the_time_tells_nothing(
    build: Builder, scene: Scene, step: Any, way: str, to: str
) -> None:
    assert await measured(build, scene, step, way, to, Enumeration.STRICT) <= TOLERATED


@WAYS
@pytest.mark.parametrize("step", [starting, sending])
async def test_with_protection_off_the_time_tells(build: Builder, step: Any, way: str) -> None:
    """Or the test above could not fail. No code is tried where none was sent."""
    assert await measured(build, somebody, step, way, PHONE, Enumeration.OFF) > TOLERATED
