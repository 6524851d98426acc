"""The JSON of accounts on the wire: users, their addresses, what may be shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from doorcode.domain.addresses import Kind
from doorcode.domain.instance import Instance
from doorcode.domain.session import Session
from doorcode.domain.user import OwnedAddress, User
from doorcode.flows.guesses import Standing
from doorcode.web import initials

Json = dict[str, Any]
encode = msgspec.json.Encoder().encode


def user_document(
    user: User,
    instance: Instance,
    *,
    private: bool = False,
    now: int = 0,
    standing: Standing | None = None,
) -> Json:
    """An account. Only app servers are told what is `private`, and how strangers stand with it.

    `now` is for what is being verified: without it, codes are shown as if time stood still.
    """
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
        "email_addresses": [email_address(one, now) for one in user.of_kind(Kind.EMAIL)],
        "phone_numbers": [phone_number(one, now) for one in user.of_kind(Kind.PHONE)],
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
        "locked": standing is not None and standing.left == 0,
        "lockout_expires_in_seconds": standing.opens_in_seconds if standing else None,
        "verification_attempts_remaining": standing.left if standing else None,
        "legal_accepted_at": profile.legal_accepted_at,
        "mfa_enabled_at": user.mfa_enabled_at,
        "mfa_disabled_at": user.mfa_disabled_at,
        "last_active_at": user.last_active_at,
        "profile_image_url": image_url(user, instance),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def email_address(owned: OwnedAddress, now: int = 0) -> Json:
    """An e-mail address of an account."""
    return {
        **_identification(owned, "email_address", now),
        "email_address": owned.address.spelling,
        "matches_sso_connection": False,
    }


def phone_number(
    owned: OwnedAddress, now: int = 0, backup_codes: Sequence[str] | None = None
) -> Json:
    """A phone number of an account, with the backup codes that were made by its use."""
    return {
        **_identification(owned, "phone_number", now),
        "phone_number": owned.address.value,
        "reserved_for_second_factor": owned.reserved_for_second_factor,
        "default_second_factor": owned.default_second_factor,
        "backup_codes": None if backup_codes is None else list(backup_codes),
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
    """Where the person's picture is: the one they chose, or their first letter."""
    if user.image_id:
        return f"{instance.url}/v1/images/{user.image_id}"
    return instance.url + initials.image_path(_name(user), user.id)


def session_activity(session: Session) -> Json:
    """What the browser told of itself when somebody signed in by it."""
    document: Json = {
        "object": "session_activity",
        "id": "sess_activity_" + session.id.partition("_")[2],
        "is_mobile": session.device is not None and session.device.is_mobile,
    }
    if session.device:
        for name in ("browser_name", "browser_version", "device_type", "ip_address"):
            value = getattr(session.device, name)
            if value is not None:
                document[name] = value
    return document


def backup_codes_document(codes: Sequence[str], user_id: str, now: int) -> Json:
    """Backup codes, to be written down: they are shown this once."""
    return {
        "object": "backup_code",
        "id": "backup_code_" + user_id.partition("_")[2],
        "codes": list(codes),
        "created_at": now,
        "updated_at": now,
    }


def deleted_document(name: str, id_: str) -> Json:
    """Something that is no more."""
    return {"object": name, "id": id_, "deleted": True}


def _name(user: User) -> str:
    profile = user.profile
    called = " ".join(part for part in (profile.first_name, profile.last_name) if part)
    mail = user.identifier if "@" in user.identifier else ""
    return called or profile.username or mail


def _identification(owned: OwnedAddress, name: str, now: int) -> Json:
    return {
        "object": name,
        "id": owned.id,
        "reserved": False,
        "linked_to": [],
        "verification": _verification(owned, now),
        "created_at": owned.created_at,
        "updated_at": owned.updated_at,
    }


def _verification(owned: OwnedAddress, now: int) -> Json:
    """How far an address is proved: of one that nobody asked a code for, no strategy is said.

    The prebuilt components send no code where they see a strategy.
    """
    if owned.is_verified:
        strategy = owned.strategy or owned.address.strategy
        return verification_document("verified", strategy, 0, None)
    asked = owned.verification
    if asked is None:
        return verification_document("unverified", None, 0, None)
    document = verification_document(
        asked.as_of(now), asked.strategy, asked.attempts, asked.expires_at
    )
    return {**document, "channel": asked.channel} if owned.address.kind is Kind.PHONE else document


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
