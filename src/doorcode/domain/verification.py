"""One address, proved by typing back a code that was sent to it.

    unverified ──right code──▶ verified
        │  ╲
        │    ╲──right code, but nobody has this address──▶ transferable (to a sign-up)
        │  ╲
        │    ╲──fifth wrong code──▶ failed
        └──time runs out──▶ expired

Pure: the clock and the digests come in as arguments, the verdict goes out.

A try is *counted and committed before* the code is compared (`flows/codes.py`). The
rules here only decide; they never count. Were the count part of the same unit as the
comparison, fifty parallel guesses could all be compared before the first was counted.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Channel, Strategy
from doorcode.domain.errors import Refusal


class Status(StrEnum):
    """Where a verification stands, by its name on the wire."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    TRANSFERABLE = "transferable"
    FAILED = "failed"
    EXPIRED = "expired"


# What may follow what: only what is unverified can still become anything.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.UNVERIFIED: frozenset(
        {Status.VERIFIED, Status.TRANSFERABLE, Status.FAILED, Status.EXPIRED}
    ),
    Status.VERIFIED: frozenset(),
    Status.TRANSFERABLE: frozenset(),
    Status.FAILED: frozenset(),
    Status.EXPIRED: frozenset(),
}


class Verdict(StrEnum):
    """What a typed code turned out to be."""

    RIGHT = "right"
    WRONG = "wrong"
    LAST_WRONG = "last_wrong"


@dataclass(frozen=True, slots=True)
class Code:
    """The keyed digest of one code that was sent; `key_version` names the key."""

    digest: bytes
    key_version: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Verification:
    """One address of one attempt, and the tries made on it.

    `expires_at` is that of the newest code. `attempts` counts committed tries, right
    or wrong. `sent_at` is when the newest code was made.
    """

    id: str
    attempt_id: str
    address: Address
    channel: Channel
    status: Status
    attempts: int
    sent_at: int
    expires_at: int

    @property
    def strategy(self) -> Strategy:
        """How the address is being verified."""
        return self.address.strategy

    def as_of(self, now: int) -> Status:
        """The status, with the passing of time taken into account."""
        if Status.EXPIRED in TRANSITIONS[self.status] and now >= self.expires_at:
            return Status.EXPIRED
        return self.status

    def why_not_try(self, now: int) -> Refusal | None:
        """Why no code can be tried at `now`, or None where one can."""
        match self.as_of(now):
            case Status.VERIFIED | Status.TRANSFERABLE:
                return errors.VERIFICATION_DONE
            case Status.FAILED:
                return errors.VERIFICATION_FAILED
            case Status.EXPIRED:
                return errors.VERIFICATION_EXPIRED
            case Status.UNVERIFIED:
                out_of_tries = self.attempts >= limits.TRIES_PER_VERIFICATION
                return errors.VERIFICATION_FAILED if out_of_tries else None

    def can_be_sent_again(self, now: int) -> bool:
        """Whether another code may join this verification, rather than a fresh one start."""
        return self.why_not_try(now) is None

    def is_same_click(self, channel: Channel, now: int) -> bool:
        """Whether a code that is asked for at `now` is the one that was sent a moment ago."""
        if self.address.is_test:
            return False  # nothing is sent, so nothing is sent twice
        return channel is self.channel and now < self.sent_at + limits.SAME_CLICK

    def wait_before_resend(self, now: int) -> int:
        """Whole seconds until another code may be asked for; 0 where it may be now."""
        if self.address.is_test:
            return 0  # nothing is sent, so nothing is paid for
        left = self.sent_at + limits.RESEND_AFTER - now
        return max(0, -(-left // limits.SECOND))


def judge(typed: Mapping[int, bytes], codes: Iterable[Code], try_number: int, now: int) -> Verdict:
    """Compare what was typed with every live code, in constant time.

    `typed` holds its digest under each version of the key that a code may carry.
    `try_number` is the committed count that this try received, from 1. All codes are
    compared whatever the first comparison says: the time taken tells nothing.
    """
    matches = [
        hmac.compare_digest(code.digest, typed.get(code.key_version, b"")) & (now < code.expires_at)
        for code in codes
    ]
    if any(matches) and try_number <= limits.TRIES_PER_VERIFICATION:
        return Verdict.RIGHT
    if try_number >= limits.TRIES_PER_VERIFICATION:
        return Verdict.LAST_WRONG
    return Verdict.WRONG


def refusal_for(verdict: Verdict) -> Refusal:
    """What is said of a code that was not right."""
    if verdict is Verdict.LAST_WRONG:
        return errors.VERIFICATION_FAILED
    return errors.CODE_INCORRECT
