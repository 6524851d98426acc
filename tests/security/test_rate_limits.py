"""Floods are kept out, by network and by window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain.errors import TOO_MANY_REQUESTS, Refused
from doorcode.domain.limits import Rate
from doorcode.security import rate_limits
from doorcode.security.rate_limits import RateLimits, network_of

NOW = 1_700_000_000_000
RATE = Rate("sign_ups.create", times=2, window=10_000)
ADDRESS = "192.0.2.1"


@pytest.fixture
def limits() -> RateLimits:
    return RateLimits()


def spend(
    limits: RateLimits, *moments: int, address: str = ADDRESS, rate: Rate = RATE
) -> list[bool]:
    """Whether a request was granted at each moment."""
    return [retry_after(limits, moment, address, rate) is None for moment in moments]


def retry_after(
    limits: RateLimits, moment: int, address: str = ADDRESS, rate: Rate = RATE
) -> int | None:
    """In how many seconds to come back; None where the request was granted."""
    try:
        limits.spend(rate, address, NOW + moment)
    except Refused as refused:
        return refused.refusal.retry_after
    return None


def test_requests_run_out_and_come_back_one_by_one(limits: RateLimits) -> None:
    granted = spend(limits, 0, 4_000, 5_000, 9_999, 10_000, 13_999, 14_000)
    assert granted == [True, True, False, False, True, False, True]


def test_a_flood_is_refused_as_too_many_requests(limits: RateLimits) -> None:
    spend(limits, 0, 0)
    with pytest.raises(Refused) as refused:
        limits.spend(RATE, ADDRESS, NOW)
    assert refused.value.refusal == replace(TOO_MANY_REQUESTS, retry_after=10)


def test_a_refused_request_is_not_counted(limits: RateLimits) -> None:
    spend(limits, 0, 0)
    assert spend(limits, *range(1, 50), 10_000) == [False] * 49 + [True]


@pytest.mark.parametrize(("moment", "seconds"), [(0, 10), (1, 10), (5_000, 5), (9_999, 1)])
def test_a_refusal_says_when_to_come_back(limits: RateLimits, moment: int, seconds: int) -> None:
    spend(limits, 0, 0)
    assert retry_after(limits, moment) == seconds


def test_who_comes_back_as_told_is_served(limits: RateLimits) -> None:
    spend(limits, 0, 3_300)
    wait = retry_after(limits, 3_301)
    assert wait is not None
    assert spend(limits, 3_301 + wait * 1_000) == [True]


def test_the_general_refusal_stays_as_it_was(limits: RateLimits) -> None:
    spend(limits, 0, 0, 0)
    assert TOO_MANY_REQUESTS.retry_after is None


def test_each_address_and_each_rate_has_its_own(limits: RateLimits) -> None:
    other = Rate("sign_ins.create", times=1, window=10_000)
    assert spend(limits, 0, 0, 0) == [True, True, False]
    assert spend(limits, 0, address="192.0.2.2") == [True]
    assert spend(limits, 0, 0, rate=other) == [True, False]


def test_all_of_a_64_is_one_subscriber(limits: RateLimits) -> None:
    assert spend(limits, 0, address="2001:db8:0:1::1") == [True]
    assert spend(limits, 0, 0, address="2001:db8:0:1:ffff::2") == [True, False]
    assert spend(limits, 0, address="2001:db8:0:2::1") == [True]


def test_a_mapped_address_is_the_one_it_maps(limits: RateLimits) -> None:
    assert spend(limits, 0, 0, address="::ffff:192.0.2.1") == [True, True]
    assert spend(limits, 0) == [False]
    assert spend(limits, 0, address="::ffff:192.0.2.2") == [True]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::/64"),
        ("::1", "::/64"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_what_is_switched_off_never_refuses() -> None:
    assert all(spend(RateLimits(enabled=False), *[0] * 50))


def test_a_flood_of_one_rate_washes_nothing_out_of_another(
    limits: RateLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "ADDRESSES_KEPT", 3)
    hourly, quick = Rate("hourly", times=1, window=3_600_000), Rate("quick", 5, 10_000)
    assert spend(limits, 0, address="a", rate=hourly) == [True]
    for number in range(20):
        spend(limits, 0, address=f"b{number}", rate=quick)
    assert spend(limits, 0, address="a", rate=hourly) == [False]


def test_memory_is_bounded_and_the_longest_silent_is_forgotten(
    limits: RateLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "ADDRESSES_KEPT", 2)
    once = Rate("once", times=2, window=10_000)
    for address in ("a", "b", "a", "c"):
        assert spend(limits, 0, address=address, rate=once) == [True]
    assert spend(limits, 0, address="a", rate=once) == [False]
    assert spend(limits, 0, 0, 0, address="b", rate=once) == [True, True, False]
