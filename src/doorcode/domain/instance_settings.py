"""Every setting of an instance: its name, its type, and the part of `Instance` that it is.

The names are those of the public configuration files of hosted instances, as far as there
is something to set here: an address is proved by a code and by nothing else, so there are
no lists of strategies. Defaults are written once, in `Instance`.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from doorcode.domain.instance import Enumeration, Instance, Shield, ShieldMode, SignUpMode
from doorcode.domain.limits import MINUTE
from doorcode.domain.setting_types import (
    Addresses,
    Choice,
    Countries,
    CountryChannels,
    Link,
    Mailbox,
    Misfit,
    Number,
    PhoneChannels,
    Prices,
    Switch,
    Type,
    short,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `place` is its field in `Instance`; `dashboard` what a dashboard calls it."""

    key: str
    type: Type
    place: str
    meaning: str
    dashboard: str = ""


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


# ── the catalogue ─────────────────────────────────────────────────────────────────────
def _address(key: str, place: str, word: str, title: str) -> list[Setting]:
    rows = [
        ("used_for_sign_up", f"People can sign up with {word}.", f"Sign-up with {title}"),
        ("required", f"Nobody can sign up without {word}.", f"Require {title}"),
        (
            "verify_at_sign_up",
            "A sign-up is complete only once the code that was sent there has been typed. "
            "Where this is off, whoever types an address first has it, until a code that was "
            "sent there signs somebody in.",
            "Verify at sign-up",
        ),
        ("used_for_sign_in", f"People can sign in with {word}.", f"Sign-in with {title}"),
        ("used_for_second_factor", f"A code to {word} can be the second step of a sign-in.", ""),
        ("immutable", "People cannot add, change or remove theirs.", ""),
    ]
    return [
        Setting(f"{key}.{name}", Switch(), f"{place}.{name}", meaning, dashboard)
        for name, meaning, dashboard in rows
    ]


def _name(field: str, word: str) -> list[Setting]:
    rows = [
        ("used_for_sign_up", f"Components ask for a {word} at sign-up."),
        ("required", f"Nobody can sign up without a {word}."),
        ("immutable", f"People cannot change their {word}."),
    ]
    return [
        Setting(f"auth_{field}.{name}", Switch(), f"{field}.{name}", meaning)
        for name, meaning in rows
    ]


def _urls() -> list[Setting]:
    links = [
        ("terms_url", "The terms of service, named beside the consent at sign-up."),
        ("privacy_policy_url", "The privacy policy, named beside the consent at sign-up."),
        ("home_url", "Where the logo and error pages lead."),
        ("sign_in_url", "The page with the sign-in form."),
        ("sign_up_url", "The page with the sign-up form."),
        ("user_profile_url", "The page where people see and change their account."),
        ("after_sign_in_url", "Where a browser goes after a sign-in that names no other page."),
        ("after_sign_up_url", "Where a browser goes after a sign-up that names no other page."),
        ("after_sign_out_one_url", "Where a browser goes after one of several sign-outs."),
        ("after_sign_out_all_url", "Where a browser goes after the last sign-out."),
        ("after_switch_session_url", "Where a browser goes after a change to another account."),
        ("waitlist_url", "The page where people join the waitlist."),
        ("after_join_waitlist_url", "Where a browser goes after somebody joined the waitlist."),
        ("logo_image_url", "The logo on the components."),
        ("favicon_image_url", "The icon in the browser's tab."),
    ]
    mail = Setting(
        "urls.support_email", Mailbox(), "urls.support_email", "Where people can ask for help."
    )
    return [
        *[Setting(f"urls.{name}", Link(), f"urls.{name}", meaning) for name, meaning in links],
        mail,
    ]


_ALL = [
    *_address("auth_phone", "phone", "a phone number", "phone"),
    Setting(
        "auth_phone.channels",
        PhoneChannels(),
        "channels",
        "By what phone codes can travel. Where nobody asks for one: SMS if it is listed, else the "
        "first. The prebuilt components load WhatsApp's sign from the SDK's own host.",
    ),
    Setting(
        "auth_phone.preferred_channels",
        CountryChannels(),
        "preferred_channels",
        "The channel offered first to people of a country.",
    ),
    *_address("auth_email", "email", "an e-mail address", "email"),
    *_name("username", "username"),
    Setting(
        "auth_username.used_for_sign_in",
        Switch(),
        "username.used_for_sign_in",
        "A username can be typed to sign in; the code goes to an address of that person.",
    ),
    Setting(
        "auth_username.min_length", Number(1, 64), "username.min_length", "The fewest characters."
    ),
    Setting(
        "auth_username.max_length", Number(1, 64), "username.max_length", "The most characters."
    ),
    *_name("first_name", "first name"),
    *_name("last_name", "last name"),
    Setting(
        "auth_backup_code.enabled",
        Switch(),
        "backup_codes",
        "Who sets up a second step is given backup codes for it.",
    ),
    Setting(
        "mfa.required",
        Switch(),
        "mfa_required",
        "Everybody must set up a second step. With e-mail as the only one, also turn on "
        "auth_email.required: the prebuilt components can set up a phone only.",
    ),
    Setting(
        "sign_up_mode",
        Choice(SignUpMode),
        "mode",
        "Who can sign up: everybody, the invited, or those whom the waitlist lets in.",
        "Access mode",
    ),
    Setting(
        "auth_access_control.allowlist_enabled",
        Switch(),
        "restrictions.allowlist_enabled",
        "Only what the allowlist covers can sign up; while it is empty, nobody.",
        "Allowlist",
    ),
    Setting(
        "auth_access_control.allowlist",
        Addresses(),
        "restrictions.allowlist",
        "The addresses and domains that can sign up.",
    ),
    Setting(
        "auth_access_control.blocklist_enabled",
        Switch(),
        "restrictions.blocklist_enabled",
        "What the blocklist covers cannot sign up.",
        "Blocklist",
    ),
    Setting(
        "auth_access_control.blocklist",
        Addresses(),
        "restrictions.blocklist",
        "The addresses and domains that cannot sign up.",
    ),
    Setting(
        "block_email_subaddresses",
        Switch(),
        "restrictions.block_email_subaddresses",
        "Addresses such as ann+news@example.com cannot sign up.",
        "Block subaddresses",
    ),
    Setting(
        "attack_protection.enumeration_protection",
        Choice(Enumeration),
        "enumeration",
        "Whether answers tell if an account exists: `off` says so, `bulk` says so at most 20 times "
        "an hour to one client address, `strict` never does.",
        "Enumeration protection",
    ),
    Setting(
        "attack_protection.user_lockout.max_attempts",
        Number(5, 100),
        "lockout.attempts",
        "How many wrong codes an identifier bears before it is locked. Devices that signed in to "
        "it before have as many of their own.",
        "Lockout: attempts",
    ),
    Setting(
        "attack_protection.user_lockout.duration_in_minutes",
        Number(5, 60, unit=MINUTE, called="number of minutes"),
        "lockout.window",
        "For how long a wrong code counts.",
        "Lockout: duration",
    ),
    Setting(
        "limits.sends_per_10_minutes",
        Number(3, 100),
        "sends.short",
        "How many codes are sent to an identifier within ten minutes.",
    ),
    Setting(
        "limits.sends_per_day",
        Number(3, 1000),
        "sends.long",
        "How many codes are sent to an identifier within 24 hours.",
    ),
    Setting(
        "shield.mode",
        Choice(ShieldMode),
        "shield.mode",
        "What becomes of text messages that look like an attack: they are sent and written down, "
        "sent after a challenge, or not sent. The list of countries, the sorts of numbers and the "
        "money hold in each mode.",
    ),
    Setting(
        "shield.countries",
        Countries(),
        "shield.policy.countries",
        "To which countries text messages are sent.",
        "SMS countries",
    ),
    Setting(
        "shield.refuse_voip",
        Switch(),
        "shield.policy.refuse_voip",
        "Numbers that are known for internet telephony are sent nothing.",
    ),
    Setting(
        "shield.dollars_per_country_and_day",
        Number(1, 1_000_000, unit=1_000_000, called="number of US dollars"),
        "shield.policy.money_per_country",
        "What the messages to one country may cost on a day (UTC), by the prices below.",
    ),
    Setting(
        "shield.prices",
        Prices(),
        "shield.prices",
        "What one segment to a country costs, in US dollars, where it is not the list price.",
    ),
    Setting(
        "legal_consent.enabled",
        Switch(),
        "legal_consent",
        "Nobody can sign up without accepting the terms (see urls.terms_url).",
    ),
    Setting(
        "client_trust.enabled",
        Switch(),
        "client_trust",
        "A sign-in on a browser that the person never used asks for a code by another channel. "
        "For forms of your own and the hosted pages: the prebuilt `<SignIn/>` stops there.",
    ),
    Setting(
        "reverification.enabled",
        Switch(),
        "reverification",
        "Changes to an account ask for a code where the last one is more than ten minutes old.",
    ),
    Setting(
        "session.single_session_mode",
        Switch(),
        "single_session",
        "A browser is signed in to one account at a time.",
    ),
    Setting(
        "session.lifetime_minutes",
        Number(5, 525_600, unit=MINUTE, called="number of minutes"),
        "session_lives_for",
        "How long somebody stays signed in. Holds for sessions that begin after the change.",
    ),
    Setting(
        "user.delete_self_enabled", Switch(), "delete_self", "People can delete their account."
    ),
    Setting(
        "organizations.enabled",
        Switch(),
        "organizations",
        "Apps are told that organizations exist. There are none: their lists are empty.",
    ),
    Setting(
        "native_api.enabled",
        Switch(),
        "native_api",
        "Mobile apps may send their client in a header instead of a cookie.",
    ),
    *_urls(),
]
SETTINGS: dict[str, Setting] = {setting.key: setting for setting in _ALL}


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
    text = f"{setting.key} is {short(value)}{detail}; expected {setting.type.expected}."
    return Problem((setting.key,), text)


# ── building ──────────────────────────────────────────────────────────────────────────
def build(base: Instance, values: Mapping[str, Any]) -> Instance:
    """`base` with these values and otherwise the defaults.

    Whether they make sense together is another question (`domain/setting_conflicts.py`).

    Of `base` only what is no setting counts: its id, name, address and kind.
    """
    instance = Instance(
        id=base.id,
        name=base.name,
        url=base.url,
        development=base.development,
        test_mode=base.test_mode,
        native_api=base.development,
        shield=Shield(mode=ShieldMode.RECORD if base.development else ShieldMode.DENY),
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
