"""The two pages of the mission and their e-mail twins, from sign-up to sign-in."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


def test_sign_up_sign_out_and_sign_in_by_phone(visitor, inbox, new_phone):
    phone = new_phone()

    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    visitor.sees("phone-number", phone)
    user_id = visitor.user_id()

    visitor.sign_out()
    visitor.sign_in(lambda: inbox.code(phone), phone=phone)

    visitor.sees("phone-number", phone)
    assert visitor.user_id() == user_id
    assert [message["channel"] for message in inbox.messages(phone)] == ["sms", "sms"]


def test_sign_up_sign_out_and_sign_in_by_email(visitor, inbox, new_email):
    email = new_email()

    visitor.sign_up(lambda: inbox.code(email), email=email)
    visitor.sees("email-address", email)
    user_id = visitor.user_id()

    visitor.sign_out()
    visitor.sign_in(lambda: inbox.code(email), email=email)

    visitor.sees("email-address", email)
    assert visitor.user_id() == user_id
    assert [message["channel"] for message in inbox.messages(email)] == ["email", "email"]


def test_a_test_number_has_a_known_code(visitor, new_test_phone):
    phone = new_test_phone()

    visitor.sign_up(lambda: "424242", phone=phone)

    visitor.sees("phone-number", phone)


def test_two_people_are_two_users(visitor, inbox, new_phone, new_email):
    phone, email = new_phone(), new_email()

    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    first = visitor.user_id()
    visitor.sign_out()
    visitor.sign_up(lambda: inbox.code(email), email=email)

    assert visitor.user_id() != first
    visitor.sees("phone-number", "–")


def test_a_signed_in_visitor_is_not_offered_a_form(visitor, new_test_phone):
    visitor.sign_up(lambda: "424242", phone=new_test_phone())

    for path in ("/sign-up", "/sign-in", "/sign-up/email", "/sign-in/email"):
        visitor.open(path)
        visitor.page.get_by_text("You are signed in.").wait_for()
        assert visitor.page.locator("form").count() == 0
