"""Fixtures of the web tests: a server in this process, and browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .house import PRODUCTION, Browser, Clock, House, Plan, open_house

Builder = Callable[..., Awaitable[House]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server as `doorcode dev` makes it, its limits per network address off."""
    async with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture
def clock(house: House) -> Clock:
    return house.clock


@pytest.fixture
def browser(house: House) -> Browser:
    """A browser that was never here."""
    return house.browser()


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Builder]:
    """Build a server that differs from that of `doorcode dev` in what is named."""
    async with AsyncExitStack() as stack:

        async def build_one(plan: Plan | None = None, **changes: Any) -> House:
            directory = tmp_path / f"house-{len(list(tmp_path.iterdir()))}"
            directory.mkdir()
            planned = replace(plan or Plan(), **changes)
            return await stack.enter_async_context(open_house(directory, planned))

        yield build_one


@pytest.fixture
async def production(build: Builder) -> House:
    """A server behind https, with apps on other hosts of its domain."""
    return await build(PRODUCTION)
