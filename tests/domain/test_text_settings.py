"""The settings of texts, as far as they can be judged without rendering."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.setting_types import MOST_CHARACTERS, Misfit
from doorcode.domain.text_settings import Language, OwnTexts

GOOD = {"pt-br": {"sms": "{{ code }}"}, "de": {"heading": "Hier:", "advice": "Leise."}}


def test_own_texts_are_read_and_written_back_by_their_usual_names() -> None:
    typed = OwnTexts().read(GOOD)
    assert list(typed) == ["pt-BR", "de"]
    assert OwnTexts().plain(typed) == {"de": GOOD["de"], "pt-BR": GOOD["pt-br"]}
    assert OwnTexts().read(OwnTexts().plain(typed)) == typed


def test_own_texts_can_be_typed_as_json() -> None:
    assert OwnTexts().read_text('{"de": {"sms": "{{ code }}"}}') == {"de": {"sms": "{{ code }}"}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"d": {"sms": "x"}}, "'d' is no language"),
        ({"de-": {"sms": "x"}}, "no language"),
        ({"x" * 65: {"sms": "x"}}, "no language"),
        ({7: {"sms": "x"}}, "7 is no language"),
        ({"pt-BR": {"sms": "x"}, "pt-br": {"sms": "x"}}, "named twice"),
        ({"de": {}}, "de holds no texts"),
        ({"de": "x"}, "de holds no texts"),
        ({"de": {"smss": "x"}}, "de.smss is no text; the nearest is sms"),
        ({"de": {"sms": ""}}, "de.sms must be a text"),
        ({"de": {"sms": " \n"}}, "de.sms must be a text"),
        ({"de": {"sms": 7}}, "de.sms must be a text"),
        ({"de": {"sms": "x" * (MOST_CHARACTERS + 1)}}, "of 1 to 2000 characters"),
        ([], "^$"),
        (None, "^$"),
        ({f"de-{n:03}": {"sms": "x"} for n in range(201)}, "^$"),
    ],
)
def test_what_is_no_map_of_texts_is_refused_by_its_name(value: Any, said: str) -> None:
    with pytest.raises(Misfit, match=said):
        OwnTexts().read(value)


@pytest.mark.parametrize("text", ["", "no", "{", "[" * 100_000, '{"d": {"sms": "x"}}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Misfit):
        OwnTexts().read_text(text)


def test_a_language_is_read_in_any_case() -> None:
    assert Language().read_text("PT-br") == "pt-BR"


@pytest.mark.parametrize("value", ["", "d", "de_AT", "de ", 7, None, "a" * 65, "dé"])
def test_what_is_no_language_is_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        Language().read(value)
