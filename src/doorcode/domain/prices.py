"""What a text message costs, by country: rounded public list prices of large providers.

They are meant as a ceiling for a budget, not as an invoice: prices differ between
providers and move every month. An operator sets the ones that matter to them.
"""

from __future__ import annotations

from collections.abc import Mapping

CENT = 10_000  # millionths of a dollar

DEFAULT = 20 * CENT  # the rest; dear, for nobody's own customers live in a country unlisted

# One segment, tenths of a cent.
_LISTED = {
    8: "US CA PR",
    15: "IN CN",  # dear routes for senders from abroad stand in an operator's own prices
    25: "ES PT",
    35: "PL LT LV EE SE DK NO FI AU TH KR",
    45: "GB IE IT GR RO SK SI CZ BR AR CL CO MX",
    65: "NZ HK SG JP ZA TW",
    75: "FR AT CH NL BE LU HU BG HR RS TR IL",
    90: "DE UA PE EC MY VN PH GE KZ AE SA QA",
}
_PRICES = {
    country: tenths * CENT // 10 for tenths, row in _LISTED.items() for country in row.split()
}


def price_of(country: str, overrides: Mapping[str, int]) -> int:
    """Millionths of a US dollar for one segment; `overrides` by ISO 3166-1 alpha-2."""
    return overrides.get(country, _PRICES.get(country, DEFAULT))
