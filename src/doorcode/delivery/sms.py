"""A code as a text message: short, in the alphabet that is cheap, bound to the app's page.

The last line, `@example.com #731904`, is read by phones: Safari and Chrome offer the code on
that host's pages and on no other, so a page that imitates them gets none filled in.
https://wicg.github.io/sms-one-time-codes/
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from doorcode.delivery.sandbox import fill
from doorcode.domain import limits
from doorcode.domain.segments import ALPHABET, dear_letters, segments

NAME_CHARACTERS = 60
CUT_CHARACTERS = 20  # a shorter half of a word says nothing
BOUND_CHARACTERS = 140  # Chrome looks for the last line in messages up to this length

# Control, format, surrogate, line and paragraph characters: a line break in a name would
# add a header to the mail, a bidirectional override would make it read as another name.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # format characters that Persian words and emoji are made with


def short_text(template: str, code: str, name: str, host: str) -> str:
    """The message. The app's name is shortened, or left out, before it costs another segment."""
    bare = _text(template, code, "", host)
    whole = clean_name(name)
    if not dear_letters(bare):
        whole = _in_gsm7(whole)
    least, fitting = segments(bare), whole
    while fitting:
        text = _text(template, code, _whole_words(fitting, whole), host)
        if segments(text) <= least and not (host and len(text) > BOUND_CHARACTERS):
            return text
        fitting = fitting[:-1]
    return bare


@lru_cache(maxsize=256)
def sms_segments(template: str, name: str, host: str) -> int:
    """How many messages a code travels in, and is paid for as: every code is as long."""
    return segments(short_text(template, "0" * limits.CODE_DIGITS, name, host))


def clean_name(name: str) -> str:
    """The app's name on one line, of a length that a subject bears."""
    spaced = "".join(" " if char in "\t\r\n\u2028\u2029" else char for char in name)
    kept = (c for c in spaced if c in _JOINERS or unicodedata.category(c) not in _UNWANTED)
    clean = " ".join("".join(kept).split())
    if len(clean) > NAME_CHARACTERS:
        return clean[: NAME_CHARACTERS - 1].rstrip() + "…"
    return clean


def _text(template: str, code: str, name: str, host: str) -> str:
    minutes = limits.CODE_LIVES_FOR // limits.MINUTE
    text = fill(template, {"code": code, "app": name, "minutes": minutes})
    return f"{text}\n@{host} #{code}" if host else text


def _whole_words(cut: str, whole: str) -> str:
    """A name that was cut, without the half of a word; the first word stays if much is left."""
    if cut == whole or whole[len(cut)] == " ":
        return cut.rstrip()
    words, _, _ = cut.rpartition(" ")
    return words or (cut if len(cut) >= CUT_CHARACTERS else "")


def _in_gsm7(name: str) -> str:
    """The name in the alphabet of text messages, or nothing where it has no such form."""
    bare = "".join(_bare(char) for char in name)
    return bare if all(char in ALPHABET for char in bare) else ""


def _bare(char: str) -> str:
    """The character, without its accents where the alphabet lacks them."""
    if char in ALPHABET:
        return char
    if char == "…":
        return "..."
    return "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
