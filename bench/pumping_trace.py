"""Reads others' traffic: one JSON object a line, in any order.

`ip` and `client` may be null, empty or missing, and `t` may begin at 0 or at any date; what
makes no sense is named with its line.
"""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

from bench.pumping_replay import Event

_E164 = re.compile(r"\+[1-9][0-9]{5,14}")
_PUNCTUATION = str.maketrans("", "", " -.()")
_FIELDS = {"t": (int, float), "event": str, "to": str, "person": bool}
_UNKNOWN = {"ip": str, "client": (str, int)}


class BadLine(ValueError):
    """A line that is no event, told in a sentence."""


def read_trace(path: str) -> list[Event]:
    """The events of a file; empty lines are skipped."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadLine(f"{path} cannot be read: {error}.") from None
    events = [_event(at, line) for at, line in enumerate(lines, 1) if line.strip()]
    if not events:
        raise BadLine(f"{path} holds no event.")
    return sorted(events, key=lambda event: event.at)


def _event(at: int, line: str) -> Event:
    try:
        row = json.loads(line)
    except ValueError:
        raise BadLine(f"Line {at} is not JSON.") from None
    if not isinstance(row, dict):
        raise BadLine(f"Line {at} is no JSON object.")
    for name, kind in _FIELDS.items():
        value = row.get(name)
        if not isinstance(value, kind) or (name == "t" and isinstance(value, bool)):
            raise BadLine(f"Line {at} has no {name}, or one of the wrong type.")
    for name, kind in _UNKNOWN.items():
        if not isinstance(row.get(name) or "", kind):
            raise BadLine(f"Line {at} has {name} of the wrong type.")
    if row["event"] not in ("send", "verify"):
        raise BadLine(f'Line {at} has the event "{row["event"]}"; expected send or verify.')
    to = row["to"].translate(_PUNCTUATION)
    if not _E164.fullmatch(to):
        raise BadLine(f'Line {at} has "{row["to"]}" as "to"; expected a number in E.164.')
    if not 0 <= row["t"] < 10**11:
        raise BadLine(f"Line {at} has {row['t']} as t; expected seconds, from 0 on.")
    try:
        ip = str(ipaddress.ip_address(row["ip"])) if row.get("ip") else ""
    except ValueError:
        raise BadLine(f'Line {at} has "{row["ip"]}" as ip, which is no address.') from None
    kind = str(row.get("kind", "person" if row["person"] else "bot"))
    return Event(
        round(row["t"] * 1000),
        row["event"] == "send",
        to,
        ip,
        str(row.get("client") or ""),
        row["person"],
        kind,
    )
