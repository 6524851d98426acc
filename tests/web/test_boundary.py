"""What comes from outside: hosts, origins, addresses."""

from __future__ import annotations

import ipaddress

import pytest

from doorcode.domain.errors import Refused
from doorcode.web.http import Request, read_request

from .conftest import Builder
from .house import LOOPBACK, PAGE, PHONE, PRODUCTION, Browser, House, Plan, refusal

SIGN_UPS = "/v1/client/sign_ups"
FORM = {"phone_number": PHONE}
FOREIGN = (400, "origin_invalid", None)


def _request(**headers: str) -> Request:
    return Request(
        "POST", "/", {}, {k.replace("_", "-"): v for k, v in headers.items()}, "10.0.0.1"
    )


# ── origins ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "http://localhost.evil.example",
        "http://evil-localhost",
        "http://LOCALHOST:3000",
        "http://localhost:3000/",
        "http://localhost:3000, https://evil.example",
        "http://user@localhost:3000",
        "localhost:3000",
        "file://",
        "chrome-extension://abc",
        "http://10.0.0.1:3000",
        "http://2130706433",
        "",
        "é",
    ],
)
async def test_a_stranger_s_page_is_refused_and_changes_nothing(
    house: House, browser: Browser, origin: str
) -> None:
    before = house.rows()
    headers = {b"origin": origin.encode()}
    answer = await browser.http.post(SIGN_UPS, data=FORM, headers=headers)
    assert refusal(answer) == FOREIGN
    assert "access-control-allow-origin" not in answer.headers
    assert house.rows() == before


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:3000",
        "https://localhost:3000",
        "http://127.0.0.1:5173",
        "http://[::1]:3000",
        "http://app.localhost:3000",
        "http://a.b.localhost",
    ],
)
async def test_in_development_every_loopback_page_may_call(house: House, origin: str) -> None:
    answer = await house.browser(origin).post(SIGN_UPS, FORM)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("https://auth.example.com", True),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("https://example.com", False),
        ("https://x.app.example.com", False),
        ("http://localhost:3000", False),
    ],
)
async def test_in_production_only_the_listed_and_the_own_origin_may_call(
    production: House, origin: str, allowed: bool
) -> None:
    answer = await production.browser(origin).post(SIGN_UPS, FORM)
    assert (answer.status_code == 200) is allowed


async def test_a_stranger_may_not_read_either(browser: Browser) -> None:
    answer = await browser.get("/v1/client", headers={"origin": "https://evil.example"})
    assert refusal(answer) == FOREIGN


@pytest.mark.parametrize(
    ("site", "allowed"),
    [(None, True), ("same-origin", True), ("none", True), ("same-site", False),
     ("cross-site", False), ("nonsense", False), ("", False)],
)  # fmt: skip
async def test_without_an_origin_the_browser_s_own_word_counts(
    house: House, site: str | None, allowed: bool
) -> None:
    headers = {} if site is None else {"sec-fetch-site": site}
    answer = await house.browser(None).post(SIGN_UPS, FORM, headers=headers)
    assert (answer.status_code == 200) is allowed
    if not allowed:
        assert refusal(answer) == FOREIGN


async def test_a_cross_site_navigation_may_read(house: House) -> None:
    """The handshake is one."""
    headers = {"sec-fetch-site": "cross-site"}
    answer = await house.browser(None).get("/v1/client", headers=headers)
    assert answer.status_code == 200


async def test_the_override_does_not_make_a_request_harmless(house: House) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    for method in ("GET", "DELETE"):
        answer = await house.browser(None).post(
            "/v1/client/sessions", params={"_method": method}, headers=headers
        )
        assert refusal(answer) == FOREIGN


# ── CORS ──────────────────────────────────────────────────────────────────────────────
async def test_the_exact_origin_is_echoed_with_credentials(browser: Browser) -> None:
    answer = await browser.get("/v1/client")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "Origin"
    exposed = answer.headers["access-control-expose-headers"].lower()
    assert {"clerk-db-jwt", "retry-after", "authorization"} <= set(exposed.split(", "))


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/me", 401), ("/v1/client/nothing", 404), ("/v1/dev_browser", 405)],
)
async def test_a_page_can_read_a_refusal_too(browser: Browser, path: str, status: int) -> None:
    answer = await browser.get(path)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("body", [b"phone_number=1", b"x" * 70_000])
async def test_a_page_can_read_a_refused_form_too(browser: Browser, body: bytes) -> None:
    answer = await browser.post_raw(SIGN_UPS, body)
    assert answer.status_code in (413, 422)
    assert answer.headers["access-control-allow-origin"] == PAGE


async def test_without_an_origin_there_is_nothing_to_echo(house: House) -> None:
    answer = await house.browser(None).get("/v1/client")
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_a_preflight_is_answered(browser: Browser) -> None:
    answer = await browser.http.options(SIGN_UPS)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]


async def test_a_stranger_s_preflight_is_refused(browser: Browser) -> None:
    answer = await browser.http.options(SIGN_UPS, headers={"origin": "https://evil.example"})
    assert refusal(answer) == FOREIGN
    assert "access-control-allow-origin" not in answer.headers


# ── hosts ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8787", "localhost.evil.example", "10.0.0.1:8787", "", "é",
     "localhost@evil.example", "[::2]:8787"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/client", "/v1/health", "/.well-known/jwks.json"])
async def test_another_host_s_name_is_not_answered_to(
    browser: Browser, host: str, path: str
) -> None:
    answer = await browser.get(path, headers={b"host": host.encode()})
    assert refusal(answer) == (400, "host_invalid", None)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8787", "127.0.0.1:1", "[::1]:8787", "[::1]", "a.localhost:80"],
)
async def test_the_loopback_s_names_are_answered_to(browser: Browser, host: str) -> None:
    assert (await browser.get("/v1/client", headers={"host": host})).status_code == 200


async def test_in_production_the_proxy_in_front_minds_the_host(production: House) -> None:
    browser = production.browser("https://app.example.com")
    answer = await browser.get("/v1/client", headers={"host": "whatever.example"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "answered"), [("10.0.0.1:8787", True), ("[fe80::1]", True), ("evil.example", False)]
)
async def test_where_all_addresses_are_listened_on_a_bare_address_is_answered_to(
    build: Builder, host: str, answered: bool
) -> None:
    house = await build(address_hosts=True)
    answer = await house.browser().get("/v1/client", headers={"host": host})
    assert (answer.status_code == 200) is answered


def test_a_host_that_is_not_ours_is_refused() -> None:
    boundary = Plan(hosts=LOOPBACK).boundary()
    with pytest.raises(Refused):
        boundary.expect_host(_request(host="evil.example"))
    boundary.expect_host(_request(host="localhost:1"))


# ── the client's address ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("", "10.0.0.1"),
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("203.0.113.7, nonsense", "10.0.0.1"),
        ("nonsense, 10.0.0.3", "10.0.0.3"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_the_last_one_that_no_trusted_proxy_has(
    forwarded: str, address: str
) -> None:
    boundary = Plan(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),)).boundary()
    assert boundary.address_of(_request(x_forwarded_for=forwarded)) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7:5555", "203.0.113.7"),
        ("[2001:db8::7]:5555", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("203.0.113.7:5555, 10.0.0.3:80", "203.0.113.7"),
        ("203.0.113.7:x", "10.0.0.1"),
        ("203.0.113.7:123456", "10.0.0.1"),
        ("203.0.113.7:", "10.0.0.1"),
        ("[203.0.113.7]:1", "10.0.0.1"),
        ("2001:db8::7]:1", "10.0.0.1"),
    ],
)
def test_a_port_that_a_proxy_writes_beside_the_address_is_left_out(
    forwarded: str, address: str
) -> None:
    """Some write it. Were it no address, all people behind that proxy would share its limits."""
    boundary = Plan(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),)).boundary()
    assert boundary.address_of(_request(x_forwarded_for=forwarded)) == address


def test_without_a_trusted_proxy_nobody_is_believed() -> None:
    request = _request(x_forwarded_for="203.0.113.7")
    assert Plan().boundary().address_of(request) == "10.0.0.1"


# ── limits per address ────────────────────────────────────────────────────────────────
async def test_the_sixth_create_within_ten_seconds_is_refused(build: Builder) -> None:
    house = await build(limits=True)
    browser = house.browser()
    for _ in range(5):
        assert (await browser.post(SIGN_UPS, FORM)).status_code == 200
    house.clock.advance(4_000)
    answer = await browser.post(SIGN_UPS, FORM)
    assert refusal(answer) == (429, "too_many_requests", None)
    assert answer.headers["retry-after"] == "6"
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "retry-after" in answer.headers["access-control-expose-headers"].lower()
    house.clock.advance(6_000)
    assert (await browser.post(SIGN_UPS, FORM)).status_code == 200


async def test_the_fourth_try_within_ten_seconds_is_refused_and_not_counted(
    build: Builder,
) -> None:
    house = await build(limits=True)
    browser = house.browser()
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    for _ in range(3):
        await browser.attempt_sign_up(sign_up, house.wrong())
    answer = await browser.attempt_sign_up(sign_up, house.code())
    assert refusal(answer) == (429, "too_many_requests", None)
    found = (await browser.client())["sign_up"]["verifications"]["phone_number"]
    assert found["attempts"] == 3


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v1/client/handshake?redirect_url={PAGE}/"),
        ("POST", "/v1/dev_browser"),
        ("POST", "/v1/client/sessions/{session}/touch"),
        ("POST", "/v1/client/sessions/{session}/tokens?debug=skip_cache"),
    ],
)
async def test_what_costs_a_signature_or_a_row_has_a_limit_that_an_office_does_not_reach(
    build: Builder, method: str, path: str
) -> None:
    house = await build(limits=True)
    browser = house.browser()
    session = (await browser.sign_up()).json()["response"]["created_session_id"]
    path, rows = path.format(session=session), {}
    for number in range(101):
        rows = house.rows() if number == 100 else {}
        answer = await browser.http.request(method, path)
        assert answer.status_code == (429 if number == 100 else 307 if method == "GET" else 200)
    assert answer.headers["retry-after"] == "10"
    assert {**house.rows(), "events": 0} == {**rows, "events": 0}
    tokens = f"/v1/client/sessions/{session}/tokens"
    assert (await browser.post(tokens)).status_code == 200  # the token that is kept costs nothing
    house.clock.advance(10_000)
    assert (await browser.http.request(method, path)).status_code in (200, 307)


async def test_a_forged_address_wins_no_more_requests(build: Builder) -> None:
    house = await build(limits=True)
    browser = house.browser()
    for n in range(5):
        headers = {"x-forwarded-for": f"203.0.113.{n}"}
        await browser.post(SIGN_UPS, FORM, headers=headers)
    answer = await browser.post(SIGN_UPS, FORM, headers={"x-forwarded-for": "203.0.113.99"})
    assert refusal(answer)[1] == "too_many_requests"


async def test_addresses_behind_a_trusted_proxy_are_told_apart(build: Builder) -> None:
    house = await build(limits=True, trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),))
    browser = house.browser()
    for _ in range(6):
        first = await browser.post(SIGN_UPS, FORM, headers={"x-forwarded-for": "203.0.113.1"})
    second = await browser.post(SIGN_UPS, FORM, headers={"x-forwarded-for": "203.0.113.2"})
    assert (first.status_code, second.status_code) == (429, 200)


# ── what the configuration says ───────────────────────────────────────────────────────
def test_the_configuration_decides_what_is_https_and_development() -> None:
    assert PRODUCTION.boundary().is_https
    assert not Plan().boundary().is_https
    assert not Plan().boundary().development_keys
    assert Plan(publishable_key="pk_test_YS5iJA").boundary().development_keys


def test_the_suffix_of_cookies_comes_from_the_whole_key() -> None:
    boundary = Plan(publishable_key="pk_live_YXV0aC5sb2NhbGhvc3QudGVzdCQ").boundary()
    assert boundary.cookie_suffix == "N-evFwXU"


def test_two_host_names_at_once_are_not_answered_to() -> None:
    hosts = [(b"host", b"localhost:8787"), (b"host", b"evil.example")]
    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": hosts}
    with pytest.raises(Refused):
        Plan().boundary().expect_host(read_request(scope))
