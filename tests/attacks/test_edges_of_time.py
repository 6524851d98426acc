"""The clock one second before each limit, and one second after it. `edges.py` is the table."""

from __future__ import annotations

import pytest

from doorcode.domain import limits
from doorcode.domain.limit_table import LIMITS
from doorcode.domain.limits import SECOND

from .conftest import Builder
from .edges import EDGES, SPENT_BY, TIMELESS


@pytest.mark.parametrize(("seconds", "holds"), [(-1, True), (1, False)], ids=["before", "after"])
@pytest.mark.parametrize("name", EDGES)
async def test_a_limit_holds_to_its_last_second(
    build: Builder, name: str, seconds: int, holds: bool
) -> None:
    edge = EDGES[name]
    street = await build(**edge.changes)
    ends_at, probe = await edge.setup(street)
    assert ends_at + seconds * SECOND > street.house.clock.now
    street.house.clock.now = ends_at + seconds * SECOND
    assert await probe() is holds


def test_every_limit_has_a_row() -> None:
    """A new one fails here, until somebody has stood at its edge or said why it has none."""
    numbers = {name for name, value in vars(limits).items() if isinstance(value, int)}
    named = numbers | {one.bucket for one in LIMITS}
    assert named == EDGES.keys() | TIMELESS.keys()
    assert EDGES.keys().isdisjoint(TIMELESS)


def test_every_rate_is_spent_somewhere() -> None:
    assert {*SPENT_BY, limits.TOLD_APART} == set(limits.RATES)
