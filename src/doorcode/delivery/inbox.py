"""The development inbox: the phone and the mailbox of everybody, in memory, to look at.

Whoever can read it can sign in as anybody. So it refuses to exist outside development,
and it keeps nothing on disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from doorcode.delivery.interface import Letter, State, Taken
from doorcode.domain.addresses import Malformed, parse_identifier

KEEPS = 500


class NotInDevelopment(RuntimeError):
    """Somebody asked for an inbox in a server that real people sign in to."""


@dataclass(frozen=True, slots=True)
class Received:
    """A letter as the inbox shows it; `created_at` is in milliseconds."""

    id: str
    channel: str
    to: str
    body: str = field(repr=False)
    code: str = field(repr=False)
    created_at: int
    link: str = field(default="", repr=False)


class Inbox:
    """A provider that keeps the last letters for the developer to read."""

    name = "inbox"
    immediate = True

    def __init__(self, development: bool) -> None:
        if not development:
            raise NotInDevelopment(
                "The inbox shows every code to everybody, so it exists in development only. "
                "Set up a provider for e-mail and text messages instead."
            )
        self._received: dict[str, Received] = {}  # oldest first

    async def send(self, letter: Letter) -> Taken:
        """Keep a letter; one that is handed over again is kept once."""
        self._received[letter.id] = Received(
            letter.id,
            letter.channel,
            letter.to,
            letter.text,
            letter.code,
            letter.created_at,
            letter.link,
        )
        if len(self._received) > KEEPS:
            del self._received[next(iter(self._received))]
        return Taken(state=State.DELIVERED)

    def messages(self, to: str | None = None) -> list[Received]:
        """The letters, newest first; with `to`, those for this address however it is written."""
        wanted = None if to is None else _normal(to)
        letters = [
            letter
            for letter in reversed(self._received.values())
            if wanted is None or _normal(letter.to) == wanted
        ]
        return sorted(letters, key=lambda letter: -letter.created_at)


def _normal(address: str) -> str:
    try:
        return parse_identifier(address, test_mode=True).value
    except Malformed:
        return address.strip()
