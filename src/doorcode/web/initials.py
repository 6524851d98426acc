"""Draws the picture of an account that has none: its first letter on a colour.

    image_path("Ada Lovelace", user_id)   /v1/images/avatar_placeholder/41-c9.svg

The address holds all that is drawn, so nothing is stored or looked up: the code points
of the letter, and the number of a colour. Of the account it tells no more than that.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from html import escape

# The prebuilt profile page offers to remove a picture unless this word is in its address.
PREFIX = "/v1/images/avatar_placeholder/"
NOBODY = "0"  # stands for no letter: a silhouette

# One lightness all around the circle of hues (OKLCH 0.53), so that white is read on each.
COLOURS = (
    *("#ad4257", "#ae4731", "#a65100", "#965e00", "#7e6c00", "#5f761f", "#397d41", "#00805f"),
    *("#00807c", "#007c94", "#0074a5", "#346abb", "#5f5eba", "#7d54ad", "#944b96", "#a44479"),
)

_LETTER = (
    '<text x="40" y="40" dy=".35em" text-anchor="middle" font-size="38" font-weight="500"'
    ' font-family="system-ui, sans-serif" fill="#fff">{}</text>'
)
_SILHOUETTE = (
    '<g fill="#fff"><circle cx="40" cy="31" r="14"/><path d="M12 80a28 28 0 0 1 56 0z"/></g>'
)
_MOST_CODE_POINTS = 12  # a couple of two skin tones has ten
_PATH = re.compile(
    re.escape(PREFIX) + r"([1-9a-f][0-9a-f]{1,5}(?:-[1-9a-f][0-9a-f]{1,5})*|0)-c([0-9]{1,2})\.svg",
    re.ASCII,
)
_JOINER = "\u200d"


def first_letter(name: str) -> str:
    """The first letter, digit or symbol of a name as a person sees it, as a capital.

    A grapheme cluster (UAX #29) in good approximation: marks stay with their letter, and
    the parts of an emoji together. Empty where a name has none. The order of the name's
    characters is that of reading, so it is the right one for scripts from right to left.
    """
    text = unicodedata.normalize("NFC", name)
    start = next((at for at, char in enumerate(text) if _begins(char)), None)
    if start is None:
        return ""
    letter = _cluster(text[start:])
    # The title case, not the upper case, is what begins a word: Georgian has no other.
    capital = unicodedata.normalize("NFC", letter.title())
    return capital if capital and _cluster(capital) == capital else letter


def image_path(name: str, seed: str) -> str:
    """The path of the picture for `name`; `seed` (an account's id) chooses the colour."""
    letter = "-".join(f"{ord(char):x}" for char in first_letter(name)) or NOBODY
    return f"{PREFIX}{letter}-c{colour_of(seed)}.svg"


def parse_path(path: str) -> tuple[str, int] | None:
    """Letter and colour of a path that `image_path` can make, or None.

    None too for what it would not make: nobody may have words drawn at our address.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    try:
        letter = "" if match[1] == NOBODY else "".join(chr(int(c, 16)) for c in match[1].split("-"))
    except ValueError:  # over U+10FFFF
        return None
    colour = int(match[2])
    if colour >= len(COLOURS) or str(colour) != match[2] or first_letter(letter) != letter:
        return None
    return letter, colour


def colour_of(seed: str) -> int:
    """The number of the colour for a seed, always the same."""
    return hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[0] % len(COLOURS)


def initial_svg(letter: str, colour: int) -> bytes:
    """An SVG of the first letter of `letter`, or a silhouette, in one of `COLOURS`.

    It holds no style and no script, so it is served under a policy that allows none.
    """
    shown = escape(first_letter(letter))
    ground = f'<rect width="80" height="80" fill="{COLOURS[colour % len(COLOURS)]}"/>'
    figure = _LETTER.format(shown) if shown else _SILHOUETTE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80">{ground}{figure}</svg>'
    ).encode()


def _begins(char: str) -> bool:
    """A letter, a number or a symbol: no space, sign, mark, control or lone surrogate."""
    return unicodedata.category(char)[0] in "LNS"


def _cluster(text: str) -> str:
    """The leading character of `text` with what belongs to it."""
    end = 1
    if _is_flag_half(text[0]) and len(text) > 1 and _is_flag_half(text[1]):
        end = 2
    while end < min(len(text), _MOST_CODE_POINTS):
        char = text[end]
        if _extends(char):
            end += 1
        elif char == _JOINER and _is_symbol(text[0]) and _is_symbol(text[end + 1 : end + 2]):
            end += 2
        else:
            break
    return text[: min(end, _MOST_CODE_POINTS)]


def _extends(char: str) -> bool:
    # Marks and variation selectors, skin tones, and the tags inside of some flags.
    return (
        unicodedata.category(char)[0] == "M"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_symbol(char: str) -> bool:
    return bool(char) and unicodedata.category(char) == "So"
