"""Where a request seems to come from: rotation within IPv6, aliases, and forged headers."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from tests.web.house import Plan

from doorcode.domain import limits

from .conftest import Builder
from .street import PHONE, SIGN_INS, SIGN_UPS, Comparisons, Street, said

PROXY = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8"))
BEHIND = Plan(trusted_proxies=PROXY, limits=True)
ALONE = Plan(limits=True)
MANY = 40


async def create(street: Street, **headers: str) -> str:
    """Begin to sign in, as somebody new; whether it was taken, or refused as one too many."""
    answer = await street.visitor(**headers).post(SIGN_INS)
    [word] = said([answer])
    return word


async def taken(street: Street, addresses: list[str]) -> int:
    """How many of the requests that seem to come from these addresses are taken."""
    words = [await create(street, X_Forwarded_For=address) for address in addresses]
    assert set(words) <= {"ok", "too_many_requests"}
    return words.count("ok")


# ── rotation ──────────────────────────────────────────────────────────────────────────
async def test_all_of_a_64_is_one_client(build: Builder) -> None:
    street = await build(BEHIND)
    rotating = [f"2001:db8:1:2:{n:x}:{n:x}::{n:x}" for n in range(1, MANY)]
    assert await taken(street, rotating) == limits.CREATE_SIGN_IN.times


async def test_all_of_a_48_is_eight_clients(build: Builder) -> None:
    """A customer who asks for a /48 has 65,536 networks; that must not be as many clients."""
    street = await build(BEHIND)
    rotating = [f"2001:db8:1:{n:x}::1" for n in range(1, MANY + 20)]
    assert await taken(street, rotating) == limits.CREATE_SIGN_IN.times * limits.SITE_TIMES


async def test_two_sites_are_two_clients(build: Builder) -> None:
    street = await build(BEHIND)
    assert await taken(street, ["2001:db8:1::1"] * 9 + ["2001:db8:2::1"] * 9) == 10


async def test_rotating_wins_no_guess_at_an_identifier(
    build: Builder, compared: Comparisons
) -> None:
    street = await build(trusted_proxies=PROXY)
    street.house.allow_many_codes()
    rotating = [
        street.visitor(X_Forwarded_For=f"2001:db8:{n:x}:{n:x}::{n:x}") for n in range(1, MANY)
    ]
    attempts = [(one, await one.begin(SIGN_UPS)) for one in rotating]
    await asyncio.gather(*(one.attempt(SIGN_UPS, at, "x") for one, at in attempts))
    assert len(compared) == limits.GUESSES_PER_ADDRESS


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        ("203.0.113.7", limits.GUESSES_PER_NETWORK),
        ("2001:db8:1:2:{n:x}::1", limits.GUESSES_PER_NETWORK),
        ("2001:db8:1:{n:x}::1", limits.SITE_TIMES * limits.GUESSES_PER_NETWORK),
    ],
)
async def test_one_guess_at_each_of_many_identifiers_is_one_network_s_guesses(
    build: Builder, compared: Comparisons, monkeypatch: pytest.MonkeyPatch, pattern: str, most: int
) -> None:
    """Each identifier has guesses left; whoever asks has none. A tenth of the real limit: the
    rule is the same, and the test a tenth as long."""
    monkeypatch.setattr(limits, "GUESSES_PER_NETWORK", limits.GUESSES_PER_NETWORK // 10)
    street = await build(trusted_proxies=PROXY)
    street.house.allow_many_codes()
    for n in range(most // 10 + 5):
        one = street.visitor(X_Forwarded_For=pattern.format(n=n + 1))
        form = {"email_address": f"person{n}@example.com", "strategy": "email_code"}
        begun = await one.post(SIGN_UPS, form)
        if begun.status_code == 200:
            await one.attempt(SIGN_UPS, begun.json()["response"]["id"], "x", "@")
        else:
            assert said([begun]) == {"too_many_requests": 1}
    assert len(compared) == most // 10


# ── aliases ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "aliases",
    [
        ["2001:db8::1", "2001:DB8::1", "2001:0db8:0000:0000::1", "2001:db8:0:0:0:0:0.0.0.1"],
        ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:CB00:7107", "0:0:0:0:0:ffff:203.0.113.7"],
        ["2001:db8::1", "2001:db8::1%eth0", "2001:db8::1%eth1"],
    ],
)
async def test_one_address_is_one_client_however_it_is_written(
    build: Builder, aliases: list[str]
) -> None:
    street = await build(BEHIND)
    assert await taken(street, aliases * 5) == limits.CREATE_SIGN_IN.times


@pytest.mark.parametrize("nonsense", ["203.0.113.007", "0xCB007107", "3405803783", "1.2.3", "::g"])
async def test_what_is_no_address_counts_for_the_proxy_that_sent_it(
    build: Builder, nonsense: str
) -> None:
    street = await build(BEHIND)
    assert await taken(street, [nonsense, "127.0.0.1"] * 5) == limits.CREATE_SIGN_IN.times


# ── forged headers ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "header", ["X_Forwarded_For", "Forwarded", "X_Real_IP", "True_Client_IP", "CF_Connecting_IP"]
)
@pytest.mark.parametrize("behind", [False, True])
async def test_headers_that_anybody_can_send_make_no_new_client(
    build: Builder, header: str, behind: bool
) -> None:
    """Without a proxy none is read; behind one, none but the one that it is told to write."""
    if behind and header == "X_Forwarded_For":
        pytest.skip("that is the one")
    street = await build(BEHIND if behind else ALONE)
    values = [f"for=203.0.113.{n}" if header == "Forwarded" else f"203.0.113.{n}" for n in range(9)]
    words = [await create(street, **{header: value}) for value in values]
    assert words.count("ok") == limits.CREATE_SIGN_IN.times


async def test_behind_a_proxy_what_the_client_wrote_itself_is_not_believed(build: Builder) -> None:
    """The proxy appends whom it saw; all that stands before came from the client."""
    street = await build(BEHIND)
    chains = [f"203.0.113.{n}, 192.0.2.1" for n in range(9)]
    assert await taken(street, chains) == limits.CREATE_SIGN_IN.times


async def test_a_chain_of_our_own_proxies_is_followed_to_the_client(build: Builder) -> None:
    street = await build(BEHIND)
    chains = [f"203.0.113.{n}, 10.0.0.1, 10.0.0.2" for n in range(9)]
    assert await taken(street, chains) == 9


async def test_a_client_that_names_our_proxies_hides_behind_none_of_them(build: Builder) -> None:
    street = await build(BEHIND)
    chains = [f"203.0.113.{n}, 10.0.0.{n}, 192.0.2.1, 10.0.0.1" for n in range(9)]
    assert await taken(street, chains) == limits.CREATE_SIGN_IN.times


async def test_a_proxy_written_as_mapped_is_the_same_proxy(build: Builder) -> None:
    """A proxy that listens on both families writes the next one so."""
    street = await build(BEHIND)
    chains = [f"203.0.113.{n}, ::ffff:10.0.0.1" for n in range(9)]
    assert await taken(street, chains) == 9


async def test_two_headers_are_read_as_one_list(build: Builder) -> None:
    """A client's own header beside the proxy's must not be taken for the proxy's."""
    street = await build(BEHIND)
    words = []
    for n in range(9):
        visitor = street.visitor()
        headers = [("x-forwarded-for", f"203.0.113.{n}"), ("x-forwarded-for", "192.0.2.1")]
        words += said([await visitor.http.post(SIGN_INS, headers=headers)])
    assert words.count("ok") == limits.CREATE_SIGN_IN.times


async def test_the_session_tells_its_owner_the_address_that_was_believed(build: Builder) -> None:
    street = await build(trusted_proxies=PROXY)
    visitor = street.visitor(X_Forwarded_For="6.6.6.6, 192.0.2.1")
    await visitor.sign_up(PHONE)
    [session] = (await visitor.get("/v1/me/sessions/active")).json()
    assert session["latest_activity"]["ip_address"] == "192.0.2.1"
