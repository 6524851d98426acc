"""Every test that takes ``client`` runs twice: on the blocking and on the awaiting client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import pytest

from doorcode.client import AsyncClient, Client

from .fake_server import FakeServer

URL = "http://localhost:8787"
T = TypeVar("T")
AnyClient = Client | AsyncClient
Opener = Callable[..., AnyClient]


async def settle(outcome: T | Awaitable[T]) -> T:
    """Return the outcome of a call, whichever client made it."""
    return await outcome if isinstance(outcome, Awaitable) else outcome


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture(params=["sync", "async"])
def open_client(request: pytest.FixtureRequest, server: FakeServer) -> Opener:
    """Return a function that opens a client of the fake server, as the two classes do."""

    def open_one(client_token: str | None = None) -> AnyClient:
        transport = httpx.MockTransport(server)
        if request.param == "sync":
            http = httpx.Client(transport=transport)
            return Client(URL, client_token=client_token, http_client=http)
        http_async = httpx.AsyncClient(transport=transport)
        return AsyncClient(URL, client_token=client_token, http_client=http_async)

    return open_one


@pytest.fixture
def client(open_client: Opener) -> AnyClient:
    return open_client()
