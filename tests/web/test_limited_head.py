"""A request's head must end; its body has a limit of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.acceptance.process import Running, free_port

HEALTH = b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n"
POST = b"POST /v1/client/sign_ups HTTP/1.1\r\nhost: localhost\r\n"
CASES = {
    "a plain request": (HEALTH + b"\r\n", b"HTTP/1.1 200"),
    "two requests at once": ((HEALTH + b"\r\n") * 2, b"HTTP/1.1 200"),
    "a header that does not end": (HEALTH + b"x: " + b"a" * 400_000, b"HTTP/1.1 431"),
    "a path that does not end": (b"GET /" + b"a" * 400_000, b"HTTP/1.1 431"),
    "a large body is refused as such": (
        POST + b"content-length: 100000\r\n\r\n" + b"a" * 100_000,
        b"HTTP/1.1 413",
    ),
}


CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    data: Path = tmp_path_factory.mktemp("data")
    with Running("dev", port=free_port(), DATA=str(data)) as server:
        server.answering()
        yield server.port


@pytest.mark.parametrize(("sent", "begins"), CASES.values(), ids=CASES.keys())
def test_a_head_is_read_as_long_as_it_ends(port: int, sent: bytes, begins: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
            connection.sendall(sent)
        assert connection.recv(64).startswith(begins)


@pytest.mark.parametrize("line", [b"0\r\n" + b"x: y\r\n" * 150_000, b"1;" + b"a" * 900_000])
def test_what_is_neither_head_nor_body_has_to_end_too(port: int, line: bytes) -> None:
    """Header fields behind a body in chunks (trailers) are kept in memory like those before it."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    with connection, suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(CHUNKED)
        for start in range(0, len(line), 10_000):
            connection.sendall(line[start : start + 10_000])
        assert connection.recv(64) == b""


def test_a_body_may_come_in_the_smallest_of_chunks(port: int) -> None:
    body = b"1\r\na\r\n" * 30_000 + b"0\r\nx: y\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(CHUNKED + body)
        assert connection.recv(64).startswith(b"HTTP/1.1 415")
