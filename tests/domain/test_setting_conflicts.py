"""Values that together lock people out are refused; what merely looks odd is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.bot_protection import BotProtection, Mode
from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import build, read
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.domain.setting_conflicts import conflicts
from doorcode.domain.setting_types import Switch

BASE = Instance(id="ins_1")
SWITCHES = [key for key, setting in SETTINGS.items() if isinstance(setting.type, Switch)]


def said(**flat: Any) -> list[str]:
    reading = read({key.replace("__", "."): value for key, value in flat.items()})
    assert reading.problems == ()
    return [problem.text for problem in conflicts(build(BASE, reading.values))]


def test_the_defaults_are_at_peace() -> None:
    assert said() == []


@pytest.mark.parametrize("name", ["phone", "email", "username", "first_name", "last_name"])
def test_what_is_required_must_be_asked_for(name: str) -> None:
    flat = {f"auth_{name}.required": True, f"auth_{name}.used_for_sign_up": False}
    problems = conflicts(build(BASE, flat))
    assert any(f"auth_{name}.used_for_sign_up" in problem.text for problem in problems)
    flat[f"auth_{name}.used_for_sign_up"] = True
    assert conflicts(build(BASE, flat)) == []


def test_somebody_must_be_able_to_sign_in() -> None:
    off = {"auth_phone__used_for_sign_in": False, "auth_email__used_for_sign_in": False}
    [text] = said(**off)
    assert "Nobody could sign in" in text
    # A username names a person, but the code still needs an address to go to.
    assert said(**off, auth_username__used_for_sign_in=True) == [text]


def test_whoever_signs_up_must_be_able_to_come_back() -> None:
    crossed = {"auth_phone__used_for_sign_in": False, "auth_email__used_for_sign_up": False}
    [text] = said(**crossed)
    assert "sign_up_mode" in text
    # Where accounts are made by an administrator, what sign-up asks for does not matter.
    assert said(**crossed, sign_up_mode="restricted") == []


@pytest.mark.parametrize("kept", ["phone", "email"])
def test_one_sort_of_address_is_enough(kept: str) -> None:
    other = "email" if kept == "phone" else "phone"
    off = {f"auth_{other}__used_for_sign_up": False, f"auth_{other}__used_for_sign_in": False}
    assert said(**off, **{f"auth_{kept}__required": True}) == []


def test_a_required_second_step_must_be_possible() -> None:
    [text] = said(mfa__required=True)
    assert "mfa.required" in text and "used_for_second_factor" in text
    assert said(mfa__required=True, auth_phone__used_for_second_factor=True) == []
    assert said(mfa__required=True, auth_email__used_for_second_factor=True) == []


def test_one_phone_is_not_two_proofs() -> None:
    phone_only = {"auth_email__used_for_sign_up": False, "auth_email__used_for_sign_in": False}
    [text] = said(mfa__required=True, auth_phone__used_for_second_factor=True, **phone_only)
    assert "mfa.required" in text
    assert said(mfa__required=True, auth_email__used_for_second_factor=True, **phone_only) == []


def test_the_shortest_username_is_not_above_the_longest() -> None:
    [text] = said(auth_username__min_length=20, auth_username__max_length=10)
    assert "auth_username.min_length" in text
    assert said(auth_username__min_length=10, auth_username__max_length=10) == []


def test_a_preferred_channel_must_be_in_use() -> None:
    preferred = {"auth_phone__preferred_channels": {"BR": "whatsapp"}}
    [text] = said(**preferred)
    assert "whatsapp" in text and "auth_phone.channels" in text
    assert said(**preferred, auth_phone__channels=["sms", "whatsapp"]) == []


def test_disposable_domains_must_be_known_to_be_blocked() -> None:
    on = {"block_disposable_email_domains": True}
    [problem] = conflicts(build(BASE, on))
    assert problem.keys == ("block_disposable_email_domains",)
    assert "doorcode[disposable]" in problem.text
    assert "DOORCODE_DISPOSABLE_DOMAINS" in problem.text
    known = replace(BASE, disposable_domains=frozenset({"mailinator.com"}))
    assert conflicts(build(known, on)) == []


@pytest.mark.parametrize("mode", ["when_asked", "always"])
def test_a_challenge_needs_a_key_to_show_and_a_secret_to_check(mode: str) -> None:
    [no_key, no_secret] = said(bot_protection__mode=mode)
    assert "bot_protection.site_key is empty" in no_key
    assert "DOORCODE_TURNSTILE_SECRET" in no_secret and "to off" in no_secret
    values = {"bot_protection.mode": Mode(mode), "bot_protection.site_key": "1x00"}
    able = replace(BASE, bot_protection=BotProtection(has_secret=True))
    assert conflicts(build(able, values)) == []
    assert [problem.text for problem in conflicts(build(BASE, values))] == [no_secret]


def test_keys_and_secret_alone_turn_nothing_on() -> None:
    assert said(bot_protection__site_key="1x00") == []


def test_an_empty_allowlist_in_force_is_allowed() -> None:
    """It stops every sign-up, and that is what it is for; nobody with an account is locked out."""
    assert said(auth_access_control__allowlist_enabled=True) == []


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SWITCHES, st.booleans())))
def test_without_a_conflict_somebody_can_sign_in(values: dict[str, bool]) -> None:
    instance = build(BASE, values)
    problems = conflicts(instance)
    assert all(set(problem.keys) <= set(SETTINGS) for problem in problems)
    if not problems:
        assert instance.phone.used_for_sign_in or instance.email.used_for_sign_in
        assert instance.has_second_factors or not instance.mfa_required
