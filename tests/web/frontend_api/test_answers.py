"""What stands around every answer: the envelope, the client, and the cookies."""

from __future__ import annotations

import pytest

from ..house import PHONE, Browser, House, refusal, set_cookies


async def test_an_answer_is_wrapped_with_the_whole_client(browser: Browser) -> None:
    answer = (await browser.sign_up()).json()
    assert set(answer) == {"response", "client"}
    assert answer["client"] == await browser.client()


async def test_reading_the_client_does_not_wrap_it_twice(browser: Browser) -> None:
    await browser.sign_up()
    answer = (await browser.get("/v1/client")).json()
    assert answer["client"] is None
    assert answer["response"]["object"] == "client"


@pytest.mark.parametrize("path", ["touch", "end", "remove"])
async def test_answers_about_a_session_carry_the_client(browser: Browser, path: str) -> None:
    session = (await browser.sign_up()).json()["response"]["created_session_id"]
    answer = (await browser.post(f"/v1/client/sessions/{session}/{path}")).json()
    assert answer["response"]["object"] == "session"
    assert answer["client"]["object"] == "client"


async def test_every_answer_with_a_client_sets_both_times(browser: Browser, house: House) -> None:
    suffix = house.door.boundary.cookie_suffix
    answers = [
        await browser.get("/v1/client"),
        await browser.sign_up(),
        await browser.get("/v1/me"),
        await browser.sign_out(),
    ]
    for answer in answers:
        cookies = set_cookies(answer)
        assert cookies["__client_uat"] == cookies[f"__client_uat_{suffix}"]


async def test_a_refusal_sets_no_cookie(browser: Browser) -> None:
    answer = await browser.post("/v1/client/sign_ups", {"phone_number": "1"})
    assert refusal(answer)[0] == 422
    assert not set_cookies(answer)


async def test_the_first_attempt_makes_the_client_and_its_cookie(browser: Browser) -> None:
    answer = await browser.post("/v1/client/sign_ups", {"phone_number": PHONE})
    assert "__client" in set_cookies(answer)
    again = await browser.post("/v1/client/sign_ups", {"phone_number": PHONE})
    assert "__client" not in set_cookies(again)


async def test_no_answer_is_kept_by_a_cache(browser: Browser) -> None:
    answers = [
        await browser.get("/v1/client"),
        await browser.get("/v1/environment"),
        await browser.sign_up(),
        await browser.get("/v1/client/nothing"),
    ]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * 4
