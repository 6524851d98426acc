"""What the settings of texts may be. What their templates say is checked by who can render
them (`delivery/text_check.py`)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from doorcode.domain.languages import TAG, normal
from doorcode.domain.setting_types import MOST_CHARACTERS, Misfit, short
from doorcode.domain.texts import PARTS

MOST_LANGUAGES = 200


@dataclass(frozen=True, slots=True)
class Language:
    """A language tag."""

    expected: ClassVar[str] = "a language (BCP 47) such as de or pt-BR"

    def read(self, value: object) -> str:
        """See `Type`."""
        if not isinstance(value, str) or len(value) > 64 or not TAG.fullmatch(value):
            raise Misfit
        return normal(value)

    def read_text(self, text: str) -> str:
        """See `Type`."""
        return self.read(text)

    def plain(self, value: str) -> str:
        """See `Type`."""
        return value


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """Templates by language and part."""

    expected: ClassVar[str] = (
        'a map of languages to texts, such as {"en": {"sms": "{{ code }} is your key."}}'
    )

    def read(self, value: object) -> dict[str, dict[str, str]]:
        """See `Type`."""
        if not isinstance(value, dict) or len(value) > MOST_LANGUAGES:
            raise Misfit
        read: dict[str, dict[str, str]] = {}
        for name, parts in value.items():
            language = Language().read(name) if _is_tag(name) else None
            if language is None or language in read:
                raise Misfit(f"{short(name)} is no language, or is named twice")
            if not isinstance(parts, dict) or not parts:
                raise Misfit(f"{language} holds no texts")
            read[language] = {part: _text(language, part, text) for part, text in parts.items()}
        return read

    def read_text(self, text: str) -> dict[str, dict[str, str]]:
        """See `Type`."""
        try:
            return self.read(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise error if isinstance(error, Misfit) else Misfit() from None

    def plain(self, value: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        """See `Type`."""
        return {language: dict(parts) for language, parts in sorted(value.items())}


def _is_tag(name: object) -> bool:
    return isinstance(name, str) and len(name) <= 64 and TAG.fullmatch(name) is not None


def _text(language: str, part: object, text: object) -> str:
    if part not in PARTS:
        nearest = difflib.get_close_matches(str(part), PARTS, 1, cutoff=0.0)
        raise Misfit(f"{language}.{part} is no text; the nearest is {nearest[0]}"[:200])
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_CHARACTERS:
        raise Misfit(f"{language}.{part} must be a text of 1 to {MOST_CHARACTERS} characters")
    return text
