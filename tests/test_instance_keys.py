"""Keys are made once, kept sealed, and opened by their own master key only."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doorcode import instance_keys
from doorcode.domain.key_rotation import FORMER_STAYS_FOR, PUBLISHED_BEFORE
from doorcode.instance_keys import Keys, KeyWaits
from doorcode.security import master_key
from doorcode.security.random_ids import digest
from doorcode.security.tokens import generate_key
from doorcode.server import open_storage
from doorcode.settings import BadSettings, Settings, development, production
from doorcode.storage import sqlite
from doorcode.storage.interface import SealedKey
from doorcode.storage.sqlite import Sqlite

NOW = 1_750_000_000_000
MIGRATIONS = Path(sqlite.__file__).parent / "migrations"
OLD, NEW, OTHER = (master_key.generate() for _ in range(3))


def dev(data: Path, **environ: str) -> Settings:
    return development({f"DOORCODE_{k}": v for k, v in environ.items()}, data=data)


def serve(data: Path, key: str = OLD) -> Settings:
    environ = {
        "DOORCODE_URL": "https://auth.example.com",
        "DOORCODE_ORIGINS": "https://example.com",
        "DOORCODE_MASTER_KEY": key,
    }
    return production(environ, data=data)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Keys, Sqlite]]:
    storage = open_storage(settings)
    try:
        yield await instance_keys.open_keys(storage, settings, NOW), storage
    finally:
        await storage.close()


async def keys_of(settings: Settings) -> Keys:
    async with opened(settings) as (keys, _):
        return keys


def on_disk(data: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(data.glob("doorcode.db*")))


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(data / "doorcode.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# ── development ───────────────────────────────────────────────────────────────────────
async def test_keys_are_made_once(tmp_path: Path) -> None:
    first = await keys_of(dev(tmp_path))
    again = await keys_of(dev(tmp_path))
    assert first.secret_key is not None
    assert first.secret_key.startswith("sk_live_")
    assert (again.instance_id, again.secret_key) == (first.instance_id, first.secret_key)
    assert [key.jwk() for key in again.signing] == [key.jwk() for key in first.signing]
    assert again.master.versions == first.master.versions


async def test_two_directories_share_nothing(tmp_path: Path) -> None:
    one, two = await keys_of(dev(tmp_path / "one")), await keys_of(dev(tmp_path / "two"))
    assert one.instance_id != two.instance_id
    assert one.secret_key != two.secret_key
    assert one.signing[0].jwk()["n"] != two.signing[0].jwk()["n"]


async def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await keys_of(dev(data))
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in data.iterdir()}
    assert modes["master.key"] == modes["secret_key.json"] == modes["doorcode.db"] == "0o600"
    assert set(modes.values()) == {"0o600"}
    assert oct(data.stat().st_mode & 0o777) == "0o700"


async def test_secret_key_is_valid_and_kept_as_digest(tmp_path: Path) -> None:
    async with opened(dev(tmp_path)) as (keys, storage), storage.reading() as tx:
        assert keys.secret_key is not None
        name = digest(keys.instance_id, "secret-key", keys.secret_key)
        assert await tx.secret_key_digests() == [name]
        assert name != digest("ins_other", "secret-key", keys.secret_key)
    assert keys.secret_key.removeprefix("sk_live_").encode() not in on_disk(tmp_path)


async def test_deleted_secret_file_brings_a_new_key(tmp_path: Path) -> None:
    first = await keys_of(dev(tmp_path))
    (tmp_path / "secret_key.json").unlink()
    again = await keys_of(dev(tmp_path))
    assert again.secret_key != first.secret_key
    assert again.instance_id == first.instance_id


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"secret_key"'])
async def test_spoilt_secret_file_is_named(tmp_path: Path, text: str) -> None:
    await keys_of(dev(tmp_path))
    (tmp_path / "secret_key.json").write_text(text)
    with pytest.raises(BadSettings, match=r"secret_key\.json cannot be read; delete it"):
        await keys_of(dev(tmp_path))


@pytest.mark.parametrize("text", ["", "short", "ÿ"])
async def test_spoilt_master_file_is_named(tmp_path: Path, text: str) -> None:
    await keys_of(dev(tmp_path))
    (tmp_path / "master.key").write_text(text, "utf-8")
    with pytest.raises(BadSettings, match=r"master\.key cannot be read"):
        await keys_of(dev(tmp_path))


async def test_secret_file_of_another_database_is_taken_over(tmp_path: Path) -> None:
    first = await keys_of(dev(tmp_path))
    for file in tmp_path.glob("doorcode.db*"):
        file.unlink()
    async with opened(dev(tmp_path)) as (again, storage), storage.reading() as tx:
        assert again.secret_key == first.secret_key
        assert again.instance_id != first.instance_id
        assert first.secret_key is not None
        name = digest(again.instance_id, "secret-key", first.secret_key)
        assert await tx.secret_key_digests() == [name]


# ── another master key ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("other", [OTHER, f"2:{OTHER}", f"1:{OTHER},2:{OLD}"])
async def test_another_master_key_is_refused(tmp_path: Path, other: str) -> None:
    await keys_of(serve(tmp_path))
    before = rows(tmp_path, "SELECT name, value FROM settings")
    with pytest.raises(BadSettings) as bad:
        await keys_of(serve(tmp_path, other))
    [said] = bad.value.problems
    assert said.startswith("DOORCODE_MASTER_KEY does not open this database")
    assert "sealed by another key" in said
    assert "DOORCODE_DATA" in said
    assert rows(tmp_path, "SELECT name, value FROM settings") == before
    assert (await keys_of(serve(tmp_path))).signing


async def test_lost_master_file_is_refused(tmp_path: Path) -> None:
    await keys_of(dev(tmp_path))
    (tmp_path / "master.key").unlink()
    with pytest.raises(BadSettings, match=r"does not open this database.*master\.key"):
        await keys_of(dev(tmp_path))


async def test_private_keys_lie_sealed(tmp_path: Path) -> None:
    keys = await keys_of(serve(tmp_path))
    primes = keys.signing[0].private.private_numbers()
    for number in (primes.p, primes.q, primes.d):
        assert number.to_bytes((number.bit_length() + 7) // 8, "big") not in on_disk(tmp_path)


# ── rotation ──────────────────────────────────────────────────────────────────────────
async def test_rotation_opens_and_seals_anew(tmp_path: Path) -> None:
    first = await keys_of(serve(tmp_path, OLD))
    both = await keys_of(serve(tmp_path, f"1:{OLD},2:{NEW}"))
    alone = await keys_of(serve(tmp_path, f"2:{NEW}"))
    for keys in (both, alone):
        assert keys.instance_id == first.instance_id
        assert [key.jwk() for key in keys.signing] == [key.jwk() for key in first.signing]
    assert rows(tmp_path, "SELECT hex(substr(sealed, 1, 2)) FROM signing_keys") == [("0002",)]
    check = "SELECT hex(substr(value, 1, 2)) FROM settings WHERE name = 'key-check'"
    assert rows(tmp_path, check) == [("0002",)]


async def test_old_key_opens_nothing_after_rotation(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path, OLD))
    await keys_of(serve(tmp_path, f"1:{OLD},2:{NEW}"))
    with pytest.raises(BadSettings, match="sealed by another key"):
        await keys_of(serve(tmp_path, OLD))


async def test_new_key_without_the_old_is_refused(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path, OLD))
    with pytest.raises(BadSettings, match="sealed by another key"):
        await keys_of(serve(tmp_path, f"2:{NEW}"))


async def test_unchanged_key_seals_nothing_anew(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path))
    query = "SELECT sealed FROM signing_keys UNION ALL SELECT value FROM settings"
    before = rows(tmp_path, query)
    await keys_of(serve(tmp_path))
    assert rows(tmp_path, query) == before


# ── rotation of the signing key ───────────────────────────────────────────────────────
async def rotate(settings: Settings, now: int = NOW, *, at_once: bool = False) -> SealedKey:
    storage = open_storage(settings)
    try:
        async with storage.transaction() as tx:
            return await instance_keys.rotate_signing_key(
                tx, settings, generate_key(), now, at_once=at_once
            )
    finally:
        await storage.close()


async def kids(settings: Settings, now: int) -> list[str]:
    """The keys that a server publishes that is started now, the one that signs first."""
    storage = open_storage(settings)
    try:
        keys = await instance_keys.open_keys(storage, settings, now)
    finally:
        await storage.close()
    return [key.id for key in keys.signing]


async def test_a_new_signing_key_is_published_first_and_signs_later(tmp_path: Path) -> None:
    [first] = await kids(dev(tmp_path), NOW)
    new = await rotate(dev(tmp_path))
    assert new.signs_from == NOW + PUBLISHED_BEFORE
    assert await kids(dev(tmp_path), NOW) == [first, new.id]
    assert await kids(dev(tmp_path), new.signs_from) == [new.id, first]
    assert await kids(dev(tmp_path), new.signs_from + FORMER_STAYS_FOR) == [new.id]


async def test_one_new_signing_key_waits_at_a_time(tmp_path: Path) -> None:
    await kids(dev(tmp_path), NOW)
    waiting = await rotate(dev(tmp_path))
    with pytest.raises(KeyWaits) as refused:
        await rotate(dev(tmp_path), waiting.signs_from - 1)
    assert refused.value.key.id == waiting.id
    assert (await rotate(dev(tmp_path), waiting.signs_from)).id != waiting.id


async def test_a_key_that_must_sign_at_once_takes_the_turn_of_one_that_waits(
    tmp_path: Path,
) -> None:
    [first] = await kids(dev(tmp_path), NOW)
    waiting = await rotate(dev(tmp_path))
    new = await rotate(dev(tmp_path), NOW + 5, at_once=True)
    assert await kids(dev(tmp_path), NOW + 5) == [new.id, first]
    assert await kids(dev(tmp_path), waiting.signs_from) == [new.id]


async def test_a_signing_key_is_made_by_whoever_has_the_master_key(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path, OLD))
    with pytest.raises(BadSettings, match="sealed by another key"):
        await rotate(serve(tmp_path, OTHER))
    with pytest.raises(BadSettings, match="sealed by another key"):
        await rotate(dev(tmp_path))  # neither a setting nor master.key
    assert not (tmp_path / "master.key").exists()
    assert len(rows(tmp_path, "SELECT id FROM signing_keys")) == 1


async def test_a_running_server_is_given_no_key_that_it_cannot_open(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path, OLD))
    with pytest.raises(BadSettings, match="Restart the server first"):
        await rotate(serve(tmp_path, f"1:{OLD},2:{NEW}"))
    assert len(rows(tmp_path, "SELECT id FROM signing_keys")) == 1


async def test_every_signing_key_is_sealed_anew(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path, OLD))
    new = await rotate(serve(tmp_path, OLD))
    both = await kids(serve(tmp_path, f"1:{OLD},2:{NEW}"), NOW)
    assert rows(tmp_path, "SELECT hex(substr(sealed, 1, 2)) FROM signing_keys") == [("0002",)] * 2
    assert await kids(serve(tmp_path, f"2:{NEW}"), NOW) == both
    turns = dict(rows(tmp_path, "SELECT id, signs_from FROM signing_keys"))
    assert turns == {both[0]: NOW, new.id: new.signs_from}


async def test_keys_of_a_former_version_of_the_tables_go_on(tmp_path: Path) -> None:
    made, former = tmp_path / "made", tmp_path / "former"
    keys = await keys_of(serve(made))
    former.mkdir()
    connection = sqlite3.connect(former / "doorcode.db")
    for script in sorted(MIGRATIONS.glob("*.sql"))[:3]:
        connection.executescript(script.read_text("utf-8"))
    connection.execute("PRAGMA user_version = 3")
    for table, columns in (("settings", "name, value"), ("signing_keys", "id, sealed, created_at")):
        kept = rows(made, f"SELECT {columns} FROM {table}")
        places = ", ".join("?" for _ in kept[0])
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", kept)
    connection.commit()
    connection.close()
    assert await kids(serve(former), NOW + 5) == [keys.signing[0].id]
    assert rows(former, "SELECT signs_from FROM signing_keys") == [(NOW,)]


# ── production ────────────────────────────────────────────────────────────────────────
async def test_first_secret_is_shown_once(tmp_path: Path) -> None:
    first, again = await keys_of(serve(tmp_path)), await keys_of(serve(tmp_path))
    assert first.secret_key is not None
    assert again.secret_key is None
    assert len(rows(tmp_path, "SELECT digest FROM secret_keys")) == 1
    assert first.secret_key.removeprefix("sk_live_").encode() not in on_disk(tmp_path)


async def test_production_leaves_no_key_file(tmp_path: Path) -> None:
    await keys_of(serve(tmp_path))
    assert {file.name for file in tmp_path.iterdir()} <= {
        "doorcode.db",
        "doorcode.db-wal",
        "doorcode.db-shm",
    }


async def test_added_secret_opens_until_revoked(tmp_path: Path) -> None:
    async with opened(serve(tmp_path)) as (keys, storage):
        async with storage.transaction() as tx:
            secret = await instance_keys.add_secret_key(tx, keys.instance_id, NOW)
        name = digest(keys.instance_id, "secret-key", secret)
        async with storage.reading() as tx:
            assert name in await tx.secret_key_digests()
            hints = [hint for hint, _ in await tx.secret_keys()]
        mine = next(hint for hint in hints if hint.endswith(secret[-4:]))
        assert len(mine) < 20
        async with storage.transaction() as tx:
            assert await tx.revoke_secret_key(mine)
        async with storage.reading() as tx:
            assert name not in await tx.secret_key_digests()


async def test_failing_start_leaves_no_half_made_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bytes:
        raise OSError("no entropy")

    settings = serve(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(instance_keys.tokens, "generate_key", fail)
        with pytest.raises(OSError, match="no entropy"):
            await keys_of(settings)
    assert rows(tmp_path, "SELECT count(*) FROM settings") == [(0,)]
    assert (await keys_of(settings)).secret_key is not None
