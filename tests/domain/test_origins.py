"""Where a browser may come from, and where it may be sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.origins import Origins, bound_host, is_loopback, origin_of

SERVE = Origins(frozenset({"https://app.example", "https://app.example:8443", "http://[::2]"}))
DEV = Origins(frozenset(), loopback=True)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        ("https://app.example/a?b=c#d", "https://app.example"),
        ("https://app.example:8443/a", "https://app.example:8443"),
        ("https://app.example:443/a", "https://app.example"),
        ("http://app.example:80/a", "http://app.example"),
        ("http://app.example:443/a", "http://app.example:443"),
        ("HTTPS://APP.Example/A", "https://app.example"),
        ("http://[::1]:3000/a", "http://[::1]:3000"),
        ("https://app.example/@evil.example", "https://app.example"),
        ("https://app.example#@evil.example", "https://app.example"),
        ("https://app.example?@evil.example", "https://app.example"),
    ],
)
def test_the_origin_of_a_url_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "null",
        "/",
        "/dashboard",
        "//app.example",
        "///app.example",
        "app.example",
        "https:app.example",
        "https:/app.example",
        "https:///app.example",
        "https://",
        "https://:443",
        "javascript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "ftp://app.example",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "https:\\\\app.example",
        "https:/\\app.example",
        "https://app.example\\@evil.example",
        "https://evil.example\\.app.example",
        "https://app.example@evil.example",
        "https://app.example:443@evil.example",
        "https://@app.example",
        "https://evil@app.example",
        "https://app.example\t.evil.example",
        "ht\ttps://app.example",
        "java\nscript:alert(1)",
        "https://app.example\r\nX: y",
        " https://app.example",
        "https://app.example ",
        "https://app.example/a b",
        "\x01https://app.example",
        "https://app.example\x00",
        "https://app.example\u200b",
        "https://app\uff0fexample",  # a full-width slash
        "https://app.example:port",
        "https://app.example:+443",
        "https://app.example:4_43",
        "https://app.example:\u0664\u0664\u0663",
        "https://app.example:65536",
        "https://app.example:-1",
        "https://app.example:443:80",
        "https://[::1",
        "https://::1",
    ],
)
def test_what_a_browser_could_read_otherwise_has_no_origin(url: str) -> None:
    assert origin_of(url) is None
    assert not SERVE.allow_redirect(url)
    assert not DEV.allow_redirect(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example",
        "https://app.example/a?b=https://evil.example",
        "https://app.example:443/",
        "https://app.example:8443/",
        "https://APP.example/",
        "http://[::2]/",
    ],
)
def test_a_browser_is_sent_to_a_listed_origin(url: str) -> None:
    assert SERVE.allow_redirect(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example",
        "https://app.example.",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://www.app.example",
        "https://app.example:8080",
        "https://app.example:80",
        "https://app.example:0",
        "https://app.example%2eevil.example",
        "https://app%2eexample",
        "https://\u0430pp.example",  # a Cyrillic a
        "https://[::2]",
        "http://[::3]",
        "http://localhost",
        "http://127.0.0.1",
    ],
)
def test_a_browser_is_sent_nowhere_else(url: str) -> None:
    assert not SERVE.allow_redirect(url)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:3000",
        "https://localhost:3000",
        "http://127.0.0.1:5173",
        "http://[::1]:8787",
        "http://app.localhost:3000",
        "http://a.b.localhost",
    ],
)
def test_development_allows_every_port_of_this_machine(origin: str) -> None:
    assert DEV.allow(origin)
    assert DEV.allow_redirect(f"{origin}/dashboard")
    assert not SERVE.allow(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost.evil.example",
        "http://evil-localhost",
        "http://evillocalhost",
        "http://localhost.",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1.nip.io",
        "http://127.0.0.2",
        "http://0.0.0.0",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://192.168.0.1",
        "http://[::]",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://evil.example",
    ],
)
def test_development_allows_no_other_machine(origin: str) -> None:
    assert not DEV.allow(origin)
    assert not DEV.allow_redirect(origin)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "https://app.example/",
        "https://app.example:443",
        "https://APP.example",
        "https://app.example, https://app.example",
        "https://app.example/a",
    ],
)
def test_an_origin_header_must_be_written_as_browsers_write_it(origin: str | None) -> None:
    assert not SERVE.allow(origin)


def test_a_listed_origin_is_allowed_beside_loopback() -> None:
    both = Origins(frozenset({"https://app.example"}), loopback=True)
    assert both.allow("https://app.example")
    assert both.allow("http://localhost:3000")


@pytest.mark.parametrize(
    ("origin", "loopback"),
    [("http://localhost", True), ("http://x.localhost:1", True), ("https://app.example", False)],
)
def test_loopback_is_known_by_name(origin: str, loopback: bool) -> None:
    assert is_loopback(origin) is loopback


@given(st.text("htps:/\\@.?#[]%\t appexmlevi12", max_size=40) | st.text(max_size=40))
def test_an_origin_is_its_own_origin(text: str) -> None:
    origin = origin_of(text)
    assert origin is None or origin_of(origin) == origin


@given(st.text("@\\:/.?#[]%2e\t\x00evil", min_size=1, max_size=12))
def test_nothing_between_scheme_and_host_leads_elsewhere(text: str) -> None:
    authority = f"{text}app.example".split("/")[0].split("?")[0].split("#")[0]
    if authority != "app.example":
        assert not SERVE.allow_redirect(f"https://{text}app.example")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://example.com", "example.com"),
        ("https://example.com:8443", "example.com"),  # what is bound has no port
        ("https://xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("http://localhost:3000", "localhost"),
        ("http://app.localhost", "app.localhost"),
        ("http://example.com", ""),  # what is bound is bound by https
        ("https://[2001:db8::1]", ""),
        ("http://[::1]:3000", ""),
        ("null", ""),
        ("", ""),
    ],
)
def test_a_code_is_bound_to_the_host_of_an_origin(origin: str, host: str) -> None:
    assert bound_host(origin) == host
