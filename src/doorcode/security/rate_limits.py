"""Counts requests per client address, in memory.

These limits keep floods out. They may be lost in a restart and may be switched off for a
load test; what keeps codes from being guessed lies in the database and may not.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import replace

from doorcode.domain.errors import TOO_MANY_REQUESTS, Refused
from doorcode.domain.limits import SECOND, Rate

ADDRESSES_KEPT = 50_000


class RateLimits:
    """How often each address has asked, within each rate's window."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._spent: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def spend(self, rate: Rate, address: str, now: int) -> None:
        """Count one request, or refuse it until the window has passed."""
        if not self._enabled:
            return
        name = (rate.name, network_of(address))
        times = [at for at in self._spent.get(name, ()) if at > now - rate.window]
        if len(times) >= rate.times:
            left = times[0] + rate.window - now
            raise Refused(replace(TOO_MANY_REQUESTS, retry_after=max(1, -(-left // SECOND))))
        self._spent[name] = [*times, now]
        self._spent.move_to_end(name)
        if len(self._spent) > ADDRESSES_KEPT:
            self._spent.popitem(last=False)


def network_of(address: str) -> str:
    """The address, or its /64 for IPv6: one subscriber holds all of a /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
