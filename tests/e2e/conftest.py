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

import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect
from tests.cloudflare import SECRET, Cloudflare, open_cloudflare
from tests.e2e.components import Components
from tests.e2e.processes import (
    ROOT,
    Background,
    Inbox,
    Rules,
    Server,
    Traffic,
    answers,
    chromium_program,
    clean_environment,
    doorcode_dev,
    free_port,
    install,
    kept_running,
    launched_browser,
    pictured_page,
    pytest_runtest_makereport,
    watched_context,
)

# The hook that shows what the processes wrote is shared: pytest finds it by its name here.
__all__ = ["pytest_runtest_makereport"]

EXAMPLE = ROOT / "examples" / "nextjs"
RESULTS = ROOT / "test-results" / "e2e"

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def running() -> list[Background]:
    """Every process that is up, so that a failing test can show what they wrote."""
    return []


# ── the server ────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="session")
def chromium() -> str:
    return chromium_program()


@pytest.fixture(scope="session")
def sdk(chromium: str) -> Path:  # what is missing is said before time goes into a build
    """The `@clerk` packages of the example, as the lock file names them."""
    return install(EXAMPLE) / "@clerk"


@pytest.fixture(scope="session")
def cloudflare() -> Iterator[Cloudflare]:
    """Where the server checks challenges; it asks for none unless a test turns them on."""
    with open_cloudflare() as cloudflare:
        yield cloudflare


@pytest.fixture(scope="session")
def server(
    sdk: Path,
    cloudflare: Cloudflare,
    running: list[Background],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    check = {"DOORCODE_TURNSTILE_SECRET": SECRET, "DOORCODE_TURNSTILE_URL": cloudflare.url}
    with doorcode_dev(sdk, tmp_path_factory.mktemp("doorcode"), running, **check) as server:
        yield server


@pytest.fixture
def rules(server: Server) -> Iterator[Rules]:
    """What the server asks of people; as it was when the test is over."""
    rules = Rules(server)
    try:
        yield rules
    finally:
        rules.restore()


# ── the app ───────────────────────────────────────────────────────────────────────────
NEXT = ["node", "node_modules/next/dist/bin/next"]
QUIET = {"NEXT_TELEMETRY_DISABLED": "1", "NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED": "1"}


@pytest.fixture(scope="session")
def app(
    server: Server, running: list[Background], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The built app; the browser reaches the server through it, on one origin."""
    environment = clean_environment(
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
        clean_environment(**QUIET, **server.settings),
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
    port = free_port()
    url = f"http://localhost:{port}"
    whole = [*NEXT, *command, "--port", str(port), "--hostname", "localhost"]
    with kept_running(
        running, name, whole, logs / "app.log", cwd=EXAMPLE, env=environment
    ) as process:
        process.wait_until(lambda: answers(f"{url}/sign-up"), seconds=90)
        yield url


# ── what was sent, and to whom ────────────────────────────────────────────────────────
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
    with launched_browser(chromium) as browser:
        yield browser


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
def context(browser: Browser, traffic: Traffic) -> Iterator[BrowserContext]:
    with watched_context(browser, traffic) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    with pictured_page(context, request.node, RESULTS) as page:
        yield page


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
def components(visitor: Visitor, inbox: Inbox) -> Components:
    """The SDK's ready-made components, in front of the same person."""
    return Components(visitor, inbox)


@pytest.fixture
def elsewhere(browser: Browser, app: str) -> Iterator[Visitor]:
    """Somebody on another device."""
    with watched_context(browser, Traffic()) as context:
        yield Visitor(context.new_page(), app)


@pytest.fixture
def visitor_apart(page: Page, app_apart: str) -> Visitor:
    return Visitor(page, app_apart)


@pytest.fixture(scope="session")
def visit() -> Callable[[Page, str], Visitor]:
    """A person in front of another app, in a browser of the test's own."""
    return Visitor


@pytest.fixture(autouse=True)
def _show_what_processes_wrote(running: list[Background]) -> None:
    """Forget what was written before this test, so that a failure shows its own part."""
    for process in running:
        process.fresh_output()
