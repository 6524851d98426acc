"""A stopped clock, a real database, a provider that does as it is told, and a log that tells."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from doorcode.delivery.carrier import Carrier
from doorcode.delivery.courier import Courier
from doorcode.delivery.interface import Letter, Provider, State, Taken
from doorcode.delivery.render import pack
from doorcode.delivery.routing import Route, Routing
from doorcode.domain.addresses import Address, parse_identifier
from doorcode.domain.limits import CODE_LIVES_FOR
from doorcode.domain.message import Message, Step
from doorcode.domain.verification import Status, Verification
from doorcode.security import master_key
from doorcode.security.sealing import Sealer
from doorcode.storage.sqlite import Sqlite

NOON = 1_800_000_000_000
CODE = "731904"
MASTER_TEXT = master_key.generate()
MASTER = master_key.parse(MASTER_TEXT)
PATIENCE = 5.0  # seconds until a test that waits for something fails


@dataclass
class Clock:
    """Time stands still until a test moves it."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now

    def pass_by(self, milliseconds: int) -> None:
        self.now += milliseconds


@dataclass
class HeardLog:
    """Keeps what was logged, and lets a test wait for it."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def info(self, event: str, /, **fields: Any) -> None:
        self.lines.append((event, fields))
        self._more.set()

    warning = info

    def events(self) -> list[str]:
        return [event for event, _ in self.lines]

    async def heard(self, event: str, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.events().count(event) < times:
                self._more.clear()
                await self._more.wait()


class Postman:
    """A provider whose answers a test lays down beforehand; without any he delivers."""

    def __init__(
        self, *answers: Exception | None, immediate: bool = False, name: str = "postman"
    ) -> None:
        self.name = name
        self.immediate = immediate
        self.letters: list[Letter] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._answers = list(answers)
        self._came = asyncio.Event()

    async def send(self, letter: Letter) -> Taken:
        self.letters.append(letter)
        self._came.set()
        await self.gate.wait()
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer
        return Taken(f"{self.name}-{len(self.letters)}", State.DELIVERED)

    async def came(self, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.letters) < times:
                self._came.clear()
                await self._came.wait()


def routing_of(*, ladder: Sequence[str] = (), **channels: Sequence[Provider]) -> Routing:
    """Routes named like their providers, by channel."""
    routes = {
        channel: [Route(provider.name, channel, provider) for provider in providers]
        for channel, providers in channels.items()
    }
    return Routing(routes, ladder)


class PostOffice:
    """One database with its courier, and what a flow does to put a message there."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.log = HeardLog()
        self.storage = Sqlite(path)
        self.sealer = Sealer(MASTER, "ins_1")
        self.jitter = 0.0
        self._number = 0

    async def post(self, to: str = "ada@example.com", payload: bytes | None = None) -> Message:
        """Commit a message, as a flow does."""
        self._number += 1
        address = parse_identifier(to, test_mode=True)
        message = self._message(f"msg_{self._number}", address, payload)
        async with self.storage.transaction() as tx:
            await tx.add_verification(self._verification(message, address), message.expires_at)
            await tx.add_message(message)
        return message

    async def post_again(self, message: Message) -> Message:
        """Commit another code of the same verification, as a resend does."""
        self._number += 1
        name = f"msg_{self._number}"
        sealed = self.sealer.seal(f"outbox/{name}", pack(CODE, "Acme", None))
        self.clock.pass_by(1)
        again = replace(message, id=name, sealed=sealed, created_at=self.clock())
        async with self.storage.transaction() as tx:
            await tx.add_message(again)
        return again

    def lose_key(self) -> None:
        """From here on nothing that was sealed opens."""
        self.sealer = Sealer(master_key.parse(master_key.generate()), "ins_1")

    def courier(self, *routes: Provider, test_route: Provider | None = None) -> Courier:
        """A courier who takes both channels to these providers, in this order."""
        return self.courier_of(routing_of(sms=routes, email=routes), test_route)

    def courier_of(
        self,
        routing: Routing,
        test_route: Provider | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Courier:
        """A courier who goes by these routes."""
        return Courier(
            self.storage,
            self.sealer,
            lambda: routing,
            test_route,
            self.clock,
            self.log,
            jitter=lambda: self.jitter,
            is_stopped=is_stopped,
        )

    def carrier(self, routing: Routing, test_route: Provider | None = None) -> Carrier:
        """A carrier who goes by these routes."""
        return Carrier(
            self.storage,
            self.sealer,
            lambda: routing,
            test_route,
            self.clock,
            self.log,
            deferred=lambda: None,
            jitter=lambda: self.jitter,
            callback_url=lambda route: f"https://auth.example.com/receipts/{route}",
        )

    async def timeline(self, message: Message) -> list[Step]:
        """What the operator would be shown of a message."""
        async with self.storage.reading() as tx:
            return await tx.steps(message.id)

    def row(self, message: Message) -> dict[str, Any]:
        """What stands on disk, read past the engine."""
        connection = sqlite3.connect(self.path)
        connection.row_factory = sqlite3.Row
        try:
            found = connection.execute("SELECT * FROM outbox WHERE id = ?", (message.id,))
            return dict(found.fetchone())
        finally:
            connection.close()

    def _message(self, message_id: str, address: Address, payload: bytes | None) -> Message:
        packed = pack(CODE, "Acme", None) if payload is None else payload
        return Message(
            id=message_id,
            verification_id=f"ver_{message_id}",
            channel="sms" if address.kind == "phone_number" else "email",
            recipient=address.spelling,
            is_test=address.is_test,
            sealed=self.sealer.seal(f"outbox/{message_id}", packed),
            created_at=self.clock(),
            expires_at=self.clock() + CODE_LIVES_FOR,
        )

    def _verification(self, message: Message, address: Address) -> Verification:
        return Verification(
            id=message.verification_id,
            attempt_id=f"sua_{message.id}",
            address=address,
            channel=message.channel,
            status=Status.UNVERIFIED,
            attempts=0,
            sent_at=message.created_at,
            expires_at=message.expires_at,
        )


@asynccontextmanager
async def running(courier: Courier) -> AsyncIterator[Courier]:
    """The courier's loop; afterwards all that was under way has finished."""
    loop = asyncio.create_task(courier.run())
    try:
        yield courier
    finally:
        await courier.stop()
        async with asyncio.timeout(PATIENCE):
            await loop


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def office(tmp_path: Path, clock: Clock) -> AsyncIterator[PostOffice]:
    office = PostOffice(tmp_path / "doorcode.db", clock)
    yield office
    await office.storage.close()


LetterMaker = Callable[..., Letter]


@pytest.fixture
def letter() -> LetterMaker:
    """Return a function that makes a letter, with the given parts changed."""

    def make(**changes: Any) -> Letter:
        parts: dict[str, Any] = {
            "id": "msg_1",
            "channel": "email",
            "to": "ada@example.com",
            "subject": f"{CODE} is your Acme code",
            "text": f"Your Acme code is:\n\n{CODE}\n",
            "html": f"<p>{CODE}</p>",
            "code": CODE,
            "created_at": NOON,
        }
        return Letter(**(parts | changes))

    return make
