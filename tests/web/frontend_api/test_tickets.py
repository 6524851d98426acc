"""`GET /v1/tickets/accept`: the link of a ticket leads on, and never astray."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from doorcode.domain.origins import Origins

from ..conftest import Builder
from ..house import EMAIL, PAGE, URL, House, Plan, refusal

BEA = "bea@example.com"
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def invite(house: House, email: str = BEA, **more: Any) -> str:
    """The path of an invitation's link."""
    body = {"email_address": email, "notify": False, "ignore_existing": True, **more}
    answer = await house.ask("POST", "/v1/invitations", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"]).removeprefix(house.plan.url)


async def a_token(house: House, user_id: str) -> str:
    answer = await house.ask("POST", "/v1/sign_in_tokens", {"user_id": user_id})
    return str(answer.json()["url"]).removeprefix(house.plan.url)


def led_to(answer: httpx.Response) -> tuple[str, str, str]:
    """The page that an answer leads to, the status and the ticket that it is given."""
    assert answer.status_code == 303, answer.text
    page, _, query = answer.headers["location"].partition("?")
    given = parse_qs(query, strict_parsing=True)
    assert set(given) == {"__clerk_ticket", "__clerk_status"}
    return page, given["__clerk_status"][0], given["__clerk_ticket"][0]


async def test_an_invitation_leads_to_the_sign_up(house: House) -> None:
    link = await invite(house)
    answer = await house.browser(None).get(link)
    assert led_to(answer) == (f"{URL}/ticket", "sign_up", link.partition("ticket=")[2])
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


async def test_an_account_is_led_to_the_sign_in(house: House) -> None:
    await house.someone(EMAIL)
    answer = await house.browser(None).get(await invite(house, EMAIL))
    assert led_to(answer)[:2] == (f"{URL}/ticket", "sign_in")


async def test_a_sign_in_token_leads_to_the_sign_in(house: House) -> None:
    entered = (await house.browser().sign_up(EMAIL)).json()
    link = await a_token(house, entered["response"]["created_user_id"])
    assert led_to(await house.browser(None).get(link))[:2] == (f"{URL}/ticket", "sign_in")


async def test_whoever_is_signed_in_already_has_nothing_left_to_do(house: House) -> None:
    browser = house.browser()
    entered = (await browser.sign_up(EMAIL)).json()
    for link in (
        await invite(house, EMAIL),
        await a_token(house, entered["response"]["created_user_id"]),
    ):
        assert led_to(await browser.get(link))[:2] == (f"{URL}/", "complete")
    other = await browser.get(await invite(house))
    assert led_to(other)[1] == "sign_up"


async def test_looking_uses_nothing_up(house: House) -> None:
    link = await invite(house)
    answers = [await house.browser(None).get(link) for _ in range(3)]
    assert len({led_to(answer) for answer in answers}) == 1
    form = {"strategy": "ticket", "ticket": link.partition("ticket=")[2]}
    entered = await house.browser().post("/v1/client/sign_ups", form)
    assert entered.json()["response"]["status"] == "complete"


async def test_the_app_s_own_pages_come_first(build: Builder) -> None:
    urls = {
        "sign_up_url": "https://app.example.com/up",
        "sign_in_url": "https://app.example.com/in",
        "after_sign_in_url": "https://app.example.com/home",
    }
    house = await build(Plan(instance={"urls": urls}))
    assert led_to(await house.browser(None).get(await invite(house)))[0] == urls["sign_up_url"]
    browser = house.browser()
    await browser.sign_up(EMAIL)
    link = await invite(house, EMAIL)
    assert led_to(await house.browser(None).get(link))[0] == urls["sign_in_url"]
    assert led_to(await browser.get(link))[0] == urls["after_sign_in_url"]


@pytest.mark.parametrize(
    ("urls", "page"),
    [
        ({"sign_up_url": "/up"}, f"{URL}/ticket"),
        ({"sign_up_url": "/up", "home_url": "/"}, f"{URL}/ticket"),
        (
            {"sign_up_url": "/up", "home_url": "https://app.example.com"},
            "https://app.example.com/up",
        ),
        ({"home_url": "https://app.example.com/a"}, f"{URL}/ticket"),
    ],
)
async def test_a_bare_path_lies_beside_the_app_s_home(
    build: Builder, urls: dict[str, str], page: str
) -> None:
    house = await build(Plan(instance={"urls": urls}))
    assert led_to(await house.browser(None).get(await invite(house)))[0] == page


async def test_an_invitation_s_page_comes_before_all(house: House) -> None:
    link = await invite(house, redirect_url=f"{PAGE}/welcome")
    assert led_to(await house.browser(None).get(link))[:2] == (f"{PAGE}/welcome", "sign_up")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("/a?b=1", "/a?b=1&__clerk_ticket={t}&__clerk_status=sign_up"),
        ("/#/sign-up", "/?__clerk_ticket={t}&__clerk_status=sign_up#/sign-up"),
        ("/a?__clerk_status=x&b", "/a?b&__clerk_ticket={t}&__clerk_status=sign_up"),
        ("", "?__clerk_ticket={t}&__clerk_status=sign_up"),
    ],
)
async def test_the_page_s_own_query_and_fragment_stay(house: House, url: str, wanted: str) -> None:
    link = await invite(house, redirect_url=PAGE + url)
    answer = await house.browser(None).get(link)
    assert answer.headers["location"] == PAGE + wanted.format(t=link.partition("ticket=")[2])


async def test_a_page_that_is_allowed_no_more_is_not_led_to(production: House) -> None:
    link = await invite(production, redirect_url="https://app.example.com/welcome")
    led_to(await production.browser(None).get(link))
    fewer = replace(production.door.boundary, origins=Origins(frozenset()))
    object.__setattr__(production.door, "boundary", fewer)
    answer = await production.browser(None).get(link)
    assert refusal(answer) == (422, "invalid_redirect_url", "redirect_url")
    assert "location" not in answer.headers


@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=x", "?ticket=inv_1.x", "?ticket=%00"])
async def test_what_is_no_ticket_leads_nowhere(house: House, query: str) -> None:
    answer = await house.browser(None).get(f"/v1/tickets/accept{query}")
    assert refusal(answer) == (400, "ticket_invalid_code", None)


@pytest.mark.parametrize(
    "extra", ["&redirect_url=https://evil.example", "&__clerk_status=complete"]
)
async def test_nobody_who_passes_a_link_on_changes_where_it_leads(house: House, extra: str) -> None:
    link = await invite(house)
    answer = await house.browser(None).get(link + extra)
    assert led_to(answer)[:2] == (f"{URL}/ticket", "sign_up")


async def test_a_ticket_that_is_worth_nothing_says_why(house: House) -> None:
    link = await invite(house)
    listed = (await house.ask("GET", "/v1/invitations")).json()
    await house.ask("POST", f"/v1/invitations/{listed[0]['id']}/revoke")
    answer = await house.browser(None).get(link)
    assert refusal(answer) == (400, "revoked_invitation", None)


async def test_a_person_is_told_by_a_page(house: House) -> None:
    answer = await house.browser(None).get("/v1/tickets/accept?ticket=<b>x", headers=HTML)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert "This link is not valid" in answer.text
    assert "<b>x" not in answer.text


async def test_in_production_the_link_stands_on_the_public_address(production: House) -> None:
    body = {"email_address": BEA, "notify": False}
    url = (await production.ask("POST", "/v1/invitations", body)).json()["url"]
    assert url.startswith("https://auth.example.com/v1/tickets/accept?ticket=inv_")


async def test_only_get_is_answered(house: House) -> None:
    answer = await house.browser().post(await invite(house))
    assert refusal(answer) == (405, "method_not_allowed", None)
