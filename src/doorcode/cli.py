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
from urllib.parse import urlsplit

import uvicorn

from doorcode import (
    __version__,
    cli_audit,
    cli_explain,
    cli_keys,
    cli_messages,
    cli_providers,
    cli_selfcheck,
    cli_settings,
    cli_shield,
    cli_texts,
    sdk_install,
)
from doorcode.cli_text import complain, greet_developer, greet_operator
from doorcode.local_tls import LocalTls, open_local_tls
from doorcode.log_lines import write_log
from doorcode.server import now, open_server
from doorcode.settings import BadSettings, Settings, development, production
from doorcode.storage.interface import Unavailable
from doorcode.web.limited_head import LimitedHead

try:
    import uvloop
except ImportError:  # Windows has none
    uvloop = None  # type: ignore[assignment]

# TLS 1.3 brings its own; of the older ones only those with forward secrecy (RFC 9325, 4.2).
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    options = _parser().parse_args(arguments)
    # The check asks a thousand times, and its reader is told of each row.
    checks = options.run is cli_selfcheck.selfcheck
    write_log(sys.stderr, logging.WARNING if checks else logging.INFO)
    try:
        return int(options.run(options))
    except BadSettings as error:
        complain(f"doorcode {options.command}: not possible with these settings", error.problems)
    except (Unavailable, sdk_install.CannotInstall, OSError) as error:
        complain(f"doorcode {options.command}: not possible", [str(error)])
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
    dev.add_argument(
        "--tls",
        action="store_const",
        const="on",
        help="speak https, by a certificate authority made in the data directory",
    )
    keys = commands.add_parser("keys", help="make, list, revoke and rotate keys")
    on_data = _add_commands_on_data(keys, commands)
    sdk = commands.add_parser("sdk", help="the browser SDK's files")
    install = sdk.add_subparsers(required=True, metavar="install").add_parser(
        "install", help="fetch them by npm into the data directory"
    )
    install.set_defaults(run=_install_sdk)
    for command in (dev, serve, *on_data, install):
        command.add_argument("--data", help="the data directory (default ./.doorcode)")
    return parser


def _add_commands_on_data(
    keys: argparse.ArgumentParser, commands: Any
) -> list[argparse.ArgumentParser]:
    """The commands that work on a data directory."""
    on_data = cli_keys.add_commands(keys)
    on_data += cli_settings.add_commands(
        commands.add_parser("settings", help="see and change what is asked of people")
    )
    on_data += cli_shield.add_commands(
        commands.add_parser("shield", help="see, pause and resume the sending of text messages")
    )
    on_data += cli_texts.add_commands(
        commands.add_parser("texts", help="see and check what people are sent, and what it costs")
    )
    on_data += cli_messages.add_commands(
        commands.add_parser("messages", help="see what became of each message, step by step")
    )
    on_data += cli_providers.add_commands(
        commands.add_parser("providers", help="see the routes that are set, and try one")
    )
    on_data += [
        cli_explain.add_arguments(
            commands.add_parser("explain", help="say why a code would be sent or refused")
        ),
        cli_audit.add_arguments(
            commands.add_parser("audit", help="show what was refused, paused and changed")
        ),
    ]
    cli_selfcheck.add_arguments(
        commands.add_parser("selfcheck", help="try the guarantees against a running deployment")
    )
    return on_data


# ── servers ───────────────────────────────────────────────────────────────────────────
def _dev(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in ("port", "data", "host", "tls")}
    return _run(development(os.environ, **given))


def _serve(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in ("port", "data", "host")}
    return _run(production(os.environ, **given))


def _run(settings: Settings) -> int:
    sockets = _listen(settings)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_answer(settings, sockets))


async def _answer(settings: Settings, sockets: list[socket.socket]) -> int:
    async with open_server(settings) as server:
        tls = _open_tls(settings) if settings.tls else None
        config = uvicorn.Config(
            server.app,
            log_config=None,  # through log_lines.py, like all else
            log_level="warning",
            access_log=False,
            lifespan="off",
            http=LimitedHead,
            proxy_headers=False,  # forwarded addresses are read in web/boundary.py alone
            server_header=False,
            timeout_graceful_shutdown=10,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
            ssl_ciphers=TLS_1_2_CIPHERS,
        )
        # Printed before the first answer, so that whoever waits for the lines can rely on them.
        if settings.development:
            print(greet_developer(settings, server, tls.ca if tls else None), flush=True)
        else:
            print(greet_operator(settings, server), flush=True)
        for warning in server.warnings:
            print(f"  WARNING: {warning}", file=sys.stderr, flush=True)
        await _Uvicorn(config).serve(sockets=sockets)
    return 0


def _open_tls(settings: Settings) -> LocalTls:
    hosts = [urlsplit(settings.url).hostname or ""]
    if settings.host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        hosts.append(settings.host)
    return open_local_tls(settings.data / "tls", hosts, now())


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
    # Named as TCP, or asyncio leaves Nagle's algorithm on: 40 ms for the second half of an answer.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.bind((host, port))
    opened.listen(1024)
    opened.setblocking(False)
    return opened


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return uvloop.new_event_loop if uvloop else None


# ── the browser SDK ───────────────────────────────────────────────────────────────────
def _install_sdk(options: argparse.Namespace) -> int:
    settings = development(os.environ, data=options.data)
    for line in sdk_install.install(settings.data / "sdk"):
        print(line, flush=True)
    return 0
