"""Signing in over the wire: factors, codes, and whose attempt it is."""

from __future__ import annotations

import asyncio

import pytest

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

SIGN_INS = "/v1/client/sign_ins"
NOT_FOUND = (404, "resource_not_found", None)


@pytest.fixture
async def account(house: House) -> str:
    """An account with a phone number and an e-mail address; its id."""
    browser = house.browser()
    sign_up = await browser.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    for to, strategy in ((PHONE, "phone_code"), (EMAIL, "email_code")):
        await browser.prepare_sign_up(sign_up, strategy)
        answer = await browser.attempt_sign_up(sign_up, house.code(to), strategy)
    house.clock.advance(1)
    return str(answer.json()["response"]["created_user_id"])


# ── create ────────────────────────────────────────────────────────────────────────────
async def test_a_new_sign_in_offers_every_factor_of_the_account(
    browser: Browser, account: str
) -> None:
    answer = await browser.post(SIGN_INS, {"identifier": "+1 415-555-2671"})
    sign_in = answer.json()["response"]
    assert sign_in["status"] == "needs_first_factor"
    assert sign_in["identifier"] == PHONE
    assert sign_in["supported_second_factors"] is None
    first, second = sign_in["supported_first_factors"]
    assert (first["strategy"], first["safe_identifier"]) == ("phone_code", PHONE)
    assert first["phone_number_id"].startswith("idn_")
    assert second["strategy"] == "email_code"
    assert second["email_address_id"].startswith("idn_")


async def test_only_the_address_that_was_typed_is_shown_in_full(
    browser: Browser, account: str
) -> None:
    answer = await browser.post(SIGN_INS, {"identifier": PHONE})
    assert "example.com" in answer.text
    assert "ada@" not in answer.text.lower()


async def test_an_e_mail_address_is_compared_in_any_case(browser: Browser, account: str) -> None:
    answer = await browser.post(SIGN_INS, {"identifier": "ADA@Example.COM"})
    assert answer.json()["response"]["identifier"] == "ada@example.com"


async def test_mail_goes_to_the_spelling_of_the_account(
    browser: Browser, house: House, account: str
) -> None:
    await browser.start_sign_in("aDA@example.com", strategy="email_code")
    assert house.inbox.messages(EMAIL)[0].to == EMAIL


async def test_an_unknown_identifier_is_told(browser: Browser) -> None:
    answer = await browser.post(SIGN_INS, {"identifier": PHONE})
    assert refusal(answer) == (422, "form_identifier_not_found", "identifier")
    assert answer.json()["errors"][0]["long_message"] == "Couldn't find your account."


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"identifier": ""}, (422, "form_param_missing", "identifier")),
        ({"strategy": "phone_code"}, (422, "form_param_missing", "identifier")),
        ({"identifier": "ada"}, (422, "form_param_format_invalid", "identifier")),
        ({"identifier": "4155552671"}, (422, "form_param_format_invalid", "identifier")),
        ({"identifier": "a@"}, (422, "form_param_format_invalid", "identifier")),
        ({"identifier": "a" * 321}, (422, "form_param_max_length_exceeded", "identifier")),
        (
            {"identifier": PHONE, "strategy": "password"},
            (422, "form_param_value_invalid", "strategy"),
        ),
        ({"identifier": PHONE, "locale": "?"}, (422, "form_param_format_invalid", "locale")),
        (
            {"identifier": OTHER_PHONE},
            (422, "form_identifier_not_found", "identifier"),
        ),
    ],
)
async def test_a_create_is_refused_by_the_name_of_the_field(
    browser: Browser,
    house: House,
    account: str,
    form: dict[str, str],
    expected: tuple[int, str, str],
) -> None:
    before = house.rows()
    assert refusal(await browser.post(SIGN_INS, form)) == expected
    assert house.rows() == before


async def test_an_empty_create_resets_the_attempt(browser: Browser, account: str) -> None:
    earlier = await browser.start_sign_in(PHONE)
    answer = await browser.post(SIGN_INS)
    assert answer.json()["response"]["status"] == "needs_identifier"
    assert refusal(await browser.get(f"{SIGN_INS}/{earlier}")) == NOT_FOUND


async def test_no_code_is_sent_before_an_identifier_is_known(browser: Browser) -> None:
    answer = await browser.post(SIGN_INS)
    prepared = await browser.prepare_sign_in(answer.json()["response"]["id"])
    assert refusal(prepared) == (400, "client_state_invalid", None)


async def test_who_is_signed_in_cannot_sign_in_again(browser: Browser, house: House) -> None:
    await browser.sign_up()
    answer = await browser.post(SIGN_INS, {"identifier": PHONE})
    assert refusal(answer) == (400, "session_exists", None)


# ── prepare and attempt ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize("to", [PHONE, EMAIL])
async def test_the_right_code_signs_in(browser: Browser, account: str, to: str) -> None:
    answer = (await browser.sign_in(to)).json()
    sign_in, client = answer["response"], answer["client"]
    assert sign_in["status"] == "complete"
    assert client["sign_in"] is None
    (session,) = client["sessions"]
    assert session["id"] == sign_in["created_session_id"] == client["last_active_session_id"]
    assert session["user"]["id"] == account


async def test_who_typed_a_phone_number_may_have_a_code_by_e_mail(
    browser: Browser, house: House, account: str
) -> None:
    created = await browser.post(SIGN_INS, {"identifier": PHONE})
    sign_in = created.json()["response"]
    factor = sign_in["supported_first_factors"][1]
    form = {"strategy": "email_code", "email_address_id": factor["email_address_id"]}
    await browser.post(f"{SIGN_INS}/{sign_in['id']}/prepare_first_factor", form)
    answer = await browser.attempt_sign_in(sign_in["id"], house.code(EMAIL), "email_code")
    assert answer.status_code == 200


async def test_prepare_shows_the_verification(browser: Browser, clock: Clock, account: str) -> None:
    sign_in = await browser.start_sign_in(PHONE)
    prepared = (await browser.prepare_sign_in(sign_in)).json()["response"]
    assert prepared["status"] == "needs_first_factor"
    verification = prepared["first_factor_verification"]
    assert verification["status"] == "unverified"
    assert verification["strategy"] == "phone_code"
    assert verification["expire_at"] == clock.now + later(600)


@pytest.mark.parametrize(
    ("step", "form", "expected"),
    [
        ("prepare", {}, (422, "form_param_missing", "strategy")),
        ("prepare", {"strategy": "totp"}, (422, "form_param_value_invalid", "strategy")),
        (
            "prepare",
            {"strategy": "phone_code", "phone_number_id": "idn_nobody"},
            (422, "form_resource_not_found", "phone_number_id"),
        ),
        ("attempt", {"code": "1"}, (422, "form_param_missing", "strategy")),
        (
            "attempt",
            {"strategy": "phone_code"},
            (422, "form_conditional_param_missing", "code"),
        ),
        (
            "attempt",
            {"strategy": "email_code", "code": "123456"},
            (400, "verification_strategy_invalid", None),
        ),
    ],
)
async def test_a_step_is_refused_by_the_name_of_the_field_and_costs_no_try(
    browser: Browser,
    house: House,
    account: str,
    step: str,
    form: dict[str, str],
    expected: tuple[int, str, str | None],
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    before = house.rows()
    answer = await browser.post(f"{SIGN_INS}/{sign_in}/{step}_first_factor", form)
    assert refusal(answer) == expected
    assert house.rows() == before


async def test_another_account_s_address_is_no_factor(
    browser: Browser, house: House, account: str
) -> None:
    stranger = await house.browser().sign_up(OTHER_PHONE)
    (session,) = stranger.json()["client"]["sessions"]
    foreign = session["user"]["phone_numbers"][0]["id"]
    sign_in = await browser.start_sign_in(PHONE)
    form = {"strategy": "phone_code", "phone_number_id": foreign}
    answer = await browser.post(f"{SIGN_INS}/{sign_in}/prepare_first_factor", form)
    assert refusal(answer) == (422, "form_resource_not_found", "phone_number_id")


async def test_a_factor_that_the_account_lacks_is_told(browser: Browser, house: House) -> None:
    await house.someone(PHONE)
    sign_in = await browser.start_sign_in(PHONE)
    answer = await browser.prepare_sign_in(sign_in, "email_code")
    assert refusal(answer) == (400, "strategy_for_user_invalid", None)


async def test_a_code_cannot_be_tried_before_one_was_asked_for(
    browser: Browser, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE)
    answer = await browser.attempt_sign_in(sign_in, "123456")
    assert refusal(answer) == (400, "verification_missing", None)


async def test_four_wrong_codes_are_incorrect_and_the_fifth_is_the_last(
    browser: Browser, house: House, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    answers = [refusal(await browser.attempt_sign_in(sign_in, house.wrong())) for _ in range(6)]
    assert answers[:4] == [(422, "form_code_incorrect", "code")] * 4
    assert answers[4:] == [(400, "verification_failed", None)] * 2


async def test_a_fresh_code_after_a_failure_gives_five_more_tries(
    browser: Browser, house: House, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    for _ in range(5):
        await browser.attempt_sign_in(sign_in, house.wrong())
    await browser.prepare_sign_in(sign_in)
    answers = [await browser.attempt_sign_in(sign_in, house.wrong()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [400]


async def test_sign_ups_and_sign_ins_share_the_guesses_at_an_address(house: House) -> None:
    """Five guesses while it was free, five after it was taken: the next is refused."""
    house.allow_many_codes()
    guesser = house.browser()
    for _ in range(5):
        sign_up = await guesser.start_sign_up(phone_number=PHONE, strategy="phone_code")
        await guesser.attempt_sign_up(sign_up, house.wrong())
    house.clock.advance(1)
    await house.someone(PHONE)
    for _ in range(5):
        sign_in = await guesser.start_sign_in(PHONE, strategy="phone_code")
        await guesser.attempt_sign_in(sign_in, house.wrong())
    form = {"identifier": PHONE, "strategy": "phone_code"}
    answer = await house.browser().post(SIGN_INS, form)
    assert refusal(answer) == (403, "user_locked", None)
    assert answer.headers["retry-after"] == "3600"


async def test_the_eleventh_guess_is_refused_even_where_it_is_right(
    house: House, account: str
) -> None:
    waiting = house.browser()
    kept = await waiting.start_sign_in(PHONE, strategy="phone_code")
    right = house.code()
    for _ in range(2):
        other = house.browser()
        sign_in = await other.start_sign_in(PHONE, strategy="phone_code")
        for _ in range(5):
            await other.attempt_sign_in(sign_in, house.wrong())
    assert refusal(await waiting.attempt_sign_in(kept, right)) == (403, "user_locked", None)
    assert (await waiting.client())["sessions"] == []


async def test_guesses_are_forgotten_after_an_hour(
    browser: Browser, house: House, clock: Clock, account: str
) -> None:
    house.allow_many_codes()
    stranger = house.browser()
    for _ in range(10):
        sign_in = await stranger.start_sign_in(PHONE, strategy="phone_code")
        await stranger.attempt_sign_in(sign_in, house.wrong())
    form = {"identifier": PHONE, "strategy": "phone_code"}
    clock.advance(later(3600) - 1)
    assert refusal(await stranger.post(SIGN_INS, form))[1] == "user_locked"
    clock.advance(1)
    assert (await stranger.sign_in()).status_code == 200


async def test_a_guess_of_twelve_wrong_codes_at_once_counts_no_more_than_ten(
    house: House, account: str
) -> None:
    house.allow_many_codes()
    browsers = [house.browser() for _ in range(12)]
    attempts = [await one.start_sign_in(PHONE, strategy="phone_code") for one in browsers]
    wrong = house.wrong()
    answers = await asyncio.gather(
        *(
            one.attempt_sign_in(attempt, wrong)
            for one, attempt in zip(browsers, attempts, strict=True)
        )
    )
    told = [refusal(answer)[1] for answer in answers]
    assert told.count("form_code_incorrect") == 10
    assert told.count("user_locked") == 2


async def test_fifty_wrong_codes_at_once_count_as_five(
    browser: Browser, house: House, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    wrong = house.wrong()
    answers = await asyncio.gather(*(browser.attempt_sign_in(sign_in, wrong) for _ in range(50)))
    told = [refusal(answer)[1] for answer in answers]
    assert told.count("form_code_incorrect") == 4
    assert told.count("verification_failed") == 46
    found = (await browser.client())["sign_in"]["first_factor_verification"]
    assert (found["attempts"], found["status"]) == (5, "failed")


async def test_two_right_codes_at_once_make_one_session(
    browser: Browser, house: House, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    before = house.rows("sessions")["sessions"]
    code = house.code()
    answers = await asyncio.gather(*(browser.attempt_sign_in(sign_in, code) for _ in range(2)))
    (loser,) = [answer for answer in answers if answer.status_code != 200]
    # Its cookie was replaced by the winner's while it was on its way.
    assert refusal(loser)[1] in ("resource_not_found", "verification_already_verified")
    assert house.rows("sessions")["sessions"] == before + 1


async def test_a_resend_waits_thirty_seconds(browser: Browser, clock: Clock, account: str) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    clock.advance(later(2))
    answer = await browser.prepare_sign_in(sign_in)
    assert refusal(answer) == (429, "verification_code_too_many_requests", None)
    assert answer.headers["retry-after"] == "28"
    clock.advance(later(28))
    assert (await browser.prepare_sign_in(sign_in)).status_code == 200


async def test_a_resend_keeps_earlier_code_and_count(
    browser: Browser, house: House, clock: Clock, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    first = house.code()
    for _ in range(4):
        await browser.attempt_sign_in(sign_in, house.wrong())
    clock.advance(later(30))
    prepared = (await browser.prepare_sign_in(sign_in)).json()["response"]
    assert prepared["first_factor_verification"]["attempts"] == 4
    assert (await browser.attempt_sign_in(sign_in, first)).status_code == 200


async def test_the_wait_belongs_to_the_verification_not_to_the_address(house: House) -> None:
    """A sign-in right after a sign-up must work."""
    await house.browser().sign_up()
    sign_in = await house.browser().start_sign_in(PHONE, strategy="phone_code")
    assert sign_in
    assert len(house.letters(PHONE)) == 2


async def test_a_code_expires_after_exactly_ten_minutes(
    browser: Browser, house: House, clock: Clock, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    clock.advance(later(600))
    answer = await browser.attempt_sign_in(sign_in, house.code())
    assert refusal(answer) == (400, "verification_expired", None)


async def test_a_code_works_until_the_last_moment(
    browser: Browser, house: House, clock: Clock, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    clock.advance(later(600) - 1)
    assert (await browser.attempt_sign_in(sign_in, house.code())).status_code == 200


async def test_a_test_number_signs_in_by_424242(house: House, browser: Browser) -> None:
    await house.someone(TEST_PHONE)
    sign_in = await browser.start_sign_in(TEST_PHONE, strategy="phone_code")
    assert (await browser.attempt_sign_in(sign_in, "424242")).status_code == 200


# ── whose attempt it is ───────────────────────────────────────────────────────────────
async def _refusals(browser: Browser, sign_in: str) -> list[tuple[int, str, str | None]]:
    return [
        refusal(await browser.get(f"{SIGN_INS}/{sign_in}")),
        refusal(await browser.prepare_sign_in(sign_in)),
        refusal(await browser.attempt_sign_in(sign_in, "123456")),
    ]


async def test_an_attempt_is_there_for_its_own_client_only(house: House, account: str) -> None:
    owner = house.browser()
    sign_in = await owner.start_sign_in(PHONE, strategy="phone_code")
    assert await _refusals(house.browser(), sign_in) == [NOT_FOUND] * 3
    other = house.browser()
    await other.start_sign_in(PHONE)
    assert await _refusals(other, sign_in) == [NOT_FOUND] * 3
    assert (await owner.get(f"{SIGN_INS}/{sign_in}")).status_code == 200


async def test_the_right_code_in_another_client_s_hand_opens_nothing(
    house: House, account: str
) -> None:
    sign_in = await house.browser().start_sign_in(PHONE, strategy="phone_code")
    other = house.browser()
    await other.start_sign_in(PHONE)
    assert refusal(await other.attempt_sign_in(sign_in, house.code())) == NOT_FOUND


async def test_a_newer_attempt_retires_the_earlier_one_and_its_codes(
    browser: Browser, house: House, account: str
) -> None:
    earlier = await browser.start_sign_in(PHONE, strategy="phone_code")
    code = house.code()
    newer = await browser.start_sign_in(PHONE)
    assert await _refusals(browser, earlier) == [NOT_FOUND] * 3
    assert refusal(await browser.attempt_sign_in(newer, code))[1] == "verification_missing"
    assert house.rows("codes") == {"codes": 0}


@pytest.mark.parametrize(
    "form", [{"identifier": OTHER_PHONE}, {"identifier": "nonsense"}, {"strategy": "totp"}]
)
async def test_a_create_that_fails_retires_the_earlier_attempt_too(
    browser: Browser, house: House, account: str, form: dict[str, str]
) -> None:
    earlier = await browser.start_sign_in(PHONE, strategy="phone_code")
    code = house.code()
    assert refusal(await browser.post(SIGN_INS, form))[0] == 422
    assert await _refusals(browser, earlier) == [NOT_FOUND] * 3
    assert refusal(await browser.attempt_sign_in(earlier, code)) == NOT_FOUND


async def test_completing_replaces_the_cookie_and_keeps_the_client(
    browser: Browser, house: House, account: str
) -> None:
    sign_in = await browser.start_sign_in(PHONE, strategy="phone_code")
    planted, before = browser.token, (await browser.client())["id"]
    assert planted
    answer = await browser.attempt_sign_in(sign_in, house.code())
    assert "__client" in set_cookies(answer)
    assert answer.json()["client"]["id"] == before
    assert await browser.with_token(planted).client() is None


async def test_an_attempt_ends_after_a_day(browser: Browser, clock: Clock, account: str) -> None:
    sign_in = await browser.start_sign_in(PHONE)
    clock.advance(later(24 * 3600))
    assert (await browser.client())["sign_in"] is None
    assert refusal(await browser.prepare_sign_in(sign_in)) == NOT_FOUND


# ── the words ─────────────────────────────────────────────────────────────────────────
async def test_the_code_is_written_in_the_language_the_sign_in_was_begun_in(
    house: House, browser: Browser, account: str
) -> None:
    begun = await browser.post(SIGN_INS, {"identifier": PHONE, "locale": "de-AT"})
    attempt = begun.json()["response"]
    factor = attempt["supported_first_factors"][0]
    where = f"{SIGN_INS}/{attempt['id']}/prepare_first_factor"
    await browser.post(
        where, {"strategy": "phone_code", "phone_number_id": factor["phone_number_id"]}
    )
    text = house.inbox.messages(PHONE)[0].body
    assert " ist Ihr Code" in text
    assert text.splitlines()[-1] == f"@localhost #{house.code(PHONE)}"
