"""A session that waits for its person to set up a second step, on the wire."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from doorcode.domain.instance import Attribute

from ..conftest import Builder
from ..house import EMAIL, Browser, House

INSTANCE = {"phone": Attribute(used_for_second_factor=True), "mfa_required": True}


@pytest.fixture
async def house(build: Builder) -> House:
    return await build(instance=INSTANCE)


@pytest.fixture
async def browser(house: House) -> Browser:
    """Somebody who has just signed up by mail."""
    browser = house.browser()
    await browser.sign_up(EMAIL)
    return browser


async def _session(browser: Browser) -> Any:
    [session] = (await browser.client())["sessions"]
    return session


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_session_waits_and_says_for_what(browser: Browser) -> None:
    session = await _session(browser)
    assert session["status"] == "pending"
    assert session["tasks"] == [{"key": "setup-mfa"}]
    assert (await browser.client())["last_active_session_id"] == session["id"]


async def test_tokens_say_that_it_waits(browser: Browser) -> None:
    """App servers take such a token for that of nobody, unless they ask for it."""
    session = await _session(browser)
    assert _claims(session["last_active_token"]["jwt"])["sts"] == "pending"
    answer = await browser.post(f"/v1/client/sessions/{session['id']}/tokens")
    assert _claims(answer.json()["jwt"])["sts"] == "pending"


async def test_touching_it_does_not_end_the_wait(browser: Browser) -> None:
    session = await _session(browser)
    answer = await browser.post(f"/v1/client/sessions/{session['id']}/touch")
    assert answer.json()["response"]["status"] == "pending"
    assert answer.json()["client"]["sessions"][0]["status"] == "pending"


async def test_signing_up_completes_with_a_session_that_waits(house: House) -> None:
    answer = (await house.browser().sign_up(EMAIL)).json()
    assert answer["response"]["status"] == "complete"
    [session] = answer["client"]["sessions"]
    assert session["id"] == answer["response"]["created_session_id"]
    assert session["status"] == "pending"


async def test_one_that_waits_can_be_signed_out_of(browser: Browser) -> None:
    session = await _session(browser)
    answer = await browser.post(f"/v1/client/sessions/{session['id']}/end")
    assert answer.json()["response"]["status"] == "ended"
    assert answer.json()["response"]["tasks"] == []
    assert (await browser.client())["sessions"] == []


async def test_done_task_makes_it_active_and_the_next_token_says_so(
    browser: Browser, house: House
) -> None:
    session = await _session(browser)
    async with house.storage.transaction() as tx:
        assert await tx.activate_session(session["id"], house.clock.now)
    shown = await _session(browser)
    assert (shown["status"], shown["tasks"]) == ("active", [])
    assert _claims(shown["last_active_token"]["jwt"])["sts"] == "active"


async def test_nobody_waits_where_nothing_is_asked(build: Builder) -> None:
    house = await build(instance={**INSTANCE, "mfa_required": False})
    browser = house.browser()
    await browser.sign_up(EMAIL)
    session = await _session(browser)
    assert (session["status"], session["tasks"]) == ("active", [])
