"""What a person gets wrong is said on the page, beside the field it is about."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from doorcode.domain import limits

pytestmark = pytest.mark.e2e

MALFORMED_PHONES = ["12345", "+1415", "call me"]


@pytest.mark.parametrize("by", ["phone", "email"])
def test_a_wrong_code_is_said_and_the_right_one_still_works_at_sign_up(
    visitor, inbox, new_phone, new_email, wrong, by
):
    to = new_phone() if by == "phone" else new_email()
    visitor.ask_code_to_sign_up(**{by: to})

    visitor.answer(wrong(inbox.code(to)))
    expect(visitor.alert).to_have_text("is incorrect")
    expect(visitor.code_field).to_have_attribute("aria-invalid", "true")

    visitor.answer(inbox.code(to))
    visitor.arrives("/dashboard")
    assert len(inbox.messages(to)) == 1


@pytest.mark.parametrize("by", ["phone", "email"])
def test_a_wrong_code_is_said_and_the_right_one_still_works_at_sign_in(
    visitor, inbox, new_phone, new_email, wrong, by
):
    to = new_phone() if by == "phone" else new_email()
    visitor.sign_up(lambda: inbox.code(to), **{by: to})
    visitor.sign_out()
    visitor.ask_code_to_sign_in(**{by: to})

    visitor.answer(wrong(inbox.code(to)))
    expect(visitor.alert).to_have_text("is incorrect")

    visitor.answer(inbox.code(to))
    visitor.sees_signed_in()


def test_five_wrong_codes_spend_the_code(visitor, inbox, new_phone, wrong):
    phone = new_phone()
    visitor.ask_code_to_sign_up(phone=phone)
    right = inbox.code(phone)

    for _ in range(4):
        with visitor.page.expect_response(re.compile("attempt_verification")):
            visitor.answer(wrong(right))
        expect(visitor.alert).to_have_text("is incorrect")
    visitor.answer(wrong(right))
    expect(visitor.alert).not_to_have_text("is incorrect")
    expect(visitor.alert).to_have_count(1)

    with visitor.page.expect_response(re.compile("attempt_verification")) as answer:
        visitor.answer(right)
    assert answer.value.status == 400
    visitor.sees_code_form()
    visitor.is_refused_the_dashboard()


@pytest.mark.parametrize("phone", MALFORMED_PHONES)
def test_a_malformed_number_is_said_at_sign_up(visitor, phone):
    visitor.submit_sign_up(phone=phone)

    expect(visitor.alert).to_have_text("is invalid")
    expect(visitor.page.get_by_label("Phone number")).to_have_value(phone)
    expect(visitor.code_field).to_have_count(0)


@pytest.mark.parametrize("phone", MALFORMED_PHONES)
def test_a_malformed_number_is_said_at_sign_in(visitor, phone):
    visitor.submit_sign_in(phone=phone)

    expect(visitor.alert).to_have_text("is invalid")
    expect(visitor.page.get_by_label("Enter phone number")).to_have_value(phone)
    expect(visitor.code_field).to_have_count(0)


def test_a_malformed_address_is_said_at_sign_up(visitor):
    visitor.submit_sign_up(email="not an address")

    expect(visitor.alert).to_have_text("is invalid")


def test_a_malformed_address_is_said_at_sign_in(visitor):
    visitor.submit_sign_in(email="not an address")

    expect(visitor.alert).to_have_text("is invalid")


def test_a_malformed_number_does_not_text_the_number_before_it(visitor, inbox, new_phone):
    phone = new_phone()
    visitor.ask_code_to_sign_up(phone=phone)
    visitor.press("Start over")

    visitor.page.get_by_label("Phone number").fill("12345")
    visitor.press("Sign up")

    expect(visitor.alert).to_have_text("is invalid")
    expect(visitor.code_field).to_have_count(0)
    assert len(inbox.messages(phone)) == 1


def test_an_unknown_number_is_said_at_sign_in(visitor, inbox, new_phone):
    phone = new_phone()

    visitor.submit_sign_in(phone=phone)

    expect(visitor.alert).to_have_text("Couldn't find your account.")
    assert inbox.messages(phone) == []


def test_a_taken_number_is_said_at_sign_up(visitor, inbox, new_phone):
    phone = new_phone()
    visitor.sign_up(lambda: inbox.code(phone), phone=phone)
    visitor.sign_out()

    visitor.submit_sign_up(phone=phone)

    expect(visitor.alert).to_contain_text("taken")
    assert len(inbox.messages(phone)) == 1


def test_a_new_code_too_soon_is_refused_and_the_first_still_works(visitor, inbox, new_phone):
    phone = new_phone()
    visitor.ask_code_to_sign_up(phone=phone)
    first = inbox.code(phone)

    # Two clicks within two seconds are one, which the server answers as it did the first.
    visitor.page.wait_for_timeout(limits.SAME_CLICK + 100)
    with visitor.page.expect_response(re.compile("prepare_verification")) as answer:
        visitor.press("Send a new code")
    assert answer.value.status == 429
    expect(visitor.alert).to_contain_text("30 seconds")
    assert len(inbox.messages(phone)) == 1

    visitor.answer(first)
    visitor.arrives("/dashboard")


def test_starting_over_asks_for_another_number(visitor, inbox, new_phone):
    first, second = new_phone(), new_phone()
    visitor.ask_code_to_sign_up(phone=first)

    visitor.press("Start over")
    visitor.page.get_by_label("Phone number").fill(second)
    with visitor.is_sent_a_code():
        visitor.press("Sign up")
    expect(visitor.page.get_by_text(f"We sent a code to {second}.")).to_be_visible()
    visitor.answer(inbox.code(second))

    visitor.arrives("/dashboard")
    visitor.sees("phone-number", second)
