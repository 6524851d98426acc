"""`redirect_url`: followed to allowed origins, and by no trick to any other."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from doorcode.web.redirects import allowed_target

from ..house import PHONE, PRODUCTION, Plan
from .conftest import Document, Person, SiteBuilder

APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("given", "followed"),
    [
        (f"{APP}/dashboard?a=1&b=2#top", f"{APP}/dashboard?a=1&b=2#top"),
        (APP, APP),
        ("https://auth.example.com/", "https://auth.example.com/"),
        ("/", "/"),
        ("/dashboard?x=%2F%2Fevil.example", "/dashboard?x=%2F%2Fevil.example"),
        ("/caf\u00e9", "/caf%C3%A9"),
        ("/?next=https://evil.example", "/?next=https://evil.example"),
    ],
)
def test_allowed(given: str, followed: str) -> None:
    assert allowed_target(PRODUCTION.boundary(), given) == followed


TRICKS = [
    "",
    "/\t/[",
    "/\n/[::1",
    "/\r/a\u2100b",
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://evil.example/app.example.com",
    "https://app.example.com@evil.example",
    "https://app.example.com:443@evil.example",
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://APP.example.com\\@evil.example",
    "https://evil.example\\.app.example.com",
    "https://evil.example#@app.example.com",
    "https://evil.example?.app.example.com",
    "https://app.example.com%2eevil.example",
    "https://app.example.com%00.evil.example",
    "https://app\uff0eexample.com",
    "https://\uff41pp.example.com",
    "https://evil.example\u2044.app.example.com",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://[evil.example",
    "https://app.example.com:99999999",
    "https://app.example.com:x",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    " https://evil.example",
    "ht\ntps://evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/x\x00",
    "/\u202e//evil.example",
    "/.\\/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "blob:https://app.example.com/x",
    "ftp://app.example.com",
    "file:///etc/passwd",
    "evil.example",
    "dashboard",
    "?x",
    "#x",
    "/" + "x" * 3000,
]


@pytest.mark.parametrize("given", TRICKS)
def test_tricks_are_not_followed(given: str) -> None:
    assert allowed_target(PRODUCTION.boundary(), given) is None


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://evil.example%2f.localhost",
        "http://evil.example%23.localhost",
        "http://evil.example;.localhost",
        "http://127.0.0.1.evil.example",
        "//localhost:3000",
    ],
)
def test_loopback_has_no_look_alikes(given: str) -> None:
    assert allowed_target(Plan().boundary(), given) is None


@pytest.mark.parametrize(
    "given", ["http://localhost:3000/a", "http://[::1]:3000/", "http://app.localhost/"]
)
def test_loopback_is_allowed_in_development(given: str) -> None:
    assert allowed_target(Plan().boundary(), given) == given


async def test_an_allowed_target_is_kept_to_the_end(person: Person) -> None:
    target = "http://localhost:3000/dashboard?a=1&b=2"
    query = f"?redirect_url={quote(target, safe='')}"
    page = await person.see(f"/sign-up{query}")
    assert page.actions == [f"/sign-up{query}"]
    assert f"/sign-in{query}" in [link.get("href") for link in page.all("a")]
    started = await person.post(f"/sign-up{query}", identifier=PHONE)
    assert started.headers["location"] == f"/sign-up{query}"
    page = await person.see(f"/sign-up{query}")
    assert page.actions == [f"/sign-up/{step}{query}" for step in ("code", "resend", "restart")]
    code = person.site.house.code(PHONE)
    done = await person.post(f"/sign-up/code{query}", code=code)
    assert done.headers["location"] == target
    out = await person.post(f"/sign-out{query}")
    assert out.headers["location"] == target


@pytest.mark.parametrize("given", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_a_refused_target_is_forgotten(person: Person, given: str) -> None:
    query = f"?redirect_url={quote(given, safe='')}"
    answer = await person.get(f"/sign-up{query}")
    assert "evil" not in answer.text
    assert "evil" not in answer.headers["content-security-policy"]
    assert (await person.enter("/sign-up", PHONE, query)).headers["location"] == "/"
    assert (await person.get(f"/sign-in{query}")).headers["location"] == "/"
    assert (await person.post(f"/sign-out{query}")).headers["location"] == "/"


@pytest.mark.parametrize("given", ["/\t/[", "/\n/a\u2100b", "http://["])
async def test_what_no_url_can_be_read_from_is_forgotten_too(person: Person, given: str) -> None:
    answer = await person.get("/sign-in", params={"redirect_url": given})
    assert answer.status_code == 200
    assert "redirect_url" not in answer.text


async def test_forms_may_lead_to_the_target_and_nowhere_else(person: Person) -> None:
    for target, source in (
        ("http://localhost:3000/a", "'self' http://localhost:3000"),
        ("/a", "'self'"),
        ("http://[::1]:3000/", "'self' http:"),
    ):
        answer = await person.get("/sign-in", params={"redirect_url": target})
        policy = answer.headers["content-security-policy"].split("; ")
        assert f"form-action {source}" in policy


async def test_production_follows_what_is_listed(build_site: SiteBuilder) -> None:
    site = await build_site(PRODUCTION, without_inbox=True)
    person = site.person()
    query = f"?redirect_url={quote(APP + '/in', safe='')}"
    assert (await person.enter("/sign-up", PHONE, query)).headers["location"] == f"{APP}/in"
    page = Document((await person.get("/")).text)
    assert "/inbox" not in [link.get("href") for link in page.all("a")]
