"""What the browser suites share: processes, Doorcode, its inbox, and a browser that is watched."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
NODE = (20, 9)  # the oldest that the SDKs allow

PRINTED_SETTINGS = (
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    "CLERK_SECRET_KEY",
    "NEXT_PUBLIC_CLERK_PROXY_URL",
    "NEXT_PUBLIC_CLERK_JS_URL",
    "NEXT_PUBLIC_CLERK_UI_URL",
    "CLERK_API_URL",
)


# ── what a test can find missing ──────────────────────────────────────────────────────
def unavailable(reason: str) -> NoReturn:
    """A tool is missing: a reason to skip on a laptop, a failure where tests must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def tool(*names: str, needed_for: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    unavailable(f"{names[0]} is not installed; it is needed to {needed_for}.")


def expect_node(node: str) -> None:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = printed.stdout.strip().removeprefix("v")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < NODE:
        unavailable(f"Node.js {version} is too old; the example apps need 20.9 or newer.")


# ── processes ─────────────────────────────────────────────────────────────────────────
@dataclass
class Background:
    """A process of its own group, its output in a file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    seen: int = 0

    @classmethod
    def start(cls, name: str, command: list[str], log: Path, **options: Any) -> Background:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )
        return cls(name, process, log)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def fresh_output(self) -> str:
        """What was written since the last call."""
        text = self.output()
        fresh, self.seen = text[self.seen :], len(text)
        return fresh

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail(
                    f"{self.name} ended with {self.process.returncode}:\n{self.output()}",
                    pytrace=False,
                )
            if ready():
                return
            time.sleep(0.1)
        pytest.fail(
            f"{self.name} was not ready after {seconds:g} s:\n{self.output()}", pytrace=False
        )

    def stop(self) -> None:
        for final in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, final)
            except ProcessLookupError:
                break
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=60, follow_redirects=False).status_code < 500
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(**settings: str) -> dict[str, str]:
    """This environment without the settings of a Doorcode or Clerk app of the developer's."""
    foreign = re.compile(
        r"((NEXT|NUXT|VITE|EXPO|PUBLIC|NITRO|CLERK|DOORCODE)_|(NODE_ENV|HOST|PORT|FORCE_COLOR)$)"
    )
    inherited = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return inherited | settings


def install(example: Path) -> Path:
    """The packages of an example as its lock file names them; once for each lock file."""
    expect_node(tool("node", needed_for="run the example apps"))
    npm = tool("npm", needed_for="install the example apps")
    modules = example / "node_modules"
    stamp = modules / ".doorcode-e2e"
    wanted = hashlib.sha256(
        (example / "package-lock.json").read_bytes() + (example / "package.json").read_bytes()
    ).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        done = subprocess.run(
            [npm, "ci", "--no-progress"],
            cwd=example,
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        if "EUSAGE" in done.stderr:  # no missing tool: the lock file is out of step
            pytest.fail(f"`npm ci` refuses {example.name}:\n{done.stderr[-3000:]}", pytrace=False)
        if done.returncode != 0:
            unavailable(f"`npm ci` could not install {example.name}:\n{done.stderr[-3000:]}")
        stamp.write_text(wanted)
    return modules


@contextmanager
def kept_running(
    running: list[Background], name: str, command: list[str], log: Path, **options: Any
) -> Iterator[Background]:
    """A process that is up as long as the block runs, and listed so that failures show it."""
    process = Background.start(name, command, log, **options)
    running.append(process)
    try:
        yield process
    finally:
        process.stop()
        running.remove(process)


# ── Doorcode ──────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Server:
    url: str
    settings: dict[str, str]
    data: Path


@contextmanager
def doorcode_dev(sdk: Path, home: Path, running: list[Background], **more: str) -> Iterator[Server]:
    """`doorcode dev` on a free port with an empty data directory; `sdk` is the `@clerk` folder.

    `more` is set in its environment besides.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    command = [str(Path(sys.executable).with_name("doorcode")), "dev", "--port", str(port)]
    environment = clean_environment(
        DOORCODE_DATA=str(home / "data"),
        DOORCODE_LIMITS_NETWORK="off",
        DOORCODE_SDK_DIR=str(sdk),
        **more,
    )
    with kept_running(
        running, "doorcode dev", command, home / "server.log", cwd=home, env=environment
    ) as process:
        process.wait_until(lambda: answers(f"{url}/v1/health"), seconds=30)
        settings = printed_settings(process.output())
        assert sorted(settings) == sorted(PRINTED_SETTINGS), process.output()
        yield Server(url, settings, home / "data")


class Rules:
    """What the server asks of people, changed by its own command while it runs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._usual = self._environment()
        self._changed: list[str] = []

    def change(self, settings: dict[str, str]) -> None:
        """Back when the server answers by them."""
        before = self._environment()
        self._command("set", *(part for setting in settings.items() for part in setting))
        self._changed += settings
        self._wait_until(lambda: self._environment() != before)

    def restore(self) -> None:
        if self._changed:
            self._command("unset", *self._changed)
            self._wait_until(lambda: self._environment() == self._usual)

    def _environment(self) -> Any:
        return httpx.get(f"{self._server.url}/v1/environment", timeout=10).json()

    def _command(self, *arguments: str) -> None:
        program = str(Path(sys.executable).with_name("doorcode"))
        done = subprocess.run(
            [program, "settings", *arguments, "--data", str(self._server.data)],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        assert done.returncode == 0, done.stderr

    def _wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 15
        while not true():
            assert time.monotonic() < deadline, "the server did not take the settings over"
            time.sleep(0.1)


def printed_settings(output: str) -> dict[str, str]:
    return dict(re.findall(r"^((?:NEXT_PUBLIC_)?CLERK_[A-Z_]+)=(\S+)$", output, re.MULTILINE))


class Inbox:
    """The development inbox: what the server would have sent by SMS and e-mail."""

    def __init__(self, server: str) -> None:
        self._messages = f"{server}/inbox/messages"

    def messages(self, to: str) -> list[dict[str, Any]]:
        """Newest first."""
        answer = httpx.get(self._messages, params={"to": to}, timeout=10)
        answer.raise_for_status()
        listed: list[dict[str, Any]] = answer.json()
        return listed

    def code(self, to: str) -> str:
        messages = self.messages(to)
        assert messages, f"nothing was sent to {to}"
        code: str = messages[0]["code"]
        assert re.fullmatch(r"\d{6}", code), messages[0]
        return code


# ── a browser that is watched ─────────────────────────────────────────────────────────
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Chromium itself can find this machine and nothing else.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


@dataclass
class Traffic:
    """What the browser asked for, and what went wrong in its pages."""

    urls: list[str] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._console)

    def _request(self, request: Request) -> None:
        self.urls.append(request.url)

    def _response(self, response: Response) -> None:
        self.answers.append((response.url, response.status))

    def _console(self, message: ConsoleMessage) -> None:
        # A refused form ("Failed to load resource: 422") is what a test may be about.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    @property
    def hosts(self) -> set[str]:
        return {
            urlsplit(url).hostname or ""
            for url in self.urls
            if urlsplit(url).scheme not in ("data", "blob", "about")
        }

    def paths(self) -> list[str]:
        return [urlsplit(url).path for url in self.urls]


@contextmanager
def launched_browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


def chromium_program() -> str:
    return tool("chromium", "chromium-browser", "google-chrome", needed_for="run the browser tests")


@contextmanager
def watched_context(browser: Browser, traffic: Traffic) -> Iterator[BrowserContext]:
    """A fresh browser profile. When it closes, nothing may have left localhost or failed."""
    opened = browser.new_context(locale="en-US", viewport={"width": 420, "height": 860})
    traffic.watch(opened)
    yield opened
    opened.close()
    assert traffic.hosts <= {"localhost"}, f"requests left this machine: {traffic.hosts}"
    assert traffic.errors == [], "the pages reported errors"


@contextmanager
def pictured_page(context: BrowserContext, item: pytest.Item, folder: Path) -> Iterator[Page]:
    """A page, of which a picture is kept where the test failed."""
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield opened
    if failed(item):
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", item.name)
        opened.screenshot(path=folder / f"{name}.png")


# ── what a failing test shows ─────────────────────────────────────────────────────────
_report = pytest.StashKey[pytest.TestReport]()


def failed(item: pytest.Item) -> bool:
    report = item.stash.get(_report, None)
    return report is not None and report.failed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[_report] = report
    processes: list[Background] = getattr(item, "funcargs", {}).get("running", [])
    for process in processes:
        written = process.fresh_output() if report.failed else ""
        if written:
            report.sections.append((f"what {process.name} wrote", written[-8000:]))
    return report
