"""Ids that sort by time, tokens that nothing can guess."""

from __future__ import annotations

import re

import pytest

from doorcode.security.random_ids import digest, new_id, new_token

NOW = 1_700_000_000_000


def test_an_id_says_what_it_is_of() -> None:
    assert re.fullmatch(r"user_[0-9A-HJKMNP-TV-Z]{26}", new_id("user", NOW))


def test_ids_sort_by_time() -> None:
    times = [0, 1, 31, 32, 1_023, 1_024, NOW, NOW + 1, 2**48 - 1]
    ids = [new_id("user", now) for now in times]
    assert sorted(ids) == ids


def test_ids_of_one_moment_differ_in_eighty_bits() -> None:
    ids = {new_id("user", NOW) for _ in range(1_000)}
    assert len(ids) == 1_000
    assert len({id_[:15] for id_ in ids}) == 1
    assert all(len({id_[place] for id_ in ids}) == 32 for place in range(-16, 0))


def test_an_id_holds_its_time_as_a_ulid_does() -> None:
    assert new_id("x", 1_469_918_176_385).startswith("x_01ARYZ6S41")  # the ULID spec's example


def test_a_token_is_256_bits_that_fit_in_a_cookie() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


@pytest.mark.parametrize(
    "other",
    [
        digest("ins_2", "client", "token"),
        digest("ins_1", "dev_browser", "token"),
        digest("ins_1", "client", "token2"),
    ],
)
def test_a_digest_is_good_for_one_instance_purpose_and_token(other: bytes) -> None:
    kept = digest("ins_1", "client", "token")
    assert kept == digest("ins_1", "client", "token") != other
    assert len(kept) == 32
