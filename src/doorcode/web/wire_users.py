"""The JSON of accounts on the wire: users, their addresses, what may be shown of them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from doorcode.domain.addresses import Kind
from doorcode.domain.instance import Instance
from doorcode.domain.user import OwnedAddress, User

Json = dict[str, Any]
encode = msgspec.json.Encoder().encode

_SILHOUETTE = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">\
<rect width="40" height="40" fill="#64748b"/><circle cx="20" cy="15" r="7" fill="#fff"/>\
<path d="M6 38a14 14 0 0 1 28 0z" fill="#fff"/></svg>"""
NO_IMAGE = "data:image/svg+xml;base64," + b64encode(_SILHOUETTE).decode()


def user_document(user: User, instance: Instance, *, private: bool = False) -> Json:
    """An account. Only app servers are told what is `private`."""
    profile = user.profile
    return {
        **({"private_metadata": user.app_data.private_metadata} if private else {}),
        "object": "user",
        "id": user.id,
        "external_id": user.app_data.external_id,
        "username": profile.username,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "image_url": image_url(user, instance),
        "has_image": user.image_id is not None,
        "locale": profile.locale,
        "primary_email_address_id": user.primary_email_id,
        "primary_phone_number_id": user.primary_phone_id,
        "primary_web3_wallet_id": None,
        "password_enabled": False,
        "two_factor_enabled": user.has_second_factor(instance),
        "totp_enabled": False,
        "backup_code_enabled": bool(user.backup_codes),
        "email_addresses": [email_address(one) for one in user.of_kind(Kind.EMAIL)],
        "phone_numbers": [phone_number(one) for one in user.of_kind(Kind.PHONE)],
        "web3_wallets": [],
        "passkeys": [],
        "external_accounts": [],
        "enterprise_accounts": [],
        "saml_accounts": [],
        "organization_memberships": [],
        "public_metadata": user.app_data.public_metadata,
        "unsafe_metadata": profile.unsafe_metadata,
        "create_organization_enabled": False,
        "create_organizations_limit": None,
        "delete_self_enabled": instance.delete_self,
        "last_sign_in_at": user.last_sign_in_at,
        "banned": user.banned,
        "locked": False,
        "lockout_expires_in_seconds": None,
        "verification_attempts_remaining": None,
        "legal_accepted_at": profile.legal_accepted_at,
        "mfa_enabled_at": user.mfa_enabled_at,
        "mfa_disabled_at": user.mfa_disabled_at,
        "last_active_at": user.last_active_at,
        "profile_image_url": image_url(user, instance),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def email_address(owned: OwnedAddress) -> Json:
    """An e-mail address of an account."""
    return {
        **_identification(owned, "email_address"),
        "email_address": owned.address.spelling,
        "matches_sso_connection": False,
    }


def phone_number(owned: OwnedAddress) -> Json:
    """A phone number of an account."""
    return {
        **_identification(owned, "phone_number"),
        "phone_number": owned.address.value,
        "reserved_for_second_factor": owned.reserved_for_second_factor,
        "default_second_factor": owned.default_second_factor,
        "backup_codes": None,
    }


def public_user_data(user: User, instance: Instance) -> Json:
    """What may be shown of an account beside a session."""
    return {
        **user_data(user, instance),
        "identifier": user.identifier,
        "user_id": user.id,
        "username": user.profile.username,
        "profile_image_url": image_url(user, instance),
    }


def user_data(user: User, instance: Instance) -> Json:
    """What may be shown of an account to somebody who signs in to it."""
    return {
        "first_name": user.profile.first_name,
        "last_name": user.profile.last_name,
        "image_url": image_url(user, instance),
        "has_image": user.image_id is not None,
    }


def image_url(user: User, instance: Instance) -> str:
    """Where the person's picture is."""
    return NO_IMAGE


def _identification(owned: OwnedAddress, name: str) -> Json:
    strategy = owned.strategy or owned.address.strategy
    verification = verification_document("verified", strategy, 0, None)
    return {
        "object": name,
        "id": owned.id,
        "reserved": False,
        "linked_to": [],
        "verification": verification if owned.is_verified else None,
        "created_at": owned.created_at,
        "updated_at": owned.updated_at,
    }


def verification_document(
    status: str, strategy: str | None, attempts: int, expire_at: int | None
) -> Json:
    """A verification by a code."""
    return {
        "object": "verification_otp",
        "status": status,
        "strategy": strategy,
        "attempts": attempts,
        "expire_at": expire_at,
        "verified_at_client": None,
        "error": None,
    }
