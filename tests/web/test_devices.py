"""What is read of a User-Agent field, whoever wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.session import Device
from doorcode.web.devices import READ_CHARACTERS, read_user_agent

from .conftest import Builder
from .house import Browser, Plan

M = "Mozilla/5.0 "
KIT = "AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("text", "device"),
    [
        (
            M + "(X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            Device("Firefox", "130.0", "Linux"),
        ),
        (
            M + "(Macintosh; Intel Mac OS X 10_15_7) " + KIT + "Chrome/139.0.0.0 Safari/537.36",
            Device("Chrome", "139.0.0.0", "Macintosh"),
        ),
        (
            M + "(Windows NT 10.0; Win64; x64) " + KIT + "Chrome/139.0 Safari/537.36 Edg/139.0.1",
            Device("Edge", "139.0.1", "Windows"),
        ),
        (
            M + "(iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            Device("Safari", "18.5", "iPhone", is_mobile=True),
        ),
        (
            M + "(iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 CriOS/139.0 Safari/604.1",
            Device("Chrome", "139.0", "iPad", is_mobile=True),
        ),
        (
            M + "(Linux; Android 10; K) " + KIT + "SamsungBrowser/28.0 Chrome/130.0 Mobile "
            "Safari/537.36",
            Device("Samsung Internet", "28.0", "Android", is_mobile=True),
        ),
        (M + "(X11; CrOS x86_64) Chrome/139.0", Device("Chrome", "139.0", "Chromebook")),
        ("curl/8.5.0", Device("curl", "8.5.0")),
        ("node", Device("Node.js")),
        ("", Device()),
        ("something else", Device()),
        ("Firefox/", Device("Firefox")),
        ("Firefox/<script>", Device("Firefox")),
    ],
)
def test_browser_and_device_are_recognised(text: str, device: Device) -> None:
    assert read_user_agent(text) == device


@given(st.text(max_size=READ_CHARACTERS) | st.from_regex(r"(Firefox/|Chrome/|node).{0,80}"))
def test_nothing_of_anybodys_invention_is_shown(text: str) -> None:
    device = read_user_agent(text)
    assert device.browser_name is None or device.browser_name.replace(" ", "").isascii()
    assert set(device.browser_version or "") <= set("0123456789.")
    assert len(device.browser_version or "") <= 23


async def test_a_person_sees_by_what_they_signed_in(browser: Browser) -> None:
    browser.http.headers["user-agent"] = M + "(X11; Linux x86_64; rv:130.0) Firefox/130.0"
    await browser.sign_up()
    (one,) = (await browser.get("/v1/me/sessions/active")).json()
    assert one["latest_activity"] == {
        "object": "session_activity",
        "id": "sess_activity_" + one["id"].removeprefix("sess_"),
        "is_mobile": False,
        "browser_name": "Firefox",
        "browser_version": "130.0",
        "device_type": "Linux",
        "ip_address": "127.0.0.1",
    }


async def test_a_huge_field_is_read_in_part(browser: Browser) -> None:
    browser.http.headers["user-agent"] = "x" * READ_CHARACTERS + "Firefox/130.0"
    await browser.sign_up()
    (one,) = (await browser.get("/v1/me/sessions/active")).json()
    assert "browser_name" not in one["latest_activity"]


async def test_the_address_is_the_one_that_a_trusted_proxy_saw(build: Builder) -> None:
    house = await build(Plan())
    browser = house.browser()
    browser.http.headers["x-forwarded-for"] = "203.0.113.9"
    await browser.sign_up()
    (one,) = (await browser.get("/v1/me/sessions/active")).json()
    assert one["latest_activity"]["ip_address"] == "127.0.0.1"  # nobody is trusted here
