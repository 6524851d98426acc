"""However an address is written, one client is one network."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.networks import network_of, site_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:CB00:7107", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:0000::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
        ("", ""),
    ],
)
def test_an_address_has_one_network_however_it_is_written(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_rotating_within_a_subnet_changes_nothing(
    address: ipaddress.IPv6Address, other: int
) -> None:
    moved = ipaddress.IPv6Address((int(address) >> 64 << 64) | other)
    if not address.ipv4_mapped and not moved.ipv4_mapped:
        assert network_of(str(address)) == network_of(str(moved))


@given(st.ip_addresses(v=6), st.integers(0, 2**80 - 1))
def test_rotating_within_a_site_changes_no_site(address: ipaddress.IPv6Address, other: int) -> None:
    moved = ipaddress.IPv6Address((int(address) >> 80 << 80) | other)
    if not address.ipv4_mapped and not moved.ipv4_mapped:
        assert site_of(str(address)) == site_of(str(moved)) is not None


@pytest.mark.parametrize("address", ["203.0.113.7", "::ffff:203.0.113.7", "nothing", ""])
def test_only_ipv6_has_sites(address: str) -> None:
    assert site_of(address) is None
