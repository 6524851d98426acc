"""Whether an operator's texts can be sent as they stand: asked when they are saved.

A text that fails later fails while somebody waits for a code. So each is filled in here as
it would be, with the app's name and without, and counted with the longest of its hosts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from doorcode.delivery.sandbox import BadTemplate, fill, names_in
from doorcode.delivery.sms import clean_name, sms_segments
from doorcode.delivery.words import SHIPPED, voice_of
from doorcode.domain import limits
from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import Problem
from doorcode.domain.languages import lookup
from doorcode.domain.texts import MOST_SEGMENTS, PARTS, Part

OWN, LANGUAGE = "texts.own", "texts.default_language"
_CODE = "0" * limits.CODE_DIGITS
_BOUND_LINE = re.compile(r"^\s*@", re.MULTILINE)


def problems(instance: Instance) -> list[Problem]:
    """What is wrong with an instance's texts, each with its mend."""
    found = [_bad_language(instance)]
    for language in instance.texts.own:
        found.append(_incomplete(instance, language))
        for part, template in instance.texts.own[language].items():
            why = next(_faults(instance, part, template), "")
            named = f"{OWN}: {language}.{part}"
            found.append(Problem((OWN,), f"{named} {why}.") if why else None)
    return [one for one in found if one]


def longest_host(instance: Instance) -> str:
    """The host with which a text message is longest."""
    return max(instance.bound_hosts, key=len, default="")


def _bad_language(instance: Instance) -> Problem | None:
    wanted = instance.texts.default_language
    if lookup(wanted, {*SHIPPED, *instance.texts.own}):
        return None
    there_are = ", ".join(sorted({*SHIPPED, *instance.texts.own}))
    return Problem(
        (LANGUAGE, OWN),
        f"{LANGUAGE} is {wanted}, but there are no texts in it: write them in {OWN}, or choose "
        f"one of {there_are}.",
    )


def _incomplete(instance: Instance, language: str) -> Problem | None:
    if lookup(language, SHIPPED):
        return None
    missing = [part for part in PARTS if part not in voice_of(instance.texts, language).own]
    if not missing:
        return None
    return Problem(
        (OWN,),
        f"{OWN}: {language} is not among the shipped languages, so half of a letter would be "
        f"English: write {', '.join(missing)} too.",
    )


def _faults(instance: Instance, part: str, template: str) -> Iterator[str]:
    rules = PARTS[part]
    try:
        names = names_in(template, rules.names)
        missing = sorted(rules.needed - names)
        if missing:
            yield f"lacks {{{{ {missing[0]} }}}}: write it where it is to stand"
        for app in ("", clean_name(instance.name)):
            yield from _faults_of(part, rules, fill(template, _values(app)))
        if part == "sms":
            yield from _too_long(instance, template)
    except BadTemplate as error:
        yield str(error)


def _values(app: str) -> dict[str, str | int]:
    minutes = limits.CODE_LIVES_FOR // limits.MINUTE
    return {"code": _CODE, "app": app, "minutes": minutes, "days": 30}


def _faults_of(part: str, rules: Part, filled: str) -> Iterator[str]:
    """What is wrong with a text once it is filled in."""
    if "code" in rules.needed and _CODE not in filled:
        yield "shows the code in some cases only: write {{ code }} outside of any if"
    if not filled.strip():
        yield "is empty once it is filled in: write something beside the placeholders"
    if len(filled) > rules.most:
        yield f"has {len(filled)} characters once it is filled in: shorten it to {rules.most}"
    breaks = "" if part != "sms" else "\n"
    # Invisible characters make a text read as another one; a line break adds a mail header.
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in breaks for c in filled):
        yield "holds a line break or a control character: take it out"
    if any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in filled):
        yield "holds an invisible character that turns the line around: take it out"
    if part == "sms" and _BOUND_LINE.search(filled):
        yield "has a line that begins with @: the line that binds the code is added by itself"


def _too_long(instance: Instance, template: str) -> Iterator[str]:
    host = longest_host(instance)
    count = sms_segments(template, instance.name, host)
    if count > MOST_SEGMENTS:
        line = f", with the line for {host}" if host else ""
        yield (
            f"is paid for as {count} messages{line}: shorten it to at most {MOST_SEGMENTS}, and "
            "see `doorcode texts check` for the letters that make it long"
        )
