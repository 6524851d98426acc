"""Signing up over the wire: its states, its codes, and whose attempt it is."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain.instance import Attribute

from ..conftest import Builder
from ..house import (
    EMAIL,
    OTHER_PHONE,
    PHONE,
    TEST_PHONE,
    Browser,
    Clock,
    House,
    later,
    refusal,
    set_cookies,
)

SIGN_UPS = "/v1/client/sign_ups"


# ── create ────────────────────────────────────────────────────────────────────────────
async def test_a_new_sign_up_lists_what_must_be_verified(browser: Browser) -> None:
    answer = await browser.post(SIGN_UPS, {"phone_number": "+1 (415) 555-2671", "locale": "en-US"})
    sign_up = answer.json()["response"]
    assert sign_up["status"] == "missing_requirements"
    assert sign_up["phone_number"] == PHONE
    assert sign_up["unverified_fields"] == ["phone_number"]
    assert (sign_up["missing_fields"], sign_up["required_fields"]) == ([], [])
    assert sign_up["optional_fields"] == ["phone_number", "email_address"]
    assert sign_up["locale"] == "en-US"


async def test_a_verification_without_a_code_names_no_strategy(browser: Browser) -> None:
    """The prebuilt components send no code where they see the strategy already."""
    answer = await browser.post(SIGN_UPS, {"phone_number": PHONE})
    verification = answer.json()["response"]["verifications"]["phone_number"]
    assert verification["strategy"] is None
    assert verification["next_action"] == "needs_prepare"


async def test_every_answer_carries_the_client_with_the_attempt(browser: Browser) -> None:
    answer = (await browser.post(SIGN_UPS, {"phone_number": PHONE})).json()
    assert answer["client"]["sign_up"] == answer["response"]
    assert answer["client"]["sessions"] == []


async def test_create_with_a_strategy_sends_the_code_at_once(
    browser: Browser, house: House
) -> None:
    answer = await browser.post(SIGN_UPS, {"phone_number": PHONE, "strategy": "phone_code"})
    verification = answer.json()["response"]["verifications"]["phone_number"]
    assert verification["next_action"] == "needs_attempt"
    assert len(house.letters(PHONE)) == 1


async def test_what_is_given_beside_the_address_is_kept(browser: Browser) -> None:
    metadata = '{"plan": {"name": "free"}}'
    answer = await browser.post(
        SIGN_UPS,
        {"phone_number": PHONE, "first_name": "Ada", "last_name": "L", "unsafe_metadata": metadata},
    )
    sign_up = answer.json()["response"]
    assert (sign_up["first_name"], sign_up["last_name"]) == ("Ada", "L")
    assert sign_up["unsafe_metadata"] == {"plan": {"name": "free"}}


async def test_an_unknown_field_is_ignored(browser: Browser) -> None:
    answer = await browser.post(SIGN_UPS, {"phone_number": PHONE, "timezone": "UTC", "new": "1"})
    assert answer.status_code == 200


async def test_metadata_becomes_the_account_s(browser: Browser) -> None:
    await browser.sign_up(PHONE, unsafe_metadata='{"a": 1}')
    user = (await browser.get("/v1/me")).json()["response"]
    assert user["unsafe_metadata"] == {"a": 1}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, (422, "form_param_missing", "phone_number")),
        ({"phone_number": ""}, (422, "form_param_missing", "phone_number")),
        ({"strategy": "email_code"}, (422, "form_param_missing", "email_address")),
        (
            {"phone_number": PHONE, "strategy": "email_code"},
            (422, "form_param_missing", "email_address"),
        ),
        ({"phone_number": "4155552671"}, (422, "form_param_format_invalid", "phone_number")),
        ({"phone_number": "0014155552671"}, (422, "form_param_format_invalid", "phone_number")),
        ({"phone_number": "+1415555267x"}, (422, "form_param_format_invalid", "phone_number")),
        ({"phone_number": PHONE + " ext 1"}, (422, "form_param_format_invalid", "phone_number")),
        ({"phone_number": "+١٤١٥٥٥٥٢٦٧١"}, (422, "form_param_format_invalid", "phone_number")),
        ({"phone_number": "+10000000000"}, (422, "form_param_format_invalid", "phone_number")),
        ({"email_address": "ada"}, (422, "form_param_format_invalid", "email_address")),
        ({"email_address": "a@b@c.com"}, (422, "form_param_format_invalid", "email_address")),
        (
            {"phone_number": PHONE, "strategy": "password"},
            (422, "form_param_value_invalid", "strategy"),
        ),
        (
            {"phone_number": PHONE, "strategy": "phone_code", "channel": "whatsapp"},
            (422, "form_param_value_invalid", "channel"),
        ),
        ({"phone_number": PHONE, "locale": "!"}, (422, "form_param_format_invalid", "locale")),
        (
            {"phone_number": PHONE, "unsafe_metadata": "["},
            (422, "form_param_format_invalid", "unsafe_metadata"),
        ),
        (
            {"phone_number": PHONE, "unsafe_metadata": "[1]"},
            (422, "form_param_type_invalid", "unsafe_metadata"),
        ),
        (
            {"phone_number": PHONE, "first_name": "a" * 129},
            (422, "form_param_max_length_exceeded", "first_name"),
        ),
    ],
)
async def test_a_create_is_refused_by_the_name_of_the_field(
    browser: Browser,
    house: House,
    form: dict[str, str],
    expected: tuple[int, str, str],
) -> None:
    before = house.rows()
    assert refusal(await browser.post(SIGN_UPS, form)) == expected
    assert house.rows() == before


async def test_a_disabled_address_is_an_unknown_field(build: Builder) -> None:
    house = await build(instance={"phone": Attribute(used_for_sign_up=False)})
    answer = await house.browser().post(SIGN_UPS, {"phone_number": PHONE})
    assert refusal(answer) == (422, "form_param_unknown", "phone_number")


async def test_a_taken_phone_number_is_told(house: House, browser: Browser) -> None:
    await house.someone(PHONE)
    answer = await browser.post(SIGN_UPS, {"phone_number": PHONE})
    assert refusal(answer) == (422, "form_identifier_exists", "phone_number")


async def test_a_taken_e_mail_address_is_told_in_any_case(house: House, browser: Browser) -> None:
    await house.someone("ada@example.com")
    answer = await browser.post(SIGN_UPS, {"email_address": "ADA@EXAMPLE.COM"})
    assert refusal(answer) == (422, "form_identifier_exists", "email_address")


async def test_who_is_signed_in_cannot_sign_up(browser: Browser) -> None:
    await browser.sign_up()
    answer = await browser.post(SIGN_UPS, {"phone_number": OTHER_PHONE})
    assert refusal(answer) == (400, "session_exists", None)


# ── prepare and attempt ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize("to", [PHONE, EMAIL])
async def test_the_right_code_makes_the_account_and_the_session(
    browser: Browser, house: House, to: str
) -> None:
    answer = (await browser.sign_up(to)).json()
    sign_up, client = answer["response"], answer["client"]
    assert sign_up["status"] == "complete"
    assert sign_up["unverified_fields"] == []
    assert client["sign_up"] is None
    (session,) = client["sessions"]
    assert session["id"] == sign_up["created_session_id"] == client["last_active_session_id"]
    assert session["user"]["id"] == sign_up["created_user_id"]
    assert session["last_active_token"]["jwt"].count(".") == 2
    assert house.rows("users", "sessions") == {"users": 1, "sessions": 1}


async def test_a_prepared_verification_waits_for_its_code(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    answer = await browser.prepare_sign_up(sign_up)
    verification = answer.json()["response"]["verifications"]["phone_number"]
    assert verification["status"] == "unverified"
    assert verification["strategy"] == "phone_code"
    assert verification["channel"] == "sms"
    assert verification["attempts"] == 0
    assert verification["expire_at"] == clock.now + later(600)
    assert verification["next_action"] == "needs_attempt"


async def test_a_reload_finds_the_attempt_where_it_was(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    found = (await browser.client())["sign_up"]
    assert found["id"] == sign_up
    assert found["verifications"]["phone_number"]["strategy"] == "phone_code"
    assert len(house.letters(PHONE)) == 1


async def test_a_sign_up_with_both_addresses_needs_both_codes(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    await browser.prepare_sign_up(sign_up)
    first = await browser.attempt_sign_up(sign_up, house.code(PHONE))
    assert first.json()["response"]["unverified_fields"] == ["email_address"]
    assert house.rows("users") == {"users": 0}
    await browser.prepare_sign_up(sign_up, "email_code")
    second = await browser.attempt_sign_up(sign_up, house.code(EMAIL), "email_code")
    assert second.json()["response"]["status"] == "complete"


async def test_spaces_and_hyphens_in_a_code_are_forgiven(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    code = house.code()
    answer = await browser.attempt_sign_up(sign_up, f" {code[:3]}-{code[3:]} ")
    assert answer.status_code == 200


async def test_four_wrong_codes_are_incorrect_and_the_fifth_is_the_last(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    answers = [refusal(await browser.attempt_sign_up(sign_up, house.wrong())) for _ in range(5)]
    assert answers[:4] == [(422, "form_code_incorrect", "code")] * 4
    assert answers[4] == (400, "verification_failed", None)


async def test_after_the_fifth_wrong_code_the_right_one_is_worth_nothing(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    for _ in range(5):
        await browser.attempt_sign_up(sign_up, house.wrong())
    answer = await browser.attempt_sign_up(sign_up, house.code())
    assert refusal(answer) == (400, "verification_failed", None)


async def test_wrong_codes_are_seen_on_the_verification(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    await browser.attempt_sign_up(sign_up, house.wrong())
    found = (await browser.get(f"{SIGN_UPS}/{sign_up}")).json()["response"]
    assert found["verifications"]["phone_number"]["attempts"] == 1


async def test_a_wrong_code_says_so_in_words(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    (error,) = (await browser.attempt_sign_up(sign_up, house.wrong())).json()["errors"]
    assert (error["message"], error["long_message"]) == ("is incorrect", "Incorrect code")


async def test_a_fresh_code_after_a_failure_gives_five_more_tries(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    for _ in range(5):
        await browser.attempt_sign_up(sign_up, house.wrong())
    prepared = (await browser.prepare_sign_up(sign_up)).json()["response"]
    assert prepared["verifications"]["phone_number"]["attempts"] == 0
    answers = [await browser.attempt_sign_up(sign_up, house.wrong()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [422] * 4
    assert (await browser.attempt_sign_up(sign_up, house.code())).status_code == 200


async def test_a_code_of_the_failed_verification_is_wrong_for_the_fresh_one(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    old = house.code()
    for _ in range(5):
        await browser.attempt_sign_up(sign_up, house.wrong())
    await browser.prepare_sign_up(sign_up)
    assert house.code() != old
    answer = await browser.attempt_sign_up(sign_up, old)
    assert refusal(answer) == (422, "form_code_incorrect", "code")


async def test_ten_wrong_codes_lock_the_address_for_an_hour(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    for _ in range(2):
        for _ in range(5):
            await browser.attempt_sign_up(sign_up, house.wrong())
        answer = await browser.prepare_sign_up(sign_up)
    assert refusal(answer) == (403, "user_locked", None)
    (error,) = answer.json()["errors"]
    assert error["meta"]["lockout_expires_in_seconds"] == 3600
    clock.advance(later(3600))
    assert (await browser.prepare_sign_up(sign_up)).status_code == 200


async def test_the_eleventh_guess_is_refused_whoever_makes_it(house: House) -> None:
    """Neither another browser nor a restart gives more guesses at one address."""
    waiting = house.browser()
    kept = await waiting.start_sign_up(phone_number=PHONE, strategy="phone_code")
    for _ in range(2):
        other = house.browser()
        sign_up = await other.start_sign_up(phone_number=PHONE, strategy="phone_code")
        for _ in range(5):
            await other.attempt_sign_up(sign_up, house.wrong())
    right = house.letters(PHONE)[-1]
    answer = await waiting.attempt_sign_up(kept, right)
    assert refusal(answer) == (403, "user_locked", None)
    assert house.rows("users") == {"users": 0}


async def test_restarting_gives_no_more_guesses(browser: Browser, house: House) -> None:
    house.allow_many_codes()
    for _ in range(10):
        sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
        await browser.attempt_sign_up(sign_up, house.wrong())
    answer = await browser.post(SIGN_UPS, {"phone_number": PHONE, "strategy": "phone_code"})
    assert refusal(answer) == (403, "user_locked", None)


async def test_a_locked_address_locks_no_other(browser: Browser, house: House) -> None:
    house.allow_many_codes()
    for _ in range(10):
        sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
        await browser.attempt_sign_up(sign_up, house.wrong())
    assert (await browser.sign_up(OTHER_PHONE)).status_code == 200


async def test_a_test_identifier_has_the_same_budget_of_guesses(browser: Browser) -> None:
    answers = []
    for _ in range(11):
        form = {"phone_number": TEST_PHONE, "strategy": "phone_code"}
        created = await browser.post(SIGN_UPS, form)
        answers.append(created)
        if created.status_code == 200:
            await browser.attempt_sign_up(created.json()["response"]["id"], "111111")
    assert refusal(answers[-1]) == (403, "user_locked", None)


async def test_a_right_code_costs_no_guess(browser: Browser, house: House) -> None:
    await browser.sign_up()
    assert house.rows("guesses") == {"guesses": 0}


async def test_fifty_wrong_codes_at_once_count_as_five(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    wrong = house.wrong()
    answers = await asyncio.gather(*(browser.attempt_sign_up(sign_up, wrong) for _ in range(50)))
    told = [refusal(answer)[1] for answer in answers]
    assert told.count("form_code_incorrect") == 4
    assert told.count("verification_failed") == 46
    assert house.rows("guesses") == {"guesses": 10}  # by the address, and by the network
    found = (await browser.get(f"{SIGN_UPS}/{sign_up}")).json()["response"]
    assert found["verifications"]["phone_number"]["attempts"] == 5
    assert found["verifications"]["phone_number"]["status"] == "failed"


async def test_two_right_codes_at_once_make_one_session(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    code = house.code()
    answers = await asyncio.gather(*(browser.attempt_sign_up(sign_up, code) for _ in range(2)))
    (loser,) = [answer for answer in answers if answer.status_code != 200]
    # Its cookie was replaced by the winner's while it was on its way.
    assert refusal(loser)[1] in ("resource_not_found", "verification_already_verified")
    assert house.rows("users", "sessions") == {"users": 1, "sessions": 1}


async def test_two_browsers_that_verify_one_address_make_one_account(house: House) -> None:
    browsers = [house.browser(), house.browser()]
    codes: list[str] = []
    attempts: list[str] = []
    for one in browsers:
        attempts.append(await one.start_sign_up(phone_number=PHONE, strategy="phone_code"))
        house.clock.advance(1)
        codes.append(house.code())
    answers = await asyncio.gather(
        *(
            one.attempt_sign_up(attempt, code)
            for one, attempt, code in zip(browsers, attempts, codes, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    (loser,) = [answer for answer in answers if answer.status_code == 400]
    assert refusal(loser)[1] == "identification_claimed"
    assert house.rows("users", "sessions") == {"users": 1, "sessions": 1}


async def test_a_code_is_used_once(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    code = house.code()
    await browser.attempt_sign_up(sign_up, code)
    answer = await browser.attempt_sign_up(sign_up, code)
    assert refusal(answer) == (400, "verification_already_verified", None)


async def test_a_resend_within_thirty_seconds_is_told_to_wait(
    browser: Browser, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    clock.advance(later(10))
    answer = await browser.prepare_sign_up(sign_up)
    assert refusal(answer) == (429, "verification_code_too_many_requests", None)
    assert answer.headers["retry-after"] == "20"
    clock.advance(later(19.999))
    assert (await browser.prepare_sign_up(sign_up)).headers["retry-after"] == "1"
    clock.advance(1)
    assert (await browser.prepare_sign_up(sign_up)).status_code == 200


async def test_a_refused_resend_sends_nothing(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    await browser.prepare_sign_up(sign_up)
    assert len(house.letters(PHONE)) == 1
    assert house.rows("codes", "outbox") == {"codes": 1, "outbox": 1}


async def test_a_resend_keeps_the_earlier_code_alive(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    first = house.code()
    clock.advance(later(30))
    await browser.prepare_sign_up(sign_up)
    assert house.code() != first
    assert (await browser.attempt_sign_up(sign_up, first)).status_code == 200


async def test_a_resend_keeps_the_count_of_tries(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    for _ in range(4):
        await browser.attempt_sign_up(sign_up, house.wrong())
    clock.advance(later(30))
    prepared = (await browser.prepare_sign_up(sign_up)).json()["response"]
    assert prepared["verifications"]["phone_number"]["attempts"] == 4
    answer = await browser.attempt_sign_up(sign_up, house.wrong())
    assert refusal(answer) == (400, "verification_failed", None)


async def test_an_earlier_code_expires_at_its_own_time(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    first = house.code()
    clock.advance(later(300))
    await browser.prepare_sign_up(sign_up)
    clock.advance(later(300))
    answer = await browser.attempt_sign_up(sign_up, first)
    assert refusal(answer) == (422, "form_code_incorrect", "code")
    assert (await browser.attempt_sign_up(sign_up, house.code())).status_code == 200


async def test_a_code_works_until_the_last_moment(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    clock.advance(later(600) - 1)
    assert (await browser.attempt_sign_up(sign_up, house.code())).status_code == 200


async def test_a_code_expires_after_exactly_ten_minutes(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    clock.advance(later(600))
    answer = await browser.attempt_sign_up(sign_up, house.code())
    assert refusal(answer) == (400, "verification_expired", None)
    found = (await browser.client())["sign_up"]["verifications"]["phone_number"]
    assert (found["status"], found["next_action"]) == ("expired", "needs_prepare")


async def test_an_expired_verification_is_made_anew(
    browser: Browser, house: House, clock: Clock
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    clock.advance(later(600))
    assert (await browser.prepare_sign_up(sign_up)).status_code == 200
    assert (await browser.attempt_sign_up(sign_up, house.code())).status_code == 200


async def test_a_test_number_is_verified_by_424242(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=TEST_PHONE, strategy="phone_code")
    assert (await browser.attempt_sign_up(sign_up, "424242")).status_code == 200


async def test_a_test_mailbox_is_verified_by_424242(browser: Browser) -> None:
    address = "ada+clerk_test@example.com"
    sign_up = await browser.start_sign_up(email_address=address, strategy="email_code")
    assert (await browser.attempt_sign_up(sign_up, "424242", "email_code")).status_code == 200


async def test_a_test_number_needs_the_step_of_sending(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=TEST_PHONE)
    answer = await browser.attempt_sign_up(sign_up, "424242")
    assert refusal(answer) == (400, "verification_missing", None)


async def test_outside_test_mode_a_test_number_has_no_fixed_code(build: Builder) -> None:
    house = await build(test_mode=False)
    browser = house.browser()
    sign_up = await browser.start_sign_up(phone_number=TEST_PHONE, strategy="phone_code")
    assert house.code(TEST_PHONE) != "424242"
    answer = await browser.attempt_sign_up(sign_up, "424242")
    assert refusal(answer) == (422, "form_code_incorrect", "code")


async def test_outside_test_mode_a_test_number_must_be_a_number(build: Builder) -> None:
    house = await build(test_mode=False)
    answer = await house.browser().post(SIGN_UPS, {"phone_number": "+10005550123"})
    assert refusal(answer) == (422, "form_param_format_invalid", "phone_number")


async def test_outside_test_mode_a_test_mailbox_has_no_fixed_code(build: Builder) -> None:
    house = await build(test_mode=False)
    browser, address = house.browser(), "ada+clerk_test@example.com"
    sign_up = await browser.start_sign_up(email_address=address, strategy="email_code")
    assert house.code(address) != "424242"
    answer = await browser.attempt_sign_up(sign_up, "424242", "email_code")
    assert refusal(answer) == (422, "form_code_incorrect", "code")


@pytest.mark.parametrize(
    ("step", "form", "expected"),
    [
        ("prepare", {}, (422, "form_param_missing", "strategy")),
        ("prepare", {"strategy": "password"}, (422, "form_param_value_invalid", "strategy")),
        (
            "prepare",
            {"strategy": "phone_code", "channel": "whatsapp"},
            (422, "form_param_value_invalid", "channel"),
        ),
        ("attempt", {"code": "123456"}, (422, "form_param_missing", "strategy")),
        (
            "attempt",
            {"strategy": "phone_code"},
            (422, "form_conditional_param_missing", "code"),
        ),
        (
            "attempt",
            {"strategy": "phone_code", "code": ""},
            (422, "form_conditional_param_missing", "code"),
        ),
        (
            "attempt",
            {"strategy": "phone_code", "code": "1" * 33},
            (422, "form_param_max_length_exceeded", "code"),
        ),
        (
            "attempt",
            {"strategy": "email_code", "code": "123456"},
            (400, "verification_strategy_invalid", None),
        ),
        ("attempt", {"strategy": "", "code": "1"}, (422, "form_param_missing", "strategy")),
    ],
)
async def test_a_step_is_refused_by_the_name_of_the_field_and_costs_no_try(
    browser: Browser,
    house: House,
    step: str,
    form: dict[str, str],
    expected: tuple[int, str, str | None],
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    before = house.rows()
    answer = await browser.post(f"{SIGN_UPS}/{sign_up}/{step}_verification", form)
    assert refusal(answer) == expected
    assert house.rows() == before
    found = (await browser.client())["sign_up"]["verifications"]["phone_number"]
    assert found["attempts"] == 0


@pytest.mark.parametrize("typed", ["12345", "1234567", "abcdef", "१२३४५६", "🔑"])
async def test_what_is_no_code_is_an_incorrect_code(browser: Browser, typed: str) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    answer = await browser.attempt_sign_up(sign_up, typed)
    assert refusal(answer) == (422, "form_code_incorrect", "code")


async def test_a_code_cannot_be_tried_before_one_was_asked_for(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    answer = await browser.attempt_sign_up(sign_up, "123456")
    assert refusal(answer) == (400, "verification_missing", None)


async def test_no_code_is_sent_to_an_address_that_was_not_given(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    answer = await browser.prepare_sign_up(sign_up, "email_code")
    assert refusal(answer)[0] == 400
    assert house.rows("codes", "outbox") == {"codes": 0, "outbox": 0}


async def test_a_verified_address_is_not_verified_again(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    await browser.prepare_sign_up(sign_up)
    await browser.attempt_sign_up(sign_up, house.code(PHONE))
    answer = await browser.prepare_sign_up(sign_up)
    assert refusal(answer) == (400, "verification_already_verified", None)


async def test_an_attempt_ends_after_a_day(browser: Browser, clock: Clock) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    clock.advance(later(24 * 3600))
    assert (await browser.client())["sign_up"] is None
    assert refusal(await browser.prepare_sign_up(sign_up)) == (404, "resource_not_found", None)


# ── update ────────────────────────────────────────────────────────────────────────────
async def test_an_update_changes_only_what_is_given(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, first_name="Ada", last_name="L")
    answer = await browser.override("PATCH", f"{SIGN_UPS}/{sign_up}", {"first_name": "Eve"})
    changed = answer.json()["response"]
    assert (changed["first_name"], changed["last_name"]) == ("Eve", "L")
    assert changed["phone_number"] == PHONE


async def test_a_changed_address_must_be_verified_anew(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    code = house.code(PHONE)
    answer = await browser.override("PATCH", f"{SIGN_UPS}/{sign_up}", {"phone_number": OTHER_PHONE})
    verification = answer.json()["response"]["verifications"]["phone_number"]
    assert verification["next_action"] == "needs_prepare"
    tried = await browser.attempt_sign_up(sign_up, code)
    assert refusal(tried) == (400, "verification_missing", None)
    assert house.rows("users") == {"users": 0}


async def test_an_update_can_add_the_other_address(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    answer = await browser.override("PATCH", f"{SIGN_UPS}/{sign_up}", {"email_address": EMAIL})
    assert answer.json()["response"]["unverified_fields"] == ["phone_number", "email_address"]


async def test_an_update_to_a_taken_address_is_told(browser: Browser, house: House) -> None:
    await house.someone(OTHER_PHONE)
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    answer = await browser.override(
        "PATCH", f"{SIGN_UPS}/{sign_up}", {"phone_number": OTHER_PHONE, "first_name": "Eve"}
    )
    assert refusal(answer) == (422, "form_identifier_exists", "phone_number")
    kept = (await browser.client())["sign_up"]
    assert (kept["phone_number"], kept["first_name"]) == (PHONE, None)


# ── whose attempt it is ───────────────────────────────────────────────────────────────
async def _refusals(browser: Browser, sign_up: str) -> list[tuple[int, str, str | None]]:
    path = f"{SIGN_UPS}/{sign_up}"
    return [
        refusal(await browser.get(path)),
        refusal(await browser.override("PATCH", path, {"first_name": "Eve"})),
        refusal(await browser.prepare_sign_up(sign_up)),
        refusal(await browser.attempt_sign_up(sign_up, "123456")),
    ]


NOT_FOUND = [(404, "resource_not_found", None)] * 4


async def test_an_attempt_is_not_there_for_a_browser_that_was_never_here(house: House) -> None:
    sign_up = await house.browser().start_sign_up(phone_number=PHONE, strategy="phone_code")
    assert await _refusals(house.browser(), sign_up) == NOT_FOUND


async def test_an_attempt_is_not_there_for_another_client(house: House) -> None:
    sign_up = await house.browser().start_sign_up(phone_number=PHONE, strategy="phone_code")
    other = house.browser()
    await other.start_sign_up(phone_number=OTHER_PHONE)
    assert await _refusals(other, sign_up) == NOT_FOUND
    assert len(house.letters(PHONE)) == 1


async def test_an_unknown_attempt_is_not_there(browser: Browser) -> None:
    await browser.start_sign_up(phone_number=PHONE)
    assert await _refusals(browser, "sua_nobody") == NOT_FOUND


async def test_the_right_code_in_another_client_s_hand_opens_nothing(house: House) -> None:
    sign_up = await house.browser().start_sign_up(phone_number=PHONE, strategy="phone_code")
    answer = await house.browser().attempt_sign_up(sign_up, house.code())
    assert refusal(answer) == (404, "resource_not_found", None)
    assert house.rows("sessions") == {"sessions": 0}


async def test_a_newer_attempt_retires_the_earlier_one_and_its_codes(
    browser: Browser, house: House
) -> None:
    earlier = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    code = house.code(PHONE)
    await browser.start_sign_up(phone_number=OTHER_PHONE)
    assert await _refusals(browser, earlier) == NOT_FOUND
    assert refusal(await browser.attempt_sign_up(earlier, code))[0] == 404
    assert house.rows("codes") == {"codes": 0}


async def test_a_sign_in_retires_the_sign_up(browser: Browser, house: House) -> None:
    await house.someone(OTHER_PHONE)
    earlier = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    await browser.start_sign_in(OTHER_PHONE)
    assert await _refusals(browser, earlier) == NOT_FOUND


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"strategy=phone_code&channel=sms", "application/x-www-form-urlencoded"),
        (b"phone_number=nonsense", "application/x-www-form-urlencoded"),
        (b"phone_number=%2B14155552672&phone_number=1", "application/x-www-form-urlencoded"),
        (b"phone_number=%00", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
)
async def test_a_create_that_fails_retires_the_earlier_attempt_too(
    browser: Browser, house: House, body: bytes, kind: str
) -> None:
    """The page that ignores the failure asks for a code next: not to the earlier number."""
    earlier = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    code = house.code()
    assert refusal(await browser.post_raw(SIGN_UPS, body, kind))[0] in (415, 422)
    assert refusal(await browser.prepare_sign_up(earlier))[0] == 404
    assert refusal(await browser.attempt_sign_up(earlier, code))[0] == 404
    assert (await browser.client())["sign_up"] is None
    assert house.rows("codes") == {"codes": 0}


async def test_a_create_that_is_too_large_retires_the_earlier_attempt_too(
    browser: Browser,
) -> None:
    earlier = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    assert refusal(await browser.post_raw(SIGN_UPS, b"a=" + b"b" * 70_000))[0] == 413
    assert refusal(await browser.prepare_sign_up(earlier))[0] == 404


async def test_completing_replaces_the_cookie_and_keeps_the_client(
    browser: Browser, house: House
) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    planted, before = browser.token, (await browser.client())["id"]
    assert planted
    answer = await browser.attempt_sign_up(sign_up, house.code())
    assert answer.json()["client"]["id"] == before
    assert "__client" in set_cookies(answer)
    assert browser.token != planted
    thief = browser.with_token(planted)
    assert await thief.client() is None
    assert refusal(await thief.get("/v1/me")) == (401, "signed_out", None)
