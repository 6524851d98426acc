"""A line from a provider to its double, without a network, and what a double tells on it."""

from __future__ import annotations

from typing import Any

import httpx
from tests.laboratory.wire import Call, Double, Request

from doorcode.delivery.interface import Callback
from doorcode.delivery.providers.transport import Transport

NOON = 1_778_241_600_000  # 2026-05-08 12:00 UTC


class Line:
    """Whatever is asked, at any address, the double answers. `asked` are the addresses."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self.asked: list[str] = []
        self.requests: list[httpx.Request] = []
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.transport = Transport(client)

    def _answer(self, asked: httpx.Request) -> httpx.Response:
        self.asked.append(str(asked.url))
        self.requests.append(asked)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        target = asked.url.raw_path.decode()
        reply = self.double.handle(Request(asked.method, target, headers, asked.content))
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)


def callback(call: Call, at: int = NOON, **changes: Any) -> Callback:
    """A double's call as it reaches a provider."""
    parts: dict[str, Any] = {
        "method": call.method,
        "url": call.url,
        "headers": call.headers,
        "body": call.body,
        "at": at,
    }
    return Callback(**(parts | changes))
