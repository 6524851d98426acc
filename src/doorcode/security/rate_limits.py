"""Counts requests per client address, in memory.

These limits keep floods out. They may be lost in a restart and may be switched off for a
load test; what keeps codes from being guessed lies in the database and may not.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from doorcode.domain.errors import TOO_MANY_REQUESTS, Refused
from doorcode.domain.event import Event
from doorcode.domain.limits import SECOND, SITE_TIMES, Rate
from doorcode.domain.networks import network_of, site_of

ADDRESSES_KEPT = 50_000


class RateLimits:
    """How often each address has asked, within each rate's window."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._spent: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def spend(self, rate: Rate, address: str, now: int) -> None:
        """Count one request, or refuse it until the window has passed."""
        self.expect_left(rate, address, now)
        for name, _ in self._names(rate, address):
            self._spent[name] = [*self._times(name, rate, now), now]
            self._spent.move_to_end(name)
        while len(self._spent) > ADDRESSES_KEPT:
            self._spent.popitem(last=False)

    def expect_left(self, rate: Rate, address: str, now: int) -> None:
        """Refuse where nothing is left, without counting anything."""
        for name, most in self._names(rate, address):
            times = self._times(name, rate, now)
            if len(times) >= most:
                seconds = max(1, -(-(times[0] + rate.window - now) // SECOND))
                raise _refused(rate, name[1], seconds)

    def _names(self, rate: Rate, address: str) -> list[tuple[tuple[str, str], int]]:
        if not self._enabled:
            return []
        site = site_of(address)
        around = [((rate.name, site), rate.times * SITE_TIMES)] if site else []
        return [((rate.name, network_of(address)), rate.times), *around]

    def _times(self, name: tuple[str, str], rate: Rate, now: int) -> list[int]:
        return [at for at in self._spent.get(name, ()) if at > now - rate.window]


def _refused(rate: Rate, network: str, seconds: int) -> Refused:
    event = Event(
        "limit.refused",
        "refused",
        bucket=rate.name,
        network=network,
        details={"opens_in_seconds": seconds},
    )
    return Refused(replace(TOO_MANY_REQUESTS, retry_after=seconds), event)
