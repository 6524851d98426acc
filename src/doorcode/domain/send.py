"""A code that is to be sent, as the limits see it."""

from __future__ import annotations

from dataclasses import dataclass

from doorcode.domain import limits


@dataclass(frozen=True, slots=True)
class Send:
    """One row of the ledger; `id` is the message's.

    `subject` names whose budget it takes from. `price` is in millionths of a dollar.
    `tallies` are the names under which the shield has counted it.
    """

    id: str
    subject: str
    verification_id: str
    at: int
    price: int = 0
    tallies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendBudget:
    """How many codes an identifier is sent, in ten minutes and in a day."""

    short: int = limits.SENDS_PER_10_MINUTES
    long: int = limits.SENDS_PER_DAY

    short_window = 10 * limits.MINUTE
    long_window = limits.DAY


@dataclass(frozen=True, slots=True)
class Pause:
    """A country whose messages are held, since when (milliseconds), and why."""

    country: str
    at: int
    why: str
