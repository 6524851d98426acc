"""Planted cookies and replayed tickets: one proof, one session, and only for whoever gave it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.web.house import OTHER_PHONE

from doorcode.domain.limits import RESEND_AFTER

from .conftest import Builder
from .street import EMAIL, PHONE, SIGN_INS, SIGN_UPS, Street, Visitor, said

WAYS = pytest.mark.parametrize("way", [SIGN_INS, SIGN_UPS])


def cookie_of(answer: Any) -> str:
    """The client's token in an answer's cookies."""
    lines = answer.headers.get_list("set-cookie")
    [token] = [line[9:].partition(";")[0] for line in lines if line.startswith("__client=")]
    return str(token)


def sessions(street: Street) -> int:
    return street.house.rows("sessions")["sessions"]


async def enter(street: Street, visitor: Visitor, way: str) -> Any:
    """Sign up or in; the answer to the right code."""
    attempt = await visitor.begin(way)
    return await visitor.attempt(way, attempt, street.house.code())


async def planted(street: Street, way: str) -> tuple[Visitor, Visitor]:
    """A thief, and a victim's browser that holds a copy of the thief's cookie."""
    if way == SIGN_INS:
        await street.visitor().sign_up()
        street.house.clock.advance(1)
    thief = street.visitor()
    await thief.http.put("/v1/client")
    assert thief.token
    return thief, thief.with_token(thief.token)


# ── fixation ──────────────────────────────────────────────────────────────────────────
@WAYS
async def test_a_cookie_planted_before_signing_in_opens_nothing_after(
    street: Street, way: str
) -> None:
    thief, victim = await planted(street, way)
    before = thief.token
    entered = await enter(street, victim, way)
    assert cookie_of(entered) != before
    assert await thief.client() is None
    session = entered.json()["response"]["created_session_id"]
    assert said([await thief.post(f"/v1/client/sessions/{session}/tokens")]) != {"ok": 1}


@WAYS
async def test_a_thief_who_asks_all_the_while_is_never_shown_the_session(
    street: Street, way: str
) -> None:
    """The look-up of the cookie and the reading of the session may not come apart."""
    thief, victim = await planted(street, way)
    attempt = await victim.begin(way)
    code, token = street.house.code(), thief.token
    assert token
    watching = [thief.with_token(token) for _ in range(20)]
    answers = await asyncio.gather(
        *(one.get("/v1/client") for one in watching[:10]),
        victim.attempt(way, attempt, code),
        *(one.get("/v1/client") for one in watching[10:]),
        *(one.attempt(way, attempt, code) for one in watching),
    )
    seen = [one for one in answers if '"sess_' in one.text]
    assert len(seen) == 1  # the one whose code it was, whichever of them typed it first


@WAYS
@pytest.mark.parametrize("first", ["planted", "own"])
async def test_a_cookie_planted_beside_one_s_own_wins_nothing_in_either_order(
    street: Street, way: str, first: str
) -> None:
    """A sibling domain can set a cookie of our name; browsers send both, in an order of its."""
    thief, _ = await planted(street, way)
    victim = street.visitor()
    await victim.http.put("/v1/client")
    both = [thief.token, victim.token] if first == "planted" else [victim.token, thief.token]
    victim.http.cookies.clear()
    victim.http.headers["cookie"] = "; ".join(f"__client={token}" for token in both)
    entered = await enter(street, victim, way)
    assert entered.status_code == 200
    client = await thief.client()
    assert client is None or client["sessions"] == []


@pytest.mark.parametrize("first", ["planted", "own"])
async def test_a_planted_cookie_that_opens_nothing_signs_nobody_out(
    street: Street, first: str
) -> None:
    owner = street.visitor()
    await owner.sign_up()
    token = owner.token
    both = ["planted", token] if first == "planted" else [token, "planted"]
    owner.http.cookies.clear()
    owner.http.headers["cookie"] = "; ".join(f"__client={one}" for one in both)
    assert (await owner.client())["sessions"]


async def test_the_cookie_of_before_a_sign_in_opens_no_later_session_either(
    street: Street,
) -> None:
    """Signed in, out, and in again: each time it is another one."""
    owner, seen = street.visitor(), set()
    await owner.sign_up()
    for _ in range(3):
        assert owner.token
        seen.add(owner.token)
        await owner.sign_out()
        street.house.clock.advance(RESEND_AFTER)
        await owner.sign_in()
    assert len(seen) == 3
    for token in seen - {owner.token}:
        assert await owner.with_token(token).client() is None


async def test_a_development_browser_of_the_thief_s_does_not_become_the_victim_s(
    street: Street,
) -> None:
    """Its token travels in URLs; whoever sent the URL knows it."""
    thief = street.visitor()
    token = (await thief.post("/v1/dev_browser")).json()["id"]
    victim = street.visitor()
    await victim.sign_up()
    await victim.get("/v1/client", params={"__clerk_db_jwt": token})
    seen = await thief.get("/v1/client", params={"__clerk_db_jwt": token})
    assert seen.json()["response"] is None


# ── replay ────────────────────────────────────────────────────────────────────────────
async def use_at_once(street: Street, path: str, form: dict[str, str]) -> Counter[str]:
    """Fifty browsers use one ticket; what was said."""
    came = [street.visitor() for _ in range(50)]
    return Counter(said(await asyncio.gather(*(one.post(path, form) for one in came))))


async def sign_in_token(street: Street) -> dict[str, str]:
    entered = await street.visitor().sign_up()
    user = entered.json()["response"]["created_user_id"]
    made = await street.house.ask("POST", "/v1/sign_in_tokens", {"user_id": user})
    return {"strategy": "ticket", "ticket": made.json()["token"]}


async def invitation(street: Street) -> dict[str, str]:
    await street.house.ask("POST", "/v1/invitations", {"email_address": EMAIL})
    await street.delivered()
    link = street.house.inbox.messages(EMAIL)[0].link
    return {"strategy": "ticket", "ticket": link.partition("ticket=")[2]}


async def test_fifty_uses_of_a_sign_in_token_make_one_session(street: Street) -> None:
    form = await sign_in_token(street)
    before = sessions(street)
    answers = await use_at_once(street, SIGN_INS, form)
    assert answers["ok"] == 1
    assert sessions(street) == before + 1


async def test_fifty_uses_of_an_invitation_make_one_account_and_one_session(
    street: Street,
) -> None:
    form = await invitation(street)
    answers = await use_at_once(street, SIGN_UPS, form)
    assert answers["ok"] == 1
    assert (sessions(street), street.house.rows("users")["users"]) == (1, 1)


@pytest.mark.parametrize(("make", "path"), [(sign_in_token, SIGN_INS), (invitation, SIGN_UPS)])
async def test_a_ticket_is_worth_nothing_the_second_time(
    street: Street, make: Any, path: str
) -> None:
    form = await make(street)
    assert (await street.visitor().post(path, form)).status_code == 200
    street.house.clock.advance(RESEND_AFTER)
    before = sessions(street)
    for way in (SIGN_INS, SIGN_UPS):
        assert "ok" not in await use_at_once(street, way, form)
    assert sessions(street) == before


async def test_a_ticket_of_another_kind_opens_nothing_elsewhere(street: Street) -> None:
    form = await sign_in_token(street)
    assert "ok" not in said([await street.visitor().post(SIGN_UPS, form)])


async def test_an_altered_ticket_is_none(street: Street) -> None:
    form = await sign_in_token(street)
    text = form["ticket"]
    name, _, mac = text.partition(".")
    other = "A" if mac[0] != "A" else "B"
    forged = [name, f"{name}.", f"{name}.{other}{mac[1:]}", f"{text}=", f"{text} x", f".{mac}"]
    forged += [f"{name[:-1]}{'0' if name[-1] != '0' else '1'}.{mac}", text.swapcase()]
    for one in forged:
        answer = await street.visitor().post(SIGN_INS, {**form, "ticket": one})
        assert "ok" not in said([answer]), one


# ── what a session lets in ────────────────────────────────────────────────────────────
async def test_two_people_at_one_browser_are_two_sessions_and_two_cookies(build: Builder) -> None:
    street = await build(instance={"single_session": False})
    browser = street.visitor()
    await browser.sign_up(PHONE)
    first = browser.token
    await browser.sign_up(OTHER_PHONE)
    assert first
    assert await browser.with_token(first).client() is None
    assert len((await browser.client())["sessions"]) == 2
