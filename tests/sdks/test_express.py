"""`@clerk/express`: `clerkMiddleware()`, `getAuth()` and `clerkClient`."""

from __future__ import annotations

import pytest
from tests.sdks.harness import (
    lose_session_token,
    me,
    sign_out,
    sign_up,
    sign_up_and_in,
    user_id,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def app(workshop):
    with workshop.app("express", ["node", "server.js"]) as app:
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


def test_a_token_in_the_header_counts_like_the_cookie(page, app):
    person = sign_up(page, app)
    token = page.evaluate("Clerk.session.getToken()")
    sign_out(page, app)

    known = me(page, app, headers={"Authorization": f"Bearer {token}"})
    made_up = me(page, app, headers={"Authorization": f"Bearer {token[:-8]}AAAAAAAA"})

    assert (known.status, known.json()["userId"]) == (200, person.user_id)
    assert made_up.status == 401


def test_a_lost_session_token_is_renewed_by_the_handshake(page, app, traffic):
    person = sign_up(page, app)
    lose_session_token(page)
    before = len(traffic.urls)

    page.goto(app.url)

    assert user_id(page) == person.user_id
    assert "/v1/client/handshake" in traffic.paths()[before:]
