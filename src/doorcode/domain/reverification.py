"""Proving once more that one is oneself, in a session that is under way.

needs_first_factor ──right code──▶ complete, or needs_second_factor where both are asked for
needs_second_factor ──right code──▶ complete
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    """One of a session; a newer one takes its place."""

    id: str
    session_id: str
    level: Level
    status: Status
    created_at: int
    expires_at: int
    first: Verification | None = None
    second: Verification | None = None
