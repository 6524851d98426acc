"""What a text is paid for: 3GPP TS 23.038 and 23.040."""

from __future__ import annotations

import gsm0338
import pytest
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st

from doorcode.domain.segments import ALPHABET, dear_letters, segments

EXTENDED = "\f^{}\\[~]|€"


def septets(char: str) -> int:
    return 2 if char in EXTENDED else 1


@pytest.mark.parametrize(
    ("text", "paid"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("a" * 69 + "ж", 1),
        ("a" * 70 + "ж", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("ç", 1),
        ("ç" * 71, 2),  # only the capital is in the alphabet
        ("Ç" * 71, 1),
        ("`" + "a" * 70, 2),
    ],
)
def test_a_text_is_as_many_messages(text: str, paid: int) -> None:
    assert segments(text) == paid


def test_an_escape_stays_with_its_character() -> None:
    # 306 septets would fill two parts, but the pair at the border moves on whole.
    assert segments("a" * 152 + "€" + "a" * 152) == 3
    assert segments("a" * 151 + "€" + "a" * 153) == 2


def test_the_halves_of_an_emoji_stay_together() -> None:
    assert segments("ж" * 66 + "😀" + "ж" * 66) == 3
    assert segments("ж" * 65 + "😀" + "ж" * 67) == 2


def test_the_alphabet_has_137_characters() -> None:
    # 128 positions without the escape, and ten characters behind it.
    assert len(ALPHABET) == 127 + 10


@given(st.text(st.sampled_from(sorted(ALPHABET)), max_size=500))
def test_a_text_of_the_alphabet_fits_no_fewer_and_hardly_more_than_its_septets(text: str) -> None:
    length = sum(map(septets, text))
    if length <= 160:
        assert segments(text) == 1
    else:
        assert -(-length // 153) <= segments(text) <= -(-length // 152)


@given(st.text(max_size=300))
def test_a_longer_text_is_never_cheaper(text: str) -> None:
    assert segments(text) <= segments(text + "a") <= segments(text + "a") + 1


@given(st.text(st.characters(exclude_characters="".join(ALPHABET)), min_size=1, max_size=300))
def test_one_character_outside_the_alphabet_makes_all_of_it_16_bits_wide(text: str) -> None:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert (segments(text) == 1) == (units <= 70)


# ── two libraries by others, as oracles ───────────────────────────────────────────────
CODEC = gsm0338.Codec()
# The escape is no character, though one of them counts it as one.
MIXED = st.characters(exclude_characters="\x1b", exclude_categories=["Cs"])
CHEAP = st.sampled_from(sorted(ALPHABET))


def test_the_alphabet_is_that_of_the_codec() -> None:
    encodable = set()
    for number in range(0x10000):
        char = chr(number)
        try:
            CODEC.encode(char)
        except UnicodeError:
            continue
        encodable.add(char)
    assert encodable - {"\x1b"} == ALPHABET


@given(st.text(CHEAP, max_size=700) | st.text(CHEAP | MIXED, max_size=400))
@example("a" * 152 + "€" + "a" * 152)
@example("ж" * 66 + "😀" + "ж" * 66)
def test_a_text_is_split_into_as_many_parts_as_the_library_splits_it(text: str) -> None:
    assert segments(text) == max(1, len(smsutil.split(text).parts))


@given(st.text(CHEAP, max_size=200))
def test_a_text_of_the_alphabet_is_as_long_as_the_codec_makes_it(text: str) -> None:
    septets = len(CODEC.encode(text)[0])
    assert (segments(text) == 1) == (septets <= 160)


@given(st.text(max_size=100))
def test_the_letters_that_make_a_text_dear_are_those_outside_the_alphabet(text: str) -> None:
    dear = dear_letters(text)
    assert set(dear) == set(text) - ALPHABET
    assert len(dear) == len(set(dear))
