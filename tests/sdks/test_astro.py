"""`@clerk/astro`: its components, its middleware, and pages rendered on the server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.sdks.harness import me, sign_out, sign_up, sign_up_and_in, user_id

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def app(workshop):
    """Built with the settings that browsers see, and started with all of them."""
    settings = workshop.settings("PUBLIC_") | {"HOST": "localhost", "ASTRO_TELEMETRY_DISABLED": "1"}
    with workshop.app(
        "astro",
        ["node", "dist/server/entry.mjs"],
        settings,
        build=["node", "node_modules/astro/astro.js", "build"],
    ) as app:
        yield app


def test_a_person_signs_up_and_in_and_the_server_knows_them(page, app):
    person = sign_up_and_in(page, app)

    answer = me(page, app)

    assert answer.status == 200
    assert answer.json() == {"userId": person.user_id, "phone": person.phone}


def test_a_page_is_rendered_for_its_user_and_for_nobody_else(page, app):
    person = sign_up(page, app)

    page.goto(app.url + "/dashboard")

    assert user_id(page) == person.user_id
    expect(page.get_by_test_id("phone")).to_have_text(person.phone)
    sign_out(page, app)
    refused = me(page, app, "/dashboard")
    assert refused.status == 307
    assert refused.headers["location"].startswith(f"{app.url}/sign-in?")
    assert me(page, app).status == 401


def test_a_lost_session_token_is_renewed_by_the_handshake(page, app, context, traffic):
    person = sign_up(page, app)
    page.goto("about:blank")  # no script of the SDK is left to write the cookie
    context.clear_cookies(name=re.compile("^__session"))
    before = len(traffic.urls)

    page.goto(app.url + "/dashboard")

    assert user_id(page) == person.user_id
    assert "/v1/client/handshake" in traffic.paths()[before:]
