"""Each SDK's example app on the real npm packages, against one Doorcode, in Chromium.

    server      `doorcode dev` on a free port, with the browser files of examples/clerk-js
    └── workshop     installs, builds and starts an example app; see harness.py

    browser → context → page     a fresh browser profile for each test

Nothing is intercepted or faked. A test fails where a request left this machine, and where a
page reported an error.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.e2e.processes import (
    ROOT,
    Background,
    Server,
    Traffic,
    chromium_program,
    doorcode_dev,
    install,
    launched_browser,
    pictured_page,
    pytest_runtest_makereport,
    watched_context,
)
from tests.sdks.harness import EXAMPLES, Workshop

# The hook that shows what the processes wrote is shared: pytest finds it by its name here.
__all__ = ["pytest_runtest_makereport"]

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def running() -> list[Background]:
    """Every process that is up, so that a failing test can show what they wrote."""
    return []


@pytest.fixture(scope="session")
def chromium() -> str:
    return chromium_program()


@pytest.fixture(scope="session")
def server(
    chromium: str,  # what is missing is said before time goes into an installation
    running: list[Background],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    sdk = install(EXAMPLES / "clerk-js") / "@clerk"
    with doorcode_dev(sdk, tmp_path_factory.mktemp("doorcode"), running) as server:
        yield server


@pytest.fixture(scope="session")
def workshop(
    server: Server, running: list[Background], tmp_path_factory: pytest.TempPathFactory
) -> Workshop:
    return Workshop(server, running, tmp_path_factory.mktemp("apps"))


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
    with pictured_page(context, request.node, ROOT / "test-results" / "sdks") as page:
        yield page


@pytest.fixture(autouse=True)
def _show_what_processes_wrote(running: list[Background]) -> None:
    """Forget what was written before this test, so that a failure shows its own part."""
    for process in running:
        process.fresh_output()
