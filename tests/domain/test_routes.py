"""Lists of routes as an operator writes them: read, refused, and shown without a credential."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.routes import MOST_CHARACTERS, MOST_ROUTES, Delivery, Ladder, Routes
from doorcode.domain.setting_types import Misfit

TWILIO = {"provider": "twilio", "account_sid": "AC1", "auth_token": "hunter2", "from": "+15550100"}
SECRET = "hunter2"


# ── reading ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("given", [[], [TWILIO], [{**TWILIO, "name": "a"}, {"provider": "x"}]])
def test_routes_come_back_as_they_were_written(given: list[dict[str, Any]]) -> None:
    routes = Routes()
    for read in (routes.read(given), routes.read_text(json.dumps(given))):
        assert routes.plain(read) == given
        assert routes.read(routes.plain(read)) == read


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        "twilio",
        [1],
        ["twilio"],
        [{}],
        [{"provider": 7}],
        [{"provider": "x", "name": "two words"}],
        [{"provider": "x", "name": 7}],
        [{"provider": "x", "name": ""}],
        [{"provider": "x", "name": "a" * 41}],
        [{"provider": "x", "name": "a"}, {"provider": "y", "name": "a"}],
        [{"provider": "x", "countries": "GB"}],
        [{"provider": "x", "countries": ["gb"]}],
        [{"provider": "x", "countries": ["XX"]}],
        [{"provider": "x", "countries": [["GB"]]}],
        [{"provider": "x", "text": "a" * MOST_CHARACTERS}],
        [{"provider": "x"}] * (MOST_ROUTES + 1),
    ],
)
def test_what_is_no_list_of_routes_is_refused(wrong: object) -> None:
    with pytest.raises(Misfit):
        Routes().read(wrong)
    with pytest.raises(Misfit):
        Routes().read_text(json.dumps(wrong))


@pytest.mark.parametrize("text", ["", "twilio", "[", "[" * 100_000, '[{"provider": "x"}'])
def test_a_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Misfit):
        Routes().read_text(text)


@pytest.mark.parametrize(
    ("text", "ladder"),
    [
        ("", ()),
        ("[]", ()),
        ("sms", ("sms",)),
        ("sms, whatsapp,voice", ("sms", "whatsapp", "voice")),
        ('["whatsapp", "sms"]', ("whatsapp", "sms")),
    ],
)
def test_a_ladder_is_typed_with_commas_or_as_json(text: str, ladder: tuple[str, ...]) -> None:
    assert Ladder().read_text(text) == ladder
    assert Ladder().read(Ladder().plain(ladder)) == ladder


@pytest.mark.parametrize(
    "wrong", ["sms,sms", "email", "fax", "[", '["sms", 7]', '{"sms": 1}', "[[]]"]
)
def test_a_ladder_of_anything_else_is_refused(wrong: str) -> None:
    with pytest.raises(Misfit):
        Ladder().read_text(wrong)


# ── showing ───────────────────────────────────────────────────────────────────────────
def test_a_route_is_shown_without_whatever_could_be_a_credential() -> None:
    shown = Routes().masked([TWILIO])
    assert shown == [
        {"provider": "twilio", "account_sid": "…", "auth_token": "…", "from": "+15550100"}
    ]


def test_the_name_of_a_variable_is_shown() -> None:
    shown = Routes().masked([{"provider": "http", "headers": {"authorization": "env:TOKEN"}}])
    assert shown == [{"provider": "http", "headers": {"authorization": "env:TOKEN"}}]


VALUES = st.recursive(
    st.just(SECRET) | st.just(f"Bearer {SECRET}") | st.booleans() | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
OPTIONS = st.sampled_from(["url", "auth_token", "headers", "json", "secret", "receipts", "x"])


@given(st.dictionaries(OPTIONS, VALUES))
def test_no_credential_is_shown_however_deep_it_lies(options: dict[str, Any]) -> None:
    shown = Routes().masked([{"provider": "http", **options}])
    assert SECRET not in json.dumps(shown)
    assert Routes().read(shown)  # what is shown still reads as routes


# ── who carries what ──────────────────────────────────────────────────────────────────
def test_a_channel_is_carried_by_its_first_route_else_by_what_is_usual() -> None:
    delivery = Delivery(sms=({"provider": "twilio"}, {"provider": "vonage"}))
    assert delivery.carriers({"email": "smtp", "sms": "inbox"}) == {
        "email": "smtp",
        "sms": "twilio",
    }


def test_a_channel_without_a_route_is_carried_by_what_stands_in_for_it() -> None:
    delivery = Delivery(voice=({"provider": "http"},), ladder=("sms", "whatsapp", "voice"))
    assert delivery.carriers({}) == dict.fromkeys(("sms", "whatsapp", "voice"), "http")
    upwards = Delivery(sms=({"provider": "http"},), ladder=("sms", "whatsapp"))
    assert upwards.carriers({}) == {"sms": "http"}
