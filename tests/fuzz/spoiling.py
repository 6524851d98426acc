"""How valid input is spoilt: a part taken out, doubled, moved, flipped, or something put in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from doorcode.domain.errors import Refusal, Refused

T = TypeVar("T")

# What has broken one reader or another: ends of texts and numbers, other scripts' digits, half
# characters, characters that are not shown or turn a line round, deep nesting.
NASTY_TEXTS = [
    "\x00", "\r\n", "\n\n", "\t", "\x1b[2J", "\x7f", "\u0085", "\u2028", "\u200b", "\u202e",
    "\ufeff", "\ufffd", "٣", "９", "²", "𝟗", "ß", "ı", "İ", "ﬁ", "\u0301" * 40, "𐍈",
    "%", "%%", "%2", "%00", "%ff", "%ed%a0%80", "%F0%9F", "+", "&", "=", "&=&", ";", ",", '"', "'",
    "\\", "/", "//", "/../", "?", "#", "@", ":", "[", "]", "[::1%25]",
    "<script>", "{{7*7}}", "${x}", "' OR 1=1 --", "-0", "1e999", "NaN", "null",
    "[" * 60, '{"a":' * 60, "9" * 400, "1" * 5_000, "a" * 3_000,
]  # fmt: skip
NASTY = [text.encode() for text in NASTY_TEXTS] + [
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80\x80",
]
TEXTS = st.text(max_size=40) | st.sampled_from(NASTY_TEXTS)
BYTES = st.binary(max_size=60) | st.sampled_from(NASTY)

# A server or a clock that one test has is good for all of its examples.
TOGETHER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def fewer(part: int) -> settings:
    """The same, a `part`th of the examples: where each is a request to a whole server."""
    return settings(TOGETHER, max_examples=max(10, settings.default.max_examples // part))


def tried(read: Callable[..., T], *given: Any) -> T | Refusal:
    """What was read, or the refusal; anything else that is raised fails the test."""
    try:
        return read(*given)
    except Refused as refused:
        return refused.refusal


@st.composite
def spoilt(draw: Callable[..., bytes], valid: SearchStrategy[bytes]) -> bytes:
    """Valid input, or what is left of it after up to three accidents."""
    data = draw(valid)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 20)))
        accident = draw(st.integers(0, 5))
        part = data[start:end]
        if accident == 0:
            data = data[:start] + data[end:]
        elif accident == 1:
            data = data[:start] + part + part + data[end:]
        elif accident == 2:
            data = data[:start]
        elif accident == 3 and start < len(data):
            flipped = data[start] ^ (1 << draw(st.integers(0, 7)))
            data = data[:start] + bytes([flipped]) + data[start + 1 :]
        elif accident == 4:
            data = data[end:] + data[:end]
        else:
            data = data[:start] + draw(BYTES) + data[start:]
    return data


def spoilt_text(valid: SearchStrategy[str]) -> SearchStrategy[str]:
    """The same for a text; bytes that are none are read as the code points of their numbers."""
    return spoilt(valid.map(str.encode)).map(_as_text)


def _as_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
