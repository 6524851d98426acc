"""What this server asks of the people who sign up and in. One server is one instance."""

from __future__ import annotations

from dataclasses import dataclass, field

from doorcode.domain import limits
from doorcode.domain.addresses import Kind


@dataclass(frozen=True, slots=True)
class Attribute:
    """One sort of address, and what it is used for."""

    enabled: bool = True
    required: bool = False
    used_for_sign_in: bool = True
    verified_at_sign_up: bool = True


@dataclass(frozen=True, slots=True)
class Instance:
    """The settings that the rules read. `id` is part of what every HMAC and token covers."""

    id: str
    name: str = "Doorcode"
    development: bool = False
    test_mode: bool = False
    single_session: bool = True
    session_lives_for: int = limits.SESSION_LIVES_FOR
    phone: Attribute = field(default_factory=Attribute)
    email: Attribute = field(default_factory=Attribute)

    def attribute(self, kind: Kind) -> Attribute:
        """The settings of one sort of address."""
        return self.phone if kind is Kind.PHONE else self.email

    @property
    def required_fields(self) -> list[Kind]:
        """What nobody can sign up without."""
        return [kind for kind in Kind if self._asks(kind) and self.attribute(kind).required]

    @property
    def optional_fields(self) -> list[Kind]:
        """What may be given at sign-up."""
        return [kind for kind in Kind if self._asks(kind) and not self.attribute(kind).required]

    @property
    def identifiers(self) -> list[Kind]:
        """What can be typed to sign in."""
        return [kind for kind in Kind if self._asks(kind) and self.attribute(kind).used_for_sign_in]

    def _asks(self, kind: Kind) -> bool:
        return self.attribute(kind).enabled
