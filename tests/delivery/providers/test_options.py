"""What an operator set for a route, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read


class Options(RouteOptions, frozen=True, forbid_unknown_fields=True):
    account: str
    token: str = ""
    seconds: float = 1.0


def test_options_are_read_by_their_names() -> None:
    assert read(Options, {"account": "a", "seconds": 2}) == Options("a", "", 2.0)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "account"),
        ({"account": "a", "tokn": "hunter2"}, "tokn"),
        ({"account": "a", "token": ["hunter2"]}, "token"),
        ({"account": "a", "seconds": "hunter2"}, "seconds"),
    ],
)
def test_what_is_wrong_names_the_field_and_never_the_value(
    given: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadOptions) as raised:
        read(Options, given)
    assert named in str(raised.value)
    assert "it takes account, token (optional), seconds (optional)" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_printed_options_show_nothing() -> None:
    assert "hunter2" not in repr(Options("a", "hunter2"))
    assert "hunter2" not in repr([Options("hunter2")])


@pytest.mark.parametrize("url", ["https://a.example/x", "http://10.0.0.1:8080", "https://[::1]"])
def test_an_address_is_http(url: str) -> None:
    assert expect_url(f"{url}/") == url


@pytest.mark.parametrize("url", ["", "a.example", "ftp://a.example", "https://", "https://[::1"])
def test_anything_else_is_no_address(url: str) -> None:
    with pytest.raises(BadOptions, match="https://"):
        expect_url(url)
