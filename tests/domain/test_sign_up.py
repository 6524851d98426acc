"""What a sign-up still asks for, and when it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Channel, Kind, Strategy
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, Instance, NameAttribute, UsernameAttribute
from doorcode.domain.sign_up import TRANSITIONS, Profile, SignUp, Status, expect_username
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification

NOW = 1_700_000_000_000
PHONE = Address(Kind.PHONE, "+14155552671", "+14155552671")
EMAIL = Address(Kind.EMAIL, "ada@example.com", "Ada@example.com")
INSTANCE = Instance("ins_1")
EMPTY = SignUp("sua_1", "client_1", Status.MISSING, NOW, NOW + limits.ATTEMPT_LIVES_FOR)


def verification(
    address: Address, status: VerificationStatus = VerificationStatus.UNVERIFIED
) -> Verification:
    return Verification("ver_1", "sua_1", address, Channel.SMS, status, 0, NOW, NOW + 1)


def verified(address: Address) -> Verification:
    return verification(address, VerificationStatus.VERIFIED)


def refusal_of(sign_up: SignUp, strategy: Strategy) -> Refusal:
    with pytest.raises(Refused) as refused:
        sign_up.address_to_verify(strategy)
    return refused.value.refusal


def test_a_finished_sign_up_goes_nowhere() -> None:
    assert TRANSITIONS.keys() == set(Status)
    assert [status for status in Status if TRANSITIONS[status]] == [Status.MISSING]


def test_it_is_open_until_it_is_abandoned() -> None:
    assert EMPTY.is_open(EMPTY.abandon_at - 1)
    assert not EMPTY.is_open(EMPTY.abandon_at)
    EMPTY.expect_open(EMPTY.abandon_at - 1)


@pytest.mark.parametrize(
    ("status", "now", "refusal"),
    [
        (Status.MISSING, EMPTY.abandon_at, errors.NOT_FOUND),
        (Status.ABANDONED, NOW, errors.NOT_FOUND),
        (Status.COMPLETE, NOW, errors.VERIFICATION_DONE),
    ],
)
def test_one_that_is_over_is_refused(status: Status, now: int, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        replace(EMPTY, status=status).expect_open(now)
    assert refused.value.refusal == refusal


@pytest.mark.parametrize("address", [PHONE, EMAIL])
def test_either_address_alone_completes_once_verified(address: Address) -> None:
    name = "phone" if address is PHONE else "email"
    given = replace(EMPTY, **{name: address})
    assert given.unverified_fields(INSTANCE) == [address.kind]
    assert not given.can_complete(INSTANCE)
    proved = replace(given, verifications=(verified(address),))
    assert proved.unverified_fields(INSTANCE) == []
    assert proved.can_complete(INSTANCE)


def test_without_an_address_nobody_completes() -> None:
    assert EMPTY.missing_fields(INSTANCE) == []
    assert not EMPTY.can_complete(INSTANCE)


def test_both_addresses_must_be_verified() -> None:
    both = replace(EMPTY, phone=PHONE, email=EMAIL, verifications=(verified(PHONE),))
    assert both.unverified_fields(INSTANCE) == [Kind.EMAIL]
    assert not both.can_complete(INSTANCE)


def test_a_required_field_is_missing_until_given() -> None:
    instance = replace(INSTANCE, email=Attribute(required=True))
    phone_only = replace(EMPTY, phone=PHONE, verifications=(verified(PHONE),))
    assert phone_only.missing_fields(instance) == [Kind.EMAIL]
    assert not phone_only.can_complete(instance)
    assert replace(phone_only, email=EMAIL).missing_fields(instance) == []


def test_an_instance_may_do_without_verification() -> None:
    instance = replace(INSTANCE, email=Attribute(verify_at_sign_up=False))
    assert replace(EMPTY, email=EMAIL).can_complete(instance)


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.ABANDONED])
def test_it_completes_once(status: Status) -> None:
    proved = replace(EMPTY, phone=PHONE, verifications=(verified(PHONE),), status=status)
    assert not proved.can_complete(INSTANCE)


def test_proof_of_a_former_address_does_not_count() -> None:
    changed = replace(EMPTY, phone=replace(PHONE, value="+442079460958"))
    changed = replace(changed, verifications=(verified(PHONE),))
    assert not changed.is_verified(Kind.PHONE)
    assert changed.verification(Strategy.PHONE_CODE) is None
    assert not changed.can_complete(INSTANCE)


@pytest.mark.parametrize(
    "status", [one for one in VerificationStatus if one is not VerificationStatus.VERIFIED]
)
def test_only_a_verified_verification_proves(status: VerificationStatus) -> None:
    tried = replace(EMPTY, phone=PHONE, verifications=(verification(PHONE, status),))
    assert not tried.is_verified(Kind.PHONE)


def test_addresses_are_found_by_kind() -> None:
    both = replace(EMPTY, phone=PHONE, email=EMAIL)
    assert (both.address(Kind.PHONE), both.address(Kind.EMAIL)) == (PHONE, EMAIL)
    assert (both.addresses, EMPTY.addresses) == ([PHONE, EMAIL], [])


def test_a_code_goes_to_the_address_that_was_given() -> None:
    given = replace(EMPTY, email=EMAIL)
    assert given.address_to_verify(Strategy.EMAIL_CODE) == EMAIL


def test_no_code_goes_to_an_address_that_was_not_given() -> None:
    refusal = refusal_of(EMPTY, Strategy.PHONE_CODE)
    assert (refusal.code, refusal.param) == (errors.ACTION_INVALID.code, "phone_number")


def test_no_code_goes_to_an_address_that_is_proved() -> None:
    proved = replace(EMPTY, phone=PHONE, verifications=(verified(PHONE),))
    assert refusal_of(proved, Strategy.PHONE_CODE) == errors.VERIFICATION_DONE


def test_no_code_is_sent_after_completion() -> None:
    complete = replace(EMPTY, phone=PHONE, status=Status.COMPLETE)
    assert refusal_of(complete, Strategy.EMAIL_CODE) == errors.VERIFICATION_DONE


def test_a_code_is_tried_on_the_verification_it_was_sent_for() -> None:
    sent = verification(PHONE)
    given = replace(EMPTY, phone=PHONE, email=EMAIL, verifications=(sent,))
    assert given.verification_to_try(Strategy.PHONE_CODE) is sent


@pytest.mark.parametrize(
    ("sign_up", "refusal"),
    [
        (replace(EMPTY, phone=PHONE), errors.VERIFICATION_MISSING),
        (
            replace(EMPTY, email=EMAIL, verifications=(verification(EMAIL),)),
            errors.VERIFICATION_STRATEGY,
        ),
        (replace(EMPTY, phone=PHONE, status=Status.COMPLETE), errors.VERIFICATION_DONE),
    ],
)
def test_a_code_that_was_not_asked_for_is_refused(sign_up: SignUp, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        sign_up.verification_to_try(Strategy.PHONE_CODE)
    assert refused.value.refusal == refusal


# ── names ─────────────────────────────────────────────────────────────────────────────
NAMED = replace(
    INSTANCE,
    username=UsernameAttribute(used_for_sign_up=True, required=True),
    first_name=NameAttribute(used_for_sign_up=True, required=True),
    last_name=NameAttribute(used_for_sign_up=True),
    legal_consent=True,
)


def test_names_and_consent_are_missing_until_they_are_given() -> None:
    given = replace(EMPTY, phone=PHONE)
    assert NAMED.optional_fields == ["phone_number", "email_address", "last_name"]
    assert given.missing_fields(NAMED) == ["username", "first_name", "legal_accepted"]
    full = replace(given, profile=Profile("Ada", username="ada_l", legal_accepted_at=NOW))
    assert full.missing_fields(NAMED) == []
    assert not replace(full, verifications=()).can_complete(NAMED)
    assert replace(full, verifications=(verified(PHONE),)).can_complete(NAMED)


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("abc", "form_username_invalid_length"),
        ("----", "form_username_needs_non_number_char"),
        ("1_2-3", "form_username_needs_non_number_char"),
        ("a" * 65, "form_username_invalid_length"),
        ("ada lovelace", "form_username_invalid_character"),
        ("аda_l", "form_username_invalid_character"),  # a Cyrillic look-alike
        ("ada@example", "form_username_invalid_character"),
        ("+14155552671", "form_username_invalid_character"),
        ("14155552671", "form_username_needs_non_number_char"),
        ("1415-555", "form_username_needs_non_number_char"),
    ],
)
def test_a_username_that_could_pass_for_another_is_refused(username: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        expect_username(username, UsernameAttribute())
    assert (refused.value.refusal.code, refused.value.refusal.param) == (code, "username")


@pytest.mark.parametrize("username", ["ada_l", "Ada-2", "a" * 64, "4ever"])
def test_a_username_of_letters_digits_and_dashes_will_do(username: str) -> None:
    expect_username(username, UsernameAttribute())


def test_time_abandons_it() -> None:
    assert EMPTY.as_of(EMPTY.abandon_at - 1) is Status.MISSING
    assert EMPTY.as_of(EMPTY.abandon_at) is Status.ABANDONED
    assert replace(EMPTY, status=Status.COMPLETE).as_of(EMPTY.abandon_at) is Status.COMPLETE
