"""What goes wrong on the way to a provider and back: by a script that a seed writes."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from .wire import Call


class Fault(StrEnum):
    """One thing that goes wrong."""

    # with a request
    LATE = "late"  # answered, but not soon
    LOST = "lost"  # taken, then the line is closed without an answer
    LOST_BEFORE = "lost_before"  # the line is closed before anything is taken
    THROTTLED = "throttled"  # refused, as its API refuses whoever asks too often
    HALF_CLOSED = "half_closed"  # taken; the headers and half of the body, then the end
    TRICKLE = "trickle"  # taken; the headers, then the body a byte at a time
    WRONG_BODY = "wrong_body"  # taken; the answer says so, and holds a web page
    EXPIRED = "expired"  # refused, as its API refuses expired credentials
    DOWN = "down"  # 503: nothing is taken

    # with a callback
    TOLD_TWICE = "told_twice"
    TOLD_LATE = "told_late"
    NOT_TOLD = "not_told"


TOLD = frozenset({Fault.TOLD_TWICE, Fault.TOLD_LATE, Fault.NOT_TOLD})


@dataclass(frozen=True)
class Told:
    """A callback, and how long after the one before it comes (ms)."""

    call: Call
    after: int


class Faults:
    """Which fault the next request meets. The same seed and the same questions, the same faults.

    `rates` is how often each fault comes, from 0 to 1, one of them at most at a time.
    """

    def __init__(
        self,
        seed: int = 0,
        rates: Mapping[Fault, float] | None = None,
        now: Callable[[], int] = lambda: 0,
        *,
        late_by: float = 0.05,
        byte_every: float = 0.01,
    ) -> None:
        self.late_by = late_by  # seconds
        self.byte_every = byte_every  # seconds
        self._rates = dict(rates or {})
        # Two scripts: how many callbacks there are changes nothing of what requests meet.
        self._requests = random.Random(f"requests {seed}")
        self._callbacks = random.Random(f"callbacks {seed}")
        self._now = now
        self._next: deque[Fault | None] = deque()
        self._outages: list[tuple[int, int]] = []

    def next(self, *faults: Fault | None) -> None:
        """The faults of the next requests, one each; None for none."""
        self._next.extend(faults)

    def outage(self, start: int, end: int) -> None:
        """Nothing is taken from `start` until `end` (ms, by the given clock)."""
        self._outages.append((start, end))

    def draw(self) -> Fault | None:
        """What the next request meets."""
        if any(start <= self._now() < end for start, end in self._outages):
            return Fault.DOWN
        if self._next:
            return self._next.popleft()
        chance = self._requests.random()
        for fault, rate in sorted(self._rates.items()):
            if fault in TOLD:
                continue
            chance -= rate
            if chance < 0:
                return fault
        return None

    def scatter(self, calls: Sequence[Call]) -> list[Told]:
        """The callbacks as they arrive: some twice, some after later ones, some never."""
        arriving: list[tuple[int, int, Call]] = []
        for number, call in enumerate(calls):
            at = number * 1000
            if self._meets(Fault.NOT_TOLD):
                continue
            if self._meets(Fault.TOLD_LATE):
                at += self._callbacks.randrange(1_500, 600_000)
            arriving.append((at, number, call))
            if self._meets(Fault.TOLD_TWICE):
                arriving.append((at + self._callbacks.randrange(1, 600_000), number, call))
        arriving.sort(key=lambda one: one[:2])
        times = [0, *(at for at, _, _ in arriving)]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        return [Told(call, gap) for (_, _, call), gap in zip(arriving, gaps, strict=True)]

    def _meets(self, fault: Fault) -> bool:
        return self._callbacks.random() < self._rates.get(fault, 0)
