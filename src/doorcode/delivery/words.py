"""The words of letters: those shipped, one file a language, and an operator's over them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from doorcode.domain.languages import lookup, wider
from doorcode.domain.texts import DEFAULT_LANGUAGE, Texts


@dataclass(frozen=True, slots=True)
class Voice:
    """In which language somebody is written to, and what an operator changed of its words."""

    language: str
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Mapping[str, str]:
        """The template of every part."""
        shipped = lookup(self.language, SHIPPED) or DEFAULT_LANGUAGE
        return {**SHIPPED[shipped], **self.own}


def voice_for(texts: Texts, *locales: str | None) -> Voice:
    """The voice for the first of these locales that there are texts for, else the default one."""
    available = {*SHIPPED, *texts.own}
    for locale in (*locales, texts.default_language):
        if language := lookup(locale, available):
            return voice_of(texts, language)
    return voice_of(texts, DEFAULT_LANGUAGE)


def voice_of(texts: Texts, language: str) -> Voice:
    """A language that there is. What it lacks is said as in the next wider one: de-AT, de."""
    own: dict[str, str] = {}
    for tag in wider(language):
        own = {**texts.own.get(tag, {}), **own}
        if tag in SHIPPED:
            break  # complete: another script's words (zh for zh-Hant) must not show through
    return Voice(language, own)


def _shipped() -> dict[str, dict[str, str]]:
    files = resources.files("doorcode.delivery").joinpath("texts").iterdir()
    return {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"))
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


SHIPPED: Mapping[str, Mapping[str, str]] = _shipped()
