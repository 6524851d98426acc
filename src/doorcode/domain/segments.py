"""How many messages a text is: what an operator pays for (3GPP TS 23.038 and 23.040).

A message carries 140 octets: 160 characters of the default alphabet, or 70 units of UCS-2
as soon as one character is missing there. A longer text is cut into parts; each spends six
octets on a header that puts them together again, and each is paid for.
"""

from __future__ import annotations

SEPTETS, SEPTETS_OF_A_PART = 160, 153
UNITS, UNITS_OF_A_PART = 70, 67

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape before each: two septets
ALPHABET = _BASIC | _EXTENDED


def segments(text: str) -> int:
    """How many messages the text travels in; an empty text is a message too."""
    if all(char in ALPHABET for char in text):
        return _parts([2 if char in _EXTENDED else 1 for char in text], SEPTETS, SEPTETS_OF_A_PART)
    return _parts([2 if ord(char) > 0xFFFF else 1 for char in text], UNITS, UNITS_OF_A_PART)


def dear_letters(text: str) -> str:
    """The characters, each once, for which a text is not in the default alphabet."""
    return "".join(dict.fromkeys(char for char in text if char not in ALPHABET))


def _parts(widths: list[int], alone: int, together: int) -> int:
    """An escape and its character stay in one part, and so do the halves of an emoji."""
    if sum(widths) <= alone:
        return 1
    parts, room = 1, together
    for width in widths:
        if width > room:
            parts, room = parts + 1, together
        room -= width
    return parts
