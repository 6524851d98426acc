"""A signed-in browser or program.

pending ─▶ active     what was asked of the person (a second factor to set up) is done
active ──▶ ended      the person signed out of it
       ──▶ removed    taken off a client that holds several
       ──▶ revoked    ended from elsewhere
       ──▶ replaced   another took its place (single-session instances)
       ──▶ expired    its time is over
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from doorcode.domain.limits import MINUTE


class Status(StrEnum):
    """Where a session stands, by its name on the wire."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"
    REMOVED = "removed"
    REVOKED = "revoked"
    REPLACED = "replaced"
    EXPIRED = "expired"


LIVE = frozenset({Status.PENDING, Status.ACTIVE})
SETUP_MFA = "setup-mfa"

# What may follow what. What is over stays over.
_ENDS = frozenset(set(Status) - LIVE)
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.ACTIVE, *_ENDS}),
    Status.ACTIVE: _ENDS,
    **{status: frozenset() for status in Status if status in _ENDS},
}


@dataclass(frozen=True, slots=True)
class Device:
    """What a browser told of itself when somebody signed in: shown to them, never trusted."""

    browser_name: str | None = None
    browser_version: str | None = None
    device_type: str | None = None
    is_mobile: bool = False
    ip_address: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, on which client, until when; `is_banned`: its person is, right now."""

    id: str
    client_id: str
    user_id: str
    status: Status
    created_at: int
    updated_at: int
    last_active_at: int
    expire_at: int
    abandon_at: int
    first_factor_at: int | None = None
    second_factor_at: int | None = None
    device: Device | None = None
    is_banned: bool = False

    def as_of(self, now: int) -> Status:
        """The status, with the passing of time and a ban taken into account."""
        if self.status in LIVE and self.is_banned:
            return Status.REVOKED
        if self.status in LIVE and now >= self.expire_at:
            return Status.EXPIRED
        return self.status

    def is_live(self, now: int) -> bool:
        """Whether it still stands for somebody, if only to finish what is asked of them."""
        return self.as_of(now) in LIVE

    @property
    def tasks(self) -> list[str]:
        """What the person must do before they count as signed in."""
        return [SETUP_MFA] if self.status is Status.PENDING else []

    def factor_age(self, now: int) -> list[int]:
        """Minutes since the first and the second factor were proved; -1 for never."""
        first = self.created_at if self.first_factor_at is None else self.first_factor_at
        second = self.second_factor_at
        return [
            max(0, now - first) // MINUTE,
            -1 if second is None else max(0, now - second) // MINUTE,
        ]
