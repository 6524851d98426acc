"""Which addresses may sign up: what the lists cover, and what a sub-address is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.addresses import Address, Kind, parse_identifier
from doorcode.domain.restrictions import Restrictions, base_of, is_subaddress
from doorcode.domain.setting_types import Addresses

NUMBER = "+14155552671"


def address(text: str, *, test_mode: bool = False) -> Address:
    return parse_identifier(text, test_mode=test_mode)


def allow(*entries: str) -> Restrictions:
    return Restrictions(allowlist_enabled=True, allowlist=entries)


def block(*entries: str, **more: Any) -> Restrictions:
    return Restrictions(blocklist_enabled=True, blocklist=entries, **more)


COVERED = [
    ("ann@example.com", "Ann@Example.com"),
    ("ANN@EXAMPLE.COM", "ann@example.com"),
    ("example.com", "ann@example.com"),
    ("@example.com", "ann@example.com"),
    ("*@example.com", "ann@example.com"),
    ("*@*.example.com", "ann@mail.example.com"),
    ("*@*.example.com", "ann@a.b.c.example.com"),
    ("*.ru", "ann@example.ru"),
    ("ann@*.example.com", "ann@mail.example.com"),
    (NUMBER, NUMBER),
    (f" {NUMBER} ", NUMBER),
    ("xn--bcher-kva.example.com", "ann@bücher.example.com"),
    ("Änn@example.com", "Änn@example.com"),
]
NOT_COVERED = [
    ("ann@example.com", "bob@example.com"),
    ("ann@example.com", "ann@example.org"),
    ("ann@example.com", "joann@example.com"),
    ("example.com", "ann@mail.example.com"),
    ("example.com", "ann@notexample.com"),
    ("example.com", "ann@example.com.evil.net"),
    ("*@*.example.com", "ann@example.com"),
    ("*@*.example.com", "ann@notexample.com"),
    ("ann@*.example.com", "bob@mail.example.com"),
    ("strasse@example.com", "straße@example.com"),
    (NUMBER, "+14155552672"),
    ("*@example.com", NUMBER),
    (NUMBER, "ann@example.com"),
]


@pytest.mark.parametrize(("entry", "text"), COVERED)
def test_what_an_entry_covers(entry: str, text: str) -> None:
    [kept] = Addresses().read([entry])
    for written in {entry, kept} if entry.isascii() and "xn--" not in entry else {kept}:
        assert allow(written).allow(address(text))
        assert not block(written).allow(address(text))


@pytest.mark.parametrize(("entry", "text"), NOT_COVERED)
def test_what_an_entry_does_not_cover(entry: str, text: str) -> None:
    [kept] = Addresses().read([entry])
    for written in (entry, kept):
        assert not allow(written).allow(address(text))
        assert block(written).allow(address(text))


@given(st.text(max_size=30) | st.from_regex(r"[+*@.a-z]{0,12}", fullmatch=True))
def test_no_entry_breaks_the_lists(entry: str) -> None:
    for text in ("ann@example.com", NUMBER):
        assert allow(entry).allow(address(text)) is not block(entry).allow(address(text))


# ── the lists together ────────────────────────────────────────────────────────────────
def test_without_restrictions_everybody_may() -> None:
    assert Restrictions().allow(address("ann+x@example.com"))
    assert Restrictions().allow(address(NUMBER))


def test_a_list_that_is_not_in_force_does_nothing() -> None:
    lists = Restrictions(allowlist=("example.org",), blocklist=("example.com",))
    assert lists.allow(address("ann@example.com"))


def test_an_empty_allowlist_in_force_lets_nobody_in() -> None:
    assert not allow().allow(address("ann@example.com"))
    assert not allow().allow(address(NUMBER))


def test_the_allowlist_overrules_the_blocklist() -> None:
    lists = Restrictions(True, ("ann@example.com",), True, ("example.com",))
    assert lists.allow(address("ann@example.com"))
    assert not lists.allow(address("bob@example.com"))


# ── sub-addresses ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("text", ["ann+x@example.com", "ann=x@example.com", "ann#x@example.com"])
def test_who_blocks_an_address_blocks_its_subaddresses(text: str) -> None:
    assert not block("ann@example.com").allow(address(text))
    assert block("ann+y@example.com").allow(address(text))


def test_dots_do_not_make_a_subaddress() -> None:
    assert block("annlee@gmail.com").allow(address("ann.lee@gmail.com"))
    assert not is_subaddress(address("ann.lee@gmail.com"))


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("ann+x@example.com", "ann@example.com"),
        ("ann+x+y@example.com", "ann@example.com"),
        ("ann=x#y+z@example.com", "ann@example.com"),
        ("ann-x@yahoo.com", "ann@yahoo.com"),
        ("ann-x@yahoo.co.uk", "ann@yahoo.co.uk"),
        ("ann-x@ymail.com", "ann@ymail.com"),
        ("ann-x@example.com", "ann-x@example.com"),
        ("+ann@example.com", "+ann@example.com"),
        ("ann@example.com", "ann@example.com"),
    ],
)
def test_the_base_of_an_address(text: str, base: str) -> None:
    assert base_of(address(text)) == base
    assert is_subaddress(address(text)) is (text != base)


def test_a_phone_number_is_no_subaddress() -> None:
    number = address(NUMBER)
    assert (number.kind, base_of(number), is_subaddress(number)) == (Kind.PHONE, NUMBER, False)


def test_subaddresses_can_be_refused() -> None:
    refused = Restrictions(block_email_subaddresses=True)
    assert not refused.allow(address("ann+x@example.com"))
    assert refused.allow(address("ann@example.com"))
    assert refused.allow(address(NUMBER))


def test_test_addresses_are_let_in_in_spite_of_their_plus() -> None:
    tester = address("ann+clerk_test@example.com", test_mode=True)
    assert Restrictions(block_email_subaddresses=True).allow(tester)


def test_an_allowed_domain_does_not_let_subaddresses_in() -> None:
    lists = Restrictions(True, ("example.com", "ann+x@example.org"), block_email_subaddresses=True)
    assert not lists.allow(address("ann+x@example.com"))
    assert lists.allow(address("ann@example.com"))
    # An entry that names the sub-address itself means it.
    assert lists.allow(address("ann+x@example.org"))
