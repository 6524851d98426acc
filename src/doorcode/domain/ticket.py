"""A ticket: what an app's server hands out so that somebody may come in.

    sign-in token   signs one account in, once
    invitation      lets one e-mail address sign up (or in), whatever the sign-up mode

pending ──used──▶ accepted
        ├──taken back──▶ revoked
        └──time runs out──▶ expired
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from doorcode.domain import errors
from doorcode.domain.addresses import Address
from doorcode.domain.errors import Refusal


class TicketKind(StrEnum):
    """What a ticket is for."""

    SIGN_IN_TOKEN = "sign_in_token"  # noqa: S105 - a name
    INVITATION = "invitation"


class TicketStatus(StrEnum):
    """Where a ticket stands, by its name on the wire."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


TRANSITIONS: dict[TicketStatus, frozenset[TicketStatus]] = {
    TicketStatus.PENDING: frozenset(set(TicketStatus) - {TicketStatus.PENDING}),
    TicketStatus.ACCEPTED: frozenset(),
    TicketStatus.REVOKED: frozenset(),
    TicketStatus.EXPIRED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class TicketData:
    """What an invitation carries besides its address."""

    public_metadata: dict[str, Any] = field(default_factory=dict)
    redirect_url: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. A sign-in token names a user, an invitation an e-mail address."""

    id: str
    kind: TicketKind
    status: TicketStatus
    created_at: int
    updated_at: int
    expires_at: int
    user_id: str | None = None
    email: Address | None = None
    data: TicketData = field(default_factory=TicketData)

    def as_of(self, now: int) -> TicketStatus:
        """The status, with the passing of time taken into account."""
        if self.status is TicketStatus.PENDING and now >= self.expires_at:
            return TicketStatus.EXPIRED
        return self.status

    def why_not_use(self, now: int) -> Refusal | None:
        """Why it opens nothing at `now`, or None where it does."""
        is_token = self.kind is TicketKind.SIGN_IN_TOKEN
        match self.as_of(now):
            case TicketStatus.EXPIRED:
                return errors.TICKET_EXPIRED
            case TicketStatus.REVOKED:
                return errors.SIGN_IN_TOKEN_REVOKED if is_token else errors.INVITATION_REVOKED
            case TicketStatus.ACCEPTED:
                return errors.SIGN_IN_TOKEN_USED if is_token else errors.INVITATION_ACCEPTED
            case TicketStatus.PENDING:
                return None


@dataclass(frozen=True, slots=True)
class Listing:
    """Which invitations or entries of the waitlist are wanted, and in which order.

    `status` is a status's name, with the passing of time taken into account; empty for
    any (of invitations: any that was not revoked). `text` is a part of the address, or a
    whole id. `order` is `created_at`, `email_address`, `expires_at` (invitations) or
    `invited_at` (the waitlist).
    """

    status: str = ""
    text: str = ""
    order: str = "created_at"
    descending: bool = True
    most: int = 10
    skip: int = 0


class WaitlistStatus(StrEnum):
    """Where an entry of the waitlist stands, by its name on the wire."""

    PENDING = "pending"
    INVITED = "invited"
    COMPLETED = "completed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class WaitlistEntry:
    """Somebody who waits to be let in."""

    id: str
    email: Address
    status: WaitlistStatus
    created_at: int
    updated_at: int
    invitation_id: str | None = None
