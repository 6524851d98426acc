"""What is an address, what is none, and whose it is."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorcode.domain.addresses import (
    Address,
    Kind,
    Malformed,
    Strategy,
    mask,
    parse,
    parse_email_address,
    parse_identifier,
    parse_phone_number,
)

TESTS = pytest.mark.parametrize("test_mode", [False, True])


def phone(text: str, *, test_mode: bool = False) -> Address:
    return parse_phone_number(text, test_mode=test_mode)


def email(text: str, *, test_mode: bool = False) -> Address:
    return parse_email_address(text, test_mode=test_mode)


# ── phone numbers ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "typed",
    [
        "+14155552671",
        "+1 415 555 2671",
        "+1-415-555-2671",
        "+1.415.555.2671",
        "+1 (415) 555-2671",
        "[+1] 415 5552671",
        "  +14155552671  ",
    ],
)
def test_spaces_hyphens_dots_and_brackets_are_dropped(typed: str) -> None:
    assert phone(typed) == Address(Kind.PHONE, "+14155552671", "+14155552671")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "+",
        "4155552671",
        "(415) 555-2671",
        "0044 20 7946 0958",
        "+0044 20 7946 0958",
        "++14155552671",
        "1+4155552671",
        "+1800FLOWERS",
        "+14155552671x5",
        "+14155552671 ext. 5",
        "+14155552671;ext=5",
        "tel:+14155552671",
        "+14155552671,5",
        "+1415555２671",  # a full-width digit
        "+1415555٢671",  # an Arabic digit
        "＋14155552671",  # a full-width plus sign
        "+1415\u00a05552671",  # a no-break space
        "+1415\u20115552671",  # a no-break hyphen
        "+14155552671\n",
        "+1415\t5552671",
        "+14155552671\x00",
        "+1234567890123456",  # sixteen digits
        "+999123456789",  # no such country
        "+1415555267",  # a digit short
    ],
)
@TESTS
def test_what_is_not_e164_is_refused(typed: str, test_mode: bool) -> None:
    with pytest.raises(Malformed):
        phone(typed, test_mode=test_mode)


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(Malformed) as refusal:
        phone("+1415555267")
    assert "415" not in str(refusal.value)


@pytest.mark.parametrize("typed", ["+14155550100", "+1 (212) 555-0199", "+10005550142"])
def test_fictional_numbers_are_test_numbers_in_test_mode(typed: str) -> None:
    assert phone(typed, test_mode=True).is_test


@pytest.mark.parametrize("typed", ["+14155550100", "+12125550199"])
def test_fictional_numbers_are_like_any_other_without_test_mode(typed: str) -> None:
    assert not phone(typed).is_test


def test_a_test_number_is_matched_before_its_validity() -> None:
    with pytest.raises(Malformed):
        phone("+10005550142")


@pytest.mark.parametrize("typed", ["+14155550099", "+14155550200", "+442079460958"])
def test_numbers_outside_the_fictional_range_are_real_in_test_mode(typed: str) -> None:
    try:
        assert not phone(typed, test_mode=True).is_test
    except Malformed:
        with pytest.raises(Malformed):
            phone(typed)


EXAMPLES = [
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number(region))
]


@given(st.sampled_from(EXAMPLES), st.text("0123456789", max_size=4), st.booleans())
def test_the_normal_form_of_a_number_reads_as_itself(
    number: str, digits: str, test_mode: bool
) -> None:
    try:
        first = phone(number[: len(number) - len(digits)] + digits, test_mode=test_mode)
    except Malformed:
        return
    assert phone(first.value, test_mode=test_mode) == first


def test_nearly_every_country_has_a_number_that_is_accepted() -> None:
    assert len(EXAMPLES) > 200
    assert [text for text in EXAMPLES if phone(text).value != text] == []


# ── e-mail addresses ──────────────────────────────────────────────────────────────────
def test_case_does_not_tell_people_apart() -> None:
    assert email("Ada@Example.COM").value == email("ada@example.com").value


def test_mail_goes_to_the_spelling_that_was_typed() -> None:
    assert email(" Ada.Lovelace@example.com ").spelling == "Ada.Lovelace@example.com"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@b@example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada..b@example.com",
        ".ada@example.com",
        '"ada b"@example.com',
        "Ada <ada@example.com>",
        "ada@example.com, eve@example.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\x00@example.com",
        "ada\u200b@example.com",  # a space of no width
        "ada@example\u00ad.com",  # a hyphen that is not shown
        "ada@" + "a." * 130 + "com",
    ],
)
def test_what_is_no_mailbox_is_refused(typed: str) -> None:
    with pytest.raises(Malformed):
        email(typed)


@pytest.mark.parametrize("typed", ["ada+clerk_test@example.com", "ADA+Clerk_Test@example.com"])
def test_a_tag_makes_a_test_address_in_test_mode_only(typed: str) -> None:
    assert email(typed, test_mode=True).is_test
    assert not email(typed).is_test


def test_the_tag_counts_in_front_of_the_at_sign_only() -> None:
    assert not email("ada@clerk-test.example.com", test_mode=True).is_test
    assert not email("ada.clerk_test@example.com", test_mode=True).is_test


@pytest.mark.parametrize(
    ("look_alike", "victim"),
    [
        ("stra\u00dfe@example.com", "strasse@example.com"),  # ß
        ("k\u0131m@example.com", "kim@example.com"),  # a dotless i
        ("\u0130da@example.com", "ida@example.com"),  # an I with a dot
        ("\u017fam@example.com", "sam@example.com"),  # a long s
        ("\uff41da@example.com", "ada@example.com"),  # a full-width a
        ("\u0430da@example.com", "ada@example.com"),  # a Cyrillic a
        ("\ufb01n@example.com", "fin@example.com"),  # a ligature
        ("ada@stra\u00dfe.example.com", "ada@strasse.example.com"),
        ("ada@\u0435xample.com", "ada@example.com"),  # a Cyrillic e
    ],
)
def test_a_look_alike_is_not_the_person_it_looks_like(look_alike: str, victim: str) -> None:
    assert email(look_alike).value != email(victim).value


@pytest.mark.parametrize("typed", ["\u212aim@example.com", "kim@example.\u212aim.com"])
def test_a_kelvin_sign_is_a_k_for_the_mailbox_too(typed: str) -> None:
    address = email(typed)
    assert address.spelling.isascii()
    assert address.spelling.lower() == address.value


LETTERS = "aAkKtThHwWyYjJsS.+-_\u0300\u0308\u030a\u030c\u0331\u212a\u2126\u00df\u0131\u0130\u017f"
MAILBOXES = st.builds(
    "{}@{}".format,
    st.text(LETTERS, min_size=1, max_size=6) | st.text(min_size=1, max_size=6),
    st.sampled_from(["example.com", "EXAMPLE.com", "b\u00fccher.example", "xn--bcher-kva.example"]),
)


@given(MAILBOXES)
@example("T\u0308@example.com")  # composes in lower case only
def test_the_normal_form_of_a_mailbox_reads_as_itself(typed: str) -> None:
    try:
        first = email(typed)
    except Malformed:
        return
    assert email(first.value).value == first.value


@given(MAILBOXES)
@example("\u212aim@example.com")
def test_who_is_taken_for_an_ascii_address_gets_the_mail_there(typed: str) -> None:
    try:
        address = email(typed)
    except Malformed:
        return
    assert not address.value.isascii() or address.spelling.lower() == address.value


def test_two_ways_to_write_a_domain_are_one_domain() -> None:
    assert email("ada@b\u00fccher.example") == email("ada@xn--bcher-kva.example")


# ── either ────────────────────────────────────────────────────────────────────────────
def test_an_identifier_with_an_at_sign_is_an_email_address() -> None:
    assert parse_identifier("Ada@example.com", test_mode=False).kind is Kind.EMAIL
    assert parse_identifier("+1 415 555 2671", test_mode=False).kind is Kind.PHONE


@pytest.mark.parametrize("typed", ["ada", "ada\uff20example.com", "4155552671"])
def test_an_identifier_that_is_neither_is_refused(typed: str) -> None:
    with pytest.raises(Malformed):
        parse_identifier(typed, test_mode=False)


@pytest.mark.parametrize(
    ("kind", "text", "strategy"),
    [
        (Kind.PHONE, "+14155552671", Strategy.PHONE_CODE),
        (Kind.EMAIL, "ada@example.com", Strategy.EMAIL_CODE),
    ],
)
def test_each_kind_has_its_strategy(kind: Kind, text: str, strategy: Strategy) -> None:
    address = parse(kind, text, test_mode=False)
    assert (address.kind, address.strategy, strategy.kind) == (kind, strategy, kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_an_address_of_the_other_kind_is_malformed(kind: Kind) -> None:
    other = "ada@example.com" if kind is Kind.PHONE else "+14155552671"
    with pytest.raises(Malformed):
        parse(kind, other, test_mode=False)


@pytest.mark.parametrize(
    ("typed", "masked"),
    [
        ("+14155552671", "+1********71"),
        ("+442079460958", "+44********58"),
        ("Ada.Lovelace@example.com", "a*****@example.com"),
        ("a@example.com", "a*****@example.com"),
    ],
)
def test_a_mask_can_be_recognised_and_not_read(typed: str, masked: str) -> None:
    assert mask(parse_identifier(typed, test_mode=False)) == masked


@pytest.mark.parametrize("area", ["000", "415", "999"])
def test_a_test_number_can_be_masked(area: str) -> None:
    assert mask(phone(f"+1{area}5550142", test_mode=True)) == "+1********42"


def test_two_spellings_are_the_same_address() -> None:
    address = email("Ada@example.com")
    assert address.is_same_as(email("ADA@Example.com"))
    assert not address.is_same_as(email("eve@example.com"))
    assert not address.is_same_as(Address(Kind.PHONE, address.value, address.spelling))
    assert not address.is_same_as(None)


def test_a_local_part_is_at_most_64_characters() -> None:
    assert parse_email_address("a" * 64 + "@example.com", test_mode=False)
    with pytest.raises(Malformed):
        parse_email_address("a" * 65 + "@example.com", test_mode=False)
