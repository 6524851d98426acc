"""What the app's own server knows: `clerkMiddleware`, `auth()` and `currentUser()`."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

SESSION_COOKIES = re.compile(r"^__session")


def test_the_dashboard_is_rendered_for_the_user_on_the_server(visitor, inbox, new_phone):
    phone = new_phone()
    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    user_id = visitor.user_id()

    answer = visitor.open("/dashboard")

    assert answer.status == 200
    html = answer.text()
    assert f'data-testid="user-id">{user_id}<' in html
    assert f'data-testid="phone-number">{phone}<' in html


def test_a_visitor_who_never_signed_in_is_sent_to_the_sign_in_page(visitor):
    visitor.is_refused_the_dashboard()

    expect(visitor.page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


def test_signing_out_closes_the_dashboard(visitor, context, new_test_phone):
    visitor.sign_up(lambda: "424242", phone=new_test_phone())
    assert visitor.open("/dashboard").status == 200

    visitor.sign_out()

    visitor.is_refused_the_dashboard()
    left = [cookie for cookie in context.cookies() if SESSION_COOKIES.match(cookie["name"])]
    assert left == []


def test_a_lost_session_token_is_renewed_by_the_handshake(
    visitor, context, traffic, new_test_phone
):
    visitor.sign_up(lambda: "424242", phone=new_test_phone())
    user_id = visitor.user_id()
    visitor.page.goto("about:blank")  # no script of the SDK is left to write the cookie
    context.clear_cookies(name=SESSION_COOKIES)
    names = {cookie["name"] for cookie in context.cookies()}
    assert "__client_uat" in names
    assert not [name for name in names if SESSION_COOKIES.match(name)]
    before = len(traffic.urls)

    answer = visitor.open("/dashboard")

    assert "/__clerk/v1/client/handshake" in traffic.paths()[before:]
    assert answer.url == f"{visitor.app}/dashboard"
    assert f'data-testid="user-id">{user_id}<' in answer.text()
    renewed = {cookie["name"] for cookie in context.cookies()}
    assert "__session" in renewed


def test_the_handshake_gives_nothing_to_a_browser_without_a_client(
    visitor, context, new_test_phone
):
    visitor.sign_up(lambda: "424242", phone=new_test_phone())
    visitor.page.goto("about:blank")
    context.clear_cookies(name=SESSION_COOKIES)
    context.clear_cookies(name=re.compile(r"^__client$"))

    visitor.is_refused_the_dashboard()


def test_a_made_up_session_token_is_no_session(visitor, context, new_test_phone):
    visitor.sign_up(lambda: "424242", phone=new_test_phone())
    visitor.page.goto("about:blank")
    user = context.request.get(f"{visitor.app}/dashboard", max_redirects=0)
    assert "user_" in user.text()
    tokens = [cookie for cookie in context.cookies() if SESSION_COOKIES.match(cookie["name"])]
    assert tokens
    for cookie in tokens:
        head, claims, _ = cookie["value"].split(".")
        cookie["value"] = f"{head}.{claims}.{'A' * 342}"
    context.add_cookies(tokens)

    stranger = context.request.get(f"{visitor.app}/dashboard", max_redirects=0)
    assert "user_" not in stranger.text()


def test_only_the_frontend_api_is_reachable_through_the_app(visitor, context, new_phone, inbox):
    phone = new_phone()
    visitor.ask_code_to_sign_up(phone=phone)
    assert len(inbox.messages(phone)) == 1

    for path in ("/__clerk/inbox", "/__clerk/inbox/messages", "/__clerk/sign-up"):
        assert context.request.get(visitor.app + path).status == 404
    assert context.request.get(f"{visitor.app}/__clerk/v1/environment").status == 200
