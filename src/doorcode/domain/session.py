"""A signed-in browser or program.

active ──▶ ended      the person signed out of it
       ──▶ removed    taken off a client that holds several
       ──▶ revoked    ended from elsewhere
       ──▶ replaced   another took its place (single-session instances)
       ──▶ expired    its time is over
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a session stands, by its name on the wire."""

    ACTIVE = "active"
    ENDED = "ended"
    REMOVED = "removed"
    REVOKED = "revoked"
    REPLACED = "replaced"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, on which client, until when."""

    id: str
    client_id: str
    user_id: str
    status: Status
    created_at: int
    updated_at: int
    last_active_at: int
    expire_at: int
    abandon_at: int

    def as_of(self, now: int) -> Status:
        """The status, with the passing of time taken into account."""
        if self.status is Status.ACTIVE and now >= self.expire_at:
            return Status.EXPIRED
        return self.status

    def is_live(self, now: int) -> bool:
        """Whether it still signs somebody in."""
        return self.as_of(now) is Status.ACTIVE

    def factor_age(self, now: int) -> list[int]:
        """Minutes since the first and the second factor were proved; -1 for never."""
        return [max(0, now - self.created_at) // 60_000, -1]
