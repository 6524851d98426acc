"""What a letter is, what a provider promises, and what the post itself relies on."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from doorcode.domain.message import Message


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words, ready to be sent.

    `to` is an E.164 number or an e-mail address. A text message has no `subject` and no
    `html`; both are empty. It holds a code, or a link, or neither. A letter that lands in
    a log by accident shows neither of them nor whom it is for.
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


class NotSent(Exception):
    """The letter did not go out; `why` holds nothing of what stands in it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TryLater(NotSent):
    """It may go out when it is tried again."""


class Never(NotSent):
    """Trying again would change nothing."""


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

    async def send(self, letter: Letter) -> None:
        """Hand the letter over, or raise `TryLater` or `Never`."""


class Outbox(Protocol):
    """The part of a unit of work that a courier uses (`storage.interface.Transaction`)."""

    async def lease_messages(self, now: int, until: int, most: int) -> list[Message]:
        """Take messages to send; nobody else gets them before `until`."""

    async def lease_message(self, message_id: str, now: int, until: int) -> Message | None:
        """Take one message to send, where nobody else has it."""

    async def message_delivered(
        self, message_id: str, now: int, *, is_withheld: bool = False
    ) -> bool:
        """Note a delivery, or that it was withheld, and erase the code."""

    async def message_deferred(self, message: Message, retry_at: int, why: str) -> None:
        """Give a message back, to be tried again at `retry_at`."""

    async def message_failed(self, message: Message, why: str) -> None:
        """Give up on a message and erase the code."""

    async def next_message_at(self) -> int | None:
        """When the next message may be sent, if any waits."""


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
