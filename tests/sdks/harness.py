"""What each SDK's test is made of: an example app that runs, and a person who signs up in it.

A test file for an SDK has a fixture that starts the app, and calls the driver:

    @pytest.fixture(scope="module")
    def app(workshop):
        settings = workshop.settings("VITE_")
        build = ["node", "node_modules/vite/bin/vite.js", "build"]
        serve = ["node", "node_modules/vite/bin/vite.js", "preview", "--port", "{port}"]
        with workshop.app("react", serve, settings, build=build) as app:
            yield app

    def test_a_person_signs_up_and_in(page, app):
        person = sign_up_and_in(page, app)
        assert me(page, app).json()["phone"] == person.phone

What the driver asks of an app, be its pages ready-made components or forms of its own:
  - `app.sign_up` and `app.sign_in` are paths of pages with an `<input type="tel">` (ready-made
    components may show it after "Use phone") and a button "Sign up", "Sign in" or "Continue";
  - then an `<input autocomplete="one-time-code">` and, in a form of its own, a button "Verify";
  - whoever has signed in sees their user id in an element with `data-testid="user-id"`, wherever
    the app leads them, and on the page `app.home`;
  - `app.home` has a button "Sign out", or the SDK's user button.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIResponse, Error, Locator, Page, expect
from tests.e2e.processes import (
    ROOT,
    Background,
    Inbox,
    Server,
    Traffic,
    answers,
    clean_environment,
    free_port,
    install,
    kept_running,
)

EXAMPLES = ROOT / "examples"
PREBUILT = ".cl-rootBox"  # the outermost element of every ready-made component

_numbers = itertools.count(2000)


# ── apps ──────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class App:
    """An example app that is up."""

    url: str
    inbox: Inbox
    sign_up: str = "/sign-up"
    sign_in: str = "/sign-in"
    home: str = "/"


@dataclass(frozen=True)
class Workshop:
    """Installs, builds and starts example apps, all of them against one Doorcode."""

    server: Server
    running: list[Background]
    logs: Path

    def settings(self, prefix: str = "") -> dict[str, str]:
        """What Doorcode printed, under the names of another SDK than Next.js's.

        `prefix` is what that SDK's bundler shows to browsers, such as `VITE_` or `PUBLIC_`.
        """
        public = "NEXT_PUBLIC_"
        return {name.replace(public, prefix): value for name, value in self.server.settings.items()}

    @contextmanager
    def app(
        self,
        example: str,
        command: list[str],
        settings: dict[str, str] | None = None,
        *,
        build: list[str] | None = None,
        ready: str = "/",
        **pages: str,
    ) -> Iterator[App]:
        """The example, installed, built where `build` is given, and started by `command`.

        `{port}` in the command and in the settings becomes the app's port, which is also in
        the variable PORT. `pages` are the paths of an `App`; `ready` is the path that must
        answer before the app counts as up.
        """
        folder = EXAMPLES / example
        install(folder)
        port = str(free_port())
        values = self.settings() if settings is None else settings
        environment = clean_environment(
            PORT=port,
            **{name: value.replace("{port}", port) for name, value in values.items()},
        )
        if build:
            _run(f"{example} build", build, folder, environment)
        url = f"http://localhost:{port}"
        with kept_running(
            self.running,
            example,
            [word.replace("{port}", port) for word in command],
            self.logs / f"{example}-{port}.log",
            cwd=folder,
            env=environment,
        ) as process:
            process.wait_until(lambda: answers(url + ready), seconds=90)
            yield App(url, Inbox(self.server.url), **pages)


def _run(name: str, command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{name} failed:\n{done.stdout[-5000:]}", pytrace=False)


# ── people ────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Person:
    phone: str
    user_id: str


def new_phone() -> str:
    """A valid phone number that nobody has used yet."""
    return f"+1415555{next(_numbers)}"


def sign_up_and_in(page: Page, app: App) -> Person:
    """Somebody new signs up by a code, signs out, and signs in by a second code."""
    person = sign_up(page, app)
    sign_out(page, app)
    assert sign_in(page, app, person.phone) == person
    assert len(app.inbox.messages(person.phone)) == 2
    return person


def sign_up(page: Page, app: App) -> Person:
    return _by_code(page, app, app.sign_up, new_phone())


def sign_in(page: Page, app: App, phone: str) -> Person:
    return _by_code(page, app, app.sign_in, phone)


def sign_out(page: Page, app: App) -> None:
    page.goto(app.url + app.home)
    assert user_id(page)
    plain = page.get_by_role("button", name="Sign out", exact=True)
    trigger = page.locator(".cl-userButtonTrigger")
    expect(plain.or_(trigger).first).to_be_visible()
    if not plain.is_visible():
        trigger.click()
        plain = page.locator(".cl-userButtonPopoverActionButton__signOut")
    plain.click()
    expect(shown_id(page)).to_have_count(0)


def shown_id(page: Page) -> Locator:
    return page.get_by_test_id("user-id")


def user_id(page: Page) -> str:
    """The id that the app shows to whoever is signed in; waits for it."""
    expect(shown_id(page)).to_have_text(re.compile(r"^user_\w+$"))
    return shown_id(page).inner_text()


def me(page: Page, app: App, path: str = "/api/me", **options: Any) -> APIResponse:
    """What the app's own server says about the browser's user, asked with its cookies."""
    return page.context.request.get(app.url + path, max_redirects=0, **options)


def lose_session_token(page: Page) -> None:
    """As after a long absence: the client's cookie is left, the session token's is not."""
    page.goto("about:blank")  # no script of the SDK is left to write the cookie anew
    page.context.clear_cookies(name=re.compile("^__session"))


def _by_code(page: Page, app: App, path: str, phone: str) -> Person:
    sent_before = len(app.inbox.messages(phone))
    _go(page, app.url + path)
    enter_number(page, phone)
    expect(_code_field(page)).to_be_visible()
    enter_code(page, next_code(app.inbox, phone, sent_before))
    return Person(phone, user_id(page))


def _go(page: Page, url: str) -> None:
    """Go there, even where the SDK is still on its way home after signing somebody out."""
    for _ in range(5):
        try:
            page.goto(url)
        except Error as interrupted:
            if "interrupted by another navigation" not in interrupted.message:
                raise
            page.wait_for_load_state("networkidle")
        else:
            return
    raise AssertionError(f"the app never stopped leading elsewhere from {url}")


def enter_number(page: Page, phone: str) -> None:
    number = page.locator('input[type="tel"]')
    switch = page.get_by_text("Use phone", exact=False)
    expect(number.or_(switch).first).to_be_visible()
    if not number.is_visible():
        switch.click()
    # The ready-made component shows the country beside the number, and takes it from a whole one.
    number.fill(phone)
    named = re.compile("^(Sign up|Sign in|Continue)$")
    page.locator("form").filter(has=number).get_by_role("button", name=named).click()


def enter_code(page: Page, code: str) -> None:
    """Types a code; the ready-made component sends the sixth digit off by itself."""
    by_hand = page.locator(PREBUILT).count() == 0
    _code_field(page).press_sequentially(code)
    if by_hand:
        page.get_by_role("button", name="Verify", exact=True).click()


def _code_field(page: Page) -> Locator:
    return page.locator('input[autocomplete="one-time-code"]')


def next_code(inbox: Inbox, phone: str, sent_before: int = 0) -> str:
    """The newest code sent to a number, once there are more than before."""
    # A form for the code may appear before the server has answered that it sent one.
    deadline = time.monotonic() + 15
    while len(inbox.messages(phone)) <= sent_before:
        assert time.monotonic() < deadline, f"nothing was sent to {phone}"
        time.sleep(0.1)
    return inbox.code(phone)


def expect_through_the_app(traffic: Traffic, app: App, server: Server) -> None:
    """The browser asked the app, and Doorcode itself for pictures of people and nothing else."""
    asked = [urlsplit(url) for url in traffic.urls if url.startswith("http")]
    own = urlsplit(app.url).netloc
    elsewhere = [url for url in asked if url.netloc != own]
    assert any(url.netloc == own for url in asked)
    # Pictures have one address whatever page shows them: the server's own.
    assert {url.netloc for url in elsewhere} <= {urlsplit(server.url).netloc}, elsewhere
    assert all(url.path.startswith("/v1/images/") for url in elsewhere), elsewhere
