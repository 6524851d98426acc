"""The catalogue of settings: complete, with the defaults of `Instance`, read without surprise."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.addresses import Channel
from doorcode.domain.bot_protection import BotProtection, Mode
from doorcode.domain.instance import Instance, SignUpMode
from doorcode.domain.instance_settings import (
    BadValues,
    build,
    named,
    plain,
    read,
    read_json,
    read_text,
    read_toml,
    read_value,
    value_in,
)
from doorcode.domain.limits import MINUTE
from doorcode.domain.routes import Ladder, Routes
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.domain.setting_types import (
    Addresses,
    Choice,
    Countries,
    CountryChannels,
    Link,
    Mailbox,
    Number,
    PhoneChannels,
    Prices,
    SiteKey,
    Switch,
)
from doorcode.domain.text_settings import Language, OwnTexts

BASE = Instance(id="ins_1", name="Example", url="https://auth.example.com")
ADDRESS = {
    "used_for_sign_up", "required", "verify_at_sign_up", "used_for_sign_in",
    "used_for_second_factor", "immutable",
}  # fmt: skip
NAME = {"used_for_sign_up", "required", "immutable"}
LINKS = {
    "terms_url", "privacy_policy_url", "support_email", "home_url", "sign_in_url", "sign_up_url",
    "user_profile_url", "after_sign_in_url", "after_sign_up_url", "after_sign_out_one_url",
    "after_sign_out_all_url", "after_switch_session_url", "waitlist_url",
    "after_join_waitlist_url", "logo_image_url", "favicon_image_url",
}  # fmt: skip
GROUPS = {
    "auth_phone": ADDRESS | {"channels", "preferred_channels"},
    "auth_email": ADDRESS,
    "auth_username": NAME | {"used_for_sign_in", "min_length", "max_length"},
    "auth_first_name": NAME,
    "auth_last_name": NAME,
    "auth_backup_code": {"enabled"},
    "mfa": {"required"},
    "auth_access_control": {"allowlist_enabled", "allowlist", "blocklist_enabled", "blocklist"},
    "attack_protection": {
        "enumeration_protection",
        "user_lockout.max_attempts",
        "user_lockout.duration_in_minutes",
    },
    "limits": {"sends_per_10_minutes", "sends_per_day"},
    "alerts": {"email"},
    "shield": {
        "mode",
        "countries",
        "refuse_voip",
        "dollars_per_country_and_day",
        "dollars_per_day",
        "prices",
    },
    "delivery": {"sms", "whatsapp", "voice", "email", "ladder", "stopped"},
    "texts": {"default_language", "origin_line", "own"},
    "bot_protection": {"mode", "site_key", "invisible_site_key", "widget_type"},
    "legal_consent": {"enabled"},
    "client_trust": {"enabled"},
    "reverification": {"enabled"},
    "session": {"single_session_mode", "lifetime_minutes"},
    "user": {"delete_self_enabled"},
    "organizations": {"enabled"},
    "native_api": {"enabled"},
    "urls": LINKS,
}
ALONE = {
    "sign_up_mode",
    "block_email_subaddresses",
    "ignore_dots_for_gmail_addresses",
    "block_disposable_email_domains",
}
EXAMPLES: dict[type, st.SearchStrategy[Any]] = {
    Switch: st.booleans(),
    Countries: st.sampled_from([["*"], [], ["CA", "US"], ["GB"]]),
    Prices: st.dictionaries(st.sampled_from(["GB", "DE"]), st.sampled_from([0.04, 1.5, 0])),
    PhoneChannels: st.sampled_from([["sms"], ["whatsapp"], ["sms", "whatsapp"]]),
    CountryChannels: st.dictionaries(
        st.sampled_from(["BR", "DE", "IN"]), st.sampled_from(["sms", "whatsapp"])
    ),
    Addresses: st.lists(
        st.sampled_from(["ann@example.com", "example.org", "*@*.example.com", "+14155552671"]),
        unique=True,
    ),
    Routes: st.sampled_from([[], [{"provider": "twilio", "countries": ["GB"]}, {"provider": "x"}]]),
    Ladder: st.sampled_from([[], ["sms", "whatsapp"], ["voice"]]),
    Link: st.sampled_from(["", "/here", "https://example.com/there"]),
    Mailbox: st.sampled_from(["", "help@example.com"]),
    SiteKey: st.sampled_from(["", "1x00000000000000000000AA"]),
    Language: st.sampled_from(["en", "pt-BR", "zh-Hant-TW"]),
    OwnTexts: st.dictionaries(
        st.sampled_from(["en", "de-AT"]),
        st.sampled_from([{"sms": "{{ code }}"}, {"heading": "Here:", "advice": "Hush."}]),
    ),
}


def example_of(key: str) -> st.SearchStrategy[Any]:
    of = SETTINGS[key].type
    if isinstance(of, Number):
        return st.integers(of.least, of.most)
    if isinstance(of, Choice):
        return st.sampled_from([word.value for word in of.words])
    return EXAMPLES[type(of)]


PLAIN = st.fixed_dictionaries({}, optional={key: example_of(key) for key in SETTINGS})


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """The same settings as a person writes them in a file."""
    document: dict[str, Any] = {}
    for key, value in flat.items():
        *groups, name = key.split(".")
        place = document
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = value
    return document


def said(document: Any) -> str:
    return " ".join(problem.text for problem in read(document).problems)


# ── the catalogue ─────────────────────────────────────────────────────────────────────
def test_every_promised_setting_is_there() -> None:
    promised = {f"{group}.{name}" for group, names in GROUPS.items() for name in names} | ALONE
    assert set(SETTINGS) == promised


def test_each_setting_is_another_part_of_the_instance() -> None:
    places = [setting.place for setting in SETTINGS.values()]
    assert len(set(places)) == len(places)


def test_every_part_of_the_instance_that_an_operator_may_set_has_a_setting() -> None:
    of_the_environment = {
        "id", "name", "url", "origins", "development", "test_mode", "disposable_domains",
    }  # fmt: skip
    set_by = {setting.place.partition(".")[0] for setting in SETTINGS.values()}
    assert {field.name for field in fields(Instance)} == set_by | of_the_environment
    for part in ("phone", "email", "username", "first_name", "last_name", "restrictions"):
        named_there = {field.name for field in fields(getattr(BASE, part))}
        places = {setting.place for setting in SETTINGS.values()}
        assert {f"{part}.{name}" for name in named_there} <= places


def test_the_dashboards_names_are_known() -> None:
    names = {key: setting.dashboard for key, setting in SETTINGS.items()}
    for word in ("phone", "email"):
        assert names[f"auth_{word}.used_for_sign_up"] == f"Sign-up with {word}"
        assert names[f"auth_{word}.required"] == f"Require {word}"
        assert names[f"auth_{word}.verify_at_sign_up"] == "Verify at sign-up"
        assert names[f"auth_{word}.used_for_sign_in"] == f"Sign-in with {word}"


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_is_explained_in_a_sentence(key: str) -> None:
    meaning = SETTINGS[key].meaning
    assert meaning[0].isupper() and meaning.endswith(".")


@pytest.mark.parametrize("key", SETTINGS)
def test_every_default_fits_its_own_type(key: str) -> None:
    default = value_in(build(BASE, {}), key)
    assert read_value(key, plain({key: default})[key]) == default


# ── building ──────────────────────────────────────────────────────────────────────────
def test_nothing_set_is_the_default_instance() -> None:
    assert build(BASE, {}) == BASE


@pytest.mark.parametrize("development", [True, False])
def test_the_native_api_is_on_in_development_only(development: bool) -> None:
    base = Instance(id="ins_1", development=development)
    assert build(base, {}).native_api is development
    assert build(base, {"native_api.enabled": not development}).native_api is not development


def test_whether_a_challenge_can_be_checked_is_no_setting() -> None:
    base = replace(BASE, bot_protection=BotProtection(mode=Mode.ALWAYS, has_secret=True))
    built = build(base, {"bot_protection.site_key": "1x00"}).bot_protection
    assert built == BotProtection(site_key="1x00", has_secret=True)


def test_only_settings_change_and_the_rest_of_the_base_stays() -> None:
    changed = build(BASE, {"mfa.required": True})
    assert (changed.id, changed.name, changed.url) == (BASE.id, BASE.name, BASE.url)
    # What was set before does not stay: the layers are the whole truth.
    assert build(changed, {}) == BASE


@given(PLAIN)
def test_what_is_written_down_is_read_back(flat: dict[str, Any]) -> None:
    reading = read_json(json.dumps(nested(flat)))
    assert reading.problems == ()
    assert plain(reading.values) == flat
    instance = build(BASE, reading.values)
    again = {key: value_in(instance, key) for key in flat}
    assert plain(again) == flat
    assert build(BASE, read(plain(again)).values) == instance


@given(PLAIN)
def test_dotted_and_nested_names_are_the_same(flat: dict[str, Any]) -> None:
    assert read(flat) == read(nested(flat))


def test_values_land_where_they_belong() -> None:
    document = """
        sign_up_mode = "restricted"
        auth_email.required = true
        session.lifetime_minutes = 30
        [auth_phone]
        channels = ["whatsapp", "sms"]
        used_for_sign_in = false
        preferred_channels.br = "whatsapp"
        [auth_access_control]
        blocklist = ["Ann@Example.com"]
        [urls]
        terms_url = "/terms"
    """
    instance = build(BASE, read_toml(document).values)
    assert instance.mode is SignUpMode.RESTRICTED
    assert instance.email.required and not instance.phone.required
    assert not instance.phone.used_for_sign_in and instance.phone.used_for_sign_up
    assert instance.session_lives_for == 30 * MINUTE
    assert instance.channels == (Channel.WHATSAPP, Channel.SMS)
    assert instance.preferred_channels == {"BR": Channel.WHATSAPP}
    assert instance.restrictions.blocklist == ("ann@example.com",)
    assert instance.urls == {"terms_url": "/terms"}


# ── what is wrong ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("auth_phone.requird", "auth_phone.required"),
        ("auth_email.used_for_signup", "auth_email.used_for_sign_up"),
        ("signup_mode", "sign_up_mode"),
        ("session.lifetime", "session.lifetime_minutes"),
        ("urls.term_url", "urls.terms_url"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(key: str, nearest: str) -> None:
    with pytest.raises(BadValues) as bad:
        named(key)
    assert repr(key) in str(bad.value) and nearest in str(bad.value)
    assert nearest in said({key: True})
    assert nearest in said(nested({key: True}))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("auth_phone.required", "yes", "true or false"),
        ("session.lifetime_minutes", 4, "from 5 to 525600"),
        ("session.lifetime_minutes", 525_601, "from 5 to 525600"),
        ("sign_up_mode", "open", "public, restricted, waitlist"),
        ("bot_protection.mode", "on", "off, when_asked, always"),
        ("bot_protection.site_key", '0x4"><script>', "a site key such as"),
        ("auth_phone.channels", ["fax"], "sms"),
        ("auth_phone.preferred_channels", {"UK": "sms"}, "ISO 3166-1"),
        ("auth_access_control.allowlist", "example.com", "a list"),
        ("urls.home_url", "javascript:alert(1)", "https://"),
        ("urls.support_email", "/help", "e-mail address"),
        ("auth_phone", True, "auth_phone."),
        ("auth_phone.required", {"really": True}, "true or false"),
        ("mfa.required", None, "true or false"),
    ],
)
def test_an_ill_typed_value_names_itself_and_what_was_expected(
    key: str, value: Any, expected: str
) -> None:
    text = said(nested({key: value}))
    assert key in text and expected in text and text.endswith(".")


def test_all_that_is_wrong_is_said_at_once_and_the_rest_is_read() -> None:
    reading = read({"nothing": 1, "mfa": {"required": 1, "more": 1}, "sign_up_mode": "waitlist"})
    assert len(reading.problems) == 3
    assert reading.values == {"sign_up_mode": SignUpMode.WAITLIST}


def test_a_key_in_both_forms_is_refused() -> None:
    document = {"auth_phone": {"required": True}, "auth_phone.required": False}
    assert "auth_phone.required is set twice" in said(document)
    same = '{"mfa": {"required": true, "required": false}}'
    [problem] = read_json(same).problems
    assert "'required' is set twice" in problem.text
    [problem] = read_toml("mfa.required = true\n[mfa]\nrequired = false").problems
    assert "TOML" in problem.text


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '{"a": NaN}', "[" * 100_000])
def test_what_is_no_document_is_said(text: str) -> None:
    assert read_json(text).problems


@pytest.mark.parametrize("text", ["=", "[mfa", "mfa.required", "mfa = 1\nmfa.required = true"])
def test_what_is_no_toml_is_said(text: str) -> None:
    assert read_toml(text).problems


def test_an_empty_document_sets_nothing() -> None:
    assert read_json("{}") == read_toml("") == read({"auth_phone": {}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(list(SETTINGS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text() | st.sampled_from([*SETTINGS, *GROUPS, *ADDRESS]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_document_breaks_the_reading(document: Any) -> None:
    reading = read(document)
    assert set(reading.values) <= set(SETTINGS)
    assert read(plain(reading.values)).values == reading.values
    assert build(BASE, reading.values).id == BASE.id


@given(key=st.text() | st.sampled_from(list(SETTINGS)), text=st.text())
def test_nothing_typed_breaks_the_reading(key: str, text: str) -> None:
    try:
        value = read_text(key, text)
    except BadValues as error:
        problems = error.problems
    else:
        problems = ()
        assert read_value(key, plain({key: value})[key]) == value
    assert all(problem.keys == (key,) for problem in problems)
    assert problems or key in SETTINGS


def test_the_name_of_a_group_is_told_how_to_see_it() -> None:
    with pytest.raises(BadValues) as bad:
        read_text("auth_phone", "on")
    assert "`doorcode settings list auth_phone`" in str(bad.value)
