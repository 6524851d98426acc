"""One person's attempt to sign in.

needs_identifier ──identifier of an account──▶ needs_first_factor
needs_first_factor ──right code──▶ complete
        │
        └──24 hours, or a newer attempt──▶ abandoned
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Strategy, mask
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Verification


class Status(StrEnum):
    """Where a sign-in stands, by its name on the wire."""

    NEEDS_IDENTIFIER = "needs_identifier"
    NEEDS_FIRST_FACTOR = "needs_first_factor"
    COMPLETE = "complete"
    ABANDONED = "abandoned"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.NEEDS_IDENTIFIER: frozenset({Status.NEEDS_FIRST_FACTOR, Status.ABANDONED}),
    Status.NEEDS_FIRST_FACTOR: frozenset({Status.COMPLETE, Status.ABANDONED}),
    Status.COMPLETE: frozenset(),
    Status.ABANDONED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One way for this person to prove who they are.

    `safe_identifier` is the address in full where it is the one that was typed, and
    masked otherwise: who knows somebody's phone number must not learn their e-mail.
    """

    strategy: Strategy
    address: OwnedAddress
    safe_identifier: str
    primary: bool


@dataclass(frozen=True, slots=True)
class SignIn:
    """An attempt. `verification` is the one that was asked for last."""

    id: str
    client_id: str
    status: Status
    created_at: int
    abandon_at: int
    identifier: Address | None = None
    user_id: str | None = None
    verification: Verification | None = None
    created_session_id: str | None = None

    def is_open(self, now: int) -> bool:
        """Whether anything can still be done with it."""
        return bool(TRANSITIONS[self.status]) and now < self.abandon_at

    def expect_first_factor(self) -> None:
        """Refuse where a code is neither asked for nor tried at this step."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        if self.status is not Status.NEEDS_FIRST_FACTOR:
            raise Refused(errors.ACTION_INVALID)

    def expect_open(self, now: int) -> None:
        """Refuse where the attempt is over: complete, given up, or too old."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        if not self.is_open(now):
            raise Refused(errors.NOT_FOUND)

    def verification_to_try(self, strategy: Strategy) -> Verification:
        """The verification that a code by `strategy` is for, or `Refused`."""
        self.expect_first_factor()
        if self.verification is None:
            raise Refused(errors.VERIFICATION_MISSING)
        if self.verification.strategy is not strategy:
            raise Refused(errors.VERIFICATION_STRATEGY)
        return self.verification


def first_factors(sign_in: SignIn, user: User, instance: Instance) -> list[Factor]:
    """Every factor of this user, the address that was typed first."""
    factors = [
        Factor(
            strategy=owned.address.strategy,
            address=owned,
            safe_identifier=_safe(owned.address, sign_in.identifier),
            primary=user.is_primary(owned),
        )
        for owned in user.addresses
        if owned.verified_at is not None and owned.address.kind in instance.identifiers
    ]
    typed = sign_in.identifier.value if sign_in.identifier else None
    return sorted(factors, key=lambda factor: factor.address.address.value != typed)


def choose_factor(factors: list[Factor], strategy: Strategy, address_id: str | None) -> Factor:
    """The factor that was asked for; without an id, the first of its strategy."""
    of_strategy = [factor for factor in factors if factor.strategy is strategy]
    if not of_strategy:
        raise Refused(errors.STRATEGY_FOR_USER)
    if address_id is None:
        return of_strategy[0]
    for factor in of_strategy:
        if factor.address.id == address_id:
            return factor
    raise Refused(errors.PARAM_RESOURCE.about(f"{strategy.kind}_id"))


def _safe(address: Address, typed: Address | None) -> str:
    if typed and typed.value == address.value:
        return address.value
    return mask(address)
