"""`@clerk/vue` under Vite: forms of the app on its composables, and the ready-made components."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect
from tests.sdks.harness import enter_code, enter_number, sign_up_and_in, user_id

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

VITE = ["node", "node_modules/vite/bin/vite.js"]


@pytest.fixture(scope="module")
def app(workshop):
    """Built, and served as it was built."""
    serve = [*VITE, "preview", "--host", "localhost", "--port", "{port}", "--strictPort"]
    with workshop.app("vue", serve, workshop.settings("VITE_"), build=[*VITE, "build"]) as app:
        yield app


def test_a_person_signs_up_and_in_with_the_composables(page, app):
    person = sign_up_and_in(page, app)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)


def test_a_person_signs_up_and_in_with_the_components(page, app):
    prebuilt = replace(app, sign_up="/prebuilt/sign-up", sign_in="/prebuilt/sign-in")

    person = sign_up_and_in(page, prebuilt)

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)


def test_a_wrong_code_is_said_and_the_right_one_still_works_after_a_reload(page, app):
    phone = "+14155551997"
    page.goto(app.url + app.sign_up)
    with page.expect_response(lambda answer: "/prepare_verification" in answer.url):
        enter_number(page, phone)
    right = app.inbox.code(phone)

    enter_code(page, f"{(int(right) + 1) % 1_000_000:06}")

    expect(page.get_by_role("alert")).to_have_text("Incorrect code")
    page.reload()
    enter_code(page, right)
    assert user_id(page)
