"""The lines that `doorcode` prints: readable by people, and by the scripts that paste them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from doorcode.cli_text import (
    complain,
    dollars,
    greet_developer,
    greet_operator,
    span,
    table,
    time_text,
)
from doorcode.instance_keys import Keys
from doorcode.security import master_key
from doorcode.server import Server
from doorcode.settings import Settings, development, production
from doorcode.web.app import App

CA = Path("/home/ada/app/.doorcode/tls/ca.pem")


def started(secret_key: str | None = "sk_live_1", inbox_token: str | None = None) -> Server:
    """A server of which only the keys and the inbox's token are looked at."""
    keys = Keys("ins_1", master_key.parse(master_key.generate()), (), secret_key)
    return Server(cast(App, None), keys, inbox_token, ())


def settings_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def operators_settings() -> Settings:
    return production(
        {
            "DOORCODE_URL": "https://auth.example.com",
            "DOORCODE_ORIGINS": "https://app.example.com",
            "DOORCODE_MASTER_KEY": master_key.generate(),
        }
    )


def test_every_setting_of_an_app_stands_alone_on_its_line() -> None:
    printed = settings_of(greet_developer(development({}), started(), None))
    assert printed == {
        "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": "pk_live_ZG9vcmNvZGUubG9jYWxob3N0JA",
        "CLERK_SECRET_KEY": "sk_live_1",
        "NEXT_PUBLIC_CLERK_PROXY_URL": "http://localhost:8787",
        "NEXT_PUBLIC_CLERK_JS_URL": (
            "http://localhost:8787/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
        ),
        "NEXT_PUBLIC_CLERK_UI_URL": "http://localhost:8787/npm/@clerk/ui@1/dist/ui.browser.js",
        "CLERK_API_URL": "http://localhost:8787",
    }


def test_an_operator_with_https_is_told_what_an_app_needs_and_no_more() -> None:
    """The SDKs find the server by its key; the other lines would send them another way."""
    printed = settings_of(greet_operator(operators_settings(), started()))
    assert list(printed) == [
        "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
        "CLERK_SECRET_KEY",
        "CLERK_API_URL",
    ]


def test_with_tls_every_address_is_https_and_the_authority_is_named() -> None:
    text = greet_developer(development({}, tls="on"), started(), CA)
    printed = settings_of(text)
    assert printed["NODE_EXTRA_CA_CERTS"] == str(CA)
    assert printed["CLERK_API_URL"] == "https://localhost:8787"
    assert "https://localhost:8787/inbox" in text
    assert "http://" not in text


def test_a_path_with_spaces_can_be_pasted_into_a_shell() -> None:
    text = greet_developer(development({}, tls="on"), started(), Path("/my apps/it's/ca.pem"))
    assert settings_of(text)["NODE_EXTRA_CA_CERTS"] == """'/my apps/it'"'"'s/ca.pem'"""


def test_a_relative_path_is_printed_whole() -> None:
    text = greet_developer(development({}, tls="on"), started(), Path(".doorcode/tls/ca.pem"))
    assert settings_of(text)["NODE_EXTRA_CA_CERTS"] == str(Path.cwd() / ".doorcode/tls/ca.pem")


def test_without_tls_no_authority_is_spoken_of() -> None:
    text = greet_developer(development({}), started(), None)
    assert "NODE_EXTRA_CA_CERTS" not in text
    assert "https" not in text


def test_an_inbox_that_asks_for_a_token_comes_with_a_warning() -> None:
    settings = development({"DOORCODE_HOST": "0.0.0.0"})
    text = greet_developer(settings, started(inbox_token="t0ken"), None)
    assert "WARNING" in text
    assert "/inbox?token=t0ken" in text


def test_an_operator_sees_a_secret_key_where_it_was_just_made() -> None:
    first = greet_operator(operators_settings(), started())
    assert settings_of(first)["CLERK_SECRET_KEY"] == "sk_live_1"
    assert "shown this once" in first
    again = greet_operator(operators_settings(), started(secret_key=None))
    assert "CLERK_SECRET_KEY" not in again
    assert settings_of(again)["CLERK_API_URL"] == "https://auth.example.com"


def test_a_complaint_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    complain("Nothing was done:", ["this is wrong", "and this"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Nothing was done:\n  - this is wrong\n  - and this\n"


# ── what commands print ───────────────────────────────────────────────────────────────
def test_a_column_is_as_wide_as_its_widest_cell() -> None:
    assert table([["a", "bb", ""], ["ccc", "d", "e"]]) == ["a    bb", "ccc  d   e"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "2 h")]
)
def test_a_span_is_rounded_up(seconds: int, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("millionths", "said"), [(0, "$0.00"), (8_000, "$0.008"), (25_000_000, "$25.00")]
)
def test_money_is_told_to_the_tenth_of_a_cent(millionths: int, said: str) -> None:
    assert dollars(millionths) == said


def test_a_moment_is_told_in_utc() -> None:
    assert time_text(1_750_000_000_999) == "2025-06-15 15:06:40Z"
