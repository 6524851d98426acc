"""A message that carries a code or a link, from its writing until it has arrived."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a message has come."""

    QUEUED = "queued"
    CANCELLED = "cancelled"  # its attempt was given up before it was sent
    WITHHELD = "withheld"  # carried like any other, and not sent
    ACCEPTED = "accepted"  # a provider has taken it
    SENT = "sent"  # a carrier, or the other mail server, has taken it
    EXPIRED = "expired"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


# Receipts come late, twice and in any order. A letter that arrived has arrived, whatever is
# told after it; one that did not was sent, whatever is told after that.
_RANKS = {
    State.ACCEPTED: 1,
    State.SENT: 2,
    State.EXPIRED: 3,
    State.FAILED: 3,
    State.UNDELIVERED: 3,
    State.DELIVERED: 4,
}


def advances(state: State, told: State) -> bool:
    """Whether a receipt says more than is known already of a message that was sent."""
    return state in _RANKS and _RANKS.get(told, 0) > _RANKS[state]


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox. `sealed` is the only place where the code can be read.

    A message that carries a link instead names, in the place of a verification, what the
    link is for: a ticket, an entry of the waitlist.
    `channel` is "sms", "whatsapp" or "email". `recipient` is an E.164 number or an e-mail address.
    `attempts` counts leases so far.
    """

    id: str
    verification_id: str
    channel: str
    recipient: str
    is_test: bool
    sealed: bytes | None
    created_at: int
    expires_at: int
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a message's timeline: when, by which route, what came of it.

    `state` is a `State`, or "sending" while a route has the letter in hand, "unknown" where
    the courier died meanwhile, "deferred" where it is tried again later. `ref` is the
    provider's name for the letter, `code` its own word for what happened, `why` that in
    plain words. `maybe` says that the route may have sent the letter all the same.
    `price` is in millionths of a US dollar.
    """

    message_id: str
    at: int
    state: str
    route: str = ""
    ref: str | None = None
    code: str = ""
    why: str = ""
    maybe: bool = False
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What is known of a message afterwards; nothing of what stood in it."""

    id: str
    verification_id: str
    channel: str
    recipient: str
    state: State
    route: str
    country: str
    attempts: int
    created_at: int
    taken_at: int | None
    delivered_at: int | None
    price: int | None
    verified_at: int | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A mailbox to which nothing is sent any more, since when, and why."""

    address: str
    at: int
    route: str
    why: str
