"""`POST /v1/waitlist`: a stranger asks to be let in, and learns nothing of others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain.instance import SignUpMode

from ..conftest import Builder
from ..house import EMAIL, Browser, House, Plan, later, refusal

PATH = "/v1/waitlist"


@pytest.fixture
async def house(build: Builder) -> House:
    return await build(Plan(instance={"mode": SignUpMode.WAITLIST}))


async def test_somebody_joins(house: House, browser: Browser) -> None:
    answer = await browser.post(PATH, {"email_address": EMAIL})
    assert answer.status_code == 200
    assert set(answer.json()) == {"object", "id"}
    assert answer.json()["object"] == "waitlist_entry"
    assert "set-cookie" not in answer.headers
    (letter,) = house.inbox.messages(EMAIL)
    assert (letter.code, letter.link) == ("", "")
    assert "waitlist" in letter.body


async def test_joining_twice_is_answered_alike(house: House, browser: Browser) -> None:
    first = await browser.post(PATH, {"email_address": EMAIL})
    house.clock.advance(later(3600))
    second = await house.browser().post(PATH, {"email_address": EMAIL.upper()})
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert house.rows("waitlist_entries") == {"waitlist_entries": 1}


@pytest.mark.parametrize("text", ["invalid-email@com", "bea", "+14155552671", "a" * 400 + "@b.de"])
async def test_a_wrong_address_is_refused_by_its_field(browser: Browser, text: str) -> None:
    status, code, name = refusal(await browser.post(PATH, {"email_address": text}))
    long = len(text) > 320
    wanted = "form_param_max_length_exceeded" if long else "form_param_format_invalid"
    assert (status, code, name) == (422, wanted, "email_address")


@pytest.mark.parametrize("form", [{}, {"email_address": ""}, {"identifier": EMAIL}])
async def test_a_missing_address_is_refused(browser: Browser, form: dict[str, str]) -> None:
    answer = await browser.post(PATH, form)
    assert refusal(answer) == (422, "form_param_missing", "email_address")


@pytest.mark.parametrize("mode", [SignUpMode.PUBLIC, SignUpMode.RESTRICTED])
async def test_elsewhere_nobody_waits(house: House, browser: Browser, mode: SignUpMode) -> None:
    house.door.deps.instance = replace(house.door.deps.instance, mode=mode)
    answer = await browser.post(PATH, {"email_address": EMAIL})
    assert refusal(answer) == (403, "waitlist_not_accepting_entries", None)
    assert house.rows("waitlist_entries") == {"waitlist_entries": 0}


async def test_a_foreign_page_puts_nobody_on_the_list(house: House) -> None:
    answer = await house.browser("https://evil.example").post(PATH, {"email_address": EMAIL})
    assert refusal(answer) == (400, "origin_invalid", None)


async def test_nobody_fills_the_list_in_a_moment(build: Builder) -> None:
    house = await build(Plan(instance={"mode": SignUpMode.WAITLIST}, limits=True))
    answers = [
        await house.browser().post(PATH, {"email_address": f"n{n}@example.com"}) for n in range(6)
    ]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
