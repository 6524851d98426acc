"""When a route is left alone for a while: too many failures, or codes that nobody types.

closed ──failures──▶ open ──after a while──▶ one letter tries ──taken──▶ closed
                      ▲                          │
                      └──────── longer ──────────┘
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain.limits import MINUTE, SECOND

FAILURES_IN_ROW = 3  # one may be the letter's own fault, three of different letters are not
FAILED_SHARE = 0.5  # of the last `RECENT`, over which a flapping route is left, too
RECENT = 20
FIRST_REST = 5 * SECOND
LONGEST_REST = 60 * SECOND
TRIAL_WITHIN = 15 * SECOND  # a letter that never came back was no trial

CONVERSION_WINDOW = 30 * MINUTE
CONVERSION_SETTLES = 3 * MINUTE  # a code of the last minutes may still be typed
CONVERSION_LEAST = 20  # codes, below which their share says nothing
CONVERSION_FALLEN = 0.5  # of what the other routes reach, or of this one's usual share
CONVERSION_USUAL = 0.6  # until more is known


@dataclass(frozen=True, slots=True)
class Breaker:
    """One route's health. `outcomes` are its last ones, newest last: whether it failed."""

    outcomes: tuple[bool, ...] = ()
    opened_at: int | None = None
    rest: int = 0
    trial_at: int | None = None

    def is_open(self, now: int) -> bool:
        """Whether no letter should go this way now."""
        if self.opened_at is None:
            return False
        if self.trial_at is not None and now < self.trial_at + TRIAL_WITHIN:
            return True
        return now < self.opened_at + self.rest

    def trying(self, now: int) -> Breaker:
        """A letter goes this way; where the route was open, it is the only one for now."""
        return self if self.opened_at is None else replace(self, trial_at=now)

    def untried(self) -> Breaker:
        """The letter was none after all; the next one may try."""
        return replace(self, trial_at=None)

    def worked(self) -> Breaker:
        """The route took a letter, or said why this letter can go nowhere."""
        if self.opened_at is not None:
            return Breaker()
        return replace(self, outcomes=(*self.outcomes, False)[-RECENT:])

    def failed(self, now: int, *, for_good: bool) -> Breaker:
        """The route did not take a letter that another may. `for_good`: nor the next one."""
        outcomes = (*self.outcomes, True)[-RECENT:]
        if self.opened_at is not None:
            if self.trial_at is None:  # of those that were under way when it opened
                return replace(self, outcomes=outcomes)
            return Breaker(outcomes, now, min(LONGEST_REST, self.rest * 2))
        in_row = outcomes[-FAILURES_IN_ROW:]
        many = len(outcomes) == RECENT and sum(outcomes) > FAILED_SHARE * RECENT
        if for_good or many or in_row == (True,) * FAILURES_IN_ROW:
            return Breaker(outcomes, now, FIRST_REST)
        return replace(self, outcomes=outcomes)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of the codes that a route took lately, how many were typed."""

    taken: int
    typed: int

    @property
    def share(self) -> float:
        return self.typed / self.taken if self.taken else 0.0


def has_fallen(route: Conversion, others: Conversion) -> bool:
    """Whether so few of a route's codes are typed that the others should go first.

    The provider says that all is well; the people say that nothing arrives.
    """
    if route.taken < CONVERSION_LEAST:
        return False
    usual = others.share if others.taken >= CONVERSION_LEAST else CONVERSION_USUAL
    return route.share < CONVERSION_FALLEN * usual
