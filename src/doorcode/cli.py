"""`doorcode`: start a server, make keys, install the browser SDK's files."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn

from doorcode import __version__, instance_keys, sdk_install
from doorcode.security import master_key
from doorcode.server import Server, now, open_server, open_storage
from doorcode.settings import BadSettings, Settings, development, production
from doorcode.storage.interface import Unavailable
from doorcode.web.limited_head import LimitedHead

try:
    import uvloop
except ImportError:  # Windows has none
    uvloop = None  # type: ignore[assignment]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    _log_to_stderr()
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BadSettings as error:
        _complain(f"doorcode {options.command}: not possible with these settings", error.problems)
    except (Unavailable, sdk_install.CannotInstall, OSError) as error:
        _complain(f"doorcode {options.command}: not possible", [str(error)])
    except KeyboardInterrupt:
        return 0  # Ctrl-C is how one stops it
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="doorcode",
        description="Sign-up and sign-in with one-time codes, self-hosted.",
    )
    parser.add_argument("--version", action="version", version=f"doorcode {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    dev = commands.add_parser("dev", help="start a server for development, on this machine only")
    dev.set_defaults(run=_dev)
    serve = commands.add_parser("serve", help="start a server for production")
    serve.set_defaults(run=_serve)
    for command in (dev, serve):
        command.add_argument("--port", help="the port (default 8787)")
        command.add_argument("--host", help="the address to listen on (default: this machine only)")
    keys = commands.add_parser("keys", help="make, list and revoke keys")
    kinds = keys.add_subparsers(required=True, metavar="what")
    master = kinds.add_parser("master", help="make a master key and print it")
    master.set_defaults(run=_make_master_key)
    create = kinds.add_parser("create", help="make a secret key and show it, once")
    create.set_defaults(run=_create_secret_key)
    listing = kinds.add_parser("list", help="list the secret keys")
    listing.set_defaults(run=_list_secret_keys)
    revoke = kinds.add_parser("revoke", help="make a secret key invalid")
    revoke.add_argument("hint", help="the key as `doorcode keys list` shows it")
    revoke.set_defaults(run=_revoke_secret_key)
    sdk = commands.add_parser("sdk", help="the browser SDK's files")
    install = sdk.add_subparsers(required=True, metavar="what").add_parser(
        "install", help="fetch them by npm into the data directory"
    )
    install.set_defaults(run=_install_sdk)
    for command in (dev, serve, create, listing, revoke, install):
        command.add_argument("--data", help="the data directory (default ./.doorcode)")
    return parser


# ── servers ───────────────────────────────────────────────────────────────────────────
def _dev(options: argparse.Namespace) -> int:
    settings = development(os.environ, port=options.port, data=options.data, host=options.host)
    return _run(settings, _greet_developer)


def _serve(options: argparse.Namespace) -> int:
    settings = production(os.environ, port=options.port, data=options.data, host=options.host)
    return _run(settings, _greet_operator)


def _run(settings: Settings, greet: Callable[[Settings, Server], str]) -> int:
    sockets = _listen(settings)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_answer(settings, sockets, greet))


async def _answer(
    settings: Settings,
    sockets: list[socket.socket],
    greet: Callable[[Settings, Server], str],
) -> int:
    async with open_server(settings) as server:
        config = uvicorn.Config(
            server.app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            http=LimitedHead,
            proxy_headers=False,  # forwarded addresses are read in web/boundary.py alone
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        # Printed before the first answer, so that whoever waits for the lines can rely on them.
        print(greet(settings, server), flush=True)
        for warning in server.warnings:
            print(f"  WARNING: {warning}", file=sys.stderr, flush=True)
        await _Uvicorn(config).serve(sockets=sockets)
    return 0


class _Uvicorn(uvicorn.Server):
    """Stops in order at SIGINT and SIGTERM, and leaves the exit status to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals without raising them again once the server has stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _listen(settings: Settings) -> list[socket.socket]:
    hosts = [settings.host] if settings.host else ["127.0.0.1", "::1"]
    sockets = []
    for host in hosts:
        try:
            sockets.append(_socket(host, settings.port))
        except OSError as error:
            # A machine without IPv6 has no ::1; that is no reason not to start.
            if host == "::1" and error.errno != errno.EADDRINUSE:
                continue
            raise Unavailable(_cannot_listen(host, settings.port, error)) from error
    return sockets


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno in (errno.EADDRINUSE, errno.EACCES):
        return (
            f"{host} port {port} cannot be listened on ({error.strerror}). "
            "Set DOORCODE_PORT (or --port) to a free one."
        )
    return (
        f"{host} is not an address of this machine ({error.strerror}). "
        "Set DOORCODE_HOST (or --host) to one, such as 127.0.0.1."
    )


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.bind((host, port))
    opened.listen(1024)
    opened.setblocking(False)
    return opened


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return uvloop.new_event_loop if uvloop else None


# ── what a person reads ───────────────────────────────────────────────────────────────
def _greet_developer(settings: Settings, server: Server) -> str:
    url = settings.url
    inbox = f"{url}/inbox" + (f"?token={server.inbox_token}" if server.inbox_token else "")
    lines = [
        "",
        f"  Doorcode {__version__} is running in development mode.",
        "",
        f"  Sign-up page   {url}/sign-up",
        f"  Inbox          {inbox}   (every code lands here)",
        f"  Data           {settings.data}",
        "",
        "  For a Next.js app, put these lines into its .env.local:",
        "",
        *_env_lines(settings, server),
        "",
        "  Ctrl-C stops it.",
        "",
    ]
    if server.inbox_token:
        where = settings.host or "loopback"
        warning = f"  WARNING: {url} on {where}: others can reach this development server."
        lines.insert(2, f"{warning} DOORCODE_URL is the address that they use.")
    return "\n".join(lines)


def _greet_operator(settings: Settings, server: Server) -> str:
    lines = [f"Doorcode {__version__} serves {settings.url} on {settings.host}:{settings.port}"]
    if server.keys.secret_key:
        lines.append("The first secret key has been made. It is shown this once; keep it safe.")
    lines += _env_lines(settings, server)
    return "\n".join(lines)


def _env_lines(settings: Settings, server: Server) -> list[str]:
    """The settings of an app, one a line and nothing else on it: scripts read them."""
    npm = f"{settings.url}/npm/@clerk"
    secret = server.keys.secret_key
    return [
        f"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY={settings.publishable_key}",
        *([f"CLERK_SECRET_KEY={secret}"] if secret else []),
        f"NEXT_PUBLIC_CLERK_PROXY_URL={settings.url}",
        f"NEXT_PUBLIC_CLERK_JS_URL={npm}/clerk-js@6/dist/clerk.browser.js",
        f"NEXT_PUBLIC_CLERK_UI_URL={npm}/ui@1/dist/ui.browser.js",
        f"CLERK_API_URL={settings.url}",
    ]


def _complain(title: str, problems: Sequence[str]) -> None:
    print(title, file=sys.stderr)
    for problem in problems:
        print(f"  - {problem}", file=sys.stderr)


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


# ── keys ──────────────────────────────────────────────────────────────────────────────
def _make_master_key(options: argparse.Namespace) -> int:
    print(master_key.generate())
    return 0


def _create_secret_key(options: argparse.Namespace) -> int:
    async def create(tx: Any, instance_id: str) -> int:
        print(await instance_keys.add_secret_key(tx, instance_id, now()))
        return 0

    return _with_storage(options, create)


def _list_secret_keys(options: argparse.Namespace) -> int:
    async def show(tx: Any, instance_id: str) -> int:
        for hint, _ in await tx.secret_keys():
            print(hint)
        return 0

    return _with_storage(options, show)


def _revoke_secret_key(options: argparse.Namespace) -> int:
    async def revoke(tx: Any, instance_id: str) -> int:
        if await tx.revoke_secret_key(options.hint):
            return 0
        _complain("Nothing was revoked:", [f"no secret key reads {options.hint}"])
        return 1

    return _with_storage(options, revoke)


def _with_storage(options: argparse.Namespace, work: Callable[[Any, str], Any]) -> int:
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


def _install_sdk(options: argparse.Namespace) -> int:
    settings = development(os.environ, data=options.data)
    for line in sdk_install.install(settings.data / "sdk"):
        print(line, flush=True)
    return 0
