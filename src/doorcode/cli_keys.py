"""`doorcode keys`: make, list and revoke keys."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable

from doorcode import instance_keys
from doorcode.cli_text import complain
from doorcode.security import api_keys, master_key
from doorcode.server import now, open_storage
from doorcode.settings import development
from doorcode.storage.interface import Transaction, Unavailable

Work = Callable[[Transaction, str], Awaitable[int]]


def add_commands(keys: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `keys` its commands; those that work on a data directory."""
    kinds = keys.add_subparsers(required=True, metavar="create|list|revoke|master|publishable")
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
    return [create, listing, revoke]


def with_storage(options: argparse.Namespace, work: Work) -> int:
    """Do something in the data directory's database, also beside a running server.

    `work` is given one unit of work and the instance's id; what it returns is the exit
    status. `Unavailable` where no server has been there yet.
    """

    async def run() -> int:
        settings = development(os.environ, data=options.data)
        if not (settings.data / "doorcode.db").is_file():
            raise Unavailable(f"{settings.data} holds no database; start a server there first.")
        storage = open_storage(settings)
        try:
            async with storage.transaction() as tx:
                known = await tx.setting("instance_id")
                if known is None:
                    raise Unavailable("this data directory has no server yet; start one first")
                return int(await work(tx, known.decode()))
        finally:
            await storage.close()

    return asyncio.run(run())


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
        print(await instance_keys.add_secret_key(tx, instance_id, now()))
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
            return 0
        complain("Nothing was revoked:", [f"no secret key reads {options.hint}"])
        return 1

    return with_storage(options, revoke)
