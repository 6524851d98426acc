"""Everything works without the internet: no request leaves this machine.

Every test of this folder watches its own traffic; this one makes sure that watching sees
something, and walks all pages.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

PAGES = [
    "/",
    "/sign-up",
    "/sign-up/email",
    "/sign-in",
    "/sign-in/email",
    "/prebuilt/sign-up",
    "/prebuilt/sign-in",
]


def test_no_request_leaves_this_machine(visitor, traffic, inbox, new_phone):
    phone = new_phone()
    for path in PAGES:
        with visitor.page.expect_response("**/__clerk/v1/environment**"):
            visitor.open(path)
        expect(visitor.page.locator("main :is(h1, input)").first).to_be_visible()

    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    visitor.sign_out()
    visitor.sign_in(lambda: inbox.code(phone), phone=phone)

    scripts = [path for path in traffic.paths() if path.startswith("/__clerk/npm/@clerk/")]
    assert any(path.endswith("/clerk.browser.js") for path in scripts)
    assert any(path.endswith("/ui.browser.js") for path in scripts)
    assert traffic.hosts == {"localhost"}
    assert {url.split("/")[2] for url in traffic.urls if url.startswith("http")} == {
        visitor.app.removeprefix("http://")
    }


def test_every_script_of_the_sdk_was_found(visitor, traffic):
    for path in PAGES:
        visitor.open(path)
        expect(visitor.page.locator("main :is(h1, input)").first).to_be_visible()
    visitor.page.wait_for_load_state("networkidle")

    sdk = {url: status for url, status in traffic.answers if "/__clerk/npm/" in url}

    assert sdk
    assert {url: status for url, status in sdk.items() if status not in (200, 304, 307)} == {}
