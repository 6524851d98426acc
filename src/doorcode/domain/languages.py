"""Which language somebody is written to in: tags by BCP 47, matched by RFC 4647's lookup."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)  # RFC 5646, its shape

_ACCEPTED = re.compile(
    r"(?P<tag>[A-Za-z0-9-]{2,64})\s*(;\s*q=(?P<weight>[01](\.[0-9]{0,3})?))?", re.ASCII
)
MOST_ACCEPTED = 10

# What else a tag means: its present name, or the script that its region is written in.
_ALSO = {
    "in": "id",
    "iw": "he",
    "nn": "nb",
    "no": "nb",
    "yue": "zh-Hant",
    "zh-HK": "zh-Hant",
    "zh-MO": "zh-Hant",
    "zh-TW": "zh-Hant",
}
_RIGHT_TO_LEFT = frozenset("ar ckb dv fa he iw ps sd ug ur yi Arab Hebr".split())  # noqa: SIM905


def normal(tag: str) -> str:
    """A tag in the case it is usually written in (RFC 5646, 2.1.1): `zh-Hant-TW`."""
    first, *rest = tag.lower().split("-")
    written, extension = [first], False
    for part in rest:
        extension = extension or len(part) == 1
        if not extension and len(part) == 2:
            part = part.upper()
        elif not extension and len(part) == 4:
            part = part.title()
        written.append(part)
    return "-".join(written)


def wider(tag: str) -> Iterator[str]:
    """The tag, and the ever wider ones that it belongs to (RFC 4647, 3.4)."""
    parts = normal(tag).split("-")
    while parts:
        name = "-".join(parts)
        yield name
        if name in _ALSO:
            yield _ALSO[name]
        parts.pop()
        if parts and len(parts[-1]) == 1:  # it introduces what followed
            parts.pop()


def accepted(header: str) -> tuple[str, ...]:
    """The languages that a browser names, the dearest first (RFC 9110, 12.5.4)."""
    weighed = []
    for entry in header.split(",")[:MOST_ACCEPTED]:
        found = _ACCEPTED.fullmatch(entry.strip())
        if found and TAG.fullmatch(found["tag"]):
            weighed.append((float(found["weight"] or 1), found["tag"]))
    # Sorting is stable: of two that weigh the same, the first stays first.
    return tuple(tag for weight, tag in sorted(weighed, key=lambda one: -one[0]) if weight > 0)


def lookup(wanted: str | None, available: Collection[str]) -> str | None:
    """The narrowest available language that a wanted one belongs to."""
    if not wanted or not TAG.fullmatch(wanted):
        return None
    return next((tag for tag in wider(wanted) if tag in available), None)


def is_right_to_left(tag: str) -> bool:
    """Whether a language is written from right to left."""
    first, *rest = normal(tag).split("-")
    scripts = [part for part in rest if len(part) == 4]
    return (scripts[0] if scripts else first) in _RIGHT_TO_LEFT
