"""The environment document: what an absent part would mean is never left to the SDKs."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.addresses import Channel
from doorcode.domain.bot_protection import BotProtection, Mode, Widget
from doorcode.domain.instance import (
    Attribute,
    Instance,
    NameAttribute,
    SignUpMode,
    UsernameAttribute,
)
from doorcode.domain.instance_settings import build, read
from doorcode.domain.restrictions import Restrictions
from doorcode.domain.setting_catalogue import SETTINGS
from doorcode.domain.setting_types import Link, Switch
from doorcode.web.environment import environment

from .house import Browser
from .test_openapi import DISAGREEMENTS, disagreements

TEN = {
    "email_address", "phone_number", "username", "first_name", "last_name", "password",
    "web3_wallet", "authenticator_app", "backup_code", "passkey",
}  # fmt: skip


def _document(**changes: Any) -> dict[str, Any]:
    return environment(Instance(id="ins_x", **changes), development_keys=False)


def _attribute(name: str, **changes: Any) -> dict[str, Any]:
    attribute: dict[str, Any] = _document(**changes)["user_settings"]["attributes"][name]
    return attribute


def _user_settings(**changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = _document(**changes)["user_settings"]
    return settings


def test_all_ten_attributes_are_named() -> None:
    """The SDKs take a missing one for "a password is required"."""
    attributes = _document()["user_settings"]["attributes"]
    assert set(attributes) == TEN
    assert {name for name, one in attributes.items() if one["enabled"]} == {
        "email_address",
        "phone_number",
    }
    assert not [name for name, one in attributes.items() if one["required"]]


@pytest.mark.parametrize(
    ("name", "strategy"), [("phone_number", "phone_code"), ("email_address", "email_code")]
)
def test_an_address_is_verified_at_sign_up_and_signs_in(name: str, strategy: str) -> None:
    attribute = _document()["user_settings"]["attributes"][name]
    assert attribute["verify_at_sign_up"] is True
    assert attribute["verifications"] == attribute["first_factors"] == [strategy]
    assert attribute["used_for_first_factor"] is True
    assert attribute["used_for_second_factor"] is False


def test_phone_codes_travel_by_text_message() -> None:
    assert _document()["user_settings"]["attributes"]["phone_number"]["channels"] == ["sms"]


def test_a_disabled_attribute_offers_nothing() -> None:
    document = _document(phone=Attribute(used_for_sign_up=False, used_for_sign_in=False))
    phone = document["user_settings"]["attributes"]["phone_number"]
    assert (phone["enabled"], phone["verifications"], phone["first_factors"]) == (False, [], [])


def test_a_required_attribute_says_so() -> None:
    document = _document(email=Attribute(required=True))
    assert document["user_settings"]["attributes"]["email_address"]["required"] is True


@pytest.mark.parametrize(
    ("field", "needed", "other"),
    [("phone", "email_address", "phone_number"), ("email", "phone_number", "email_address")],
)
@pytest.mark.parametrize("signs_in", [True, False])
def test_the_only_address_to_sign_up_with_is_required(
    field: str, needed: str, other: str, signs_in: bool
) -> None:
    """The prebuilt forms hide what is optional: with nothing required they would be empty."""
    off = Attribute(used_for_sign_up=False, used_for_sign_in=signs_in)
    assert _attribute(needed, **{field: off})["required"] is True
    assert _attribute(other, **{field: off})["required"] is False


def test_there_are_no_passwords_captchas_or_social_providers() -> None:
    settings = _document()["user_settings"]
    assert settings["social"] == {}
    assert settings["sign_up"]["captcha_enabled"] is False
    assert settings["sign_up"]["mode"] == "public"
    assert settings["sign_up"]["progressive"] is True
    display = _document()["display_config"]
    assert display["preferred_sign_in_strategy"] == "otp"
    assert display["captcha_oauth_bypass"] == []
    assert display["captcha_public_key"] is None


@pytest.mark.parametrize("mode", [Mode.WHEN_ASKED, Mode.ALWAYS])
@pytest.mark.parametrize(("invisible", "told"), [("", "a"), ("b", "b")])
def test_the_sdks_are_told_how_to_run_a_challenge(mode: Mode, invisible: str, told: str) -> None:
    """Without both keys and the switch they could not answer a limit that asks for one."""
    document = _document(bot_protection=BotProtection(mode, "a", invisible, Widget.INVISIBLE))
    display, sign_up = document["display_config"], document["user_settings"]["sign_up"]
    assert (display["captcha_public_key"], display["captcha_public_key_invisible"]) == ("a", told)
    assert display["captcha_provider"] == "turnstile"
    assert display["captcha_widget_type"] == sign_up["captcha_widget_type"] == "invisible"
    assert sign_up["captcha_enabled"] is True
    assert display["captcha_heartbeat"] is False


def test_a_key_alone_asks_for_no_challenge() -> None:
    document = _document(bot_protection=BotProtection(site_key="a"))
    assert document["user_settings"]["sign_up"]["captcha_enabled"] is False
    assert document["display_config"]["captcha_public_key"] is None


def test_what_this_server_does_not_have_is_off() -> None:
    document = _document()
    assert document["organization_settings"]["enabled"] is False
    assert document["commerce_settings"]["billing"]["user"]["enabled"] is False
    assert document["api_keys_settings"]["enabled"] is False
    assert document["maintenance_mode"] is False
    assert "session_minter" not in document["auth_config"]


@pytest.mark.parametrize("single", [True, False])
def test_the_instance_says_how_many_may_be_signed_in(single: bool) -> None:
    document = _document(single_session=single)
    assert document["auth_config"]["single_session_mode"] is single


@pytest.mark.parametrize("on", [True, False])
def test_test_mode_is_told(on: bool) -> None:
    assert _document(test_mode=on)["auth_config"]["test_mode"] is on


@pytest.mark.parametrize(("keys", "kind"), [(True, "development"), (False, "production")])
def test_the_kind_of_instance_follows_the_keys(keys: bool, kind: str) -> None:
    document = environment(Instance(id="ins_x"), development_keys=keys)
    assert document["display_config"]["instance_environment_type"] == kind


# ── every setting ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("field", "name", "strategy"),
    [("phone", "phone_number", "phone_code"), ("email", "email_address", "email_code")],
)
def test_an_address_says_what_it_is_used_for(field: str, name: str, strategy: str) -> None:
    second = _attribute(name, **{field: Attribute(False, False, True, False, True, True)})
    assert second == {
        **second,
        "enabled": True,
        "used_for_first_factor": False,
        "first_factors": [],
        "used_for_second_factor": True,
        # Nobody sets up their e-mail address as one: the components would offer a form for it
        # that they do not have.
        "second_factors": [strategy] if strategy == "phone_code" else [],
        "verifications": [strategy],
        "verify_at_sign_up": False,
        "immutable": True,
    }
    unverified = _attribute(name, **{field: Attribute(verify_at_sign_up=False)})
    assert unverified["verify_at_sign_up"] is False
    assert unverified["immutable"] is False


def test_the_email_address_leads() -> None:
    """The forms show the first identifier that can be used."""
    attributes = list(_document()["user_settings"]["attributes"])
    assert attributes[:2] == ["email_address", "phone_number"]


def test_every_attribute_has_the_same_fields() -> None:
    attributes = _document()["user_settings"]["attributes"]
    fields = {name: set(attribute) for name, attribute in attributes.items()}
    assert fields.pop("phone_number") - fields["email_address"] == {"channels"}
    assert all(one == fields["email_address"] for one in fields.values())


@pytest.mark.parametrize("name", ["username", "first_name", "last_name"])
def test_a_name_is_asked_for_where_it_is_on(name: str) -> None:
    of = UsernameAttribute if name == "username" else NameAttribute
    assert _attribute(name)["enabled"] is False
    shown = _attribute(name, **{name: of(used_for_sign_up=True, required=True, immutable=True)})
    assert (shown["enabled"], shown["required"], shown["immutable"]) == (True, True, True)
    assert (shown["verifications"], shown["verify_at_sign_up"]) == ([], False)
    assert shown["used_for_first_factor"] is False


def test_a_username_can_be_an_identifier_and_is_no_factor() -> None:
    shown = _attribute("username", username=UsernameAttribute(used_for_sign_in=True))
    assert (shown["used_for_first_factor"], shown["first_factors"]) == (True, [])


def test_the_lengths_of_a_username_are_told() -> None:
    limits = _user_settings(username=UsernameAttribute(min_length=3, max_length=9))
    assert limits["username_settings"] == {"min_length": 3, "max_length": 9}


def test_channels_and_preferences_are_told() -> None:
    both = (Channel.WHATSAPP, Channel.SMS)
    document = _document(channels=both, preferred_channels={"BR": Channel.WHATSAPP})
    phone = document["user_settings"]["attributes"]["phone_number"]
    assert phone["channels"] == ["whatsapp", "sms"]
    assert document["auth_config"]["preferred_channels"] == {"BR": "whatsapp"}
    assert "preferred_channels" not in _document()["auth_config"]


def test_second_steps_are_told() -> None:
    second = Attribute(used_for_second_factor=True)
    assert _user_settings()["sign_in"]["second_factor"] == {"required": False, "enabled": False}
    optional = _user_settings(phone=second)
    assert optional["sign_in"]["second_factor"] == {"required": False, "enabled": True}
    forced = _user_settings(email=second, mfa_required=True)
    assert forced["sign_in"]["second_factor"] == {"required": True, "enabled": True}
    assert forced["sign_up"]["mfa"] == {"required": True}
    assert "mfa" not in optional["sign_up"]


def test_backup_codes_stand_in_for_another_second_factor() -> None:
    second = Attribute(used_for_second_factor=True)
    shown = _attribute("backup_code", phone=second, backup_codes=True)
    assert (shown["enabled"], shown["second_factors"]) == (True, ["backup_code"])
    assert shown["used_for_second_factor"] is True
    for without in ({"backup_codes": True}, {"phone": second}):
        assert _attribute("backup_code", **without)["enabled"] is False


@pytest.mark.parametrize("mode", list(SignUpMode))
def test_the_mode_of_sign_up_is_told(mode: SignUpMode) -> None:
    assert _user_settings(mode=mode)["sign_up"]["mode"] == mode.value


@pytest.mark.parametrize("on", [True, False])
def test_switches_are_told(on: bool) -> None:
    lists = Restrictions(on, (), on, (), on, on, on)
    document = _document(
        legal_consent=on, delete_self=on, reverification=on, organizations=on, restrictions=lists
    )
    settings = document["user_settings"]
    assert settings["sign_up"]["legal_consent_enabled"] is on
    assert settings["actions"]["delete_self"] is on
    assert document["auth_config"]["reverification"] is on
    assert document["organization_settings"]["enabled"] is on
    assert settings["sign_up"]["allowlist_only"] is on
    names = {"allowlist", "blocklist", "block_email_subaddresses", "block_disposable_email_domains"}
    assert settings["restrictions"] == {name: {"enabled": on} for name in names}


def test_the_lists_themselves_are_nobodys_business() -> None:
    lists = Restrictions(True, ("secret.example",), True, ("hidden.example",))
    text = str(_document(restrictions=lists))
    assert "secret.example" not in text and "hidden.example" not in text


LINKS = [key for key, setting in SETTINGS.items() if isinstance(setting.type, Link)]


@pytest.mark.parametrize("key", LINKS)
def test_every_address_of_a_page_is_told(key: str) -> None:
    name = key.removeprefix("urls.")
    assert _document()["display_config"][name] == ""
    instance = build(Instance(id="ins_x"), read({key: "/there"}).values)
    document = environment(instance, development_keys=False)
    assert document["display_config"][name] == "/there"


# What no browser needs to know before it asks: the server answers by it.
SILENT = {
    "client_trust.enabled",
    "delivery.stopped",
    "ignore_dots_for_gmail_addresses",
    "native_api.enabled",
    "shield.refuse_voip",
    "texts.origin_line",
}
# Seen only beside another one, in the tests above.
BESIDE = {"auth_backup_code.enabled"}
SWITCHES = [key for key, setting in SETTINGS.items() if isinstance(setting.type, Switch)]


@pytest.mark.parametrize("key", sorted(set(SWITCHES) - SILENT - BESIDE))
def test_every_other_switch_changes_the_document(key: str) -> None:
    plain = Instance(id="ins_x")
    documents = [
        environment(build(plain, {key: on}), development_keys=False) for on in (True, False)
    ]
    assert documents[0] != documents[1]


async def test_the_served_document_is_this_one(browser: Browser) -> None:
    served = (await browser.get("/v1/environment")).json()
    assert served["auth_config"]["test_mode"] is True
    assert served["display_config"]["application_name"] == "Doorcode"


# Not in the file, but the SDKs read it where it is there; they take its absence for none.
READ_BY_SDKS = {
    ("auth_config", "preferred_channels", "additionalProperties"),
    ("environment", "user_settings.sign_up.mfa", "additionalProperties"),
}


def test_with_everything_on_the_document_is_still_as_the_file_says() -> None:
    values: dict[str, Any] = dict.fromkeys(SWITCHES, True)
    values |= dict.fromkeys(LINKS, "https://example.com/there")
    values |= {
        "sign_up_mode": "restricted",
        "bot_protection.mode": "always",
        "bot_protection.site_key": "1x00",
        "urls.support_email": "help@example.com",
        "auth_phone.channels": ["sms", "whatsapp"],
        "auth_phone.preferred_channels": {"BR": "whatsapp"},
    }
    instance = build(Instance(id="ins_x"), read(values).values)
    document = environment(instance, development_keys=False)
    found = disagreements(document, {"$ref": "#/$defs/Client.Environment"})
    assert found - set(DISAGREEMENTS) == READ_BY_SDKS
