"""What is read of a provider's answer, whatever it answered."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.delivery.interface import Foreign
from doorcode.delivery.providers.answers import (
    MOST_CHARACTERS,
    document,
    expect_recent,
    micros,
    moment,
    text,
    unix_moment,
)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"a": {"b": "SM1"}}, "SM1"),
        ({"a": {"b": 21211}}, "21211"),
        ({"a": {"b": None}}, ""),
        ({"a": {"b": True}}, ""),
        ({"a": {"b": 1.5}}, ""),
        ({"a": {"b": ["SM1"]}}, ""),
        ({"a": {"b": "x\r\ny"}}, ""),
        ({"a": {"b": "x" * MOST_CHARACTERS}}, "x" * MOST_CHARACTERS),
        ({"a": {"b": "x" * (MOST_CHARACTERS + 1)}}, ""),
        ({"a": "b"}, ""),
        ([{"a": {"b": "SM1"}}], ""),
        ("SM1", ""),
        (None, ""),
    ],
)
def test_a_text_is_read_at_its_path_or_is_empty(document: Any, found: str) -> None:
    assert text(document, "a", "b") == found


@pytest.mark.parametrize(
    ("amount", "currency", "price"),
    [
        ("0.0075", "USD", 7500),
        ("-0.00750", "USD", 7500),  # Twilio writes what it charges as a negative amount
        ("0", "usd", 0),
        ("0.0333", "EUR", None),
        ("0.0333", "", None),
        ("", "USD", None),
        ("NaN", "USD", None),
        ("Infinity", "USD", None),
        ("1e999999", "USD", None),
        ("5000", "USD", None),
        ("a lot", "USD", None),
    ],
)
def test_only_dollars_are_a_price(amount: str, currency: str, price: int | None) -> None:
    assert micros(amount, currency) == price


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2027-01-15T08:00:00Z", 1_800_000_000_000),
        ("2027-01-15T08:00:00.250Z", 1_800_000_000_250),
        ("2027-01-15T09:00:00+01:00", 1_800_000_000_000),
        ("2027-01-15T08:00:00", 1_800_000_000_000),
        ("2027-13-15T08:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_moment_is_read_by_iso_8601(written: str, at: int | None) -> None:
    assert moment(written) == at


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"", None),
        (b"<html>", None),
        (b'"\xff"', None),
        (b"[" * 99999, None),
    ],
)
def test_a_body_that_is_no_json_is_none(body: bytes, found: Any) -> None:
    assert document(body) == found


@pytest.mark.parametrize(
    ("written", "at"),
    [("1778241600", 1_778_241_600_000), ("", None), ("-1", None), ("1.5", None), ("٣", None)],
)
def test_seconds_are_read_as_milliseconds(written: str, at: int | None) -> None:
    assert unix_moment(written) == at


@pytest.mark.parametrize("late", [-60_000, 0, 60_000])
def test_a_callback_of_now_is_believed(late: int) -> None:
    expect_recent("1778241600", 1_778_241_600_000 + late, 60_000)


@pytest.mark.parametrize("late", [-60_001, 60_001])
def test_a_callback_of_another_hour_is_foreign(late: int) -> None:
    with pytest.raises(Foreign, match="too long ago"):
        expect_recent("1778241600", 1_778_241_600_000 + late, 60_000)


@pytest.mark.parametrize("written", ["", "now", "9" * 5000, "é"])
def test_a_callback_that_says_no_time_is_foreign(written: str) -> None:
    with pytest.raises(Foreign, match="no time"):
        expect_recent(written, 0, 60_000)
