"""How fast the check may ask: as the server's limits per network address allow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

MARGIN = 0.2  # seconds: the request travels, and the server counts when it arrives


class Pace:
    """At most `times` requests in `window` seconds, once the server has said "too many".

    Until then nothing is held back: the limits may be off, or passed by a testing token.
    """

    def __init__(
        self,
        times: int,
        window: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._times, self._window = times, window
        self._clock, self._sleep = clock, sleep
        self._sent: deque[float] = deque(maxlen=times)
        self._turn = asyncio.Lock()
        self._free_at = 0.0
        self.is_kept = False

    async def wait(self) -> None:
        """Wait until another request may be made; those who wait take turns."""
        if not self.is_kept:
            return
        async with self._turn:
            full = len(self._sent) == self._times
            free_at = self._sent[0] + self._window + MARGIN if full else 0.0
            left = max(free_at, self._free_at) - self._clock()
            if left > 0:
                await self._sleep(left)
            self._sent.append(self._clock())

    def keep(self, retry_after: float) -> None:
        """The server has refused: keep the pace from now on, and ask nothing for so long."""
        self.is_kept = True
        self._free_at = max(self._free_at, self._clock() + retry_after + MARGIN)
