"""A person with an account, and the addresses that are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from doorcode.domain.addresses import Address, Kind
from doorcode.domain.instance import Instance
from doorcode.domain.sign_up import Profile
from doorcode.domain.verification import Verification


@dataclass(frozen=True, slots=True)
class AppData:
    """What the app's server says of a person. No request from a browser can set it."""

    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class OwnedAddress:
    """An address that belongs to a user. No two users own the same one.

    One that is only claimed (`verified_at` is None, added in a profile) keeps nobody else
    from proving it. `strategy` says how it was proved where that was not a code.
    `verification` is the one under way, of a claimed address.
    """

    id: str
    user_id: str
    address: Address
    verified_at: int | None
    created_at: int
    updated_at: int
    strategy: str | None = None
    reserved_for_second_factor: bool = False
    default_second_factor: bool = False
    verification: Verification | None = None

    @property
    def is_verified(self) -> bool:
        """Whether it has been proved."""
        return self.verified_at is not None


@dataclass(frozen=True, slots=True)
class User:
    """An account. `backup_codes` counts those that can still be used."""

    id: str
    profile: Profile
    addresses: tuple[OwnedAddress, ...]
    created_at: int
    updated_at: int
    last_sign_in_at: int | None = None
    last_active_at: int | None = None
    primary_phone_id: str | None = None
    primary_email_id: str | None = None
    banned: bool = False
    app_data: AppData = field(default_factory=AppData)
    image_id: str | None = None
    mfa_enabled_at: int | None = None
    mfa_disabled_at: int | None = None
    backup_codes: int = 0

    def of_kind(self, kind: Kind) -> list[OwnedAddress]:
        """The user's phone numbers, or e-mail addresses."""
        return [owned for owned in self.addresses if owned.address.kind is kind]

    def owned(self, address_id: str) -> OwnedAddress | None:
        """One of the user's addresses, by its id."""
        return next((one for one in self.addresses if one.id == address_id), None)

    def is_primary(self, owned: OwnedAddress) -> bool:
        """Whether it is the first choice of its kind."""
        return owned.id in (self.primary_phone_id, self.primary_email_id)

    def first_factor_addresses(self, instance: Instance) -> list[OwnedAddress]:
        """The addresses that a first code may go to.

        An address reserved for the second step is none: who holds the phone would have
        both halves of the proof in one hand.
        """
        return [
            owned
            for owned in self.addresses
            if owned.is_verified
            and not is_reserved(owned, instance)
            and instance.attribute(owned.address.kind).used_for_sign_in
        ]

    def sign_in_addresses(self, instance: Instance) -> list[OwnedAddress]:
        """The addresses that a first code may go to at a sign-in.

        Where the sign-up asked for no proof, what was given there; it is the primary one,
        and a code that is typed back proves it. It counts only while nothing is proved: who
        names a stranger's mailbox beside the own number must not open it by that.
        """
        if any(owned.is_verified for owned in self.addresses):
            return self.first_factor_addresses(instance)
        return [
            owned
            for owned in self.addresses
            if self.is_primary(owned) and instance.attribute(owned.address.kind).used_for_sign_in
        ]

    def signs_in_by(self, address: Address, instance: Instance) -> bool:
        """Whether a first code to this address may sign this person in."""
        return any(one.address.is_same_as(address) for one in self.sign_in_addresses(instance))

    def second_factor_addresses(self, instance: Instance) -> list[OwnedAddress]:
        """The addresses that a second code may go to, the default one first."""
        reserved = [owned for owned in self.addresses if is_reserved(owned, instance)]
        by_mail = [
            owned
            for owned in self.of_kind(Kind.EMAIL)
            if owned.is_verified and instance.email.used_for_second_factor
        ]
        return sorted([*reserved, *by_mail], key=lambda one: not one.default_second_factor)

    def has_second_factor(self, instance: Instance) -> bool:
        """Whether this person has set up two steps."""
        return any(is_reserved(owned, instance) for owned in self.addresses)

    def needs_second_factor(self, instance: Instance) -> bool:
        """Whether this person must set up two steps and has not."""
        if not instance.mfa_required or self.has_second_factor(instance):
            return False
        kinds = {owned.address.kind for owned in self.first_factor_addresses(instance)}
        return not (instance.email.used_for_second_factor and kinds == set(Kind))

    @property
    def identifier(self) -> str:
        """What the user is called where no name is known: primary e-mail, else phone."""
        for kind in (Kind.EMAIL, Kind.PHONE):
            # What is only claimed may be a stranger's.
            owned = [o for o in self.of_kind(kind) if o.is_verified or self.is_primary(o)]
            primary = [one for one in owned if self.is_primary(one)]
            if owned:
                return (primary or owned)[0].address.spelling
        return self.profile.username or ""


def is_reserved(owned: OwnedAddress, instance: Instance) -> bool:
    """Whether an address is for the second step only."""
    used = instance.attribute(owned.address.kind).used_for_second_factor
    return used and owned.is_verified and owned.reserved_for_second_factor


def other_channel(kind: Kind | None, addresses: Iterable[OwnedAddress]) -> list[OwnedAddress]:
    """Those that travel by another channel than the first code did."""
    return [owned for owned in addresses if owned.address.kind is not kind]
