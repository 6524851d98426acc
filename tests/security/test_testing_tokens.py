"""A testing token is ours, lives an hour, and is worth nothing on another server."""

from __future__ import annotations

import pytest

from doorcode.domain.limits import HOUR, SECOND
from doorcode.security.master_key import MasterKey
from doorcode.security.testing_tokens import TestingTokens

NOW = 1_800_000_000_000
OLD, NEW = b"o" * 32, b"n" * 32
TOKENS = TestingTokens(MasterKey({1: OLD}), "ins_1")


def test_a_token_lives_one_hour() -> None:
    text, ends_at = TOKENS.make(NOW)
    assert ends_at * SECOND == NOW + HOUR
    assert TOKENS.is_valid(text, NOW + HOUR - 1)
    assert not TOKENS.is_valid(text, NOW + HOUR)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace(".", "", 1),
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text.upper(),
        lambda text: f"9{text}",
        lambda text: f" {text}",
        lambda text: f"é{text}",
        lambda text: "." + text.partition(".")[2],
        lambda text: "9999999999." + text.partition(".")[2],
        lambda text: "x.y",
    ],
)
def test_a_changed_token_is_none(change) -> None:
    text, _ = TOKENS.make(NOW)
    assert not TOKENS.is_valid(change(text), NOW)


def test_another_server_and_another_key_take_it_for_nothing() -> None:
    text, _ = TOKENS.make(NOW)
    assert not TestingTokens(MasterKey({1: OLD}), "ins_2").is_valid(text, NOW)
    assert not TestingTokens(MasterKey({1: NEW}), "ins_1").is_valid(text, NOW)


def test_a_rotated_key_still_opens_as_long_as_it_is_kept() -> None:
    text, _ = TOKENS.make(NOW)
    rotated = TestingTokens(MasterKey({1: OLD, 2: NEW}), "ins_1")
    assert rotated.is_valid(text, NOW)
    fresh, _ = rotated.make(NOW)
    assert not TOKENS.is_valid(fresh, NOW)
