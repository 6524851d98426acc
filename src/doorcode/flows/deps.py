"""What a story may use, and what it is told about who is asking."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from doorcode.domain.event import Event
from doorcode.domain.instance import Instance
from doorcode.domain.limits import MINUTE
from doorcode.domain.networks import network_of, site_of
from doorcode.domain.session import Device
from doorcode.security.codes import Codes
from doorcode.security.sealing import Sealer
from doorcode.security.tickets import Tickets
from doorcode.security.tokens import Tokens
from doorcode.storage.interface import Storage


class Post(Protocol):
    """Where a message goes once it has been committed."""

    def can_send(self, channel: str, is_test: bool) -> bool:
        """Whether there is any way to send by this channel."""

    def is_free(self, channel: str) -> bool:
        """Whether nobody pays for what this channel carries."""

    async def announce(self, message_id: str, channel: str, is_test: bool) -> None:
        """Say that a message waits. Returns at once, unless delivery takes no time."""

    def wake(self) -> None:
        """Say that something may wait, and never how long that takes."""


class Recent:
    """Which events were written down within the minute, as far as memory is worth it."""

    KEPT = 10_000

    def __init__(self) -> None:
        # The minute of the line that was written last, and how many there were since.
        self._written: OrderedDict[tuple[str, str, str, str], tuple[int, int]] = OrderedDict()

    def is_new(self, event: Event, now: int) -> bool:
        """Whether an event like this one was not written within the minute; it is from now on."""
        return self.count(event, now) > 0

    def count(self, event: Event, now: int) -> int:
        """How many events like this one a line about it stands for; 0 where none is to be written.

        Those that were not written within an earlier minute count with the first after it.
        """
        name = (event.name, event.bucket, event.subject, event.network)
        minute = now // MINUTE
        written, unwritten = self._written.get(name, (-1, 0))
        if written == minute:
            self._written[name] = (minute, unwritten + 1)
            return 0
        self._written[name] = (minute, 0)
        self._written.move_to_end(name)
        if len(self._written) > self.KEPT:
            self._written.popitem(last=False)
        return unwritten + 1


def _unobserved(event: Event) -> None:
    """Nobody looks on."""


class BotCheck(Protocol):
    """Tells people from programs."""

    async def passes(self, token: str, address: str, action: str) -> bool:
        """Whether a person solved the challenge, from this client address and for this purpose.

        It asks another server: never while a unit of work is open.
        """


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """The time, in milliseconds."""


class Grounds(Clock, Protocol):
    """What a decision rests on besides the database: the settings, the routes, the clock.

    Less than `Deps`, so that a command can ask what the server would decide without its keys.
    """

    @property
    def instance(self) -> Instance:
        """What is asked of people."""

    @property
    def post(self) -> Post:
        """Who carries messages."""


@dataclass(slots=True)
class Deps:
    """Built once, in the composition root. `now` is the clock, in milliseconds.

    `observe` is told of each event that the log and the metrics are to show.

    `instance` is replaced as a whole when an operator changes a setting, `tokens` when
    another key signs; nothing else is ever assigned again.
    """

    storage: Storage
    instance: Instance
    codes: Codes
    tickets: Tickets
    tokens: Tokens
    sealer: Sealer
    post: Post
    now: Callable[[], int]
    observe: Callable[[Event], None] = _unobserved
    recent: Recent = field(default_factory=Recent)
    bot_check: BotCheck | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The browser or program that asks.

    `client_id` was found by its cookie, whose digest is `cookie`; `dev_browser` is that of
    the token by which a development instance knows a browser that sends no cookies.
    `device` is what the browser tells of itself. `is_human`: a challenge was solved with this
    request or moments before it; `is_remembered`: before it, so it counts once more and is used
    up. `is_testing`: the app's own test, by a testing token; it
    counts as human, and is held by every limit in the database like anybody.
    """

    client_id: str | None = None
    cookie: bytes | None = None
    dev_browser: bytes | None = None
    device: Device | None = None
    is_human: bool = False
    is_remembered: bool = False
    is_testing: bool = False

    @property
    def network(self) -> str:
        """The network that the caller's address stands for; empty where none is known."""
        address = self.device.ip_address if self.device else None
        return network_of(address) if address else ""

    @property
    def site(self) -> str | None:
        """The /48 around the caller's network; None but for IPv6."""
        address = self.device.ip_address if self.device else None
        return site_of(address) if address else None
