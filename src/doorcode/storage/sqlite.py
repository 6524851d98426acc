"""The default engine: one file, one writer, many units to a commit.

    unit ─┐                              ┌─ answer
    unit ─┼─▶ one transaction ─▶ fsync ──┼─ answer
    unit ─┘   (a savepoint each)         └─ answer

A durable commit costs a flush of the disk; a statement costs microseconds. So units
that come while a commit is under way wait for it, run one after another inside the next
transaction, each in a savepoint of its own, and share its commit. A unit that raises
takes back only itself. No unit's block ends before the commit it shares is on disk.

Statements run in the event loop's thread, the commit in a thread of its own: a slow
disk delays those who wait for it and nobody else. Reads have their own connection,
see only what is committed (WAL) and wait for nobody.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any

from doorcode.domain.addresses import Address, Kind
from doorcode.domain.restrictions import mailbox_of
from doorcode.storage.interface import Conflict, Unavailable
from doorcode.storage.rows import Row
from doorcode.storage.sql import SqlTransaction, load_queries

UNITS_PER_COMMIT = 128
BUSY_SECONDS = 5.0


class Sqlite:
    """A database in one file."""

    def __init__(self, path: Path) -> None:
        self._write_connection = _open(path)
        self._read_connection = _connect(path)
        self._read_connection.execute("PRAGMA query_only = ON")
        queries = load_queries()
        self._writer = _Writer(self._write_connection)
        self._written = SqlTransaction(_Statements(self._write_connection, queries))
        self._read = SqlTransaction(_Statements(self._read_connection, queries))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqlTransaction]:
        """A unit of work that may write; see `Storage.transaction`."""
        await self._writer.begin_unit()
        try:
            yield self._written
        except BaseException:
            self._writer.take_unit_back()
            raise
        await self._writer.end_unit()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlTransaction]:
        """A unit of work that reads; see `Storage.reading`."""
        yield self._read

    async def is_ready(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.reading() as tx:
                return await tx.setting("instance_id") is not None
        except (sqlite3.Error, Unavailable):
            return False

    async def close(self) -> None:
        """Finish the commit under way and close the file."""
        await self._writer.close()
        self._read_connection.close()
        self._write_connection.close()


class _Statements:
    """Runs a statement at once: nothing here ever waits, so no unit is interrupted."""

    def __init__(self, connection: sqlite3.Connection, queries: dict[str, str]) -> None:
        self._connection = connection
        self._queries = queries

    async def rows(self, name: str, **values: Any) -> list[Row]:
        return self._execute(name, values).fetchall()

    async def run(self, name: str, **values: Any) -> int:
        return self._execute(name, values).rowcount

    async def run_each(self, name: str, values: list[dict[str, Any]]) -> None:
        self._execute(name, values)

    def _execute(self, name: str, values: dict[str, Any] | list[dict[str, Any]]) -> sqlite3.Cursor:
        try:
            if isinstance(values, list):
                return self._connection.executemany(self._queries[name], values)
            return self._connection.execute(self._queries[name], values)
        except sqlite3.IntegrityError as error:
            raise Conflict(name) from error
        except sqlite3.Error as error:
            raise Unavailable(f"{name}: {error}") from error


class _Writer:
    """Hands the connection from unit to unit, and commits when nobody waits for it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="doorcode-commit")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._sharing: list[asyncio.Future[None]] = []  # the units of this transaction
        self._taken = False
        self._commits: set[asyncio.Task[None]] = set()

    async def begin_unit(self) -> None:
        """Wait for a turn and open a savepoint."""
        if self._taken:
            await self._take_turn()
        self._taken = True
        try:
            if not self._sharing and self._connection.in_transaction:
                self._connection.rollback()  # what was refused must not ride along
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("SAVEPOINT unit")
        except sqlite3.Error as error:
            self._next()
            raise Unavailable(str(error)) from error

    async def end_unit(self) -> None:
        """Keep what the unit did; return when it is on disk."""
        try:
            self._connection.execute("RELEASE unit")
        except sqlite3.Error as error:
            self.take_unit_back()
            raise Unavailable(str(error)) from error
        committed = asyncio.get_running_loop().create_future()
        self._sharing.append(committed)
        self._next()
        # A caller that goes away must not cancel a commit that others share.
        await asyncio.shield(committed)

    def take_unit_back(self) -> None:
        """Undo what the unit did, and only that."""
        try:
            self._connection.execute("ROLLBACK TO unit")
            self._connection.execute("RELEASE unit")
        except sqlite3.Error:
            # A full disk makes SQLite roll the whole transaction back by itself. Those
            # who share it must hear of it: nothing of theirs is kept, and nothing of the
            # failed unit may be left for the next commit.
            self._abandon()
            self._fail(Unavailable("the transaction was rolled back"))
        self._next()

    async def close(self) -> None:
        """Wait for the last commit."""
        while self._commits:
            await asyncio.wait(self._commits)
        self._thread.shutdown(wait=True)

    async def _take_turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()  # the turn had come already: pass it on
            raise

    def _next(self) -> None:
        if len(self._sharing) < UNITS_PER_COMMIT and self._wake_one():
            return
        if self._sharing:
            commit = asyncio.get_running_loop().create_task(self._commit())
            self._commits.add(commit)
            commit.add_done_callback(self._commits.discard)
            return
        self._abandon()
        self._taken = False

    def _wake_one(self) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return True
        return False

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._connection.commit)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear
            self._abandon()
            self._fail(Unavailable(str(error)))
        else:
            self._settle()
        finally:
            self._taken = self._wake_one()

    def _abandon(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.rollback()

    def _settle(self) -> None:
        sharing, self._sharing = self._sharing, []
        for unit in sharing:
            if not unit.done():
                unit.set_result(None)

    def _fail(self, error: Exception) -> None:
        sharing, self._sharing = self._sharing, []
        for unit in sharing:
            if not unit.done():
                unit.set_exception(error)


def _open(path: Path) -> sqlite3.Connection:
    """A connection to a database whose tables are up to date."""
    connection = None
    try:
        connection = _connect(path)
        _migrate(connection)
    except (sqlite3.Error, Unavailable) as error:
        if connection:
            connection.close()
        if isinstance(error, Unavailable):
            raise
        raise Unavailable(f"The database {path} cannot be used: {error}.") from error
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # an answer that was given survives a power cut
        "secure_delete = ON",  # an erased code is overwritten, not merely unlinked
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    scripts = _migrations()
    if done > len(scripts):
        raise Unavailable(
            f"The database was written by a newer Doorcode (schema {done}, this one knows "
            f"{len(scripts)}). Start that version, or restore a backup made before the update."
        )
    connection.create_function("mailbox_of", 1, _mailbox_of, deterministic=True)
    for number, script in enumerate(scripts[done:], start=done + 1):
        # One transaction: a migration that fails half-way leaves nothing behind.
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
        )


def _mailbox_of(value: str) -> str | None:
    """For migrations: the rules of the providers cannot be said in SQL."""
    return mailbox_of(Address(Kind.EMAIL, value, value))


def _migrations() -> list[str]:
    folder = resources.files("doorcode.storage").joinpath("migrations")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [file.read_text("utf-8") for file in files]
