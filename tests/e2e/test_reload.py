"""Reloading the page loses nothing: neither an attempt half-way nor a session."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("by", ["phone", "email"])
def test_a_sign_up_half_way_goes_on_after_a_reload(visitor, inbox, new_phone, new_email, by):
    to = new_phone() if by == "phone" else new_email()
    visitor.ask_code_to_sign_up(**{by: to})

    visitor.page.reload()

    visitor.sees_code_form()
    assert len(inbox.messages(to)) == 1
    visitor.answer(inbox.code(to))
    visitor.arrives("/dashboard")


@pytest.mark.parametrize("by", ["phone", "email"])
def test_a_sign_in_half_way_goes_on_after_a_reload(visitor, inbox, new_phone, new_email, by):
    to = new_phone() if by == "phone" else new_email()
    visitor.sign_up(lambda: inbox.code(to), **{by: to})
    visitor.sign_out()
    visitor.ask_code_to_sign_in(**{by: to})

    visitor.page.reload()

    visitor.sees_code_form()
    assert len(inbox.messages(to)) == 2  # one to sign up, one to sign in
    visitor.answer(inbox.code(to))
    visitor.sees_signed_in()


def test_a_reload_keeps_the_session(visitor, new_test_phone):
    phone = new_test_phone()
    visitor.sign_up(lambda: "424242", phone=phone)
    user_id = visitor.user_id()
    session_id = visitor.page.get_by_test_id("session-id").inner_text()

    visitor.page.reload()
    assert visitor.user_id() == user_id
    visitor.sees("session-id", session_id)

    visitor.open("/")
    visitor.sees_signed_in()
    visitor.page.reload()
    visitor.sees_signed_in()
    assert visitor.user_id() == user_id


def test_a_second_tab_is_signed_in_and_signed_out_with_the_first(visitor, context, new_test_phone):
    visitor.sign_up(lambda: "424242", phone=new_test_phone())
    second = type(visitor)(context.new_page(), visitor.app)
    second.open("/")
    second.sees_signed_in()

    visitor.sign_out()

    second.sees_signed_out()
