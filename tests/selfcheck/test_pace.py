"""How fast the check asks, by a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.selfcheck.pace import MARGIN, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(3, 10.0, clock, clock.sleep)


async def test_nothing_is_held_back_before_the_server_has_refused(pace: Pace, clock: Clock) -> None:
    for _ in range(50):
        await pace.wait()
    assert clock.now == 100.0


async def test_what_the_server_names_is_waited_for(pace: Pace, clock: Clock) -> None:
    pace.keep(7)
    await pace.wait()
    assert clock.now == pytest.approx(107 + MARGIN)


async def test_many_that_were_refused_at_once_wait_once(pace: Pace, clock: Clock) -> None:
    for _ in range(60):
        pace.keep(10)
    await asyncio.gather(*(pace.wait() for _ in range(3)))
    assert clock.now == pytest.approx(110 + MARGIN)


async def test_in_any_window_no_more_are_let_go_than_the_server_takes(
    pace: Pace, clock: Clock
) -> None:
    pace.keep(0)
    times: list[float] = []

    async def go() -> None:
        await pace.wait()
        times.append(clock.now)

    await asyncio.gather(*(go() for _ in range(20)))
    assert len(times) == 20
    assert all(later - earlier > 10 for earlier, later in zip(times, times[3:], strict=False))
