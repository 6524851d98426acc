"""The JSON of every object on the wire, for browsers and for app servers alike.

Times are milliseconds. Where the public OpenAPI file and the SDKs disagree, the SDKs win.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from doorcode.domain.addresses import Kind, Strategy
from doorcode.domain.instance import Instance
from doorcode.domain.session import Session
from doorcode.domain.sign_in import SignIn, first_factors
from doorcode.domain.sign_in import Status as SignInStatus
from doorcode.domain.sign_up import SignUp
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification
from doorcode.flows.client import ClientView
from doorcode.security.tokens import Tokens

Json = dict[str, Any]
encode = msgspec.json.Encoder().encode

_SILHOUETTE = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">\
<rect width="40" height="40" fill="#64748b"/><circle cx="20" cy="15" r="7" fill="#fff"/>\
<path d="M6 38a14 14 0 0 1 28 0z" fill="#fff"/></svg>"""
NO_IMAGE = "data:image/svg+xml;base64," + b64encode(_SILHOUETTE).decode()


class Wire:
    """Turns what the stories tell into documents, at one moment and for one page."""

    def __init__(self, instance: Instance, tokens: Tokens, origin: str | None, now: int) -> None:
        self._instance = instance
        self._tokens = tokens
        self._origin = origin
        self._now = now

    def client(self, view: ClientView) -> Json:
        """A client, with its sessions and what it has under way."""
        client = view.client
        return {
            "object": "client",
            "id": client.id,
            "sessions": [self.session(session, user, view) for session, user in view.sessions],
            "sign_in": self.sign_in(view.sign_in, view.sign_in_user) if view.sign_in else None,
            "sign_up": self.sign_up(view.sign_up) if view.sign_up else None,
            "last_active_session_id": view.current[0].id if view.current else None,
            "last_authentication_strategy": client.last_strategy,
            "cookie_expires_at": None,
            "captcha_bypass": False,
            "created_at": client.created_at,
            "updated_at": client.updated_at,
        }

    def session(self, session: Session, user: User | None, view: ClientView) -> Json:
        """A session, with a token where it still signs somebody in."""
        live = session.is_live(self._now)
        token = None
        if live:
            not_before = view.client.updated_at
            jwt = self._tokens.mint(session, self._origin, self._now, not_before=not_before)
            token = {"object": "token", "jwt": jwt}
        return {
            **session_fields(session, self._now),
            "last_active_organization_id": None,
            "actor": None,
            "tasks": [],
            "user": user_document(user) if user else None,
            "public_user_data": public_user_data(user) if user else None,
            "factor_verification_age": session.factor_age(self._now),
            "last_active_token": token,
        }

    def sign_up(self, sign_up: SignUp) -> Json:
        """An attempt to sign up."""
        instance, profile = self._instance, sign_up.profile
        return {
            "object": "sign_up_attempt",
            "id": sign_up.id,
            "status": sign_up.status,
            "required_fields": instance.required_fields,
            "optional_fields": instance.optional_fields,
            "missing_fields": sign_up.missing_fields(instance),
            "unverified_fields": sign_up.unverified_fields(instance),
            "verifications": {
                "email_address": self._sign_up_verification(sign_up, Strategy.EMAIL_CODE),
                "phone_number": self._sign_up_verification(sign_up, Strategy.PHONE_CODE),
                "web3_wallet": None,
                "external_account": None,
            },
            "username": None,
            "email_address": sign_up.email.spelling if sign_up.email else None,
            "phone_number": sign_up.phone.value if sign_up.phone else None,
            "web3_wallet": None,
            "password_enabled": False,
            "has_password": False,
            "first_name": profile.first_name,
            "last_name": profile.last_name,
            "unsafe_metadata": profile.unsafe_metadata,
            "public_metadata": {},
            "custom_action": False,
            "external_id": None,
            "created_session_id": sign_up.created_session_id,
            "created_user_id": sign_up.created_user_id,
            "external_account": None,
            "external_account_strategy": None,
            "abandon_at": sign_up.abandon_at,
            "legal_accepted_at": profile.legal_accepted_at,
            "locale": profile.locale,
        }

    def sign_in(self, sign_in: SignIn, user: User | None) -> Json:
        """An attempt to sign in. A second factor is not asked for."""
        open_factors = sign_in.status is SignInStatus.NEEDS_FIRST_FACTOR
        return {
            "object": "sign_in_attempt",
            "id": sign_in.id,
            "status": sign_in.status,
            "supported_identifiers": self._instance.identifiers,
            "supported_first_factors": self._factors(sign_in, user) if open_factors else None,
            "supported_second_factors": None,
            "first_factor_verification": self._verification(sign_in.verification),
            "second_factor_verification": None,
            "identifier": sign_in.identifier.value if sign_in.identifier else None,
            "user_data": _user_data(user) if user else None,
            "created_session_id": sign_in.created_session_id,
            "abandon_at": sign_in.abandon_at,
        }

    def _factors(self, sign_in: SignIn, user: User | None) -> list[Json]:
        if user is None:
            return []
        return [
            {
                "strategy": factor.strategy,
                "safe_identifier": factor.safe_identifier,
                f"{factor.strategy.kind}_id": factor.address.id,
                "primary": factor.primary,
                **(
                    {"default": False, "channels": ["sms"]}
                    if factor.strategy is Strategy.PHONE_CODE
                    else {}
                ),
            }
            for factor in first_factors(sign_in, user, self._instance)
        ]

    def _sign_up_verification(self, sign_up: SignUp, strategy: Strategy) -> Json | None:
        if sign_up.address(strategy.kind) is None:
            return None
        verification = sign_up.verification(strategy)
        if verification is None:
            # The prebuilt components send no code where they see the strategy set already.
            document = _verification_document("unverified", None, 0, None)
            return {**document, "next_action": "needs_prepare", "supported_strategies": [strategy]}
        document = self._verification(verification) or {}
        done = verification.as_of(self._now) is VerificationStatus.VERIFIED
        tries_left = verification.why_not_try(self._now) is None
        action = "" if done else "needs_attempt" if tries_left else "needs_prepare"
        return {**document, "next_action": action, "supported_strategies": [strategy]}

    def _verification(self, verification: Verification | None) -> Json | None:
        if verification is None:
            return None
        status = verification.as_of(self._now)
        document = _verification_document(
            status, verification.strategy, verification.attempts, verification.expires_at
        )
        if verification.strategy is Strategy.PHONE_CODE:
            document["channel"] = verification.channel
        return document


def session_fields(session: Session, now: int) -> Json:
    """What every document of a session holds."""
    return {
        "object": "session",
        "id": session.id,
        "status": session.as_of(now),
        "expire_at": session.expire_at,
        "abandon_at": session.abandon_at,
        "last_active_at": session.last_active_at,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
    }


def user_document(user: User, *, private: bool = False) -> Json:
    """An account. Only app servers are told what is `private`."""
    profile = user.profile
    return {
        **({"private_metadata": {}} if private else {}),
        "object": "user",
        "id": user.id,
        "external_id": None,
        "username": None,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "image_url": NO_IMAGE,
        "has_image": False,
        "locale": profile.locale,
        "primary_email_address_id": user.primary_email_id,
        "primary_phone_number_id": user.primary_phone_id,
        "primary_web3_wallet_id": None,
        "password_enabled": False,
        "two_factor_enabled": False,
        "totp_enabled": False,
        "backup_code_enabled": False,
        "email_addresses": [email_address(one) for one in user.of_kind(Kind.EMAIL)],
        "phone_numbers": [phone_number(one) for one in user.of_kind(Kind.PHONE)],
        "web3_wallets": [],
        "passkeys": [],
        "external_accounts": [],
        "enterprise_accounts": [],
        "saml_accounts": [],
        "organization_memberships": [],
        "public_metadata": {},
        "unsafe_metadata": profile.unsafe_metadata,
        "create_organization_enabled": False,
        "create_organizations_limit": None,
        "delete_self_enabled": False,
        "last_sign_in_at": user.last_sign_in_at,
        "banned": user.banned,
        "locked": False,
        "lockout_expires_in_seconds": None,
        "verification_attempts_remaining": None,
        "legal_accepted_at": profile.legal_accepted_at,
        "mfa_enabled_at": None,
        "mfa_disabled_at": None,
        "last_active_at": user.last_active_at,
        "profile_image_url": NO_IMAGE,
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
        "reserved_for_second_factor": False,
        "default_second_factor": False,
        "backup_codes": None,
    }


def public_user_data(user: User) -> Json:
    """What may be shown of an account beside a session."""
    return {
        **_user_data(user),
        "identifier": user.identifier,
        "user_id": user.id,
        "username": None,
        "profile_image_url": NO_IMAGE,
    }


def _user_data(user: User) -> Json:
    return {
        "first_name": user.profile.first_name,
        "last_name": user.profile.last_name,
        "image_url": NO_IMAGE,
        "has_image": False,
    }


def _identification(owned: OwnedAddress, name: str) -> Json:
    verified = owned.verified_at is not None
    verification = _verification_document("verified", owned.address.strategy, 0, None)
    return {
        "object": name,
        "id": owned.id,
        "reserved": False,
        "linked_to": [],
        "verification": verification if verified else None,
        "created_at": owned.created_at,
        "updated_at": owned.updated_at,
    }


def _verification_document(
    status: str, strategy: Strategy | None, attempts: int, expire_at: int | None
) -> Json:
    return {
        "object": "verification_otp",
        "status": status,
        "strategy": strategy,
        "attempts": attempts,
        "expire_at": expire_at,
        "verified_at_client": None,
        "error": None,
    }
