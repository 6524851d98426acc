"""A drawn initial: one letter, a colour on which white is read, and nothing that breaks out."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.web.initials import (
    COLOURS,
    PREFIX,
    colour_of,
    first_letter,
    image_path,
    initial_svg,
    parse_path,
)

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: bytes) -> str:
    """The text that a browser would show; fails where the document is not well-formed."""
    text = ElementTree.fromstring(svg).find(f"{SVG}text")
    return "" if text is None else text.text or ""


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    levels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# ── the letter ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("Ada", "A"),
        ("ada lovelace", "A"),
        ("  'quoted'", "Q"),
        ("élodie", "É"),
        ("e\u0301lodie", "É"),
        ("x\u030cy", "X\u030c"),
        ("ßen", "ß"),
        ("ǆemal", "ǅ"),
        ("ирина", "И"),
        ("გიორგი", "გ"),
        ("محمد", "م"),
        ("\u202eדוד", "ד"),
        ("李小龍", "李"),
        ("각하", "각"),
        ("हिन्दी", "हि"),
        ("7th", "7"),
        ("👩🏽\u200d💻 dev", "👩🏽\u200d💻"),
        ("👨\u200d👩\u200d👧\u200d👦 family", "👨\u200d👩\u200d👧\u200d👦"),
        ("🇨🇭🇩🇪", "🇨🇭"),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", None),
        ("a\u200db", "A"),
        ("<script>", "<"),
        ("&amp;", "A"),
        ("", ""),
        (" \t\u200b…", ""),
        ("\ud800", ""),
        ("\x00\x1b", ""),
        ("\u0301", ""),
    ],
)
def test_the_letter_of_a_name_is(name: str, letter: str | None) -> None:
    assert first_letter(name) == (name if letter is None else letter)


def test_a_letter_under_a_heap_of_marks_is_cut() -> None:
    assert len(first_letter("a" + "\u0338" * 5000)) <= 12


@given(st.text())
def test_a_letter_is_its_own_first_letter(name: str) -> None:
    letter = first_letter(name)
    assert first_letter(letter) == letter
    assert len(letter) <= 12


# ── the drawing ───────────────────────────────────────────────────────────────────────
@given(st.text(), st.integers(0, len(COLOURS) - 1))
def test_any_text_makes_a_well_formed_drawing_of_its_letter(text: str, colour: int) -> None:
    assert drawn(initial_svg(text, colour)) == first_letter(text)


@pytest.mark.parametrize("text", ["<", "<script>alert(1)</script>", "</text>", "&", "&lt;", "]]>"])
def test_no_letter_breaks_out(text: str) -> None:
    root = ElementTree.fromstring(initial_svg(text, 0))
    assert {node.tag for node in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "rect", "text", "g", "circle", "path")
    }
    assert b"script" not in initial_svg(text, 0)


def test_without_a_letter_a_silhouette_is_drawn() -> None:
    svg = initial_svg("", 3)
    assert b"<circle" in svg
    assert b"<text" not in svg


@pytest.mark.parametrize("letter", ["A", ""])
def test_a_drawing_needs_no_style_and_no_script(letter: str) -> None:
    svg = initial_svg(letter, 0)
    assert not any(word in svg for word in (b"style", b"script", b"href", b"url(", b"<!"))


@pytest.mark.parametrize("colour", COLOURS)
def test_white_is_read_on_every_colour(colour: str) -> None:
    contrast = 1.05 / (luminance(colour) + 0.05)
    assert contrast >= 4.5
    assert colour.encode() in initial_svg("A", COLOURS.index(colour))


@given(st.text())
def test_every_seed_has_one_of_the_colours(seed: str) -> None:
    assert COLOURS[colour_of(seed)] == COLOURS[colour_of(seed)]
    assert 0 <= colour_of(seed) < len(COLOURS)


def test_accounts_differ_in_colour() -> None:
    assert {colour_of(f"user_{n}") for n in range(500)} == set(range(len(COLOURS)))


def test_an_account_keeps_its_colour() -> None:
    # A change of this number would change every address that pages have kept.
    assert colour_of("user_1") == 9


# ── the path ──────────────────────────────────────────────────────────────────────────
def test_a_path_looks_like_this() -> None:
    assert image_path("Ada", "user_1") == "/v1/images/avatar_placeholder/41-c9.svg"
    assert image_path("", "user_1") == "/v1/images/avatar_placeholder/0-c9.svg"


@given(st.text(), st.text())
def test_a_path_holds_the_letter_and_the_colour_and_no_more(name: str, seed: str) -> None:
    path = image_path(name, seed)
    assert parse_path(path) == (first_letter(name), colour_of(seed))
    assert path == image_path(first_letter(name), seed)


@given(st.text())
def test_a_path_needs_no_escapes(name: str) -> None:
    rest = image_path(name, "user_1").removeprefix(PREFIX)
    assert set(rest) <= set("0123456789abcdef-c.svg")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "41",
        "41.svg",
        "41-c1",
        "41-c.svg",
        "41-c99.svg",
        f"41-c{len(COLOURS)}.svg",
        "41-c-1.svg",
        "41-c01.svg",
        "041-c1.svg",
        "61-c1.svg",  # a small letter
        "41-42-c1.svg",  # a word
        "20-c1.svg",
        "a-c1.svg",
        "202e-c1.svg",
        "d800-c1.svg",
        "110000-c1.svg",
        "ffffffffff-c1.svg",
        "41-c1.svg\n",
        "41-c1.svg/",
        "41-c1.SVG",
        "4１-c1.svg",
        "-c1.svg",
        "../41-c1.svg",
        "-".join(["41", *["338"] * 40]) + "-c1.svg",
    ],
)
def test_no_other_path_is_drawn(rest: str) -> None:
    assert parse_path(PREFIX + rest) is None


@given(st.text(alphabet="0123456789abcdef-c.svg/", max_size=30))
def test_whatever_is_drawn_has_that_very_path(rest: str) -> None:
    found = parse_path(PREFIX + rest)
    if found is not None:
        letter, colour = found
        assert image_path(letter, "x").rpartition("-c")[0] in PREFIX + rest
        assert rest.endswith(f"-c{colour}.svg")


@pytest.mark.parametrize("path", ["", "/", "/v1/images/41-c1.svg", "x" + PREFIX + "41-c1.svg"])
def test_a_path_elsewhere_is_none(path: str) -> None:
    assert parse_path(path) is None
