"""Which client addresses are one client's, as far as an address tells."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

SITE_PREFIX = 48  # what providers hand out to a customer who asks (RFC 6177)
SUBNET_PREFIX = 64  # what any subscriber has (RFC 6177, RFC 7934)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The address in its canonical form, or its /64 for IPv6: one subscriber holds all of that.

    However it is written, one address is one text: `::ffff:203.0.113.7` is `203.0.113.7`.
    """
    return _around(address, SUBNET_PREFIX)


@lru_cache(maxsize=4096)
def site_of(address: str) -> str | None:
    """The /48 around an IPv6 address; None for any other."""
    around = _around(address, SITE_PREFIX)
    return around if around.endswith(f"/{SITE_PREFIX}") else None


def _around(address: str, prefix: int) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])  # a zone is this machine's own
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, prefix), strict=False))
    return str(parsed)
