"""No field of a form sets a state, an id, a time or anything that is the app's to say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..house import EMAIL, PHONE, Browser, House

BOGUS = {
    "id": "sua_forged",
    "object": "user",
    "status": "complete",
    "client_id": "client_forged",
    "user_id": "user_forged",
    "created_user_id": "user_forged",
    "created_session_id": "sess_forged",
    "verifications": json.dumps({"phone_number": {"status": "verified"}}),
    "verification": json.dumps({"status": "verified"}),
    "first_factor_verification": json.dumps({"status": "verified"}),
    "missing_fields": "[]",
    "unverified_fields": "[]",
    "required_fields": "[]",
    "public_metadata": '{"role":"admin"}',
    "private_metadata": '{"role":"admin"}',
    "external_id": "forged",
    "custom_action": "true",
    "abandon_at": "99999999999999",
    "expire_at": "99999999999999",
    "created_at": "1",
    "updated_at": "1",
    "verified_at": "1",
    "legal_accepted_at": "1",
    "ticket_id": "tik_forged",
    "sign_up_id": "sua_forged",
    "attempts": "0",
    "verified": "true",
    "primary": "true",
    "reserved_for_second_factor": "true",
    "skip_legal_checks": "true",
    "bypass_client_trust": "true",
    "banned": "false",
    "test_mode": "true",
    "created_by": "me",
}
# What differs between any two attempts.
_OWN = {"id", "abandon_at", "created_session_id", "created_user_id"}


async def _sign_up(browser: Browser, **form: str) -> dict[str, Any]:
    answer = await browser.post("/v1/client/sign_ups", {"phone_number": PHONE, **form})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()["response"]
    assert document["id"].startswith("sua_0")
    return {name: value for name, value in document.items() if name not in _OWN}


@pytest.mark.parametrize("name", BOGUS)
async def test_a_sign_up_is_made_as_if_it_had_not_been_sent(house: House, name: str) -> None:
    plain = await _sign_up(house.browser())
    assert await _sign_up(house.browser(), **{name: BOGUS[name]}) == plain


@pytest.mark.parametrize("name", BOGUS)
async def test_a_sign_up_is_changed_as_if_it_had_not_been_sent(house: House, name: str) -> None:
    browser = house.browser()
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    before = (await browser.get(f"/v1/client/sign_ups/{sign_up}")).json()["response"]
    answer = await browser.override("PATCH", f"/v1/client/sign_ups/{sign_up}", {name: BOGUS[name]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["response"] == before


async def test_no_field_makes_somebody_an_admin(house: House) -> None:
    browser = house.browser()
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code", **_harmless())
    path = f"/v1/client/sign_ups/{sign_up}/attempt_verification"
    form = {**BOGUS, "strategy": "phone_code", "code": house.code()}
    answer = (await browser.post(path, form)).json()
    user = answer["client"]["sessions"][0]["user"]
    assert user["id"] == answer["response"]["created_user_id"] != "user_forged"
    assert user["public_metadata"] == {}
    assert user["external_id"] is None
    assert user["legal_accepted_at"] is None
    assert user["phone_numbers"][0]["reserved_for_second_factor"] is False


def _harmless() -> dict[str, str]:
    return {name: value for name, value in BOGUS.items() if name != "status"}


@pytest.mark.parametrize("name", BOGUS)
async def test_no_field_takes_the_place_of_a_code(house: House, name: str) -> None:
    await house.someone(EMAIL)
    browser = house.browser()
    sign_in = await browser.start_sign_in(EMAIL, strategy="email_code", **{name: BOGUS[name]})
    path = f"/v1/client/sign_ins/{sign_in}/attempt_first_factor"
    form = {"strategy": "email_code", "code": house.wrong(EMAIL), name: BOGUS[name]}
    answer = await browser.post(path, form)
    assert answer.status_code == 422
    document = (await browser.client())["sign_in"]
    assert document["status"] == "needs_first_factor"
    assert document["first_factor_verification"]["status"] == "unverified"
    assert document["first_factor_verification"]["attempts"] == 1
