"""`@clerk/react` under Vite: forms of the app on its hooks, and the ready-made components."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect
from tests.sdks.harness import (
    enter_code,
    enter_number,
    expect_through_the_app,
    new_phone,
    next_code,
    shown_id,
    sign_up,
    sign_up_and_in,
    user_id,
)

pytestmark = pytest.mark.e2e

VITE = ["node", "node_modules/vite/bin/vite.js"]


@pytest.fixture(scope="module")
def app(workshop):
    """Built, and served as it was built."""
    serve = [*VITE, "preview", "--host", "localhost", "--port", "{port}", "--strictPort"]
    with workshop.app(
        "react", serve, workshop.settings("VITE_"), build=["npm", "run", "build"]
    ) as app:
        yield app


@pytest.fixture
def prebuilt(app):
    """The same app's pages with the SDK's own components."""
    return replace(app, sign_up="/prebuilt/sign-up", sign_in="/prebuilt/sign-in")


def test_a_person_signs_up_and_in_with_the_hooks(page, app):
    person = sign_up_and_in(page, app)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)


def test_a_person_signs_up_and_in_with_the_components(page, prebuilt):
    person = sign_up_and_in(page, prebuilt)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)


def test_the_user_button_signs_out(page, app):
    sign_up(page, app)

    page.get_by_role("button", name="Open user menu").click()
    page.locator(".cl-userButtonPopoverActionButton__signOut").click()

    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(shown_id(page)).to_have_count(0)


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


def test_the_browser_speaks_to_the_app_alone(page, app, traffic, server):
    sign_up_and_in(page, app)

    expect_through_the_app(traffic, app, server)
    assert "/__clerk/npm/@clerk/ui@1/dist/ui.browser.js" in traffic.paths()
