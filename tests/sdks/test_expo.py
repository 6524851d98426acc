"""`@clerk/expo` on the web: the screens of an app for phones and browsers, on the SDK's hooks.

What the SDK does on a phone (a client token in a header instead of cookies) is not run here.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.sdks.harness import enter_code, enter_number, sign_up_and_in, user_id

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EXPO = ["node", "node_modules/expo/bin/cli"]


@pytest.fixture(scope="module")
def app(workshop):
    """Exported for the web, and served as it was exported."""
    # Metro keeps what it compiled with other settings unless it is told to forget it.
    export = [*EXPO, "export", "--platform", "web", "--clear"]
    quiet = {"CI": "1", "EXPO_OFFLINE": "1", "EXPO_NO_TELEMETRY": "1"}
    with workshop.app(
        "expo",
        [*EXPO, "serve", "--port", "{port}"],
        workshop.settings("EXPO_PUBLIC_") | quiet,
        build=export,
        sign_up="/?screen=sign-up",
        sign_in="/?screen=sign-in",
    ) as app:
        yield app


def test_a_person_signs_up_and_in_with_the_hooks(page, app):
    person = sign_up_and_in(page, app)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)


def test_a_wrong_code_is_said_and_the_right_one_still_works_after_a_reload(page, app):
    phone = "+14155551996"
    page.goto(app.url + app.sign_up)
    with page.expect_response(lambda answer: "/prepare_verification" in answer.url):
        enter_number(page, phone)
    right = app.inbox.code(phone)

    enter_code(page, f"{(int(right) + 1) % 1_000_000:06}")

    expect(page.get_by_role("alert")).to_have_text("Incorrect code")
    page.reload()
    enter_code(page, right)
    assert user_id(page)
