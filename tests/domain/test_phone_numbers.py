"""Whose number it is, and whether a person reads there."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from doorcode.domain.phone_numbers import calling_code, country_of, unwanted


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+14155552671", "US"),
        ("+16045551234", "CA"),
        ("+18765551234", "JM"),
        ("+12425551234", "BS"),
        ("+447400123456", "GB"),
        ("+447911123456", "GG"),
        ("+77012345678", "KZ"),
        ("+79123456789", "RU"),
        ("+15555550100", "US"),  # no such area code: the calling code's main country
        ("+88213300655", ""),
        ("+80012345678", ""),
        ("+999123456", ""),
    ],
)
def test_the_country_is_the_metadatas_not_the_calling_codes(number: str, country: str) -> None:
    assert country_of(number) == country


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+19005551234", "premium rate"),
        ("+18005550199", "toll-free"),
        ("+88213300655", "satellite or a network of no country"),
        ("+881612345678", "satellite or a network of no country"),
        ("+870773111632", "satellite or a network of no country"),
        ("+979123456789", "satellite or a network of no country"),
        ("+80012345678", "satellite or a network of no country"),
    ],
)
def test_no_code_goes_to_where_nobody_reads(number: str, why: str) -> None:
    assert unwanted(number, voip=False) == unwanted(number, voip=True) == why


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (PhoneNumberType.PREMIUM_RATE, "premium rate"),
        (PhoneNumberType.TOLL_FREE, "toll-free"),
        (PhoneNumberType.SHARED_COST, "shared cost"),
    ],
)
def test_every_type_that_costs_more_or_reaches_nobody_is_refused(kind: int, why: str) -> None:
    assert {unwanted(number, voip=False) for number in examples_of(kind)} == {why}


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (PhoneNumberType.VOIP, "VoIP"),
        (PhoneNumberType.PERSONAL_NUMBER, "a personal number"),
        (PhoneNumberType.UAN, "a company's universal number"),
        (PhoneNumberType.PAGER, "a pager"),
        (PhoneNumberType.VOICEMAIL, "voicemail"),
    ],
)
def test_where_somebody_may_read_it_is_a_matter_of_policy(kind: int, why: str) -> None:
    examples = examples_of(kind)
    assert {unwanted(number, voip=True) for number in examples} == {why}
    assert {unwanted(number, voip=False) for number in examples} == {None}


@pytest.mark.parametrize("number", ["+447612345678", "+447012345678", "+14151234567"])
def test_what_a_person_may_have_is_taken_where_voip_is(number: str) -> None:
    assert unwanted(number, voip=False) is None


def examples_of(kind: int) -> set[str]:
    found = {
        phonenumbers.format_number(example, PhoneNumberFormat.E164)
        for country in phonenumbers.SUPPORTED_REGIONS
        if (example := phonenumbers.example_number_for_type(country, kind))
        and phonenumbers.number_type(example) == kind
    }
    assert found
    return found


@pytest.mark.parametrize(
    "number", ["+14155552671", "+447400123456", "+15555550100", "+4915123456789"]
)
def test_a_usual_number_is_wanted(number: str) -> None:
    assert unwanted(number, voip=True) is None


@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_example_mobile_of_every_country_is_wanted(country: str) -> None:
    example = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    if example is None:
        pytest.skip("no example in the metadata")
    number = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    # Some islands share every number with a neighbour; then the metadata names that one.
    assert country_of(number) == phonenumbers.region_code_for_number(example)
    assert unwanted(number, voip=True) is None
    assert number.startswith(calling_code(number))


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_every_number_has_an_answer(number: str) -> None:
    country = country_of(number)
    assert country == "" or country in phonenumbers.SUPPORTED_REGIONS
    assert unwanted(number, voip=False) is None or unwanted(number, voip=True) is not None
    if country == "":
        assert unwanted(number, voip=False) is not None
