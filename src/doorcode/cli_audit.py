"""`doorcode audit`: what was refused, paused and changed, newest first."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from typing import Any

from doorcode.cli_beside import with_storage
from doorcode.cli_text import complain, table, time_text
from doorcode.domain.addresses import Malformed, parse_identifier
from doorcode.domain.event import Recorded, masked
from doorcode.domain.limits import DAY, HOUR, MINUTE
from doorcode.server import now
from doorcode.storage.interface import Transaction

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_SPAN = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
_MOST = 100_000
_HEAD = ["WHEN", "WHAT", "OUTCOME", "LIMIT", "ABOUT", "NETWORK", "DETAILS"]


def add_arguments(audit: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Give `audit` what it takes."""
    audit.description = (
        "Shows what was refused, paused and changed, newest first. A flood of equal refusals "
        "makes one line a minute."
    )
    audit.add_argument(
        "--since", type=_span, default="24h", help="how far back: 30m, 24h, 7d (default 24h)"
    )
    audit.add_argument("--subject", default="", help="an address, a country, a setting or a key")
    audit.add_argument("--name", default="", help="such as limit.refused or setting.changed")
    audit.add_argument("--most", type=_number, default=200, help="lines at most (default 200)")
    audit.add_argument("--full", action="store_true", help="show addresses unmasked")
    audit.add_argument("--json", action="store_true", help="for a program: one object a line")
    audit.set_defaults(run=_audit)
    return audit


def _span(text: str) -> int:
    found = _SPAN.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no span such as 30m, 24h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST}")
    return int(text)


def _audit(options: argparse.Namespace) -> int:
    async def show(tx: Transaction, instance_id: str) -> int:
        since, subject = now() - options.since, _subject(options.subject)
        found = await tx.events(since, options.most, subject=subject, name=options.name)
        write = _documents if options.json else _rows
        for line in write(found, options.full):
            print(line)
        if not found:
            complain("Nothing was found:", ["--since 7d looks further back (default 24h)"])
        if len(found) == options.most:
            complain("There may be more:", [f"the newest {options.most} are shown (--most)"])
        return 0

    return with_storage(options, show)


def _subject(text: str) -> str:
    """An address by the name under which it is written down; anything else as it is."""
    try:
        return parse_identifier(text, test_mode=True).name
    except Malformed:
        return text


# ── what a person reads, and a program ────────────────────────────────────────────────
def _rows(found: list[Recorded], full: bool) -> list[str]:
    return table([_HEAD, *(_row(one, full) for one in found)]) if found else []


def _row(one: Recorded, full: bool) -> list[str]:
    event = one.event
    subject = event.subject if full else masked(event.subject)
    # Quoted where there are spaces in it, or one would read on into the next.
    details = " ".join(f"{name}={shlex.quote(str(it))}" for name, it in event.details.items())
    cells = (event.name, event.outcome, event.bucket, subject, event.network, details)
    return [time_text(one.at), *(cell or "-" for cell in cells)]


def _documents(found: list[Recorded], full: bool) -> list[str]:
    return [json.dumps(_document(one, full), ensure_ascii=False) for one in found]


def _document(one: Recorded, full: bool) -> dict[str, Any]:
    event = one.event
    return {
        "id": one.id,
        "at": one.at,
        "name": event.name,
        "outcome": event.outcome,
        "bucket": event.bucket,
        "subject": event.subject if full else masked(event.subject),
        "network": event.network,
        "client_id": event.client_id,
        "user_id": event.user_id,
        "details": event.details,
    }
