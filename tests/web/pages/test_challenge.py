"""A page asks for a challenge where every sign-up needs one, or where a limit asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.cloudflare import SECRET, SITE_KEY, Cloudflare, open_cloudflare

from doorcode.domain import errors
from doorcode.domain.bot_protection import BotProtection, Mode, Widget
from doorcode.domain.errors import Refused
from doorcode.domain.instance import NameAttribute
from doorcode.domain.limits import CHECK_CHALLENGE
from doorcode.flows import sign_in, sign_up
from doorcode.security.turnstile import Turnstile
from doorcode.web.pages.words import say

from ..house import PHONE, Plan
from .conftest import Document, Person, Site, SiteBuilder
from .test_safety import expect_accessible, expect_protected

SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js"
FIELD = "cf-turnstile-response"
Guarded = Callable[..., Awaitable[Site]]


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    with open_cloudflare() as opened:
        yield opened


@pytest.fixture
def guarded(build_site: SiteBuilder, cloudflare: Cloudflare) -> Guarded:
    async def build_one(mode: Mode = Mode.ALWAYS, **changes: Any) -> Site:
        check = Turnstile(SECRET, cloudflare.url, frozenset({"localhost"}), seconds=0.5)
        protection = BotProtection(mode, SITE_KEY, "invisible", changes.pop("widget", Widget.SMART))
        limits = changes.pop("limits", False)
        instance = {"bot_protection": protection, **changes}
        plan = Plan(instance=instance, bot_check=check, limits=limits)
        return await build_site(plan)

    return build_one


def asks(monkeypatch: pytest.MonkeyPatch, story: Any, name: str) -> None:
    """Let a limit ask for a challenge at one step of a story."""
    whole = getattr(story, name)

    async def only_humans(deps: Any, caller: Any, *rest: Any) -> Any:
        if not caller.is_human:
            raise Refused(errors.CAPTCHA_REQUIRED)
        return await whole(deps, caller, *rest)

    monkeypatch.setattr(story, name, only_humans)


def widgets(answer: httpx.Response) -> list[dict[str, str | None]]:
    """The widgets of a page, each of which stands in a form; and the page may run one script."""
    page = Document(answer.text)
    found = [one for one in page.all("div") if one.get("class") == "cf-turnstile"]
    policy = answer.headers["content-security-policy"]
    assert ("script-src https://challenges.cloudflare.com" in policy) is bool(found)
    assert ("frame-src https://challenges.cloudflare.com" in policy) is bool(found)
    assert "unsafe" not in policy
    scripts = [{"src": SCRIPT, "async": None, "defer": None}] if found else []
    assert page.all("script") == scripts
    assert ("JavaScript is needed here" in page.text) is bool(found)
    expect_accessible(answer.text)
    return found


# ── always ────────────────────────────────────────────────────────────────────────────
async def test_the_form_to_sign_up_shows_the_widget(guarded: Guarded) -> None:
    person = (await guarded()).person()
    shown = widgets(await person.get("/sign-up"))
    assert shown == [{"class": "cf-turnstile", "data-sitekey": SITE_KEY, "data-action": "signup"}]


async def test_the_invisible_widget_has_a_key_of_its_own(guarded: Guarded) -> None:
    person = (await guarded(widget=Widget.INVISIBLE)).person()
    [widget] = widgets(await person.get("/sign-up"))
    assert widget["data-sitekey"] == "invisible"


async def test_no_other_page_runs_a_script(guarded: Guarded, cloudflare: Cloudflare) -> None:
    site = await guarded()
    person = site.person()
    form = {"identifier": PHONE, FIELD: cloudflare.answer("signup")}
    await person.post("/sign-up", **form)
    for path in ("/", "/sign-in", "/sign-up", "/inbox"):  # /sign-up asks for the code now
        answer = await person.get(path)
        assert widgets(answer) == []
        expect_protected(answer)


async def test_who_solves_it_signs_up(guarded: Guarded, cloudflare: Cloudflare) -> None:
    site = await guarded()
    person = site.person()
    form = {"identifier": PHONE, FIELD: cloudflare.answer("signup")}
    assert (await person.post("/sign-up", **form)).status_code == 303
    done = await person.post("/sign-up/code", code=site.house.code(PHONE))
    assert done.headers["location"] == "/"
    assert PHONE in (await person.get("/")).text


@pytest.mark.parametrize(
    ("answer", "said"),
    [("", "Wait until the check below has passed"), ("made up", "The check did not pass")],
)
async def test_who_does_not_is_shown_the_form_again(
    guarded: Guarded, answer: str, said: str
) -> None:
    site = await guarded()
    person = site.person()
    refused = await person.post("/sign-up", identifier=PHONE, **{FIELD: answer})
    assert refused.status_code == 400
    assert len(widgets(refused)) == 1
    page = Document(refused.text)
    assert said in page.text
    field = page.field("identifier")
    assert field["value"] == PHONE and "aria-invalid" not in field
    assert site.house.letters(PHONE) == []


async def test_a_wrong_address_is_said_and_the_widget_is_there_again(guarded: Guarded) -> None:
    person = (await guarded()).person()
    refused = await person.post("/sign-up", identifier="nonsense")
    assert refused.status_code == 400  # nothing is told to a program, not even what is wrong
    assert len(widgets(refused)) == 1


async def test_who_has_an_account_signs_in_without_one(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    site = await guarded()
    form = {"identifier": PHONE, FIELD: cloudflare.answer("signup")}
    first = site.person()
    await first.post("/sign-up", **form)
    await first.post("/sign-up/code", code=site.house.code(PHONE))
    site.house.clock.advance(60_000)
    done = await site.person().enter("/sign-in", PHONE)
    assert done.headers["location"] == "/"


# ── when a limit asks ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("path", "story", "action"), [("/sign-up", sign_up, "signup"), ("/sign-in", sign_in, "signin")]
)
async def test_the_same_form_comes_back_with_the_widget(
    guarded: Guarded,
    cloudflare: Cloudflare,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    story: Any,
    action: str,
) -> None:
    site = await guarded(Mode.WHEN_ASKED)
    if path == "/sign-in":
        await site.house.someone(PHONE)
    site.house.clock.advance(60_000)
    asks(monkeypatch, story, "start")
    person = site.person()
    assert widgets(await person.get(path)) == []

    asked = await person.post(path, identifier=PHONE)

    assert asked.status_code == 401
    [widget] = widgets(asked)
    assert widget["data-action"] == action
    page = Document(asked.text)
    assert "Show first that you are a person" in page.text
    assert page.field("identifier")["value"] == PHONE
    solved = {"identifier": PHONE, FIELD: cloudflare.answer(action)}
    assert (await person.post(path, **solved)).status_code == 303
    assert site.house.letters(PHONE)


async def started(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    site.house.clock.advance(60_000)


@pytest.mark.parametrize(("step", "name"), [("resend", "send_code"), ("code", "try_code")])
async def test_a_later_step_asks_in_the_form_that_was_sent(
    guarded: Guarded,
    cloudflare: Cloudflare,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    name: str,
) -> None:
    site = await guarded(Mode.WHEN_ASKED)
    person = site.person()
    await started(site, person)
    asks(monkeypatch, sign_up, name)
    typed = {"code": site.house.code(PHONE)} if step == "code" else {}

    asked = await person.post(f"/sign-up/{step}", **typed)

    assert asked.status_code == 401
    assert len(widgets(asked)) == 1
    before, _, _ = asked.text.partition('<div class="cf-turnstile"')
    assert before.rpartition('action="')[2].startswith(f'/sign-up/{step}"')
    solved = {**typed, FIELD: cloudflare.answer("signup")}
    assert (await person.post(f"/sign-up/{step}", **solved)).status_code == 303


async def test_the_form_for_what_is_missing_asks_too(
    guarded: Guarded, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = NameAttribute(used_for_sign_up=True, required=True)
    site = await guarded(Mode.WHEN_ASKED, first_name=name)
    person = site.person()
    await person.enter("/sign-up", PHONE)
    asks(monkeypatch, sign_up, "change")
    asked = await person.post("/sign-up/details", first_name="Ada")
    assert asked.status_code == 401
    assert len(widgets(asked)) == 1
    solved = {"first_name": "Ada", FIELD: cloudflare.answer("signup")}
    done = await person.post("/sign-up/details", **solved)
    assert done.headers["location"] == "/"


async def test_cloudflare_is_asked_no_oftener_than_the_limit_allows(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    """A new code is refused soon after the last one, but each try would make us ask them."""
    site = await guarded(Mode.WHEN_ASKED, limits=True)
    person = site.person()
    await person.post("/sign-up", identifier=PHONE)
    for _ in range(CHECK_CHALLENGE.times):
        await person.post("/sign-up/resend", **{FIELD: "made up"})
    answer = await person.post("/sign-up/resend", **{FIELD: "made up"})
    assert "That was a bit fast" in answer.text
    assert len(cloudflare.asked) == CHECK_CHALLENGE.times


# ── testing tokens ────────────────────────────────────────────────────────────────────
async def test_a_testing_token_in_the_address_goes_along_from_form_to_form(
    guarded: Guarded, cloudflare: Cloudflare
) -> None:
    site = await guarded()
    token = site.house.door.testing_tokens.make(site.house.clock.now)[0]
    query = f"?redirect_url=%2Fthere&__clerk_testing_token={token}"
    person = site.person()
    shown = await person.get(f"/sign-up{query}")
    assert widgets(shown) == []
    assert f"/sign-up{query}" in Document(shown.text).actions
    done = await person.enter("/sign-up", PHONE, query)
    assert done.headers["location"] == "/there"
    assert cloudflare.asked == []


async def test_a_token_that_is_none_is_not_carried_on(guarded: Guarded) -> None:
    person = (await guarded()).person()
    shown = await person.get("/sign-up?__clerk_testing_token=1.x")
    assert len(widgets(shown)) == 1
    assert Document(shown.text).actions == ["/sign-up"]


def test_a_wait_of_an_hour_is_not_called_fast() -> None:
    told = {
        seconds: say(replace(errors.TOO_MANY_REQUESTS, retry_after=seconds))
        for seconds in (9, 3184)
    }
    assert "a bit fast" in told[9]
    assert told[3184] == "Too many attempts came from your network. Try again in 54 minutes."
