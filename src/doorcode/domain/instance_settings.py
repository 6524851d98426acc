"""The values of an instance's settings: read from documents and terminals, put together.

What settings there are: `domain/setting_catalogue.py`.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from doorcode.domain.bot_protection import BotProtection
from doorcode.domain.instance import Instance, Shield, ShieldMode
from doorcode.domain.routes import Routes
from doorcode.domain.setting_catalogue import SETTINGS, Setting
from doorcode.domain.setting_types import Misfit, short


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in a sentence, and the settings it is about."""

    keys: tuple[str, ...]
    text: str


class BadValues(ValueError):
    """Values that make no instance."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document holds: the typed values by key, and what is wrong with the rest."""

    values: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()


# ── reading ───────────────────────────────────────────────────────────────────────────
def named(key: str) -> Setting:
    """The setting of this name; `BadValues` names the nearest there is."""
    if key not in SETTINGS:
        raise BadValues([_unknown(key)])
    return SETTINGS[key]


def read_value(key: str, value: object) -> Any:
    """The typed value of a plain one, or `BadValues`."""
    setting = named(key)
    try:
        return setting.type.read(value)
    except Misfit as misfit:
        raise BadValues([_misfit(setting, value, misfit)]) from None


def read_text(key: str, text: str) -> Any:
    """The typed value of what somebody typed in a terminal, or `BadValues`."""
    setting = named(key)
    try:
        return setting.type.read_text(text.strip())
    except Misfit as misfit:
        raise BadValues([_misfit(setting, text, misfit)]) from None


def read_json(text: str) -> Reading:
    """What a JSON document sets."""
    try:
        return read(json.loads(text, object_pairs_hook=_without_doubles))
    except (ValueError, RecursionError) as error:
        return Reading({}, (Problem((), f"It is not JSON: {error}."),))


def read_toml(text: str) -> Reading:
    """What a TOML document sets."""
    try:
        return read(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        return Reading({}, (Problem((), f"It is not TOML: {error}."),))


def read(document: object) -> Reading:
    """What a document sets. Dotted and nested names are the same name."""
    if not isinstance(document, dict):
        return Reading({}, (Problem((), "It is no map of settings."),))
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in _flat(document, ""):
        if key in values:
            problems.append(Problem((key,), f"{key} is set twice, by its dotted and nested name."))
            continue
        try:
            values[key] = read_value(key, value)
        except BadValues as error:
            problems += error.problems
    return Reading(values, tuple(problems))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values as JSON and TOML hold them, by dotted name: what `read` reads back."""
    return {key: SETTINGS[key].type.plain(value) for key, value in values.items()}


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values as they may be seen: plain, but for what could be a credential."""
    masked = plain(values)
    for key in masked:
        if isinstance(kind := SETTINGS[key].type, Routes):
            masked[key] = kind.masked(masked[key])
    return masked


def _flat(document: dict[Any, Any], above: str) -> Iterable[tuple[str, object]]:
    for name, value in document.items():
        key = f"{above}{name}"
        is_group = any(known.startswith(f"{key}.") for known in SETTINGS)
        if is_group and isinstance(value, dict):
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{short(twice)} is set twice")
    return document


def _unknown(key: str) -> Problem:
    within = [one for one in SETTINGS if one.startswith(f"{key}.")]
    if within:
        text = f"is a group, of {within[0]} and others; `doorcode settings list {key}` shows them."
        return Problem((key,), f"{short(key)} {text}")
    nearest = difflib.get_close_matches(key, SETTINGS, 1, cutoff=0.0)
    return Problem((key,), f"{short(key)} is not a setting; the nearest name is {nearest[0]}.")


def _misfit(setting: Setting, value: object, misfit: Misfit) -> Problem:
    detail = f" ({misfit})" if str(misfit) else ""
    # A list of routes holds credentials, which no terminal and no log repeats.
    said = "no such list" if isinstance(setting.type, Routes) else short(value)
    text = f"{setting.key} is {said}{detail}; expected {setting.type.expected}."
    return Problem((setting.key,), text)


# ── building ──────────────────────────────────────────────────────────────────────────
def build(base: Instance, values: Mapping[str, Any]) -> Instance:
    """`base` with these values and otherwise the defaults.

    Whether they make sense together is another question (`domain/setting_conflicts.py`).

    Of `base` only what is no setting counts: its id, name, address, kind and known domains.
    """
    instance = Instance(
        id=base.id,
        name=base.name,
        url=base.url,
        origins=base.origins,
        development=base.development,
        test_mode=base.test_mode,
        disposable_domains=base.disposable_domains,
        native_api=base.development,
        shield=Shield(mode=ShieldMode.RECORD if base.development else ShieldMode.DENY),
        bot_protection=BotProtection(has_secret=base.bot_protection.has_secret),
    )
    for key, value in values.items():
        instance = _with(instance, SETTINGS[key].place.split("."), value)
    return instance


def _with(whole: Any, place: list[str], value: Any) -> Any:
    """A value with one of its parts replaced, however deep that lies."""
    name, *deeper = place
    if isinstance(whole, Mapping):
        return {**whole, name: value}
    return replace(whole, **{name: _with(getattr(whole, name), deeper, value) if deeper else value})


def value_in(instance: Instance, key: str) -> Any:
    """The typed value that a setting has in an instance."""
    value: Any = instance
    for part in SETTINGS[key].place.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else getattr(value, part)
    return value
