"""Until when a browser counts as a person's."""

from __future__ import annotations

from doorcode.domain.client import Client


def test_a_solved_challenge_counts_until_its_time_is_over() -> None:
    client = Client("client_1", 0, 0, human_until=1_000)
    assert client.is_human(999)
    assert not client.is_human(1_000)


def test_without_a_challenge_nobody_counts() -> None:
    assert not Client("client_1", 0, 0).is_human(0)
