"""One person's attempt to sign in.

needs_identifier ──identifier of an account──▶ needs_first_factor
        └──ticket──▶ complete
needs_first_factor ──right code──▶ complete
        ├──right code, two steps set up──▶ needs_second_factor ──right code──▶ complete
        ├──right code, new browser──▶ needs_client_trust ──right code──▶ complete
        └──24 hours, or a newer attempt──▶ abandoned
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Kind, Strategy, mask
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.user import OwnedAddress, User, other_channel
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification

BACKUP_CODE = "backup_code"
TICKET = "ticket"


class Status(StrEnum):
    """Where a sign-in stands, by its name on the wire."""

    NEEDS_IDENTIFIER = "needs_identifier"
    NEEDS_FIRST_FACTOR = "needs_first_factor"
    NEEDS_SECOND_FACTOR = "needs_second_factor"
    NEEDS_CLIENT_TRUST = "needs_client_trust"
    COMPLETE = "complete"
    ABANDONED = "abandoned"


SECOND = frozenset({Status.NEEDS_SECOND_FACTOR, Status.NEEDS_CLIENT_TRUST})

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.NEEDS_IDENTIFIER: frozenset(
        {Status.NEEDS_FIRST_FACTOR, Status.COMPLETE, Status.ABANDONED}
    ),
    Status.NEEDS_FIRST_FACTOR: frozenset({*SECOND, Status.COMPLETE, Status.ABANDONED}),
    Status.NEEDS_SECOND_FACTOR: frozenset({Status.COMPLETE, Status.ABANDONED}),
    Status.NEEDS_CLIENT_TRUST: frozenset({Status.COMPLETE, Status.ABANDONED}),
    Status.COMPLETE: frozenset(),
    Status.ABANDONED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One way for this person to prove who they are.

    `safe_identifier` is the address in full where it is the one that was typed, and
    masked otherwise: who knows somebody's phone number must not learn their e-mail.
    A backup code has no address.
    """

    strategy: str
    id: str = ""
    address: Address | None = None
    safe_identifier: str = ""
    primary: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class SignIn:
    """An attempt. `first` and `second` are the verifications asked for last in each step.

    `first_strategy` is how the first step was done. Where `sign_up_if_missing` holds, the
    attempt looks and goes the same whether or not there is an account.
    """

    id: str
    client_id: str
    status: Status
    created_at: int
    abandon_at: int
    identifier: Address | None = None
    user_id: str | None = None
    first: Verification | None = None
    created_session_id: str | None = None
    second: Verification | None = None
    first_strategy: str | None = None
    username: str | None = None
    sign_up_if_missing: bool = False
    locale: str | None = None

    def is_open(self, now: int) -> bool:
        """Whether anything can still be done with it."""
        return bool(TRANSITIONS[self.status]) and now < self.abandon_at

    def as_of(self, now: int) -> Status:
        """The status, with the passing of time taken into account."""
        if TRANSITIONS[self.status] and now >= self.abandon_at:
            return Status.ABANDONED
        return self.status

    def is_strict(self, instance: Instance) -> bool:
        """Whether nothing may be told of the account before a code was right.

        Whom an attempt has found already (by a ticket, by a name) it may speak of.
        """
        return instance.is_strict and not self.sign_up_if_missing and self.user_id is None

    def is_neutral(self, instance: Instance) -> bool:
        """Whether it looks the same with and without an account."""
        return self.sign_up_if_missing or self.is_strict(instance)

    @property
    def first_kind(self) -> Kind | None:
        """By which sort of address the first step was done; None for a ticket."""
        if self.first_strategy in (None, TICKET):
            return None
        return Strategy(self.first_strategy).kind

    def expect_first_factor(self) -> None:
        """Refuse where a first code is neither asked for nor tried at this step."""
        if self.status is Status.COMPLETE or self.status in SECOND:
            raise Refused(errors.VERIFICATION_DONE)
        if self.status is not Status.NEEDS_FIRST_FACTOR:
            raise Refused(errors.ACTION_INVALID)

    def expect_second_factor(self) -> None:
        """Refuse where a second code is neither asked for nor tried at this step."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        if self.status not in SECOND:
            raise Refused(errors.ACTION_INVALID)

    def expect_open(self, now: int) -> None:
        """Refuse where the attempt is over: complete, given up, or too old."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        if not self.is_open(now):
            raise Refused(errors.NOT_FOUND)

    def verification_to_try(self, strategy: Strategy) -> Verification:
        """The verification that a first code by `strategy` is for, or `Refused`."""
        self.expect_first_factor()
        return _expect(self.first, strategy)

    def second_verification_to_try(self, strategy: Strategy) -> Verification:
        """The verification that a second code by `strategy` is for, or `Refused`."""
        self.expect_second_factor()
        return _expect(self.second, strategy)

    @property
    def transferable(self) -> Address | None:
        """The address that was proved though nobody has it: a sign-up may take it over."""
        if self.first and self.first.status is VerificationStatus.TRANSFERABLE:
            return self.first.address
        return None


def _expect(verification: Verification | None, strategy: Strategy) -> Verification:
    if verification is None:
        raise Refused(errors.VERIFICATION_MISSING)
    if verification.strategy is not strategy:
        raise Refused(errors.VERIFICATION_STRATEGY)
    return verification


def first_factors(sign_in: SignIn, user: User | None, instance: Instance) -> list[Factor]:
    """Every factor of this user, the address that was typed first.

    Where the attempt is neutral it is the typed address alone, by an id that says nothing:
    a list of somebody's other addresses would tell that the account exists.
    """
    typed = sign_in.identifier
    if sign_in.is_neutral(instance) and typed:
        return [_lone_factor(sign_in, typed)]
    if user is None:
        return []
    factors = [
        _factor(owned, user, typed)
        for owned in user.sign_in_addresses(instance)
        if not user.has_second_factor(instance)
        or second_factors(user, instance, owned.address.kind)
    ]
    return sorted(factors, key=lambda one: not (one.address and one.address.is_same_as(typed)))


def second_factors(user: User, instance: Instance, first: Kind | None) -> list[Factor]:
    """What may prove this person a second time: another channel than the first code's."""
    owned = other_channel(first, user.second_factor_addresses(instance))
    factors = [_factor(one, user, None) for one in owned]
    if user.backup_codes and instance.backup_codes:
        factors.append(Factor(BACKUP_CODE))
    return factors


def trust_factors(user: User, first: Kind | None) -> list[Factor]:
    """What may prove this person on a browser that they never used: any other channel."""
    verified = [owned for owned in user.addresses if owned.is_verified]
    return [_factor(one, user, None) for one in other_channel(first, verified)]


def factors_of_step(sign_in: SignIn, user: User, instance: Instance) -> list[Factor]:
    """The factors of the second step that the attempt stands at."""
    if sign_in.status is Status.NEEDS_CLIENT_TRUST:
        return trust_factors(user, sign_in.first_kind)
    return second_factors(user, instance, sign_in.first_kind)


def next_step(sign_in: SignIn, user: User, instance: Instance, *, known_client: bool) -> Status:
    """Where a right first code leads. Two steps that were set up overrule the trust in a browser.

    Whoever has two steps set up is never let in by one: where no second factor is left,
    the attempt stays at the second step, and only another first factor helps.
    """
    if user.has_second_factor(instance):
        return Status.NEEDS_SECOND_FACTOR
    if instance.mfa_required and second_factors(user, instance, sign_in.first_kind):
        return Status.NEEDS_SECOND_FACTOR
    if instance.client_trust and not known_client and trust_factors(user, sign_in.first_kind):
        return Status.NEEDS_CLIENT_TRUST
    return Status.COMPLETE


def choose_factor(factors: list[Factor], strategy: Strategy, address_id: str | None) -> Factor:
    """The factor that was asked for; without an id, the first of its strategy."""
    of_strategy = [factor for factor in factors if factor.strategy == strategy]
    if not of_strategy:
        raise Refused(errors.STRATEGY_FOR_USER)
    if address_id is None:
        return of_strategy[0]
    for factor in of_strategy:
        if factor.id == address_id:
            return factor
    raise Refused(errors.PARAM_RESOURCE.about(f"{strategy.kind}_id"))


def _factor(owned: OwnedAddress, user: User, typed: Address | None) -> Factor:
    address = owned.address
    return Factor(
        strategy=address.strategy,
        id=owned.id,
        address=address,
        safe_identifier=address.value if address.is_same_as(typed) else mask(address),
        primary=user.is_primary(owned),
        default=owned.default_second_factor,
    )


def _lone_factor(sign_in: SignIn, typed: Address) -> Factor:
    return Factor(
        strategy=typed.strategy,
        id="idn_" + sign_in.id.partition("_")[2],
        address=typed,
        safe_identifier=typed.value,
        primary=True,
    )
