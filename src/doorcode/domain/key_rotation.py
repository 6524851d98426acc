"""Which signing key signs, which one waits for its turn, and which had it.

    next ──▶ current ──▶ retiring ──▶ gone
       its time    the next    FORMER_STAYS_FOR
        comes      one's time     later

Keys overlap both ways. Whoever checks tokens keeps the list of keys for minutes, so a key
is on it before it signs; and a key stays on it until the last token that it signed is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise

from doorcode.domain.limits import MINUTE

# Our answer may lie in a shared cache for five minutes (max-age=300), and whoever fetched it
# there keeps it for five more, as the SDKs do. The rest is margin.
PUBLISHED_BEFORE = 15 * MINUTE
# A token lives for one minute; the other is for clocks that differ.
FORMER_STAYS_FOR = 2 * MINUTE


class KeyState(StrEnum):
    """Where a published key is in its life."""

    NEXT = "next"
    CURRENT = "current"
    RETIRING = "retiring"


def arrange(signs_from: Mapping[str, int], now: int) -> dict[str, KeyState]:
    """The keys to publish, by their ids; the one that signs comes first.

    `signs_from` holds when the turn of each begins, of at least one key.
    """
    oldest_first = sorted(signs_from, key=lambda key: (signs_from[key], key))
    begun = [key for key in oldest_first if signs_from[key] <= now]
    # A clock that was set back may be before them all, and somebody has to sign.
    current = begun[-1] if begun else oldest_first[0]
    states = {current: KeyState.CURRENT}
    states |= {key: KeyState.NEXT for key in oldest_first if key not in begun and key != current}
    for former, successor in pairwise(begun):
        if now < signs_from[successor] + FORMER_STAYS_FOR:
            states[former] = KeyState.RETIRING
    return states
