"""How far answers tell who has an account: `off` says so, `bulk` a few times, `strict` never."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.instance import Enumeration
from doorcode.domain.limits import HOUR, TOLD_APART

from ..conftest import Builder
from ..house import EMAIL, OTHER_PHONE, PHONE, House, refusal

SIGN_INS, SIGN_UPS = "/v1/client/sign_ins", "/v1/client/sign_ups"
UNKNOWN = "nobody@example.com"


async def house_with(build: Builder, mode: Enumeration, **plan: Any) -> House:
    house = await build(instance={"enumeration": mode}, **plan)
    await house.someone(EMAIL)
    return house


async def asks(house: House, identifier: str) -> tuple[int, str | None]:
    answer = await house.browser().post(SIGN_INS, {"identifier": identifier})
    code = None if answer.status_code == 200 else refusal(answer)[1]
    return answer.status_code, code


# ── off ───────────────────────────────────────────────────────────────────────────────
async def test_off_says_so(build: Builder) -> None:
    house = await house_with(build, Enumeration.OFF)
    assert await asks(house, EMAIL) == (200, None)
    assert await asks(house, UNKNOWN) == (422, "form_identifier_not_found")


# ── bulk ──────────────────────────────────────────────────────────────────────────────
async def told_out(house: House) -> None:
    """Have it told of as many as one client address is told of in an hour."""
    for number in range(TOLD_APART.times):
        house.clock.advance(10_000)  # not faster than anybody may begin
        assert await asks(house, f"nobody{number}@example.com") == (
            422,
            "form_identifier_not_found",
        )
    house.clock.advance(10_000)


async def test_bulk_says_so_a_few_times_and_then_looks_nobody_up(build: Builder) -> None:
    house = await house_with(build, Enumeration.BULK, limits=True)
    await told_out(house)
    # Were only the telling answers refused, the refusal would tell.
    assert await asks(house, UNKNOWN) == (429, "too_many_requests")
    assert await asks(house, EMAIL) == (429, "too_many_requests")
    taken = await house.browser().post(SIGN_UPS, {"email_address": EMAIL})
    assert refusal(taken)[1] == "too_many_requests"
    assert int(taken.headers["retry-after"]) > 3000


async def test_bulk_counts_what_a_sign_up_and_a_profile_tell(build: Builder) -> None:
    house = await house_with(build, Enumeration.BULK, limits=True)
    browser = house.browser()
    await browser.sign_up(PHONE)
    for _ in range(TOLD_APART.times // 2):
        house.clock.advance(10_000)
        taken = await house.browser().post(SIGN_UPS, {"email_address": EMAIL})
        assert refusal(taken)[1] == "form_identifier_exists"
        taken = await browser.post("/v1/me/email_addresses", {"email_address": EMAIL})
        assert refusal(taken)[1] == "form_identifier_exists"
    house.clock.advance(10_000)
    assert await asks(house, EMAIL) == (429, "too_many_requests")


async def test_bulk_opens_again_and_counts_no_answer_that_tells_nothing(build: Builder) -> None:
    house = await house_with(build, Enumeration.BULK, limits=True)
    for _ in range(TOLD_APART.times + 5):
        house.clock.advance(10_000)
        assert await asks(house, EMAIL) == (200, None)
    await told_out(house)
    house.clock.advance(HOUR)
    assert await asks(house, UNKNOWN) == (422, "form_identifier_not_found")


async def test_off_and_strict_have_no_such_limit(build: Builder) -> None:
    for mode, said in ((Enumeration.OFF, 422), (Enumeration.STRICT, 200)):
        house = await house_with(build, mode, limits=True)
        for _ in range(TOLD_APART.times + 2):
            house.clock.advance(10_000)
            assert (await asks(house, UNKNOWN))[0] == said


# ── strict ────────────────────────────────────────────────────────────────────────────
async def test_strict_sends_an_unknown_mailbox_a_word_and_an_unknown_phone_nothing(
    build: Builder,
) -> None:
    house = await house_with(build, Enumeration.STRICT)
    for identifier, strategy in ((UNKNOWN, "email_code"), (OTHER_PHONE, "phone_code")):
        sign_in = await house.browser().start_sign_in(identifier, strategy=strategy)
        assert sign_in
    await house.delivered()
    [letter] = house.inbox.messages(UNKNOWN)
    assert letter.code == ""
    assert "There is no account" in letter.body
    assert house.inbox.messages(OTHER_PHONE) == []


async def test_strict_tells_the_owner_of_a_taken_address_and_nobody_else(build: Builder) -> None:
    house = await build(instance={"enumeration": Enumeration.STRICT})
    owner = house.browser()
    sign_up = await owner.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    for to, strategy in ((PHONE, "phone_code"), (EMAIL, "email_code")):
        await owner.prepare_sign_up(sign_up, strategy)
        await house.delivered()
        await owner.attempt_sign_up(sign_up, house.code(to), strategy)
    before = len(house.inbox.messages(EMAIL))
    texts = len(house.inbox.messages(PHONE))
    stranger = house.browser()
    for form in ({"email_address": EMAIL}, {"phone_number": PHONE}):
        strategy = "email_code" if "email_address" in form else "phone_code"
        attempt = await stranger.start_sign_up(**form, strategy=strategy)
        for code in ("000000", "424242"):
            answer = await stranger.attempt_sign_up(attempt, code, strategy)
            assert refusal(answer) == (422, "form_code_incorrect", "code")
        await house.delivered()
    told = house.inbox.messages(EMAIL)[: -before or None]
    assert ["already" in one.body for one in told] == [True, True]
    assert len(house.inbox.messages(PHONE)) == texts


async def test_strict_signs_in_whoever_has_an_account(build: Builder) -> None:
    house = await build(instance={"enumeration": Enumeration.STRICT})
    browser = house.browser()
    attempt = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    await house.delivered()
    await browser.attempt_sign_up(attempt, house.code())
    await browser.sign_out()
    house.clock.advance(1)
    begun = await browser.post(SIGN_INS, {"identifier": PHONE, "strategy": "phone_code"})
    shown = begun.json()["response"]
    assert shown["user_data"] is None
    assert [one["safe_identifier"] for one in shown["supported_first_factors"]] == [PHONE]
    await house.delivered()
    answer = await browser.attempt_sign_in(shown["id"], house.code())
    assert answer.json()["response"]["status"] == "complete"


@pytest.mark.parametrize("identifier", [EMAIL, UNKNOWN])
async def test_strict_shows_the_same_whoever_is_asked_for(build: Builder, identifier: str) -> None:
    house = await house_with(build, Enumeration.STRICT)
    answer = await house.browser().post(SIGN_INS, {"identifier": identifier})
    shown = answer.json()["response"]
    assert shown["status"] == "needs_first_factor"
    assert shown["user_data"] is None
    [factor] = shown["supported_first_factors"]
    assert (factor["strategy"], factor["primary"]) == ("email_code", True)
