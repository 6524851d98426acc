"""The shipped words, and an operator's over them."""

from __future__ import annotations

import pytest

from doorcode.delivery.sandbox import fill, names_in
from doorcode.delivery.sms import short_text
from doorcode.delivery.words import SHIPPED, voice_for, voice_of
from doorcode.domain.languages import normal
from doorcode.domain.segments import ALPHABET, segments
from doorcode.domain.texts import PARTS, Texts

EACH = pytest.mark.parametrize("language", SHIPPED)
NON_LATIN = {"ar", "he", "hi", "ja", "ko", "ru", "uk", "zh", "zh-Hant"}
# Its words lose their meaning without accents that the cheap alphabet lacks.
DEAR = NON_LATIN | {"vi"}
CODE, HOST = "731904", "app.example.com"


def test_there_are_many_languages_in_several_scripts() -> None:
    assert len(SHIPPED) >= 12
    assert set(SHIPPED) > NON_LATIN
    assert set(SHIPPED) - NON_LATIN > {"en", "de", "es", "fr", "pt"}
    assert all(normal(language) == language for language in SHIPPED)


@EACH
def test_a_language_is_complete(language: str) -> None:
    assert set(SHIPPED[language]) == set(PARTS)


@EACH
def test_every_part_says_what_it_must_and_can_be_filled_in(language: str) -> None:
    for part, template in SHIPPED[language].items():
        rules = PARTS[part]
        names = names_in(template, rules.names)
        assert rules.needed <= names, part
        for app in ("", "Acme"):
            values = {"code": CODE, "app": app, "minutes": 10, "days": 30}
            text = fill(template, values)
            assert text == text.strip(), part
            assert text, part
            assert "  " not in text, part
            assert ("Acme" in text) == (app != "" and "app" in names), part
            assert len(text) <= rules.most, part
            assert text.isprintable(), part


@EACH
def test_a_text_message_begins_with_the_code_and_is_one_segment(language: str) -> None:
    """With a name and a host of usual length; 70 characters is all there is in most scripts."""
    template = SHIPPED[language]["sms"]
    text = short_text(template, CODE, "Acme", HOST)
    assert text.startswith(CODE)
    assert "Acme" in text
    assert text.endswith(f"\n@{HOST} #{CODE}")
    assert segments(text) == 1
    assert (set(text) <= ALPHABET) == (language not in DEAR)


@EACH
def test_a_subject_begins_with_the_code_so_that_a_list_of_mails_shows_it(language: str) -> None:
    values = {"code": CODE, "app": "An Application With A Long Name", "minutes": 10}
    assert fill(SHIPPED[language]["subject"], values).startswith(CODE)


@EACH
def test_no_language_is_a_copy_of_another(language: str) -> None:
    others = [words for name, words in SHIPPED.items() if name != language]
    assert all(words["advice"] != SHIPPED[language]["advice"] for words in others)


# ── whose words count ─────────────────────────────────────────────────────────────────
OWN = {"de": {"sms": "{{ code }}!", "heading": "Da:"}, "de-AT": {"heading": "Servus:"}}


@pytest.mark.parametrize(
    ("default", "locale", "language"),
    [
        ("en", "fr-CA", "fr"),
        ("en", "zh-TW", "zh-Hant"),
        ("en", None, "en"),
        ("pl", None, "pl"),
        ("pl", "xx", "pl"),
        ("xx", "xx", "en"),
        ("en", "de-CH", "de"),
        ("en", "de-AT-1996", "de-AT"),
    ],
)
def test_a_locale_finds_its_language_else_the_default_one(
    default: str, locale: str | None, language: str
) -> None:
    assert voice_for(Texts(default_language=default, own=OWN), locale).language == language


def test_own_words_stand_before_the_shipped_ones_of_their_language_only() -> None:
    texts = Texts(own=OWN)
    assert voice_of(texts, "de").words == {**SHIPPED["de"], **OWN["de"]}
    assert voice_of(texts, "fr").words == SHIPPED["fr"]


def test_a_narrower_language_has_the_wider_ones_words_for_the_rest() -> None:
    voice = voice_of(Texts(own=OWN), "de-AT")
    assert voice.own == {"sms": "{{ code }}!", "heading": "Servus:"}
    assert voice.words["advice"] == SHIPPED["de"]["advice"]


def test_own_simplified_words_do_not_show_through_in_traditional_ones() -> None:
    texts = Texts(own={"zh": {"heading": "码"}})
    assert voice_for(texts, "zh-TW").words == SHIPPED["zh-Hant"]
