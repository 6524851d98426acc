"""Where a setting's value comes from, and who may change it.

Environment before file before database before default. What the environment or the file
sets is fixed: an operator put it where no dashboard and no other program should undo it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import (
    BadValues,
    Problem,
    Reading,
    build,
    plain,
    read,
    value_in,
)
from doorcode.domain.setting_catalogue import SETTINGS, Setting
from doorcode.domain.setting_conflicts import conflicts

STORED, DEFAULT = "stored", "default"


@dataclass(frozen=True, slots=True)
class Layer:
    """Values that were fixed together. `where` is what a person calls the place."""

    where: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as it stands: its typed value, where from, and whether that fixes it."""

    setting: Setting
    value: Any
    where: str
    locked: bool


def _nothing_more(_: Instance) -> Iterable[Problem]:
    return ()


@dataclass(frozen=True, slots=True)
class Layers:
    """All places: the fixed ones, strongest first, and what the database holds.

    `stored` is plain, as it was found: it may hold what an older or newer version wrote.
    `check` looks at what the domain cannot judge: whether templates can be rendered.
    """

    fixed: tuple[Layer, ...] = ()
    stored: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[Instance], Iterable[Problem]] = _nothing_more

    @property
    def reading(self) -> Reading:
        """What the database's values say, and what is wrong with them."""
        return read(dict(self.stored))

    def locked_by(self, key: str) -> str | None:
        """The place that fixes a setting."""
        return next((layer.where for layer in self.fixed if key in layer.values), None)

    def values(self) -> dict[str, Any]:
        """The typed values that count; what has a default only is left out."""
        values = dict(self.reading.values)
        for layer in reversed(self.fixed):
            values |= layer.values
        return values

    def problems(self, base: Instance) -> tuple[Problem, ...]:
        """All that is wrong with the stored values, and with all values together."""
        instance = build(base, self.values())
        return (*self.reading.problems, *conflicts(instance), *self.check(instance))

    def build(self, base: Instance) -> Instance:
        """The instance that these values make, or `BadValues`."""
        problems = self.problems(base)
        if problems:
            raise BadValues(problems)
        return build(base, self.values())

    def entries(self, base: Instance) -> list[Entry]:
        """Every setting as it stands, in the order of the catalogue."""
        instance, stored = build(base, self.values()), self.reading.values
        entries = []
        for key, setting in SETTINGS.items():
            lock = self.locked_by(key)
            where = lock or (STORED if key in stored else DEFAULT)
            entries.append(Entry(setting, value_in(instance, key), where, lock is not None))
        return entries

    def with_values(self, values: Mapping[str, Any], base: Instance) -> Layers:
        """These layers with typed values stored as well, or `BadValues`: locked, or in conflict."""
        self._expect_free(values)
        return self._expect_no_worse({**self.stored, **plain(values)}, base)

    def without(self, keys: list[str], base: Instance) -> Layers:
        """These layers with keys no longer stored, or `BadValues`. It may be any stored name."""
        self._expect_free([key for key in keys if key not in self.stored])
        kept = {name: value for name, value in self.stored.items() if name not in keys}
        return self._expect_no_worse(kept, base)

    def _expect_free(self, keys: Mapping[str, Any] | list[str]) -> None:
        locks = {key: self.locked_by(key) for key in keys}
        problems = [
            Problem((key,), f"{key} is fixed by {where}: change it there.")
            for key, where in locks.items()
            if where
        ]
        if problems:
            raise BadValues(problems)

    def _expect_no_worse(self, stored: dict[str, Any], base: Instance) -> Layers:
        """What was wrong before must not keep anybody from mending it piece by piece."""
        changed = replace(self, stored=stored)
        former = self.problems(base)
        fresh = [problem for problem in changed.problems(base) if problem not in former]
        if fresh:
            raise BadValues(fresh)
        return changed
