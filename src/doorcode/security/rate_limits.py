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
        # One for each rate: a flood of one must not wash out what another counts by the hour.
        self._spent: dict[str, OrderedDict[str, list[int]]] = {}

    def spend(self, rate: Rate, address: str, now: int) -> None:
        """Count one request, or refuse it until the window has passed."""
        self.expect_left(rate, address, now)
        spent = self._spent.setdefault(rate.name, OrderedDict())
        for name, _ in self._names(rate, address):
            spent[name] = [*self._times(name, rate, now), now]
            spent.move_to_end(name)
        while len(spent) > ADDRESSES_KEPT:
            spent.popitem(last=False)

    def expect_left(self, rate: Rate, address: str, now: int) -> None:
        """Refuse where nothing is left, without counting anything."""
        for name, most in self._names(rate, address):
            times = self._times(name, rate, now)
            if len(times) >= most:
                seconds = max(1, -(-(times[0] + rate.window - now) // SECOND))
                raise _refused(rate, name, seconds)

    def _names(self, rate: Rate, address: str) -> list[tuple[str, int]]:
        if not self._enabled:
            return []
        site = site_of(address)
        around = [(site, rate.times * SITE_TIMES)] if site else []
        return [(network_of(address), rate.times), *around]

    def _times(self, name: str, rate: Rate, now: int) -> list[int]:
        spent = self._spent.get(rate.name)
        return [at for at in spent.get(name, ()) if at > now - rate.window] if spent else []


def _refused(rate: Rate, network: str, seconds: int) -> Refused:
    event = Event(
        "limit.refused",
        "refused",
        bucket=rate.name,
        network=network,
        details={"opens_in_seconds": seconds},
    )
    return Refused(replace(TOO_MANY_REQUESTS, retry_after=seconds), event)
