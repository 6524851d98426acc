"""A courier in a process of its own: it says when its provider has the letter, and hangs there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog

from doorcode.delivery.courier import Courier
from doorcode.delivery.interface import Letter, Taken
from doorcode.delivery.routing import Route, Routing
from doorcode.security import master_key
from doorcode.security.sealing import Sealer
from doorcode.storage.sqlite import Sqlite


class Silent:
    """Takes a letter, and is never heard of again."""

    name = "silent"
    immediate = False

    async def send(self, letter: Letter) -> Taken:
        print(f"taken {letter.id}", flush=True)
        await asyncio.Event().wait()
        raise AssertionError


async def main(path: str, key: str, now: str) -> None:
    sealer = Sealer(master_key.parse(key), "ins_1")
    routing = Routing({"sms": [Route("silent", "sms", Silent())]})
    log = structlog.get_logger()
    parts = (Sqlite(Path(path)), sealer, lambda: routing, None, lambda: int(now), log)
    await Courier(*parts, jitter=lambda: 0.0).run()


asyncio.run(main(*sys.argv[1:]))
