"""The handshake: an app's server asks, by way of the browser, who is signed in."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from doorcode.security import api_keys

from ..conftest import Builder
from ..house import PAGE, Browser, Clock, House, later, refusal, set_cookies

PATH = "/v1/client/handshake"
BACK = f"{PAGE}/dashboard?a=1"


async def _shake(browser: Browser, url: str = BACK, **query: str) -> httpx.Response:
    # A top-level navigation carries no Origin.
    browser.http.headers.pop("origin", None)
    return await browser.get(PATH, params={"redirect_url": url, **query})


def _payload(answer: httpx.Response) -> list[str]:
    token = set_cookies(answer)["__clerk_handshake"].partition(";")[0]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return list(claims["handshake"])


def _named(directives: list[str]) -> dict[str, str]:
    return {name: rest for name, _, rest in (line.partition("=") for line in directives)}


async def test_the_browser_is_sent_back_and_the_answer_is_not_kept(browser: Browser) -> None:
    answer = await _shake(browser)
    assert answer.status_code == 307
    assert answer.headers["location"] == BACK
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == b""


async def test_a_signed_in_browser_brings_a_session_token(browser: Browser, house: House) -> None:
    signed_in = await browser.sign_up()
    directives = _named(_payload(await _shake(browser)))
    suffix = house.door.boundary.cookie_suffix
    token = directives["__session"].partition(";")[0]
    assert directives[f"__session_{suffix}"].partition(";")[0] == token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sid"] == signed_in.json()["response"]["created_session_id"]
    assert claims["azp"] == PAGE
    uat = directives["__client_uat"].partition(";")[0]
    assert directives[f"__client_uat_{suffix}"].partition(";")[0] == uat
    assert claims["iat"] >= int(uat) > 0


async def test_the_azp_is_the_page_that_the_browser_returns_to(browser: Browser) -> None:
    await browser.sign_up()
    directives = _named(_payload(await _shake(browser, "http://app.localhost:4000/x")))
    token = directives["__session"].partition(";")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["azp"] == "http://app.localhost:4000"


async def test_a_signed_out_browser_clears_the_session(browser: Browser, house: House) -> None:
    directives = _named(_payload(await _shake(browser)))
    assert directives["__session"].startswith("; Path=/; Max-Age=0")
    assert directives[f"__session_{house.door.boundary.cookie_suffix}"].startswith("; ")
    assert directives["__client_uat"].startswith("0; ")


async def test_the_handshake_takes_itself_back(browser: Browser) -> None:
    directives = _named(_payload(await _shake(browser)))
    assert "Max-Age=0" in directives["__clerk_handshake"]
    assert "Max-Age=0" in directives["__clerk_handshake_nonce"]


async def test_every_directive_is_a_whole_cookie_for_the_app_s_host(browser: Browser) -> None:
    await browser.sign_up()
    for directive in _payload(await _shake(browser)):
        assert re.fullmatch(
            r"[\w-]+=[\w.-]*; Path=/; Max-Age=\d+(; HttpOnly)?; SameSite=Lax", directive
        )


async def test_the_token_is_signed_by_the_published_keys(browser: Browser, house: House) -> None:
    answer = await _shake(browser)
    token = set_cookies(answer)["__clerk_handshake"].partition(";")[0]
    keys = jwt.PyJWKSet.from_dict((await house.browser(None).get("/.well-known/jwks.json")).json())
    kid = jwt.get_unverified_header(token)["kid"]
    assert jwt.decode(token, keys[kid].key, algorithms=["RS256"])["handshake"]


async def test_the_cookie_of_the_handshake_lives_for_ten_seconds(browser: Browser) -> None:
    cookie = set_cookies(await _shake(browser))["__clerk_handshake"]
    assert "; Max-Age=10; " in cookie
    assert "; HttpOnly" in cookie


async def test_a_nonce_stands_for_the_payload(browser: Browser, house: House) -> None:
    await browser.sign_up()
    answer = await _shake(browser, format="nonce")
    nonce = set_cookies(answer)["__clerk_handshake_nonce"].partition(";")[0]
    payload = await house.backend(f"/v1/clients/handshake_payload?nonce={nonce}")
    assert payload.headers["content-type"] == "application/json"
    directives = _named(payload.json()["directives"])
    assert directives["__session"].count(".") == 2


async def test_a_nonce_can_be_read_again_for_ten_seconds(
    browser: Browser, house: House, clock: Clock
) -> None:
    answer = await _shake(browser, format="nonce")
    nonce = set_cookies(answer)["__clerk_handshake_nonce"].partition(";")[0]
    path = f"/v1/clients/handshake_payload?nonce={nonce}"
    first = await house.backend(path)
    clock.advance(later(10) - 1)
    assert (await house.backend(path)).json() == first.json()
    clock.advance(1)
    assert refusal(await house.backend(path)) == (404, "resource_not_found", None)


@pytest.mark.parametrize("query", ["", "?nonce=", "?nonce=x", "?nonce=%00", "?nonce=%ff"])
async def test_an_unknown_nonce_is_not_there(house: House, query: str) -> None:
    answer = await house.backend(f"/v1/clients/handshake_payload{query}")
    assert refusal(answer) == (404, "resource_not_found", None)


async def test_the_kept_payload_is_sealed(browser: Browser, house: House) -> None:
    await browser.sign_up()
    await _shake(browser, format="nonce")
    assert house.rows("handshakes") == {"handshakes": 1}
    assert b"__session" not in house.database.read_bytes()
    wal = house.database.with_name("doorcode.db-wal")
    assert b"__session" not in wal.read_bytes()


async def test_the_handshake_tells_the_client_s_time(browser: Browser, house: House) -> None:
    await browser.sign_up()
    cookies = set_cookies(await _shake(browser))
    assert not cookies["__client_uat"].startswith("0;")
    assert cookies["__client_uat"] == cookies[f"__client_uat_{house.door.boundary.cookie_suffix}"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://localhost.evil.example/",
        "http://evil.example:3000/",
        "http://localhost:3000@evil.example/",
        "http://evil.example\\@localhost:3000/",
        "http://evil.example#@localhost/",
        "//evil.example/",
        "/relative",
        "javascript:alert(1)",
        "data:text/html,x",
        "http:/evil.example",
        "http:evil.example",
        "http://",
        "ht\ttp://evil.example",
        " http://localhost:3000/",
        "http://localhost:3000/\r\nSet-Cookie: a=b",
        "http://localhost:3000/\x00",
        "http://[::1",
        "http://localhost:99999/",
        "ftp://localhost/",
        "http://evillocalhost/",
        "http://127.0.0.1.evil.example/",
        "http://localhost%2eevil.example/",
    ],
)
async def test_no_browser_is_sent_to_a_stranger(browser: Browser, house: House, url: str) -> None:
    await browser.sign_up()
    answer = await _shake(browser, url, format="nonce")
    assert refusal(answer) == (422, "invalid_redirect_url", "redirect_url")
    assert "location" not in answer.headers
    assert "__clerk_handshake_nonce" not in set_cookies(answer)
    assert house.rows("handshakes") == {"handshakes": 0}


async def test_a_redirect_url_must_be_given(browser: Browser) -> None:
    assert refusal(await browser.get(PATH)) == (422, "form_param_missing", "redirect_url")


@pytest.mark.parametrize("tail", ["ü", "€", "é?q=日本", "%E2%82%AC", "\ufffd"])
async def test_a_redirect_url_may_hold_any_letter(browser: Browser, tail: str) -> None:
    """A header holds Latin-1; what is beyond it must be percent-encoded, not fail."""
    answer = await _shake(browser, f"{PAGE}/{tail}")
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"{PAGE}/")
    assert answer.headers["location"].isascii()


async def test_an_unlisted_origin_is_a_stranger_in_production(production: House) -> None:
    browser = production.browser()
    assert refusal(await _shake(browser, f"{PAGE}/"))[1] == "invalid_redirect_url"
    assert refusal(await _shake(browser, "http://app.example.com/"))[1] == "invalid_redirect_url"
    assert refusal(await _shake(browser, "https://example.com/"))[1] == "invalid_redirect_url"
    assert (await _shake(browser, "https://app.example.com/")).status_code == 307


async def test_over_https_the_directives_reach_the_whole_domain(production: House) -> None:
    browser = production.browser("https://app.example.com")
    await browser.sign_up()
    answer = await _shake(browser, "https://app.example.com/")
    directives = _named(_payload(answer))
    assert "; Secure" in directives["__session"]
    assert "Domain" not in directives["__session"]
    assert "; Domain=example.com; " in directives["__client_uat"]
    assert "; Domain=example.com; " in set_cookies(answer)["__clerk_handshake"]


async def test_a_time_of_the_app_s_own_host_is_taken_back(production: House) -> None:
    """It would be sent before the domain's, and believed: a handshake at every page load."""
    browser = production.browser("https://app.example.com")
    await browser.sign_up()
    lines = _payload(await _shake(browser, "https://app.example.com/"))
    for name in ("__client_uat", f"__client_uat_{production.door.boundary.cookie_suffix}"):
        own, shared = [line for line in lines if line.startswith(f"{name}=")]
        assert own == f"{name}=; Path=/; Max-Age=0; Secure; SameSite=Lax"
        assert "; Domain=example.com; " in shared


async def test_a_host_without_https_is_told_nothing_that_it_cannot_keep(build: Builder) -> None:
    house = await build(url="https://localhost:8787", hosts=None, cookie_domain="localhost")
    browser = house.browser()
    await browser.sign_up()
    for line in _payload(await _shake(browser, "http://localhost:3000/")):
        assert "Secure" not in line
        assert "Domain" not in line
    assert any("Secure" in line for line in _payload(await _shake(browser, "https://localhost/")))


# ── development browsers ──────────────────────────────────────────────────────────────
def _from_url(answer: httpx.Response, name: str) -> str:
    (value,) = parse_qs(urlsplit(answer.headers["location"]).query)[name]
    return value


async def test_a_missing_development_browser_is_made_and_told_by_the_url(
    browser: Browser,
) -> None:
    answer = await _shake(browser, __clerk_hs_reason="dev-browser-missing")
    token = _from_url(answer, "__clerk_handshake")
    directives = jwt.decode(token, options={"verify_signature": False})["handshake"]
    assert "__clerk_db_jwt" in _named(directives)
    assert _from_url(answer, "a") == "1"
    assert "__clerk_handshake" not in set_cookies(answer)


async def test_a_development_browser_brings_its_session(browser: Browser, house: House) -> None:
    named = {"__clerk_db_jwt": (await browser.post("/v1/dev_browser")).json()["id"]}
    created = await browser.post(
        "/v1/client/sign_ups",
        {"phone_number": "+14155552671", "strategy": "phone_code"},
        params=named,
    )
    path = f"/v1/client/sign_ups/{created.json()['response']['id']}/attempt_verification"
    form = {"strategy": "phone_code", "code": house.code()}
    await browser.post(path, form, params=named)
    answer = await _shake(house.browser(), format="nonce", **named)
    nonce = _from_url(answer, "__clerk_handshake_nonce")
    payload = await house.backend(f"/v1/clients/handshake_payload?nonce={nonce}")
    directives = _named(payload.json()["directives"])
    assert directives["__session"].count(".") == 2
    assert directives["__clerk_db_jwt"].startswith(named["__clerk_db_jwt"])


async def test_an_unknown_development_browser_is_signed_out(browser: Browser) -> None:
    answer = await _shake(browser, __clerk_db_jwt="unknown")
    token = _from_url(answer, "__clerk_handshake")
    directives = jwt.decode(token, options={"verify_signature": False})["handshake"]
    assert _named(directives)["__session"].startswith("; ")


BY_TOKEN = api_keys.publishable_key("shop.clerk.accounts.dev", live=False)
BY_COOKIE = api_keys.publishable_key("auth.shop.test", live=False)


def _told(answer: httpx.Response) -> dict[str, str]:
    token = _from_url(answer, "__clerk_handshake")
    return _named(jwt.decode(token, options={"verify_signature": False})["handshake"])


async def test_who_signed_in_on_our_own_pages_is_known_to_clerk_js_too(build: Builder) -> None:
    house = await build(publishable_key=BY_TOKEN)
    browser = house.browser()
    token = (await browser.post("/v1/dev_browser")).json()["id"]
    session = (await browser.sign_up()).json()["response"]["created_session_id"]

    told = _told(await _shake(browser, __clerk_db_jwt=token))

    claims = jwt.decode(told["__session"].partition(";")[0], options={"verify_signature": False})
    assert claims["sid"] == session
    named = told["__clerk_db_jwt"].partition(";")[0]
    asked = await house.browser().get("/v1/client", params={"__clerk_db_jwt": named})
    assert [one["id"] for one in asked.json()["response"]["sessions"]] == [session]


async def test_a_token_from_a_link_never_becomes_somebody_s_name(build: Builder) -> None:
    """Whoever sent the link knows that token, and would be signed in as who followed it."""
    house = await build(publishable_key=BY_TOKEN)
    known = (await house.browser().post("/v1/dev_browser")).json()["id"]
    victim = house.browser()
    await victim.sign_up()

    told = _told(await _shake(victim, __clerk_db_jwt=known))

    assert told["__clerk_db_jwt"].partition(";")[0] != known
    asked = await house.browser().get("/v1/client", params={"__clerk_db_jwt": known})
    assert asked.json()["response"] is None


async def test_a_development_browser_keeps_its_token_while_it_is_good(build: Builder) -> None:
    house = await build(publishable_key=BY_TOKEN)
    first = _told(await _shake(house.browser(), __clerk_hs_reason="dev-browser-missing"))
    token = first["__clerk_db_jwt"].partition(";")[0]
    again = _told(await _shake(house.browser(), __clerk_db_jwt=token))
    assert again["__clerk_db_jwt"].partition(";")[0] == token
    assert house.rows("dev_browsers") == {"dev_browsers": 1}


async def test_where_clerk_js_is_known_by_its_cookie_the_cookie_counts(build: Builder) -> None:
    house = await build(publishable_key=BY_COOKIE)
    browser = house.browser()
    first = _told(await _shake(browser))
    token = first["__clerk_db_jwt"].partition(";")[0]
    await browser.sign_up()

    told = _told(await _shake(browser, __clerk_db_jwt=token))

    assert told["__session"].count(".") == 2
    assert told["__clerk_db_jwt"].partition(";")[0] == token
    # The token is nobody's name: another browser that holds it is nobody.
    stranger = _told(await _shake(house.browser(), __clerk_db_jwt=token))
    assert stranger["__session"].startswith("; ")


@pytest.mark.parametrize("made_up", ["x; Domain=localhost", "x\r\nSet-Cookie: a=b", "ü", "x" * 129])
async def test_no_made_up_token_becomes_a_cookie(build: Builder, made_up: str) -> None:
    house = await build(publishable_key=BY_TOKEN)
    told = _told(await _shake(house.browser(), __clerk_db_jwt=made_up))
    assert re.fullmatch(r"[\w-]{43}", told["__clerk_db_jwt"].partition(";")[0])


async def test_in_production_no_development_browser_is_made(build: Builder) -> None:
    house = await build(development=False)
    answer = await _shake(house.browser(), __clerk_hs_reason="dev-browser-missing")
    assert answer.headers["location"] == BACK
    assert house.rows("dev_browsers") == {"dev_browsers": 0}
