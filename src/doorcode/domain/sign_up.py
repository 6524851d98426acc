"""One person's attempt to sign up.

missing_requirements ──nothing missing, all verified──▶ complete
        │
        └──24 hours without a step, or a newer attempt──▶ abandoned
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Kind, Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance, SignUpMode, UsernameAttribute
from doorcode.domain.restrictions import is_disposable
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification

_USERNAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class Status(StrEnum):
    """Where a sign-up stands, by its name on the wire."""

    MISSING = "missing_requirements"
    COMPLETE = "complete"
    ABANDONED = "abandoned"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.MISSING: frozenset({Status.COMPLETE, Status.ABANDONED}),
    Status.COMPLETE: frozenset(),
    Status.ABANDONED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person says of themselves beside their addresses."""

    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    unsafe_metadata: dict[str, Any] = field(default_factory=dict)
    legal_accepted_at: int | None = None
    username: str | None = None

    def value_of(self, name: str) -> object:
        """What was given for a field, by its name on the wire."""
        return getattr(self, "legal_accepted_at" if name == "legal_accepted" else name)


@dataclass(frozen=True, slots=True)
class SignUp:
    """An attempt, with the verifications that belong to it (newest per strategy).

    `ticket_id` names the invitation that it came by.
    """

    id: str
    client_id: str
    status: Status
    created_at: int
    abandon_at: int
    phone: Address | None = None
    email: Address | None = None
    profile: Profile = field(default_factory=Profile)
    verifications: tuple[Verification, ...] = ()
    created_user_id: str | None = None
    created_session_id: str | None = None
    ticket_id: str | None = None

    def is_open(self, now: int) -> bool:
        """Whether anything can still be done with it."""
        return bool(TRANSITIONS[self.status]) and now < self.abandon_at

    def as_of(self, now: int) -> Status:
        """The status, with the passing of time taken into account."""
        if self.status is Status.MISSING and now >= self.abandon_at:
            return Status.ABANDONED
        return self.status

    def address(self, kind: Kind) -> Address | None:
        """The phone number or e-mail address given, if any."""
        return self.phone if kind is Kind.PHONE else self.email

    @property
    def addresses(self) -> list[Address]:
        """All addresses given."""
        return [address for address in (self.phone, self.email) if address]

    def verification(self, strategy: Strategy) -> Verification | None:
        """The verification of the address as it is given now, if a code was asked for."""
        address = self.address(strategy.kind)
        for verification in self.verifications:
            if verification.address.is_same_as(address):
                return verification
        return None

    def is_verified(self, kind: Kind) -> bool:
        """Whether the address of this sort has been proved."""
        address = self.address(kind)
        verification = self.verification(address.strategy) if address else None
        return verification is not None and verification.status is VerificationStatus.VERIFIED

    def missing_fields(self, instance: Instance) -> list[str]:
        """What is required and not given yet, by its name on the wire."""
        return [name for name in instance.required_fields if not self._has(name)]

    def unverified_fields(self, instance: Instance) -> list[str]:
        """What is given and must still be verified, by its name on the wire."""
        return [
            address.kind
            for address in self.addresses
            if instance.attribute(address.kind).verify_at_sign_up
            and not self.is_verified(address.kind)
        ]

    def can_complete(self, instance: Instance) -> bool:
        """Whether nothing stands between this attempt and an account."""
        if self.status is not Status.MISSING or not self.addresses:
            return False
        return not self.missing_fields(instance) and not self.unverified_fields(instance)

    def expect_open(self, now: int) -> None:
        """Refuse where the attempt is over: complete, given up, or too old."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        if not self.is_open(now):
            raise Refused(errors.NOT_FOUND)

    def verification_to_try(self, strategy: Strategy) -> Verification:
        """The verification that a code by `strategy` is for, or `Refused`."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        verification = self.verification(strategy)
        if verification:
            return verification
        # Nothing was given that this strategy could verify, but a code was asked for.
        by_another = self.address(strategy.kind) is None and bool(self.verifications)
        raise Refused(errors.VERIFICATION_STRATEGY if by_another else errors.VERIFICATION_MISSING)

    def address_to_verify(self, strategy: Strategy) -> Address:
        """Where a code by `strategy` goes, or `Refused`."""
        if self.status is Status.COMPLETE:
            raise Refused(errors.VERIFICATION_DONE)
        address = self.address(strategy.kind)
        if address is None:
            raise Refused(errors.ACTION_INVALID.about(strategy.kind))
        if self.is_verified(strategy.kind):
            raise Refused(errors.VERIFICATION_DONE)
        return address

    def _has(self, name: str) -> bool:
        if name in (Kind.PHONE, Kind.EMAIL):
            return self.address(Kind(name)) is not None
        return self.profile.value_of(name) is not None


def expect_public(instance: Instance) -> None:
    """Refuse where only those sign up whom somebody has invited."""
    if instance.mode is SignUpMode.RESTRICTED:
        raise Refused(errors.SIGN_UP_RESTRICTED)
    if instance.mode is SignUpMode.WAITLIST:
        raise Refused(errors.SIGN_UP_WAITLIST)


def expect_allowed(
    address: Address, instance: Instance, *, param: str | None = None, adding: bool = False
) -> None:
    """Refuse an address that the instance keeps out, whether or not anybody has it.

    `adding`: it is to be added to an account. `param` is the field that it was typed into.
    """
    rules, param = instance.restrictions, param or address.kind
    public = instance.mode is SignUpMode.PUBLIC
    if not rules.allow(address, public=public, adding=adding):
        raise Refused(errors.NOT_ALLOWED.about(param))
    blocks = rules.block_disposable_email_domains
    if blocks and is_disposable(address, instance.disposable_domains):
        raise Refused(errors.EMAIL_DISPOSABLE.about(param))


def username_value(username: str) -> str:
    """The form in which two usernames are compared: without case."""
    return username.lower()


def expect_username(username: str, rules: UsernameAttribute) -> None:
    """Refuse what cannot be a username.

    ASCII letters only: with others somebody could look like somebody else. One letter at
    least: a username of digits alone could pass for a phone number.
    """
    if not rules.min_length <= len(username) <= rules.max_length:
        raise Refused(errors.username_length(rules.min_length, rules.max_length))
    if not _USERNAME.fullmatch(username):
        raise Refused(errors.USERNAME_CHARACTER)
    if not any(character.isalpha() for character in username):
        raise Refused(errors.USERNAME_DIGITS)
