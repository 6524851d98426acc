"""Public keys read and fetched."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from doorcode.client import AsyncJwksCache, JwksCache, KeysUnavailableError, UnknownKeyError
from doorcode.client.jwks import MAX_AGE, MAX_AGE_UNREACHABLE, MIN_INTERVAL, find_key, read_keys

from .token_maker import TokenMaker, number

MAKER = TokenMaker()
NEXT = TokenMaker("key_2")


class KeyServer:
    """Publishes keys, counts the questions, and has a clock that only goes forward."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.status = 200
        self.jwks = MAKER.jwks
        http = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.cache = JwksCache("http://h/__clerk/", http_client=http, clock=lambda: self.now)

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://h/__clerk/.well-known/jwks.json"
        time.sleep(0.005)
        self.asked += 1
        return httpx.Response(self.status, json=self.jwks)


@pytest.fixture
def server() -> KeyServer:
    return KeyServer()


def test_key_is_read() -> None:
    public = MAKER.key.public_key().public_numbers()
    assert read_keys(MAKER.jwks)["key_1"].public_numbers() == public


@pytest.mark.parametrize("change", [{"use": ...}, {"alg": ...}, {"x5c": ["…"]}])
def test_what_a_key_may_leave_out_or_add(change: dict[str, Any]) -> None:
    told = {name: value for name, value in (MAKER.jwk | change).items() if value is not ...}
    assert read_keys({"keys": [told]})


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"},
        {"kty": "oct"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"kid": None},
        {"kid": 5},
        {"n": None},
        {"n": "!"},
        {"n": MAKER.jwk["n"] + "="},
        {"n": number(2**1024 + 1)},
        {"n": number(2**8192 + 1)},
        {"e": ""},
        {"e": "Ag"},
        {"e": 65537},
    ],
)
def test_unusable_key_is_passed_over(change: dict[str, Any]) -> None:
    keys = read_keys({"keys": [MAKER.jwk | change, "text", NEXT.jwk]})
    assert set(keys) == {"key_2"}


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": [None]}])
def test_document_without_keys_has_none(document: dict[str, Any]) -> None:
    with pytest.raises(UnknownKeyError):
        find_key(read_keys(document), "key_1")


def test_first_key_of_a_name_wins() -> None:
    twin = NEXT.jwk | {"kid": "key_1"}
    keys = read_keys({"keys": [MAKER.jwk, twin]})
    assert keys["key_1"].public_numbers() == MAKER.key.public_key().public_numbers()


def test_keys_are_fetched_once(server: KeyServer) -> None:
    assert server.cache.find("key_1") is server.cache.find("key_1")
    assert server.asked == 1


def test_new_key_is_found_by_fetching_again(server: KeyServer) -> None:
    server.cache.find("key_1")
    server.jwks = {"keys": [MAKER.jwk, NEXT.jwk]}
    server.now += MIN_INTERVAL
    server.cache.find("key_2")
    assert server.asked == 2


def test_invented_key_ids_do_not_reach_the_server(server: KeyServer) -> None:
    for number_ in range(50):
        with pytest.raises(UnknownKeyError):
            server.cache.find(f"invented_{number_}")
    assert server.asked == 1


def test_withdrawn_key_is_dropped(server: KeyServer) -> None:
    server.cache.find("key_1")
    server.jwks = NEXT.jwks
    server.now += MAX_AGE
    with pytest.raises(UnknownKeyError):
        server.cache.find("key_1")


def test_keys_outlive_a_short_outage(server: KeyServer) -> None:
    server.cache.find("key_1")
    server.status = 503
    server.now += MAX_AGE
    assert server.cache.find("key_1")
    assert server.asked == 2


def test_keys_do_not_outlive_a_long_outage(server: KeyServer) -> None:
    server.cache.find("key_1")
    server.status = 503
    server.now += MAX_AGE_UNREACHABLE
    with pytest.raises(KeysUnavailableError):
        server.cache.find("key_1")


def test_foreign_json_does_not_wipe_out_good_keys(server: KeyServer) -> None:
    server.cache.find("key_1")
    server.jwks = {"detail": "not found"}
    server.now += MAX_AGE
    assert server.cache.find("key_1")


def test_threads_that_start_together_ask_once(server: KeyServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(server.cache.find, ["key_1"] * 8))
    assert len(found) == 8
    assert server.asked == 1


async def test_tasks_that_start_together_ask_once(server: KeyServer) -> None:
    async def slowly(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        return server.answer(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(slowly))
    cache = AsyncJwksCache("http://h/__clerk", http_client=http)
    await asyncio.gather(*(cache.find("key_1") for _ in range(8)))
    assert server.asked == 1


def test_server_that_never_answered_has_no_keys(server: KeyServer) -> None:
    server.status = 500
    with pytest.raises(KeysUnavailableError, match="http://h"):
        server.cache.find("key_1")
