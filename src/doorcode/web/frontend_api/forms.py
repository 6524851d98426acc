"""Reads the fields of a form into what a story wants, or refuses the field by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from doorcode.domain import errors
from doorcode.domain.addresses import MAX_LENGTH, Channel, Kind, Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.languages import TAG
from doorcode.domain.limits import METADATA_BYTES
from doorcode.domain.sign_in import TICKET

NAME_CHARACTERS = 128
METADATA_DEPTH = 32
CODE_CHARACTERS = 32
EITHER = "email_address_or_phone_number"


def without_password(form: dict[str, str]) -> dict[str, str]:
    """The form, refused where it holds a password: dropped, it would seem to protect."""
    if "password" in form:
        raise Refused(errors.PARAM_UNKNOWN.about("password"))
    return form


def addresses(form: Mapping[str, str]) -> dict[Kind, str]:
    """The addresses given, as text."""
    given = {kind: limited(form, kind, MAX_LENGTH) for kind in Kind if kind in form}
    if EITHER in form:
        text = limited(form, EITHER, MAX_LENGTH)
        kind = Kind.EMAIL if "@" in text else Kind.PHONE
        if kind in given:
            raise Refused(errors.PARAM_CONFLICT.about(EITHER))
        given[kind] = text
    return given


def identifier(form: Mapping[str, str], raw: bytes) -> str | None:
    """What was typed to sign in. None where the request speaks of no identifier at all."""
    if "identifier" in form:
        return limited(form, "identifier", MAX_LENGTH)
    named = "strategy" in form or form.get("sign_up_if_missing") == "true"
    if named or b"identifier=" in raw:
        raise Refused(errors.PARAM_MISSING.about("identifier"))
    return None


def profile(form: Mapping[str, str]) -> dict[str, Any]:
    """What a person says of themselves, by the names of `Profile`; nothing else gets in."""
    given: dict[str, Any] = {}
    for name in ("first_name", "last_name", "username"):
        if name in form:
            given[name] = limited(form, name, NAME_CHARACTERS)
    if "locale" in form:
        given["locale"] = locale(form)
    if "unsafe_metadata" in form:
        given["unsafe_metadata"] = metadata(form["unsafe_metadata"])
    return given


def switch(form: Mapping[str, str], name: str) -> bool | None:
    """A field that is `true` or `false`, if it was given."""
    text = form.get(name)
    if text not in (None, "true", "false"):
        raise Refused(errors.PARAM_TYPE.about(name))
    return None if text is None else text == "true"


def ticket(form: Mapping[str, str]) -> str | None:
    """The text of a ticket, which goes with the strategy of that name."""
    text = form.get("ticket")
    if text is None and form.get("strategy") == TICKET:
        raise Refused(errors.PARAM_NEEDED.about("ticket"))
    return text


def locale(form: Mapping[str, str]) -> str | None:
    """A language tag (BCP 47), if one was given."""
    text = form.get("locale")
    if text is not None and (len(text) > 64 or not TAG.fullmatch(text)):
        raise Refused(errors.PARAM_FORMAT.about("locale"))
    return text


def strategy(form: Mapping[str, str]) -> Strategy | None:
    """How the address is to be verified, if the request says."""
    return None if form.get("strategy") in (None, TICKET) else _strategy(form)


def needed_strategy(form: Mapping[str, str]) -> Strategy:
    """The strategy of a request that makes no sense without one."""
    if "strategy" not in form:
        raise Refused(errors.PARAM_MISSING.about("strategy"))
    return _strategy(form)


def _strategy(form: Mapping[str, str]) -> Strategy:
    try:
        return Strategy(form["strategy"])
    except ValueError:
        raise Refused(errors.PARAM_VALUE.about("strategy")) from None


def channel(form: Mapping[str, str], instance: Instance) -> Channel | None:
    """By what a code to a phone is to travel, if the request says."""
    text = form.get("channel")
    if text is None or form.get("strategy") != Strategy.PHONE_CODE:
        return None
    if text not in instance.channels:
        raise Refused(errors.PARAM_VALUE.about("channel"))
    return Channel(text)


def code(form: Mapping[str, str]) -> str:
    """The code that was typed. People and keyboards put spaces and hyphens into it."""
    typed = "".join(form.get("code", "").replace("-", "").split())
    if not typed:
        raise Refused(errors.PARAM_NEEDED.about("code"))
    if len(typed) > CODE_CHARACTERS:
        raise Refused(errors.PARAM_TOO_LONG.about("code"))
    return typed


def limited(form: Mapping[str, str], name: str, most: int) -> str:
    """A field's text, refused where it is over-long."""
    if len(form[name]) > most:
        raise Refused(errors.PARAM_TOO_LONG.about(name))
    return form[name]


def metadata(text: str) -> dict[str, Any]:
    """An object of the person's own making, as JSON text."""
    if len(text.encode()) > METADATA_BYTES:
        raise Refused(errors.PARAM_TOO_LONG.about("unsafe_metadata"))
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):  # a number of 5000 digits is a ValueError
        raise Refused(errors.PARAM_FORMAT.about("unsafe_metadata")) from None
    if not isinstance(value, dict):
        raise Refused(errors.PARAM_TYPE.about("unsafe_metadata"))
    if _is_deeper_than(METADATA_DEPTH, value):
        raise Refused(errors.PARAM_FORMAT.about("unsafe_metadata"))
    return value


def _is_deeper_than(levels: int, value: Any) -> bool:
    """What is nested too deep to be written again would spoil every later answer."""
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deeper_than(levels - 1, one) for one in inner)
