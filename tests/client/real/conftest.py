"""Every test here runs twice, on both clients; its module's ``SETTINGS`` are the server's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from doorcode.client import AsyncClient, Client

from ..conftest import AnyClient, Opener
from .people import new_email_address, new_phone_number
from .server import RealServer, running


@pytest.fixture(scope="module")
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    settings = getattr(request.module, "SETTINGS", {})
    with running(tmp_path_factory.mktemp("data"), settings) as server:
        yield server


@pytest.fixture(params=[Client, AsyncClient])
async def open_client(
    request: pytest.FixtureRequest, real_server: RealServer
) -> AsyncIterator[Opener]:
    opened: list[AnyClient] = []

    def open_one(client_token: str | None = None) -> AnyClient:
        opened.append(request.param(real_server.url, client_token=client_token))
        return opened[-1]

    yield open_one
    for each in opened:
        if isinstance(each, Client):
            each.close()
        else:
            await each.aclose()


@pytest.fixture
def client(open_client: Opener) -> AnyClient:
    return open_client()


@pytest.fixture
def phone_number() -> str:
    return new_phone_number()


@pytest.fixture
def email_address() -> str:
    return new_email_address()
