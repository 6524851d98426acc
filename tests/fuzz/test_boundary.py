"""Host, origin, client address and redirect: nothing that a client writes is believed of them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.web.house import PRODUCTION, Plan

from doorcode.domain import errors
from doorcode.domain.networks import network_of
from doorcode.domain.origins import origin_of
from doorcode.web.boundary import Boundary
from doorcode.web.frontend_api.handshake import with_query
from doorcode.web.http import Request
from doorcode.web.redirects import allowed_target

from .spoiling import TEXTS, spoilt_text, tried

DEVELOPMENT = Plan().boundary()
LIVE = PRODUCTION.boundary()
BEHIND = Plan(
    trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
).boundary()
BOUNDARIES = st.sampled_from([DEVELOPMENT, LIVE])


def with_headers(peer: str = "10.0.0.1", method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "/", {}, named, peer)


def lets_in(boundary: Boundary, **headers: str) -> bool:
    refusal = tried(boundary.expect_origin, with_headers(**headers))
    assert refusal in (None, errors.ORIGIN_INVALID)
    return refusal is None


# ── where a request comes from ────────────────────────────────────────────────────────
ORIGINS = st.sampled_from(
    ["https://app.example.com", "https://auth.example.com", "http://localhost:3000", "null"]
)


@given(BOUNDARIES, spoilt_text(ORIGINS) | TEXTS)
def test_an_origin_is_let_in_as_it_is_listed_or_not_at_all(boundary: Boundary, text: str) -> None:
    if not lets_in(boundary, origin=text):
        assert boundary.page_of(with_headers(origin=text)) is None
        return
    assert origin_of(text) == text
    host = urlsplit(text).hostname or ""
    listed = text in ("https://app.example.com", "https://auth.example.com")
    assert (
        listed
        if boundary is LIVE
        else (host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost"))
    )


@given(spoilt_text(st.sampled_from(["same-origin", "none", "cross-site", "same-site"])) | TEXTS)
def test_what_a_browser_says_of_a_site_is_taken_word_for_word(text: str) -> None:
    assert lets_in(LIVE, sec_fetch_site=text) == (text in ("same-origin", "none"))


HOSTS = st.sampled_from(["localhost:8787", "127.0.0.1", "[::1]:80", "a.localhost", "LOCALHOST"])


@given(spoilt_text(HOSTS) | TEXTS)
def test_a_host_is_one_of_ours_or_refused(text: str) -> None:
    refusal = tried(DEVELOPMENT.expect_host, with_headers(host=text))
    if refusal is not None:
        assert refusal == errors.HOST_INVALID
        return
    host = urlsplit(f"//{text}").hostname or ""
    assert host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
    assert text.isascii()
    assert not set(text) & set(" /\\@?#\r\n\t")


# ── the client's address ──────────────────────────────────────────────────────────────
ADDRESSES = st.ip_addresses().map(str) | st.sampled_from(["10.1.2.3", "fd00::1", "::ffff:10.0.0.9"])
HOPS = st.lists(ADDRESSES | ADDRESSES.map("[{}]:443".format) | TEXTS, max_size=5).map(",".join)


@given(HOPS | spoilt_text(HOPS), st.ip_addresses(v=4))
def test_nothing_that_the_client_wrote_hides_what_the_proxy_saw(
    written: str, seen: ipaddress.IPv4Address
) -> None:
    assume(str(seen).partition(".")[0] != "10")
    request = with_headers(
        x_forwarded_for=f"{written}, {seen}", x_real_ip=written, forwarded=written
    )
    assert BEHIND.address_of(request) == str(seen)
    request.peer = "203.0.113.7"  # nobody's proxy
    assert BEHIND.address_of(request) == "203.0.113.7"
    assert LIVE.address_of(with_headers(x_forwarded_for=written)) == "10.0.0.1"


@given(spoilt_text(HOPS) | TEXTS)
def test_whatever_stands_there_the_address_is_one(written: str) -> None:
    address = BEHIND.address_of(with_headers(x_forwarded_for=written))
    ipaddress.ip_address(address)
    assert network_of(network_of(address).partition("/")[0]) == network_of(address)


# ── where a browser is sent ───────────────────────────────────────────────────────────
TARGETS = st.sampled_from(
    [
        "https://app.example.com/a?b=c#d",
        "https://auth.example.com/",
        "http://localhost:3000/ä?x=%2F",
        "/sign-in?next=/x",
        "//evil.example",
        "https://app.example.com@evil.example/",
        "javascript:alert(1)",
    ]
)


@given(BOUNDARIES, spoilt_text(TARGETS) | TEXTS | TEXTS.map("/{}".format))
def test_a_target_is_ours_and_stays_as_it_is_or_is_none(boundary: Boundary, url: str) -> None:
    target = allowed_target(boundary, url)
    if target is None:
        return
    assert target.isascii()
    assert target.isprintable()
    assert not set(target) & set(' \\"<>')
    assert allowed_target(boundary, target) in (target, None if len(target) > 2_048 else target)
    if target.startswith("/"):
        assert target[1:2] not in ("/", "\\")
        return
    assert boundary.allows_redirect(target)
    assert origin_of(target) == origin_of(url)
    told = with_query(target, "__clerk_handshake", "a.b-c_d")
    assert origin_of(told) == origin_of(target)
    assert urlsplit(told).query.count("__clerk_handshake=a.b-c_d") == 1
