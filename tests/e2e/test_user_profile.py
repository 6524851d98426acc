"""The SDK's ready-made `<UserProfile/>`: names, picture, addresses, devices, the end."""

from __future__ import annotations

import io
import re
import sqlite3

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.e2e.processes import Traffic, watched_context

pytestmark = pytest.mark.e2e

NAMES = {
    "auth_first_name.used_for_sign_up": "on",
    "auth_last_name.used_for_sign_up": "on",
    "auth_username.used_for_sign_up": "on",
}


@pytest.fixture(scope="module")
def ann(browser, app, inbox, visit):
    """Somebody who has signed up, once for all tests of this file: address and cookies."""
    email = "ann.of.the.profile@example.com"
    with watched_context(browser, Traffic()) as context:
        visit(context.new_page(), app).sign_up(lambda: inbox.code(email), email=email)
        return email, context.cookies()


@pytest.fixture
def email(ann, context):
    """The address of somebody who is signed in here."""
    address, cookies = ann
    context.add_cookies(cookies)
    return address


@pytest.fixture
def newcomer(components, new_email):
    """The address of somebody who has just signed up here, for tests that end it."""
    address = new_email()
    components.sign_up(address)
    return address


def picture(colour):
    file = io.BytesIO()
    Image.new("RGB", (120, 80), colour).save(file, "PNG")
    return {"name": "me.png", "mimeType": "image/png", "buffer": file.getvalue()}


def colour_of(shown):
    """The colour in the middle of a picture that the page has drawn."""
    return shown.evaluate(
        """async (picture) => {
            await picture.decode()
            const canvas = document.createElement('canvas')
            canvas.width = canvas.height = 1
            const pen = canvas.getContext('2d')
            pen.drawImage(picture, 0, 0, 1, 1)
            return [...pen.getImageData(0, 0, 1, 1).data]
        }"""
    )


# ── the person ────────────────────────────────────────────────────────────────────────
def test_a_person_says_what_they_are_called(components, rules, email):
    rules.change(NAMES)
    page = components.page
    components.open_account()
    components.press("Update profile")
    page.get_by_label("First name").fill("Ann")
    page.get_by_label("Last name").fill("Example")
    components.press("Save")
    expect(components.section("profile")).to_contain_text("Ann Example")

    components.press("Set username")
    username = "ann" + re.sub(r"\W", "", email)
    page.get_by_label("Username").fill(username)
    components.press("Save")
    expect(components.section("username")).to_contain_text(username)

    page.reload()
    expect(components.section("profile")).to_contain_text("Ann Example")
    expect(components.section("username")).to_contain_text(username)
    panel = components.open_user_button()
    expect(panel).to_contain_text("Ann Example")


def test_a_picture_is_shown_and_taken_away(components, email):
    page = components.page
    components.open_account()
    # While the form closes, the earlier one is still there before it.
    avatar = components.section("profile").locator(".cl-userPreviewAvatarImage").last
    initial = avatar.get_attribute("src")
    components.press("Update profile")
    page.locator('input[type="file"]').set_input_files(picture((20, 120, 220)))
    expect(avatar).to_have_attribute("src", re.compile("/v1/images/img_"))
    red, green, blue, _ = colour_of(avatar)
    assert abs(red - 20) < 12 and abs(green - 120) < 12 and abs(blue - 220) < 12

    components.press("Update profile")
    components.press("Remove")
    expect(avatar).to_have_attribute("src", initial)


# ── addresses ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("by", ["email", "phone"])
def test_an_address_is_added_made_primary_and_removed(
    visitor, components, inbox, email, new_email, new_phone, wrong, by
):
    page = components.page
    second = new_email() if by == "email" else new_phone()
    name = "emailAddresses" if by == "email" else "phoneNumbers"
    shown = second if by == "email" else second[-4:]
    components.open_account()
    components.add_address(second)
    components.type_code(wrong(inbox.code(second)))
    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Incorrect code")
    components.answer(second)
    item = components.section(name).locator(".cl-profileSectionItem").filter(has_text=shown)
    expect(components.code_field).to_have_count(0)
    expect(item).not_to_contain_text("Unverified")

    if by == "email":
        components.choose(item, "Set as primary")
    expect(item).to_contain_text("Primary")
    visitor.open("/dashboard")
    visitor.sees("email-address" if by == "email" else "phone-number", second)

    components.open_account()
    if by == "email":
        first = components.section(name).locator(".cl-profileSectionItem").filter(has_text=email)
        components.choose(first, "Set as primary")
        expect(first).to_contain_text("Primary")
    components.choose(item, "Remove")
    components.press("Remove")
    expect(item).to_have_count(0)
    page.reload()
    expect(components.section("emailAddresses")).to_contain_text(email)
    expect(item).to_have_count(0)


def test_an_address_of_somebody_else_is_refused(components, ann, newcomer):
    somebody_else, _ = ann
    components.open_account()
    components.press("Add email address")
    components.page.get_by_label("Email address").fill(somebody_else)
    components.press("Add")
    expect(components.page.get_by_test_id("form-feedback-error")).to_contain_text("taken")


# ── devices, and the end ──────────────────────────────────────────────────────────────
def test_another_device_is_listed_and_signed_out(components, inbox, elsewhere, email):
    elsewhere.sign_in(lambda: inbox.code(email), email=email)
    components.open_security()
    devices = components.section("activeDevices").locator(".cl-activeDeviceListItem")
    expect(devices).to_have_count(2)
    expect(devices.first).to_contain_text("This device")
    expect(devices.last).to_contain_text(re.compile(r"Linux.*Chrome \d+", re.DOTALL))

    components.choose(devices.last, "Sign out of device")

    expect(devices).to_have_count(1)
    elsewhere.open("/")
    elsewhere.sees_signed_out()
    components.page.reload()
    expect(devices).to_have_count(1)


def test_a_deleted_account_is_signed_out_everywhere(
    visitor, components, inbox, elsewhere, newcomer
):
    elsewhere.sign_in(lambda: inbox.code(newcomer), email=newcomer)
    page = visitor.page
    components.open_security()
    components.press("Delete account")
    final = page.get_by_role("button", name="Delete account").last
    expect(final).to_be_disabled()
    page.get_by_placeholder("Delete account").fill("Delete account")
    final.click()
    visitor.sees_signed_out()
    visitor.is_refused_the_dashboard()
    elsewhere.open("/")
    elsewhere.sees_signed_out()

    visitor.open("/prebuilt/sign-in")
    components.type_address(newcomer)
    components.press("Continue")
    expect(page.get_by_test_id("form-feedback-error")).to_have_text("Couldn't find your account.")


# ── proving again who one is ──────────────────────────────────────────────────────────
def test_an_old_session_is_asked_for_a_code_before_an_address_is_added(
    visitor, components, rules, server, inbox, email, new_email
):
    rules.change({"reverification.enabled": "on"})
    visitor.open("/dashboard")
    user_id, page, second = visitor.user_id(), visitor.page, new_email()
    with sqlite3.connect(server.data / "doorcode.db") as database:
        eleven_minutes = 11 * 60 * 1000
        database.execute(
            "UPDATE sessions SET first_factor_at = first_factor_at - ? WHERE user_id = ?",
            (eleven_minutes, user_id),
        )
    database.close()
    components.open_account()
    components.press("Add email address")
    page.get_by_label("Email address").fill(second)
    with visitor.is_sent_a_code():
        components.press("Add")
    asked = page.get_by_role("dialog").filter(has_text="Verification required")
    expect(asked).to_be_visible()
    assert inbox.messages(second) == []

    with visitor.is_sent_a_code():
        components.answer(email)

    expect(asked).to_have_count(0)
    components.answer(second)
    expect(components.section("emailAddresses")).to_contain_text(second)
    expect(components.section("emailAddresses")).not_to_contain_text("Unverified")
