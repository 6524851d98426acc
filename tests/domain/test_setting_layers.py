"""Where a value comes from, what fixes it, and that a mistake can always be mended."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.instance import Instance
from doorcode.domain.instance_settings import BadValues, read
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.domain.setting_layers import DEFAULT, STORED, Entry, Layer, Layers
from doorcode.domain.setting_types import Switch

BASE = Instance(id="ins_1")
KEY = "auth_phone.immutable"
SWITCHES = [key for key, setting in SETTINGS.items() if isinstance(setting.type, Switch)]


def layer(where: str, **flat: Any) -> Layer:
    return Layer(where, read({key.replace("__", "."): v for key, v in flat.items()}).values)


def entry(layers: Layers, key: str) -> Entry:
    [found] = [one for one in layers.entries(BASE) if one.setting.key == key]
    return found


def refusal(work: Any, *given: Any) -> str:
    with pytest.raises(BadValues) as bad:
        work(*given)
    return str(bad.value)


# ── order ─────────────────────────────────────────────────────────────────────────────
def test_environment_comes_before_file_before_database_before_default() -> None:
    environment = layer("DOORCODE_SETTINGS", urls__home_url="/environment")
    file = layer("doorcode.toml", urls__home_url="/file", urls__terms_url="/file")
    stored = {f"urls.{name}": "/stored" for name in ("home_url", "terms_url", "waitlist_url")}
    layers = Layers((environment, file), stored)
    assert layers.build(BASE).urls == {
        "home_url": "/environment",
        "terms_url": "/file",
        "waitlist_url": "/stored",
    }
    places = {
        name: entry(layers, f"urls.{name}")
        for name in ("home_url", "terms_url", "waitlist_url", "logo_image_url")
    }
    assert {name: (one.where, one.locked) for name, one in places.items()} == {
        "home_url": ("DOORCODE_SETTINGS", True),
        "terms_url": ("doorcode.toml", True),
        "waitlist_url": (STORED, False),
        "logo_image_url": (DEFAULT, False),
    }


def test_every_setting_is_listed() -> None:
    assert [one.setting.key for one in Layers().entries(BASE)] == list(SETTINGS)


def test_a_fixed_default_is_fixed_all_the_same() -> None:
    layers = Layers((layer("DOORCODE_SETTINGS", auth_phone__immutable=False),))
    assert entry(layers, KEY).locked
    assert layers.locked_by(KEY) == "DOORCODE_SETTINGS"
    assert layers.locked_by("auth_email.immutable") is None


# ── changing ──────────────────────────────────────────────────────────────────────────
def test_values_are_stored_plain() -> None:
    layers = Layers().with_values({"session.lifetime_minutes": 30 * 60_000, KEY: True}, BASE)
    assert layers.stored == {"session.lifetime_minutes": 30, KEY: True}
    assert layers.without([KEY], BASE).stored == {"session.lifetime_minutes": 30}


def test_what_is_fixed_cannot_be_stored() -> None:
    layers = Layers((layer("/srv/doorcode.toml", auth_phone__immutable=True),))
    for work in (
        lambda: layers.with_values({KEY: False}, BASE),
        lambda: layers.without([KEY], BASE),
    ):
        assert refusal(work) == f"{KEY} is fixed by /srv/doorcode.toml: change it there."


def test_what_was_stored_under_a_fixed_key_can_be_forgotten() -> None:
    layers = Layers((layer("DOORCODE_SETTINGS", auth_phone__immutable=True),), {KEY: False})
    assert layers.without([KEY], BASE).stored == {}


def test_a_conflict_is_refused_before_it_is_stored() -> None:
    said = refusal(Layers().with_values, {"mfa.required": True}, BASE)
    assert "mfa.required is on" in said


def test_values_that_need_each_other_are_set_together() -> None:
    both = {"mfa.required": True, "auth_phone.used_for_second_factor": True}
    layers = Layers().with_values(both, BASE)
    assert layers.build(BASE).mfa_required
    assert "mfa.required" in refusal(layers.without, ["auth_phone.used_for_second_factor"], BASE)
    assert layers.without(list(both), BASE).stored == {}


def test_several_mistakes_are_mended_one_by_one() -> None:
    layers = Layers((), {"gone.setting": 1, "mfa.required": "yes", KEY: True})
    said = refusal(layers.build, BASE)
    assert "gone.setting" in said and "mfa.required" in said
    layers = layers.without(["gone.setting"], BASE)
    layers = layers.with_values({"auth_email.immutable": True}, BASE)
    layers = layers.with_values({"mfa.required": False}, BASE)
    assert layers.build(BASE).phone.immutable


def test_a_fixed_mistake_does_not_keep_others_from_changing() -> None:
    fixed = layer("doorcode.toml", auth_username__min_length=60, auth_username__max_length=3)
    layers = Layers((fixed,)).with_values({KEY: True}, BASE)
    assert layers.stored == {KEY: True}
    assert "auth_username.min_length" in refusal(layers.build, BASE)


CHANGES = st.lists(st.dictionaries(st.sampled_from(SWITCHES), st.booleans(), max_size=3))


@given(fixed=st.dictionaries(st.sampled_from(SWITCHES), st.booleans(), max_size=3), changes=CHANGES)
def test_whatever_is_stored_makes_an_instance(
    fixed: dict[str, bool], changes: list[dict[str, bool]]
) -> None:
    layers = Layers((Layer("DOORCODE_SETTINGS", fixed),))
    try:
        layers.build(BASE)
    except BadValues:
        return
    for values in changes:
        try:
            layers = layers.with_values(values, BASE)
        except BadValues:
            continue
        assert not set(values) & set(fixed)
    instance = layers.build(BASE)
    for one in layers.entries(instance):
        if one.setting.key in fixed:
            assert one.value is fixed[one.setting.key]
