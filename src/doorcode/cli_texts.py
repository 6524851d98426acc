"""`doorcode texts`: what people are sent, in their language: the words, the size, the price."""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import phonenumbers

from doorcode.cli_beside import beside, note, with_storage
from doorcode.cli_text import complain, dollars, table
from doorcode.delivery.render import pack, render
from doorcode.delivery.sms import short_text
from doorcode.delivery.text_check import OWN, longest_host
from doorcode.delivery.words import SHIPPED, voice_of
from doorcode.domain.addresses import Channel
from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import BadValues
from doorcode.domain.languages import TAG, lookup, normal
from doorcode.domain.limits import CODE_DIGITS
from doorcode.domain.message import Message
from doorcode.domain.prices import price_of
from doorcode.domain.segments import dear_letters, segments
from doorcode.domain.setting_layers import Layer, Layers
from doorcode.domain.setting_types import Misfit
from doorcode.domain.text_settings import OwnTexts
from doorcode.live_settings import layers_beside, save
from doorcode.settings import BadSettings, development
from doorcode.storage.interface import Transaction

_CODE = "731904"[:CODE_DIGITS].ljust(CODE_DIGITS, "0")
_CHANNELS = (Channel.SMS.value, Channel.EMAIL.value)


@dataclass(frozen=True, slots=True)
class _Size:
    """What a text message is made of, and paid for as."""

    alphabet: str
    characters: int
    segments: int
    dear: str


def add_commands(texts: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Give `texts` its commands; each works on a data directory."""
    kinds = texts.add_subparsers(required=True, metavar="list|show|check|save")
    listing = kinds.add_parser("list", help="show the languages, and what a text message takes")
    listing.set_defaults(run=_list)
    show = kinds.add_parser("show", help="show a code as it is sent, its size and its price")
    show.add_argument("language", type=_language, help="such as de or pt-BR")
    show.add_argument("--channel", choices=_CHANNELS, help="only this one")
    check = kinds.add_parser("check", help="check a file of texts (TOML), and show what it says")
    save = kinds.add_parser("save", help="check it and store it; a running server uses it at once")
    for command in (check, save):
        command.add_argument("file", type=Path, help='holds sms = "{{ code }} …" and others')
        command.add_argument(
            "--language", type=_language, help="whose texts they are (default: the file's name)"
        )
    for command, run in ((show, _show), (check, _check), (save, _save)):
        command.add_argument(
            "--country", action="append", type=_country, help="show the price for this one"
        )
        command.set_defaults(run=run)
    return [listing, show, check, save]


def _language(text: str) -> str:
    if len(text) > 64 or not TAG.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no language (BCP 47), such as de or pt-BR")
    return normal(text)


def _country(text: str) -> str:
    code = text.upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is no country (two letters, ISO 3166-1)")
    return code


# ── the commands ──────────────────────────────────────────────────────────────────────
def _list(options: argparse.Namespace) -> int:
    async def show_all(tx: Transaction, instance_id: str) -> int:
        instance = (await beside(tx, options, instance_id)).instance
        rows = [_row(instance, one) for one in sorted({*SHIPPED, *instance.texts.own})]
        print("\n".join(table([["LANGUAGE", "ALPHABET", "LENGTH", "SEGMENTS", "", "TEXT"], *rows])))
        return 0

    return with_storage(options, show_all)


def _show(options: argparse.Namespace) -> int:
    async def show(tx: Transaction, instance_id: str) -> int:
        instance = (await beside(tx, options, instance_id)).instance
        language = lookup(options.language, {*SHIPPED, *instance.texts.own})
        if language is None:
            there_are = ", ".join(sorted({*SHIPPED, *instance.texts.own}))
            complain("Nothing to show:", [f"{options.language} is not among {there_are}"])
            return 1
        channels = (options.channel,) if options.channel else _CHANNELS
        print("\n\n".join(_shown(instance, language, channels, options.country)))
        return 0

    return with_storage(options, show)


def _check(options: argparse.Namespace) -> int:
    return _with_file(options, is_saved=False)


def _save(options: argparse.Namespace) -> int:
    return _with_file(options, is_saved=True)


def _with_file(options: argparse.Namespace, *, is_saved: bool) -> int:
    """Put the texts of a file in the place of what was stored for their language."""
    language = options.language or _language_of(options.file)
    own = _read(options.file, language)

    async def change(tx: Transaction, instance_id: str) -> int:
        settings = development(os.environ, data=options.data)
        layers, base = await layers_beside(tx, settings, instance_id)
        former = layers.values().get(OWN, {})
        if not is_saved:
            layers = _loosened(layers)
        try:
            layers = layers.with_values({OWN: {**former, **own}}, base)
        except BadValues as error:
            raise BadSettings([problem.text for problem in error.problems]) from None
        print("\n\n".join(_shown(layers.build(base), language, _CHANNELS, options.country)))
        if is_saved:
            await save(tx, layers)
            await note(tx, "setting.changed", OWN, language=language)
            print(f"\nStored. `doorcode settings unset {OWN}` goes back to the shipped texts.")
        return 0

    return with_storage(options, change)


def _loosened(layers: Layers) -> Layers:
    """Layers to try texts in: whoever keeps theirs in a file checks the next ones too."""
    fixed = [
        Layer(layer.where, {key: value for key, value in layer.values.items() if key != OWN})
        for layer in layers.fixed
    ]
    return replace(layers, fixed=tuple(fixed))


def _read(file: Path, language: str) -> dict[str, dict[str, str]]:
    try:
        return OwnTexts().read({language: tomllib.loads(file.read_text("utf-8"))})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, Misfit) as error:
        raise BadSettings([f"{file}: {error or 'it holds no texts'}"]) from None


def _language_of(file: Path) -> str:
    name = file.name.removesuffix(".toml")
    if not TAG.fullmatch(name):
        raise BadSettings([f"{file} is not named after a language: add --language de, say."])
    return normal(name)


# ── what a person reads ───────────────────────────────────────────────────────────────
def _row(instance: Instance, language: str) -> list[str]:
    text = _sms(instance, language)
    size, own = _size(text), "own" if instance.texts.own.get(language) else ""
    line = text.replace("\n", " ⏎ ")
    return [language, size.alphabet, str(size.characters), str(size.segments), own, line]


def _shown(
    instance: Instance, language: str, channels: Iterable[str], countries: list[str] | None
) -> Iterator[str]:
    for channel in channels:
        if channel == Channel.SMS:
            text = _sms(instance, language)
            yield "\n".join([f"sms, {language}", "", *_indented(text), "", *_facts(_size(text))])
            yield "\n".join(_prices(instance, _size(text).segments, countries))
        else:
            message = Message("msg_preview", "", channel, "", True, None, 0, 0)
            voice = voice_of(instance.texts, language)
            letter = render(message, pack(_CODE, instance.name, language, "", voice.own))
            head = [f"email, {language}", "", f"  Subject: {letter.subject}", ""]
            yield "\n".join([*head, *_indented(letter.text.rstrip())])


def _sms(instance: Instance, language: str) -> str:
    template = voice_of(instance.texts, language).words["sms"]
    return short_text(template, _CODE, instance.name, longest_host(instance))


def _size(text: str) -> _Size:
    dear = dear_letters(text)
    return _Size("UCS-2" if dear else "GSM-7", len(text), segments(text), dear)


def _facts(size: _Size) -> list[str]:
    messages = "1 message" if size.segments == 1 else f"{size.segments} messages"
    facts = [["  alphabet", size.alphabet], ["  length", f"{size.characters} characters"]]
    facts.append(["  paid for as", messages])
    if size.dear:
        facts.append(["  not in GSM-7", " ".join(size.dear[:12]) + " …" * (len(size.dear) > 12)])
    return table(facts)


def _prices(instance: Instance, parts: int, asked: list[str] | None) -> list[str]:
    """For the countries that were named; else for those that text messages are sent to."""
    served = instance.shield.policy.countries
    countries = asked or sorted(served or [])
    if not countries:
        return ["  Name a country to see its price: --country GB"]
    prices: Mapping[str, int] = instance.shield.prices
    rows = [
        [f"  {one}", dollars(price_of(one, prices)), dollars(price_of(one, prices) * parts)]
        for one in countries
    ]
    return table([["  country", "a segment", "a code"], *rows])


def _indented(text: str) -> list[str]:
    return [f"  {line}".rstrip() for line in text.split("\n")]
