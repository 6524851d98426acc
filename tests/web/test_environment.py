"""The environment document: what an absent part would mean is never left to the SDKs."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.domain.instance import Attribute, Instance
from doorcode.web.environment import environment

from .house import Browser

TEN = {
    "email_address", "phone_number", "username", "first_name", "last_name", "password",
    "web3_wallet", "authenticator_app", "backup_code", "passkey",
}  # fmt: skip


def _document(**changes: Any) -> dict[str, Any]:
    return environment(Instance(id="ins_x", **changes), development_keys=False)


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
    document = _document(phone=Attribute(False, False, False, False))
    phone = document["user_settings"]["attributes"]["phone_number"]
    assert (phone["enabled"], phone["verifications"], phone["first_factors"]) == (False, [], [])


def test_a_required_attribute_says_so() -> None:
    document = _document(email=Attribute(required=True))
    assert document["user_settings"]["attributes"]["email_address"]["required"] is True


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


async def test_the_served_document_is_this_one(browser: Browser) -> None:
    served = (await browser.get("/v1/environment")).json()
    assert served["auth_config"]["test_mode"] is True
    assert served["display_config"]["application_name"] == "Doorcode"
