"""The documents of the wire, field by field where an SDK depends on the field."""

from __future__ import annotations

import json

import msgspec
import pytest

from doorcode.web.wire import encode

from .house import EMAIL, OTHER_PHONE, PHONE, Browser, Clock, House, later


async def test_a_session_tells_whom_it_signs_in_until_when(browser: Browser, clock: Clock) -> None:
    (session,) = (await browser.sign_up()).json()["client"]["sessions"]
    assert session["object"] == "session"
    assert session["status"] == "active"
    assert session["expire_at"] == clock.now + later(7 * 24 * 3600)
    assert session["abandon_at"] > session["expire_at"]
    assert session["last_active_at"] == session["created_at"] == clock.now
    assert session["tasks"] == []
    assert session["actor"] is None
    assert session["last_active_organization_id"] is None
    assert session["factor_verification_age"] == [0, -1]
    assert session["last_active_token"]["object"] == "token"


async def test_beside_a_session_only_little_of_the_account_is_shown(browser: Browser) -> None:
    (session,) = (await browser.sign_up(EMAIL, first_name="Ada")).json()["client"]["sessions"]
    shown = session["public_user_data"]
    assert shown["identifier"] == EMAIL
    assert shown["first_name"] == "Ada"
    assert shown["user_id"] == session["user"]["id"]
    assert set(shown) == {
        "first_name", "last_name", "image_url", "has_image", "identifier", "user_id",
        "username", "profile_image_url",
    }  # fmt: skip


async def test_an_account_lists_its_addresses_by_kind(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    await browser.prepare_sign_up(sign_up)
    await browser.attempt_sign_up(sign_up, house.code(PHONE))
    await browser.prepare_sign_up(sign_up, "email_code")
    await browser.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
    user = (await browser.get("/v1/me")).json()["response"]
    (phone,), (email,) = user["phone_numbers"], user["email_addresses"]
    assert (phone["phone_number"], phone["object"]) == (PHONE, "phone_number")
    assert (email["email_address"], email["object"]) == (EMAIL, "email_address")
    assert user["primary_phone_number_id"] == phone["id"]
    assert user["primary_email_address_id"] == email["id"]
    for one, strategy in ((phone, "phone_code"), (email, "email_code")):
        assert one["verification"]["status"] == "verified"
        assert one["verification"]["strategy"] == strategy
        assert one["verification"]["object"] == "verification_otp"


async def test_an_account_has_no_password_and_no_second_factor(browser: Browser) -> None:
    user = (await browser.sign_up()).json()["client"]["sessions"][0]["user"]
    switches = ["password_enabled", "two_factor_enabled", "totp_enabled", "backup_code_enabled"]
    assert [user[name] for name in switches] == [False] * 4
    lists = ["web3_wallets", "passkeys", "external_accounts", "organization_memberships"]
    assert [user[name] for name in lists] == [[]] * 4


async def test_times_are_milliseconds(browser: Browser, clock: Clock) -> None:
    client = (await browser.sign_up()).json()["client"]
    user = client["sessions"][0]["user"]
    times = [client["created_at"], client["updated_at"], user["created_at"], user["updated_at"]]
    assert [*times, user["last_sign_in_at"]] == [clock.now] * 5


async def test_a_sign_up_says_both_names_for_having_no_password(browser: Browser) -> None:
    """The public file and the SDKs name it differently."""
    answer = await browser.post("/v1/client/sign_ups", {"phone_number": PHONE})
    sign_up = answer.json()["response"]
    assert (sign_up["password_enabled"], sign_up["has_password"]) == (False, False)


async def test_ids_name_what_they_are_of(browser: Browser) -> None:
    answer = (await browser.sign_up()).json()
    sign_up, client = answer["response"], answer["client"]
    session = client["sessions"][0]
    for value, prefix in (
        (sign_up["id"], "sua_"),
        (client["id"], "client_"),
        (session["id"], "sess_"),
        (session["user"]["id"], "user_"),
        (session["user"]["phone_numbers"][0]["id"], "idn_"),
    ):
        assert value.startswith(prefix)
        assert len(value) == len(prefix) + 26


async def test_a_sign_in_says_who_it_is_that_signs_in(house: House, browser: Browser) -> None:
    await house.browser().sign_up(PHONE, first_name="Ada", last_name="L")
    answer = await browser.post("/v1/client/sign_ins", {"identifier": PHONE})
    data = answer.json()["response"]["user_data"]
    assert (data["first_name"], data["last_name"], data["has_image"]) == ("Ada", "L", False)


async def test_a_masked_factor_is_recognised_not_learnt(house: House, browser: Browser) -> None:
    other = house.browser()
    sign_up = await other.start_sign_up(phone_number=OTHER_PHONE, email_address=EMAIL)
    await other.prepare_sign_up(sign_up)
    await other.attempt_sign_up(sign_up, house.code(OTHER_PHONE))
    await other.prepare_sign_up(sign_up, "email_code")
    await other.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
    answer = await browser.post("/v1/client/sign_ins", {"identifier": EMAIL})
    factors = answer.json()["response"]["supported_first_factors"]
    assert [factor["safe_identifier"] for factor in factors] == ["ada@example.com", "+1********72"]


@pytest.mark.parametrize("strategy", [None, "phone_code"])
async def test_channel_stands_on_a_phone_verification_only(
    browser: Browser, strategy: str | None
) -> None:
    form = {"phone_number": PHONE, **({"strategy": strategy} if strategy else {})}
    answer = await browser.post("/v1/client/sign_ups", form)
    verification = answer.json()["response"]["verifications"]["phone_number"]
    assert verification.get("channel") == ("sms" if strategy else None)


async def test_no_answer_holds_a_code(browser: Browser, house: House) -> None:
    answer = await browser.post(
        "/v1/client/sign_ups", {"phone_number": PHONE, "strategy": "phone_code"}
    )
    assert house.code() not in json.dumps(answer.json()["response"]["verifications"])


def test_documents_are_encoded_as_utf_8_json() -> None:
    assert encode({"a": "ü", "b": None}) == '{"a":"ü","b":null}'.encode()
    assert msgspec.json.decode(encode([1])) == [1]
