"""Measures a real server in one run: sign-ups, sign-ins and token refreshes.

The machine is shared and its clock speed moves, so the figures to compare are those per
second of the *server's* CPU, and the ratios to a signature measured in the same run.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from doorcode.security import tokens
from doorcode.security.tokens import SigningKey

PEOPLE = 600
AT_ONCE = 32
REFRESHES = 3_000
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """`doorcode dev` in a process of its own."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environ = {
            **os.environ,
            "DOORCODE_PORT": str(self.port),
            "DOORCODE_DATA": folder,
            "DOORCODE_LIMITS_NETWORK": "off",
        }
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("doorcode")), "dev"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.url = f"http://127.0.0.1:{self.port}"
        self.start_seconds = self._wait() - began

    def _wait(self) -> float:
        while True:
            try:
                if httpx.get(f"{self.url}/v1/health").status_code == 200:
                    return time.perf_counter()
            except httpx.TransportError:
                time.sleep(0.01)

    @property
    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)


class Person:
    """One browser."""

    def __init__(self, http: httpx.AsyncClient, number: int) -> None:
        self.email = f"person{number}+clerk_test@example.com"
        self.http = http
        self.cookie = ""
        self.session = ""

    async def post(self, path: str, **form: str) -> dict[str, object]:
        headers = {"cookie": self.cookie} if self.cookie else {}
        answer = await self.http.post(path, data=form, headers=headers)
        answer.raise_for_status()
        for cookie in answer.headers.get_list("set-cookie"):
            if cookie.startswith("__client="):
                self.cookie = cookie.partition(";")[0]
        self.http.cookies.clear()
        return answer.json()

    async def sign_up(self) -> None:
        made = await self.post("/v1/client/sign_ups", email_address=self.email)
        await self._verify("sign_ups", made["response"]["id"], "verification")

    async def sign_in(self) -> None:
        await self.post("/v1/client/sessions?_method=DELETE")
        made = await self.post("/v1/client/sign_ins", identifier=self.email)
        await self._verify("sign_ins", made["response"]["id"], "first_factor")

    async def refresh(self) -> None:
        path = f"/v1/client/sessions/{self.session}/tokens?debug=skip_cache"
        assert (await self.post(path))["jwt"]

    async def _verify(self, kind: str, attempt: str, step: str) -> None:
        path = f"/v1/client/{kind}/{attempt}"
        await self.post(f"{path}/prepare_{step}", strategy="email_code")
        done = await self.post(f"{path}/attempt_{step}", strategy="email_code", code="424242")
        self.session = done["response"]["created_session_id"]


async def measure(
    server: Server, name: str, work: list[Callable[[], Awaitable[None]]], signature: float
) -> None:
    """Do the work, some at a time, and print what it cost."""
    queue = list(reversed(work))
    cpu, wall = server.cpu_seconds, time.perf_counter()

    async def worker() -> None:
        while queue:
            await queue.pop()()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    cpu, wall = server.cpu_seconds - cpu, time.perf_counter() - wall
    each = cpu / len(work)
    print(
        f"| {name:<24} | {len(work) / wall:>8.0f} | {len(work) / cpu:>12.0f} | "
        f"{each * 1e6:>8.0f} | {each / signature:>12.1f} |"
    )


def signature_seconds() -> float:
    """What one RS256 signature costs here and now."""
    key = SigningKey.load("bench", tokens.generate_key())
    signer = tokens.Tokens([key], "https://bench.example")
    began = time.process_time()
    for _ in range(500):
        signer.sign_handshake(["x" * 200])
    return (time.process_time() - began) / 500


async def main() -> None:
    signature = signature_seconds()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            print(f"start-up to the first answer: {server.start_seconds:.2f} s")
            print(f"memory when idle: {server.memory_mb:.0f} MB")
            print(f"one RS256 signature: {signature * 1e6:.0f} us\n")
            print(
                "| what                     | a second | a CPU-second |   CPU us | signatures   |"
            )
            print(
                "|--------------------------|---------:|-------------:|---------:|-------------:|"
            )
            limits = httpx.Limits(max_connections=AT_ONCE)
            async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60) as http:
                people = [Person(http, number) for number in range(PEOPLE)]
                await measure(
                    server, "sign-up (3 requests)", [p.sign_up for p in people], signature
                )
                await measure(server, "sign-out and in (4)", [p.sign_in for p in people], signature)
                refreshes = [people[n % PEOPLE].refresh for n in range(REFRESHES)]
                await measure(server, "token refresh", refreshes, signature)
            print(f"\nmemory afterwards: {server.memory_mb:.0f} MB")
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main())
