"""The real SDK and the hosted pages run a challenge where one is asked for, and go on.

Cloudflare is not on this machine: the browser is given a script in place of theirs, which
speaks the documented interface of a widget that everybody solves at once. Its answers are
checked by the server over HTTP, with a double of theirs (`tests/cloudflare.py`).
"""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import expect
from tests.cloudflare import SITE_KEY

from doorcode.domain import errors

pytestmark = pytest.mark.e2e

THEIRS = "https://challenges.cloudflare.com/"
WIDGET = """
window.turnstile = {
  render(container, { sitekey, action, callback }) {
    const at = typeof container === 'string' ? document.querySelector(container) : container
    if (!at) throw new Error(`no element ${container}`)
    if (sitekey !== 'SITE_KEY') throw new Error(`not our key: ${sitekey}`)
    setTimeout(() => callback(`pass.${action || ''}.${Math.random()}`), 50)
    return 'widget'
  },
  reset() {},
  remove() {},
}
if (!document.currentScript.src.includes('render=explicit')) {
  for (const at of document.querySelectorAll('.cf-turnstile')) {
    const { sitekey, action } = at.dataset
    const field = document.createElement('input')
    Object.assign(field, { type: 'hidden', name: 'cf-turnstile-response' })
    const callback = (token) => { field.value = token; at.append(field) }
    turnstile.render(at, { sitekey, action, callback })
  }
}
""".replace("SITE_KEY", SITE_KEY)


@pytest.fixture(autouse=True)
def scripts(context, traffic):
    """The addresses at which the browser asked for Cloudflare's script."""
    asked: list[str] = []

    def give(route):
        asked.append(route.request.url)
        route.fulfill(content_type="text/javascript", body=WIDGET)

    context.route(f"{THEIRS}**", give)
    yield asked
    # It was answered here, so it did not leave this machine.
    traffic.urls = [url for url in traffic.urls if not url.startswith(THEIRS)]


@pytest.fixture
def asks(rules):
    """Turn bot protection on."""
    return lambda mode, **others: rules.change(
        {"bot_protection.mode": mode, "bot_protection.site_key": SITE_KEY, **others}
    )


@pytest.fixture
def sent(page):
    """The forms that were posted to the Frontend API: the end of the path, and the fields."""
    forms: list[tuple[str, dict[str, str]]] = []

    def note(request):
        if request.method == "POST" and "/v1/client" in request.url:
            fields = parse_qs(request.post_data or "")
            path = request.url.partition("?")[0].partition("/v1/client")[2]
            forms.append((path, {name: values[0] for name, values in fields.items()}))

    page.on("request", note)
    return forms


def test_a_sign_up_shows_that_there_is_a_person(
    visitor, components, asks, cloudflare, scripts, sent, new_phone
):
    asks("always")
    phone = new_phone()
    checked = len(cloudflare.asked)

    components.sign_up(phone)

    [created] = [form for path, form in sent if path == "/sign_ups"]
    assert created["captcha_token"].startswith("pass.signup.")
    assert [form["response"] for form in cloudflare.asked[checked:]] == [created["captcha_token"]]
    assert scripts == [f"{THEIRS}turnstile/v0/api.js?render=explicit"]
    components.sign_out()
    components.sign_in(phone)  # who has an account is asked for nothing
    visitor.arrives("/dashboard")
    assert len(cloudflare.asked) == checked + 1


def test_a_form_of_ones_own_signs_up(visitor, asks, cloudflare, inbox, new_phone):
    asks("always")
    phone, checked = new_phone(), len(cloudflare.asked)
    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    assert len(cloudflare.asked) == checked + 1


def test_a_failed_check_is_said(visitor, components, asks, cloudflare, new_phone):
    asks("always")
    visitor.open("/prebuilt/sign-up")
    cloudflare.trouble = "500"
    try:
        components.type_address(new_phone())
        components.press("Continue")
        expect(visitor.page.get_by_text(errors.CAPTCHA_INVALID.long_message)).to_be_visible()
    finally:
        cloudflare.trouble = ""
    components.press("Continue")
    expect(components.code_field).to_be_visible()


def test_the_shield_asks_and_the_sdk_answers_and_repeats_the_call(
    visitor, server, components, asks, cloudflare, scripts, sent
):
    asks("when_asked", **{"shield.mode": "challenge"})
    block = "+190727831"
    pumped = [_ask_for_a_code(server.url, f"{block}{end:02}") for end in range(40)]
    assert pumped[0] == 200  # until the block is known for codes that nobody types
    assert pumped[-1] == 401

    visitor.open("/prebuilt/sign-up")
    components.type_address(f"{block}77")
    components.press("Continue")
    expect(components.code_field).to_be_visible()
    visitor.page.wait_for_load_state("networkidle")
    components.answer(f"{block}77")
    visitor.arrives("/dashboard")

    asked = [path for path, _ in sent]
    assert asked.count("/verify") == 1
    begun = asked[asked.index("/verify") - 1 : asked.index("/verify") + 2]
    assert begun == [begun[0], "/verify", begun[0]]  # the call that was refused, once more
    [solved] = [form for path, form in sent if path == "/verify"]
    assert solved["captcha_token"].startswith("pass.verify.")
    assert cloudflare.asked[-1]["response"] == solved["captcha_token"]
    assert len(scripts) == 1


def _ask_for_a_code(server: str, phone: str) -> int:
    """What a bot is answered that has a code sent which nobody types."""
    with httpx.Client(base_url=f"{server}/v1/client", params={"_is_native": "1"}) as bot:
        begun = bot.post("/sign_ups", data={"phone_number": phone})
        bot.headers["authorization"] = begun.headers["authorization"]
        attempt = begun.json()["response"]["id"]
        form = {"strategy": "phone_code"}
        return bot.post(f"/sign_ups/{attempt}/prepare_verification", data=form).status_code


def test_nobody_known_is_challenged_before_a_limit_asks(
    visitor, components, asks, scripts, sent, new_phone
):
    asks("when_asked")
    components.sign_up(new_phone())
    components.sign_out()
    scripts.clear()
    sent.clear()

    components.sign_up(new_phone())

    [created] = [form for path, form in sent if path == "/sign_ups"]
    assert "captcha_token" not in created
    assert scripts == []


def test_the_hosted_page_shows_the_widget(page, server, asks, inbox, new_phone):
    asks("always")
    phone = new_phone()
    page.goto(f"{server.url}/sign-up")
    page.get_by_label("Phone number or e-mail address").fill(phone)
    expect(page.locator('input[name="cf-turnstile-response"]')).to_have_count(1)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(inbox.code(phone))
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
