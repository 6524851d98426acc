"""Which language somebody is written to in: RFC 5646's case, RFC 4647's lookup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.languages import TAG, accepted, is_right_to_left, lookup, normal, wider

THERE = {"de", "en", "he", "id", "nb", "pt", "zh", "zh-Hant"}


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("en-u-CA-islamic", "en-u-ca-islamic"),
        ("sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
        ("es-419", "es-419"),
    ],
)
def test_a_tag_is_written_in_its_usual_case(tag: str, written: str) -> None:
    assert normal(tag) == written


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt"),
        ("zh-CN", "zh"),
        ("zh-Hans-SG", "zh"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-TW", "zh-Hant"),  # the tag names no script, and its readers have one
        ("zh-HK", "zh-Hant"),
        ("en-u-ca-gregory", "en"),
        ("en-a-bb-x-cc", "en"),
        ("iw-IL", "he"),
        ("in", "id"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("xx", None),
        ("deu", None),
        ("", None),
        (None, None),
        ("de_AT", None),  # no tag: the door refuses it, and so does nobody's default
        ("d\u0435", None),  # a Cyrillic letter
    ],
)
def test_a_language_is_the_narrowest_there_is(wanted: str | None, found: str | None) -> None:
    assert lookup(wanted, THERE) == found


def test_a_narrower_language_counts_before_the_wider_one() -> None:
    assert lookup("de-AT", {"de", "de-AT"}) == "de-AT"
    assert lookup("zh-TW", {"zh", "zh-TW", "zh-Hant"}) == "zh-TW"


def test_a_singleton_goes_with_what_it_introduces() -> None:
    assert list(wider("en-x-whole")) == ["en-x-whole", "en"]


@given(st.from_regex(TAG, fullmatch=True).filter(lambda tag: len(tag) <= 64))
def test_every_tag_ends_at_its_language(tag: str) -> None:
    found = list(wider(tag))
    assert found[0] == normal(tag)
    assert tag.partition("-")[0].lower() in found
    assert normal(normal(tag)) == normal(tag)


@pytest.mark.parametrize(
    ("tag", "turned"),
    [
        ("ar", True), ("he-IL", True), ("fa", True), ("ur-PK", True), ("az-Arab", True),
        ("en", False), ("ar-Latn", False), ("zh-Hant", False), ("ja", False),
    ],
)  # fmt: skip
def test_some_languages_are_written_from_the_right(tag: str, turned: bool) -> None:
    assert is_right_to_left(tag) == turned


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ("de-AT", "de", "en")),
        ("en;q=0.5, de", ("de", "en")),
        ("de , en ; q=0.7", ("de", "en")),
        ("fr;q=0, de;q=0.001", ("de",)),
        ("*, x, de_AT, en;level=1, pt;q=2", ()),
        ("de;q=0.1234", ()),
        ("a" * 70, ()),
        ("", ()),
    ],
)
def test_a_browser_names_its_languages(header: str, languages: tuple[str, ...]) -> None:
    assert accepted(header) == languages


@given(st.text(max_size=300))
def test_whatever_a_browser_sends_is_a_list_of_tags(header: str) -> None:
    found = accepted(header)
    assert len(found) <= 10
    assert all(TAG.fullmatch(tag) for tag in found)
