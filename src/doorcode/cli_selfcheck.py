"""`doorcode selfcheck`: try the guarantees against a running deployment."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx

from doorcode import __version__
from doorcode.cli_text import complain
from doorcode.selfcheck.check import Options, run
from doorcode.selfcheck.enumeration import SAMPLES
from doorcode.selfcheck.prober import PATIENCE, Prober
from doorcode.selfcheck.refusals import CannotRun
from doorcode.selfcheck.report import Report, verify
from doorcode.selfcheck.table import table
from doorcode.server import now

COULD_NOT_RUN = 2
SECRET_KEYS = ("CLERK_SECRET_KEY", "DOORCODE_SECRET_KEY")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Give `selfcheck` its arguments."""
    command.description = (
        "Tries from outside what the server promises, with test identifiers that it makes and "
        "deletes: DOORCODE_TEST_MODE must be on there. Exit status: 0 all holds, 1 something "
        "fails, 2 something could not be run."
    )
    command.add_argument("url", nargs="?", help="where the deployment is, as browsers reach it")
    command.add_argument(
        "--secret-key",
        help="passes the limits per network address, shows the operator's view and signs "
        f"the report (default: {' or '.join(SECRET_KEYS)} of the environment)",
    )
    command.add_argument("--origin", help="the page that asks, where the deployment wants one")
    command.add_argument(
        "--slow", action="store_true", help="wait ten minutes for a code to expire, and try it"
    )
    command.add_argument(
        "--samples",
        type=_samples,
        default=SAMPLES,
        help=f"requests timed of each kind (default {SAMPLES})",
    )
    command.add_argument("--json", action="store_true", help="print the report as JSON, to keep")
    command.add_argument("--verify", metavar="FILE", help="tell whether a kept report is unaltered")
    command.set_defaults(run=selfcheck)


def selfcheck(options: argparse.Namespace) -> int:
    """Check a deployment, or a report that was kept."""
    secret_key = options.secret_key or next(filter(None, map(os.environ.get, SECRET_KEYS)), None)
    try:
        if options.verify:
            return _verify(Path(options.verify), secret_key)
        url = _url(options.url)
        report = asyncio.run(_check(url, secret_key, options))
    except CannotRun as error:
        complain("doorcode selfcheck: not possible", [str(error)])
        return COULD_NOT_RUN
    if options.json:
        print(json.dumps(report.document(secret_key), indent=2, ensure_ascii=False))
    else:
        print(table(report, secret_key))
    return report.exit_status


async def _check(url: str, secret_key: str | None, options: argparse.Namespace) -> Report:
    asked = Options(options.slow, options.samples)
    headers = {"user-agent": f"doorcode-selfcheck/{__version__}"}
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, headers=headers) as http:
        prober = Prober(http, origin=options.origin, secret_key=secret_key)
        return await run(prober, url, _time(), __version__, asked, _say)


def _verify(file: Path, secret_key: str | None) -> int:
    try:
        unaltered, why = verify(file.read_text("utf-8"), secret_key)
    except (OSError, ValueError) as error:
        raise CannotRun(f"{file} cannot be verified: {error}.") from None
    print(f"{file}: {why}")
    return 0 if unaltered else 1


def _url(text: str | None) -> str:
    """The deployment's address, or `CannotRun`."""
    if not text:
        raise CannotRun("Name the deployment's URL, such as https://auth.example.com.")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise CannotRun(f"{text} is not a URL: {error}.") from None
    if url.scheme not in ("http", "https") or not url.host or url.query or url.userinfo:
        raise CannotRun(f"{text} is not a server's URL, such as https://auth.example.com.")
    return text.rstrip("/")


def _samples(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)


def _time() -> str:
    return datetime.fromtimestamp(now() // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
