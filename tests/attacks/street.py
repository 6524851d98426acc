"""A real server on a real port, with a clock that a test moves, and visitors who come by HTTP.

Every attack goes the way that a stranger's requests go: sockets, the parser of the real
server, the whole application, and one of the engines that can keep its memory.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from tests.web.house import EMAIL, PAGE, PHONE, Browser, House, Plan, later, open_house

from doorcode.domain.verification import Verdict
from doorcode.flows import codes
from doorcode.web.app import App
from doorcode.web.limited_head import LimitedHead
from doorcode.web.pages import routes as pages

Engine = Callable[[Path], Any]
PATIENCE = 60.0  # seconds until a test that hangs fails; no outcome depends on it
CONNECTIONS = httpx.Limits(max_connections=2)  # of each visitor: two hundred have four hundred
SIGN_INS, SIGN_UPS = "/v1/client/sign_ins", "/v1/client/sign_ups"


class Visitor(Browser):
    """A browser, or a program, that comes by a connection of its own."""

    def __init__(self, street: Street, page: str | None = PAGE, **headers: str) -> None:
        self.house, self.street = street.house, street
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.http = httpx.AsyncClient(
            base_url=street.url,
            headers=sent | ({"origin": page} if page else {}),
            timeout=PATIENCE,
            limits=CONNECTIONS,
            trust_env=False,
            verify=False,  # there is no TLS, and to get ready for it takes longer than the request
        )

    def with_token(self, token: str, name: str = "__client") -> Visitor:
        """Another visitor who holds a copy of a cookie."""
        other = self.street.visitor()
        other.http.headers["cookie"] = f"{name}={token}"
        return other

    async def attempt(self, way: str, attempt: str, code: str, to: str = PHONE) -> httpx.Response:
        """Type a code, in a sign-up or a sign-in."""
        strategy = "email_code" if "@" in to else "phone_code"
        story = self.attempt_sign_in if way == SIGN_INS else self.attempt_sign_up
        return await story(attempt, code, strategy)

    async def begin(self, way: str, to: str = PHONE, **form: str) -> str:
        """Begin to sign up or in, and have a code sent; the attempt's id."""
        strategy = "email_code" if "@" in to else "phone_code"
        if way == SIGN_INS:
            return await self.start_sign_in(to, strategy=strategy, **form)
        name = "email_address" if "@" in to else "phone_number"
        return await self.start_sign_up(**{name: to, "strategy": strategy}, **form)


@dataclass
class Street:
    """A server and the way to it."""

    house: House
    url: str
    visitors: list[Visitor]

    def visitor(self, page: str | None = PAGE, **headers: str) -> Visitor:
        """Somebody who was never here; with page None, a program."""
        came = Visitor(self, page, **headers)
        self.visitors.append(came)
        return came

    async def neighbours(self, many: int, way: str, to: str = PHONE, **form: str) -> list[Any]:
        """Visitors of whom each has begun an attempt and had a code sent, with its id."""
        self.house.allow_many_codes()
        came = [self.visitor() for _ in range(many)]
        return [(one, await one.begin(way, to, **form)) for one in came]

    async def delivered(self) -> None:
        """Wait until nothing is left in the outbox that is due, nor in the courier's hands."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.house.delivered()
                async with self.house.storage.reading() as tx:
                    due = await tx.next_message_at()
                if due is None or due > self.house.clock.now:
                    return


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the tests."""
        yield


@asynccontextmanager
async def open_street(
    directory: Path, plan: Plan | None = None, engine: Engine | None = None
) -> AsyncIterator[Street]:
    """Build a server and let it listen, until the block ends. It speaks as `doorcode` does."""
    chosen = {"engine": engine} if engine else {}
    async with open_house(directory, plan, **chosen) as house:
        app = App(house.door, [*house.routes, *pages(house.door, None, None)])
        # Named as TCP, or asyncio lets the kernel hold back the second half of each answer.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        server = _Uvicorn(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                http=LimitedHead,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                timeout_keep_alive=600,  # a busy machine must not look like a broken connection
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        carrying = asyncio.create_task(house.courier.run())
        street = Street(house, f"http://127.0.0.1:{listening.getsockname()[1]}", [])
        try:
            yield street
        finally:
            await asyncio.gather(*(one.http.aclose() for one in street.visitors))
            server.should_exit = True
            await serving
            await house.courier.stop()
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying


class Comparisons:
    """Sees every code that is compared, which is what a guess costs and what it can win."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.verdicts: list[Verdict] = []
        judge = codes.judge

        def note(*arguments: Any) -> Verdict:
            verdict = judge(*arguments)
            self.verdicts.append(verdict)
            return verdict

        patch.setattr(codes, "judge", note)

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def wrong(self) -> int:
        """How many codes that were not right have been compared."""
        return sum(verdict is not Verdict.RIGHT for verdict in self.verdicts)


def said(answers: Iterable[httpx.Response]) -> dict[str, int]:
    """How often each thing was said: "ok", or the code of the refusal."""
    counted: dict[str, int] = {}
    for answer in answers:
        word = "ok" if answer.status_code == 200 else str(answer.json()["errors"][0]["code"])
        counted[word] = counted.get(word, 0) + 1
    return counted


__all__ = [
    "EMAIL",
    "PHONE",
    "SIGN_INS",
    "SIGN_UPS",
    "Comparisons",
    "Engine",
    "Street",
    "Visitor",
    "later",
    "open_street",
    "said",
]
