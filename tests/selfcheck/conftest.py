"""Fixtures of the check's tests: a server in this process, and the check before its door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.house import House, Plan, open_house

from doorcode.domain import limits
from doorcode.domain.instance import Enumeration
from doorcode.selfcheck.check import Options, run
from doorcode.selfcheck.deployment import look_at
from doorcode.selfcheck.people import People
from doorcode.selfcheck.prober import Prober
from doorcode.selfcheck.report import Report, Verdict

from .fronts import Front

Check = Callable[..., Awaitable[Report]]
Build = Callable[..., Awaitable[House]]
STRICT = {"enumeration": Enumeration.STRICT}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server as `doorcode dev` makes it, its limits per network address off."""
    async with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def strict(build: Build) -> House:
    """The same server, which tells nobody who has an account."""
    return await build(instance=STRICT)


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Build]:
    """Build a server that differs in what is named."""
    async with AsyncExitStack() as stack:

        async def build_one(**changes: Any) -> House:
            return await stack.enter_async_context(open_house(tmp_path, Plan(**changes)))

        yield build_one


def prober_of(front: Front, **options: Any) -> Prober:
    """A prober whose clock is the house's: what it waits for passes at once."""
    clock = front.house.clock

    async def sleep(seconds: float) -> None:
        clock.advance(round(seconds * limits.SECOND))

    http = httpx.AsyncClient(transport=front, base_url=front.house.plan.url)
    now = lambda: clock.now / limits.SECOND  # noqa: E731
    return Prober(http, clock=now, sleep=sleep, **options)


async def people_of(front: Front, **options: Any) -> People:
    """Everybody that a single row needs."""
    prober = prober_of(front, **options)
    people = People(prober, await look_at(prober))
    await people.choose_kind()
    return people


async def check(
    front: Front,
    *,
    slow: bool = False,
    samples: int = 2,
    said: list[str] | None = None,
    **options: Any,
) -> Report:
    """Check the house behind a front."""
    say = [] if said is None else said
    prober = prober_of(front, **options)
    asked = Options(slow=slow, samples=samples)
    return await run(prober, front.house.plan.url, "2027-01-15T08:00:00Z", "0", asked, say.append)


def failed(report: Report) -> set[str]:
    """The guarantees that fail."""
    return of(report, Verdict.FAILS)


def of(report: Report, *verdicts: Verdict) -> set[str]:
    """The guarantees that came to one of these verdicts."""
    return {row.guarantee for row in report.rows if row.verdict in verdicts}
