"""Session tokens kept until shortly before they expire."""

from __future__ import annotations

import pytest

from doorcode.client.token_cache import LEEWAY, TokenCache

from .fake_server import unsigned_jwt


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> TokenCache:
    return TokenCache(clock)


def minted(at: float, lifetime: float = 60, **more: object) -> str:
    return unsigned_jwt(iat=at, exp=at + lifetime, **more)


def test_token_is_given_until_shortly_before_it_expires(cache: TokenCache, clock: Clock) -> None:
    jwt = minted(clock.now)
    cache.put("sess_1", jwt)
    clock.now += 60 - LEEWAY - 0.1
    assert cache.get("sess_1") == jwt
    clock.now += 0.1
    assert cache.get("sess_1") is None


def test_slow_clock_does_not_prolong_a_token(cache: TokenCache, clock: Clock) -> None:
    cache.put("sess_1", minted(clock.now + 3600))
    clock.now += 60 - LEEWAY
    assert cache.get("sess_1") is None


def test_token_that_arrived_old_is_not_kept_longer(cache: TokenCache, clock: Clock) -> None:
    cache.put("sess_1", minted(clock.now - 50))
    assert cache.get("sess_1") is None


def test_same_token_again_keeps_its_time(cache: TokenCache, clock: Clock) -> None:
    jwt = minted(clock.now + 3600)
    cache.put("sess_1", jwt)
    clock.now += 40
    cache.put("sess_1", jwt)
    clock.now += 20
    assert cache.get("sess_1") is None


def test_newer_token_replaces_the_older(cache: TokenCache, clock: Clock) -> None:
    cache.put("sess_1", minted(clock.now, jti=1))
    newer = minted(clock.now, jti=2)
    cache.put("sess_1", newer)
    assert cache.get("sess_1") == newer


@pytest.mark.parametrize("jwt", ["opaque", unsigned_jwt(exp=9e9), unsigned_jwt(exp="x", iat=1)])
def test_token_without_readable_times_is_not_kept(cache: TokenCache, jwt: str) -> None:
    cache.put("sess_1", jwt)
    assert cache.get("sess_1") is None


def test_tokens_of_other_sessions_are_forgotten(cache: TokenCache, clock: Clock) -> None:
    cache.put("sess_1", minted(clock.now))
    cache.put("sess_2", minted(clock.now))
    cache.keep_only({"sess_2"})
    assert cache.get("sess_1") is None
    assert cache.get("sess_2") is not None
