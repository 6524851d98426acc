"""Who stands before the door, and the cookies that they leave with."""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain.session import Device
from doorcode.flows import client as clients
from doorcode.flows.deps import Caller
from doorcode.web.http import Request, Response

from .conftest import Builder
from .house import OTHER_PHONE, Browser, House


def _request(**parts: dict[str, str]) -> Request:
    query, cookies = parts.get("query", {}), parts.get("cookies", {})
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Request("GET", "/v1/client", query, {"cookie": header}, "", cookies=cookies)


NOBODY = Caller(device=Device())


async def test_nobody_is_known_without_a_cookie(house: House) -> None:
    assert await house.door.caller(_request()) == NOBODY


async def test_a_browser_is_known_by_its_cookie(house: House, browser: Browser) -> None:
    client = (await browser.sign_up()).json()["client"]["id"]
    assert browser.token
    caller = await house.door.caller(_request(cookies={"__client": browser.token}))
    assert (caller.client_id, caller.dev_browser) == (client, None)


async def test_in_development_the_token_goes_before_the_cookie(
    house: House, browser: Browser
) -> None:
    await browser.sign_up()
    assert browser.token
    token = await clients.add_dev_browser(house.door.deps)
    caller = await house.door.caller(
        _request(query={"__clerk_db_jwt": token}, cookies={"__client": browser.token})
    )
    assert caller.client_id is None
    assert caller.dev_browser is not None


async def test_in_production_the_token_means_nothing(build: Builder) -> None:
    house = await build(development=False)
    token = await clients.add_dev_browser(house.door.deps)
    assert await house.door.caller(_request(query={"__clerk_db_jwt": token})) == NOBODY


async def test_the_id_of_a_client_is_no_cookie(house: House, browser: Browser) -> None:
    client = (await browser.sign_up()).json()["client"]["id"]
    assert await house.door.caller(_request(cookies={"__client": client})) == NOBODY


def test_an_identity_is_sent_only_where_it_is_new(house: House) -> None:
    kept, given = Response(), Response()
    house.door.set_client(kept, None, None)
    house.door.set_client(given, None, "token")
    assert not [one for one in kept.cookies if one.startswith("__client=")]
    assert [one for one in given.cookies if one.startswith("__client=token;")]
    assert len(kept.cookies) == 2


async def test_a_planted_cookie_does_not_hide_the_real_one(house: House, browser: Browser) -> None:
    client = (await browser.sign_up()).json()["client"]["id"]
    header = {"cookie": f"__client=planted; __client={browser.token}"}
    caller = await house.door.caller(Request("GET", "/v1/client", {}, header, ""))
    assert caller.client_id == client


async def _caller_with(house: House, *values: tuple[str, str | None]) -> Caller:
    header = {"cookie": "; ".join(f"{name}={value}" for name, value in values)}
    return await house.door.caller(Request("GET", "/v1/client", {}, header, ""))


async def test_over_https_no_cookie_of_a_sibling_domain_stands_in_for_the_host_s_own(
    production: House,
) -> None:
    """A longer path goes first: the thief's own account would be filled by the person."""
    browser, thief = (production.browser("https://app.example.com") for _ in range(2))
    client = (await browser.sign_up()).json()["client"]["id"]
    await thief.sign_up(OTHER_PHONE)
    planted = [("__client", thief.token), *[("__client", "planted")] * 3]
    own = [("__client", browser.token), ("__Host-__client", browser.token)]
    assert (await _caller_with(production, *planted, *own)).client_id == client
    assert (await _caller_with(production, *own, *planted)).client_id == client


async def test_a_browser_whose_own_cookie_is_worth_nothing_is_nobody(production: House) -> None:
    thief = production.browser("https://app.example.com")
    await thief.sign_up()
    cookies = [("__client", thief.token), ("__Host-__client", "rotated")]
    assert await _caller_with(production, *cookies) == NOBODY


async def test_over_http_the_name_of_the_host_s_own_cookie_promises_nothing(
    house: House, browser: Browser
) -> None:
    client = (await browser.sign_up()).json()["client"]["id"]
    cookies = [("__Host-__client", "planted"), ("__client", browser.token)]
    assert (await _caller_with(house, *cookies)).client_id == client


async def test_a_testing_token_is_known_however_the_caller_is_found(
    house: House, browser: Browser
) -> None:
    await browser.sign_up()
    token = house.door.testing_tokens.make(house.clock.now)[0]
    dev = await clients.add_dev_browser(house.door.deps)
    for query, cookies in (
        ({}, {}),
        ({}, {"__client": browser.token or ""}),
        ({"__clerk_db_jwt": dev}, {}),
    ):
        plain = await house.door.caller(_request(query=query, cookies=cookies))
        assert (plain.is_human, plain.is_testing) == (False, False)
        tested = {**query, "__clerk_testing_token": token}
        caller = await house.door.caller(_request(query=tested, cookies=cookies))
        assert caller == replace(plain, is_human=True, is_testing=True)


async def test_a_caller_brings_what_its_browser_tells(house: House) -> None:
    headers = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Firefox/130.0"}
    caller = await house.door.caller(Request("GET", "/v1/client", {}, headers, "192.0.2.7"))
    assert caller.device == Device("Firefox", "130.0", "Linux", False, "192.0.2.7")
