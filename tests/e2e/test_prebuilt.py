"""The SDK's ready-made `<SignUp/>` and `<SignIn/>` work on the same server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def enter_phone(visitor, phone):
    page = visitor.page
    number = page.locator('input[type="tel"]')
    switch = page.get_by_text("Use phone", exact=False)
    expect(number.or_(switch).first).to_be_visible()
    if not number.is_visible():
        switch.click()
    # The component draws the country code itself and takes the whole number when pasted.
    number.fill(phone)
    with visitor.is_sent_a_code():
        page.get_by_role("button", name="Continue", exact=True).click()


def enter_code(page, code):
    page.get_by_role("textbox", name="Enter verification code").press_sequentially(code)


def test_sign_up_and_sign_in_by_phone(visitor, inbox, new_phone):
    phone, page = new_phone(), visitor.page

    visitor.open("/prebuilt/sign-up")
    enter_phone(visitor, phone)
    expect(page).to_have_url(re.compile("/prebuilt/sign-up/verify-phone-number"))
    enter_code(page, inbox.code(phone))
    visitor.arrives("/dashboard")
    visitor.sees("phone-number", phone)
    user_id = visitor.user_id()

    visitor.sign_out()

    visitor.open("/prebuilt/sign-in")
    enter_phone(visitor, phone)
    expect(page).to_have_url(re.compile("/prebuilt/sign-in/factor-one"))
    enter_code(page, inbox.code(phone))
    visitor.arrives("/dashboard")
    assert visitor.user_id() == user_id
    assert len(inbox.messages(phone)) == 2


def test_a_wrong_code_is_said(visitor, inbox, new_phone, wrong):
    phone, page = new_phone(), visitor.page
    visitor.open("/prebuilt/sign-up")
    enter_phone(visitor, phone)
    expect(page).to_have_url(re.compile("/prebuilt/sign-up/verify-phone-number"))

    enter_code(page, wrong(inbox.code(phone)))

    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Incorrect code")
