"""A data directory that a server has been at, and commands in this process beside it."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from doorcode.domain.event import Event
from doorcode.server import open_server, open_storage
from doorcode.settings import development
from doorcode.storage.interface import Transaction

Add = Callable[[argparse.ArgumentParser], Any]


def prepare(data: Path) -> Path:
    """Let a server start there and stop."""

    async def start() -> None:
        async with open_server(development({}, data=data)):
            pass

    asyncio.run(start())
    return data


def call(add: Add, data: Path, *arguments: str) -> int:
    """Run a command; its exit status."""
    parser = argparse.ArgumentParser()
    added = add(parser)
    for one in added if isinstance(added, list) else [added]:
        one.add_argument("--data", default=str(data))
    options = parser.parse_args(arguments)
    return int(options.run(options))


def within(data: Path, work: Callable[[Transaction], Awaitable[Any]]) -> Any:
    """Do something in the database, in one unit."""

    async def do() -> Any:
        storage = open_storage(development({}, data=data))
        try:
            async with storage.transaction() as tx:
                return await work(tx)
        finally:
            await storage.close()

    return asyncio.run(do())


def events(data: Path) -> list[Event]:
    """The audit log, newest first."""

    async def read(tx: Transaction) -> list[Event]:
        return [one.event for one in await tx.events(0, 1000)]

    found: list[Event] = within(data, read)
    return found
