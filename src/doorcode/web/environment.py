"""The environment document: what the SDKs' components ask of the instance before they draw."""

from __future__ import annotations

from collections.abc import Sequence

from doorcode.domain.addresses import Kind, Strategy
from doorcode.domain.instance import Instance, NameAttribute, UsernameAttribute
from doorcode.domain.limits import MINUTE
from doorcode.web.wire import Json

_URLS = [
    "logo_image_url",
    "favicon_image_url",
    "home_url",
    "sign_in_url",
    "sign_up_url",
    "user_profile_url",
    "after_sign_in_url",
    "after_sign_up_url",
    "after_sign_out_one_url",
    "after_sign_out_all_url",
    "after_switch_session_url",
    "support_email",
    "terms_url",
    "privacy_policy_url",
    "waitlist_url",
    "after_join_waitlist_url",
    "organization_profile_url",
    "create_organization_url",
    "after_leave_organization_url",
    "after_create_organization_url",
]


def environment(instance: Instance, *, development_keys: bool) -> Json:
    """The whole document. Absent parts would not mean "off": the SDK then assumes passwords."""
    return {
        "object": "environment",
        "id": f"env_{instance.id}",
        "auth_config": {
            "object": "auth_config",
            "id": f"aconf_{instance.id}",
            "single_session_mode": instance.single_session,
            "claimed_at": None,
            "reverification": instance.reverification,
            "test_mode": instance.test_mode,
            **_preferred_channels(instance),
        },
        "display_config": _display(instance, development_keys),
        "user_settings": _user_settings(instance),
        "organization_settings": _organizations(instance),
        "commerce_settings": _commerce(),
        "api_keys_settings": {
            "enabled": False,
            "user_api_keys_enabled": False,
            "orgs_api_keys_enabled": False,
            "show_in_user_profile": False,
            "show_in_org_profile": False,
        },
        "protect_config": {"object": "protect_config", "id": f"protect_{instance.id}"},
        "maintenance_mode": False,
        "client_debug_mode": False,
        "partitioned_cookies": False,
    }


def _display(instance: Instance, development_keys: bool) -> Json:
    return {
        "object": "display_config",
        "id": f"display_config_{instance.id}",
        "instance_environment_type": "development" if development_keys else "production",
        "application_name": instance.name,
        "preferred_sign_in_strategy": "otp",
        **{name: instance.urls.get(name, "") for name in _URLS},
        "branded": False,
        "captcha_public_key": None,
        "captcha_widget_type": None,
        "captcha_public_key_invisible": None,
        "captcha_provider": "turnstile",
        "captcha_oauth_bypass": [],
        "captcha_heartbeat": False,
        "clerk_js_version": "6",
        "show_devmode_warning": False,
    }


def _user_settings(instance: Instance) -> Json:
    return {
        "attributes": _attributes(instance),
        "social": {},
        "enterprise_sso": {"enabled": False, "self_serve_sso": False},
        "saml": {"enabled": False},
        "sign_in": {
            "second_factor": {
                "required": instance.mfa_required,
                "enabled": instance.has_second_factors,
            }
        },
        "sign_up": {
            "captcha_enabled": False,
            "captcha_widget_type": None,
            "progressive": True,
            "mode": instance.mode.value,
            "allowlist_only": instance.restrictions.allowlist_enabled,
            "legal_consent_enabled": instance.legal_consent,
            "custom_action_required": False,
            **({"mfa": {"required": True}} if instance.mfa_required else {}),
        },
        "restrictions": {
            "allowlist": {"enabled": instance.restrictions.allowlist_enabled},
            "blocklist": {"enabled": instance.restrictions.blocklist_enabled},
            "block_email_subaddresses": {"enabled": instance.restrictions.block_email_subaddresses},
        },
        "actions": {"delete_self": instance.delete_self, "create_organization": False},
        "attack_protection": {
            "user_lockout": {
                "enabled": True,
                "max_attempts": instance.lockout.attempts,
                "duration_in_minutes": instance.lockout.window // MINUTE,
            },
            "enumeration_protection": {"enabled": instance.is_strict},
        },
        "passkey_settings": {"allow_autofill": False, "show_sign_in_button": False},
        "password_settings": _passwords(),
        "username_settings": {
            "min_length": instance.username.min_length,
            "max_length": instance.username.max_length,
        },
    }


def _attributes(instance: Instance) -> Json:
    """All ten. The forms show the first one that can be used, so the e-mail address leads."""
    phone = _address(instance, Strategy.PHONE_CODE)
    return {
        "email_address": _address(instance, Strategy.EMAIL_CODE),
        "phone_number": {**phone, "channels": [channel.value for channel in instance.channels]},
        "username": _username(instance.username),
        "first_name": _name(instance.first_name),
        "last_name": _name(instance.last_name),
        "password": _attribute(),
        "web3_wallet": _attribute(),
        "authenticator_app": _attribute(),
        "backup_code": _backup_code(instance),
        "passkey": _attribute(),
    }


def _address(instance: Instance, strategy: Strategy) -> Json:
    kind, attribute = strategy.kind, instance.attribute(strategy.kind)
    used = [one for one in Kind if instance.attribute(one).used_for_sign_up]
    return _attribute(
        enabled=attribute.enabled,
        # The prebuilt forms hide what is optional. Without the only address that there is
        # nobody can sign up, whatever its setting says.
        required=attribute.required or used == [kind],
        used_for_first_factor=attribute.used_for_sign_in,
        first_factors=[strategy] if attribute.used_for_sign_in else [],
        used_for_second_factor=attribute.used_for_second_factor,
        # The prebuilt components take this list for what a person can set up, and have no form
        # for an e-mail address: they would show an empty menu, or the one for another factor.
        second_factors=[strategy]
        if kind is Kind.PHONE and attribute.used_for_second_factor
        else [],
        verifications=[strategy] if attribute.enabled else [],
        verify_at_sign_up=attribute.verify_at_sign_up and attribute.used_for_sign_up,
        immutable=attribute.immutable,
    )


def _username(attribute: UsernameAttribute) -> Json:
    return _attribute(
        enabled=attribute.enabled,
        required=attribute.required,
        used_for_first_factor=attribute.used_for_sign_in,
        immutable=attribute.immutable,
    )


def _name(attribute: NameAttribute) -> Json:
    return _attribute(
        enabled=attribute.used_for_sign_up,
        required=attribute.required,
        immutable=attribute.immutable,
    )


def _backup_code(instance: Instance) -> Json:
    # A backup code stands in for another second factor: without any there is none to show.
    usable = instance.backup_codes and instance.has_second_factors
    return _attribute(
        enabled=usable,
        used_for_second_factor=usable,
        second_factors=["backup_code"] if usable else [],
    )


def _attribute(
    *,
    enabled: bool = False,
    required: bool = False,
    used_for_first_factor: bool = False,
    first_factors: Sequence[str] = (),
    used_for_second_factor: bool = False,
    second_factors: Sequence[str] = (),
    verifications: Sequence[str] = (),
    verify_at_sign_up: bool = False,
    immutable: bool = False,
) -> Json:
    return {
        "enabled": enabled,
        "required": required,
        "used_for_first_factor": used_for_first_factor,
        "first_factors": list(first_factors),
        "used_for_second_factor": used_for_second_factor,
        "second_factors": list(second_factors),
        "verifications": list(verifications),
        "verify_at_sign_up": verify_at_sign_up,
        "immutable": immutable,
    }


def _preferred_channels(instance: Instance) -> Json:
    # The SDKs take a missing map for none.
    preferred = {land: channel.value for land, channel in instance.preferred_channels.items()}
    return {"preferred_channels": preferred} if preferred else {}


def _passwords() -> Json:
    return {
        "min_length": 8,
        "max_length": 72,
        "disable_hibp": True,
        "require_special_char": False,
        "require_numbers": False,
        "require_uppercase": False,
        "require_lowercase": False,
        "show_zxcvbn": False,
        "min_zxcvbn_strength": 0,
        "allowed_special_characters": "",
    }


def _organizations(instance: Instance) -> Json:
    """There are none; a setting says otherwise, since some apps' components close only then."""
    return {
        "enabled": instance.organizations,
        "max_allowed_memberships": 5,
        "force_organization_selection": False,
        "actions": {"admin_delete": True},
        "domains": {"enabled": False, "enrollment_modes": [], "default_role": None},
        "slug": {"disabled": True},
        "organization_creation_defaults": {"enabled": False},
    }


def _commerce() -> Json:
    nobody = {"enabled": False, "has_paid_plans": False}
    return {
        "billing": {
            "enabled": False,
            "stripe_publishable_key": None,
            "organization": nobody,
            "user": nobody,
        }
    }
