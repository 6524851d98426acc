"""What may go from an account and what must stay: nobody is locked out by their own hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorcode.domain import errors
from doorcode.domain.account import (
    can_sign_in,
    handed_over,
    has_two_steps,
    merged,
    settled,
    with_address,
    with_primary,
    with_second_step,
    without,
)
from doorcode.domain.addresses import Address, Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, Instance
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import AppData, OwnedAddress, User


def owned(id_: str, **changes: Any) -> OwnedAddress:
    """`p…` is a phone number, `e…` an e-mail address; both are verified."""
    kind = Kind.PHONE if id_.startswith("p") else Kind.EMAIL
    one = OwnedAddress(id_, "user_1", Address(kind, id_, id_), 1, 1, 1)
    return replace(one, **changes)


def account(*addresses: OwnedAddress | str, **changes: Any) -> User:
    given = tuple(owned(one) if isinstance(one, str) else one for one in addresses)
    return settled(replace(User("user_1", Profile(), given, 1, 1), **changes))


P1, P2, E1, E2 = (owned(id_) for id_ in ("p1", "p2", "e1", "e2"))
RESERVED = replace(P1, reserved_for_second_factor=True, default_second_factor=True)
ALSO_RESERVED = replace(P2, reserved_for_second_factor=True)
CLAIMED = replace(P2, verified_at=None)
SMS_MFA = Attribute(used_for_second_factor=True)
OPEN = Instance("ins_1")
MFA = Instance("ins_1", phone=SMS_MFA)
MUST = replace(MFA, mfa_required=True)
MAIL_TOO = replace(MUST, email=SMS_MFA)


def refused(call: Any, *args: Any, **options: Any) -> Refusal:
    with pytest.raises(Refused) as caught:
        call(*args, **options)
    return caught.value.refusal


# ── can this person get in ────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("user", "instance", "can"),
    [
        (account(P1), OPEN, True),
        (account(), OPEN, False),
        (account(CLAIMED), OPEN, False),
        (account(P1), Instance("i", phone=Attribute(used_for_sign_in=False)), False),
        (account(RESERVED, E1), MFA, True),
        (account(RESERVED), MFA, False),
        (account(RESERVED, P2), MFA, False),  # the second step must travel another way
        (account(RESERVED, P2, backup_codes=10), MFA, False),  # they come to an end
        (account(RESERVED, P2), OPEN, True),  # reserved once, but no second steps here now
    ],
)
def test_a_person_can_sign_in_by_what_is_left(user: User, instance: Instance, can: bool) -> None:
    assert can_sign_in(user, instance) is can


@pytest.mark.parametrize(
    ("user", "instance", "two"),
    [
        (account(P1, E1), MFA, False),
        (account(RESERVED, E1), MFA, True),
        (account(RESERVED, E1), OPEN, False),
        (account(P1, E1), MUST, False),
        (account(P1, E1), MAIL_TOO, True),
    ],
)
def test_two_steps_are_set_up_or_asked_of_everybody(
    user: User, instance: Instance, two: bool
) -> None:
    assert has_two_steps(user, instance) is two


# ── removing ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("user", "gone", "instance", "why"),
    [
        (account(P1), P1, OPEN, errors.LAST_ADDRESS),
        (account(P1, CLAIMED), P1, OPEN, errors.LAST_ADDRESS),
        (
            account(P1, E1),
            P1,
            Instance("i", phone=Attribute(required=True)),
            errors.LAST_REQUIRED_ADDRESS,
        ),
        (
            account(P1, E1),
            P1,
            Instance("i", email=Attribute(used_for_sign_in=False)),
            errors.LAST_ADDRESS,
        ),
        (account(RESERVED, E1), E1, MFA, errors.LAST_ADDRESS),
        (account(RESERVED, P2, E1), E1, MFA, errors.LAST_ADDRESS),
        (account(RESERVED, E1), RESERVED, MUST, errors.SECOND_FACTOR_REQUIRED),
        (account(P1, E1), E1, MAIL_TOO, errors.SECOND_FACTOR_REQUIRED),
        (
            account(P1, E1),
            P1,
            Instance("i", phone=Attribute(immutable=True)),
            errors.ATTRIBUTE_IMMUTABLE.about(Kind.PHONE),
        ),
    ],
)
def test_an_address_that_is_needed_stays(
    user: User, gone: OwnedAddress, instance: Instance, why: Refusal
) -> None:
    assert refused(without, user, gone, instance) == why


@pytest.mark.parametrize(
    ("user", "gone", "instance"),
    [
        (account(P1, P2), P1, OPEN),
        (account(P1, E1), P1, OPEN),
        (account(P1, CLAIMED), CLAIMED, Instance("i", phone=Attribute(required=True))),
        (account(P1, CLAIMED), CLAIMED, Instance("i", phone=Attribute(immutable=True))),
        (account(RESERVED, E1), RESERVED, MFA),
        (account(RESERVED, ALSO_RESERVED, E1), RESERVED, MUST),
        (account(P1, P2, E1), P1, MAIL_TOO),
    ],
)
def test_any_other_may_go(user: User, gone: OwnedAddress, instance: Instance) -> None:
    after = without(user, gone, instance)
    assert after.owned(gone.id) is None
    assert len(after.addresses) == len(user.addresses) - 1


def test_the_next_verified_one_is_primary_then() -> None:
    user = account(P1, CLAIMED, owned("p3"), E1)
    assert user.primary_phone_id == "p1"
    assert without(user, P1, OPEN).primary_phone_id == "p3"


def test_where_none_is_left_none_is_primary() -> None:
    assert without(account(P1, E1), P1, OPEN).primary_phone_id is None


def test_the_default_second_step_moves_on() -> None:
    after = without(account(RESERVED, ALSO_RESERVED, E1), RESERVED, MFA)
    assert [one.default_second_factor for one in after.of_kind(Kind.PHONE)] == [True]


# ── the second step ───────────────────────────────────────────────────────────────────
def step(user: User, one: OwnedAddress, instance: Instance = MFA, **wanted: bool | None) -> User:
    return with_second_step(user, one, instance, **{"reserved": None, "default": None, **wanted})


def flags(user: User) -> dict[str, tuple[bool, bool]]:
    return {
        one.id: (one.reserved_for_second_factor, one.default_second_factor)
        for one in user.of_kind(Kind.PHONE)
    }


def test_the_first_that_is_reserved_is_the_default() -> None:
    assert flags(step(account(P1, P2, E1), P1, reserved=True)) == {
        "p1": (True, True),
        "p2": (False, False),
    }


def test_another_default_takes_the_place_of_the_first() -> None:
    user = account(RESERVED, ALSO_RESERVED, E1)
    assert flags(step(user, ALSO_RESERVED, default=True)) == {
        "p1": (True, False),
        "p2": (True, True),
    }


def test_one_that_is_given_back_passes_the_default_on() -> None:
    user = account(RESERVED, ALSO_RESERVED, E1)
    assert flags(step(user, RESERVED, reserved=False)) == {"p1": (False, False), "p2": (True, True)}


def test_both_can_be_said_at_once() -> None:
    user = account(RESERVED, P2, E1)
    assert flags(step(user, P2, reserved=True, default=True))["p2"] == (True, True)
    assert flags(step(user, RESERVED, reserved=False, default=False))["p1"] == (False, False)


def test_what_is_not_said_stays() -> None:
    user = account(RESERVED, P2, E1)
    assert step(user, RESERVED) == user
    assert step(user, P2, default=False) == user


@pytest.mark.parametrize(
    ("user", "one", "instance", "wanted", "why"),
    [
        (
            account(P1, CLAIMED, E1),
            CLAIMED,
            MFA,
            {"reserved": True},
            errors.SECOND_FACTOR_UNVERIFIED,
        ),
        (
            account(P1, CLAIMED, E1),
            CLAIMED,
            MFA,
            {"default": True},
            errors.SECOND_FACTOR_UNVERIFIED,
        ),
        (account(P1), P1, MFA, {"reserved": True}, errors.LAST_ADDRESS_RESERVED),
        (account(P1, P2), P1, MFA, {"reserved": True}, errors.LAST_ADDRESS_RESERVED),
        (
            account(P1, E1),
            P1,
            OPEN,
            {"reserved": True},
            errors.PARAM_UNKNOWN.about("reserved_for_second_factor"),
        ),
        (
            account(P1, E1),
            P1,
            MFA,
            {"default": True},
            errors.PARAM_VALUE.about("default_second_factor"),
        ),
        (
            account(RESERVED, E1),
            RESERVED,
            MFA,
            {"reserved": False, "default": True},
            errors.PARAM_VALUE.about("default_second_factor"),
        ),
        (account(RESERVED, E1), RESERVED, MFA, {"default": False}, errors.DEFAULT_SECOND_FACTOR),
        (account(RESERVED, E1), RESERVED, MUST, {"reserved": False}, errors.SECOND_FACTOR_REQUIRED),
    ],
)
def test_a_second_step_that_would_not_work_is_refused(
    user: User, one: OwnedAddress, instance: Instance, wanted: dict[str, bool], why: Refusal
) -> None:
    assert refused(step, user, one, instance, **wanted) == why


# ── the first choice ──────────────────────────────────────────────────────────────────
def test_the_first_verified_address_of_a_kind_becomes_primary() -> None:
    user = account(CLAIMED, E1)
    assert user.primary_phone_id is None
    assert with_address(user, P1).primary_phone_id == "p1"
    assert with_address(with_address(user, P1), owned("p3")).primary_phone_id == "p1"


def test_an_unproved_address_gives_way_to_a_proved_one() -> None:
    user = replace(account(CLAIMED), primary_phone_id="p2")
    assert settled(user).primary_phone_id == "p2"
    assert with_address(user, P1).primary_phone_id == "p1"
    assert with_address(user, P2).primary_phone_id == "p2"


def test_an_unproved_address_is_the_first_choice_only_where_nothing_is_proved() -> None:
    """The app would write to whoever owns it, of an account that is somebody else's."""
    unproved = replace(E1, verified_at=None)
    user = account(CLAIMED, unproved, primary_email_id="e1", primary_phone_id="p2")
    assert (user.primary_phone_id, user.primary_email_id) == ("p2", "e1")
    user = with_address(user, P2)
    assert (user.primary_phone_id, user.primary_email_id) == ("p2", None)


def test_another_can_be_chosen() -> None:
    user = account(P1, P2, E1)
    assert with_primary(user, Kind.PHONE, "p2") == replace(user, primary_phone_id="p2")


@pytest.mark.parametrize(
    ("id_", "why"),
    [
        ("none", errors.PARAM_RESOURCE.about("primary_phone_number_id")),
        ("e1", errors.PARAM_RESOURCE.about("primary_phone_number_id")),
        ("p2", errors.VERIFICATION_NEEDED.about("primary_phone_number_id")),
    ],
)
def test_only_a_proved_one_of_the_kind_can_be_chosen(id_: str, why: Refusal) -> None:
    assert refused(with_primary, account(P1, CLAIMED, E1), Kind.PHONE, id_) == why


# ── metadata ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [  # the cases of RFC 7396, appendix A, that are about objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "foo"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_a_patch_is_merged(
    before: dict[str, Any], patch: dict[str, Any], after: dict[str, Any]
) -> None:
    copy = dict(before)
    assert merged(before, patch) == after
    assert before == copy


# ── what an owner finds ───────────────────────────────────────────────────────────────
def test_of_an_account_that_is_handed_over_its_id_and_the_app_s_data_stay() -> None:
    mail = owned("e1", verified_at=7, updated_at=7)
    before = account(
        owned("e1", verified_at=None),
        owned("p1", verified_at=None),
        profile=Profile("Eve", username="evelyn", legal_accepted_at=1),
        image_id="img_1",
        backup_codes=3,
        mfa_enabled_at=1,
        app_data=AppData({"plan": "free"}),
    )
    after = handed_over(before, mail)
    assert after == User(
        "user_1",
        Profile(),
        (mail,),
        created_at=1,
        updated_at=7,
        last_sign_in_at=7,
        last_active_at=7,
        primary_email_id="e1",
        app_data=AppData({"plan": "free"}),
    )


def test_a_ban_outlasts_the_hand_over() -> None:
    assert handed_over(account("e1", banned=True), E1).banned
