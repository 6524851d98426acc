"""What a letter is, what a provider promises, and what the post itself relies on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from doorcode.domain.breaker import Conversion
from doorcode.domain.message import Message, Step, Suppression
from doorcode.domain.message import State as State


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words, ready to be sent.

    `to` is an E.164 number or an e-mail address. A text message has no `subject` and no
    `html`; both are empty. It holds a code, or a link, or neither. A letter that lands in
    a log by accident shows neither of them nor whom it is for. `callback_url` is where a
    provider that reports sends its receipts; it is empty where nobody could reach us.
    `at` is when it is handed over, by which some providers have a request signed.
    """

    id: str
    channel: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    code: str = field(repr=False)
    created_at: int
    link: str = field(default="", repr=False)
    callback_url: str = ""
    at: int = 0


class NotSent(Exception):
    """The letter did not go out.

    `why` is a sentence and holds nothing of what stands in the letter; `code` is the
    provider's own number or word for it ("21211"), empty where it gave none. Where the
    provider may have taken the letter all the same (it answered nothing, or too late),
    `maybe` is true: whoever sends again may send twice.
    """

    def __init__(self, why: str, code: str = "", *, maybe: bool = False) -> None:
        super().__init__(why)
        self.why, self.code, self.maybe = why, code, maybe


class TryLater(NotSent):
    """The provider is in trouble: another may carry it now, or this one in a while."""


class TryAnother(NotSent):
    """This provider will carry nothing of ours (no credit, a wrong key); another may."""


class TryElsewhere(TryAnother):
    """This provider cannot reach this recipient, and another may. It says nothing of the
    next letter, so nobody can close a route by asking for codes to numbers it cannot serve."""


class Never(NotSent):
    """Nobody would carry it: a wrong number, a mailbox that is not there."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A provider has taken a letter. `ref` is its own name for it, by which receipts come.

    `price` is what it says that it costs, in millionths of a US dollar, where it says so.
    """

    ref: str = ""
    state: State = State.ACCEPTED
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider tells later of a letter that it took.

    `code` is its own; `why` says it in plain words, with the mend where there is one.
    `suppress` says that no more letters may go to this address (a hard bounce, a complaint).
    """

    ref: str
    state: State
    at: int | None = None
    code: str = ""
    why: str = ""
    price: int | None = None
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that says it comes from a provider.

    `url` is the address that the provider was given, by our configuration and not by the
    request's headers, with the query as it came; header names are in lower case.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: int = 0


class Foreign(Exception):
    """A callback that the provider did not sign, or signed too long ago; it says why."""


class Withheld(NotSent):
    """It is not for sending: nobody may tell from outside that there was nothing to send."""


class Provider(Protocol):
    """Somebody who carries letters.

    The same letter may be handed over twice (the courier died before it could note the
    first time). A provider that can tell by `Letter.id` shows or sends it once.
    `immediate` says that `send` never waits for a network, so an answer may wait for it.
    """

    name: str
    immediate: bool

    async def send(self, letter: Letter) -> Taken:
        """Hand the letter over, or raise `TryLater`, `TryAnother` or `Never`."""


@runtime_checkable
class Reporter(Protocol):
    """A provider that tells later what became of letters, by requests to us."""

    def receipts(self, callback: Callback) -> list[Receipt]:
        """What a callback tells, or `Foreign`. It is pure: no network, no clock."""


@runtime_checkable
class Greeter(Protocol):
    """A reporter that wants a word before its receipts are read: a handshake, a certificate."""

    async def greet(self, callback: Callback) -> bytes | None:
        """Do what comes before `receipts`, or raise `Foreign`.

        Where the callback was a greeting and nothing else, this is the plain text to answer
        it with. `TryLater` says that it could not be done now; the provider calls again.
        """


class Outbox(Protocol):
    """The part of a unit of work that a courier uses (`storage.interface.Transaction`)."""

    async def lease_messages(self, now: int, until: int, most: int) -> list[Message]:
        """Take messages to send; nobody else gets them before `until`."""

    async def lease_message(self, message_id: str, now: int, until: int) -> Message | None:
        """Take one message to send, where nobody else has it."""

    async def message_taken(self, message: Message, step: Step, country: str) -> bool:
        """Note that a route took it and erase the code."""

    async def message_deferred(self, message: Message, retry_at: int, why: str) -> None:
        """Give a message back, to be tried again at `retry_at`."""

    async def message_failed(self, message: Message, why: str) -> None:
        """Give up on a message and erase the code."""

    async def next_message_at(self) -> int | None:
        """When the next message may be sent, if any waits."""

    async def add_step(self, step: Step) -> None:
        """Add a line to a message's timeline."""

    async def steps(self, message_id: str) -> list[Step]:
        """A message's timeline, the first step first."""

    async def last_route(self, message: Message) -> str:
        """The route that took an earlier message of the same verification; empty for none."""

    async def conversions(self, since: int, until: int) -> dict[tuple[str, str], Conversion]:
        """By channel and route: of the codes of a time, how many it took, and were typed."""

    async def suppression(self, address: str) -> Suppression | None:
        """Why nothing is sent to a mailbox, or None."""


class Storage(Protocol):
    """The part of a database engine that a courier uses (`storage.interface.Storage`)."""

    def transaction(self) -> AbstractAsyncContextManager[Outbox]:
        """A unit of work that may write."""

    def reading(self) -> AbstractAsyncContextManager[Outbox]:
        """A unit of work that only reads."""


class Sealer(Protocol):
    """Opens what the flow has sealed (`security.sealing.Sealer`)."""

    def open(self, label: str, sealed: bytes) -> bytes:
        """Decrypt, or raise."""


class Log(Protocol):
    """A structured logger, such as structlog's."""

    def info(self, event: str, /, **fields: Any) -> Any:
        """Note what went as it should."""

    def warning(self, event: str, /, **fields: Any) -> Any:
        """Note what somebody may want to look at."""
