"""The pages in real Chromium with JavaScript off, against `doorcode dev` in its own process."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

DOORCODE = Path(sys.executable).with_name("doorcode")
PHONE, EMAIL = "+14155552671", "ada.lovelace@example.com"
WAIT_SECONDS = 20

pytestmark = pytest.mark.e2e


def unavailable(reason: str) -> NoReturn:
    """A reason to skip on a laptop, a failure where tests must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/v1/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("`doorcode dev` did not answer")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server with an empty data directory."""
    port = free_port()
    settings = {
        "DOORCODE_PORT": str(port),
        "DOORCODE_DATA": str(tmp_path / "data"),
        "DOORCODE_LIMITS_NETWORK": "off",
    }
    with subprocess.Popen(
        [str(DOORCODE), "dev"], env=os.environ | settings, stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(f"http://localhost:{port}", process)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        unavailable("chromium is not installed; it is needed to look at the pages.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A phone-sized browser without JavaScript; what the policy blocks is a failure."""
    viewport = {"width": 360, "height": 740}
    context = chromium.new_context(
        base_url=server,
        java_script_enabled=False,
        viewport=viewport,  # type: ignore[arg-type]
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    context.close()
    # A refused form is answered with 422, which Chromium notes as well.
    assert not [text for text in complaints if "Failed to load resource" not in text]


def sent(server: str, to: str) -> list[str]:
    answer = httpx.get(f"{server}/inbox/messages", params={"to": to}).raise_for_status()
    return [letter["code"] for letter in answer.json()]


def give_address(page: Page, to: str) -> None:
    page.get_by_label("Phone number or e-mail address").fill(to)
    page.get_by_role("button", name="Continue").click()


def give_code(page: Page, way: str, code: str) -> None:
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name=way).click()


@pytest.mark.parametrize("to", [PHONE, EMAIL])
def test_sign_up_sign_out_and_sign_in(page: Page, server: str, to: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign up").click()
    give_address(page, to)
    expect(page.get_by_text(to)).to_be_visible()
    page.reload()
    give_code(page, "Sign up", sent(server, to)[0])
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    expect(page.get_by_text(to)).to_be_visible()
    page.reload()
    expect(page.get_by_text(to)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    give_address(page, to)
    give_code(page, "Sign in", sent(server, to)[0])
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    assert len(sent(server, to)) == 2  # one to sign up, one to sign in


def test_mistakes_are_told_and_can_be_mended(page: Page, server: str) -> None:
    page.goto("/sign-up")
    give_address(page, "415 555 2671")
    expect(page.get_by_role("alert")).to_contain_text("country code")
    expect(page).to_have_title(re.compile("^Error: "))
    give_address(page, PHONE)

    code = sent(server, PHONE)[0]
    give_code(page, "Sign up", "000000" if code != "000000" else "111111")
    expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_role("button", name="Send a new code").click()
    expect(page.get_by_text("Sent just now")).to_be_visible()
    assert len(sent(server, PHONE)) == 1  # the same click

    page.get_by_role("button", name="Use another address").click()
    give_address(page, EMAIL)
    give_code(page, "Sign up", sent(server, EMAIL)[0])
    expect(page.get_by_text(EMAIL)).to_be_visible()


def test_way_back_to_an_app_on_another_origin(page: Page, server: str) -> None:
    """Chromium holds `form-action` against the redirect that follows the form as well."""
    other = server.replace("localhost", "127.0.0.1")
    page.goto(f"/sign-up?redirect_url={quote(other + '/v1/health', safe='')}")
    give_address(page, PHONE)
    give_code(page, "Sign up", sent(server, PHONE)[0])
    expect(page).to_have_url(f"{other}/v1/health")


def test_inbox_shows_the_code(page: Page, server: str) -> None:
    page.goto("/sign-up")
    give_address(page, PHONE)
    page.goto("/inbox")
    expect(page.get_by_label("Code")).to_have_text(sent(server, PHONE)[0])


@pytest.mark.parametrize("path", ["/", "/sign-up", "/sign-in", "/inbox"])
def test_fits_a_small_phone(page: Page, path: str) -> None:
    page.goto(path)
    shown = page.locator("main").bounding_box()
    assert shown is not None
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= 360
    for control in page.locator("main :is(button, .button, input)").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= 360
