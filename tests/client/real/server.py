"""A real server in its own process, with the settings that a test asks for."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

DOORCODE = Path(sys.executable).with_name("doorcode")


class RealServer:
    """A running ``doorcode dev``, its printed settings, and its inbox."""

    def __init__(self, url: str, printed: dict[str, str]) -> None:
        self.url = url
        self.printed = printed

    def code(self, to: str) -> str:
        """Return the newest code sent to an address."""
        return str(next(one["code"] for one in self.messages(to) if one.get("code")))

    def wrong_code(self, to: str) -> str:
        """Return a code that is not the newest one sent to an address."""
        return f"{(int(self.code(to)) + 1) % 1_000_000:06}"

    def messages(self, to: str) -> list[dict[str, Any]]:
        """Return the messages sent to an address, newest first."""
        reply = httpx.get(f"{self.url}/inbox/messages", params={"to": to})
        reply.raise_for_status()
        return list(reply.json())

    def backend(self, method: str, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return what the Backend API answers the app's server."""
        head = {"authorization": f"Bearer {self.printed['CLERK_SECRET_KEY']}"}
        reply = httpx.request(method, f"{self.url}/v1{path}", json=body, headers=head)
        reply.raise_for_status()
        return dict(reply.json())


@contextmanager
def running(data: Path, settings: Mapping[str, object]) -> Iterator[RealServer]:
    """Start a server on a free port, and stop it in the end."""
    port = free_port()
    environment = os.environ | {
        "DOORCODE_LIMITS_NETWORK": "off",
        "DOORCODE_SETTINGS": json.dumps(settings),
    }
    command = [str(DOORCODE), "dev", "--port", str(port), "--data", str(data)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = f"http://localhost:{port}"
            printed = read_printed(process)
            wait_for(url)
            yield RealServer(url, printed)
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_printed(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return the printed KEY=value lines, having waited until the last of them is there."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda out: [*map(lines.put, out)], args=[process.stdout]).start()
    printed: dict[str, str] = {}
    while "CLERK_API_URL" not in printed:
        name, equals, value = lines.get(timeout=10).strip().partition("=")
        if equals and name.isupper() and " " not in name:
            printed[name] = value
    return printed


def wait_for(url: str) -> None:
    """Return once the server answers."""
    for _ in range(200):
        try:
            httpx.get(f"{url}/v1/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not answer within ten seconds")
