"""Calls that make no sense here or now: each is told so by the catalogue's code for it."""

from __future__ import annotations

import pytest

from doorcode.domain.instance import Attribute

from ..conftest import Builder
from ..house import EMAIL, Browser, House, refusal
from .test_what_cannot_be_set import BOGUS

SIGN_INS = "/v1/client/sign_ins"
NO_PHONES = {"phone": Attribute(used_for_sign_up=False, used_for_sign_in=False)}


@pytest.mark.parametrize("strategy", ["oauth_google", "passkey", "enterprise_sso", "saml"])
async def test_a_way_in_that_is_not_here_is_named_and_no_identifier_asked_for(
    browser: Browser, strategy: str
) -> None:
    """None of them takes an identifier, so to ask for one would lead nowhere."""
    answer = await browser.post(SIGN_INS, {"strategy": strategy, "redirect_url": "/"})
    assert refusal(answer) == (422, "form_param_value_invalid", "strategy")


async def test_a_sign_up_on_the_way_in_needs_to_know_for_whom(browser: Browser) -> None:
    answer = await browser.post(SIGN_INS, {"sign_up_if_missing": "true"})
    assert refusal(answer) == (422, "form_param_missing", "identifier")


async def test_what_is_complete_is_not_changed_any_more(house: House, browser: Browser) -> None:
    sign_up = await browser.start_sign_up(email_address=EMAIL, strategy="email_code")
    await browser.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
    path = f"/v1/client/sign_ups/{sign_up}"
    answer = await browser.override("PATCH", path, {"first_name": "Eve"})
    assert refusal(answer) == (400, "client_state_invalid", None)
    (session,) = (await browser.client())["sessions"]
    assert session["user"]["first_name"] is None


@pytest.fixture
async def without_phones(build: Builder) -> House:
    """A server where phones sign nobody in, and somebody with a mailbox."""
    house = await build(instance=NO_PHONES)
    await house.someone(EMAIL)
    return house


async def test_a_strategy_that_is_off_is_disabled(without_phones: House) -> None:
    browser = without_phones.browser()
    disabled = (400, "form_param_value_disabled", "strategy")
    create = {"identifier": EMAIL, "strategy": "phone_code"}
    assert refusal(await browser.post(SIGN_INS, create)) == disabled
    sign_in = await browser.start_sign_in(EMAIL)
    assert refusal(await browser.prepare_sign_in(sign_in, "phone_code")) == disabled
    assert (await browser.prepare_sign_in(sign_in, "email_code")).status_code == 200


@pytest.mark.parametrize("name", [name for name in BOGUS if name != "id"])
async def test_no_field_proves_a_session_again(house: House, browser: Browser, name: str) -> None:
    """A reverification is begun and tried as if the field had not been sent."""
    answer = await browser.sign_up(EMAIL)
    (session,) = answer.json()["client"]["sessions"]
    path = f"/v1/client/sessions/{session['id']}/verify"
    field = {name: BOGUS[name]}
    started = await browser.post(path, {"level": "first_factor", **field})
    document = started.json()["response"]
    assert document["status"] == "needs_first_factor"
    assert document["first_factor_verification"] is None
    await browser.post(f"{path}/prepare_first_factor", {"strategy": "email_code", **field})
    wrong = {"strategy": "email_code", "code": house.wrong(EMAIL), **field}
    tried = await browser.post(f"{path}/attempt_first_factor", wrong)
    assert refusal(tried) == (422, "form_code_incorrect", "code")
