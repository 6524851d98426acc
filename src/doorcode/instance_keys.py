"""The keys and the name of an instance: read from the database, or made at the first start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from doorcode.security import api_keys, master_key, tokens
from doorcode.security.master_key import BadMasterKey, MasterKey
from doorcode.security.random_ids import digest, new_id
from doorcode.security.sealing import CannotOpen, Sealer
from doorcode.security.tokens import SigningKey
from doorcode.settings import BadSettings, Settings
from doorcode.storage.interface import SealedKey, Storage, Transaction

CHECK = "key-check"
_OTHER_KEY = (
    "DOORCODE_MASTER_KEY does not open this database: it was sealed by another key. Set the key "
    "that it was made with (in development: master.key in the data directory), or start with an "
    "empty DOORCODE_DATA directory."
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the instance is called and signs by. `secret_key` can be read only where it
    was just made, and in development."""

    instance_id: str
    master: MasterKey
    signing: tuple[SigningKey, ...]
    secret_key: str | None


async def open_keys(storage: Storage, settings: Settings, now: int) -> Keys:
    """The instance's keys; `BadSettings` where the master key is not the database's."""
    async with storage.transaction() as tx:
        in_use = await tx.setting(CHECK) is not None
        master = settings.master_key or _development_master_key(settings.data, in_use)
        instance_id = await _instance_id(tx, now)
        sealer = Sealer(master, instance_id)
        await _expect_own_database(tx, sealer)
        signing = await _signing_keys(tx, sealer, instance_id, now)
        secret: str | None
        if settings.development:
            secret = await _development_secret(tx, settings, instance_id, now)
        else:
            secret = await _first_secret(tx, instance_id, now)
    return Keys(instance_id, master, signing, secret)


async def add_secret_key(tx: Transaction, instance_id: str, now: int) -> str:
    """A new secret key. Only its digest is kept: this is the one time it can be read."""
    secret = api_keys.secret_key()
    name = digest(instance_id, "secret-key", secret)
    await tx.add_secret_key(name, api_keys.hint(secret), now)
    return secret


async def _instance_id(tx: Transaction, now: int) -> str:
    known = await tx.setting("instance_id")
    if known:
        return known.decode()
    instance_id = new_id("ins", now)
    await tx.save_setting("instance_id", instance_id.encode())
    return instance_id


async def _expect_own_database(tx: Transaction, sealer: Sealer) -> None:
    sealed = await tx.setting(CHECK)
    if sealed:
        try:
            sealer.open(CHECK, sealed)
        except CannotOpen:
            raise BadSettings([_OTHER_KEY]) from None
    if not sealed or not sealer.is_newest(sealed):
        await tx.save_setting(CHECK, sealer.seal(CHECK, b"doorcode"))


async def _signing_keys(
    tx: Transaction, sealer: Sealer, instance_id: str, now: int
) -> tuple[SigningKey, ...]:
    kept = await tx.signing_keys()
    if not kept:
        der = tokens.generate_key()
        kept = [SealedKey(tokens.key_id(instance_id, der), b"", now)]
        await _save_signing_key(tx, sealer, kept[0], der)
        return (SigningKey.load(kept[0].id, der),)
    loaded = []
    for key in kept:
        der = sealer.open(f"signing-key/{key.id}", key.sealed)
        if not sealer.is_newest(key.sealed):
            await _save_signing_key(tx, sealer, key, der)
        loaded.append(SigningKey.load(key.id, der))
    return tuple(loaded)


async def _save_signing_key(tx: Transaction, sealer: Sealer, key: SealedKey, der: bytes) -> None:
    sealed = sealer.seal(f"signing-key/{key.id}", der)
    await tx.save_signing_key(SealedKey(key.id, sealed, key.created_at))


async def _first_secret(tx: Transaction, instance_id: str, now: int) -> str | None:
    if await tx.secret_keys():
        return None
    return await add_secret_key(tx, instance_id, now)


# ── in development the keys lie in the data directory, readable by its owner ──────────
def _development_master_key(data: Path, in_use: bool) -> MasterKey:
    file = data / "master.key"
    text = _read(file)
    if text is None and in_use:
        raise BadSettings([_OTHER_KEY])
    if text is None:
        text = master_key.generate()
        _write(file, text)
    try:
        return master_key.parse(text)
    except BadMasterKey as error:
        raise BadSettings([f"{file} cannot be read: {error}."]) from error


async def _development_secret(
    tx: Transaction, settings: Settings, instance_id: str, now: int
) -> str:
    file = settings.data / "secret_key.json"
    text = _read(file)
    if text is None:
        secret = await add_secret_key(tx, instance_id, now)
        _write(file, msgspec.json.encode({"secret_key": secret}).decode())
        return secret
    try:
        secret = str(msgspec.json.decode(text)["secret_key"])
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise BadSettings([f"{file} cannot be read; delete it to have a new one made."]) from error
    name = digest(instance_id, "secret-key", secret)
    if not await tx.has_secret_key(name):
        await tx.add_secret_key(name, api_keys.hint(secret), now)
    return secret


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadSettings([f"{file} cannot be read: {error.strerror}."]) from error


def _write(file: Path, text: str) -> None:
    # Created private: a file that is made readable and closed later was open in between.
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    fresh.rename(file)  # whole or not at all: half a key would refuse every later start
