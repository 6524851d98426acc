"""The SDK's ready-made `<SignUp/>`, `<SignIn/>`, `<UserButton/>` and `<Waitlist/>` work."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

BY_PHONE_ONLY = {"auth_email.used_for_sign_up": "off", "auth_email.used_for_sign_in": "off"}
BY_EMAIL_ONLY = {"auth_phone.used_for_sign_up": "off", "auth_phone.used_for_sign_in": "off"}
STEPS = {"phone": "verify-phone-number", "email": "verify-email-address"}


@pytest.fixture
def new_address(new_phone, new_email):
    """A new phone number or e-mail address."""
    return lambda by: new_phone() if by == "phone" else new_email()


# ── up and in ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("by", "settings"),
    [("phone", {}), ("email", {}), ("phone", BY_PHONE_ONLY), ("email", BY_EMAIL_ONLY)],
    ids=["phone of both", "email of both", "phone only", "email only"],
)
def test_sign_up_and_sign_in_take_one_code_each_reloaded_or_not(
    visitor, components, rules, inbox, new_address, by, settings
):
    address, page = new_address(by), visitor.page
    if settings:
        rules.change(settings)
    either = page.get_by_text(re.compile("^Use (phone|email)"))

    visitor.open("/prebuilt/sign-up")
    components.enter(address)
    expect(page).to_have_url(re.compile(f"/prebuilt/sign-up/{STEPS[by]}"))
    components.reload_at_the_code()
    assert len(inbox.messages(address)) == 1
    components.answer(address)
    visitor.arrives("/dashboard")
    visitor.sees("phone-number" if by == "phone" else "email-address", address)
    user_id = visitor.user_id()

    visitor.sign_out()

    visitor.open("/prebuilt/sign-in")
    components.type_address(address)
    expect(either).to_have_count(0 if settings else 1)
    components.enter(address)
    expect(page).to_have_url(re.compile("/prebuilt/sign-in/factor-one"))
    components.reload_at_the_code()
    assert len(inbox.messages(address)) == 2
    components.answer(address)
    visitor.arrives("/dashboard")
    assert visitor.user_id() == user_id


def test_a_wrong_code_is_said(visitor, components, inbox, new_phone, wrong):
    phone, page = new_phone(), visitor.page
    visitor.open("/prebuilt/sign-up")
    components.enter(phone)

    components.type_code(wrong(inbox.code(phone)))

    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Incorrect code")
    components.answer(phone)
    visitor.arrives("/dashboard")


@pytest.mark.parametrize("by", ["phone", "email"])
def test_one_form_signs_up_who_is_new_and_in_who_is_known(visitor, components, new_address, by):
    address, page = new_address(by), visitor.page
    visitor.open("/prebuilt/either")
    components.enter(address)
    expect(page).to_have_url(re.compile(f"/prebuilt/either/create/{STEPS[by]}"))
    components.answer(address)
    visitor.arrives("/dashboard")
    user_id = visitor.user_id()

    visitor.sign_out()

    visitor.open("/prebuilt/either")
    components.enter(address)
    expect(page).to_have_url(re.compile("/prebuilt/either/factor-one"))
    components.answer(address)
    visitor.arrives("/dashboard")
    assert visitor.user_id() == user_id


def test_sign_up_asks_for_all_that_is_required(visitor, components, rules, new_phone, new_email):
    rules.change(
        {
            "auth_phone.required": "on",
            "auth_email.required": "on",
            "auth_username.used_for_sign_up": "on",
            "auth_username.required": "on",
            "auth_first_name.used_for_sign_up": "on",
            "auth_first_name.required": "on",
            "legal_consent.enabled": "on",
            "urls.terms_url": "/terms",
        }
    )
    email, phone, page = new_email(), new_phone(), visitor.page
    username = "ann" + phone.removeprefix("+")
    visitor.open("/prebuilt/sign-up")
    page.get_by_label("First name").fill("Ann")
    page.get_by_label("Username").fill(username)
    components.email_field.fill(email)
    components.phone_field.fill(phone)
    expect(page.get_by_role("link", name="Terms of Service")).to_have_attribute("href", "/terms")
    page.get_by_role("checkbox").check()
    with visitor.is_sent_a_code():
        components.press("Continue")
    with visitor.is_sent_a_code():
        components.answer(email)
    components.answer(phone)
    visitor.arrives("/dashboard")
    visitor.sees("email-address", email)
    visitor.sees("phone-number", phone)

    components.open_account()
    expect(components.section("profile")).to_contain_text("Ann")
    expect(components.section("username")).to_contain_text(username)


# ── who may ───────────────────────────────────────────────────────────────────────────
def test_where_sign_up_is_restricted_the_form_says_so(visitor, components, rules, new_email):
    rules.change({"sign_up_mode": "restricted"})
    page = visitor.page
    visitor.open("/prebuilt/sign-up")
    expect(page.get_by_text("Sign ups are currently disabled")).to_be_visible()
    expect(page.locator("main input")).to_have_count(0)

    visitor.open("/prebuilt/sign-in")
    components.type_address(new_email())
    components.press("Continue")
    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Couldn't find your account.")


def test_where_there_is_a_waitlist_people_join_it(visitor, components, rules, new_email):
    rules.change({"sign_up_mode": "waitlist"})
    page = visitor.page
    visitor.open("/prebuilt/sign-up")
    components.press("Join waitlist")
    visitor.arrives("/prebuilt/waitlist")
    page.get_by_label("Email address").fill(new_email())
    components.press("Join the waitlist")
    expect(page.get_by_text("Thanks for joining the waitlist!")).to_be_visible()


# ── who is signed in ──────────────────────────────────────────────────────────────────
def test_the_user_button_shows_the_person_and_signs_out(visitor, components, new_email):
    email = new_email()
    components.sign_up(email)

    panel = components.open_user_button()

    expect(panel).to_contain_text(email)
    drawn = panel.get_by_role("img", name="logo")
    assert drawn.evaluate("async picture => (await picture.decode(), picture.naturalWidth)") > 0
    panel.get_by_role("button", name="Manage account").click()
    account = visitor.page.get_by_role("dialog").filter(has_text="Profile details")
    expect(account).to_contain_text(email)
    visitor.page.keyboard.press("Escape")
    expect(account).to_have_count(0)
    components.sign_out()
    visitor.is_refused_the_dashboard()


def test_two_people_share_a_browser(visitor, components, rules, new_email):
    rules.change({"session.single_session_mode": "off"})
    ann, bob, page = new_email(), new_email(), visitor.page
    components.sign_up(ann)
    ann_id = visitor.user_id()

    components.open_user_button().get_by_role("button", name="Add account").click()
    visitor.arrives("/prebuilt/sign-in")
    page.locator("main").get_by_role("link", name="Sign up").click()
    visitor.arrives("/prebuilt/sign-up")
    components.enter(bob)
    components.answer(bob)
    visitor.arrives("/dashboard")
    assert visitor.user_id() != ann_id

    components.open_user_button().get_by_role("button", name=ann).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    visitor.open("/dashboard")
    assert visitor.user_id() == ann_id

    panel = components.open_user_button()
    expect(panel.get_by_role("button", name=bob)).to_be_visible()
    # The panel closes at the click: going elsewhere before the answer would take the call back.
    with page.expect_response(re.compile(r"/sessions/\w+/(remove|end)")):
        panel.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    visitor.open("/dashboard")
    visitor.sees("email-address", bob)
