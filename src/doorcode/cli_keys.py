"""`doorcode keys`: make, list, revoke and rotate keys."""

from __future__ import annotations

import argparse
import os

from doorcode import instance_keys
from doorcode.cli_beside import note, with_storage
from doorcode.cli_text import complain, time_text
from doorcode.domain.key_rotation import KeyState, arrange
from doorcode.instance_keys import KeyWaits
from doorcode.security import api_keys, master_key, tokens
from doorcode.server import now
from doorcode.settings import development
from doorcode.storage.interface import Transaction


def add_commands(keys: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `keys` its commands; those that work on a data directory."""
    kinds = keys.add_subparsers(
        required=True, metavar="create|list|revoke|rotate|signing|master|publishable"
    )
    master = kinds.add_parser("master", help="make a master key and print it")
    master.set_defaults(run=_make_master_key)
    publishable = kinds.add_parser("publishable", help="print the publishable key of a host")
    publishable.add_argument(
        "--kind",
        choices=("test", "live"),
        default="live",
        help="live: sessions travel by cookies; test: the SDKs' development mode (default live)",
    )
    publishable.add_argument(
        "--host",
        type=_host,
        required=True,
        help="where browsers find this server, such as auth.example.com",
    )
    publishable.set_defaults(run=_make_publishable_key)
    create = kinds.add_parser("create", help="make a secret key and show it, once")
    create.set_defaults(run=_create_secret_key)
    listing = kinds.add_parser("list", help="list the secret keys")
    listing.set_defaults(run=_list_secret_keys)
    revoke = kinds.add_parser("revoke", help="make a secret key invalid")
    revoke.add_argument("hint", help="the key as `doorcode keys list` shows it")
    revoke.set_defaults(run=_revoke_secret_key)
    rotate = kinds.add_parser("rotate", help="let a new key sign the session tokens")
    rotate.add_argument(
        "--now",
        action="store_true",
        help="at once, where a key may be in wrong hands; otherwise once all verifiers know it",
    )
    rotate.set_defaults(run=_rotate_signing_key)
    signing = kinds.add_parser("signing", help="list the keys that sign the session tokens")
    signing.set_defaults(run=_list_signing_keys)
    return [create, listing, revoke, rotate, signing]


def _host(text: str) -> str:
    try:
        return api_keys.key_host(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _make_publishable_key(options: argparse.Namespace) -> int:
    print(api_keys.publishable_key(options.host, live=options.kind == "live"))
    return 0


def _make_master_key(options: argparse.Namespace) -> int:
    print(master_key.generate())
    return 0


def _create_secret_key(options: argparse.Namespace) -> int:
    async def create(tx: Transaction, instance_id: str) -> int:
        secret = await instance_keys.add_secret_key(tx, instance_id, now())
        await note(tx, "key.created", api_keys.hint(secret))
        print(secret)
        return 0

    return with_storage(options, create)


def _list_secret_keys(options: argparse.Namespace) -> int:
    async def show(tx: Transaction, instance_id: str) -> int:
        for hint, _ in await tx.secret_keys():
            print(hint)
        return 0

    return with_storage(options, show)


def _revoke_secret_key(options: argparse.Namespace) -> int:
    async def revoke(tx: Transaction, instance_id: str) -> int:
        if await tx.revoke_secret_key(options.hint):
            await note(tx, "key.revoked", options.hint)
            print(f"{options.hint} is worth nothing any more")
            return 0
        complain("Nothing was revoked:", [f"no secret key reads {options.hint}"])
        return 1

    return with_storage(options, revoke)


# ── signing keys ──────────────────────────────────────────────────────────────────────
def _rotate_signing_key(options: argparse.Namespace) -> int:
    settings = development(os.environ, data=options.data)
    der = tokens.generate_key()  # slow: not while a running server waits for the database

    async def rotate(tx: Transaction, instance_id: str) -> int:
        try:
            key = await instance_keys.rotate_signing_key(
                tx, settings, der, now(), at_once=options.now
            )
        except KeyWaits as error:
            when = time_text(error.key.signs_from)
            complain(
                "Nothing was changed:", [f"{error.key.id} waits already; it signs from {when}"]
            )
            return 1
        await note(tx, "key.rotated", key.id, at_once=options.now)
        meanwhile = (
            "" if options.now else "; the key before it until then, while verifiers learn it"
        )
        print(f"{key.id} signs from {time_text(key.signs_from)}{meanwhile}")
        return 0

    return with_storage(options, rotate)


def _list_signing_keys(options: argparse.Namespace) -> int:
    async def show(tx: Transaction, instance_id: str) -> int:
        signs_from = {key.id: key.signs_from for key in await tx.signing_keys()}
        for name, state in arrange(signs_from, now()).items():
            word = "from" if state is KeyState.NEXT else "since"
            print(f"{name}  {state:<8}  {word} {time_text(signs_from[name])}")
        return 0

    return with_storage(options, show)
