"""Which addresses may sign up: what the lists cover, and what a sub-address is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.addresses import Address, Kind, parse_identifier
from doorcode.domain.restrictions import Restrictions, base_of, is_disposable, mailbox_of
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


def test_the_allowlist_counts_where_anybody_may_sign_up() -> None:
    lists = Restrictions(True, ("example.org",), True, ("example.com",))
    assert not lists.allow(address("ann@example.net"))
    assert lists.allow(address("ann@example.net"), public=False)
    assert not lists.allow(address("ann@example.com"), public=False)


def test_the_blocklist_is_for_sign_ups_and_the_allowlist_for_later_changes_too() -> None:
    assert block("example.com").allow(address("ann@example.com"), adding=True)
    assert not allow("example.org").allow(address("ann@example.com"), adding=True)
    assert allow("example.org").allow(address("ann@example.com"), adding=True, public=False)


# ── sub-addresses ─────────────────────────────────────────────────────────────────────
GMAIL = ("gmail.com", "googlemail.com")
YAHOO = ("yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.com.br", "ymail.com", "rocketmail.com")
OTHERS = ("example.com", "yahoo.example.com", "notyahoo.com", "mail.yahoo.net")
NAMES = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
TAGS = st.from_regex(r"[a-z0-9][a-z0-9+=#-]{0,8}", fullmatch=True)
DOMAINS = st.sampled_from([*GMAIL, *YAHOO, *OTHERS])


def mailbox(text: str, *, dots: bool = False) -> str | None:
    return mailbox_of(address(text), dots=dots)


@pytest.mark.parametrize("text", ["ann+x@example.com", "ann=x@example.com", "ann#x@example.com"])
def test_who_blocks_an_address_blocks_its_subaddresses(text: str) -> None:
    assert not block("ann@example.com").allow(address(text))
    assert block("ann+y@example.com").allow(address(text))


def test_who_blocks_an_address_does_not_block_it_with_other_dots() -> None:
    assert block("annlee@gmail.com").allow(address("ann.lee@gmail.com"))
    assert not block("ann.lee@gmail.com").allow(address("ann.lee+x@gmail.com"))


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
        ("ann-x@yahoo.example.com", "ann-x@yahoo.example.com"),
        ("a.nn+x@gmail.com", "a.nn@gmail.com"),
        ("+ann@example.com", "+ann@example.com"),
        ("+ann+x@example.com", "+ann@example.com"),
        ("ann@example.com", "ann@example.com"),
    ],
)
def test_the_base_of_an_address(text: str, base: str) -> None:
    assert base_of(address(text)) == base


def test_a_phone_number_has_no_mailbox() -> None:
    number = address(NUMBER)
    assert (number.kind, base_of(number), mailbox_of(number)) == (Kind.PHONE, NUMBER, None)
    assert not Restrictions().is_one_mailbox(number, number)


def test_a_test_address_has_none_in_spite_of_its_plus() -> None:
    tester = address("ann+clerk_test@example.com", test_mode=True)
    assert mailbox_of(tester) is None
    assert not Restrictions().is_one_mailbox(tester, address("ann@example.com"))
    assert mailbox("ann+clerk_test@example.com") == "ann@example.com"


@given(NAMES, TAGS, DOMAINS, st.sampled_from("+=#"))
def test_a_tag_leads_to_the_same_mailbox(name: str, tag: str, domain: str, sign: str) -> None:
    assert mailbox(f"{name}{sign}{tag}@{domain}") == mailbox(f"{name}@{domain}")


@given(NAMES, NAMES, DOMAINS)
def test_a_hyphen_is_a_tags_at_yahoo_only(name: str, tag: str, domain: str) -> None:
    same = mailbox(f"{name}-{tag}@{domain}") == mailbox(f"{name}@{domain}")
    assert same is (domain in YAHOO)


@given(st.lists(NAMES, min_size=2, max_size=4), DOMAINS)
def test_dots_make_no_difference_at_gmail_only(parts: list[str], domain: str) -> None:
    dotted, plain = f"{'.'.join(parts)}@{domain}", f"{''.join(parts)}@{domain}"
    assert (mailbox(dotted) == mailbox(plain)) is (domain in GMAIL)
    assert mailbox(dotted, dots=True) != mailbox(plain, dots=True)
    one, other = address(dotted), address(plain)
    assert Restrictions().is_one_mailbox(one, other) is (domain in GMAIL)
    kept = Restrictions(ignore_dots_for_gmail_addresses=False)
    assert not kept.is_one_mailbox(one, other)
    assert kept.is_one_mailbox(one, one)


@given(NAMES, st.booleans())
def test_gmail_has_two_names(name: str, dots: bool) -> None:
    assert mailbox(f"{name}@gmail.com", dots=dots) == mailbox(f"{name}@googlemail.com", dots=dots)


@given(NAMES, NAMES, DOMAINS, DOMAINS)
def test_two_names_are_two_mailboxes(name: str, other: str, domain: str, elsewhere: str) -> None:
    same = mailbox(f"{name}@{domain}") == mailbox(f"{other}@{elsewhere}")
    one_domain = domain == elsewhere or {domain, elsewhere} == set(GMAIL)
    assert same is (name == other and one_domain)


@given(st.from_regex(r"[+=#a.-]{1,12}", fullmatch=True), DOMAINS)
def test_a_mailbox_is_the_mailbox_of_its_name(local: str, domain: str) -> None:
    found = mailbox_of(Address(Kind.EMAIL, f"{local}@{domain}", ""))
    assert found is not None
    assert mailbox_of(Address(Kind.EMAIL, found, "")) == found


# ── throw-away mail ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "disposable"),
    [
        ("ann@mailinator.com", True),
        ("ann@MAILINATOR.com", True),
        ("ann@a.b.mailinator.com", True),
        ("ann@notmailinator.com", False),
        ("ann@mailinator.com.example.com", False),
        ("mailinator.com@example.com", False),
        ("ann@com", False),
        (NUMBER, False),
    ],
)
def test_a_domain_is_disposable_with_all_below_it(text: str, disposable: bool) -> None:
    one = Address(Kind.EMAIL, text, text) if text == "ann@com" else address(text)
    assert is_disposable(one, {"mailinator.com", NUMBER}) is disposable
    assert not is_disposable(one, frozenset())
