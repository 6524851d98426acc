"""The keys and the name of an instance: read from the database, made at the first start,
and followed by new ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from doorcode.domain.key_rotation import PUBLISHED_BEFORE, KeyState, arrange
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
_NOT_YET = (
    "DOORCODE_MASTER_KEY is newer than the one that the server was started with, which could not "
    "open a key that is sealed by it. Restart the server first."
)


class KeyWaits(Exception):
    """A new signing key is published already and has not signed yet."""

    def __init__(self, key: SealedKey) -> None:
        super().__init__(key.id)
        self.key = key


@dataclass(frozen=True, slots=True)
class Keys:
    """What the instance is called and signs by, the key that signs first. `secret_key` can
    be read only where it was just made, and in development."""

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


# ── signing keys ──────────────────────────────────────────────────────────────────────
async def rotate_signing_key(
    tx: Transaction, settings: Settings, der: bytes, now: int, *, at_once: bool
) -> SealedKey:
    """Add a new signing key. It is published before its turn, or signs at once.

    `KeyWaits` where one waits already. At once means that a key may be in wrong hands, so
    one that waits is forgotten: it lay where the others lie.
    """
    instance_id = (await tx.setting("instance_id") or b"").decode()
    master = settings.master_key or _development_master_key(settings.data, in_use=True)
    sealer = Sealer(master, instance_id)
    if not sealer.is_newest(await _opened_check(tx, sealer)):
        raise BadSettings([_NOT_YET])
    for waiting in _waiting(await tx.signing_keys(), now):
        if not at_once:
            raise KeyWaits(waiting)
        await tx.delete_signing_key(waiting.id)
    signs_from = now if at_once else now + PUBLISHED_BEFORE
    key = SealedKey(tokens.key_id(instance_id, der), b"", now, signs_from)
    await _save_signing_key(tx, sealer, key, der)
    return key


def published(kept: Sequence[SealedKey], now: int) -> list[SealedKey]:
    """The keys that can be in use, the one that signs first."""
    by_id = {key.id: key for key in kept}
    return [by_id[name] for name in arrange({key.id: key.signs_from for key in kept}, now)]


def open_signing_keys(kept: Sequence[SealedKey], sealer: Sealer) -> tuple[SigningKey, ...]:
    """The key pairs themselves, in the same order."""
    return tuple(
        SigningKey.load(key.id, sealer.open(f"signing-key/{key.id}", key.sealed)) for key in kept
    )


def _waiting(kept: Sequence[SealedKey], now: int) -> list[SealedKey]:
    states = arrange({key.id: key.signs_from for key in kept}, now)
    return [key for key in kept if states.get(key.id) is KeyState.NEXT]


async def _signing_keys(
    tx: Transaction, sealer: Sealer, instance_id: str, now: int
) -> tuple[SigningKey, ...]:
    kept = await tx.signing_keys()
    if not kept:
        der = tokens.generate_key()
        await _save_signing_key(
            tx, sealer, SealedKey(tokens.key_id(instance_id, der), b"", now, now), der
        )
    for key in kept:
        if not sealer.is_newest(key.sealed):
            der = sealer.open(f"signing-key/{key.id}", key.sealed)
            await _save_signing_key(tx, sealer, key, der)
    return open_signing_keys(published(await tx.signing_keys(), now), sealer)


async def _save_signing_key(tx: Transaction, sealer: Sealer, key: SealedKey, der: bytes) -> None:
    sealed = sealer.seal(f"signing-key/{key.id}", der)
    await tx.save_signing_key(replace(key, sealed=sealed))


# ── what a start makes sure of ────────────────────────────────────────────────────────
async def _instance_id(tx: Transaction, now: int) -> str:
    known = await tx.setting("instance_id")
    if known:
        return known.decode()
    instance_id = new_id("ins", now)
    await tx.save_setting("instance_id", instance_id.encode())
    return instance_id


async def _expect_own_database(tx: Transaction, sealer: Sealer) -> None:
    sealed = await _opened_check(tx, sealer)
    if not sealed or not sealer.is_newest(sealed):
        await tx.save_setting(CHECK, sealer.seal(CHECK, b"doorcode"))


async def _opened_check(tx: Transaction, sealer: Sealer) -> bytes:
    """What proves that a master key is the database's, where there is one; it opens."""
    sealed = await tx.setting(CHECK) or b""
    try:
        if sealed:
            sealer.open(CHECK, sealed)
    except CannotOpen:
        raise BadSettings([_OTHER_KEY]) from None
    return sealed


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
    if name not in await tx.secret_key_digests():
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
