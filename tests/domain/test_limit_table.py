"""The table of limits names each of them once, with the figures of the code and what mends it."""

from __future__ import annotations

from pathlib import Path

from doorcode.domain import errors, limits
from doorcode.domain.errors import Refusal
from doorcode.domain.limit_table import LIMITS, SETTING_OF, markdown
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.domain.shield import Policy

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
BUCKETS = [one.bucket for one in LIMITS]


def row(bucket: str) -> str:
    return next(one.much for one in LIMITS if one.bucket == bucket)


def test_the_page_shows_the_table_as_the_code_has_it() -> None:
    assert "\n".join(markdown()) in PAGE.read_text("utf-8")


def test_each_limit_stands_in_it_once() -> None:
    assert len(set(BUCKETS)) == len(BUCKETS)
    assert {rate.name for rate in limits.RATES} <= set(BUCKETS)
    named = {
        value
        for name, value in vars(limits).items()
        if name.isupper() and isinstance(value, str) and "." in value
    }
    assert len(named) > 10
    assert named <= set(BUCKETS)


def test_each_refusal_is_one_that_the_server_gives() -> None:
    codes = {value.code for value in vars(errors).values() if isinstance(value, Refusal)}
    assert {one.refusal for one in LIMITS} <= codes


def test_each_setting_that_it_names_exists() -> None:
    assert {one.setting for one in LIMITS if one.setting} <= set(SETTINGS)
    assert SETTING_OF[limits.COUNTRY] == "shield.countries"
    assert limits.NETWORK_GUESSES not in SETTING_OF  # nothing switches it off


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{Policy().money_per_country // 1_000_000} US dollars" in row(limits.MONEY)
    assert all(country in row(limits.COUNTRY) for country in Policy().countries or ())
    assert str(limits.GUESSES_PER_NETWORK) in row(limits.NETWORK_GUESSES)
