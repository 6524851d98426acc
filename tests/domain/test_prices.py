"""What a message is taken to cost."""

from __future__ import annotations

import phonenumbers
import pytest

from doorcode.domain import prices
from doorcode.domain.prices import DEFAULT, price_of


def test_an_operators_price_goes_before_the_listed_one() -> None:
    assert price_of("US", {}) == 8_000
    assert price_of("US", {"US": 5_000}) == 5_000
    assert price_of("US", {"CA": 5_000}) == 8_000


@pytest.mark.parametrize("country", ["", "ZZ", "KI", "SO"])
def test_a_country_that_is_not_listed_is_dear(country: str) -> None:
    assert price_of(country, {}) == DEFAULT


def test_every_listed_price_is_a_real_countrys_and_below_the_default() -> None:
    for country, price in prices._PRICES.items():
        assert country in phonenumbers.SUPPORTED_REGIONS
        assert 0 < price < DEFAULT


def test_no_country_is_listed_twice() -> None:
    listed = " ".join(prices._LISTED.values()).split()
    assert len(listed) == len(set(listed))
