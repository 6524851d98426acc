"""`doorcode settings`: see and change what the instance asks of people, beside a running server."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from doorcode.cli_beside import note, with_storage
from doorcode.cli_text import complain, table
from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import BadValues, named, plain, read_text, value_in
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.domain.setting_layers import Entry, Layers
from doorcode.domain.setting_types import Addresses, Switch, show
from doorcode.live_settings import layers_beside, mend, save
from doorcode.settings import BadSettings, development
from doorcode.storage.interface import Transaction

WIDEST_VALUE = 40
NOTED_CHARACTERS = 100
# What is not the same in both.
_BY_COMMAND = {
    "native_api.enabled": "`on` in `dev`, `off` in `serve`",
    "shield.mode": "`record` in `dev`, `deny` in `serve`",
}


def add_commands(settings: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `settings` its commands; each works on a data directory."""
    kinds = settings.add_subparsers(required=True, metavar="list|get|set|unset")
    listing = kinds.add_parser("list", help="show all settings, or those whose name begins so")
    listing.add_argument("prefix", nargs="?", default="", help="such as auth_phone")
    listing.add_argument("--explain", action="store_true", help="say what each of them does")
    listing.set_defaults(run=_list)
    get = kinds.add_parser("get", help="print the value of one setting")
    get.add_argument("key", help="such as auth_phone.required")
    get.set_defaults(run=_get)
    change = kinds.add_parser("set", help="store values; a running server applies them at once")
    change.add_argument("pairs", nargs="+", metavar="KEY VALUE", help="a name and its value")
    change.set_defaults(run=_set)
    unset = kinds.add_parser("unset", help="forget stored values: the defaults count again")
    unset.add_argument("keys", nargs="+", metavar="KEY", help="such as auth_phone.required")
    unset.set_defaults(run=_unset)
    return [listing, get, change, unset]


def markdown() -> str:
    """The table of all settings as docs/settings.md shows it."""
    usual = Instance(id="")
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for key, setting in SETTINGS.items():
        default = show(plain({key: value_in(usual, key)})[key])
        default = _BY_COMMAND.get(key, f"`{default}`" if default else "empty")
        takes = "" if isinstance(setting.type, Switch) else f" Takes {setting.type.expected}."
        called = f" In the dashboard: *{setting.dashboard}*." if setting.dashboard else ""
        lines.append(f"| `{key}` | {default} | {setting.meaning}{takes}{called} |")
    return "\n".join(lines)


# ── the commands ──────────────────────────────────────────────────────────────────────
def _list(options: argparse.Namespace) -> int:
    async def show_all(tx: Transaction, instance_id: str) -> int:
        layers, base = await _layers(options, tx, instance_id)
        entries = [e for e in layers.entries(base) if e.setting.key.startswith(options.prefix)]
        if not entries:
            _named(options.prefix)
        rows = [_row(entry) for entry in entries]
        _write(_table(["SETTING", "VALUE", "FROM", "LOCKED"], rows, entries, options.explain))
        _complain_of(layers, base)
        return 0

    return with_storage(options, show_all)


def _get(options: argparse.Namespace) -> int:
    async def show_one(tx: Transaction, instance_id: str) -> int:
        _named(options.key)
        layers, base = await _layers(options, tx, instance_id)
        [entry] = [e for e in layers.entries(base) if e.setting.key == options.key]
        _write([_value(entry)])
        return 0

    return with_storage(options, show_one)


def _set(options: argparse.Namespace) -> int:
    keys, texts = options.pairs[::2], options.pairs[1::2]
    if len(keys) > len(texts):
        raise BadSettings([f"{keys[-1]} has no value: write names and values in turn."])

    async def change(tx: Transaction, instance_id: str) -> int:
        layers, base = await _layers(options, tx, instance_id)
        try:
            values = {key: read_text(key, text) for key, text in zip(keys, texts, strict=True)}
            layers = layers.with_values(values, base)
        except BadValues as error:
            raise _refusal(error) from None
        await save(tx, layers)
        for key in values:
            await note(tx, "setting.changed", key, **_noted(key, values[key]))
        _write(
            f"{e.setting.key} is {_value(e)}" for e in layers.entries(base) if e.setting.key in keys
        )
        _complain_of(layers, base)
        return 0

    return with_storage(options, change)


def _unset(options: argparse.Namespace) -> int:
    async def change(tx: Transaction, instance_id: str) -> int:
        layers, base = await _layers(options, tx, instance_id)
        for key in options.keys:
            if key not in layers.stored:
                _named(key)
        try:
            layers = layers.without(options.keys, base)
        except BadValues as error:
            raise _refusal(error) from None
        await save(tx, layers)
        for key in options.keys:
            await note(tx, "setting.changed", key, unset=True)
        entries = {entry.setting.key: entry for entry in layers.entries(base)}
        for key in options.keys:
            entry = entries.get(key)
            _write([f"{key} is {_value(entry)}, from {entry.where}" if entry else f"{key} is gone"])
        _complain_of(layers, base)
        return 0

    return with_storage(options, change)


def _noted(key: str, value: Any) -> dict[str, object]:
    """What the audit log keeps of a value: of a list of people's addresses, their number."""
    if isinstance(SETTINGS[key].type, Addresses):
        return {"entries": len(value)}
    return {"value": show(plain({key: value})[key])[:NOTED_CHARACTERS]}


async def _layers(
    options: argparse.Namespace, tx: Transaction, instance_id: str
) -> tuple[Layers, Instance]:
    settings = development(os.environ, data=options.data)
    return await layers_beside(tx, settings, instance_id)


def _named(key: str) -> None:
    try:
        named(key)
    except BadValues as error:
        raise _refusal(error) from None


def _refusal(error: BadValues) -> BadSettings:
    return BadSettings([problem.text for problem in error.problems])


def _complain_of(layers: Layers, base: Instance) -> None:
    """What is wrong with values that were stored before: the server does not apply them."""
    problems = layers.problems(base)
    if problems:
        complain("Not applied until mended:", [mend(problem, layers) for problem in problems])


# ── what a person reads ───────────────────────────────────────────────────────────────
def _row(entry: Entry) -> list[str]:
    value = _value(entry)
    short = value if len(value) <= WIDEST_VALUE else f"{value[: WIDEST_VALUE - 1]}…"
    return [entry.setting.key, short or '""', entry.where, "locked" if entry.locked else ""]


def _value(entry: Entry) -> str:
    key = entry.setting.key
    return show(plain({key: entry.value})[key])


def _table(
    head: list[str], rows: list[list[str]], entries: Sequence[Entry], explain: bool
) -> list[str]:
    written = table([head, *rows])
    if not explain:
        return written
    lines = written[:1]
    for line, entry in zip(written[1:], entries, strict=True):
        lines += [
            line,
            f"    {entry.setting.meaning}",
            f"    Expected: {entry.setting.type.expected}.",
        ]
    return lines


def _write(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
