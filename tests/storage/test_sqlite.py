"""SQLite does what every engine must, and what it alone promises: one commit for many."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from doorcode.domain.event import Event, Recorded
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.storage import sqlite
from doorcode.storage.interface import Unavailable
from doorcode.storage.sqlite import UNITS_PER_COMMIT, Sqlite

from . import examples as an
from .conformance import *  # noqa: F403
from .conformance_accounts import *  # noqa: F403
from .conformance_limits import *  # noqa: F403
from .conformance_tickets import *  # noqa: F403
from .examples import LATER, NEXT_DAY, NOW

PATIENCE = 10  # seconds until a test that hangs fails; no outcome depends on it


class Disk:
    """Counts the commits, can hold them up, and can break."""

    def __init__(self) -> None:
        self.commits = 0
        self.commit_error: Exception | None = None
        self.rollback_error: Exception | None = None
        self.connections: list[sqlite3.Connection] = []
        self._reached, self._released = threading.Event(), threading.Event()
        self._released.set()

    def hold_commits(self) -> None:
        self._reached.clear()
        self._released.clear()

    def release_commits(self) -> None:
        self._released.set()

    async def commit_reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE)

    def commit(self) -> None:
        self.commits += 1
        self._reached.set()
        self._released.wait(PATIENCE)
        if self.commit_error:
            raise self.commit_error

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        disk = self

        class Connection(sqlite3.Connection):
            def commit(self) -> None:
                disk.commit()
                super().commit()

            def rollback(self) -> None:
                if disk.rollback_error:
                    raise disk.rollback_error
                super().rollback()

        connection = _connect(*args, **options, factory=Connection)
        self.connections.append(connection)
        return connection


_connect = sqlite3.connect


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(sqlite3, "connect", disk.connect)
    yield disk
    disk.release_commits()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "doorcode.db"


@pytest.fixture
async def storage(disk: Disk, path: Path) -> AsyncIterator[Sqlite]:
    storage = Sqlite(path)
    yield storage
    disk.commit_error = disk.rollback_error = None
    await storage.close()


def on_disk(path: Path) -> set[str]:
    """The settings that another process would find."""
    connection = _connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM settings")}
    finally:
        connection.close()


def pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


async def save(storage: Sqlite, name: str, *, fails: bool = False) -> None:
    async with storage.transaction() as tx:
        await tx.save_setting(name, b"value")
        if fails:
            raise ZeroDivisionError


async def start(*units: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    """Tasks that have run until each of them waits for something."""
    tasks = [asyncio.create_task(unit) for unit in units]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def outcomes(*tasks: asyncio.Task[None]) -> list[type | None]:
    done = asyncio.gather(*tasks, return_exceptions=True)
    found = await asyncio.wait_for(done, PATIENCE)
    return [type(one) if isinstance(one, BaseException) else None for one in found]


# ── the file ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("secure_delete", 1),
        ("foreign_keys", 1),
    ],
)
async def test_every_connection_is_careful(
    storage: Sqlite, disk: Disk, name: str, value: str | int
) -> None:
    assert [pragma(connection, name) for connection in disk.connections] == [value] * 2


async def test_what_only_reads_cannot_write(storage: Sqlite) -> None:
    with pytest.raises(Unavailable):
        async with storage.reading() as tx:
            await tx.save_setting("name", b"value")


async def test_an_erased_code_is_not_in_the_file(storage: Sqlite, path: Path) -> None:
    readable = b"the sealed code, once it could be read" * 9
    async with storage.transaction() as tx:
        await tx.add_verification(an.verification(), delete_at=NEXT_DAY)
        await tx.add_message(an.message(sealed=readable))
    async with storage.transaction() as tx:
        await tx.message_delivered("msg_1", NOW)
    await storage.close()
    assert b"once it could be read" not in path.read_bytes()


@pytest.mark.parametrize(
    ("story", "state"),
    [
        (lambda tx: tx.message_delivered("msg_1", NOW), "delivered"),
        (lambda tx: tx.message_failed(an.message(), "no such number"), "failed"),
        (lambda tx: tx.retire_attempt("sua_1"), "cancelled"),
        (lambda tx: tx.delete_expired(LATER, most=10), "expired"),
    ],
)
async def test_a_message_that_is_done_with_holds_no_code(
    storage: Sqlite, path: Path, story: Callable[[Any], Coroutine[Any, Any, object]], state: str
) -> None:
    async with storage.transaction() as tx:
        await tx.add_verification(an.verification(), delete_at=NEXT_DAY)
        await tx.add_message(an.message())
        await story(tx)
    connection = _connect(path)
    assert connection.execute("SELECT state, sealed FROM outbox").fetchall() == [(state, None)]
    connection.close()


# ── one commit for many ───────────────────────────────────────────────────────────────
async def test_units_that_come_together_share_commits(storage: Sqlite, disk: Disk) -> None:
    await asyncio.gather(*(save(storage, str(number)) for number in range(200)))
    assert disk.commits <= 1 + -(-199 // UNITS_PER_COMMIT)


async def test_units_that_come_alone_commit_alone(storage: Sqlite, disk: Disk) -> None:
    for number in range(3):
        await save(storage, str(number))
    assert disk.commits == 3


async def test_a_unit_that_failed_alone_commits_nothing(storage: Sqlite, disk: Disk) -> None:
    with pytest.raises(ZeroDivisionError):
        await save(storage, "name", fails=True)
    assert disk.commits == 0
    await save(storage, "after")


async def test_a_neighbour_in_the_same_commit_survives(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.hold_commits()
    first = await start(save(storage, "first"))
    units = [save(storage, str(number), fails=number == 1) for number in range(3)]
    tasks = await start(*units)
    disk.release_commits()
    assert await outcomes(*first, *tasks) == [None, None, ZeroDivisionError, None]
    assert disk.commits == 2
    assert on_disk(path) == {"first", "0", "2"}


async def test_an_answer_waits_for_the_disk(storage: Sqlite, disk: Disk, path: Path) -> None:
    disk.hold_commits()
    (unit,) = await start(save(storage, "name"))
    await disk.commit_reached()
    assert not unit.done()
    assert on_disk(path) == set()
    disk.release_commits()
    await unit
    assert on_disk(path) == {"name"}


async def test_every_answer_is_on_disk_when_it_leaves(storage: Sqlite, path: Path) -> None:
    async def save_and_look(name: str) -> bool:
        await save(storage, name)
        return name in on_disk(path)

    assert all(await asyncio.gather(*(save_and_look(str(number)) for number in range(150))))


async def test_reading_never_waits_for_a_commit(storage: Sqlite, disk: Disk) -> None:
    await save(storage, "before")
    disk.hold_commits()
    (unit,) = await start(save(storage, "during"))
    await disk.commit_reached()
    async with storage.reading() as tx:
        assert await tx.setting("before") == b"value"
        assert await tx.setting("during") is None
    disk.release_commits()
    await unit


# ── callers that go away ──────────────────────────────────────────────────────────────
async def test_who_leaves_the_queue_holds_nobody_up(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.hold_commits()
    tasks = await start(*(save(storage, str(number)) for number in range(4)))
    tasks[2].cancel()
    disk.release_commits()
    assert await outcomes(*tasks) == [None, None, asyncio.CancelledError, None]
    assert on_disk(path) == {"0", "1", "3"}


async def test_who_leaves_as_the_turn_comes_passes_it_on(storage: Sqlite, path: Path) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def fail_and_cancel_the_next() -> None:
        try:
            async with storage.transaction():
                entered.set()
                await leave.wait()
                raise ZeroDivisionError
        finally:  # the next one's turn has come, but it has not run yet
            second.cancel()

    (first,) = await start(fail_and_cancel_the_next())
    await entered.wait()
    second, third = await start(save(storage, "second"), save(storage, "third"))
    leave.set()
    ends = await outcomes(first, second, third)
    assert ends == [ZeroDivisionError, asyncio.CancelledError, None]
    assert on_disk(path) == {"third"}


async def test_who_leaves_before_the_commit_takes_nothing_from_others(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.hold_commits()
    first = await start(save(storage, "first"))
    await disk.commit_reached()
    first[0].cancel()
    others = await start(save(storage, "second"), save(storage, "third"))
    disk.release_commits()
    assert await outcomes(*first, *others) == [asyncio.CancelledError, None, None]
    assert on_disk(path) == {"first", "second", "third"}


async def test_who_leaves_in_the_middle_is_taken_back(storage: Sqlite, path: Path) -> None:
    written, forever = asyncio.Event(), asyncio.Event()

    async def write_and_wait() -> None:
        async with storage.transaction() as tx:
            await tx.save_setting("half", b"value")
            written.set()
            await forever.wait()

    (unit,) = await start(write_and_wait())
    await written.wait()
    (other,) = await start(save(storage, "whole"))
    unit.cancel()
    assert await outcomes(unit, other) == [asyncio.CancelledError, None]
    assert on_disk(path) == {"whole"}


# ── disks that fail ───────────────────────────────────────────────────────────────────
async def test_a_failed_commit_reaches_all_that_shared_it(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.hold_commits()
    first = await start(save(storage, "first"))
    await disk.commit_reached()
    sharing = await start(*(save(storage, str(number)) for number in range(3)))
    disk.commit_error = sqlite3.OperationalError("disk I/O error")
    disk.release_commits()
    assert await outcomes(*first, *sharing) == [Unavailable] * 4
    assert on_disk(path) == set()


async def test_the_engine_goes_on_after_a_failed_commit(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.commit_error = sqlite3.OperationalError("disk I/O error")
    assert await outcomes(*await start(save(storage, "lost"))) == [Unavailable]
    disk.commit_error = None
    assert await outcomes(*await start(save(storage, "kept"))) == [None]
    assert on_disk(path) == {"kept"}


async def test_a_rollback_that_fails_too_leaves_nobody_waiting(storage: Sqlite, disk: Disk) -> None:
    disk.commit_error = sqlite3.OperationalError("disk I/O error")
    disk.rollback_error = sqlite3.OperationalError("disk I/O error")
    units = await start(save(storage, "first"), save(storage, "second"))
    assert await outcomes(*units) == [Unavailable] * 2


async def test_what_was_refused_is_not_kept_by_a_later_commit(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.commit_error = disk.rollback_error = sqlite3.OperationalError("disk I/O error")
    assert await outcomes(*await start(save(storage, "refused"))) == [Unavailable]
    disk.commit_error = disk.rollback_error = None
    await save(storage, "after")
    assert on_disk(path) == {"after"}


async def test_on_a_full_disk_no_answer_is_a_lie(storage: Sqlite, disk: Disk, path: Path) -> None:
    async def save_much(name: str) -> None:
        async with storage.transaction() as tx:
            await tx.save_setting(name, b"x" * 1_000_000)

    disk.hold_commits()
    first = await start(save(storage, "first"))
    await disk.commit_reached()
    sharing = await start(save(storage, "small"), save_much("large"), save(storage, "next"))
    writer = disk.connections[0]
    writer.execute(f"PRAGMA max_page_count = {pragma(writer, 'page_count') + 5}")
    disk.release_commits()
    ends = await outcomes(*first, *sharing)
    names = ["first", "small", "large", "next"]
    kept = {name for name, end in zip(names, ends, strict=True) if end is None}
    assert ends[2] is Unavailable
    assert on_disk(path) == kept
    assert "first" in kept


async def test_a_database_that_another_process_holds_is_unavailable(
    storage: Sqlite, disk: Disk, path: Path
) -> None:
    disk.connections[0].execute("PRAGMA busy_timeout = 0")
    other = _connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    units = await start(save(storage, "first"), save(storage, "second"))
    assert await outcomes(*units) == [Unavailable] * 2
    other.close()
    await save(storage, "third")
    assert on_disk(path) == {"third"}


# ── the audit log ─────────────────────────────────────────────────────────────────────
async def test_no_line_of_the_audit_log_is_changed_by_sql(storage: Sqlite, path: Path) -> None:
    async with storage.transaction() as tx:
        await tx.add_event("evt_1", Event("code.refused", "refused"), NOW)
    connection = _connect(path)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    for column in columns:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(f"UPDATE events SET {column} = 'another'")
    connection.close()
    async with storage.reading() as tx:
        assert await tx.events(0, 2) == [Recorded("evt_1", NOW, Event("code.refused", "refused"))]


# ── the end ───────────────────────────────────────────────────────────────────────────
async def test_closing_finishes_what_is_under_way(storage: Sqlite, disk: Disk, path: Path) -> None:
    disk.hold_commits()
    units = await start(*(save(storage, str(number)) for number in range(5)))
    (closing,) = await start(storage.close())
    disk.release_commits()
    ends = await outcomes(*units, closing)
    kept = {str(number) for number, end in enumerate(ends[:5]) if end is None}
    assert set(ends) <= {None, Unavailable}
    assert on_disk(path) == kept >= {"0"}


async def test_a_closed_database_is_unavailable(storage: Sqlite) -> None:
    await storage.close()
    units = await start(save(storage, "first"), save(storage, "second"))
    assert await outcomes(*units) == [Unavailable] * 2
    assert not await storage.is_ready()


# ── the schema ────────────────────────────────────────────────────────────────────────
async def test_what_was_kept_is_there_after_a_restart(path: Path) -> None:
    before = Sqlite(path)
    async with before.transaction() as tx:
        await tx.add_verification(an.verification(), delete_at=NEXT_DAY)
        await tx.settle("ver_1", VerificationStatus.VERIFIED)
    await before.close()
    after = Sqlite(path)
    async with after.reading() as tx:
        found = await tx.verification_of("sua_1", an.EMAIL)
    await after.close()
    assert found == an.verification(status=VerificationStatus.VERIFIED)


async def test_a_newer_schema_is_not_touched(path: Path) -> None:
    await Sqlite(path).close()
    connection = _connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(Unavailable, match=r"newer Doorcode \(schema 999, .+ restore a backup"):
        Sqlite(path)
    connection = _connect(path)
    assert pragma(connection, "user_version") == 999
    connection.close()


@pytest.fixture
def migrate_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    shipped = sqlite._migrations()

    def replace(*more: str) -> None:
        monkeypatch.setattr(sqlite, "_migrations", partial(list, [*shipped, *more]))

    return replace


async def test_migrations_are_applied_once_and_in_order(
    path: Path, migrate_with: Callable[..., None]
) -> None:
    await Sqlite(path).close()
    migrate_with("CREATE TABLE new (a);", "ALTER TABLE new RENAME TO newer;")
    for _ in range(2):
        await Sqlite(path).close()
    connection = _connect(path)
    assert connection.execute("SELECT count(*) FROM newer").fetchone() == (0,)
    assert pragma(connection, "user_version") == len(sqlite._migrations())
    connection.close()


async def test_old_addresses_get_their_mailbox(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = sqlite._migrations()
    before = next(n for n, script in enumerate(shipped) if "COLUMN base" in script)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "_migrations", lambda: shipped[:before])
        await Sqlite(path).close()
    old = [
        ("email_address", "ann+x@example.com", 0, "ann@example.com"),
        ("email_address", "a.nn=x@googlemail.com", 0, "ann@gmail.com"),
        ("email_address", "ann-x@yahoo.co.uk", 0, "ann@yahoo.co.uk"),
        ("email_address", "änn@bücher.example", 0, "änn@bücher.example"),
        ("email_address", "ann+clerk_test@example.com", 1, None),
        ("phone_number", "+14155552671", 0, None),
    ]
    connection = _connect(path)
    connection.execute("INSERT INTO users (id, profile, created_at, updated_at) "
                       "VALUES ('user_1', '{}', 1, 1)")  # fmt: skip
    connection.executemany(
        "INSERT INTO addresses (id, user_id, kind, value, spelling, is_test, created_at, "
        "updated_at) VALUES ('idn_' || ?2, 'user_1', ?1, ?2, ?2, ?3, 1, 1)",
        [row[:3] for row in old],
    )
    connection.commit()
    connection.close()
    storage = Sqlite(path)
    async with storage.transaction() as tx:
        [owned] = await tx.lock_mailbox("ann@gmail.com")
    await storage.close()
    assert owned.address.value == "a.nn=x@googlemail.com"
    connection = _connect(path)
    rows = connection.execute("SELECT kind, value, is_test, base FROM addresses").fetchall()
    plan = connection.execute("EXPLAIN QUERY PLAN SELECT id FROM addresses WHERE base = 'x'")
    assert "addresses_by_base" in str(plan.fetchall())
    connection.close()
    assert sorted(rows, key=str) == sorted(old, key=str)


async def test_a_migration_that_fails_half_way_leaves_nothing(
    path: Path, migrate_with: Callable[..., None]
) -> None:
    await Sqlite(path).close()
    shipped = len(sqlite._migrations())
    migrate_with("CREATE TABLE half (a); DELETE FROM settings; INSERT INTO nowhere VALUES (1);")
    with pytest.raises((Unavailable, sqlite3.Error)):
        Sqlite(path)
    connection = _connect(path, timeout=0)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall()
    assert (tables, pragma(connection, "user_version")) == ([], shipped)
    connection.execute("INSERT INTO settings VALUES ('free', x'00')")  # nobody holds it
    connection.close()


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"\0" * 8192])
def test_a_file_that_is_no_database_is_refused_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Unavailable):
        Sqlite(path)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        Sqlite(tmp_path / "nowhere" / "doorcode.db")
