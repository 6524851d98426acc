"""A person with an account, and the addresses that are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from doorcode.domain.addresses import Address, Kind
from doorcode.domain.sign_up import Profile


@dataclass(frozen=True, slots=True)
class OwnedAddress:
    """An address that belongs to a user. No two users own the same one."""

    id: str
    user_id: str
    address: Address
    verified_at: int | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

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

    def of_kind(self, kind: Kind) -> list[OwnedAddress]:
        """The user's phone numbers, or e-mail addresses."""
        return [owned for owned in self.addresses if owned.address.kind is kind]

    def is_primary(self, owned: OwnedAddress) -> bool:
        """Whether it is the first choice of its kind."""
        return owned.id in (self.primary_phone_id, self.primary_email_id)

    @property
    def identifier(self) -> str:
        """What the user is called where no name is known: primary e-mail, else phone."""
        for kind in (Kind.EMAIL, Kind.PHONE):
            owned = self.of_kind(kind)
            primary = [one for one in owned if self.is_primary(one)]
            if owned:
                return (primary or owned)[0].address.spelling
        return ""
