"""Where a secret must not be, and a search for it there in every form that it could take."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

# Random digits of ours, in which a code of six would be found by chance now and then.
_NOISE = re.compile(rb"timestamp='[^']*'|\"clerk_trace_id\":\"[0-9a-f]{32}\"")
_STARTS = (0, 2, 3)  # the first character of base64 that depends on nothing before it


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that a run produced. `home` matches the places where it belongs."""

    name: str
    value: bytes
    home: str = "nowhere"


@dataclass(frozen=True, slots=True)
class Place:
    """Something that somebody can read who is not meant to know a secret."""

    name: str
    content: bytes


class Witness:
    """Stands before a server and keeps all that it answers."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.places: list[Place] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        seen: dict[str, Any] = {"status": 0, "headers": b"", "body": b""}

        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                lines = (b": ".join(header) for header in message["headers"])
                seen.update(status=message["status"], headers=b"\n".join(lines))
            else:
                seen["body"] += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, note)
        for part in ("headers", "body"):
            self.places.append(Place(f"{part} {seen['status']} {scope['path']}", seen[part]))

    def text(self) -> bytes:
        """All answers in one."""
        return b"\n".join(place.content for place in self.places)


def files(database: Path, when: str) -> list[Place]:
    """Every page of a database, those included that no row stands on any more."""
    names = sorted(database.parent.glob(f"{database.name}*"))
    return [Place(f"file {file.name} {when}", file.read_bytes()) for file in names]


def tables(database: Path) -> list[Place]:
    """Every row, as SQL gives it."""
    connection = sqlite3.connect(database)
    try:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return [
            Place(f"table {name}", b"\n".join(_bytes(row) for row in rows))
            for (name,) in found
            if (rows := connection.execute(f'SELECT * FROM "{name}"').fetchall())
        ]
    finally:
        connection.close()


def leaks(secrets: Iterable[Secret], places: Iterable[Place]) -> list[str]:
    """Which secret stands where it does not belong."""
    cleaned = [(place.name, _NOISE.sub(b"", place.content)) for place in places]
    return sorted(
        f"{secret.name} in {name}"
        for secret in secrets
        for form in [_pattern(secret.value)]
        for name, content in cleaned
        if not re.match(secret.home, name) and form.search(content)
    )


def _pattern(value: bytes) -> re.Pattern[bytes]:
    plain = [value, quote(value).encode(), quote(value, safe="").encode()]
    if value.isdigit():
        # Not inside of a longer number, which is a time; but in two halves as well.
        half = len(value) // 2
        halves = re.escape(value[:half]) + rb"[\s-]?" + re.escape(value[half:])
        found = [rb"(?<!\d)" + halves + rb"(?!\d)"]
    else:
        found = [re.escape(form) for form in plain]
    encoded = [value.hex().encode(), value.hex().upper().encode(), *_base64(value)]
    return re.compile(b"|".join([*found, *map(re.escape, encoded)]))


def _base64(value: bytes) -> Iterator[bytes]:
    """What base64 makes of it, wherever in a longer text it stands."""
    for shift, start in enumerate(_STARTS):
        encoded = base64.b64encode(bytes(shift) + value)
        certain = encoded[start : (shift + len(value)) * 8 // 6]
        yield certain
        yield certain.translate(bytes.maketrans(b"+/", b"-_"))


def _bytes(row: tuple[Any, ...]) -> bytes:
    return b" | ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
