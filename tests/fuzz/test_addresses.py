"""What people type: one normal form, or a refusal. Codes and names too."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.addresses import (
    MAX_LENGTH,
    Address,
    Kind,
    Malformed,
    mask,
    parse_email_address,
    parse_identifier,
    parse_phone_number,
)
from doorcode.domain.errors import Refusal
from doorcode.domain.instance import UsernameAttribute
from doorcode.domain.phone_numbers import calling_code, country_of, unwanted
from doorcode.domain.restrictions import Restrictions, base_of, mailbox_of
from doorcode.domain.sign_up import expect_username, username_value
from doorcode.web.frontend_api import forms

from .spoiling import TEXTS, spoilt_text, tried

NUMBERS = st.sampled_from(
    ["+1 (415) 555-2671", "+44.7911.123456", "+4915123456789", "+14155550142"]
)
MAILBOXES = st.sampled_from(
    ["Ada+tag@Example.com", "ä.b@bücher.example", "a@xn--bcher-kva.example", '"a b"@example.com']
)
# A domain in every script, also where it is none: labels too long, wrong ACE, mixed directions.
DOMAINS = st.lists(st.text(min_size=1, max_size=8) | st.text("xn-aé-٣א", max_size=9), max_size=3)
DIGITS = "0123456789"
OTHER_DIGITS = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Nd" and n > 127]


def read(kind: Kind, text: str) -> Address | None:
    parse = parse_phone_number if kind is Kind.PHONE else parse_email_address
    try:
        return parse(text, test_mode=True)
    except Malformed:
        return None


# ── phone numbers ─────────────────────────────────────────────────────────────────────
@given(spoilt_text(NUMBERS) | TEXTS)
def test_a_number_is_e164_of_ascii_digits_or_none(text: str) -> None:
    address = read(Kind.PHONE, text)
    if address is None:
        return
    assert address.value[0] == "+"
    assert set(address.value[1:]) <= set(DIGITS)
    assert 7 <= len(address.value) <= 16
    # What was typed holds these very digits, none read from another script; between the country's
    # and its own some write the prefix of calls within the country: +44 (0)7911 123456.
    typed = "".join(c for c in text if c in DIGITS)
    code = calling_code(address.value)
    assert typed.startswith(code[1:])
    assert typed.endswith(address.value.removeprefix(code))
    assert len(typed) - len(address.value) < 4
    assert read(Kind.PHONE, address.value) == address
    assert len(country_of(address.value)) in (0, 2)
    unwanted(address.value, voip=True)
    assert address.value[4:-2] not in mask(address)


@given(st.lists(st.sampled_from(OTHER_DIGITS), min_size=1, max_size=3), st.data())
def test_a_digit_of_another_script_makes_it_no_number(
    others: list[str], data: st.DataObject
) -> None:
    number = "+14155552671"
    for other in others:
        place = data.draw(st.integers(0, len(number)))
        assert read(Kind.PHONE, number[:place] + other + number[place + 1 :]) is None
        assert read(Kind.PHONE, number[:place] + other + number[place:]) is None


# ── e-mail ────────────────────────────────────────────────────────────────────────────
@given(
    spoilt_text(MAILBOXES)
    | TEXTS
    | st.builds("{}@{}".format, st.text(min_size=1, max_size=6), DOMAINS.map(".".join))
)
def test_a_mailbox_is_one_line_and_its_own_normal_form_or_none(text: str) -> None:
    address = read(Kind.EMAIL, text)
    if address is None:
        return
    for form in (address.value, address.spelling):
        assert form.isprintable()
        assert form.count("@") == 1
        assert not set(form) & set(' <>,;:"\\()[]\r\n')
        assert len(form) <= MAX_LENGTH
    again = read(Kind.EMAIL, address.value)
    assert again is not None
    assert again.value == address.value
    assert base_of(address).count("@") == 1
    assert (mailbox_of(address) or "@").count("@") == 1
    assert mask(address).count("@") == 1


@given(spoilt_text(NUMBERS | MAILBOXES) | TEXTS, spoilt_text(NUMBERS | MAILBOXES) | TEXTS)
def test_a_list_decides_about_any_identifier(text: str, entry: str) -> None:
    try:
        address = parse_identifier(text, test_mode=False)
    except Malformed:
        return
    blocked = Restrictions(blocklist_enabled=True, blocklist=(entry, address.value))
    allowed = Restrictions(allowlist_enabled=True, allowlist=(entry, address.value))
    assert not blocked.allow(address)
    assert allowed.allow(address)


# ── codes and names ───────────────────────────────────────────────────────────────────
@given(spoilt_text(st.sampled_from(["12 34-56", "123456", "abcde-fghjk"])) | TEXTS)
def test_a_typed_code_is_short_and_of_one_piece_or_refused(text: str) -> None:
    code = tried(forms.code, {"code": text})
    if isinstance(code, Refusal):
        assert code.param == "code"
        return
    assert 0 < len(code) <= forms.CODE_CHARACTERS
    assert code.split() == [code]
    assert forms.code({"code": code}) == code
    assert [c for c in text if c in DIGITS] == [c for c in code if c in DIGITS]


@given(spoilt_text(st.sampled_from(["ada_l", "A-1", "1234", "----"])) | TEXTS)
def test_a_username_is_ascii_with_a_letter_or_refused(text: str) -> None:
    refusal = tried(expect_username, text, UsernameAttribute(min_length=1, max_length=64))
    if refusal is not None:
        assert refusal.param == "username"
        return
    assert text.isascii()
    assert any(c.isalpha() for c in text)
    assert "@" not in text
    with pytest.raises(Malformed):
        parse_identifier(text, test_mode=True)
    assert username_value(username_value(text)) == username_value(text)


@given(
    st.dictionaries(st.sampled_from(["locale", "first_name", "unsafe_metadata", "username"]), TEXTS)
)
def test_a_profile_is_read_or_refused_by_the_name_of_a_field(form: dict[str, str]) -> None:
    told = tried(forms.profile, form)
    if isinstance(told, Refusal):
        assert told.param in form
        return
    assert told.keys() == form.keys()
    assert told.get("locale", "en").isascii()
