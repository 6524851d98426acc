"""The text of a ticket: whoever has it comes in, and nobody can make one up."""

from __future__ import annotations

import re

import pytest

from doorcode.domain.send import Pause
from doorcode.security import master_key
from doorcode.security.master_key import MasterKey
from doorcode.security.tickets import Tickets

OLD = bytes(range(32))
NEW = bytes(range(32, 64))
TICKETS = Tickets(MasterKey({1: OLD}), "ins_1")
TEXT = TICKETS.text("invt_1")


def test_a_text_is_read_back() -> None:
    assert TICKETS.read(TEXT) == "invt_1"


def test_a_text_needs_no_escaping_in_a_url() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", TEXT)


def test_each_ticket_has_a_text_of_its_own() -> None:
    assert TICKETS.text("invt_2").partition(".")[2] != TEXT.partition(".")[2]


def test_a_text_that_was_changed_in_any_place_is_no_ticket() -> None:
    for place in range(len(TEXT)):
        other = "A" if TEXT[place] != "A" else "B"
        assert TICKETS.read(TEXT[:place] + other + TEXT[place + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "invt_1",
        "invt_1.",
        TEXT + "=",
        TEXT + ".",
        TEXT[:-1],
        " " + TEXT,
        TEXT + "\n",
        TEXT.replace("invt_1", "invt_2"),
        TEXT.upper(),
        "invt_1." + "é" * 43,
        "\ud800.x",
    ],
)
def test_what_is_no_ticket_is_refused(text: str) -> None:
    assert TICKETS.read(text) is None


def test_a_mac_in_another_spelling_of_the_same_bytes_is_no_ticket() -> None:
    # 43 characters of base64 hold 258 bits, two more than the MAC: four spellings each.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(TEXT[-1])
    others = [alphabet[(last & ~3) + n] for n in range(4)]
    assert [TICKETS.read(TEXT[:-1] + one) for one in others].count("invt_1") == 1


def test_a_ticket_of_another_instance_or_another_key_is_refused() -> None:
    assert Tickets(MasterKey({1: OLD}), "ins_2").read(TEXT) is None
    assert Tickets(master_key.parse(master_key.generate()), "ins_1").read(TEXT) is None


def test_a_ticket_outlives_a_change_of_the_key() -> None:
    both = Tickets(MasterKey({1: OLD, 2: NEW}), "ins_1")
    assert both.read(TEXT) == "invt_1"
    assert both.text("invt_1") == Tickets(MasterKey({2: NEW}), "ins_1").text("invt_1")


def test_an_address_has_one_id_on_the_waitlist_and_no_other_server_knows_it() -> None:
    name = TICKETS.entry_id("ada@example.com")
    assert re.fullmatch(r"wle_[0-9a-f]{26}", name)
    assert TICKETS.entry_id("ada@example.com") == name
    rotated = Tickets(MasterKey({1: OLD, 2: NEW}), "ins_1")
    assert rotated.entry_id("ada@example.com") == name
    others = [Tickets(MasterKey({1: OLD}), "ins_2"), Tickets(MasterKey({1: NEW}), "ins_1")]
    ids = {one.entry_id("ada@example.com") for one in others} | {
        TICKETS.entry_id("bea@example.com")
    }
    assert len(ids - {name}) == 3


def test_a_ticket_ends_with_the_last_key_that_made_it() -> None:
    assert Tickets(MasterKey({2: NEW}), "ins_1").read(TEXT) is None


# ── the link that ends a pause ────────────────────────────────────────────────────────
PAUSE = Pause("GB", 1_750_000_000_000, "why")


def test_a_link_names_the_country_and_the_pause_that_it_ends() -> None:
    text = TICKETS.resume_text(PAUSE)
    assert TICKETS.read_resume(text) == ("GB", PAUSE.at)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", text)


def test_a_link_that_was_changed_in_any_place_is_refused() -> None:
    text = TICKETS.resume_text(PAUSE)
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        assert TICKETS.read_resume(text[:place] + other + text[place + 1 :]) is None


def test_neither_a_ticket_nor_another_servers_link_ends_a_pause() -> None:
    """The app's server can have a ticket of any id in hand, and hands it to people."""
    name = TICKETS.resume_text(PAUSE).partition(".")[0]
    assert TICKETS.read_resume(TICKETS.text(name)) is None
    assert TICKETS.read(TICKETS.resume_text(PAUSE)) is None
    other = Tickets(MasterKey({1: OLD}), "ins_2")
    assert TICKETS.read_resume(other.resume_text(PAUSE)) is None


def test_a_link_outlives_a_change_of_the_key() -> None:
    both = Tickets(MasterKey({1: OLD, 2: NEW}), "ins_1")
    assert both.read_resume(TICKETS.resume_text(PAUSE)) == ("GB", PAUSE.at)
    newest = Tickets(MasterKey({2: NEW}), "ins_1")
    assert newest.read_resume(both.resume_text(PAUSE)) == ("GB", PAUSE.at)
