"""The second step on the wire, and the codes that its errors carry."""

from __future__ import annotations

import sqlite3

import pytest

from doorcode.domain.instance import Attribute
from doorcode.flows import backup_codes

from ..conftest import Builder
from ..house import EMAIL, OTHER_PHONE, PHONE, Browser, House, Plan, refusal

TWO_STEPS = Plan(instance={"phone": Attribute(used_for_second_factor=True), "backup_codes": True})


async def member(house: House) -> str:
    """Somebody with both addresses, whose number is reserved; their id."""
    browser = house.browser()
    sign_up = await browser.start_sign_up(
        phone_number=PHONE, email_address=EMAIL, strategy="phone_code"
    )
    await browser.attempt_sign_up(sign_up, house.code(PHONE))
    await browser.prepare_sign_up(sign_up, "email_code")
    answer = await browser.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
    user_id: str = answer.json()["response"]["created_user_id"]
    connection = sqlite3.connect(house.database)
    with connection:
        connection.execute(
            "UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", [PHONE]
        )
    connection.close()
    digest = backup_codes.digest_backup_code(house.door.deps, user_id, "backup-me")
    async with house.storage.transaction() as tx:
        await tx.replace_backup_codes(user_id, [digest])
    return user_id


@pytest.fixture
async def house(build: Builder) -> House:
    opened = await build(TWO_STEPS)
    await member(opened)
    return opened


@pytest.fixture
async def halfway(house: House) -> tuple[Browser, str]:
    """A browser at the second step, and its attempt."""
    browser = house.browser()
    sign_in = await browser.start_sign_in(EMAIL, strategy="email_code")
    answer = await browser.attempt_sign_in(sign_in, house.code(EMAIL), "email_code")
    assert answer.json()["response"]["status"] == "needs_second_factor"
    return browser, sign_in


async def prepare(browser: Browser, sign_in: str, **form: str):  # type: ignore[no-untyped-def]
    return await browser.post(f"/v1/client/sign_ins/{sign_in}/prepare_second_factor", form)


async def attempt(browser: Browser, sign_in: str, **form: str):  # type: ignore[no-untyped-def]
    return await browser.post(f"/v1/client/sign_ins/{sign_in}/attempt_second_factor", form)


async def test_second_factors_are_told_only_after_the_first(house: House) -> None:
    browser = house.browser()
    sign_in = await browser.start_sign_in(EMAIL, strategy="email_code")
    before = (await browser.get(f"/v1/client/sign_ins/{sign_in}")).json()["response"]
    assert before["supported_second_factors"] is None
    assert [one["strategy"] for one in before["supported_first_factors"]] == ["email_code"]
    answer = await browser.attempt_sign_in(sign_in, house.code(EMAIL), "email_code")
    after = answer.json()["response"]
    assert after["supported_first_factors"] is None
    assert [one["strategy"] for one in after["supported_second_factors"]] == [
        "phone_code",
        "backup_code",
    ]
    assert after["supported_second_factors"][0]["safe_identifier"] == "+1********71"
    assert answer.json()["client"]["sessions"] == []


async def test_both_steps_sign_in(house: House, halfway: tuple[Browser, str]) -> None:
    browser, sign_in = halfway
    prepared = await prepare(browser, sign_in, strategy="phone_code")
    assert prepared.json()["response"]["second_factor_verification"]["status"] == "unverified"
    done = await attempt(browser, sign_in, strategy="phone_code", code=house.code(PHONE))
    document = done.json()
    assert document["response"]["status"] == "complete"
    (session,) = document["client"]["sessions"]
    assert session["factor_verification_age"] == [0, 0]
    assert document["client"]["sign_in"] is None


async def test_a_backup_code_does_instead(halfway: tuple[Browser, str]) -> None:
    browser, sign_in = halfway
    wrong = await attempt(browser, sign_in, strategy="backup_code", code="backup-you")
    assert refusal(wrong) == (422, "form_code_incorrect", "code")
    done = await attempt(browser, sign_in, strategy="backup_code", code=" BACKUP me ")
    assert done.json()["response"]["status"] == "complete"
    assert done.json()["client"]["sessions"][0]["user"]["backup_code_enabled"] is False


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, (422, "form_param_missing", "strategy")),
        ({"strategy": "totp"}, (422, "form_param_value_invalid", "strategy")),
        ({"strategy": "email_code"}, (400, "no_second_factors", None)),
        (
            {"strategy": "phone_code", "phone_number_id": "idn_unknown"},
            (422, "form_resource_not_found", "phone_number_id"),
        ),
        (
            {"strategy": "phone_code", "channel": "whatsapp"},
            (422, "form_param_value_invalid", "channel"),
        ),
    ],
)
async def test_what_cannot_be_prepared(
    halfway: tuple[Browser, str], form: dict[str, str], expected: tuple[int, str, str | None]
) -> None:
    browser, sign_in = halfway
    assert refusal(await prepare(browser, sign_in, **form)) == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"strategy": "phone_code"}, (422, "form_conditional_param_missing", "code")),
        ({"strategy": "phone_code", "code": "123456"}, (400, "verification_missing", None)),
        ({"strategy": "backup_code"}, (422, "form_conditional_param_missing", "code")),
        ({"strategy": "password", "code": "1"}, (422, "form_param_value_invalid", "strategy")),
        ({"code": "123456"}, (422, "form_param_missing", "strategy")),
    ],
)
async def test_what_cannot_be_tried(
    halfway: tuple[Browser, str], form: dict[str, str], expected: tuple[int, str, str | None]
) -> None:
    browser, sign_in = halfway
    assert refusal(await attempt(browser, sign_in, **form)) == expected


async def test_the_second_step_is_nobody_elses(house: House, halfway: tuple[Browser, str]) -> None:
    _, sign_in = halfway
    stranger = house.browser()
    await stranger.start_sign_up(phone_number=OTHER_PHONE)
    for browser in (stranger, house.browser()):
        answer = await prepare(browser, sign_in, strategy="phone_code")
        assert refusal(answer) == (404, "resource_not_found", None)
        answer = await attempt(browser, sign_in, strategy="backup_code", code="backup-me")
        assert refusal(answer) == (404, "resource_not_found", None)


async def test_the_second_step_does_not_come_first(house: House) -> None:
    browser = house.browser()
    sign_in = await browser.start_sign_in(EMAIL, strategy="email_code")
    answer = await prepare(browser, sign_in, strategy="phone_code")
    assert refusal(answer) == (400, "client_state_invalid", None)


async def test_a_failed_transfer_carries_the_client(build: Builder) -> None:
    """The components look at the attempt after the error; it must come with it."""
    house = await build()
    browser = house.browser()
    sign_in = await browser.start_sign_in(
        OTHER_PHONE, strategy="phone_code", sign_up_if_missing="true"
    )
    answer = await browser.attempt_sign_in(sign_in, house.code(OTHER_PHONE))
    assert refusal(answer) == (404, "sign_up_if_missing_transfer", None)
    verification = answer.json()["meta"]["client"]["sign_in"]["first_factor_verification"]
    assert verification["status"] == "transferable"
    done = await browser.post("/v1/client/sign_ups", {"transfer": "true"})
    assert done.json()["response"]["status"] == "complete"
    again = await house.browser().post("/v1/client/sign_ups", {"transfer": "true"})
    assert refusal(again) == (400, "account_transfer_invalid", None)


async def test_known_and_unknown_look_alike_until_the_code_is_typed(build: Builder) -> None:
    house = await build()
    await house.someone(PHONE)
    seen = []
    for to in (PHONE, OTHER_PHONE):
        browser = house.browser()
        await browser.start_sign_in(to, strategy="phone_code", sign_up_if_missing="true")
        document = (await browser.client())["sign_in"]
        text = str(document).replace(to, "<number>").replace(document["id"], "<id>")
        (factor,) = document["supported_first_factors"]
        seen.append(text.replace(factor["phone_number_id"], "<factor>"))
        assert len(house.letters(to)) >= 1
    assert seen[0] == seen[1]
