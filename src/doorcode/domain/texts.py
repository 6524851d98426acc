"""The texts that people are sent: what parts there are, what stands in them, whose they are.

A part is a small template. What may be filled into it is named here, so that a template with
a slip of the pen is refused when it is saved and not when somebody waits for a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_LANGUAGE = "en"
MOST_SEGMENTS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One text: its `names` can be filled in, those `needed` must be. `most` characters, filled."""

    names: frozenset[str] = frozenset({"app"})
    needed: frozenset[str] = frozenset()
    most: int = 500


def _part(*needed: str, names: str = "app", most: int = 500) -> Part:
    return Part(frozenset({*names.split(), *needed}), frozenset(needed), most)


_SUBJECT = 150

PARTS: Mapping[str, Part] = {
    "sms": _part("code", names="app minutes", most=1000),
    "subject": _part("code", names="app minutes", most=_SUBJECT),
    "heading": _part(most=_SUBJECT),
    "advice": _part(names="app minutes"),
    "unasked": _part(),
    "invitation_subject": _part(most=_SUBJECT),
    "invitation_sentence": _part(),
    "invitation_button": _part(most=60),
    "waitlist_subject": _part(most=_SUBJECT),
    "waitlist_sentence": _part(),
    "no_account_subject": _part(most=_SUBJECT),
    "no_account_sentence": _part(),
    "has_account_subject": _part(most=_SUBJECT),
    "has_account_sentence": _part(),
    "valid_day": _part(),
    "valid_days": _part("days"),
    "unexpected": _part(),
}


@dataclass(frozen=True, slots=True)
class Texts:
    """An operator's choices: the language of those who name none, and own texts by language.

    `origin_line`: a text message ends with the line that binds its code to the app's host.
    """

    default_language: str = DEFAULT_LANGUAGE
    origin_line: bool = True
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
