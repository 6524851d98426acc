"""What another server says of a challenge: nobody passes by an answer that says nothing."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from doorcode.security.turnstile import Turnstile

from .spoiling import BYTES, TEXTS, spoilt

HOSTS = frozenset({"app.example.com"})
JSON = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(TEXTS, max_size=2)
PASSED: dict[str, Any] = {"success": True, "hostname": "app.example.com", "action": "signup"}
VERDICTS = st.fixed_dictionaries(
    {},
    optional={name: st.just(value) | JSON for name, value in PASSED.items()}
    | {"error-codes": JSON, "cdata": JSON},
)
WRITTEN = VERDICTS.map(json.dumps).map(str.encode)


TURNSTILE = Turnstile("secret", "https://challenges.example.com/", HOSTS)


async def passes(answer: bytes) -> bool:
    theirs = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))
    TURNSTILE._http._transport = theirs
    return await TURNSTILE.passes("token", "192.0.2.7", "signup")


async def test_the_whole_verdict_passes() -> None:
    assert await passes(json.dumps(PASSED).encode())


@given(WRITTEN | spoilt(WRITTEN | st.just(json.dumps(PASSED).encode())) | BYTES)
async def test_only_a_verdict_for_us_passes_and_no_answer_breaks_the_check(answer: bytes) -> None:
    if await passes(answer):
        told = json.loads(answer.decode("utf-8", "replace"))
        assert told["success"] is True
        assert told["hostname"] in HOSTS
        assert told.get("action", "") in ("", "signup")
