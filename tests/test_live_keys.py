"""Signing keys change under a running server, and no good token is refused meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jwt
import pytest
import structlog

from doorcode import instance_keys, live_keys
from doorcode.client import UnknownKeyError, verify_token
from doorcode.domain.key_rotation import FORMER_STAYS_FOR, PUBLISHED_BEFORE
from doorcode.domain.session import Session, Status
from doorcode.flows.deps import Deps
from doorcode.live_keys import LiveKeys
from doorcode.security.sealing import Sealer
from doorcode.security.tokens import Tokens, generate_key
from doorcode.server import open_storage
from doorcode.settings import Settings, development
from doorcode.storage.interface import SealedKey
from doorcode.storage.sqlite import Sqlite

NOW = 1_750_000_000_000
LATER = NOW + 1_000
ISSUER = "https://auth.example.com"
SESSION = Session("sess_1", "client_1", "user_1", Status.ACTIVE, NOW, NOW, NOW, NOW + 1, NOW + 1)


@dataclass
class Running:
    """The keys of a running server: `tokens` are what its requests use."""

    settings: Settings
    storage: Sqlite
    live: LiveKeys
    tokens: Tokens

    async def look(self, now: int) -> bool:
        """What the watch does at that time; whether anything changed."""
        fresh = await self.live.look(now)
        self.tokens = fresh or self.tokens
        return fresh is not None

    async def rotate(self, now: int, *, at_once: bool = False) -> SealedKey:
        async with self.storage.transaction() as tx:
            return await instance_keys.rotate_signing_key(
                tx, self.settings, generate_key(), now, at_once=at_once
            )

    def jwks(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.tokens.jwks))

    def kids(self) -> list[str]:
        return [key["kid"] for key in self.jwks()["keys"]]

    def mint(self, now: int) -> str:
        return self.tokens.mint(SESSION, None, now)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    settings = development({}, data=tmp_path)
    storage = open_storage(settings)
    keys = await instance_keys.open_keys(storage, settings, NOW)
    live = LiveKeys(storage, Sealer(keys.master, keys.instance_id), ISSUER, keys.signing)
    yield Running(settings, storage, live, live.tokens())
    await storage.close()


def accepts(jwks: dict[str, Any], token: str, now: int) -> bool:
    """Whether an app's server takes a token, by our own verifier and by PyJWT alike."""
    try:
        verify_token(token, jwks, issuer=ISSUER, now=now / 1000)
        ours = True
    except UnknownKeyError:
        ours = False
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys}
    key = keys.get(jwt.get_unverified_header(token)["kid"])
    if key:
        jwt.decode(token, key, algorithms=["RS256"], options={"verify_exp": False})
    assert ours is (key is not None)
    return ours


async def test_tokens_are_taken_before_during_and_after_a_rotation(running: Running) -> None:
    before, first = running.jwks(), running.mint(NOW)
    new = await running.rotate(NOW)
    assert await running.look(NOW)
    during, second = running.jwks(), running.mint(NOW + 10_000)
    last = running.mint(new.signs_from - 1)
    assert not await running.look(new.signs_from - 1)
    assert await running.look(new.signs_from)
    after, third = running.jwks(), running.mint(new.signs_from)

    assert jwt.get_unverified_header(third)["kid"] == new.id
    for token in (first, second):
        assert accepts(before, token, NOW + 10_000)
        assert accepts(during, token, NOW + 10_000)
    # A verifier whose list is as old as the wait takes the first token of the new key, and one
    # that has just fetched its list takes the last token of the old one.
    assert accepts(during, third, new.signs_from)
    assert accepts(after, last, new.signs_from + 59_000)
    assert not accepts(before, third, new.signs_from)


async def test_a_former_key_is_withdrawn_and_deleted(running: Running) -> None:
    [former] = running.kids()
    old = running.mint(NOW)
    new = await running.rotate(LATER, at_once=True)
    await running.look(LATER)
    assert running.kids() == [new.id, former]
    assert not await running.look(LATER + FORMER_STAYS_FOR - 1)
    assert await running.look(LATER + FORMER_STAYS_FOR)
    assert running.kids() == [new.id]
    assert not accepts(running.jwks(), old, LATER + 30_000)
    async with running.storage.transaction() as tx:
        await tx.delete_expired(LATER + FORMER_STAYS_FOR, most=10)
        assert [key.id for key in await tx.signing_keys()] == [new.id]
    assert not await running.look(LATER + FORMER_STAYS_FOR)


async def test_an_emergency_signs_at_once(running: Running) -> None:
    [former] = running.kids()
    kept = running.mint(NOW)
    new = await running.rotate(LATER, at_once=True)
    await running.look(LATER)
    # Not even a token of a moment ago is given out again: the key that made it is the bad one.
    fresh = running.mint(LATER)
    assert fresh != kept
    assert jwt.get_unverified_header(fresh)["kid"] == new.id
    assert accepts(running.jwks(), fresh, LATER)
    assert accepts(running.jwks(), kept, LATER)
    assert running.kids() == [new.id, former]


async def test_nothing_changes_where_nothing_is_due(running: Running) -> None:
    minted = running.mint(NOW)
    assert not await running.look(NOW)
    assert not await running.look(NOW + PUBLISHED_BEFORE)
    assert running.mint(NOW) == minted


async def test_a_key_that_does_not_open_changes_nothing_and_is_said_once(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_keys, "LOOK_EVERY_SECONDS", 0)
    before = running.kids()
    broken = SealedKey("ins_broken", b"\x00\x09" + bytes(60), NOW, NOW + 1)
    async with running.storage.transaction() as tx:
        await tx.save_signing_key(broken)
    deps = SimpleNamespace(now=lambda: LATER, tokens=running.tokens)
    with structlog.testing.capture_logs() as logs:
        watch = asyncio.create_task(running.live.run(cast(Deps, deps)))
        await wait_for(lambda: bool(logs))
        assert deps.tokens is running.tokens
        assert running.kids() == before
        async with running.storage.transaction() as tx:
            await tx.save_signing_key(replace(broken, id="ins_other"))
            await tx.delete_signing_key(broken.id)
        await wait_for(lambda: len(logs) == 2)  # another mistake is said again, the same is not
        async with running.storage.transaction() as tx:
            await tx.delete_signing_key("ins_other")
        good = await running.rotate(LATER, at_once=True)
        await wait_for(lambda: deps.tokens is not running.tokens)
        watch.cancel()
    assert [log["log_level"] for log in logs] == ["warning", "warning", "info"]
    assert "ins_broken" in logs[0]["why"]
    assert json.loads(deps.tokens.jwks)["keys"][0]["kid"] == good.id


async def wait_for(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)
