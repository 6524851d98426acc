"""The two drivers, and the decorator that hides them."""

from __future__ import annotations

import asyncio
import inspect

import httpx
import pytest

from doorcode.client.errors import NetworkError
from doorcode.client.flow import AsyncDriver, Callback, Flow, Reply, Runs, SyncDriver, flow
from doorcode.client.wire import get

seen: list[str] = []


class Greeter(Runs[SyncDriver]):
    @flow
    def greet(self, name: str, *, loud: bool = False) -> Flow[str]:
        """Say hello."""
        yield Callback(lambda: seen.append(name))
        return name.upper() if loud else name


def ask() -> Flow[Reply]:
    try:
        return (yield get("/client"))
    finally:
        seen.append("closed")


def answering(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=str(request.url))


def refusing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("")


@pytest.fixture(autouse=True)
def forget() -> None:
    seen.clear()


def sync_driver(handler: object = answering) -> SyncDriver:
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    return SyncDriver(httpx.Client(transport=transport), "http://h")


def async_driver(handler: object = answering) -> AsyncDriver:
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    return AsyncDriver(httpx.AsyncClient(transport=transport), "http://h")


def test_sync_driver_answers_the_request() -> None:
    reply = sync_driver().run(ask())
    assert isinstance(reply, httpx.Response)
    assert reply.text.startswith("http://h/v1/client?")


async def test_async_driver_answers_the_request() -> None:
    reply = await async_driver().run(ask())
    assert isinstance(reply, httpx.Response)


async def test_transport_failure_becomes_a_reply() -> None:
    for reply in sync_driver(refusing).run(ask()), await async_driver(refusing).run(ask()):
        assert isinstance(reply, NetworkError)
        assert "ConnectError" in str(reply)


def test_sync_driver_does_not_follow_redirects() -> None:
    def moving(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"location": "http://elsewhere/"})

    http = httpx.Client(transport=httpx.MockTransport(moving), follow_redirects=True)
    SyncDriver(http, "http://h").run(ask())
    assert seen == ["h", "closed"]


async def test_async_driver_awaits_a_coroutine_callback() -> None:
    async def later() -> None:
        await asyncio.sleep(0)
        seen.append("awaited")

    def steps() -> Flow[None]:
        yield Callback(later)
        yield Callback(lambda: seen.append("called"))

    await async_driver().run(steps())
    assert seen == ["awaited", "called"]


async def test_cancelled_flow_is_closed() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    task = asyncio.create_task(async_driver(never).run(ask()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["closed"]


def test_flow_is_an_ordinary_method() -> None:
    greeter = Greeter(sync_driver())
    assert greeter.greet("ada", loud=True) == "ADA"
    assert greeter.greet.__doc__ == "Say hello."
    assert list(inspect.signature(greeter.greet).parameters) == ["name", "loud"]


def test_flow_read_from_the_class_is_a_function() -> None:
    assert inspect.isfunction(Greeter.greet)
    assert Greeter.greet.__name__ == "greet"
