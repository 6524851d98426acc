"""`@clerk/hono`: `clerkMiddleware()`, `getAuth()` and the client in the context."""

from __future__ import annotations

import pytest
from tests.sdks.harness import (
    expect_through_the_app,
    lose_session_token,
    me,
    sign_out,
    sign_up,
    sign_up_and_in,
    user_id,
)

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def app(workshop):
    settings = workshop.settings() | {"CLERK_FAPI_URL": workshop.server.url}
    with workshop.app("hono", ["node", "server.js"], settings) as app:
        yield app


def test_a_person_signs_up_and_in_and_the_server_knows_them(page, app):
    person = sign_up_and_in(page, app)

    answer = me(page, app)

    assert answer.status == 200
    assert answer.json() == {"userId": person.user_id, "phone": person.phone}


def test_nobody_else_is_let_in(page, app):
    assert me(page, app).status == 401
    sign_up(page, app)
    assert me(page, app).status == 200

    sign_out(page, app)

    assert me(page, app).status == 401


def test_the_browser_speaks_to_the_app_alone(page, app, traffic, server):
    sign_up(page, app)

    expect_through_the_app(traffic, app, server)


def test_a_lost_session_token_is_renewed_by_the_handshake(page, app, traffic):
    person = sign_up(page, app)
    lose_session_token(page)
    before = len(traffic.urls)

    page.goto(app.url)

    assert user_id(page) == person.user_id
    assert "/__clerk/v1/client/handshake" in traffic.paths()[before:]
