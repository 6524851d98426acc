"""Plain `@clerk/clerk-js`: from the script tag that Doorcode serves, and as a module of the app."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect
from tests.sdks.harness import (
    enter_code,
    enter_number,
    new_phone,
    next_code,
    sign_up,
    sign_up_and_in,
    user_id,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def app(workshop):
    pages = {"sign_up": "/?sign-up", "sign_in": "/?sign-in"}
    with workshop.app("clerk-js", ["node", "serve.js"], **pages) as app:
        yield app


@pytest.fixture
def bundled(app):
    """The page that brings the SDK along instead of asking Doorcode for it."""
    return replace(app, sign_up="/bundled?sign-up", sign_in="/bundled?sign-in", home="/bundled")


def test_a_person_signs_up_and_in_with_the_script_that_doorcode_serves(page, app, traffic):
    person = sign_up_and_in(page, app)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)
    assert "/npm/@clerk/clerk-js@6/dist/clerk.browser.js" in traffic.paths()


def test_a_person_signs_up_and_in_with_the_script_of_the_app(page, bundled, traffic):
    person = sign_up_and_in(page, bundled)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)
    assert [path for path in traffic.paths() if path.startswith("/npm/")] == []


def test_a_wrong_code_is_said_and_the_right_one_still_works(page, app):
    phone = new_phone()
    page.goto(app.url + app.sign_up)
    enter_number(page, phone)
    right = next_code(app.inbox, phone)

    enter_code(page, f"{(int(right) + 1) % 1_000_000:06}")
    expect(page.get_by_role("alert")).to_have_text("Incorrect code")
    page.get_by_label("Enter your verification code").clear()
    enter_code(page, right)

    assert user_id(page)


def test_a_malformed_number_is_said(page, app):
    page.goto(app.url + app.sign_up)

    enter_number(page, "12345")

    expect(page.get_by_role("alert")).to_contain_text("valid")


def test_a_reload_keeps_the_session(page, app):
    person = sign_up(page, app)

    page.reload()

    assert user_id(page) == person.user_id
