"""One request and its answer: what is bounded, what is followed, what a broken line means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from doorcode.delivery.interface import Never, NotSent, TryAnother, TryLater
from doorcode.delivery.providers.transport import MOST_BYTES, Answer, Transport, refusal, verdict

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport(httpx.AsyncClient(verify=False, trust_env=False))
    yield transport
    await transport.close()


@asynccontextmanager
async def speaking(speak: Speak) -> AsyncIterator[str]:
    """A server that reads the head of a request and says what it is told to; its URL."""

    async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
        writer.close()

    server = await asyncio.start_server(line, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    await asyncio.sleep(0.01)


def says(*parts: bytes) -> Speak:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return speak


def hangs(*parts: bytes) -> Speak:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(*parts)(reader, writer)
        await reader.read()

    return speak


async def test_an_answer_is_read_whole(transport: Transport) -> None:
    body = b'{"sid": "SM1"}'
    head = OK + b"content-length: 14\r\nx-more: yes\r\n\r\n"
    async with speaking(says(head, body)) as url:
        answer = await transport.ask("POST", url, content=b"hello")
    assert (answer.status, answer.json, answer.is_success) == (200, {"sid": "SM1"}, True)
    assert answer.headers["x-more"] == "yes"


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}}'])
def test_a_body_that_is_no_json_is_none(body: bytes) -> None:
    assert Answer(200, {}, body).json is None


async def test_an_endless_answer_is_cut(transport: Transport) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with speaking(endless) as url:
        answer = await transport.ask("GET", url)
    assert len(answer.body) == MOST_BYTES


async def test_a_redirect_is_not_followed() -> None:
    transport = Transport()  # as the server makes it
    head = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
    async with speaking(says(head)) as url:
        assert (await transport.ask("POST", url)).status == 302
    await transport.close()


async def test_a_line_that_breaks_before_a_status_may_have_carried_the_letter(
    transport: Transport,
) -> None:
    for part in (b"", b"HTTP/1.1 2"):
        async with speaking(says(part)) as url:
            with pytest.raises(TryLater, match="broke") as raised:
                await transport.ask("POST", url, content=b"x")
        assert raised.value.maybe


@pytest.mark.parametrize(
    "rest", [b"content-length: 20\r\n\r\nhalf", b"content-encoding: gzip\r\n\r\nnot gzip"]
)
async def test_a_line_that_breaks_after_a_2xx_has_carried_it(
    transport: Transport, rest: bytes
) -> None:
    async with speaking(says(OK + rest)) as url:
        answer = await transport.ask("POST", url, content=b"x")
    assert (answer.status, answer.json) == (200, None)


async def test_a_body_that_never_ends_after_a_2xx_has_carried_it(transport: Transport) -> None:
    async with speaking(hangs(OK + b"content-length: 20\r\n\r\nhalf")) as url:
        answer = await transport.ask("POST", url, content=b"x", seconds=0.2)
    assert (answer.status, answer.body) == (200, b"")


async def test_a_refusal_that_never_ends_takes_too_long(transport: Transport) -> None:
    async with speaking(hangs(b"HTTP/1.1 500 -\r\ncontent-length: 20\r\n\r\nhalf")) as url:
        with pytest.raises(TryLater, match="too long"):
            await transport.ask("POST", url, content=b"x", seconds=0.2)


async def test_headers_a_byte_at_a_time_outlast_no_bound(transport: Transport) -> None:
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in OK + b"x-header: y\r\n" * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with speaking(drips) as url, asyncio.timeout(5):
        with pytest.raises(TryLater, match="too long") as raised:
            await transport.ask("POST", url, content=b"x", seconds=0.2)
    assert raised.value.maybe


async def test_a_request_that_cannot_be_written_means_another_route(
    transport: Transport,
) -> None:
    async with speaking(says(OK + b"\r\n")) as url:
        with pytest.raises(TryAnother, match="cannot be written"):
            await transport.ask("POST", url, headers={"x": "a\r\nb"})


async def test_an_address_that_is_none_means_another_route(transport: Transport) -> None:
    with pytest.raises(TryAnother, match="address cannot be used"):
        await transport.ask("POST", "http://:0:/")


async def test_neither_address_nor_credentials_are_logged(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with speaking(says(OK + b"content-length: 0\r\n\r\n")) as url:
        headers = {"authorization": "Bearer hunter2"}
        await transport.ask("POST", f"{url}?to=+447700900123", headers=headers)
    assert "447700900123" not in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_transport_that_never_asked_closes() -> None:
    await Transport().close()


@pytest.mark.parametrize(
    ("status", "sort"),
    [
        (302, TryAnother),
        (400, Never),
        (401, TryAnother),
        (402, TryAnother),
        (403, TryAnother),
        (404, TryAnother),
        (405, TryAnother),
        (408, TryLater),
        (415, TryAnother),
        (422, Never),
        (429, TryLater),
        (500, TryLater),
        (503, TryLater),
    ],
)
def test_a_status_says_whether_to_go_on(status: int, sort: type[NotSent]) -> None:
    found = refusal(status, "no", "7")
    assert (type(found), found.why, found.code, found.maybe) == (sort, "no", "7", False)


def test_a_code_counts_for_more_than_the_status() -> None:
    found = verdict({"21211": (Never, "no number")}, "It", 500, "21211")
    assert (type(found), found.why, found.code) == (Never, "It: no number", "21211")


def test_a_sentence_is_no_code() -> None:
    found = verdict({}, "It", 500, "your code is 731904")
    assert (type(found), found.why, found.code) == (TryLater, "It answered 500", "500")
