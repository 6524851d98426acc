"""What a double of a provider is asked, and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came over the line; header names are in lower case."""

    method: str
    target: str  # the path below the double's own, with its query
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), True).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, document: Any, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sort = {"content-type": "application/json"}
        return cls(status, json.dumps(document).encode(), sort | named)


@dataclass(frozen=True)
class Taken:
    """A letter that a double has taken: its name for it, to whom, what stood in it."""

    ref: str
    to: str
    text: str
    callback_url: str = ""
    key: str = ""  # what makes a second handing over the same one, where its API has such


@dataclass(frozen=True)
class Call:
    """A callback that a double would make, signed as its documentation says."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Double(Protocol):
    """A provider's API. It keeps what it took, and signs what it tells later."""

    taken: list[Taken]

    def handle(self, request: Request) -> Reply:
        """Answer one request: check the credentials and the fields, take the letter."""

    def refuse_credentials(self) -> Reply:
        """What its API answers to expired credentials."""

    def throttle(self) -> Reply:
        """What its API answers to whoever asks too often."""

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        """The callbacks of a letter that comes to this state ("sent", "delivered", ...)."""
