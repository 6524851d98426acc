"""Which factors a sign-in offers, what it shows of them, and when it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Channel, Kind, Strategy
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, Instance
from doorcode.domain.sign_in import (
    SECOND,
    TICKET,
    TRANSITIONS,
    SignIn,
    Status,
    choose_factor,
    factors_of_step,
    first_factors,
    next_step,
    second_factors,
    trust_factors,
)
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
SENT = Verification(
    "ver_1", "sia_1", EMAIL, Channel.EMAIL, VerificationStatus.UNVERIFIED, 0, NOW, NOW
)


def shown(sign_in: SignIn = SIGN_IN, user: User = ADA) -> list[str]:
    return [factor.safe_identifier for factor in first_factors(sign_in, user, INSTANCE)]


def test_a_finished_sign_in_goes_nowhere() -> None:
    assert TRANSITIONS.keys() == set(Status)
    finished = {status for status in Status if not TRANSITIONS[status]}
    assert finished == {Status.COMPLETE, Status.ABANDONED}


def test_nobody_is_signed_in_without_a_factor() -> None:
    before = {status for status, after in TRANSITIONS.items() if Status.COMPLETE in after}
    assert before == {
        Status.NEEDS_IDENTIFIER,  # by a ticket
        Status.NEEDS_FIRST_FACTOR,
        Status.NEEDS_SECOND_FACTOR,
        Status.NEEDS_CLIENT_TRUST,
    }


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
    sign_in = replace(SIGN_IN, first=SENT)
    assert sign_in.verification_to_try(Strategy.EMAIL_CODE) is SENT


@pytest.mark.parametrize(
    ("sign_in", "refusal"),
    [
        (SIGN_IN, errors.VERIFICATION_MISSING),
        (replace(SIGN_IN, first=SENT), errors.VERIFICATION_STRATEGY),
        (replace(SIGN_IN, status=Status.COMPLETE, first=SENT), errors.VERIFICATION_DONE),
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


@pytest.mark.parametrize("phones", [Attribute(used_for_sign_in=False)])
def test_an_instance_decides_what_is_a_factor(phones: Attribute) -> None:
    factors = first_factors(SIGN_IN, ADA, replace(INSTANCE, phone=phones))
    assert {factor.strategy for factor in factors} == {Strategy.EMAIL_CODE}


def test_a_factor_says_whether_it_is_primary() -> None:
    factors = first_factors(SIGN_IN, ADA, INSTANCE)
    assert [factor.id for factor in factors if factor.primary] == ["idn_1", "idn_3"]


def test_the_first_factor_of_a_strategy_is_the_one_typed() -> None:
    factors = first_factors(replace(SIGN_IN, identifier=WORK), ADA, INSTANCE)
    assert choose_factor(factors, Strategy.EMAIL_CODE, None).address == WORK


def test_a_factor_can_be_asked_for_by_id() -> None:
    factors = first_factors(SIGN_IN, ADA, INSTANCE)
    assert choose_factor(factors, Strategy.EMAIL_CODE, "idn_3").address == WORK


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


# ── the second step ───────────────────────────────────────────────────────────────────
TWO_STEPS = replace(INSTANCE, phone=Attribute(used_for_second_factor=True), backup_codes=True)


def reserved(user: User = ADA) -> User:
    phone, *rest = user.addresses
    return replace(user, addresses=(replace(phone, reserved_for_second_factor=True), *rest))


def strategies(user: User, instance: Instance, first: Kind | None) -> list[str]:
    return [factor.strategy for factor in second_factors(user, instance, first)]


def test_a_number_reserved_for_the_second_step_is_no_first_factor() -> None:
    factors = first_factors(SIGN_IN, reserved(), TWO_STEPS)
    assert {factor.strategy for factor in factors} == {Strategy.EMAIL_CODE}


def test_the_second_factor_travels_by_another_channel_than_the_first() -> None:
    both = replace(TWO_STEPS, email=Attribute(used_for_second_factor=True))
    assert strategies(reserved(), both, Kind.EMAIL) == ["phone_code"]
    assert strategies(reserved(), both, Kind.PHONE) == ["email_code", "email_code"]


def test_the_default_number_comes_first() -> None:
    second = OwnedAddress(
        "idn_4",
        "user_1",
        Address(Kind.PHONE, "+14155552672", "+14155552672"),
        NOW,
        NOW,
        NOW,
        reserved_for_second_factor=True,
        default_second_factor=True,
    )
    ada = reserved()
    ada = replace(ada, addresses=(*ada.addresses, second))
    assert [one.id for one in second_factors(ada, TWO_STEPS, Kind.EMAIL)] == ["idn_4", "idn_1"]


def test_a_second_factor_is_shown_masked() -> None:
    assert [one.safe_identifier for one in second_factors(reserved(), TWO_STEPS, Kind.EMAIL)] == [
        "+1********71"
    ]


def test_backup_codes_are_offered_while_there_are_any() -> None:
    ada = replace(reserved(), backup_codes=1)
    assert strategies(ada, TWO_STEPS, Kind.EMAIL) == ["phone_code", "backup_code"]
    assert strategies(ada, replace(TWO_STEPS, backup_codes=False), Kind.EMAIL) == ["phone_code"]


def test_a_first_factor_that_no_second_could_follow_is_not_offered() -> None:
    """Ada's other number would lead to a second step that nothing can finish."""
    other = owned("idn_5", Address(Kind.PHONE, "+14155552673", "+14155552673"))
    ada = reserved()
    ada = replace(ada, addresses=(*ada.addresses, other))
    assert "idn_5" not in [one.id for one in first_factors(SIGN_IN, ada, TWO_STEPS)]
    assert "idn_5" in [
        one.id for one in first_factors(SIGN_IN, replace(ada, backup_codes=1), TWO_STEPS)
    ]


def step(
    user: User = ADA, instance: Instance = INSTANCE, known: bool = False, first: str = "email_code"
) -> Status:
    sign_in = replace(SIGN_IN, first_strategy=first)
    return next_step(sign_in, user, instance, known_client=known)


def test_one_step_is_enough_where_no_two_were_set_up() -> None:
    assert step() is Status.COMPLETE
    assert step(reserved(), INSTANCE) is Status.COMPLETE  # the operator has turned it off


def test_two_steps_that_were_set_up_are_asked_for() -> None:
    assert step(reserved(), TWO_STEPS) is Status.NEEDS_SECOND_FACTOR


def test_whoever_has_two_steps_is_never_let_in_by_one() -> None:
    """By the number alone no second factor is left; that must not open the door."""
    alone = replace(reserved(), addresses=reserved().addresses[:1])
    assert second_factors(alone, TWO_STEPS, Kind.PHONE) == []
    assert step(alone, TWO_STEPS, first="phone_code") is Status.NEEDS_SECOND_FACTOR


def test_a_new_browser_is_asked_for_another_channel_where_that_is_set() -> None:
    trusting = replace(INSTANCE, client_trust=True)
    assert step(instance=trusting) is Status.NEEDS_CLIENT_TRUST
    assert step(instance=trusting, known=True) is Status.COMPLETE
    assert step(replace(ADA, addresses=ADA.addresses[1:]), trusting) is Status.COMPLETE


def test_two_steps_overrule_the_trust_in_a_browser() -> None:
    trusting = replace(TWO_STEPS, client_trust=True)
    assert step(reserved(), trusting, known=True) is Status.NEEDS_SECOND_FACTOR


def test_an_instance_that_asks_for_two_steps_asks_where_it_can() -> None:
    asking = replace(INSTANCE, mfa_required=True, email=Attribute(used_for_second_factor=True))
    assert step(instance=asking, first="phone_code") is Status.NEEDS_SECOND_FACTOR
    assert step(instance=asking) is Status.COMPLETE  # the session is pending then
    assert ADA.needs_second_factor(replace(INSTANCE, mfa_required=True))
    assert not reserved().needs_second_factor(replace(TWO_STEPS, mfa_required=True))


@pytest.mark.parametrize("status", sorted(SECOND))
def test_a_second_code_has_its_step(status: Status) -> None:
    at_second = replace(SIGN_IN, status=status, second=SENT, first_strategy="phone_code")
    assert at_second.second_verification_to_try(Strategy.EMAIL_CODE) is SENT
    with pytest.raises(Refused) as refused:
        at_second.expect_first_factor()
    assert refused.value.refusal == errors.VERIFICATION_DONE
    with pytest.raises(Refused) as refused:
        SIGN_IN.expect_second_factor()
    assert refused.value.refusal == errors.ACTION_INVALID


def test_the_factors_of_a_step_are_those_of_its_reason() -> None:
    at_trust = replace(SIGN_IN, status=Status.NEEDS_CLIENT_TRUST, first_strategy="email_code")
    assert factors_of_step(at_trust, ADA, INSTANCE) == trust_factors(ADA, Kind.EMAIL)
    at_second = replace(at_trust, status=Status.NEEDS_SECOND_FACTOR)
    assert factors_of_step(at_second, reserved(), TWO_STEPS) == second_factors(
        reserved(), TWO_STEPS, Kind.EMAIL
    )


def test_a_ticket_travels_by_no_channel() -> None:
    assert replace(SIGN_IN, first_strategy=TICKET).first_kind is None
    assert replace(SIGN_IN, first_strategy="phone_code").first_kind is Kind.PHONE


# ── sign_up_if_missing ────────────────────────────────────────────────────────────────
def test_an_attempt_that_may_become_a_sign_up_says_nothing_of_the_account() -> None:
    either = replace(SIGN_IN, id="sia_77", sign_up_if_missing=True)
    known = first_factors(either, ADA, INSTANCE)
    assert known == first_factors(replace(either, user_id=None), None, INSTANCE)
    assert [(one.strategy, one.safe_identifier) for one in known] == [
        ("email_code", "ada@example.com")
    ]
    assert known[0].id not in {one.id for one in ADA.addresses}
