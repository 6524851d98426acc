"""The quickstart runs as a newcomer runs it: a real server, a real process, the printed states."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.py"
DOORCODE = Path(sys.executable).with_name("doorcode")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the server did not start"
        try:
            httpx.get(f"{url}/v1/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not answer within ten seconds")


@contextmanager
def running(data: Path, **settings: str) -> Iterator[str]:
    """Run a server and give its URL."""
    port = free_port()
    environment = os.environ | settings
    command = [str(DOORCODE), "dev", "--port", str(port), "--data", str(data)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://localhost:{port}", process)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("data"), DOORCODE_LIMITS_NETWORK="off") as address:
        yield address


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(QUICKSTART), *arguments]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_quickstart_prints_every_state(url: str) -> None:
    outcome = run(url)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    states = [line.strip() for line in outcome.stdout.splitlines() if "→ status" in line]
    signing_up = ["→ status: missing_requirements", "→ status: complete"]
    signing_in = ["→ status: needs_first_factor", "→ status: complete"]
    assert states == [*signing_up, *signing_in] * 2
    assert outcome.stdout.count("→ unverified_fields: phone_number") == 1
    assert outcome.stdout.count("→ signed in: user_") == 4
    assert outcome.stdout.count("→ is_signed_in: False") == 4


def test_quickstart_shows_what_goes_wrong(url: str) -> None:
    told = run(url).stdout
    assert "→ errors.fields.code: is incorrect (form_code_incorrect)" in told
    assert "→ errors.fields.email_address: " in told
    assert "(form_param_format_invalid)" in told


def test_quickstart_can_be_run_again(url: str) -> None:
    assert [run(url).returncode for _ in range(2)] == [0, 0]


def test_quickstart_in_a_hurry_says_how_long_to_wait(tmp_path: Path) -> None:
    with running(tmp_path, DOORCODE_LIMITS_NETWORK="on") as address:
        outcomes = [run(address) for _ in range(3)]
    assert outcomes[0].returncode == 0
    assert "Try again in" in outcomes[-1].stderr
    assert "Traceback" not in outcomes[-1].stderr


def test_quickstart_without_a_server_says_what_to_do() -> None:
    outcome = run(f"http://localhost:{free_port()}")
    assert outcome.returncode == 1
    assert "make dev" in outcome.stderr
    assert "Traceback" not in outcome.stderr
