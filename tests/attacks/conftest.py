"""Fixtures of the attacks: every one is run on every engine.

A new engine is one line in ENGINES: its name, and how it is opened in a directory of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.web.house import Plan

from doorcode.storage.sqlite import Sqlite

from .street import Comparisons, Engine, Street, open_street

ENGINES: dict[str, Engine] = {
    "sqlite": Sqlite,
}
Builder = Callable[..., Awaitable[Street]]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """How the storage of this run is opened."""
    return ENGINES[request.param]


@pytest.fixture
async def street(tmp_path: Path, engine: Engine) -> AsyncIterator[Street]:
    """A server as `doorcode dev` makes it, its limits per network address off."""
    async with open_street(tmp_path, engine=engine) as opened:
        yield opened


@pytest.fixture
async def build(tmp_path: Path, engine: Engine) -> AsyncIterator[Builder]:
    """Build a server that differs from that of `doorcode dev` in what is named."""
    async with AsyncExitStack() as stack:
        built = 0

        async def build_one(plan: Plan | None = None, **changes: Any) -> Street:
            nonlocal built
            built += 1
            directory = tmp_path / f"street-{built}"
            directory.mkdir()
            opened = open_street(directory, plan or Plan(**changes), engine)
            return await stack.enter_async_context(opened)

        yield build_one


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Comparisons:
    """All codes that are compared, from now on."""
    return Comparisons(monkeypatch)
