"""What a story may use, and what it is told about who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from doorcode.domain.instance import Instance
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

    async def announce(self, message_id: str, channel: str, is_test: bool) -> None:
        """Say that a message waits. Returns at once, unless delivery takes no time."""


@dataclass(slots=True)
class Deps:
    """Built once, in the composition root. `now` is the clock, in milliseconds.

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


@dataclass(frozen=True, slots=True)
class Caller:
    """The browser or program that asks.

    `client_id` was found by its cookie, whose digest is `cookie`; `dev_browser` is that of
    the token by which a development instance knows a browser that sends no cookies.
    `device` is what the browser tells of itself.
    """

    client_id: str | None = None
    cookie: bytes | None = None
    dev_browser: bytes | None = None
    device: Device | None = None
