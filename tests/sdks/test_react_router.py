"""`@clerk/react-router` in framework mode: its middleware, its loaders, and its components."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.sdks.harness import me, sign_out, sign_up, sign_up_and_in, user_id

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REACT_ROUTER = ["node", "node_modules/@react-router/dev/bin.js"]
SERVE = ["node", "node_modules/@react-router/serve/bin.js", "build/server/index.js"]


@pytest.fixture(scope="module")
def app(workshop):
    """Started with every setting; the SDK hands those for browsers over with the page."""
    settings = workshop.settings("") | {"HOST": "localhost"}
    with workshop.app("react-router", SERVE, settings, build=[*REACT_ROUTER, "build"]) as app:
        yield app


def test_a_person_signs_up_and_in_and_the_server_knows_them(page, app):
    person = sign_up_and_in(page, app)

    answer = me(page, app)

    assert answer.status == 200
    assert answer.json() == {"userId": person.user_id, "phone": person.phone}


def test_a_loader_knows_its_user_and_lets_nobody_else_in(page, app):
    person = sign_up(page, app)
    rendered = me(page, app, "/dashboard")
    assert person.user_id in rendered.text()

    page.get_by_role("link", name="Dashboard").click()  # the loader, asked by the router

    expect(page.get_by_test_id("phone")).to_have_text(person.phone)
    assert user_id(page) == person.user_id
    sign_out(page, app)
    refused = me(page, app, "/dashboard")
    assert (refused.status, refused.headers["location"]) == (302, "/sign-in")
    assert me(page, app).status == 401


def test_a_lost_session_token_is_renewed_by_the_handshake(page, app, context, traffic):
    person = sign_up(page, app)
    page.goto("about:blank")  # no script of the SDK is left to write the cookie
    context.clear_cookies(name=re.compile("^__session"))
    before = len(traffic.urls)

    page.goto(app.url + "/dashboard")

    assert user_id(page) == person.user_id
    assert "/v1/client/handshake" in traffic.paths()[before:]
