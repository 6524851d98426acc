"""What fits a setting's type, what does not, and that a value survives being written down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.addresses import Channel
from doorcode.domain.instance import SignUpMode
from doorcode.domain.setting_types import (
    Addresses,
    Choice,
    CountryChannels,
    Link,
    Mailbox,
    Misfit,
    Number,
    PhoneChannels,
    SiteKey,
    Switch,
    Type,
    short,
    show,
)

TYPES: list[Type] = [
    Switch(), Number(5, 60), Choice(SignUpMode), PhoneChannels(), CountryChannels(), Addresses(),
    Link(), Mailbox(), SiteKey(),
]  # fmt: skip
EACH = pytest.mark.parametrize("of", TYPES, ids=lambda one: type(one).__name__)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


# ── any type ──────────────────────────────────────────────────────────────────────────
@EACH
@given(value=JSON)
def test_any_value_is_read_or_refused_and_nothing_else(of: Type, value: Any) -> None:
    try:
        read = of.read(value)
    except Misfit:
        return
    assert of.read(of.plain(read)) == read


@EACH
@given(text=st.text() | st.from_regex(r"[\[{\"].{0,30}"))
def test_any_text_is_read_or_refused_and_nothing_else(of: Type, text: str) -> None:
    try:
        read = of.read_text(text)
    except Misfit:
        return
    assert of.read(of.plain(read)) == read


@pytest.mark.parametrize(
    ("of", "plain"),
    [
        (Switch(), True),
        (Switch(), False),
        (Number(1, 9), 4),
        (Choice(SignUpMode), "waitlist"),
        (PhoneChannels(), ["whatsapp", "sms"]),
        (CountryChannels(), {"BR": "whatsapp"}),
        (CountryChannels(), {}),
        (Addresses(), ["ann@example.com", "*@*.example.org"]),
        (Addresses(), []),
        (Link(), "/welcome"),
        (Mailbox(), "help@example.com"),
        (SiteKey(), "1x00000000000000000000AA"),
    ],
)
def test_what_is_shown_can_be_typed_again(of: Type, plain: Any) -> None:
    assert of.plain(of.read_text(show(plain))) == plain


@EACH
def test_every_type_says_what_it_expects(of: Type) -> None:
    assert len(of.expected) > 8


def test_long_values_are_shortened_in_complaints() -> None:
    assert len(short("x" * 10_000)) <= 60
    assert short("abc") == "'abc'"


# ── each type ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "on"),
    [("true", True), ("ON", True), ("yes", True), ("false", False), ("Off", False), ("no", False)],
)
def test_switches_are_typed_as_people_write_them(text: str, on: bool) -> None:
    assert Switch().read_text(text) is on


@pytest.mark.parametrize("value", [1, 0, "true", "on", None, []])
def test_a_switch_in_a_document_is_a_boolean(value: Any) -> None:
    """A quoted "false" is a text, and a text that is not empty counts as true elsewhere."""
    with pytest.raises(Misfit):
        Switch().read(value)


@pytest.mark.parametrize("value", [4, 61, -5, 10**30, True, 10.0, "10", None])
def test_a_number_outside_its_bounds_is_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        Number(5, 60).read(value)


@pytest.mark.parametrize("text", ["٣٠", "1e1", "30 minutes", "", "0x10", "9" * 5_000])
def test_a_number_is_typed_in_plain_digits(text: str) -> None:
    with pytest.raises(Misfit):
        Number(5, 60).read_text(text)


def test_a_number_is_kept_in_its_unit() -> None:
    minutes = Number(5, 60, unit=60_000)
    assert minutes.read(30) == 1_800_000
    assert minutes.plain(1_800_000) == 30


@pytest.mark.parametrize("value", [[], ["email"], ["sms", "sms"], "sms", [["sms"]], {"sms": 1}])
def test_phone_channels_are_sms_and_whatsapp(value: Any) -> None:
    with pytest.raises(Misfit):
        PhoneChannels().read(value)


def test_lists_can_be_typed_with_commas() -> None:
    assert PhoneChannels().read_text("sms, whatsapp") == (Channel.SMS, Channel.WHATSAPP)
    assert Addresses().read_text("example.com,ann@example.org") == (
        "example.com",
        "ann@example.org",
    )


def test_countries_are_written_in_capitals() -> None:
    assert CountryChannels().read({"br": "whatsapp"}) == {"BR": Channel.WHATSAPP}


@pytest.mark.parametrize(
    "value", [{"UK": "sms"}, {"BR": "email"}, {"Brazil": "sms"}, {"br": "sms", "BR": "sms"}, []]
)
def test_an_unknown_country_or_channel_is_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        CountryChannels().read(value)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        (" example.com ", "example.com"),
        ("@Example.com", "@example.com"),
        ("*@example.com", "*@example.com"),
        ("*@*.Example.com", "*@*.example.com"),
        ("*.ru", "*.ru"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("*@*.bücher.example", "*@*.bücher.example"),
    ],
)
def test_entries_are_brought_to_the_form_that_addresses_have(written: str, kept: str) -> None:
    assert Addresses().read([written, written]) == (kept,)


@pytest.mark.parametrize(
    "entry",
    ["", "ann", "ann@", "@", "*", "*@*", "a*@example.com", "*.*.com", "ex*mple.com", "415 555 2671",
     "ann@exa mple.com", "javascript:", None, 4155552671, ["example.com"]],
)  # fmt: skip
def test_an_entry_that_nothing_can_match_is_refused(entry: Any) -> None:
    with pytest.raises(Misfit):
        Addresses().read([entry])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "/welcome?x=1#y",
        "https://example.com",
        "http://localhost:3000/a b".replace(" ", ""),
    ],
)
def test_links_are_web_addresses_and_paths(url: str) -> None:
    assert Link().read(url) == url


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
     "data:text/html,x", "vbscript:x", "//evil.example", "/\\evil.example", "/\t/evil.example",
     "https:evil.example", "https://user@evil.example", "ftp://example.com", "welcome", "https://",
     "\x00javascript:alert(1)", "/" + "x" * 2_000, None, 1],
)  # fmt: skip
def test_links_that_run_or_hide_a_host_are_refused(url: Any) -> None:
    with pytest.raises(Misfit):
        Link().read(url)


@pytest.mark.parametrize("text", ["help", "https://example.com", "a@b@c", "mailto:a@example.com"])
def test_a_mailbox_is_an_address(text: str) -> None:
    with pytest.raises(Misfit):
        Mailbox().read(text)


@pytest.mark.parametrize("key", ["a b", 'x"onload=', "<b>", "käse", "x" * 101, "\n", None, 1])
def test_a_site_key_holds_nothing_that_means_something_in_a_page(key: Any) -> None:
    with pytest.raises(Misfit):
        SiteKey().read(key)
