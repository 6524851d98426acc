"""The real program in a process of its own, and a person's requests to it."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx

DOORCODE = Path(sys.executable).with_name("doorcode")
PATIENCE = 20.0  # seconds, for a machine that is busy with something else


def clean_environment(**changes: str) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DOORCODE_", "PYTHON"))}
    kept["DOORCODE_LIMITS_NETWORK"] = "off"
    return kept | {f"DOORCODE_{name}": value for name, value in changes.items()}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command that comes to its end by itself."""
    return subprocess.run(
        [str(DOORCODE), *arguments],
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


class Running:
    """A server that was started, with what it prints."""

    def __init__(self, *arguments: str, port: int, **settings: str) -> None:
        self.port = port
        self.url = f"http://localhost:{port}"
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [str(DOORCODE), *arguments],
            env=clean_environment(PORT=str(port), **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.printed: list[str] = []
        self.complained: list[str] = []
        self._changes: queue.Queue[None] = queue.Queue()
        self._readers = [
            self._read(self.process.stdout, self.printed),
            self._read(self.process.stderr, self.complained),
        ]

    def _read(self, pipe: IO[str] | None, lines: list[str]) -> threading.Thread:
        def read() -> None:
            assert pipe
            for line in pipe:
                lines.append(line.rstrip("\n"))
                self._changes.put(None)
            self._changes.put(None)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    # ── waiting ───────────────────────────────────────────────────────────────────────
    def answering(self) -> Running:
        """Wait for the first answer."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "\n".join(self.complained)
            try:
                if self.get("/v1/health").status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.01)
        raise AssertionError("the server did not answer")

    def until_printed(self, pattern: str) -> str:
        """Wait for a line on standard output; its match."""
        return self._until(self.printed, pattern)

    def until_complained(self, pattern: str) -> str:
        """Wait for a line on standard error; its match."""
        return self._until(self.complained, pattern)

    def _until(self, lines: list[str], pattern: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in list(lines):
                if found := re.search(pattern, line):
                    return found[0]
            try:
                self._changes.get(timeout=0.1)
            except queue.Empty:
                continue
        raise AssertionError(f"nothing like {pattern} in {lines} {self.complained}")

    def gave_up(self) -> int | None:
        """Wait until it has ended by itself or is ready; the status, None where it is ready."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                for reader in self._readers:
                    reader.join(PATIENCE)
                return self.process.returncode
            if "CLERK_API_URL" in self.env:
                return None
            time.sleep(0.01)
        raise AssertionError("it neither started nor gave up")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(by)
        status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return status

    # ── asking ────────────────────────────────────────────────────────────────────────
    @property
    def env(self) -> dict[str, str]:
        """The lines that an app puts into its settings."""
        pairs = (re.fullmatch(r"([A-Z_]+)=(\S+)", line) for line in self.printed)
        return {pair[1]: pair[2] for pair in pairs if pair}

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, **params: str
    ) -> httpx.Response:
        """A request from this machine."""
        address = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(address, headers=headers, params=params, timeout=PATIENCE)

    def code_for(self, to: str) -> str:
        """The newest code in the inbox."""
        return str(self.get("/inbox/messages", to=to).json()[0]["code"])

    def memory(self) -> int:
        """Resident memory in bytes, as the kernel counts it."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", text)
        assert found
        return int(found[1]) * 1024


class Person:
    """Somebody with a cookie jar."""

    def __init__(self, server: Running) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=PATIENCE)
        self.server = server

    def move_to(self, server: Running) -> None:
        """Come back to the server after a restart on another port; cookies know no port."""
        cookies = self.http.cookies
        self.http = httpx.Client(base_url=server.url, cookies=cookies, timeout=PATIENCE)
        self.server = server

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return self.http.post(f"/v1/client{path}", data=fields)

    def ask_for_code(self, number: str) -> str:
        """Begin to sign up and have a code sent; the attempt's id."""
        attempt = str(self.post("/sign_ups", phone_number=number).json()["response"]["id"])
        self.post(f"/sign_ups/{attempt}/prepare_verification", strategy="phone_code")
        return attempt

    def type_code(self, attempt: str, code: str) -> httpx.Response:
        """Type a code."""
        path = f"/sign_ups/{attempt}/attempt_verification"
        return self.post(path, strategy="phone_code", code=code)

    def sign_up(self, number: str) -> str:
        """Sign up; the user's id."""
        attempt = self.ask_for_code(number)
        answer = self.type_code(attempt, self.server.code_for(number)).json()["response"]
        assert answer["status"] == "complete"
        return str(answer["created_user_id"])

    def me(self) -> httpx.Response:
        """Who the server says this is."""
        return self.http.get("/v1/me")
