"""The client, the environment and the development browser over the wire."""

from __future__ import annotations

import pytest

from ..conftest import Builder
from ..house import PAGE, PHONE, Browser, Clock, House, later, refusal, set_cookies


async def test_signing_out_keeps_the_client_and_replaces_its_cookie(browser: Browser) -> None:
    await browser.sign_up()
    before, token = (await browser.client())["id"], browser.token
    assert token is not None
    answer = await browser.sign_out()
    assert browser.token not in (None, token)
    assert answer.json()["response"]["id"] == (await browser.client())["id"] == before
    assert await browser.with_token(token).client() is None


async def test_a_browser_that_was_never_here_has_no_client(browser: Browser, house: House) -> None:
    answer = await browser.get("/v1/client")
    assert answer.json() == {"response": None, "client": None}
    assert browser.token is None
    assert house.rows("clients") == {"clients": 0}


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_client_can_be_made(browser: Browser, method: str) -> None:
    answer = await browser.override(method, "/v1/client")
    client = answer.json()["response"]
    assert client["object"] == "client"
    assert client["sessions"] == []
    assert (await browser.client())["id"] == client["id"]


async def test_making_a_client_twice_keeps_the_first(browser: Browser, house: House) -> None:
    first = (await browser.override("PUT", "/v1/client")).json()["response"]["id"]
    again = await browser.override("PUT", "/v1/client")
    assert again.json()["response"]["id"] == first
    assert "__client" not in set_cookies(again)
    assert house.rows("clients") == {"clients": 1}


async def test_a_client_is_shown_in_full(browser: Browser, clock: Clock) -> None:
    await browser.sign_up()
    client = await browser.client()
    assert set(client) == {
        "object",
        "id",
        "sessions",
        "sign_in",
        "sign_up",
        "last_active_session_id",
        "last_authentication_strategy",
        "cookie_expires_at",
        "captcha_bypass",
        "created_at",
        "updated_at",
    }
    assert client["last_authentication_strategy"] == "phone_code"
    assert client["cookie_expires_at"] is None
    assert client["updated_at"] == clock.now


async def test_reading_a_client_changes_nothing(
    browser: Browser, house: House, clock: Clock
) -> None:
    await browser.sign_up()
    before = await browser.client()
    clock.advance(later(30))
    after = await browser.client()
    assert after["updated_at"] == before["updated_at"]
    assert house.rows("clients") == {"clients": 1}


async def test_signing_out_ends_every_session_and_keeps_the_client(
    browser: Browser, clock: Clock
) -> None:
    await browser.sign_up()
    before = await browser.client()
    clock.advance(later(5))
    answer = await browser.sign_out()
    client = answer.json()["response"]
    assert (client["id"], client["sessions"]) == (before["id"], [])
    assert client["last_active_session_id"] is None
    assert client["updated_at"] == clock.now
    assert answer.json()["client"] == client


async def test_signing_out_retires_what_is_under_way(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    await browser.sign_out()
    assert refusal(await browser.prepare_sign_up(sign_up))[0] == 404


async def test_signing_out_is_nothing_for_a_browser_that_was_never_here(
    browser: Browser,
) -> None:
    answer = await browser.sign_out()
    assert answer.status_code == 200
    assert answer.json() == {"response": None, "client": None}


async def test_signing_out_and_in_again_keeps_the_client_and_makes_another_session(
    browser: Browser,
) -> None:
    first = (await browser.sign_up()).json()["client"]
    await browser.sign_out()
    second = (await browser.sign_in()).json()["client"]
    assert first["id"] == second["id"]
    assert first["sessions"][0]["id"] != second["sessions"][0]["id"]


async def test_destroying_a_client_forgets_it(browser: Browser, house: House) -> None:
    before = (await browser.sign_up()).json()["client"]["id"]
    token = browser.token
    assert token
    answer = await browser.override("DELETE", "/v1/client")
    assert answer.json()["response"]["id"] == before
    assert answer.json()["response"]["sessions"] == []
    assert browser.token is None
    assert set_cookies(answer)["__client"].startswith("; Path=/; Max-Age=0")
    assert await browser.with_token(token).client() is None
    assert (await browser.sign_in()).json()["client"]["id"] != before


async def test_destroying_no_client_is_nothing(browser: Browser) -> None:
    answer = await browser.override("DELETE", "/v1/client")
    assert answer.json() == {"response": None, "client": None}


@pytest.mark.parametrize(
    "token",
    ["", "x", "é", "a" * 4000, '"', "0" * 43, "../../etc", "%00", "{}"],
)
async def test_a_cookie_that_is_nobody_s_is_no_client(house: House, token: str) -> None:
    header = f"__client={token}; =; ;;; novalue; __client_uat=x".encode()
    answer = await house.browser().get("/v1/client", headers={b"cookie": header})
    assert answer.status_code == 200
    assert answer.json()["response"] is None


async def test_who_comes_with_a_stale_cookie_gets_a_client_of_their_own(house: House) -> None:
    browser = house.browser().with_token("stale")
    answer = await browser.sign_up()
    assert "__client" in set_cookies(answer)
    assert (await browser.client())["sessions"]


# ── environment ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_the_environment_is_told_without_an_envelope(browser: Browser, method: str) -> None:
    answer = await (
        browser.get("/v1/environment")
        if method == "GET"
        else browser.override("PATCH", "/v1/environment")
    )
    assert answer.json()["object"] == "environment"
    assert not set_cookies(answer)


# ── the development browser ───────────────────────────────────────────────────────────
async def _dev_browser(browser: Browser) -> dict[str, str]:
    answer = await browser.post("/v1/dev_browser")
    assert answer.status_code == 200
    return {"__clerk_db_jwt": answer.json()["id"]}


async def test_a_development_browser_is_known_without_cookies(house: House) -> None:
    named = await _dev_browser(house.browser())
    created = await house.browser().post(
        "/v1/client/sign_ups", {"phone_number": PHONE, "strategy": "phone_code"}, params=named
    )
    sign_up = created.json()["response"]["id"]
    answer = await house.browser().post(
        f"/v1/client/sign_ups/{sign_up}/attempt_verification",
        {"strategy": "phone_code", "code": house.code()},
        params=named,
    )
    session = answer.json()["response"]["created_session_id"]
    shown = await house.browser().get("/v1/client", params=named)
    assert shown.json()["response"]["last_active_session_id"] == session


@pytest.mark.parametrize("token", ["unknown", "\x00", "é" * 300])
async def test_an_unknown_development_browser_is_told_to_start_over(
    browser: Browser, token: str
) -> None:
    answer = await browser.get("/v1/client", params={"__clerk_db_jwt": token})
    assert refusal(answer) == (401, "dev_browser_unauthenticated", None)


async def test_a_development_browser_is_forgotten_after_thirty_days(
    house: House, clock: Clock
) -> None:
    named = await _dev_browser(house.browser())
    clock.advance(later(30 * 24 * 3600))
    answer = await house.browser().get("/v1/client", params=named)
    assert refusal(answer) == (401, "dev_browser_unauthenticated", None)


async def test_there_are_no_development_browsers_in_production(production: House) -> None:
    browser = production.browser("https://app.example.com")
    answer = await browser.post("/v1/dev_browser")
    assert refusal(answer) == (400, "request_invalid_for_environment", None)


async def test_a_token_in_a_url_means_nothing_in_production(build: Builder, house: House) -> None:
    """It leaks through logs and referrers."""
    serving = await build(development=False)
    answer = await serving.browser(PAGE).get("/v1/client", params={"__clerk_db_jwt": "x"})
    assert answer.json()["response"] is None
