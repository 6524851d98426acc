"""The page that a letter about a paused country leads to: looking changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.send import Pause

from ..house import PRODUCTION
from .conftest import EVIL, Document, Person, Site, SiteBuilder

WHY = "too many codes to <b>numbers</b> near this one are never typed"


async def link(site: Site, at: int | None = None) -> str:
    """The link of a letter about a country that is paused now."""
    deps = site.house.door.deps
    pause = Pause("GB", deps.now() if at is None else at, WHY)
    async with deps.storage.transaction() as tx:
        await tx.add_pause(pause)
    return f"/shield/resume?ticket={deps.tickets.resume_text(pause)}"


async def press(person: Person, page: Document, **options: Any) -> Any:
    return await person.post("/shield/resume", ticket=str(page.field("ticket")["value"]), **options)


def is_paused(site: Site) -> bool:
    return site.house.rows("pauses") == {"pauses": 1}


async def test_the_page_says_what_happened_and_one_button_ends_it(
    site: Site, person: Person
) -> None:
    page = await person.see(await link(site))
    assert "GB" in page.text
    assert WHY[0].upper() + WHY[1:] in page.text  # its markup is words
    assert page.actions == ["/shield/resume"]
    answer = await press(person, page)
    assert answer.status_code == 200
    assert "receive codes again" in Document(answer.text).text
    assert not is_paused(site)
    async with site.house.storage.reading() as tx:
        [resumed] = await tx.events(0, 10, subject="GB")
    assert (resumed.event.name, resumed.event.details) == ("country.resumed", {"by": "link"})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mail_program_that_follows_the_link_resumes_nothing(
    site: Site, person: Person, method: str
) -> None:
    path = await link(site)
    before = site.house.rows()
    for _ in range(3):
        assert (await person.http.request(method, path)).status_code == 200
    assert site.house.rows() == before
    assert is_paused(site)


async def test_a_used_link_says_that_it_is_worth_nothing(site: Site, person: Person) -> None:
    path = await link(site)
    page = await person.see(path)
    await press(person, page)
    for answer in (await person.get(path), await press(person, page)):
        assert answer.status_code == 404
        assert "worth nothing any more" in Document(answer.text).text


@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=GB-1.x", "?ticket=%00", "?ticket=é.é"])
async def test_a_link_that_nobody_wrote_is_refused(site: Site, person: Person, query: str) -> None:
    await link(site)
    answer = await person.get(f"/shield/resume{query}")
    assert answer.status_code == 404
    answer = await person.post("/shield/resume", ticket=query.partition("=")[2])
    assert answer.status_code == 404
    assert is_paused(site)


async def test_another_site_cannot_press_the_button(site: Site, person: Person) -> None:
    page = await person.see(await link(site))
    assert (await press(person, page, origin=EVIL)).status_code == 400
    assert is_paused(site)


async def test_the_page_is_protected_and_works_in_production(build_site: SiteBuilder) -> None:
    site = await build_site(PRODUCTION)
    person = site.person()
    path = await link(site)
    answer = await person.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert (await press(person, Document(answer.text))).status_code == 200
    assert not is_paused(site)
