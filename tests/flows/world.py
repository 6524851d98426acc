"""The world around a story: a real database, a clock that stands, a post that remembers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from doorcode.domain.addresses import Kind, Strategy
from doorcode.domain.instance import Instance, Shield, ShieldMode
from doorcode.domain.send import SendBudget
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_up import SignUp
from doorcode.flows import sign_in, sign_up
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller, Deps
from doorcode.security import master_key, tokens
from doorcode.security.codes import Codes
from doorcode.security.sealing import Sealer
from doorcode.security.tickets import Tickets
from doorcode.security.tokens import SigningKey, Tokens
from doorcode.storage import sqlite
from doorcode.storage.sqlite import Sqlite

START = 1_750_000_000_000
INSTANCE = Instance(id="ins_test", name="Test", test_mode=True)
MASTER = master_key.parse(master_key.generate())
SIGNING = SigningKey.load("key_test", tokens.generate_key())

PHONE, EMAIL = Strategy.PHONE_CODE, Strategy.EMAIL_CODE
ADA, BEA = "+14155552671", "+14155552672"
ADA_MAIL = "Ada@example.com"


@dataclass
class Clock:
    """The time, which moves only when it is told to."""

    time: int = START

    def __call__(self) -> int:
        return self.time

    def forward(self, milliseconds: int) -> None:
        self.time += milliseconds


class CountedStorage:
    """The real storage; it counts the units that were begun and those that were kept."""

    def __init__(self, storage: Sqlite) -> None:
        self.storage = storage
        self.begun = self.kept = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self.begun += 1
        async with self.storage.transaction() as tx:
            yield tx
        self.kept += 1

    def reading(self) -> Any:
        return self.storage.reading()

    async def is_ready(self) -> bool:
        return await self.storage.is_ready()

    async def close(self) -> None:
        await self.storage.close()


@dataclass
class Announced:
    """What a courier found when it was told of a message."""

    id: str
    channel: str
    is_test: bool
    committed: bool
    to: str = ""
    code: str = ""
    link: str = ""


@dataclass
class FakePost:
    """A courier that opens what it is told of, by a connection of its own.

    Another connection sees only what is committed: a message that is announced too early
    is not there for it.
    """

    file: Path
    sealer: Sealer
    channels: set[str] = field(default_factory=lambda: {"sms", "whatsapp", "email"})
    announced: list[Announced] = field(default_factory=list)

    free: set[str] = field(default_factory=set)

    def can_send(self, channel: str, is_test: bool) -> bool:
        return is_test or channel in self.channels

    def is_free(self, channel: str) -> bool:
        return channel in self.free

    def wake(self) -> None:
        """Nobody waits for what is sent."""

    async def announce(self, message_id: str, channel: str, is_test: bool) -> None:
        with sqlite3.connect(self.file) as connection:
            row = connection.execute(
                "SELECT recipient, sealed FROM outbox WHERE id = ? AND state = 'queued'",
                [message_id],
            ).fetchone()
        connection.close()
        heard = Announced(message_id, channel, is_test, committed=row is not None)
        if row:
            heard.to = row[0]
            packed = json.loads(self.sealer.open(f"outbox/{message_id}", row[1]))
            heard.code, heard.link = packed["code"], packed.get("link", "")
        self.announced.append(heard)


class World:
    """Everything a story needs, and what a person does in a few words."""

    def __init__(self, file: Path, instance: Instance = INSTANCE) -> None:
        self.file = file
        self.clock = Clock()
        self.storage = CountedStorage(Sqlite(file))
        sealer = Sealer(MASTER, instance.id)
        self.post = FakePost(file, sealer)
        self.deps = Deps(
            storage=self.storage,
            instance=instance,
            codes=Codes(MASTER, instance.id),
            tickets=Tickets(MASTER, instance.id),
            tokens=Tokens([SIGNING], "https://test.localhost"),
            sealer=sealer,
            post=self.post,
            now=self.clock,
        )

    # ── what the database holds ───────────────────────────────────────────────────────
    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is committed, seen from outside."""
        connection = sqlite3.connect(self.file)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def count(self, table: str) -> int:
        """How many rows a table holds."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def write(self, statement: str, *values: Any) -> None:
        """Change the database behind the stories' back."""
        connection = sqlite3.connect(self.file, timeout=5)
        connection.execute("PRAGMA foreign_keys = ON")
        with connection:
            connection.execute(statement, values)
        connection.close()

    # ── what came by post ─────────────────────────────────────────────────────────────
    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The names of the statements that are run meanwhile; one for many rows is one."""
        run: list[str] = []
        execute = sqlite._Statements._execute

        def noted(statements: Any, name: str, values: Any) -> Any:
            run.append(name)
            return execute(statements, name, values)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sqlite._Statements, "_execute", noted)
            yield run

    @property
    def code(self) -> str:
        """The newest code that was sent to anybody."""
        return self.post.announced[-1].code

    @property
    def wrong(self) -> str:
        """A code that was sent to nobody."""
        sent = {one.code for one in self.post.announced}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in sent)

    def switch_sending_limits_off(self) -> None:
        """Let codes be sent without end, where a test is about what becomes of them."""
        self.switch(sends=SendBudget(1000, 1000), shield=Shield(ShieldMode.RECORD))

    # ── what a person does ────────────────────────────────────────────────────────────
    def switch(self, **changes: Any) -> None:
        """Change the instance's settings."""
        self.deps = replace(self.deps, instance=replace(self.deps.instance, **changes))

    async def signing_up(
        self, phone: str | None = ADA, email: str | None = None, caller: Caller | None = None
    ) -> tuple[Caller, SignUp]:
        """A sign-up under way on a new client, or on `caller`'s."""
        texts = {Kind.PHONE: phone, Kind.EMAIL: email}
        wanted = sign_up.Wanted({k: t for k, t in texts.items() if t})
        return started(await sign_up.start(self.deps, caller or Caller(), wanted))

    async def asked_by_phone(self, phone: str = ADA) -> tuple[Caller, SignUp]:
        """A sign-up for which a code has been sent."""
        caller, attempt = await self.signing_up(phone)
        await sign_up.send_code(self.deps, caller, attempt.id, PHONE)
        return caller, attempt

    async def account(
        self, phone: str | None = ADA, email: str | None = None
    ) -> tuple[Caller, Answer[SignUp]]:
        """A person with an account, signed in on a client of their own."""
        caller, attempt = await self.signing_up(phone, email)
        answer: Answer[SignUp] = Answer()
        for strategy, address in ((PHONE, phone), (EMAIL, email)):
            if address:
                await sign_up.send_code(self.deps, caller, attempt.id, strategy)
                answer = await sign_up.try_code(self.deps, caller, attempt.id, strategy, self.code)
        return caller, answer

    async def signing_in(
        self, identifier: str = ADA, caller: Caller | None = None
    ) -> tuple[Caller, SignIn]:
        """A sign-in under way on a new client, or on `caller`'s."""
        wanted = sign_in.Wanted(identifier)
        return started(await sign_in.start(self.deps, caller or Caller(), wanted))

    async def asked_to_sign_in(self, identifier: str = ADA) -> tuple[Caller, SignIn]:
        """A sign-in for which a code has been sent."""
        caller, attempt = await self.signing_in(identifier)
        strategy = EMAIL if "@" in identifier else PHONE
        await sign_in.send_code(self.deps, caller, attempt.id, sign_in.Wish(strategy))
        return caller, attempt


def started(answer: Answer[Any]) -> tuple[Caller, Any]:
    """The client and the attempt of a story that began."""
    assert answer.refusal is None, answer.refusal
    assert answer.client is not None
    assert answer.subject is not None
    return Caller(answer.client.client.id), answer.subject
