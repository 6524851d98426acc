"""The development inbox: readable by the developer, and by nobody else."""

from __future__ import annotations

import pytest

from ..house import EMAIL, LOOPBACK, OTHER_PHONE, PAGE, PHONE, PRODUCTION, Plan
from .conftest import EVIL, Document, Person, Site, SiteBuilder

PATHS = ["/inbox", "/inbox/messages"]
TOKEN = "correct-horse"


async def send(site: Site, *addresses: str) -> None:
    for address in addresses:
        await site.person().post("/sign-up", identifier=address)
        site.house.clock.advance(1000)


async def test_messages_are_listed_newest_first(site: Site, person: Person) -> None:
    await send(site, PHONE, EMAIL)
    answer = await person.get("/inbox/messages")
    assert answer.headers["content-type"] == "application/json"
    newest, oldest = answer.json()
    assert set(newest) == {"id", "channel", "to", "body", "code", "link", "created_at"}
    assert (newest["channel"], newest["to"]) == ("email", EMAIL)
    assert (oldest["channel"], oldest["to"]) == ("sms", PHONE)
    assert newest["code"] in newest["body"]
    assert newest["created_at"] > oldest["created_at"]
    page = await person.see("/inbox")
    assert page.text.index(newest["code"]) < page.text.index(oldest["code"])
    assert "refresh" in [meta.get("http-equiv") for meta in page.all("meta")]


async def test_an_invitation_can_be_followed_from_the_inbox(site: Site, person: Person) -> None:
    answer = await site.house.ask("POST", "/v1/invitations", {"email_address": EMAIL})
    page = await person.see("/inbox")
    links = [link["href"] for link in page.all("a") if "tickets/accept" in (link["href"] or "")]
    assert links == [answer.json()["url"]]
    [letter] = (await person.get("/inbox/messages")).json()
    assert (letter["link"], letter["code"]) == (links[0], "")


@pytest.mark.parametrize(
    "query",
    ["%2B14155552671", "%2B1+%28415%29+555-2671", "+14155552671"],
)
async def test_address_is_read_like_an_identifier(site: Site, person: Person, query: str) -> None:
    await send(site, PHONE, OTHER_PHONE, EMAIL)
    for path in PATHS:
        answer = await person.get(f"{path}?to={query}")
        assert site.house.code(PHONE) in answer.text
        assert site.house.code(OTHER_PHONE) not in answer.text
    by_mail = await person.get("/inbox/messages", params={"to": EMAIL.upper()})
    assert [letter["to"] for letter in by_mail.json()] == [EMAIL]
    assert (await person.get("/inbox/messages?to=nobody")).json() == []


async def test_filter_survives_the_refresh_and_can_be_paused(person: Person) -> None:
    page = await person.see("/inbox?to=%2B1415")
    (refresh,) = [meta for meta in page.all("meta") if meta.get("http-equiv")]
    assert refresh["content"] == "5; url=/inbox?to=%2B1415"
    assert page.field("to")["value"] == "+1415"
    paused = await person.see("/inbox?to=%2B1415&live=off")
    assert not [meta for meta in paused.all("meta") if meta.get("http-equiv")]


@pytest.mark.parametrize("path", PATHS)
async def test_there_is_none_in_production(build_site: SiteBuilder, path: str) -> None:
    site = await build_site(PRODUCTION)  # even where one was passed in by mistake
    await send(site, PHONE)
    answer = await site.person().get(path)
    assert answer.status_code == 404
    assert site.house.code() not in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_there_is_none_without_an_inbox(build_site: SiteBuilder, path: str) -> None:
    site = await build_site(without_inbox=True)
    assert (await site.person().get(path)).status_code == 404


@pytest.mark.parametrize("path", PATHS)
async def test_other_pages_cannot_read_it(site: Site, person: Person, path: str) -> None:
    await send(site, PHONE)
    for origin in (PAGE, EVIL, "null"):
        answer = await person.get(path, headers={"origin": origin})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert (await person.http.options(path, headers={"origin": PAGE})).status_code == 405


@pytest.mark.parametrize("path", [*PATHS, "/", "/sign-up"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8787", "localhost.evil.example"])
async def test_foreign_host_is_refused(site: Site, person: Person, path: str, host: str) -> None:
    await send(site, PHONE)
    answer = await person.get(path, headers={"host": host})
    assert answer.status_code == 400
    assert site.house.code() not in answer.text


FORWARDED = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded"]


@pytest.mark.parametrize("name", FORWARDED)
@pytest.mark.parametrize("path", PATHS)
async def test_an_inbox_without_a_token_is_not_shown_through_a_tunnel(
    site: Site, person: Person, path: str, name: str
) -> None:
    """One that rewrites the Host name leads the whole internet to a server that thinks itself
    alone on its machine."""
    await send(site, PHONE)
    answer = await person.get(path, headers={name: "203.0.113.7"})
    assert answer.status_code == 403
    assert site.house.code() not in answer.text
    assert "DOORCODE_URL" in answer.text
    assert site.house.code() in (await person.get(path)).text


async def test_an_inbox_with_a_token_is_shown_through_a_proxy(build_site: SiteBuilder) -> None:
    site = await build_site(token=TOKEN)
    await send(site, PHONE)
    headers = dict.fromkeys(FORWARDED, "203.0.113.7")
    answer = await site.person().get(f"/inbox/messages?token={TOKEN}", headers=headers)
    assert site.house.code() in answer.text


async def test_exposed_inbox_asks_for_its_token(build_site: SiteBuilder) -> None:
    site = await build_site(token=TOKEN)
    await send(site, PHONE)
    person = site.person()
    for path in PATHS:
        for query in ("", "?token=", "?token=wrong", "?token=caf%C3%A9", f"?token={TOKEN}x"):
            answer = await person.get(f"{path}{query}")
            assert answer.status_code == 403
            assert site.house.code() not in answer.text
            assert TOKEN not in answer.text
            assert "asks for a token" in answer.text
    person.http.cookies.set("__doorcode_inbox", "wrong", domain="localhost.local")
    assert (await person.get("/inbox")).status_code == 403


@pytest.mark.parametrize("path", PATHS)
async def test_token_is_kept_in_a_cookie(build_site: SiteBuilder, path: str) -> None:
    site = await build_site(token=TOKEN)
    await send(site, PHONE)
    person = site.person()
    first = await person.get(f"{path}?token={TOKEN}")
    assert first.status_code == 200
    assert TOKEN not in first.text
    (cookie,) = first.headers.get_list("set-cookie")
    assert cookie == f"__doorcode_inbox={TOKEN}; Path=/inbox; HttpOnly; SameSite=Strict"
    second = await person.get("/inbox")
    assert site.house.code() in second.text
    assert (await site.person().get("/inbox")).status_code == 403


async def test_bare_addresses_reach_it_where_it_listens_on_all(build_site: SiteBuilder) -> None:
    site = await build_site(Plan(hosts=LOOPBACK, address_hosts=True), token=TOKEN)
    host = {"host": "192.0.2.7:8787"}
    answer = await site.person().get(f"/inbox?token={TOKEN}", headers=host)
    assert answer.status_code == 200
    assert "Nothing was sent yet" in Document(answer.text).text
