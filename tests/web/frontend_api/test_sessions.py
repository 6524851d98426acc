"""Sessions over the wire: tokens, touching, ending, and who one is."""

from __future__ import annotations

import sqlite3
from typing import Any

import jwt
import pytest

from doorcode.domain.limits import TOKEN_LIVES_FOR_SECONDS

from ..conftest import Builder
from ..house import (
    OTHER_PHONE,
    PAGE,
    PHONE,
    Browser,
    Clock,
    House,
    later,
    refusal,
    set_cookies,
)

NOT_FOUND = (404, "resource_not_found", None)
SIGNED_OUT = (401, "signed_out", None)
ENDED = (401, "authentication_invalid", None)


@pytest.fixture
async def session(browser: Browser) -> str:
    """The id of a session in the browser."""
    answer = await browser.sign_up()
    return str(answer.json()["response"]["created_session_id"])


async def _verified(house: House, token: str) -> dict[str, Any]:
    """The claims of a token whose signature a third party has checked by the public keys."""
    keys = jwt.PyJWKSet.from_dict((await house.browser(None).get("/.well-known/jwks.json")).json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "JWT"
    # The server's clock is not that of this machine.
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    claims: dict[str, Any] = jwt.decode(
        token, keys[header["kid"]].key, algorithms=["RS256"], options=options
    )
    return claims


async def _token(browser: Browser, session: str, **query: str) -> str:
    answer = await browser.post(f"/v1/client/sessions/{session}/tokens", params=query)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["jwt"])


# ── tokens ────────────────────────────────────────────────────────────────────────────
async def test_a_token_says_who_is_signed_in_where(
    browser: Browser, house: House, clock: Clock, session: str
) -> None:
    user = (await browser.get("/v1/me")).json()["response"]["id"]
    claims = await _verified(house, await _token(browser, session))
    seconds = clock.now // 1000
    assert len(claims.pop("jti")) == 20
    assert claims == {
        "azp": PAGE,
        "exp": seconds + TOKEN_LIVES_FOR_SECONDS,
        "fva": [0, -1],
        "iat": seconds,
        "iss": "https://doorcode.localhost",
        "nbf": seconds - 10,
        "sid": session,
        "sts": "active",
        "sub": user,
        "v": 2,
    }


async def test_a_token_answer_has_no_envelope(browser: Browser, session: str) -> None:
    answer = (await browser.post(f"/v1/client/sessions/{session}/tokens")).json()
    assert set(answer) == {"object", "jwt"}
    assert answer["object"] == "token"


async def test_a_token_for_a_program_names_no_page(
    house: House,
) -> None:
    program = house.browser(page=None)
    answer = await program.sign_up()
    claims = await _verified(
        house, await _token(program, answer.json()["response"]["created_session_id"])
    )
    assert "azp" not in claims


async def test_a_page_is_known_by_its_referrer_where_there_is_no_origin(
    house: House, browser: Browser, session: str
) -> None:
    assert browser.token
    same_origin = browser.with_token(browser.token)
    del same_origin.http.headers["origin"]
    answer = await same_origin.get("/v1/client", headers={"referer": f"{PAGE}/a?b"})
    (shown,) = answer.json()["response"]["sessions"]
    claims = await _verified(house, shown["last_active_token"]["jwt"])
    assert claims["azp"] == PAGE


async def test_a_foreign_referrer_is_not_put_into_a_token(
    house: House, browser: Browser, session: str
) -> None:
    del browser.http.headers["origin"]
    answer = await browser.get("/v1/client", headers={"referer": "https://evil.example/"})
    (shown,) = answer.json()["response"]["sessions"]
    assert "azp" not in await _verified(house, shown["last_active_token"]["jwt"])


async def test_a_token_minted_a_moment_ago_is_given_again(
    browser: Browser, clock: Clock, session: str
) -> None:
    first = await _token(browser, session)
    assert await _token(browser, session) == first
    clock.advance(later(5))
    assert await _token(browser, session) != first


async def test_skip_cache_gives_a_token_that_nobody_has_seen(
    browser: Browser, session: str
) -> None:
    first = await _token(browser, session)
    assert await _token(browser, session, debug="skip_cache") != first


async def test_a_token_is_as_old_as_the_client_at_most(
    browser: Browser, house: House, clock: Clock
) -> None:
    """An app server takes a token older than `__client_uat` for a stale one."""
    clock.advance(999)
    await browser.sign_up()
    await browser.sign_out()
    clock.advance(1500)
    answer = await browser.sign_in()
    (shown,) = answer.json()["client"]["sessions"]
    claims = await _verified(house, shown["last_active_token"]["jwt"])
    assert claims["iat"] >= int(set_cookies(answer)["__client_uat"].partition(";")[0])


async def test_the_age_of_the_factor_grows_by_the_minute(
    browser: Browser, house: House, clock: Clock, session: str
) -> None:
    clock.advance(later(150))
    claims = await _verified(house, await _token(browser, session))
    assert claims["fva"] == [2, -1]


# ── touch, end, remove ────────────────────────────────────────────────────────────────
async def test_touching_notes_the_use_and_leaves_the_client_s_time(
    browser: Browser, clock: Clock, session: str
) -> None:
    before = await browser.client()
    clock.advance(later(60))
    answer = await browser.post(f"/v1/client/sessions/{session}/touch", {"intent": "focus"})
    touched = answer.json()
    assert touched["response"]["last_active_at"] == clock.now
    assert touched["response"]["last_active_token"]["jwt"]
    assert touched["client"]["updated_at"] == before["updated_at"]


async def test_one_session_can_be_read(browser: Browser, session: str) -> None:
    shown = (await browser.get(f"/v1/client/sessions/{session}")).json()["response"]
    assert (shown["id"], shown["status"]) == (session, "active")
    assert shown["public_user_data"]["identifier"] == PHONE


@pytest.mark.parametrize(("way", "status"), [("end", "ended"), ("remove", "removed")])
async def test_an_ended_session_signs_nobody_in(
    browser: Browser, clock: Clock, session: str, way: str, status: str
) -> None:
    clock.advance(later(5))
    answer = await browser.post(f"/v1/client/sessions/{session}/{way}")
    document = answer.json()
    assert document["response"]["status"] == status
    assert document["response"]["last_active_token"] is None
    assert document["client"]["sessions"] == []
    assert document["client"]["last_active_session_id"] is None
    assert set_cookies(answer)["__client_uat"].startswith("0;")
    tokens = await browser.post(f"/v1/client/sessions/{session}/tokens")
    assert refusal(tokens) == ENDED


async def test_a_session_ends_once(browser: Browser, session: str) -> None:
    await browser.post(f"/v1/client/sessions/{session}/end")
    assert refusal(await browser.post(f"/v1/client/sessions/{session}/end")) == ENDED


async def test_a_session_ends_after_seven_days(
    browser: Browser, clock: Clock, session: str
) -> None:
    clock.advance(later(7 * 24 * 3600) - 1)
    assert await _token(browser, session)
    clock.advance(1)
    assert refusal(await browser.post(f"/v1/client/sessions/{session}/tokens")) == ENDED
    assert (await browser.client())["sessions"] == []


@pytest.mark.parametrize("way", ["touch", "tokens", "end", "remove"])
async def test_a_session_is_there_for_its_own_client_only(
    house: House, browser: Browser, session: str, way: str
) -> None:
    path = f"/v1/client/sessions/{session}/{way}"
    assert refusal(await house.browser().post(path)) == SIGNED_OUT
    other = house.browser()
    await other.sign_up(OTHER_PHONE)
    assert refusal(await other.post(path)) == NOT_FOUND
    assert refusal(await other.post(f"/v1/client/sessions/sess_nobody/{way}")) == NOT_FOUND
    assert await _token(browser, session)


@pytest.mark.parametrize("way", ["touch", "tokens", "end", "remove"])
async def test_no_answer_about_a_session_is_a_422(browser: Browser, session: str, way: str) -> None:
    """The SDKs sign a person out on it."""
    await browser.sign_out()
    answer = await browser.post_raw(f"/v1/client/sessions/{session}/{way}", b"a=1&a=2%ff")
    assert refusal(answer) == ENDED


async def test_signing_out_in_one_tab_reaches_the_others_of_the_browser(
    browser: Browser, session: str
) -> None:
    """They share its cookies, the new one too."""
    await browser.sign_out()
    assert refusal(await browser.post(f"/v1/client/sessions/{session}/tokens")) == ENDED
    assert (await browser.client())["sessions"] == []
    assert refusal(await browser.get("/v1/me")) == SIGNED_OUT


async def test_a_copy_of_the_cookie_is_signed_out_where_its_client_is(
    browser: Browser, session: str
) -> None:
    """The 401 makes the SDKs ask for the client, once; that there is none is no error to them."""
    assert browser.token
    copy = browser.with_token(browser.token)
    await browser.sign_out()
    for way in ("tokens", "touch"):
        assert refusal(await copy.post(f"/v1/client/sessions/{session}/{way}")) == SIGNED_OUT
    answer = await copy.get("/v1/client")
    assert (answer.status_code, answer.json()) == (200, {"response": None, "client": None})
    assert refusal(await copy.get("/v1/me")) == SIGNED_OUT


# ── me ────────────────────────────────────────────────────────────────────────────────
async def test_me_is_who_is_signed_in(browser: Browser, session: str) -> None:
    answer = (await browser.get("/v1/me")).json()
    user = answer["response"]
    assert user["object"] == "user"
    assert [number["phone_number"] for number in user["phone_numbers"]] == [PHONE]
    assert user["phone_numbers"][0]["verification"]["object"] == "verification_otp"
    assert user["primary_phone_number_id"] == user["phone_numbers"][0]["id"]
    assert answer["client"]["last_active_session_id"] == session


async def test_me_is_the_account_of_the_session_that_is_named(
    browser: Browser, session: str
) -> None:
    answer = await browser.get("/v1/me", params={"_clerk_session_id": session})
    assert answer.json()["response"]["id"].startswith("user_")


async def test_me_refuses_a_session_that_is_another_s(
    house: House, browser: Browser, session: str
) -> None:
    other = house.browser()
    await other.sign_up(OTHER_PHONE)
    answer = await other.get("/v1/me", params={"_clerk_session_id": session})
    assert refusal(answer) == ENDED


async def test_me_without_a_session_is_nobody(browser: Browser) -> None:
    assert refusal(await browser.get("/v1/me")) == SIGNED_OUT


async def test_me_after_signing_out_is_nobody(browser: Browser, session: str) -> None:
    await browser.sign_out()
    assert refusal(await browser.get("/v1/me")) == SIGNED_OUT


async def test_the_active_sessions_are_listed_without_an_envelope(
    browser: Browser, session: str
) -> None:
    (one,) = (await browser.get("/v1/me/sessions/active")).json()
    assert (one["id"], one["user"]) == (session, None)
    assert one["latest_activity"]["object"] == "session_activity"


# ── several sessions on one client ────────────────────────────────────────────────────
@pytest.fixture
async def both(build: Builder) -> tuple[House, Browser, list[str]]:
    """A browser in which two people are signed in, and their sessions, oldest first."""
    house = await build(instance={"single_session": False})
    browser = house.browser()
    sessions = []
    for to in (PHONE, OTHER_PHONE):
        answer = await browser.sign_up(to)
        sessions.append(answer.json()["response"]["created_session_id"])
        house.clock.advance(later(1))
    return house, browser, sessions


async def test_me_is_the_last_active_of_several(
    both: tuple[House, Browser, list[str]],
) -> None:
    _, browser, (first, second) = both
    client = await browser.client()
    assert [one["id"] for one in client["sessions"]] == [first, second]
    assert client["last_active_session_id"] == second
    await browser.post(f"/v1/client/sessions/{first}/touch")
    me = (await browser.get("/v1/me")).json()["response"]
    assert me["phone_numbers"][0]["phone_number"] == PHONE


async def test_me_is_the_one_that_is_named_of_several(
    both: tuple[House, Browser, list[str]],
) -> None:
    _, browser, (first, _) = both
    answer = await browser.get("/v1/me", params={"_clerk_session_id": first})
    assert answer.json()["response"]["phone_numbers"][0]["phone_number"] == PHONE


async def test_removing_one_of_several_leaves_the_other(
    both: tuple[House, Browser, list[str]],
) -> None:
    _, browser, (first, second) = both
    answer = await browser.post(f"/v1/client/sessions/{second}/remove")
    client = answer.json()["client"]
    assert [one["id"] for one in client["sessions"]] == [first]
    assert client["last_active_session_id"] == first
    assert not set_cookies(answer)["__client_uat"].startswith("0;")


# ── a person who was banned ───────────────────────────────────────────────────────────
async def test_a_banned_person_is_given_no_token_anywhere(
    browser: Browser, house: House, session: str
) -> None:
    with sqlite3.connect(house.database) as connection:
        connection.execute("UPDATE users SET banned = 1")
    connection.close()
    path = f"/v1/client/sessions/{session}"
    for asked in (path + "/tokens", path + "/tokens?debug=skip_cache", path + "/touch"):
        assert refusal(await browser.post(asked)) == (403, "user_banned", None)
    shown = (await browser.get(path)).json()
    assert shown["response"]["status"] == "revoked"
    client = await browser.client()
    assert (client["sessions"], client["last_active_session_id"]) == ([], None)
    assert "eyJ" not in str(shown) + str(client)
