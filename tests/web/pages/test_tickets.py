"""Coming in by a link, where the app has no page of its own for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorcode.domain.instance import Attribute, SignUpMode

from ..house import EMAIL, PHONE
from .conftest import EVIL, Document, Person, Site


async def invitation(site: Site, email: str = EMAIL) -> str:
    """The link of an invitation, as it stands in the letter."""
    body = {"email_address": email, "ignore_existing": True}
    await site.house.ask("POST", "/v1/invitations", body)
    return site.house.inbox.messages(email)[0].link


async def page_of(person: Person, link: str) -> tuple[str, Document]:
    """The ticket, and the page that a link leads to."""
    answer = await person.get(link)
    assert answer.status_code == 303
    page = await person.see(answer.headers["location"])
    (field,) = [one for one in page.all("input") if one["type"] == "hidden"]
    assert field["name"] == "__clerk_ticket"
    return str(field["value"]), page


async def use(person: Person, ticket: str, **options: Any) -> Any:
    return await person.post("/ticket", **{"__clerk_ticket": ticket}, **options)


def switch(site: Site, **changes: Any) -> None:
    deps = site.house.door.deps
    deps.instance = replace(deps.instance, **changes)


async def test_an_invited_person_signs_up_where_others_cannot(site: Site, person: Person) -> None:
    switch(site, mode=SignUpMode.RESTRICTED)
    ticket, page = await page_of(person, await invitation(site))
    assert "Accept the invitation" in page.text
    answer = await use(person, ticket)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert EMAIL.lower() in (await person.get("/")).text.lower()
    again = await use(site.person(), ticket)
    assert again.status_code == 400
    assert "accepted already" in again.text


async def test_looking_at_the_page_uses_nothing_up(site: Site, person: Person) -> None:
    link = await invitation(site)
    for _ in range(3):
        ticket, _ = await page_of(site.person(), link)
    assert (await use(person, ticket)).status_code == 303


async def test_somebody_with_an_account_signs_in(site: Site, person: Person) -> None:
    await site.person().enter("/sign-up", EMAIL)
    ticket, page = await page_of(person, await invitation(site))
    assert "This link signs you in" in page.text
    assert (await use(person, ticket)).headers["location"] == "/"
    assert person.token


async def test_what_is_still_missing_is_asked_for(site: Site, person: Person) -> None:
    switch(site, phone=Attribute(required=True))
    ticket, _ = await page_of(person, await invitation(site))
    answer = await use(person, ticket)
    assert answer.headers["location"] == "/sign-up"
    page = await person.see("/sign-up")
    assert "phone_number" in [field.get("name") for field in page.all("input")]


@pytest.mark.parametrize("ticket", ["", "x", "inv_1.x", "<b>"])
async def test_what_is_no_ticket_is_told(person: Person, ticket: str) -> None:
    for answer in (
        await person.get("/ticket", params={"__clerk_ticket": ticket}),
        await use(person, ticket),
    ):
        assert answer.status_code == 400
        assert "This link is not valid" in answer.text
        assert "<b>" not in answer.text


async def test_another_site_s_form_uses_no_ticket(site: Site, person: Person) -> None:
    ticket, _ = await page_of(person, await invitation(site))
    assert (await use(person, ticket, origin=EVIL)).status_code == 400
    assert site.house.rows("users") == {"users": 0}


async def test_whoever_is_signed_in_stays_who_they_are(site: Site, person: Person) -> None:
    await person.enter("/sign-up", PHONE)
    ticket, _ = await page_of(person, await invitation(site))
    answer = await use(person, ticket)
    assert answer.status_code == 400
    assert "already signed in" in answer.text.replace("&#39;", "'")
    assert site.house.rows("users") == {"users": 1}
