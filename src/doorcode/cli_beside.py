"""What commands do beside a running server, or without one: read its database and its settings."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doorcode.domain.event import Event
from doorcode.domain.instance import Instance
from doorcode.flows import audit
from doorcode.live_settings import layers_beside, routes_beside
from doorcode.server import now, open_storage
from doorcode.settings import development
from doorcode.storage.interface import Transaction, Unavailable

Work = Callable[[Transaction, str], Awaitable[int]]


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        """See `Clock`."""
        return now()


@dataclass
class Routes:
    """The post as a command knows it: who would carry what. Nothing is ever sent by it."""

    named: dict[str, str]

    def can_send(self, channel: str, is_test: bool) -> bool:
        """See `Post`."""
        return is_test or channel in self.named

    def is_free(self, channel: str) -> bool:
        """See `Post`."""
        return self.named.get(channel, "inbox") == "inbox"

    async def announce(self, message_id: str, channel: str, is_test: bool) -> None:
        """See `Post`."""

    def wake(self) -> None:
        """See `Post`."""


@dataclass
class Beside(SystemClock):
    """What a command decides by, beside a running server or without one."""

    instance: Instance
    post: Routes
    told: bool


def with_storage(options: argparse.Namespace, work: Work) -> int:
    """Do something in the data directory's database, also beside a running server.

    `work` is given one unit of work and the instance's id; what it returns is the exit
    status. `Unavailable` where no server has been there yet.
    """

    async def run() -> int:
        settings = development(os.environ, data=options.data)
        if not (settings.data / "doorcode.db").is_file():
            raise Unavailable(f"{settings.data} holds no database; start a server there first.")
        storage = open_storage(settings)
        try:
            async with storage.transaction() as tx:
                known = await tx.setting("instance_id")
                if known is None:
                    raise Unavailable("this data directory has no server yet; start one first")
                return int(await work(tx, known.decode()))
        finally:
            await storage.close()

    return asyncio.run(run())


async def note(tx: Transaction, name: str, subject: str, **details: object) -> None:
    """Write down what an operator did, in the unit that does it."""
    await audit.write(SystemClock(), tx, Event(name, "done", subject=subject, details=details))


async def beside(tx: Transaction, options: argparse.Namespace, instance_id: str) -> Beside:
    """The settings and routes of the server that runs here, else those of this environment."""
    settings = development(os.environ, data=options.data)
    layers, base = await layers_beside(tx, settings, instance_id)
    routes, told = await routes_beside(tx, settings)
    instance = layers.build(base)
    return Beside(instance, Routes(instance.delivery.carriers(routes)), told)
