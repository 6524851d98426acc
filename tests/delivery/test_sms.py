"""A code as a text message: the name that fits, and the line that phones read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorcode.delivery.sms import BOUND_CHARACTERS, NAME_CHARACTERS, clean_name, short_text
from doorcode.delivery.sms import sms_segments as counted
from doorcode.delivery.words import SHIPPED
from doorcode.domain.limits import CODE_DIGITS
from doorcode.domain.segments import segments

CODE = "731904"
ENGLISH, RUSSIAN = SHIPPED["en"]["sms"], SHIPPED["ru"]["sms"]


def parsed(message: str) -> tuple[str, str] | None:
    """The host and the code of a message, read as the specification says.

    https://wicg.github.io/sms-one-time-codes/#parsing
    """
    line = message.replace("\r\n", "\n").replace("\r", "\n").split("\n")[-1]
    at, space, rest = line.partition(" ")
    if not (at.startswith("@") and len(at) > 1 and space and rest.startswith("#")):
        return None
    code = rest[1:].split(" ")[0]
    return (at[1:], code) if code else None


def test_the_last_line_binds_the_code_to_the_host() -> None:
    text = short_text(ENGLISH, CODE, "Acme", "app.example.com")
    assert parsed(text) == ("app.example.com", CODE)
    assert text.endswith("Do not share it.\n@app.example.com #731904")


def test_without_a_host_there_is_no_last_line() -> None:
    assert parsed(short_text(ENGLISH, CODE, "Acme", "")) is None


@pytest.mark.parametrize(
    ("template", "name", "written"),
    [
        (ENGLISH, "Šárka", "Sarka"),  # the alphabet is the text's
        (ENGLISH, "Банк", ""),
        (RUSSIAN, "Банк", "Банк"),
        (RUSSIAN, "Šárka", "Šárka"),
        (RUSSIAN, "東京", "東京"),
    ],
)
def test_a_name_is_written_as_the_text_can_hold_it(template: str, name: str, written: str) -> None:
    text = short_text(template, CODE, name, "")
    assert text == short_text(template, CODE, "", "").replace(
        "your code" if template == ENGLISH else "код",
        f"your {written} code".replace("  ", " ") if template == ENGLISH else f"код {written}",
    )


def test_a_name_that_would_cost_a_segment_is_cut_after_a_word() -> None:
    text = short_text(RUSSIAN, CODE, "Acme Bicycles International", "app.example.com")
    assert segments(text) == 1
    assert "код Acme. " in text


def test_a_word_that_does_not_fit_is_left_out_rather_than_cut_short() -> None:
    text = short_text(RUSSIAN, CODE, "Fahrradwerkstatt", "app.example.com")
    assert text == short_text(RUSSIAN, CODE, "", "app.example.com")


def test_a_name_makes_no_text_too_long_for_the_browsers_that_read_it() -> None:
    host = "accounts.a-rather-long-name.example.com"
    text = short_text(ENGLISH, CODE, "One Two Three Four Five Six Seven Eight Nine Ten", host)
    assert len(text) <= BOUND_CHARACTERS
    assert "your One Two Three" in text
    assert parsed(text) == (host, CODE)


def test_a_host_that_is_too_long_for_one_segment_leaves_room_for_the_name() -> None:
    host = "accounts.a-rather-long-name.example.com"
    text = short_text(RUSSIAN, CODE, "Fahrradwerkstatt", host)
    assert segments(text) == 2
    assert "Fahrradwerkstatt" in text


@settings(deadline=None)
@given(
    st.sampled_from(sorted(SHIPPED)),
    st.text(max_size=100),
    st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){0,3}", fullmatch=True) | st.just(""),
    st.integers(0, 10**CODE_DIGITS - 1),
)
def test_whatever_the_name_the_text_costs_no_more_and_every_code_as_much(
    language: str, name: str, host: str, number: int
) -> None:
    template, code = SHIPPED[language]["sms"], str(number).zfill(CODE_DIGITS)
    text = short_text(template, code, name, host)
    assert segments(text) == counted(template, name, host)
    assert segments(text) == segments(short_text(template, code, "", host))
    assert parsed(text) == ((host, code) if host else None)
    assert code in text.split("\n@")[0]


@given(st.text(max_size=200))
def test_a_clean_name_is_one_line_and_stays_as_it_is(name: str) -> None:
    clean = clean_name(name)
    assert len(clean) <= NAME_CHARACTERS
    assert len(clean.splitlines()) <= 1
    assert clean_name(clean) == clean
