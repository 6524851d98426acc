"""What proves a person again, in which order, and for how long it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Channel, Kind, Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute, Instance
from doorcode.domain.reverification import (
    Level,
    Reverification,
    Status,
    after_first_proof,
    after_second_proof,
    factors_of,
    first_step,
    is_recent,
    possible_level,
)
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification

NOW = 1_700_000_000_000
TWO_STEPS = Attribute(used_for_second_factor=True)
INSTANCE = Instance("ins_1", phone=TWO_STEPS, backup_codes=True)
MAIL = Address(Kind.EMAIL, "ada@example.com", "Ada@example.com", False)
PHONE = Address(Kind.PHONE, "+14155552671", "+14155552671", False)
OTHER = Address(Kind.PHONE, "+14155552672", "+14155552672", False)
SESSION = Session("sess_1", "client_1", "user_1", SessionStatus.ACTIVE, NOW, NOW, NOW, NOW, NOW)
ONE = Reverification("srv_1", "sess_1", Level.MULTI_FACTOR, Status.NEEDS_FIRST_FACTOR, NOW, NOW)


def _owned(address: Address, *, reserved: bool = False) -> OwnedAddress:
    return OwnedAddress(
        f"idn_{address.value}",
        "user_1",
        address,
        NOW,
        NOW,
        NOW,
        reserved_for_second_factor=reserved,
    )


def _user(*addresses: OwnedAddress, backup_codes: int = 0) -> User:
    return User("user_1", Profile(), addresses, NOW, NOW, backup_codes=backup_codes)


def _verified(address: Address) -> Verification:
    channel = Channel.SMS if address.kind is Kind.PHONE else Channel.EMAIL
    verified = VerificationStatus.VERIFIED
    return Verification("ver_1", ONE.id, address, channel, verified, 1, NOW, NOW)


ONE_STEP = _user(_owned(MAIL), _owned(PHONE))
TWO = _user(_owned(MAIL), _owned(PHONE, reserved=True))
NOBODY = _user()


def _strategies(one: Reverification, user: User, instance: Instance = INSTANCE) -> list[str]:
    return [factor.strategy for factor in factors_of(one, user, instance)]


def _at(level: Level, status: Status, first: Address | None = None) -> Reverification:
    return replace(ONE, level=level, status=status, first=_verified(first) if first else None)


# ── which level ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("level", list(Level))
def test_who_has_no_second_step_is_asked_for_the_first(level: Level) -> None:
    assert possible_level(level, ONE_STEP, INSTANCE) is Level.FIRST_FACTOR
    assert possible_level(level, TWO, INSTANCE) is level


def test_second_step_that_the_instance_took_away_is_none() -> None:
    assert possible_level(Level.SECOND_FACTOR, TWO, Instance("ins_1")) is Level.FIRST_FACTOR


def test_only_the_second_factor_alone_begins_at_the_second_step() -> None:
    assert {level: first_step(level) for level in Level} == {
        Level.FIRST_FACTOR: Status.NEEDS_FIRST_FACTOR,
        Level.SECOND_FACTOR: Status.NEEDS_SECOND_FACTOR,
        Level.MULTI_FACTOR: Status.NEEDS_FIRST_FACTOR,
    }


# ── which factors ─────────────────────────────────────────────────────────────────────
def test_first_factors_are_those_that_sign_in() -> None:
    first = _at(Level.FIRST_FACTOR, Status.NEEDS_FIRST_FACTOR)
    assert _strategies(first, ONE_STEP) == ["email_code", "phone_code"]
    assert _strategies(first, TWO) == ["email_code"]
    assert _strategies(first, NOBODY) == []
    by_phone_only = replace(INSTANCE, email=Attribute(used_for_sign_in=False))
    assert _strategies(first, ONE_STEP, by_phone_only) == ["phone_code"]


def test_claimed_address_proves_nothing() -> None:
    claimed = replace(_owned(MAIL), verified_at=None)
    first = _at(Level.FIRST_FACTOR, Status.NEEDS_FIRST_FACTOR)
    assert _strategies(first, _user(claimed, _owned(PHONE))) == ["phone_code"]


def test_where_both_are_asked_for_the_first_must_leave_a_second() -> None:
    user = _user(_owned(OTHER), _owned(MAIL), _owned(PHONE, reserved=True))
    assert _strategies(ONE, user) == ["email_code"]
    assert _strategies(ONE, replace(user, backup_codes=1)) == ["phone_code", "email_code"]


def test_second_after_a_first_is_of_another_channel() -> None:
    instance = replace(INSTANCE, email=TWO_STEPS)
    user = _user(_owned(OTHER), _owned(MAIL), _owned(PHONE, reserved=True))
    by_mail = _at(Level.MULTI_FACTOR, Status.NEEDS_SECOND_FACTOR, MAIL)
    by_phone = _at(Level.MULTI_FACTOR, Status.NEEDS_SECOND_FACTOR, OTHER)
    assert _strategies(by_mail, user, instance) == ["phone_code"]
    assert _strategies(by_phone, user, instance) == ["email_code"]


def test_second_alone_cannot_be_what_signs_in() -> None:
    instance = replace(INSTANCE, email=TWO_STEPS)
    alone = _at(Level.SECOND_FACTOR, Status.NEEDS_SECOND_FACTOR)
    assert _strategies(alone, TWO, instance) == ["phone_code"]
    mail_only_second = Attribute(used_for_sign_in=False, used_for_second_factor=True)
    instance = replace(INSTANCE, email=mail_only_second)
    assert _strategies(alone, TWO, instance) == ["phone_code", "email_code"]


def test_backup_codes_count_while_there_are_any() -> None:
    alone = _at(Level.SECOND_FACTOR, Status.NEEDS_SECOND_FACTOR)
    assert _strategies(alone, replace(TWO, backup_codes=1)) == ["phone_code", "backup_code"]
    off = replace(INSTANCE, backup_codes=False)
    assert _strategies(alone, replace(TWO, backup_codes=1), off) == ["phone_code"]


def test_complete_one_lists_nothing() -> None:
    assert _strategies(_at(Level.MULTI_FACTOR, Status.COMPLETE, MAIL), TWO) == []


# ── which step ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("level", "status", "error"),
    [
        (Level.SECOND_FACTOR, Status.NEEDS_SECOND_FACTOR, "invalid_action"),
        (Level.MULTI_FACTOR, Status.NEEDS_SECOND_FACTOR, "already_verified"),
        (Level.FIRST_FACTOR, Status.COMPLETE, "already_verified"),
        (Level.SECOND_FACTOR, Status.COMPLETE, "already_verified"),
    ],
)
def test_first_factor_at_another_step_is_refused(level: Level, status: Status, error: str) -> None:
    with pytest.raises(Refused, match=error):
        _at(level, status).verification_to_try(Strategy.EMAIL_CODE)


@pytest.mark.parametrize(
    ("status", "error"),
    [(Status.NEEDS_FIRST_FACTOR, "invalid_action"), (Status.COMPLETE, "already_verified")],
)
def test_second_factor_at_another_step_is_refused(status: Status, error: str) -> None:
    with pytest.raises(Refused, match=error):
        _at(Level.MULTI_FACTOR, status).second_verification_to_try(Strategy.PHONE_CODE)


@pytest.mark.parametrize(
    ("level", "status"),
    [
        (Level.FIRST_FACTOR, Status.COMPLETE),
        (Level.MULTI_FACTOR, Status.NEEDS_SECOND_FACTOR),
    ],
)
def test_right_first_code_leads_on(level: Level, status: Status) -> None:
    before = _at(level, Status.NEEDS_FIRST_FACTOR)
    after = before.after_first(_verified(MAIL))
    assert (after.status, after.first) == (status, _verified(MAIL))
    assert (before.first_kind, after.first_kind) == (None, Kind.EMAIL)


def test_code_that_was_only_sent_is_no_first_step_done() -> None:
    asked = replace(ONE, first=_verified(MAIL))
    assert asked.first_kind is None


@pytest.mark.parametrize("verification", [_verified(PHONE), None])
def test_right_second_code_completes_it(verification: Verification | None) -> None:
    before = _at(Level.SECOND_FACTOR, Status.NEEDS_SECOND_FACTOR)
    after = before.after_second(verification)
    assert (after.status, after.second) == (Status.COMPLETE, verification)


# ── what it leaves in the session ─────────────────────────────────────────────────────
def test_proof_is_noted_with_its_factor() -> None:
    later = NOW + limits.HOUR
    first = after_first_proof(SESSION, later, has_second=True)
    assert (first.first_factor_at, first.second_factor_at) == (later, None)
    second = after_second_proof(first, later + 1)
    assert (second.first_factor_at, second.second_factor_at) == (later, later + 1)
    assert second.updated_at == later + 1


def test_second_step_that_is_gone_leaves_no_time_behind() -> None:
    stale = replace(SESSION, second_factor_at=NOW)
    assert after_first_proof(stale, NOW, has_second=True).second_factor_at == NOW
    assert after_first_proof(stale, NOW, has_second=False).second_factor_at is None


@pytest.mark.parametrize(
    ("user", "session", "counts"),
    [
        (ONE_STEP, SESSION, True),  # the sign-in itself
        (ONE_STEP, replace(SESSION, created_at=0, first_factor_at=NOW), True),
        (ONE_STEP, replace(SESSION, created_at=0, second_factor_at=NOW), False),
        (TWO, SESSION, False),
        (TWO, replace(SESSION, created_at=0, second_factor_at=NOW), True),
    ],
)
def test_the_strongest_factor_counts_for_ten_minutes(
    user: User, session: Session, counts: bool
) -> None:
    end = NOW + limits.PROOF_COUNTS_FOR
    assert is_recent(session, user, INSTANCE, end - 1) is counts
    assert not is_recent(session, user, INSTANCE, end)


def test_who_has_nothing_to_prove_is_not_locked_out() -> None:
    assert is_recent(SESSION, NOBODY, INSTANCE, NOW + limits.DAY)
