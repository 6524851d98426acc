"""`/v1/me/email_addresses` and `/v1/me/phone_numbers` over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.addresses import Channel
from doorcode.domain.instance import Attribute
from doorcode.domain.limits import CODE_LIVES_FOR, SAME_CLICK
from doorcode.domain.restrictions import Restrictions

from ..conftest import Builder
from ..house import EMAIL, OTHER_PHONE, PHONE, Browser, House, later, refusal

NOT_FOUND = (404, "resource_not_found", None)
SIGNED_OUT = (401, "signed_out", None)
EMAILS, PHONES = "/v1/me/email_addresses", "/v1/me/phone_numbers"
SECOND = Attribute(used_for_second_factor=True)
MFA = {"phone": SECOND, "backup_codes": True}
RESERVE = {"reserved_for_second_factor": "true"}


@pytest.fixture
async def ada(browser: Browser) -> Browser:
    """A browser in which Ada is signed in, by phone."""
    await browser.sign_up()
    return browser


def place(to: str) -> tuple[str, str, str]:
    if "@" in to:
        return EMAILS, "email_address", "email_code"
    return PHONES, "phone_number", "phone_code"


async def add(browser: Browser, to: str) -> Any:
    path, name, _ = place(to)
    answer = await browser.post(f"{path}/", {name: to})  # SDKs write a slash at the end
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]


async def prepared(browser: Browser, to: str) -> str:
    """An address that a code was sent to; its path."""
    path, _, strategy = place(to)
    one = f"{path}/{(await add(browser, to))['id']}"
    answer = await browser.post(f"{one}/prepare_verification", {"strategy": strategy})
    assert answer.status_code == 200, answer.text
    return one


async def proved(browser: Browser, to: str) -> str:
    one = await prepared(browser, to)
    code = browser.house.code(to)
    answer = await browser.post(f"{one}/attempt_verification", {"code": code})
    assert answer.json()["response"]["verification"]["status"] == "verified"
    return one


async def me(browser: Browser) -> Any:
    return (await browser.get("/v1/me")).json()["response"]


async def own_phone(browser: Browser) -> str:
    return f"{PHONES}/{(await me(browser))['phone_numbers'][0]['id']}"


async def with_both(house: House) -> Browser:
    """Ada, with a phone and an e-mail address."""
    browser = house.browser()
    await browser.sign_up()
    await proved(browser, EMAIL)
    return browser


# ── adding and proving ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("to", [EMAIL, OTHER_PHONE])
async def test_an_address_is_added_proved_and_used(house: House, ada: Browser, to: str) -> None:
    path, name, strategy = place(to)
    added = await add(ada, to)
    assert (added["object"], added[name]) == (name, to)
    assert added["verification"]["status"] == "unverified"
    prepare = await ada.post(f"{path}/{added['id']}/prepare_verification", {"strategy": strategy})
    verification = prepare.json()["response"]["verification"]
    assert (verification["status"], verification["strategy"]) == ("unverified", strategy)
    assert verification["expire_at"] == house.clock.now + CODE_LIVES_FOR
    attempt = await ada.post(f"{path}/{added['id']}/attempt_verification", {"code": house.code(to)})
    assert attempt.json()["response"]["verification"]["status"] == "verified"
    shown = attempt.json()["client"]["sessions"][0]["user"]
    assert added["id"] in [one["id"] for one in shown[f"{name}es" if "@" in to else f"{name}s"]]
    other = house.browser()
    assert (await other.sign_in(to)).json()["response"]["status"] == "complete"


async def test_addresses_are_listed_and_shown(ada: Browser) -> None:
    added = await add(ada, EMAIL)
    assert (await ada.get(EMAILS)).json() == [added]
    assert (await ada.get(f"{EMAILS}/")).json() == [added]
    assert (await ada.get(f"{EMAILS}/{added['id']}")).json()["response"] == added
    assert refusal(await ada.get(f"{PHONES}/{added['id']}")) == NOT_FOUND
    assert len((await ada.get(PHONES)).json()) == 1


async def test_the_first_proved_e_mail_address_is_primary(ada: Browser) -> None:
    one = await proved(ada, EMAIL)
    assert (await me(ada))["primary_email_address_id"] == one.rpartition("/")[2]
    two = await proved(ada, "ada@work.example")
    assert (await me(ada))["primary_email_address_id"] == one.rpartition("/")[2]
    form = {"primary_email_address_id": two.rpartition("/")[2]}
    answer = await ada.override("PATCH", "/v1/me", form)
    assert answer.json()["response"]["primary_email_address_id"] == form["primary_email_address_id"]


@pytest.mark.parametrize(
    ("path", "form", "why"),
    [
        (PHONES, {}, (422, "form_param_missing", "phone_number")),
        (EMAILS, {"phone_number": PHONE}, (422, "form_param_missing", "email_address")),
        (PHONES, {"phone_number": "123"}, (422, "form_param_format_invalid", "phone_number")),
        (EMAILS, {"email_address": "x"}, (422, "form_param_format_invalid", "email_address")),
        (
            EMAILS,
            {"email_address": "x" * 400},
            (422, "form_param_max_length_exceeded", "email_address"),
        ),
        (PHONES, {"phone_number": PHONE}, (422, "form_identifier_exists", "phone_number")),
        (PHONES, {"phone_number": OTHER_PHONE}, (422, "form_identifier_exists", "phone_number")),
    ],
)
async def test_what_cannot_be_added_is_refused_by_its_field(
    house: House, ada: Browser, path: str, form: dict[str, str], why: tuple[int, str, str]
) -> None:
    await house.someone(OTHER_PHONE)
    before = await me(ada)
    assert refusal(await ada.post(path, form)) == why
    assert await me(ada) == before


@pytest.mark.parametrize(
    ("instance", "why"),
    [
        (
            {"email": Attribute(False, used_for_sign_in=False)},
            (422, "form_param_unknown", "email_address"),
        ),
        (
            {"email": Attribute(immutable=True)},
            (403, "immutable_attribute_modification_not_allowed", "email_address"),
        ),
        (
            {"restrictions": Restrictions(blocklist_enabled=True, blocklist=("example.com",))},
            (403, "not_allowed_access", "email_address"),
        ),
    ],
)
async def test_settings_say_what_may_be_added(
    build: Builder, instance: dict[str, Any], why: tuple[int, str, str]
) -> None:
    browser = (await build(instance=instance)).browser()
    await browser.sign_up()
    assert refusal(await browser.post(EMAILS, {"email_address": EMAIL})) == why


async def test_ten_may_wait_for_their_proof(ada: Browser) -> None:
    for number in range(10):
        await add(ada, f"ada{number}@example.com")
    answer = await ada.post(EMAILS, {"email_address": EMAIL})
    assert refusal(answer) == (400, "too_many_unverified_identifications", None)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({}, (422, "form_param_missing", "strategy")),
        ({"strategy": "email_link"}, (422, "form_param_value_invalid", "strategy")),
        ({"strategy": "phone_code"}, (422, "form_param_value_invalid", "strategy")),
    ],
)
async def test_a_code_is_asked_for_by_its_strategy(
    ada: Browser, form: dict[str, str], why: tuple[int, str, str]
) -> None:
    one = f"{EMAILS}/{(await add(ada, EMAIL))['id']}"
    assert refusal(await ada.post(f"{one}/prepare_verification", form)) == why


async def test_a_code_may_go_by_whatsapp_where_that_is_on(build: Builder, ada: Browser) -> None:
    form = {"strategy": "phone_code", "channel": "whatsapp"}
    one = f"{PHONES}/{(await add(ada, OTHER_PHONE))['id']}"
    answer = await ada.post(f"{one}/prepare_verification", form)
    assert refusal(answer) == (422, "form_param_value_invalid", "channel")
    house = await build(instance={"channels": (Channel.SMS, Channel.WHATSAPP)})
    browser = house.browser()
    await browser.sign_up()
    one = f"{PHONES}/{(await add(browser, OTHER_PHONE))['id']}"
    answer = await browser.post(f"{one}/prepare_verification", form)
    assert answer.json()["response"]["verification"]["channel"] == "whatsapp"
    attempt = await browser.post(f"{one}/attempt_verification", {"code": house.code(OTHER_PHONE)})
    assert attempt.json()["response"]["verification"]["status"] == "verified"


async def test_wrong_late_early_and_repeated_codes(house: House, ada: Browser) -> None:
    one = f"{EMAILS}/{(await add(ada, EMAIL))['id']}"
    attempt, prepare = f"{one}/attempt_verification", f"{one}/prepare_verification"
    strategy = {"strategy": "email_code"}
    answer = await ada.post(attempt, {})
    assert refusal(answer) == (422, "form_conditional_param_missing", "code")
    answer = await ada.post(attempt, {"code": "123456"})
    assert refusal(answer) == (400, "verification_missing", None)
    await ada.post(prepare, strategy)
    house.clock.advance(SAME_CLICK)
    answer = await ada.post(prepare, strategy)
    assert refusal(answer) == (429, "verification_code_too_many_requests", None)
    assert answer.headers["retry-after"] == "28"
    wrong = {"code": house.wrong(EMAIL)}
    assert refusal(await ada.post(attempt, wrong)) == (422, "form_code_incorrect", "code")
    house.clock.advance(CODE_LIVES_FOR)
    answer = await ada.post(attempt, {"code": house.code(EMAIL)})
    assert refusal(answer) == (400, "verification_expired", None)
    shown = (await ada.get(one)).json()["response"]["verification"]
    assert (shown["status"], shown["attempts"]) == ("expired", 1)
    await ada.post(prepare, strategy)
    for _ in range(5):
        answer = await ada.post(attempt, wrong)
    assert refusal(answer) == (400, "verification_failed", None)
    await ada.post(prepare, strategy)
    assert (await ada.post(attempt, {"code": house.code(EMAIL)})).status_code == 200
    for path, form in ((attempt, wrong), (prepare, strategy)):
        assert refusal(await ada.post(path, form)) == (400, "verification_already_verified", None)


async def test_somebody_else_may_be_first(house: House, ada: Browser) -> None:
    one = await prepared(ada, EMAIL)
    code = house.code(EMAIL)
    await house.someone(EMAIL)
    answer = await ada.post(f"{one}/attempt_verification", {"code": code})
    assert refusal(answer) == (400, "identification_claimed", None)
    assert (await me(ada))["email_addresses"] == []


async def test_guesses_at_an_address_are_limited_over_all(house: House, ada: Browser) -> None:
    one = await prepared(ada, EMAIL)
    for _ in range(2):
        for _ in range(5):
            await ada.post(f"{one}/attempt_verification", {"code": house.wrong(EMAIL)})
        house.clock.advance(later(31))
        answer = await ada.post(f"{one}/prepare_verification", {"strategy": "email_code"})
    assert refusal(answer)[:2] == (403, "user_locked")


@pytest.mark.parametrize(("path", "times"), [("attempt_verification", 3), ("", 10)])
async def test_requests_are_limited_by_network_address(
    build: Builder, path: str, times: int
) -> None:
    browser = (await build(limits=True)).browser()
    await browser.sign_up()
    asked = f"{EMAILS}/idn_none/{path}" if path else EMAILS
    statuses = [(await browser.post(asked, {"code": "1"})).status_code for _ in range(times + 1)]
    assert [one == 429 for one in statuses] == [*[False] * times, True]


# ── whose it is ───────────────────────────────────────────────────────────────────────
async def test_somebody_elses_address_is_not_there(house: House, ada: Browser) -> None:
    one = await prepared(ada, EMAIL)
    code = house.code(EMAIL)
    bea = house.browser()
    await bea.sign_up(OTHER_PHONE)
    for target in (one, await own_phone(ada), f"{EMAILS}/none"):
        path = target.rpartition("/")[0]
        strategy = {"strategy": "email_code" if path == EMAILS else "phone_code"}
        assert refusal(await bea.get(target)) == NOT_FOUND
        assert refusal(await bea.post(f"{target}/prepare_verification", strategy)) == NOT_FOUND
        answer = await bea.post(f"{target}/attempt_verification", {"code": code})
        assert refusal(answer) == NOT_FOUND
        assert refusal(await bea.override("DELETE", target)) == NOT_FOUND
    assert refusal(await bea.override("PATCH", await own_phone(ada), RESERVE)) == NOT_FOUND


@pytest.mark.parametrize("path", [EMAILS, PHONES])
async def test_strangers_are_signed_out(browser: Browser, path: str) -> None:
    form = {"email_address": EMAIL, "phone_number": PHONE, "code": "1"}
    strategy = "email_code" if path == EMAILS else "phone_code"
    for method, asked in (
        ("GET", path),
        ("POST", path),
        ("GET", f"{path}/x"),
        ("DELETE", f"{path}/x"),
        ("POST", f"{path}/x/prepare_verification"),
        ("POST", f"{path}/x/attempt_verification"),
    ):
        sent = None if method == "GET" else {**form, "strategy": strategy}
        answer = await browser.http.request(method, asked, data=sent)
        assert refusal(answer) == SIGNED_OUT


# ── what nobody may say ───────────────────────────────────────────────────────────────
EVIL = {
    "verified": "true",
    "verified_at": "1",
    "verification": '{"status": "verified"}',
    "verification[status]": "verified",
    "status": "verified",
    "user_id": "user_evil",
    "primary": "true",
    "attempts": "0",
    "expire_at": "99999999999999",
    "is_test": "true",
}


async def test_nobody_says_that_an_address_is_proved(house: House, ada: Browser) -> None:
    """Every field of the documents, sent with every request that takes a form."""
    shown = (await me(ada))["phone_numbers"][0]
    fields = {**dict.fromkeys(shown, "1"), **EVIL, "id": "idn_evil", "created_at": "1"}
    fields |= {"reserved_for_second_factor": "true", "default_second_factor": "true"}
    for to in (EMAIL, OTHER_PHONE):
        path, name, strategy = place(to)
        answer = await ada.post(path, {**fields, name: to})
        added = answer.json()["response"]
        assert added["id"].startswith("idn_")
        assert added["id"] != "idn_evil"
        assert added["created_at"] == added["updated_at"] == house.clock.now
        assert added["verification"]["status"] == "unverified"
        assert not added.get("reserved_for_second_factor")
        assert not added.get("default_second_factor")
        prepare = await ada.post(
            f"{path}/{added['id']}/prepare_verification",
            {**fields, "strategy": strategy, "expires_at": "99999999999999"},
        )
        verification = prepare.json()["response"]["verification"]
        assert verification["expire_at"] == house.clock.now + CODE_LIVES_FOR
        attempt = await ada.post(
            f"{path}/{added['id']}/attempt_verification", {**fields, "code": house.wrong(to)}
        )
        assert refusal(attempt) == (422, "form_code_incorrect", "code")
        assert (await ada.get(f"{path}/{added['id']}")).json()["response"] == {
            **prepare.json()["response"],
            "verification": {**verification, "attempts": 1},
        }


@pytest.mark.parametrize("name", ["phone_number", *EVIL, "id", "created_at", "backup_codes"])
async def test_a_phone_takes_only_what_it_is_used_for(build: Builder, name: str) -> None:
    house = await build(instance=MFA)
    browser = await with_both(house)
    one = await own_phone(browser)
    before = await me(browser)
    answer = await browser.override("PATCH", one, {name: EVIL.get(name, OTHER_PHONE)})
    assert answer.status_code == 200
    assert await me(browser) == before


# ── removing ──────────────────────────────────────────────────────────────────────────
async def test_an_address_can_be_removed_but_the_last_one_stays(house: House) -> None:
    browser = await with_both(house)
    phone = await own_phone(browser)
    answer = (await browser.override("DELETE", phone)).json()
    gone = phone.rpartition("/")[2]
    assert answer["response"] == {"object": "phone_number", "id": gone, "deleted": True}
    assert answer["client"]["sessions"][0]["user"]["phone_numbers"] == []
    assert (await me(browser))["primary_phone_number_id"] is None
    last = f"{EMAILS}/{(await me(browser))['email_addresses'][0]['id']}"
    answer = await browser.override("DELETE", last)
    assert refusal(answer) == (400, "identification_deletion_failed", None)


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        (Attribute(required=True), (400, "last_required_identification_deletion_failed", None)),
        (
            Attribute(immutable=True),
            (403, "immutable_attribute_modification_not_allowed", "phone_number"),
        ),
    ],
)
async def test_settings_say_what_may_be_removed(
    build: Builder, phone: Attribute, why: tuple[int, str, str | None]
) -> None:
    browser = await with_both(await build(instance={"phone": phone}))
    assert refusal(await browser.override("DELETE", await own_phone(browser))) == why


# ── the second step ───────────────────────────────────────────────────────────────────
async def test_a_phone_becomes_the_second_step_with_backup_codes(build: Builder) -> None:
    browser = await with_both(await build(instance=MFA))
    phone = await own_phone(browser)
    answer = (await browser.override("PATCH", phone, RESERVE)).json()
    shown = answer["response"]
    assert (shown["reserved_for_second_factor"], shown["default_second_factor"]) == (True, True)
    assert len(shown["backup_codes"]) == 10
    user = answer["client"]["sessions"][0]["user"]
    assert (user["two_factor_enabled"], user["backup_code_enabled"]) == (True, True)
    assert user["phone_numbers"][0]["backup_codes"] is None
    again = await browser.override("PATCH", phone, RESERVE)
    assert again.json()["response"]["backup_codes"] is None
    default = await browser.override("PATCH", phone, {"default_second_factor": "false"})
    assert refusal(default) == (422, "form_param_value_invalid", "default_second_factor")


async def test_both_steps_are_asked_for_from_then_on(build: Builder) -> None:
    house = await build(instance=MFA)
    browser = await with_both(house)
    codes = (await browser.override("PATCH", await own_phone(browser), RESERVE)).json()
    other = house.browser()
    sign_in = await other.start_sign_in(EMAIL, strategy="email_code")
    answer = await other.attempt_sign_in(sign_in, house.code(EMAIL), "email_code")
    assert answer.json()["response"]["status"] == "needs_second_factor"
    form = {"strategy": "backup_code", "code": codes["response"]["backup_codes"][3].upper()}
    answer = await other.post(f"/v1/client/sign_ins/{sign_in}/attempt_second_factor", form)
    assert answer.json()["response"]["status"] == "complete"


async def test_the_last_way_in_cannot_be_reserved(build: Builder) -> None:
    browser = (await build(instance=MFA)).browser()
    await browser.sign_up()
    answer = await browser.override("PATCH", await own_phone(browser), RESERVE)
    assert refusal(answer) == (400, "identification_update_failed", None)


async def test_only_a_proved_phone_can_be_reserved(build: Builder) -> None:
    browser = await with_both(await build(instance=MFA))
    one = f"{PHONES}/{(await add(browser, OTHER_PHONE))['id']}"
    for form in (RESERVE, {"default_second_factor": "true"}):
        answer = await browser.override("PATCH", one, form)
        assert refusal(answer) == (400, "identification_update_second_factor_unverified", None)


async def test_a_switch_is_true_or_false(build: Builder) -> None:
    browser = await with_both(await build(instance=MFA))
    form = {"reserved_for_second_factor": "1"}
    answer = await browser.override("PATCH", await own_phone(browser), form)
    assert refusal(answer) == (422, "form_param_type_invalid", "reserved_for_second_factor")


async def test_without_second_factors_none_can_be_set_up(house: House) -> None:
    browser = await with_both(house)
    answer = await browser.override("PATCH", await own_phone(browser), RESERVE)
    assert refusal(answer) == (422, "form_param_unknown", "reserved_for_second_factor")


async def test_a_second_step_that_is_required_stays(build: Builder) -> None:
    browser = await with_both(await build(instance={**MFA, "mfa_required": True}))
    phone = await own_phone(browser)
    await browser.override("PATCH", phone, RESERVE)
    for method, form in (("DELETE", None), ("PATCH", {"reserved_for_second_factor": "false"})):
        answer = await browser.override(method, phone, form)
        assert refusal(answer) == (400, "second_factor_deletion_not_allowed", None)


async def test_setting_it_up_finishes_the_task(build: Builder) -> None:
    house = await build(instance={**MFA, "mfa_required": True})
    browser = house.browser()
    await browser.sign_up(EMAIL)
    one = await proved(browser, OTHER_PHONE)
    assert (await browser.client())["sessions"][0]["status"] == "pending"
    answer = (await browser.override("PATCH", one, RESERVE)).json()
    (session,) = answer["client"]["sessions"]
    assert (session["status"], session["tasks"]) == ("active", [])
    assert answer["response"]["backup_codes"]


# ── backup codes ──────────────────────────────────────────────────────────────────────
async def test_backup_codes_can_be_made_anew(build: Builder) -> None:
    browser = await with_both(await build(instance=MFA))
    answer = await browser.post("/v1/me/backup_codes/")
    assert refusal(answer) == (400, "backup_codes_not_available", None)
    first = (await browser.override("PATCH", await own_phone(browser), RESERVE)).json()
    document = (await browser.post("/v1/me/backup_codes/")).json()["response"]
    assert document["object"] == "backup_code"
    assert len(set(document["codes"])) == 10
    assert not set(document["codes"]) & set(first["response"]["backup_codes"])
