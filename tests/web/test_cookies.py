"""The cookies: both names, their scope, and what they never carry over http."""

from __future__ import annotations

from .conftest import Builder
from .house import Browser, Clock, House, later, set_cookies

YEAR = 400 * 24 * 3600


async def test_over_http_no_cookie_carries_secure_or_domain(build: Builder) -> None:
    house = await build(cookie_domain="localhost")
    browser = house.browser()
    answers = [
        await browser.sign_up(),
        await browser.get("/v1/client/handshake?redirect_url=http://localhost:3000/"),
        await browser.sign_out(),
        await browser.override("DELETE", "/v1/client"),
    ]
    cookies = [line for one in answers for line in one.headers.get_list("set-cookie")]
    assert len(cookies) > 8
    assert not [line for line in cookies if "secure" in line.lower() or "domain" in line.lower()]


async def test_over_https_every_cookie_is_secure(production: House) -> None:
    browser = production.browser("https://app.example.com")
    answer = await browser.sign_up()
    assert all("; Secure" in line for line in answer.headers.get_list("set-cookie"))


async def test_over_https_the_time_reaches_the_domain_and_the_identity_does_not(
    production: House,
) -> None:
    browser = production.browser("https://app.example.com")
    cookies = set_cookies(await browser.sign_up())
    suffix = production.door.boundary.cookie_suffix
    assert "; Domain=example.com; " in cookies["__client_uat"]
    assert "; Domain=example.com; " in cookies[f"__client_uat_{suffix}"]
    assert "Domain" not in cookies["__client"]


async def test_over_https_the_identity_has_a_name_too_that_no_other_host_can_set(
    production: House,
) -> None:
    """RFC 6265bis, section 4.1.3.2: __Host- with Secure, Path=/ and no Domain."""
    browser = production.browser("https://app.example.com")
    given = set_cookies(await browser.sign_up())
    assert given["__Host-__client"] == given["__client"]
    _, _, attributes = given["__Host-__client"].partition("; ")
    assert attributes == f"Path=/; Max-Age={YEAR}; Secure; HttpOnly; SameSite=Lax"
    taken = set_cookies(await browser.override("DELETE", "/v1/client"))
    assert taken["__Host-__client"] == taken["__client"]
    assert "; Max-Age=0; " in taken["__client"]


async def test_over_http_the_identity_has_one_name(browser: Browser) -> None:
    assert "__Host-__client" not in set_cookies(await browser.sign_up())


async def test_without_a_domain_the_cookies_stay_on_the_host(build: Builder) -> None:
    house = await build(
        url="https://auth.example.com",
        hosts=None,
        origins=frozenset({"https://auth.example.com"}),
    )
    cookies = set_cookies(await house.browser("https://auth.example.com").sign_up())
    assert not [name for name, rest in cookies.items() if "Domain" in rest]


async def test_the_identity_is_out_of_a_script_s_reach(browser: Browser) -> None:
    cookie = set_cookies(await browser.sign_up())["__client"]
    assert cookie.endswith(f"; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax")


async def test_the_time_is_within_a_script_s_reach(browser: Browser, clock: Clock) -> None:
    cookie = set_cookies(await browser.sign_up())["__client_uat"]
    assert cookie == f"{clock.now // 1000}; Path=/; Max-Age={YEAR}; SameSite=Lax"


async def test_the_identity_holds_256_bits_and_only_its_digest_is_kept(
    browser: Browser, house: House
) -> None:
    await browser.sign_up()
    token = browser.token
    assert token
    assert len(token) == 43
    for file in house.database.parent.iterdir():
        assert token.encode() not in file.read_bytes()


async def test_the_time_is_zero_while_nobody_is_signed_in(browser: Browser) -> None:
    before = set_cookies(await browser.get("/v1/client"))
    during = set_cookies(await browser.sign_up())
    after = set_cookies(await browser.sign_out())
    times = [cookies["__client_uat"].partition(";")[0] for cookies in (before, during, after)]
    assert times[0] == times[2] == "0"
    assert int(times[1]) > 0


async def test_the_time_stands_until_somebody_signs_in_or_out(
    browser: Browser, clock: Clock
) -> None:
    """A time that moved with every request would redirect each page load."""
    answer = await browser.sign_up()
    session = answer.json()["response"]["created_session_id"]
    before = set_cookies(answer)["__client_uat"]
    clock.advance(later(100))
    touched = await browser.post(f"/v1/client/sessions/{session}/touch")
    shown = await browser.get("/v1/client")
    assert set_cookies(touched)["__client_uat"] == set_cookies(shown)["__client_uat"] == before


async def test_a_time_of_zero_is_kept_not_taken_back(browser: Browser) -> None:
    cookie = set_cookies(await browser.get("/v1/client"))["__client_uat"]
    assert cookie.startswith("0; ")
    assert "Max-Age=0" not in cookie


async def test_the_suffixed_name_belongs_to_the_publishable_key(house: House) -> None:
    cookies = set_cookies(await house.browser().get("/v1/client"))
    assert set(cookies) == {"__client_uat", f"__client_uat_{house.door.boundary.cookie_suffix}"}
