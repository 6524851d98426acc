"""The environment document: what the SDKs' components ask of the instance before they draw."""

from __future__ import annotations

from doorcode.domain.instance import Attribute, Instance
from doorcode.web.wire import Json

_OTHER_ATTRIBUTES = (
    "username",
    "first_name",
    "last_name",
    "password",
    "web3_wallet",
    "authenticator_app",
    "backup_code",
    "passkey",
)
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
            "reverification": False,
            "test_mode": instance.test_mode,
        },
        "display_config": _display(instance, development_keys),
        "user_settings": _user_settings(instance),
        "organization_settings": _organizations(),
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
        **dict.fromkeys(_URLS, ""),
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
    phone = {**_attribute(instance.phone, "phone_code"), "channels": ["sms"]}
    unused = _attribute(Attribute(False, False, False, False), "")
    return {
        "attributes": {
            "email_address": _attribute(instance.email, "email_code"),
            "phone_number": phone,
            **dict.fromkeys(_OTHER_ATTRIBUTES, unused),
        },
        "social": {},
        "enterprise_sso": {"enabled": False, "self_serve_sso": False},
        "saml": {"enabled": False},
        "sign_in": {"second_factor": {"required": False, "enabled": False}},
        "sign_up": {
            "captcha_enabled": False,
            "captcha_widget_type": None,
            "progressive": True,
            "mode": "public",
            "allowlist_only": False,
            "legal_consent_enabled": False,
            "custom_action_required": False,
        },
        "restrictions": {
            "allowlist": {"enabled": False},
            "blocklist": {"enabled": False},
        },
        "actions": {"delete_self": False, "create_organization": False},
        "attack_protection": {"enumeration_protection": {"enabled": False}},
        "passkey_settings": {"allow_autofill": False, "show_sign_in_button": False},
        "password_settings": {
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
        },
        "username_settings": {"min_length": 4, "max_length": 64},
    }


def _attribute(attribute: Attribute, strategy: str) -> Json:
    strategies = [strategy] if attribute.enabled else []
    return {
        "enabled": attribute.enabled,
        "required": attribute.required,
        "used_for_first_factor": attribute.used_for_sign_in,
        "first_factors": strategies if attribute.used_for_sign_in else [],
        "used_for_second_factor": False,
        "second_factors": [],
        "verifications": strategies,
        "verify_at_sign_up": attribute.verified_at_sign_up,
    }


def _organizations() -> Json:
    return {
        "enabled": False,
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
