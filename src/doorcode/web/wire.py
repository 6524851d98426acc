"""The JSON of every object on the wire, for browsers and for app servers alike.

Times are milliseconds. Where the public OpenAPI file and the SDKs disagree, the SDKs win.
"""

from __future__ import annotations

from doorcode.domain.addresses import Strategy
from doorcode.domain.instance import Instance
from doorcode.domain.reverification import Reverification, factors_of
from doorcode.domain.reverification import Status as ReverificationStatus
from doorcode.domain.session import Session
from doorcode.domain.sign_in import (
    BACKUP_CODE,
    SECOND,
    Factor,
    SignIn,
    factors_of_step,
    first_factors,
)
from doorcode.domain.sign_in import Status as SignInStatus
from doorcode.domain.sign_up import SignUp
from doorcode.domain.user import User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification
from doorcode.flows.client import ClientView
from doorcode.security.tokens import Tokens
from doorcode.web.wire_users import (
    Json,
    encode,
    public_user_data,
    user_data,
    user_document,
    verification_document,
)

__all__ = ["Json", "Wire", "encode", "session_fields", "user_document"]


class Wire:
    """Turns what the stories tell into documents, at one moment and for one page."""

    def __init__(self, instance: Instance, tokens: Tokens, origin: str | None, now: int) -> None:
        self._instance = instance
        self._tokens = tokens
        self._origin = origin
        self._now = now

    @property
    def _asks_later(self) -> bool:
        # With the bypass the SDKs run no challenge beforehand; to a 401 they answer all the same.
        protection = self._instance.bot_protection
        return protection.can_ask and not protection.is_always_asked

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
            "captcha_bypass": client.is_human(self._now) or self._asks_later,
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
            "tasks": [{"key": key} for key in session.tasks],
            "user": user_document(user, self._instance, now=self._now) if user else None,
            "public_user_data": public_user_data(user, self._instance) if user else None,
            "factor_verification_age": session.factor_age(self._now),
            "last_active_token": token,
        }

    def sign_up(self, sign_up: SignUp) -> Json:
        """An attempt to sign up."""
        instance, profile = self._instance, sign_up.profile
        return {
            "object": "sign_up_attempt",
            "id": sign_up.id,
            "status": sign_up.as_of(self._now),
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
            "username": profile.username,
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
        """An attempt to sign in."""
        status = sign_in.as_of(self._now)
        open_factors = status is SignInStatus.NEEDS_FIRST_FACTOR
        identifier = sign_in.identifier.value if sign_in.identifier else sign_in.username
        # Whether there is an account is not said before a code has been typed.
        shown = user if user and not sign_in.sign_up_if_missing else None
        return {
            "object": "sign_in_attempt",
            "id": sign_in.id,
            "status": status,
            "supported_identifiers": self._instance.identifiers,
            "supported_first_factors": self._first(sign_in, user) if open_factors else None,
            "supported_second_factors": self._second(sign_in, user) if status in SECOND else None,
            "first_factor_verification": self.verification(sign_in.first),
            "second_factor_verification": self.verification(sign_in.second),
            "identifier": identifier,
            "user_data": user_data(shown, self._instance) if shown else None,
            "created_session_id": sign_in.created_session_id,
            "abandon_at": sign_in.abandon_at,
            "client_trust_state": "new" if status is SignInStatus.NEEDS_CLIENT_TRUST else None,
        }

    def _first(self, sign_in: SignIn, user: User | None) -> list[Json]:
        factors = first_factors(sign_in, user, self._instance)
        return [self.factor(factor) for factor in factors]

    def _second(self, sign_in: SignIn, user: User | None) -> list[Json]:
        factors = factors_of_step(sign_in, user, self._instance) if user else []
        return [self.factor(factor) for factor in factors]

    def reverification(self, one: Reverification, user: User, session: Json) -> Json:
        """A proof of oneself under way, with the document of its session.

        Factors are listed for the step that it stands at alone: the prebuilt components
        send a first code as soon as they see a first factor, asked for or not.
        """
        factors = [self.factor(factor) for factor in factors_of(one, user, self._instance)]
        first = one.status is ReverificationStatus.NEEDS_FIRST_FACTOR
        second = one.status is ReverificationStatus.NEEDS_SECOND_FACTOR
        return {
            "object": "session_reverification",
            "id": one.id,
            "level": one.level,
            "status": one.status,
            "supported_first_factors": factors if first else None,
            "supported_second_factors": factors if second else None,
            "first_factor_verification": self.verification(one.first),
            "second_factor_verification": self.verification(one.second),
            "session": session,
        }

    def factor(self, factor: Factor) -> Json:
        """One way to prove oneself."""
        if factor.strategy == BACKUP_CODE:
            return {"strategy": factor.strategy}
        strategy = Strategy(factor.strategy)
        document = {
            "strategy": strategy,
            "safe_identifier": factor.safe_identifier,
            f"{strategy.kind}_id": factor.id,
            "primary": factor.primary,
        }
        if strategy is Strategy.PHONE_CODE:
            document |= {"default": factor.default, "channels": list(self._instance.channels)}
        return document

    def _sign_up_verification(self, sign_up: SignUp, strategy: Strategy) -> Json | None:
        if sign_up.address(strategy.kind) is None:
            return None
        verification = sign_up.verification(strategy)
        if verification is None:
            # The prebuilt components send no code where they see the strategy set already.
            document = verification_document("unverified", None, 0, None)
            return {**document, "next_action": "needs_prepare", "supported_strategies": [strategy]}
        document = self.verification(verification) or {}
        done = verification.as_of(self._now) is VerificationStatus.VERIFIED
        tries_left = verification.why_not_try(self._now) is None
        action = "" if done else "needs_attempt" if tries_left else "needs_prepare"
        return {**document, "next_action": action, "supported_strategies": [strategy]}

    def verification(self, verification: Verification | None) -> Json | None:
        """A verification as far as anybody may see it."""
        if verification is None:
            return None
        status = verification.as_of(self._now)
        document = verification_document(
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
