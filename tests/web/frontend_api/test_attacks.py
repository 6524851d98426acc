"""What somebody who is half-way in, or not the one meant, must not reach by any URL."""

from __future__ import annotations

import sqlite3

import httpx

from doorcode.domain.instance import Attribute
from doorcode.web.frontend_api.routes import ROUTES

from ..conftest import Builder
from ..house import EMAIL, OTHER_PHONE, PHONE, Browser, House, Plan

TWO_STEPS = Plan(instance={"phone": Attribute(used_for_second_factor=True), "backup_codes": True})
NATIVE = Plan(instance={"native_api": True})
FORM = {
    "first_name": "Mallory",
    "unsafe_metadata": '{"by": "mallory"}',
    "phone_number": OTHER_PHONE,
    "email_address": "mallory@example.com",
    "reserved_for_second_factor": "false",
    "level": "first_factor",
    "strategy": "phone_code",
    "code": "000000",
}
OF_A_PERSON = [
    (method, path) for method, path in ROUTES if path.startswith(("/v1/me", "/v1/client/sessions/"))
]


async def ada(house: House) -> Browser:
    """Somebody with both addresses, signed in."""
    browser = house.browser()
    sign_up = await browser.start_sign_up(
        phone_number=PHONE, email_address=EMAIL, strategy="phone_code"
    )
    await browser.attempt_sign_up(sign_up, house.code(PHONE))
    await browser.prepare_sign_up(sign_up, "email_code")
    await browser.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
    return browser


async def ids(browser: Browser) -> list[str]:
    """The ids of all that is the person's own: session, account, addresses."""
    client = await browser.client()
    (session,) = client["sessions"]
    user = session["user"]
    owned = [*user["email_addresses"], *user["phone_numbers"]]
    return [session["id"], user["id"], *(one["id"] for one in owned)]


async def call(
    browser: Browser, method: str, path: str, named: str = "", **query: str
) -> httpx.Response:
    """One request, with whatever form the URL might take."""
    url = path.replace("*", named)
    if method == "GET":
        return await browser.get(url, params=query)
    override = {} if method == "POST" else {"_method": method}
    return await browser.post(url, FORM, params={**query, **override})


def everything(house: House) -> list[list[object]]:
    """All that is kept of people, as it stands."""
    tables = ("users", "addresses", "pending_addresses", "sessions", "backup_codes", "images")
    connection = sqlite3.connect(house.database)
    try:
        return [connection.execute(f"SELECT * FROM {one}").fetchall() for one in tables]
    finally:
        connection.close()


async def expect_nothing(house: House, browser: Browser, named: list[str]) -> None:
    """Every URL about a person refuses, with each id in its place, tells and changes nothing."""
    before = everything(house)
    for method, path in OF_A_PERSON:
        for one in named if "*" in path else named[:1]:
            query = {} if "*" in path else {"_clerk_session_id": one}
            answer = await call(browser, method, path, one, **query)
            assert 400 <= answer.status_code < 500, (method, path, answer.text)
            assert EMAIL not in answer.text
            assert PHONE not in answer.text
    assert everything(house) == before


async def test_the_second_step_stands_before_every_url(build: Builder) -> None:
    """Whoever has the mailbox alone is not signed in by any other request either."""
    house = await build(TWO_STEPS)
    named = await ids(await ada(house))
    connection = sqlite3.connect(house.database)
    with connection:
        connection.execute(
            "UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", [PHONE]
        )
    connection.close()
    thief = house.browser()
    sign_in = await thief.start_sign_in(EMAIL, strategy="email_code")
    half = await thief.attempt_sign_in(sign_in, house.code(EMAIL), "email_code")
    assert half.json()["response"]["status"] == "needs_second_factor"
    await expect_nothing(house, thief, named)


async def test_nobody_reaches_anothers_things_by_their_ids(house: House) -> None:
    named = await ids(await ada(house))
    mallory = house.browser()
    await mallory.sign_up(OTHER_PHONE)
    await expect_nothing(house, mallory, named)


async def test_a_page_cannot_lift_a_cookie_into_a_header(build: Builder) -> None:
    """The cookie is kept from scripts; served as an app without a browser, it is not asked."""
    house = await build(NATIVE)
    owner = await ada(house)
    named = await ids(owner)
    token = owner.token
    assert token
    for method, path in ROUTES:
        page = house.browser().with_token(token)
        answer = await call(page, method, path, named[0], _is_native="1")
        assert token not in answer.headers.get("authorization", "")
        assert token not in answer.text
        assert EMAIL not in answer.text
        assert not any(one in answer.text for one in named[1:])
    assert (await house.browser().with_token(token).client())["sessions"]
