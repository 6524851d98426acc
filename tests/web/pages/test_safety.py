"""What protects the pages: the origin of forms, the policy, and the escaping."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.storage.interface import Unavailable

from ..house import PHONE, TEST_PHONE, URL
from .conftest import EVIL, Document, Person, Site

FORMS = [
    "/sign-up",
    "/sign-up/code",
    "/sign-up/resend",
    "/sign-up/restart",
    "/sign-in",
    "/sign-in/code",
    "/sign-in/resend",
    "/sign-in/restart",
    "/sign-out",
]
PAGES = ["/", "/sign-up", "/sign-in", "/inbox", "/inbox?to=x", "/inbox?live=off"]
XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>@example.com"


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example:8787"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_forms_of_other_sites_are_refused(
    site: Site, person: Person, path: str, headers: dict[str, str]
) -> None:
    await person.enter("/sign-up", PHONE)
    rows = site.house.rows()
    answer = await person.post(path, origin=None, headers=headers, identifier=TEST_PHONE)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "another website" in answer.text
    assert site.house.rows() == rows
    assert PHONE in (await person.get("/")).text  # still signed in


@pytest.mark.parametrize("path", FORMS)
async def test_only_forms_change_anything(person: Person, path: str) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await person.http.request(method, path)
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]
    assert (await person.post(f"{path}?_method=DELETE")).status_code == 405


async def test_signing_out_takes_a_form(person: Person) -> None:
    await person.enter("/sign-up", PHONE)
    assert (await person.get("/sign-out")).status_code == 405
    assert PHONE in (await person.get("/")).text


def expect_protected(answer: Any) -> None:
    policy = answer.headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


def expect_nothing_inline(text: str) -> None:
    page = Document(text)
    assert not {"script", "style", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith("/"), (tag, attributes)


def expect_accessible(text: str) -> None:
    page = Document(text)
    assert [html.get("lang") for html in page.all("html")] == ["en"]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {label.get("for") for label in page.all("label")}
    for field in page.all("input"):
        assert field["id"] in labelled
    for _, attributes in page.elements:
        for name in (attributes.get("aria-describedby") or "").split():
            assert name in ids


async def test_every_page_is_protected(site: Site, person: Person) -> None:
    answers = [await person.get(path) for path in PAGES]
    answers += [await person.post(path, origin=EVIL) for path in FORMS]
    answers += [await person.http.delete("/"), await person.get("/static/nothing")]
    answers.append(await person.post("/sign-up", identifier="nonsense"))
    answers.append(await person.post("/sign-up", identifier=PHONE))
    answers.append(await person.post("/sign-up/code", code=site.house.wrong()))
    answers.append(await person.post("/sign-up/resend"))
    answers.append(await person.get("/sign-up"))
    answers.append(await person.get("/inbox"))
    answers.append(await person.post("/sign-up/code", code=site.house.code()))
    answers.append(await person.get("/"))
    for answer in answers:
        expect_protected(answer)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"].startswith("text/")
        if answer.text:
            expect_nothing_inline(answer.text)
            expect_accessible(answer.text)


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in"])
async def test_markup_that_is_typed_stays_text(person: Person, path: str) -> None:
    answer = await person.post(path, identifier=XSS)
    assert answer.status_code == 422
    expect_nothing_inline(answer.text)
    assert Document(answer.text).field("identifier")["value"] == XSS


async def test_markup_in_addresses_stays_text(person: Person) -> None:
    query = {"redirect_url": '/"><script>alert(1)</script>', "to": XSS}
    for path in ("/", "/sign-up", "/sign-in", "/inbox"):
        answer = await person.get(path, params=query)
        assert answer.status_code == 200
        expect_nothing_inline(answer.text)


async def test_what_is_typed_comes_back_without_control_characters(person: Person) -> None:
    page = await person.post("/sign-up", identifier="a\x1b[2J\x00\x7f\x85b\tc")
    assert page.status_code == 422
    assert "\x1b" not in page.text
    shown = Document((await person.post("/sign-up", identifier="a\x1b[2J\x7f\x85b")).text)
    assert shown.field("identifier")["value"] == "a[2Jb"


async def test_bad_bodies_are_told_on_a_page(person: Person) -> None:
    for body, kind, status in (
        (b"x=" + b"y" * 65_536, "application/x-www-form-urlencoded", 413),
        (b'{"identifier":"x"}', "application/json", 415),
        (b"identifier=a&identifier=b", "application/x-www-form-urlencoded", 422),
        (b"identifier=%ff", "application/x-www-form-urlencoded", 422),
    ):
        headers = {"content-type": kind, "origin": URL}
        answer = await person.http.post("/sign-up", content=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        expect_protected(answer)


@pytest.mark.parametrize(("error", "status"), [(Unavailable("full"), 503), (OSError("x"), 500)])
async def test_failures_are_told_without_a_trace(
    site: Site, person: Person, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    await person.enter("/sign-up", PHONE)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(site.house.storage, "reading", fail)
    answer = await person.get("/")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "Traceback" not in answer.text
    assert str(error) not in Document(answer.text).text.split()
    expect_protected(answer)


async def test_a_token_in_the_address_signs_nobody_in(site: Site, person: Person) -> None:
    made = await person.http.post("/v1/dev_browser")
    token = made.json()["id"]
    victim = site.person()
    query = f"?__clerk_db_jwt={token}"
    await victim.enter("/sign-up", PHONE, query)
    assert (await victim.get("/")).status_code == 200
    spied = await site.person().get(f"/v1/client{query}")
    assert PHONE not in spied.text


async def test_style_and_icon(person: Person) -> None:
    page = await person.see("/")
    links = [link["href"] or "" for link in page.all("link")]
    assert len(links) == 2
    for link in links:
        answer = await person.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        expect_protected(answer)
        unnumbered = await person.get(link.partition("?")[0])
        assert unnumbered.headers["cache-control"] == "no-cache"
    assert (await person.get("/static/..%2f__init__.py")).status_code == 404
    assert (await person.get("/static/%2e%2e/endpoint.py")).status_code == 404
