"""A person is told from a program by a challenge: always, when a limit asks, or never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.cloudflare import SECRET, SITE_KEY, Cloudflare, open_cloudflare

from doorcode.domain import errors
from doorcode.domain.bot_protection import BotProtection, Mode
from doorcode.domain.errors import Refused
from doorcode.domain.limits import CHECK_CHALLENGE, HUMAN_FOR, SAME_CLICK
from doorcode.flows import sign_in
from doorcode.flows.deps import Caller, Deps
from doorcode.security.turnstile import Turnstile

from .conftest import Builder
from .house import EMAIL, OTHER_PHONE, PHONE, Browser, House, refusal

MISSING = (400, "captcha_missing_token", None)
INVALID = (400, "captcha_invalid", None)
REQUIRED = (401, "requires_captcha", None)
SIGN_UP = {"phone_number": PHONE}
OPEN = {"identifier": EMAIL, "strategy": "email_code", "sign_up_if_missing": "true"}
Guarded = Callable[..., Awaitable[House]]


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    with open_cloudflare() as opened:
        yield opened


@pytest.fixture
def guarded(build: Builder, cloudflare: Cloudflare) -> Guarded:
    """Build a server with bot protection, which asks the double."""

    async def build_one(mode: Mode = Mode.ALWAYS, seconds: float = 0.5, **plan: Any) -> House:
        check = Turnstile(SECRET, cloudflare.url, frozenset({"localhost"}), seconds)
        protection = BotProtection(mode, SITE_KEY, has_secret=True)
        return await build(instance={"bot_protection": protection}, bot_check=check, **plan)

    return build_one


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> list[Caller]:
    """A limit that asks whoever signs in for a challenge; who came."""
    came: list[Caller] = []
    start = sign_in.start

    async def start_if_human(deps: Deps, caller: Caller, wanted: sign_in.Wanted) -> Any:
        came.append(caller)
        if not caller.is_human:
            raise Refused(errors.CAPTCHA_REQUIRED)
        return await start(deps, caller, wanted)

    monkeypatch.setattr(sign_in, "start", start_if_human)
    return came


async def bypass(browser: Browser) -> bool:
    return bool((await browser.client())["captcha_bypass"])


# ── always ────────────────────────────────────────────────────────────────────────────
async def test_nobody_signs_up_without_a_challenge(guarded: Guarded, cloudflare: Any) -> None:
    house = await guarded()
    browser = house.browser()
    assert refusal(await browser.post("/v1/client/sign_ups", SIGN_UP)) == MISSING
    made_up = {**SIGN_UP, "captcha_token": "made up", "captcha_widget_type": "smart"}
    assert refusal(await browser.post("/v1/client/sign_ups", made_up)) == INVALID
    assert house.rows("sign_ups", "clients") == {"sign_ups": 0, "clients": 0}
    await browser.sign_up(captcha_token=cloudflare.answer("signup"))
    assert (await browser.client())["sessions"]


async def test_a_challenge_that_failed_in_the_browser_is_none(guarded: Guarded) -> None:
    house = await guarded()
    form = {**SIGN_UP, "captcha_error": "300030", "captcha_widget_type": "smart"}
    assert refusal(await house.browser().post("/v1/client/sign_ups", form)) == MISSING


async def test_an_answer_lets_one_person_in(guarded: Guarded, cloudflare: Any) -> None:
    house, token = await guarded(), cloudflare.answer("signup")
    await house.browser().sign_up(captcha_token=token)
    second = {"phone_number": OTHER_PHONE, "captcha_token": token}
    assert refusal(await house.browser().post("/v1/client/sign_ups", second)) == INVALID


async def test_a_challenge_for_something_else_is_refused(guarded: Guarded, cloudflare: Any) -> None:
    house = await guarded()
    form = {**SIGN_UP, "captcha_token": cloudflare.answer("verify")}
    assert refusal(await house.browser().post("/v1/client/sign_ups", form)) == INVALID


@pytest.mark.parametrize("trouble", ["500", "page", "hang"])
async def test_nobody_gets_in_by_an_outage(
    guarded: Guarded, cloudflare: Cloudflare, trouble: str
) -> None:
    house = await guarded()
    form = {**SIGN_UP, "captcha_token": cloudflare.answer("signup")}
    cloudflare.trouble = trouble
    with capture_logs() as logs:
        assert refusal(await house.browser().post("/v1/client/sign_ups", form)) == INVALID
    assert [line["event"] for line in logs] == ["bot check unreachable, nobody passes"]


async def test_others_are_served_while_an_answer_is_checked(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    """The check holds no unit of work open."""
    house = await guarded(seconds=60)
    cloudflare.trouble = "hang"
    form = {**SIGN_UP, "captcha_token": cloudflare.answer("signup")}
    waiting = asyncio.create_task(house.browser().post("/v1/client/sign_ups", form))
    assert (await house.browser().post("/v1/client")).status_code == 200
    assert not waiting.done()
    cloudflare.closing.set()
    assert refusal(await waiting) == INVALID


async def test_a_wrong_field_is_said_before_an_answer_is_used_up(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house, token = await guarded(), cloudflare.answer("signup")
    form = {"email_address": EMAIL, "strategy": "fax", "captcha_token": token}
    answer = await house.browser().post("/v1/client/sign_ups", form)
    assert refusal(answer)[1] == "form_param_value_invalid"
    await house.browser().sign_up(captcha_token=token)


async def test_a_long_answer_fits(guarded: Guarded, cloudflare: Cloudflare) -> None:
    """They have up to 2048 characters."""
    house = await guarded()
    token = cloudflare.answer("signup").ljust(2048, "x")
    await house.browser().sign_up(captcha_token=token)


async def test_whoever_has_an_account_signs_in_without_one(
    guarded: Guarded, cloudflare: Any
) -> None:
    house = await guarded()
    await house.browser().sign_up(captcha_token=cloudflare.answer("signup"))
    house.clock.advance(60_000)
    await house.browser().sign_in()


async def test_a_sign_in_that_may_become_a_sign_up_asks_once_for_both(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house = await guarded()
    browser = house.browser()
    assert refusal(await browser.post("/v1/client/sign_ins", OPEN)) == MISSING
    form = {**OPEN, "captcha_token": cloudflare.answer("signin")}
    sign_in_id = (await browser.post("/v1/client/sign_ins", form)).json()["response"]["id"]
    tried = await browser.attempt_sign_in(sign_in_id, house.code(EMAIL), "email_code")
    assert refusal(tried)[1] == "sign_up_if_missing_transfer"
    # SDKs run no second challenge for the address that was proved.
    done = await browser.post("/v1/client/sign_ups", {"transfer": "true"})
    assert done.json()["response"]["status"] == "complete"


async def test_a_transfer_of_nothing_is_no_way_around(guarded: Guarded) -> None:
    house = await guarded()
    form = {**SIGN_UP, "transfer": "true"}
    answer = await house.browser().post("/v1/client/sign_ups", form)
    assert refusal(answer)[1] == "account_transfer_invalid"
    assert house.rows("sign_ups") == {"sign_ups": 0}


# ── when a limit asks ─────────────────────────────────────────────────────────────────
async def test_nobody_is_asked_before_a_limit_asks(guarded: Guarded, cloudflare: Any) -> None:
    house = await guarded(Mode.WHEN_ASKED)
    browser = house.browser()
    await browser.sign_up()
    assert await bypass(browser)  # so SDKs run no challenge beforehand
    assert cloudflare.asked == []


async def test_a_failed_challenge_counts_as_none_where_none_is_needed(
    guarded: Guarded, cloudflare: Cloudflare, asking: list[Caller]
) -> None:
    house = await guarded(Mode.WHEN_ASKED)
    await house.browser().sign_up(captcha_token="made up")
    cloudflare.trouble = "500"
    form = {"identifier": PHONE, "captcha_token": cloudflare.answer("signin")}
    assert refusal(await house.browser().post("/v1/client/sign_ins", form)) == REQUIRED


async def test_a_challenge_that_comes_along_answers_the_limit(
    guarded: Guarded, cloudflare: Cloudflare, asking: list[Caller]
) -> None:
    house = await guarded(Mode.WHEN_ASKED)
    await house.someone()
    form = {"identifier": PHONE, "captcha_token": cloudflare.answer("signin")}
    assert (await house.browser().post("/v1/client/sign_ins", form)).status_code == 200
    assert [caller.is_human for caller in asking] == [True]


async def test_a_browser_shows_once_that_it_is_a_persons_and_repeats_its_call(
    guarded: Guarded, cloudflare: Cloudflare, asking: list[Caller]
) -> None:
    house = await guarded(Mode.WHEN_ASKED)
    await house.someone()
    browser = house.browser()
    assert refusal(await browser.post("/v1/client/sign_ins", {"identifier": PHONE})) == REQUIRED
    solved = {"captcha_token": cloudflare.answer("verify"), "captcha_action": "verify"}
    verified = await browser.post("/v1/client/verify", solved)
    assert verified.json()["response"]["object"] == "client"
    assert browser.token  # it had been no client yet
    await browser.start_sign_in(PHONE)

    house.clock.advance(HUMAN_FOR - 1)
    await browser.start_sign_in(PHONE)
    house.clock.advance(1)
    assert refusal(await browser.post("/v1/client/sign_ins", {"identifier": PHONE})) == REQUIRED


async def test_it_holds_for_a_development_browser_too(
    guarded: Guarded, cloudflare: Cloudflare, asking: list[Caller]
) -> None:
    house = await guarded(Mode.WHEN_ASKED)
    await house.someone()
    browser = house.browser()
    token = (await browser.post("/v1/dev_browser")).json()["id"]
    browser.http.params = {"__clerk_db_jwt": token}
    assert refusal(await browser.post("/v1/client/sign_ins", {"identifier": PHONE})) == REQUIRED
    await browser.post("/v1/client/verify", {"captcha_token": cloudflare.answer("verify")})
    browser.http.cookies.clear()
    await browser.start_sign_in(PHONE)


# ── POST /v1/client/verify ────────────────────────────────────────────────────────────
async def test_a_known_person_signs_up_once_without_another_challenge(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house = await guarded()
    browser = house.browser()
    await browser.post("/v1/client")
    assert not await bypass(browser)
    await browser.post("/v1/client/verify", {"captcha_token": cloudflare.answer("verify")})
    assert await bypass(browser)
    await browser.sign_up()  # one click of a person opens the door once, and not to a program
    assert not await bypass(browser)
    await browser.post("/v1/client/verify", {"captcha_token": cloudflare.answer("verify")})
    assert await bypass(browser)
    house.clock.advance(HUMAN_FOR)
    assert not await bypass(browser)


async def test_being_known_does_not_prolong_itself(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house = await guarded()
    browser = house.browser()
    await browser.post("/v1/client/verify", {"captcha_token": cloudflare.answer("verify")})
    house.clock.advance(HUMAN_FOR // 2)
    assert refusal(await browser.post("/v1/client/verify")) == MISSING
    form = {"captcha_token": "made up"}
    assert refusal(await browser.post("/v1/client/verify", form)) == INVALID
    form = {"captcha_token": cloudflare.answer("signup")}
    assert refusal(await browser.post("/v1/client/verify", form)) == INVALID
    house.clock.advance(HUMAN_FOR // 2)
    assert not await bypass(browser)


async def test_a_failed_challenge_makes_no_client(guarded: Guarded) -> None:
    house = await guarded()
    answer = await house.browser().post("/v1/client/verify", {"captcha_token": "made up"})
    assert refusal(answer) == INVALID
    assert house.rows("clients") == {"clients": 0}


async def test_the_challenge_of_one_browser_is_not_anothers(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house = await guarded()
    form = {"captcha_token": cloudflare.answer("verify")}
    await house.browser().post("/v1/client/verify", form)
    assert refusal(await house.browser().post("/v1/client/sign_ups", SIGN_UP)) == MISSING


async def test_cloudflare_is_asked_no_oftener_than_the_limit_allows(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house = await guarded(limits=True)
    browser = house.browser()
    for _ in range(CHECK_CHALLENGE.times):
        await browser.post("/v1/client/verify", {"captcha_token": "made up"})
    answer = await browser.post("/v1/client/verify", {"captcha_token": "made up"})
    assert refusal(answer)[1] == "too_many_requests"
    assert len(cloudflare.asked) == CHECK_CHALLENGE.times


# ── off ───────────────────────────────────────────────────────────────────────────────
async def test_what_open_pages_still_send_is_passed_over(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    house = await guarded(Mode.OFF)
    await house.browser().sign_up(captcha_token="from before it was switched off")
    answer = await house.browser().post("/v1/client/verify", {"captcha_token": "x"})
    assert refusal(answer) == (400, "captcha_not_enabled", None)
    assert cloudflare.asked == []


async def test_without_a_check_nobody_passes(build: Builder) -> None:
    protection = BotProtection(Mode.ALWAYS, SITE_KEY)
    house = await build(instance={"bot_protection": protection})
    form = {**SIGN_UP, "captcha_token": "pass.signup.1"}
    assert refusal(await house.browser().post("/v1/client/sign_ups", form)) == INVALID


# ── testing tokens ────────────────────────────────────────────────────────────────────
async def in_a_test(house: House) -> Browser:
    """A browser whose every call carries a testing token, as `@clerk/testing` does it."""
    token = (await house.ask("POST", "/v1/testing_tokens")).json()["token"]
    browser = house.browser()
    browser.http.params = {"__clerk_testing_token": token}
    return browser


async def test_a_testing_token_passes_for_a_challenge(
    guarded: Guarded, cloudflare: Cloudflare, asking: list[Caller]
) -> None:
    house = await guarded()
    browser = await in_a_test(house)
    await browser.sign_up()
    await browser.sign_out()
    await browser.start_sign_in(PHONE)
    assert (await browser.post("/v1/client/verify")).status_code == 200
    assert [(one.is_human, one.is_testing) for one in asking] == [(True, True)]
    assert cloudflare.asked == []


async def test_a_testing_token_passes_the_limits_of_an_address(build: Builder) -> None:
    house = await build(limits=True)
    browser = await in_a_test(house)
    for _ in range(12):
        await browser.start_sign_up(phone_number=PHONE)
    stranger = house.browser()
    for _ in range(5):
        await stranger.start_sign_up(phone_number=PHONE)  # what was free cost nobody else
    answer = await stranger.post("/v1/client/sign_ups", SIGN_UP)
    assert refusal(answer)[1] == "too_many_requests"


async def test_a_testing_token_guesses_no_more_than_anybody(build: Builder) -> None:
    house = await build(limits=True)
    await house.someone()
    browser = await in_a_test(house)
    sign_in_id = await browser.start_sign_in(PHONE, strategy="phone_code")
    wrong = house.wrong()
    codes = [refusal(await browser.attempt_sign_in(sign_in_id, wrong))[1] for _ in range(6)]
    assert codes == ["form_code_incorrect"] * 4 + ["verification_failed"] * 2


async def test_a_testing_token_sends_no_more_than_anybody(build: Builder) -> None:
    house = await build(limits=True)
    browser = await in_a_test(house)
    sign_up = await browser.start_sign_up(phone_number=PHONE, strategy="phone_code")
    assert (await browser.prepare_sign_up(sign_up)).status_code == 200  # the same click
    house.clock.advance(SAME_CLICK)
    answer = await browser.prepare_sign_up(sign_up)
    assert refusal(answer)[1] == "verification_code_too_many_requests"
    assert len(house.letters(PHONE)) == 1


@pytest.mark.parametrize(("test_mode", "passes"), [(True, True), (False, False)])
async def test_in_production_a_testing_token_counts_in_test_mode_only(
    guarded: Guarded, test_mode: bool, passes: bool
) -> None:
    house = await guarded(development=False, test_mode=test_mode)
    text, _ = house.door.testing_tokens.make(house.clock.now)
    path = f"/v1/client/sign_ups?__clerk_testing_token={text}"
    answer = await house.browser().post(path, SIGN_UP)
    assert answer.status_code == 200 if passes else refusal(answer) == MISSING


async def test_an_old_or_made_up_testing_token_is_passed_over(guarded: Guarded) -> None:
    house = await guarded()
    text, _ = house.door.testing_tokens.make(house.clock.now - 3_600_000)
    for token in (text, "1900000000.00", "", "."):
        path = f"/v1/client/sign_ups?__clerk_testing_token={token}"
        assert refusal(await house.browser().post(path, SIGN_UP)) == MISSING
