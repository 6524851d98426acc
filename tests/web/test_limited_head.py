"""A request's head must end; its body has a limit of its own."""

from __future__ import annotations

import socket

import pytest

from tests.acceptance.process import running_server

# Each case: what is sent, and how the answer begins.
CASES = {
    "a plain request": (b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n", b"HTTP/1.1 200"),
    "a header that does not end": (
        b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 200_000,
        b"HTTP/1.1 431",
    ),
    "a path that does not end": (b"GET /" + b"a" * 200_000, b"HTTP/1.1 431"),
}
