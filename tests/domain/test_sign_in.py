"""Which factors a sign-in offers, what it shows of them, and when it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Kind, Strategy
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, Instance
from doorcode.domain.sign_in import TRANSITIONS, SignIn, Status, choose_factor, first_factors
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification

NOW = 1_700_000_000_000
INSTANCE = Instance("ins_1")
PHONE = Address(Kind.PHONE, "+14155552671", "+14155552671")
EMAIL = Address(Kind.EMAIL, "ada@example.com", "Ada@example.com")
WORK = Address(Kind.EMAIL, "ada@work.example", "ada@work.example")


def owned(id_: str, address: Address, verified_at: int | None = NOW) -> OwnedAddress:
    return OwnedAddress(id_, "user_1", address, verified_at, NOW, NOW)


ADA = User(
    "user_1",
    Profile(),
    (owned("idn_1", PHONE), owned("idn_2", EMAIL), owned("idn_3", WORK)),
    created_at=NOW,
    updated_at=NOW,
    primary_phone_id="idn_1",
    primary_email_id="idn_3",
)
SIGN_IN = SignIn(
    "sia_1",
    "client_1",
    Status.NEEDS_FIRST_FACTOR,
    NOW,
    NOW + limits.ATTEMPT_LIVES_FOR,
    identifier=EMAIL,
    user_id="user_1",
)
SENT = Verification("ver_1", "sia_1", EMAIL, "email", VerificationStatus.UNVERIFIED, 0, NOW, NOW)


def shown(sign_in: SignIn = SIGN_IN, user: User = ADA) -> list[str]:
    return [factor.safe_identifier for factor in first_factors(sign_in, user, INSTANCE)]


def test_a_finished_sign_in_goes_nowhere() -> None:
    assert TRANSITIONS.keys() == set(Status)
    finished = {status for status in Status if not TRANSITIONS[status]}
    assert finished == {Status.COMPLETE, Status.ABANDONED}


def test_nobody_is_signed_in_without_a_factor() -> None:
    before = {status for status, after in TRANSITIONS.items() if Status.COMPLETE in after}
    assert before == {Status.NEEDS_FIRST_FACTOR}


@pytest.mark.parametrize("status", [Status.NEEDS_IDENTIFIER, Status.NEEDS_FIRST_FACTOR])
def test_it_is_open_until_it_is_abandoned(status: Status) -> None:
    sign_in = replace(SIGN_IN, status=status)
    assert sign_in.is_open(SIGN_IN.abandon_at - 1)
    assert not sign_in.is_open(SIGN_IN.abandon_at)
    sign_in.expect_open(SIGN_IN.abandon_at - 1)


@pytest.mark.parametrize(
    ("status", "now", "refusal"),
    [
        (Status.NEEDS_FIRST_FACTOR, SIGN_IN.abandon_at, errors.NOT_FOUND),
        (Status.ABANDONED, NOW, errors.NOT_FOUND),
        (Status.COMPLETE, NOW, errors.VERIFICATION_DONE),
    ],
)
def test_one_that_is_over_is_refused(status: Status, now: int, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        replace(SIGN_IN, status=status).expect_open(now)
    assert refused.value.refusal == refusal


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (Status.COMPLETE, errors.VERIFICATION_DONE),
        (Status.NEEDS_IDENTIFIER, errors.ACTION_INVALID),
        (Status.ABANDONED, errors.ACTION_INVALID),
    ],
)
def test_a_code_has_its_step(status: Status, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        replace(SIGN_IN, status=status).expect_first_factor()
    assert refused.value.refusal == refusal
    SIGN_IN.expect_first_factor()


def test_a_code_is_tried_on_the_verification_asked_for_last() -> None:
    sign_in = replace(SIGN_IN, verification=SENT)
    assert sign_in.verification_to_try(Strategy.EMAIL_CODE) is SENT


@pytest.mark.parametrize(
    ("sign_in", "refusal"),
    [
        (SIGN_IN, errors.VERIFICATION_MISSING),
        (replace(SIGN_IN, verification=SENT), errors.VERIFICATION_STRATEGY),
        (replace(SIGN_IN, status=Status.COMPLETE, verification=SENT), errors.VERIFICATION_DONE),
    ],
)
def test_a_code_that_was_not_asked_for_is_refused(sign_in: SignIn, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        sign_in.verification_to_try(Strategy.PHONE_CODE)
    assert refused.value.refusal == refusal


# ── factors ───────────────────────────────────────────────────────────────────────────
def test_only_what_was_typed_is_shown_in_full() -> None:
    assert shown() == ["ada@example.com", "+1********71", "a*****@work.example"]


def test_a_phone_number_does_not_tell_the_email_address() -> None:
    by_phone = replace(SIGN_IN, identifier=PHONE)
    assert shown(by_phone) == ["+14155552671", "a*****@example.com", "a*****@work.example"]


def test_nothing_is_shown_in_full_where_nothing_was_typed() -> None:
    assert all("*" in text for text in shown(replace(SIGN_IN, identifier=None)))


def test_an_address_that_is_not_proved_is_no_factor() -> None:
    ada = replace(ADA, addresses=(owned("idn_1", PHONE, verified_at=None), owned("idn_2", EMAIL)))
    assert shown(user=ada) == ["ada@example.com"]


@pytest.mark.parametrize("phones", [Attribute(enabled=False), Attribute(used_for_sign_in=False)])
def test_an_instance_decides_what_is_a_factor(phones: Attribute) -> None:
    factors = first_factors(SIGN_IN, ADA, replace(INSTANCE, phone=phones))
    assert {factor.strategy for factor in factors} == {Strategy.EMAIL_CODE}


def test_a_factor_says_whether_it_is_primary() -> None:
    factors = first_factors(SIGN_IN, ADA, INSTANCE)
    assert [factor.address.id for factor in factors if factor.primary] == ["idn_1", "idn_3"]


def test_the_first_factor_of_a_strategy_is_the_one_typed() -> None:
    factors = first_factors(replace(SIGN_IN, identifier=WORK), ADA, INSTANCE)
    assert choose_factor(factors, Strategy.EMAIL_CODE, None).address.address == WORK


def test_a_factor_can_be_asked_for_by_id() -> None:
    factors = first_factors(SIGN_IN, ADA, INSTANCE)
    assert choose_factor(factors, Strategy.EMAIL_CODE, "idn_3").address.address == WORK


@pytest.mark.parametrize("address_id", ["idn_1", "idn_9", ""])
def test_an_id_of_another_kind_or_person_is_not_found(address_id: str) -> None:
    factors = first_factors(SIGN_IN, ADA, INSTANCE)
    with pytest.raises(Refused) as refused:
        choose_factor(factors, Strategy.EMAIL_CODE, address_id)
    refusal = refused.value.refusal
    assert (refusal.code, refusal.param) == ("form_resource_not_found", "email_address_id")


def test_a_strategy_that_the_account_lacks_is_refused() -> None:
    factors = first_factors(SIGN_IN, replace(ADA, addresses=(owned("i", EMAIL),)), INSTANCE)
    with pytest.raises(Refused) as refused:
        choose_factor(factors, Strategy.PHONE_CODE, None)
    assert refused.value.refusal == errors.STRATEGY_FOR_USER
