"""Keys in the form that the SDKs read."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.security.api_keys import (
    cookie_suffix,
    hint,
    host_of,
    is_development,
    is_one_of,
    key_host,
    names_browsers,
    publishable_key,
    secret_key,
)

KNOWN = "pk_live_YXV0aC5sb2NhbGhvc3QudGVzdCQ"
HOSTS = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){1,3}(:[0-9]{1,5})?", fullmatch=True)


def test_a_publishable_key_names_its_host() -> None:
    assert publishable_key("auth.localhost.test") == KNOWN
    assert host_of(KNOWN) == "auth.localhost.test"


@given(HOSTS, st.booleans())
def test_any_host_can_be_named(host: str, live: bool) -> None:
    key = publishable_key(host, live=live)
    assert host_of(key) == host
    assert is_development(key) is not live
    assert key.count("_") == 2
    assert "=" not in key


def test_a_padded_key_is_read_too() -> None:
    assert host_of(KNOWN + "=") == "auth.localhost.test"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "pk_live_",
        "pk_live",
        "pk_test_!!!",
        "pk_prod_YXV0aC5sb2NhbGhvc3QudGVzdCQ",
        "sk_live_YXV0aC5sb2NhbGhvc3QudGVzdCQ",
        "YXV0aC5sb2NhbGhvc3QudGVzdCQ",
        "pk_live_YXV0aC5sb2NhbGhvc3QudGVzdA",  # no dollar sign
        "pk_live_bG9jYWxob3N0JA",  # localhost$: no dot
        "pk_live_YXV0aC5sb2NhbGhvc3Q_dGVzdCQ",
        "pk_live_/////w",
    ],
)
def test_what_is_no_publishable_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 speaks for itself
        host_of(key)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("auth.example.com", "auth.example.com"),
        ("Auth.Example.com", "auth.example.com"),
        ("clerk.shop.localhost:8443", "clerk.shop.localhost:8443"),
        ("127.0.0.1:8100", "127.0.0.1:8100"),
        ("shop.clerk.accounts.dev", "shop.clerk.accounts.dev"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_a_host_is_brought_to_the_form_that_browsers_send(text: str, host: str) -> None:
    assert key_host(text) == host
    assert host_of(publishable_key(key_host(text))) == host


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://auth.example.com", "is an address; name its host alone"),
        ("auth.example.com/", "is an address; name its host alone"),
        ("localhost", "has no dot"),
        ("localhost:8787", "has no dot"),
        ("", "has no dot"),
        ("auth.example.com:", "is not a host"),
        ("auth.example.com:0", "is not a host"),
        ("auth.example.com:65536", "is not a host"),
        ("auth.example.com:http", "is not a host"),
        ("auth..example.com", "is not a host"),
        (".example.com", "is not a host"),
        ("auth.example.com.", "is not a host"),
        ("-auth.example.com", "is not a host"),
        ("auth_1.example.com", "is not a host"),
        ("auth.example.com$", "is not a host"),
        ("auth.exämple.com", "is not a host"),
        ("auth.example.com\n", "is not a host"),
        ("user@auth.example.com", "is not a host"),
        (f"{'a' * 64}.example", "is not a host"),
        (".".join(["a" * 60] * 5), "is not a host"),
    ],
)
def test_what_no_key_can_name_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        key_host(text)


@given(HOSTS)
def test_no_key_of_a_good_host_holds_another_underscore(host: str) -> None:
    try:
        key = publishable_key(key_host(host))
    except ValueError:
        return
    assert key.count("_") == 2
    assert not set(key) & set("+/=")


@pytest.mark.parametrize(
    ("host", "live", "by_token"),
    [
        ("shop.clerk.accounts.dev", False, True),
        ("shop.accounts.dev", False, True),
        ("clerk.shop.lcl.dev", False, True),
        ("shop.clerk.accounts.dev", True, False),
        ("auth.example.com", False, False),
        ("accounts.dev.example.com", False, False),
        ("shop.accounts.dev:8443", False, False),  # clerk-js compares with the port too
    ],
)
def test_browsers_are_named_by_a_token_where_clerk_js_does_so(
    host: str, live: bool, by_token: bool
) -> None:
    assert names_browsers(publishable_key(host, live=live)) is by_token


def test_cookies_have_the_suffix_that_the_sdks_compute() -> None:
    assert cookie_suffix(KNOWN) == "N-evFwXU"


def test_apps_on_one_host_keep_their_cookies_apart() -> None:
    hosts = [f"app{number}.example.com" for number in range(50)]
    assert len({cookie_suffix(publishable_key(host)) for host in hosts}) == 50


def test_a_secret_key_is_256_bits_with_two_underscores() -> None:
    keys = {secret_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(bytes.fromhex(key.removeprefix("sk_live_"))) == 32 for key in keys)


def test_a_digest_is_compared_with_each_and_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare_digest(one, other)

    compare_digest = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert is_one_of(b"a1", [b"a1", b"b1"])
    assert compared == [(b"a1", b"a1"), (b"a1", b"b1")]  # it goes on after the right one
    assert is_one_of(b"b1", [b"a1", b"b1"])
    assert not is_one_of(b"a2", [b"a1", b"b1"])
    assert not is_one_of(b"a1", [])


def test_a_hint_tells_keys_apart_and_gives_none_away() -> None:
    key = secret_key()
    assert hint(key) == f"{key[:12]}…{key[-4:]}"
    assert len(hint(key)) < len(key) // 3
