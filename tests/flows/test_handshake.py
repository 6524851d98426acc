"""Cookies kept for an app's server: sealed, short-lived, known by one word."""

from __future__ import annotations

from doorcode.domain.limits import HANDSHAKE_LIVES_FOR
from doorcode.flows import client as clients
from doorcode.flows import handshake
from doorcode.flows.deps import Caller

from .world import World

COOKIES = ["__session=secret-token; Path=/", "__client_uat=1; Path=/"]


async def test_kept_cookies_can_be_fetched_twice(world: World) -> None:
    nonce = await handshake.keep(world.deps, COOKIES)
    for _ in range(2):
        assert await handshake.fetch(world.deps, nonce) == COOKIES


async def test_word_is_worth_nothing_after_seconds(world: World) -> None:
    nonce = await handshake.keep(world.deps, COOKIES)
    world.clock.forward(HANDSHAKE_LIVES_FOR - 1)
    assert await handshake.fetch(world.deps, nonce) == COOKIES
    world.clock.forward(1)
    assert await handshake.fetch(world.deps, nonce) is None


async def test_unknown_word_opens_nothing(world: World) -> None:
    await handshake.keep(world.deps, COOKIES)
    for word in ("", "guessed", "\x00"):
        assert await handshake.fetch(world.deps, word) is None


async def test_words_differ(world: World) -> None:
    words = {await handshake.keep(world.deps, COOKIES) for _ in range(5)}
    assert len(words) == 5
    assert min(map(len, words)) >= 43  # 256 bits


async def test_cookies_and_word_are_not_readable_at_rest(world: World) -> None:
    nonce = await handshake.keep(world.deps, COOKIES)
    files = b"".join(file.read_bytes() for file in world.file.parent.iterdir())
    assert b"secret-token" not in files
    assert nonce.encode() not in files


async def test_moved_seal_does_not_open(world: World) -> None:
    one = await handshake.keep(world.deps, ["__session=one"])
    other = await handshake.keep(world.deps, ["__session=other"])
    first, second = (row[0] for row in world.rows("SELECT sealed FROM handshakes"))
    world.write("UPDATE handshakes SET sealed = ? WHERE sealed = ?", second, first)
    got = {await handshake.fetch(world.deps, one) is None}
    got.add(await handshake.fetch(world.deps, other) is None)
    assert got == {True, False}


async def test_browser_gets_a_new_name_of_its_own(world: World) -> None:
    client = (await clients.create(world.deps, Caller())).client
    assert client is not None
    words = {await handshake.name_browser(world.deps, client.client.id) for _ in range(3)}
    assert len(words) == 3
    for word in words:
        assert (await clients.find(world.deps, None, word)).client_id == client.client.id
