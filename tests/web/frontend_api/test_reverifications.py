"""Proving oneself again over the wire, as the SDKs ask for it."""

from __future__ import annotations

import sqlite3
from typing import Any

import httpx
import jwt
import pytest

from doorcode.domain.instance import Attribute
from doorcode.domain.limits import HOUR, MINUTE, REVERIFICATION_LIVES_FOR
from doorcode.flows import backup_codes

from ..conftest import Builder
from ..house import EMAIL, OTHER_PHONE, PHONE, Browser, House, refusal

TWO_STEPS = Attribute(used_for_second_factor=True)
INSTANCE = {"phone": TWO_STEPS, "reverification": True, "backup_codes": True}


class Page:
    """A signed-in page, and the requests that `Session` of the SDKs makes of it."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session
        self.path = f"/v1/client/sessions/{session}/verify"

    async def start(self, level: str) -> Any:
        return answered(await self.browser.post(self.path, {"level": level}))

    async def prepare(self, step: str, **form: str) -> httpx.Response:
        return await self.browser.post(f"{self.path}/prepare_{step}_factor", form)

    async def attempt(self, step: str, strategy: str, code: str) -> httpx.Response:
        form = {"strategy": strategy, "code": code}
        return await self.browser.post(f"{self.path}/attempt_{step}_factor", form)


def answered(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]


async def signed_in(house: House) -> Page:
    """A person with a phone and a mailbox, signed in an hour ago."""
    browser = house.browser()
    sign_up = await browser.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    for strategy, address in (("phone_code", PHONE), ("email_code", EMAIL)):
        await browser.prepare_sign_up(sign_up, strategy)
        answer = await browser.attempt_sign_up(sign_up, house.code(address), strategy)
    house.clock.advance(HOUR)
    return Page(browser, answered(answer)["created_session_id"])


def reserve_phones(house: House) -> None:
    """Make every phone a second step, as their owners could in their profiles."""
    with sqlite3.connect(house.database) as connection:
        connection.execute(
            "UPDATE addresses SET reserved_for_second_factor = 1 WHERE kind = 'phone_number'"
        )
    connection.close()


@pytest.fixture
async def house(build: Builder) -> House:
    return await build(instance=INSTANCE)


@pytest.fixture
async def one_step(house: House) -> Page:
    return await signed_in(house)


@pytest.fixture
async def two_steps(house: House) -> Page:
    page = await signed_in(house)
    reserve_phones(house)
    return page


# ── the documents ─────────────────────────────────────────────────────────────────────
async def test_start_lists_the_first_factors_and_the_session(one_step: Page) -> None:
    document = await one_step.start("first_factor")
    assert document["object"] == "session_reverification"
    assert (document["level"], document["status"]) == ("first_factor", "needs_first_factor")
    factors = document["supported_first_factors"]
    assert {one["strategy"] for one in factors} == {"phone_code", "email_code"}
    assert all("*" in one["safe_identifier"] for one in factors)
    assert document["supported_second_factors"] is None
    assert document["first_factor_verification"] is None
    assert document["session"]["id"] == one_step.session
    assert document["session"]["factor_verification_age"] == [60, -1]


async def test_prebuilt_components_ask_for_the_second_factor_and_get_the_first(
    one_step: Page,
) -> None:
    """Told by a refusal alone they know no level; `second_factor` is what they ask for then."""
    document = await one_step.start("second_factor")
    assert (document["level"], document["status"]) == ("first_factor", "needs_first_factor")


async def test_second_step_shows_no_first_factor(two_steps: Page) -> None:
    """A component that saw a first factor would send a code to it before it moves on."""
    document = await two_steps.start("second_factor")
    assert (document["level"], document["status"]) == ("second_factor", "needs_second_factor")
    assert document["supported_first_factors"] is None
    assert [one["strategy"] for one in document["supported_second_factors"]] == ["phone_code"]


async def test_backup_codes_are_a_second_factor(house: House, two_steps: Page) -> None:
    deps = house.door.deps
    async with house.storage.transaction() as tx:
        session = await tx.session(two_steps.session)
        assert session is not None
        [code, *_] = await backup_codes.issue(deps, tx, session.user_id)
    document = await two_steps.start("second_factor")
    strategies = [one["strategy"] for one in document["supported_second_factors"]]
    assert strategies == ["phone_code", "backup_code"]
    wrong = await two_steps.attempt("second", "backup_code", "0000-00000")
    assert refusal(wrong) == (422, "form_code_incorrect", "code")
    done = answered(await two_steps.attempt("second", "backup_code", code.upper()))
    assert done["status"] == "complete"
    assert done["second_factor_verification"] is None
    assert done["session"]["factor_verification_age"] == [60, 0]


# ── all the way ───────────────────────────────────────────────────────────────────────
async def test_first_factor_all_the_way(house: House, one_step: Page) -> None:
    document = await one_step.start("first_factor")
    [mail] = [f for f in document["supported_first_factors"] if f["strategy"] == "email_code"]
    sent = answered(
        await one_step.prepare(
            "first", strategy="email_code", email_address_id=mail["email_address_id"]
        )
    )
    assert sent["first_factor_verification"]["status"] == "unverified"
    assert sent["first_factor_verification"]["strategy"] == "email_code"
    answer = await one_step.attempt("first", "email_code", house.code(EMAIL))
    document = answered(answer)
    assert document["status"] == "complete"
    assert document["supported_first_factors"] is None
    assert document["first_factor_verification"]["status"] == "verified"
    [session] = answer.json()["client"]["sessions"]
    for one in (document["session"], session):
        assert one["factor_verification_age"] == [0, -1]
        claims = jwt.decode(one["last_active_token"]["jwt"], options={"verify_signature": False})
        assert claims["fva"] == [0, -1]


async def test_both_factors_all_the_way(house: House, two_steps: Page) -> None:
    await two_steps.start("multi_factor")
    answered(await two_steps.prepare("first", strategy="email_code"))
    half = answered(await two_steps.attempt("first", "email_code", house.code(EMAIL)))
    assert half["status"] == "needs_second_factor"
    [phone] = half["supported_second_factors"]
    answered(
        await two_steps.prepare(
            "second", strategy="phone_code", phone_number_id=phone["phone_number_id"]
        )
    )
    done = answered(await two_steps.attempt("second", "phone_code", house.code(PHONE)))
    assert done["status"] == "complete"
    assert done["second_factor_verification"]["channel"] == "sms"
    assert done["session"]["factor_verification_age"] == [0, 0]


async def test_next_token_says_that_it_was_proved(house: House, one_step: Page) -> None:
    browser, tokens = one_step.browser, f"/v1/client/sessions/{one_step.session}/tokens"
    earlier = (await browser.post(tokens)).json()["jwt"]
    await one_step.start("first_factor")
    await one_step.prepare("first", strategy="phone_code")
    await one_step.attempt("first", "phone_code", house.code(PHONE))
    later = (await browser.post(tokens)).json()["jwt"]  # the clock stands: not the cached one
    ages = [jwt.decode(t, options={"verify_signature": False})["fva"] for t in (earlier, later)]
    assert ages == [[60, -1], [0, -1]]
    house.clock.advance(2 * MINUTE)
    shown = (await browser.get("/v1/client")).json()["response"]["sessions"][0]
    assert shown["factor_verification_age"] == [2, -1]


async def test_copy_of_the_cookie_shares_no_proof(house: House, one_step: Page) -> None:
    browser, tokens = one_step.browser, f"/v1/client/sessions/{one_step.session}/tokens"
    assert browser.token is not None
    thief = browser.with_token(browser.token)
    assert (await thief.post(tokens)).status_code == 200
    await one_step.start("first_factor")
    await one_step.prepare("first", strategy="phone_code")
    answered(await one_step.attempt("first", "phone_code", house.code(PHONE)))
    assert (await browser.post(tokens)).status_code == 200
    assert refusal(await thief.post(tokens)) == (401, "signed_out", None)


# ── refusals ──────────────────────────────────────────────────────────────────────────
async def test_wrong_code_is_said_of_its_field_and_signs_nobody_out(
    house: House, one_step: Page
) -> None:
    """By 422, which the SDKs take for the end of a session in `touch` and `tokens` alone."""
    await one_step.start("first_factor")
    await one_step.prepare("first", strategy="phone_code")
    answer = await one_step.attempt("first", "phone_code", house.wrong())
    assert refusal(answer) == (422, "form_code_incorrect", "code")
    touched = await one_step.browser.post(f"/v1/client/sessions/{one_step.session}/touch")
    assert answered(touched)["status"] == "active"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "form_param_missing"),
        ({"level": ""}, "form_param_missing"),
        ({"level": "third_factor"}, "form_param_value_invalid"),
    ],
)
async def test_level_must_be_one_of_three(one_step: Page, form: dict[str, str], error: str) -> None:
    answer = await one_step.browser.post(one_step.path, form)
    assert refusal(answer) == (422, error, "level")


async def test_field_that_is_missing_is_named(one_step: Page) -> None:
    await one_step.start("first_factor")
    for step in ("first", "second"):
        assert refusal(await one_step.prepare(step)) == (422, "form_param_missing", "strategy")
        answer = await one_step.attempt(step, "phone_code", "")
        assert refusal(answer) == (422, "form_conditional_param_missing", "code")


async def test_strategy_of_nobody_is_refused(one_step: Page) -> None:
    await one_step.start("first_factor")
    answer = await one_step.prepare("first", strategy="password")
    assert refusal(answer) == (422, "form_param_value_invalid", "strategy")
    answer = await one_step.prepare("first", strategy="phone_code", phone_number_id="idn_none")
    assert refusal(answer) == (422, "form_resource_not_found", "phone_number_id")


async def test_steps_out_of_turn_are_refused(house: House, two_steps: Page) -> None:
    missing = (400, "session_reverification_missing", None)
    assert refusal(await two_steps.prepare("first", strategy="email_code")) == missing
    await two_steps.start("second_factor")
    answer = await two_steps.prepare("first", strategy="email_code")
    assert refusal(answer) == (400, "invalid_action_for_session_reverification", None)
    house.clock.advance(REVERIFICATION_LIVES_FOR)
    assert refusal(await two_steps.attempt("second", "phone_code", "000000")) == missing


async def test_session_of_another_browser_is_not_found(house: House, one_step: Page) -> None:
    other = house.browser()
    await other.sign_up(OTHER_PHONE)
    theft = Page(other, one_step.session)
    answer = await other.post(theft.path, {"level": "first_factor"})
    assert refusal(answer) == (404, "resource_not_found", None)
    nobody = await house.browser().post(theft.path, {"level": "first_factor"})
    assert refusal(nobody) == (401, "signed_out", None)


async def test_requests_of_one_address_are_bounded(build: Builder) -> None:
    house = await build(instance=INSTANCE, limits=True)
    page = await signed_in(house)
    await page.start("first_factor")
    codes = [(await page.attempt("first", "phone_code", "000000")).status_code for _ in range(4)]
    assert codes == [400, 400, 400, 429]
    starts = [await page.browser.post(page.path, {"level": "first_factor"}) for _ in range(10)]
    assert [one.status_code for one in starts] == [200] * 9 + [429]
