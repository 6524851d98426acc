"""Proving once more that one is oneself, in a session that is under way.

needs_first_factor ──right code──▶ complete, or needs_second_factor where both are asked for
needs_second_factor ──right code──▶ complete
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Kind, Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.session import Session
from doorcode.domain.sign_in import Factor, second_factors, trust_factors
from doorcode.domain.user import User
from doorcode.domain.verification import Verification


class Level(StrEnum):
    """How much is to be proved, by its name on the wire."""

    FIRST_FACTOR = "first_factor"
    SECOND_FACTOR = "second_factor"
    MULTI_FACTOR = "multi_factor"


class Status(StrEnum):
    """Where it stands, by its name on the wire."""

    NEEDS_FIRST_FACTOR = "needs_first_factor"
    NEEDS_SECOND_FACTOR = "needs_second_factor"
    COMPLETE = "complete"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.NEEDS_FIRST_FACTOR: frozenset({Status.NEEDS_SECOND_FACTOR, Status.COMPLETE}),
    Status.NEEDS_SECOND_FACTOR: frozenset({Status.COMPLETE}),
    Status.COMPLETE: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Reverification:
    """One of a session; a newer one takes its place.

    `first` and `second` are the verifications asked for last in each step.
    """

    id: str
    session_id: str
    level: Level
    status: Status
    created_at: int
    expires_at: int
    first: Verification | None = None
    second: Verification | None = None

    def expect_first_factor(self) -> None:
        """Refuse where a first code is neither asked for nor tried at this step."""
        if self.status is Status.NEEDS_FIRST_FACTOR:
            return
        done = self.status is Status.COMPLETE or self.level is Level.MULTI_FACTOR
        raise Refused(errors.VERIFICATION_DONE if done else errors.REVERIFICATION_INVALID)

    def expect_second_factor(self) -> None:
        """Refuse where a second code is neither asked for nor tried at this step."""
        if self.status is Status.NEEDS_SECOND_FACTOR:
            return
        done = self.status is Status.COMPLETE
        raise Refused(errors.VERIFICATION_DONE if done else errors.REVERIFICATION_INVALID)

    def verification_to_try(self, strategy: Strategy) -> Verification:
        """The verification that a first code by `strategy` is for, or `Refused`."""
        self.expect_first_factor()
        return _expect(self.first, strategy)

    def second_verification_to_try(self, strategy: Strategy) -> Verification:
        """The verification that a second code by `strategy` is for, or `Refused`."""
        self.expect_second_factor()
        return _expect(self.second, strategy)

    @property
    def first_kind(self) -> Kind | None:
        """By which sort of address the first step was done; None where it was not asked for."""
        done = self.status is not Status.NEEDS_FIRST_FACTOR
        return self.first.address.kind if done and self.first else None

    def after_first(self, verification: Verification) -> Reverification:
        """What it becomes by a right first code."""
        both = self.level is Level.MULTI_FACTOR
        status = Status.NEEDS_SECOND_FACTOR if both else Status.COMPLETE
        return replace(self, first=verification, status=status)

    def after_second(self, verification: Verification | None) -> Reverification:
        """What it becomes by a right second code; by a backup code there is no verification."""
        return replace(self, second=verification, status=Status.COMPLETE)


def _expect(verification: Verification | None, strategy: Strategy) -> Verification:
    if verification is None:
        raise Refused(errors.VERIFICATION_MISSING)
    if verification.strategy is not strategy:
        raise Refused(errors.VERIFICATION_STRATEGY)
    return verification


def possible_level(asked: Level, user: User, instance: Instance) -> Level:
    """The level that can be asked of this person: without a second step, the first it is.

    Only what was set up as a second step counts. The prebuilt components can ask for a
    second time by phone or by backup code alone, and would wait for ever for another.
    """
    return asked if user.has_second_factor(instance) else Level.FIRST_FACTOR


def first_step(level: Level) -> Status:
    """Where a reverification of this level begins."""
    if level is Level.SECOND_FACTOR:
        return Status.NEEDS_SECOND_FACTOR
    return Status.NEEDS_FIRST_FACTOR


def first_reverification_factors(level: Level, user: User, instance: Instance) -> list[Factor]:
    """What may prove this person a first time; where both are asked for, what leaves a second."""
    usable = {owned.id for owned in user.first_factor_addresses(instance)}
    return [
        factor
        for factor in trust_factors(user, first=None)
        if factor.id in usable
        and (level is not Level.MULTI_FACTOR or _leaves_second(factor, user, instance))
    ]


def second_reverification_factors(
    one: Reverification, user: User, instance: Instance
) -> list[Factor]:
    """What may prove this person a second time.

    Where nothing was proved before it, it must be what could not have been a first factor:
    a code to the mailbox that also signs in would be no second step at all.
    """
    factors = second_factors(user, instance, one.first_kind)
    if one.first_kind is not None:
        return factors
    first = {owned.id for owned in user.first_factor_addresses(instance)}
    return [factor for factor in factors if factor.id not in first]


def factors_of(one: Reverification, user: User, instance: Instance) -> list[Factor]:
    """The factors of the step that it stands at."""
    if one.status is Status.NEEDS_FIRST_FACTOR:
        return first_reverification_factors(one.level, user, instance)
    if one.status is Status.NEEDS_SECOND_FACTOR:
        return second_reverification_factors(one, user, instance)
    return []


def after_first_proof(before: Session, now: int, *, has_second: bool) -> Session:
    """The session once a first factor was proved at `now`.

    Where there is no second step any more (it was taken off the account), its old time
    goes. An app that asks for a recent second factor would otherwise ask for ever, since
    nobody could renew it.
    """
    second = before.second_factor_at if has_second else None
    return replace(before, first_factor_at=now, second_factor_at=second, updated_at=now)


def after_second_proof(before: Session, now: int) -> Session:
    """The session once a second factor was proved at `now`."""
    return replace(before, second_factor_at=now, updated_at=now)


def is_recent(session: Session, user: User, instance: Instance, now: int) -> bool:
    """Whether the strongest factor that this person has was proved a moment ago.

    Who has none at all (an account with a username alone) has nothing to prove, and is
    not locked out of the own account for it.
    """
    if user.has_second_factor(instance):
        at = session.second_factor_at
    elif user.first_factor_addresses(instance):
        at = session.created_at if session.first_factor_at is None else session.first_factor_at
    else:
        return True
    return at is not None and now < at + limits.PROOF_COUNTS_FOR


def _leaves_second(factor: Factor, user: User, instance: Instance) -> bool:
    kind = factor.address.kind if factor.address else None
    return bool(second_factors(user, instance, kind))
