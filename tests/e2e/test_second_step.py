"""Two steps in the SDK's ready-made components: set up, asked for, and required."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

BY_TEXT_MESSAGE = {
    "auth_phone.used_for_second_factor": "on",
    "auth_backup_code.enabled": "on",
}


def begin_sign_in(components, email):
    components.sign_in(email)
    expect(components.page).to_have_url(re.compile("/prebuilt/sign-in/factor-two"))


def test_a_second_step_is_set_up_and_asked_for(
    visitor, visit, components, rules, inbox, new_email, new_phone, wrong
):
    rules.change(BY_TEXT_MESSAGE)
    email, phone, page = new_email(), new_phone(), visitor.page
    components.sign_up(email)
    user_id = visitor.user_id()
    components.open_account()
    components.add_address(phone)
    components.answer(phone)
    expect(components.code_field).to_have_count(0)

    components.open_security()
    components.press("Add two-step verification")
    page.get_by_role("menuitem", name="SMS code").click()
    page.get_by_role("button", name=phone[-4:]).click()
    backup_codes = components.backup_codes()
    components.press("Finish")
    expect(components.section("mfa")).to_contain_text("Default")
    expect(page.locator("main")).not_to_contain_text(backup_codes[0])
    components.sign_out()

    # By the phone.
    begin_sign_in(components, email)
    masked = page.get_by_text(f"+1********{phone[-2:]}")
    expect(masked).to_be_visible()
    expect(components.code_field).to_be_visible()
    half_in = visit(page.context.new_page(), visitor.app)
    half_in.is_refused_the_dashboard()
    half_in.page.close()
    components.type_code(wrong(inbox.code(phone)))
    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Incorrect code")
    components.answer(phone)
    visitor.arrives("/dashboard")
    assert visitor.user_id() == user_id
    components.sign_out()

    # By a code that was written down; each works once.
    for expected in ("lets in", "is refused"):
        begin_sign_in(components, email)
        page.get_by_text("Use another method").click()
        components.press("Use a backup code")
        page.get_by_label("Backup code").fill(backup_codes[0])
        components.press("Continue")
        if expected == "lets in":
            visitor.arrives("/dashboard")
            components.sign_out()
    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Incorrect code")


def test_where_two_steps_are_required_they_are_set_up_first(
    visitor, components, rules, inbox, new_email, new_phone
):
    rules.change(BY_TEXT_MESSAGE | {"mfa.required": "on"})
    email, phone, page = new_email(), new_phone(), visitor.page
    visitor.open("/prebuilt/sign-up")
    components.enter(email)
    components.answer(email)
    expect(page).to_have_url(re.compile("/prebuilt/sign-up/tasks/setup-mfa"))
    expect(page.get_by_text(email)).to_be_visible()

    # The session exists, and lets nobody in.
    visitor.open("/dashboard")
    expect(page).to_have_url(re.compile("/sign-in/tasks"))
    components.enter(phone)
    components.answer(phone)
    assert len(components.backup_codes()) == 10
    components.press("Continue")
    visitor.arrives("/dashboard")
    visitor.sees("phone-number", phone)


def test_an_email_address_is_the_second_step_of_who_has_nothing_to_set_up(
    visitor, components, rules, new_email, new_phone
):
    email, phone, page = new_email(), new_phone(), visitor.page
    components.sign_up(email)
    components.open_account()
    components.add_address(phone)
    components.answer(phone)
    expect(components.code_field).to_have_count(0)
    rules.change({"auth_email.used_for_second_factor": "on", "mfa.required": "on"})
    components.open_security()
    expect(components.section("activeDevices")).to_contain_text("This device")
    expect(page.get_by_text("two-step verification")).to_have_count(0)
    components.sign_out()

    components.sign_in(phone)
    expect(page).to_have_url(re.compile("/prebuilt/sign-in/factor-two"))
    expect(page.get_by_text(f"{email[0]}*****@example.com")).to_be_visible()
    components.answer(email)
    visitor.arrives("/dashboard")
