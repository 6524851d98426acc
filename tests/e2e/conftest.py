"""The real thing: Doorcode, the example app on the real npm packages, and Chromium.

    sdk            examples/nextjs/node_modules, installed when the lock file changed
    └── server     `doorcode dev` on a free port with an empty data directory
        ├── inbox  what the server sent
        └── app    `next build` and `next start`: the browser reaches the server through it
            └── app_apart    `next dev`: the browser reaches the server on its own origin

    browser → context → page → visitor     one person in a fresh browser profile

Nothing is intercepted or faked: every request a page makes is a request on the wire.
"""

from __future__ import annotations

import hashlib
import itertools
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
    Locator,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "nextjs"
RESULTS = ROOT / "test-results" / "e2e"

PRINTED_SETTINGS = (
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    "CLERK_SECRET_KEY",
    "NEXT_PUBLIC_CLERK_PROXY_URL",
    "NEXT_PUBLIC_CLERK_JS_URL",
    "NEXT_PUBLIC_CLERK_UI_URL",
    "CLERK_API_URL",
)
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

NODE = (20, 9)

expect.set_options(timeout=20_000)


# ── what a test can find missing ──────────────────────────────────────────────────────
def _unavailable(reason: str) -> NoReturn:
    """A tool is missing: a reason to skip on a laptop, a failure where tests must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _tool(*names: str, needed_for: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    _unavailable(f"{names[0]} is not installed; it is needed to {needed_for}.")


def _expect_node(node: str) -> None:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = printed.stdout.strip().removeprefix("v")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < NODE:
        _unavailable(f"Node.js {version} is too old; Next.js needs 20.9 or newer.")


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


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=60, follow_redirects=False).status_code < 500
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _clean_environment(**settings: str) -> dict[str, str]:
    """This environment without the settings of a Doorcode or Clerk app of the developer's."""
    foreign = re.compile(r"(NEXT_|CLERK_|DOORCODE_|NODE_ENV$|PORT$|FORCE_COLOR$)")
    inherited = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return inherited | settings


@pytest.fixture(scope="session")
def running() -> list[Background]:
    """Every process that is up, so that a failing test can show what they wrote."""
    return []


# ── the server ────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="session")
def chromium() -> str:
    return _tool(
        "chromium", "chromium-browser", "google-chrome", needed_for="run the browser tests"
    )


@pytest.fixture(scope="session")
def sdk(chromium: str) -> Path:  # what is missing is said before time goes into a build
    """The `@clerk` packages of the example, as the lock file names them."""
    _expect_node(_tool("node", needed_for="run the example app"))
    npm = _tool("npm", needed_for="install the example app")
    stamp = EXAMPLE / "node_modules" / ".doorcode-e2e"
    wanted = hashlib.sha256(
        (EXAMPLE / "package-lock.json").read_bytes() + (EXAMPLE / "package.json").read_bytes()
    ).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        done = subprocess.run(
            [npm, "ci", "--no-progress"],
            cwd=EXAMPLE,
            capture_output=True,
            text=True,
            check=False,
            env=_clean_environment(),
        )
        if done.returncode != 0:
            _unavailable(f"`npm ci` could not install the example app:\n{done.stderr[-3000:]}")
        stamp.write_text(wanted)
    return EXAMPLE / "node_modules" / "@clerk"


@dataclass(frozen=True)
class Server:
    url: str
    settings: dict[str, str]


def _printed_settings(output: str) -> dict[str, str]:
    return dict(re.findall(r"^((?:NEXT_PUBLIC_)?CLERK_[A-Z_]+)=(\S+)$", output, re.MULTILINE))


@pytest.fixture(scope="session")
def server(
    sdk: Path, running: list[Background], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("doorcode")
    port = _free_port()
    url = f"http://localhost:{port}"
    process = Background.start(
        "doorcode dev",
        [str(Path(sys.executable).with_name("doorcode")), "dev", "--port", str(port)],
        home / "server.log",
        cwd=home,
        env=_clean_environment(
            DOORCODE_DATA=str(home / "data"),
            DOORCODE_LIMITS_NETWORK="off",
            DOORCODE_SDK_DIR=str(sdk),
        ),
    )
    running.append(process)
    try:
        process.wait_until(lambda: _answers(f"{url}/v1/health"), seconds=30)
        settings = _printed_settings(process.output())
        assert sorted(settings) == sorted(PRINTED_SETTINGS), process.output()
        yield Server(url, settings)
    finally:
        process.stop()
        running.remove(process)


# ── the app ───────────────────────────────────────────────────────────────────────────
NEXT = ["node", "node_modules/next/dist/bin/next"]
QUIET = {"NEXT_TELEMETRY_DISABLED": "1", "NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED": "1"}


@pytest.fixture(scope="session")
def app(
    server: Server, running: list[Background], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The built app; the browser reaches the server through it, on one origin."""
    environment = _clean_environment(
        **QUIET,
        **server.settings
        | {
            "NEXT_PUBLIC_CLERK_PROXY_URL": "/__clerk",
            # Empty rather than absent, so that no `.env.local` fills them in.
            "NEXT_PUBLIC_CLERK_JS_URL": "",
            "NEXT_PUBLIC_CLERK_UI_URL": "",
        },
    )
    built = subprocess.run(
        [*NEXT, "build"],
        cwd=EXAMPLE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        pytest.fail(f"`next build` failed:\n{built.stdout[-5000:]}", pytrace=False)
    yield from _run_app(
        "next start", ["start"], environment, running, tmp_path_factory.mktemp("next-start")
    )


@pytest.fixture(scope="module")
def app_apart(
    app: str,  # built first: building and developing at once would share one directory
    server: Server,
    running: list[Background],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The same app under `next dev` with the settings as the server prints them.

    The browser reaches the server on the server's own origin.
    """
    yield from _run_app(
        "next dev",
        ["dev"],
        _clean_environment(**QUIET, **server.settings),
        running,
        tmp_path_factory.mktemp("next-dev"),
    )


def _run_app(
    name: str,
    command: list[str],
    environment: dict[str, str],
    running: list[Background],
    logs: Path,
) -> Iterator[str]:
    port = _free_port()
    url = f"http://localhost:{port}"
    process = Background.start(
        name,
        [*NEXT, *command, "--port", str(port), "--hostname", "localhost"],
        logs / "app.log",
        cwd=EXAMPLE,
        env=environment,
    )
    running.append(process)
    try:
        process.wait_until(lambda: _answers(f"{url}/sign-up"), seconds=90)
        yield url
    finally:
        process.stop()
        running.remove(process)


# ── what was sent, and to whom ────────────────────────────────────────────────────────
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


@pytest.fixture(scope="session")
def inbox(server: Server) -> Inbox:
    return Inbox(server.url)


_numbers = itertools.count(2000)
_test_numbers = itertools.count(100)
_names = itertools.count(1)


@pytest.fixture
def new_phone() -> Callable[[], str]:
    """A valid phone number that nobody has used yet."""
    return lambda: f"+1415555{next(_numbers)}"


@pytest.fixture
def new_test_phone() -> Callable[[], str]:
    """A number whose code is always 424242."""
    return lambda: f"+1415555{next(_test_numbers):04}"


@pytest.fixture
def new_email() -> Callable[[], str]:
    return lambda: f"person{next(_names)}@example.com"


@pytest.fixture
def wrong() -> Callable[[str], str]:
    """A code of the right shape that is not the given one."""
    return lambda code: f"{(int(code) + 1) % 1_000_000:06}"


# ── the browser ───────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # Once a module, not once a session: an open Playwright keeps this thread's event
    # loop running, and asynchronous tests elsewhere could not start theirs.
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


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


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
def context(browser: Browser, traffic: Traffic) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="en-US", viewport={"width": 420, "height": 860})
    traffic.watch(opened)
    yield opened
    opened.close()
    assert traffic.hosts <= {"localhost"}, f"requests left this machine: {traffic.hosts}"
    assert traffic.errors == [], "the pages reported errors"


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield opened
    if _failed(request.node):
        RESULTS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", request.node.name)
        opened.screenshot(path=RESULTS / f"{name}.png")


class Visitor:
    """A person in front of the app, in the words of its pages."""

    def __init__(self, page: Page, app: str) -> None:
        self.page = page
        self.app = app

    def open(self, path: str) -> Response:
        answer = self.page.goto(self.app + path)
        assert answer is not None
        return answer

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    # the forms
    def submit_sign_up(self, *, phone: str = "", email: str = "") -> None:
        self.open("/sign-up/email" if email else "/sign-up")
        self.page.get_by_label("E-mail address" if email else "Phone number").fill(phone or email)
        self.press("Sign up")

    def submit_sign_in(self, *, phone: str = "", email: str = "") -> None:
        self.open("/sign-in/email" if email else "/sign-in")
        field = "Enter e-mail address" if email else "Enter phone number"
        self.page.get_by_label(field).fill(phone or email)
        self.press("Continue")

    @contextmanager
    def is_sent_a_code(self) -> Iterator[None]:
        """The form for the code appears before the code is sent, so that is waited for."""
        with self.page.expect_response(lambda answer: "/prepare_" in answer.url) as sent:
            yield
        assert sent.value.status == 200, sent.value.text()

    def ask_code_to_sign_up(self, *, phone: str = "", email: str = "") -> None:
        with self.is_sent_a_code():
            self.submit_sign_up(phone=phone, email=email)
        self.sees_code_form()

    def ask_code_to_sign_in(self, *, phone: str = "", email: str = "") -> None:
        with self.is_sent_a_code():
            self.submit_sign_in(phone=phone, email=email)
        self.sees_code_form()

    @property
    def code_field(self) -> Locator:
        return self.page.get_by_label("Enter your verification code")

    @property
    def alert(self) -> Locator:
        return self.page.locator("main").get_by_role("alert")

    def sees_code_form(self) -> None:
        expect(self.code_field).to_be_visible()

    def answer(self, code: str) -> None:
        self.code_field.fill(code)
        self.press("Verify")

    # whole flows
    def sign_up(self, code_of: Callable[[], str], *, phone: str = "", email: str = "") -> None:
        self.ask_code_to_sign_up(phone=phone, email=email)
        self.answer(code_of())
        self.arrives("/dashboard")

    def sign_in(self, code_of: Callable[[], str], *, phone: str = "", email: str = "") -> None:
        self.ask_code_to_sign_in(phone=phone, email=email)
        self.answer(code_of())
        self.arrives("/")
        self.sees_signed_in()

    def sign_out(self) -> None:
        self.open("/")
        self.press("Sign out")
        self.sees_signed_out()

    # what can be seen
    def arrives(self, path: str) -> None:
        expect(self.page).to_have_url(self.app + path)

    def sees_signed_in(self) -> None:
        expect(self.page.get_by_role("heading", name="You are signed in")).to_be_visible()

    def sees_signed_out(self) -> None:
        expect(self.page.get_by_role("heading", name="You are signed out")).to_be_visible()

    def sees(self, what: str, value: str) -> None:
        expect(self.page.get_by_test_id(what)).to_have_text(value)

    def user_id(self) -> str:
        shown = self.page.get_by_test_id("user-id")
        expect(shown).to_have_text(re.compile(r"^user_\w+$"))
        return shown.inner_text()

    def is_refused_the_dashboard(self) -> None:
        answer = self.open("/dashboard")
        assert urlsplit(answer.url).path == "/sign-in"
        assert "user_" not in answer.text()


@pytest.fixture
def visitor(page: Page, app: str) -> Visitor:
    return Visitor(page, app)


@pytest.fixture
def visitor_apart(page: Page, app_apart: str) -> Visitor:
    return Visitor(page, app_apart)


# ── what a failing test shows ─────────────────────────────────────────────────────────
_report = pytest.StashKey[pytest.TestReport]()


def _failed(item: pytest.Item) -> bool:
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


@pytest.fixture(autouse=True)
def _show_what_processes_wrote(running: list[Background]) -> None:
    """Forget what was written before this test, so that a failure shows its own part."""
    for process in running:
        process.fresh_output()
