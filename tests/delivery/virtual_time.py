"""A loop whose clock jumps to the next thing to be done, so ten minutes last a few seconds.

A database works in a thread of its own, and in real time: while a unit of it is open
(`loop.working`), the clock stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from .conftest import NOON

T = TypeVar("T")
STUCK_AFTER = 20.0  # real seconds in which a database says nothing


class _Jumping(selectors.SelectSelector):
    """Does not wait for time to pass: it says that it has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        self.working = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.working:
            ready = super().select(STUCK_AFTER)
            assert ready, "the database does not answer"
            return ready
        assert timeout is not None, "nothing would ever happen any more"
        self.passed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See above. `now` is its clock in milliseconds."""

    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.passed

    def now(self) -> int:
        return NOON + round(self.time() * 1000)


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """A scenario in virtual time, from noon on."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scenario)


class Patient:
    """A storage during whose units no virtual time passes."""

    def __init__(self, storage: Any, loop: VirtualLoop) -> None:
        self._storage, self._jumping = storage, loop.jumping

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        return self._working(self._storage.transaction())

    def reading(self) -> AbstractAsyncContextManager[Any]:
        return self._working(self._storage.reading())

    @asynccontextmanager
    async def _working(self, unit: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
        self._jumping.working += 1
        try:
            async with unit as tx:
                yield tx
        finally:
            self._jumping.working -= 1
