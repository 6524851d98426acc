"""Checking a session token where it is used, without asking the server.

The order matters: what the header names, then the key, then the signature, and only then is a
claim read. RS256 is the one algorithm; what a token says of its own algorithm decides nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from doorcode.client.errors import (
    MalformedTokenError,
    TokenAlgorithmError,
    TokenExpiredError,
    TokenIssuedAtError,
    TokenIssuerError,
    TokenNotActiveError,
    TokenPartyError,
    TokenPendingError,
    TokenSignatureError,
)
from doorcode.client.jwks import AsyncJwksCache, JwksCache, find_key, read_keys
from doorcode.client.jws import Parts, split


class TokenRules(TypedDict, total=False):
    """What a token must fulfil beside its signature and its times.

    ``issuer``: the one ``iss`` to accept, such as ``https://clerk.example.com``; None: any.
    ``authorized_parties``: the origins (``azp``) to accept, such as ``https://example.com``;
    None: any. A token made outside a browser has no ``azp``: put None into the collection to
    accept those too. ``clock_skew``: by how many seconds the server's clock and this one may
    differ, 5 by default. ``now``: seconds since the epoch, the present by default.
    ``allow_pending``: accept somebody who has proved one factor and must still set up a second.
    """

    issuer: str | None
    authorized_parties: Collection[str | None] | None
    clock_skew: float
    now: float | None
    allow_pending: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """What a checked token says. ``raw`` holds every claim as it came.

    ``status`` (``sts``) is ``active`` or None; ``pending`` while the person has something left to
    do before they count as signed in, which only ``allow_pending`` accepts.
    ``factor_verification_age`` (``fva``): the minutes since the person proved the first and the
    second factor, -1 for never; None if not told.
    """

    user_id: str
    session_id: str | None
    issuer: str | None
    authorized_party: str | None
    status: str | None
    expires_at: datetime
    issued_at: datetime | None
    raw: Mapping[str, Any]
    factor_verification_age: tuple[int, int] | None = None


def verify_token(
    jwt: str, jwks: Mapping[str, Any] | JwksCache, **rules: Unpack[TokenRules]
) -> Claims:
    """Return what the token says, once it is sure that the server said it and it still holds.

    ``jwks`` is the server's key document, or a ``JwksCache`` that fetches it. For the rules see
    ``TokenRules``. Raises a ``TokenError`` whose ``code`` says what is wrong.
    """
    checks = _Rules(**rules)
    parts = split(jwt)
    kid = _key_id(parts)
    key = jwks.find(kid) if isinstance(jwks, JwksCache) else find_key(read_keys(jwks), kid)
    return _check(parts, key, checks)


async def verify_token_async(jwt: str, jwks: AsyncJwksCache, **rules: Unpack[TokenRules]) -> Claims:
    """Do what ``verify_token`` does, letting other tasks run while keys are fetched."""
    checks = _Rules(**rules)
    parts = split(jwt)
    return _check(parts, await jwks.find(_key_id(parts)), checks)


@dataclass(frozen=True, slots=True)
class _Rules:
    issuer: str | None = None
    authorized_parties: Collection[str | None] | None = None
    clock_skew: float = 5.0
    now: float | None = None
    allow_pending: bool = False

    def __post_init__(self) -> None:
        # "https://a.example" is a collection too, of its letters; it would refuse every token,
        # and a hurried reader might mend that by dropping the check.
        if isinstance(self.authorized_parties, str):
            raise TypeError("authorized_parties is a collection of origins, not one text")


def _key_id(parts: Parts) -> str:
    header = parts.header
    if header.get("alg") != "RS256":
        raise TokenAlgorithmError("A session token is signed with RS256")
    if header.get("typ", "JWT") != "JWT":
        raise MalformedTokenError("The token is of another type than JWT")
    # RFC 7515, section 4.1.11: what is marked as critical must be understood or refused.
    if "crit" in header:
        raise MalformedTokenError("The token asks for extensions that are not known here")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise MalformedTokenError("The token does not name its key")
    return kid


def _check(parts: Parts, key: RSAPublicKey, rules: _Rules) -> Claims:
    try:
        key.verify(parts.signature, parts.signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise TokenSignatureError("The token was not signed by the key that it names") from None
    claims = _Reader(parts.read_claims())
    _check_times(claims, rules)
    _check_parties(claims, rules)
    return claims.summary()


def _check_times(claims: _Reader, rules: _Rules) -> None:
    now = time.time() if rules.now is None else rules.now
    if claims.required_time("exp") <= now - rules.clock_skew:
        raise TokenExpiredError("The token has expired")
    if (claims.time("nbf") or 0) > now + rules.clock_skew:
        raise TokenNotActiveError("The token is not valid yet")
    if (claims.time("iat") or 0) > now + rules.clock_skew:
        raise TokenIssuedAtError("The token was issued in the future")


def _check_parties(claims: _Reader, rules: _Rules) -> None:
    if rules.issuer is not None and claims.text("iss") != rules.issuer:
        raise TokenIssuerError("The token was issued by another server")
    allowed = rules.authorized_parties
    if allowed is not None and claims.text("azp") not in allowed:
        raise TokenPartyError("The token was made for another application")
    if claims.text("sts") == "pending" and not rules.allow_pending:
        raise TokenPendingError("The person has a task left before they count as signed in")


class _Reader:
    """Reads claims by type; signed is not the same as well-formed."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    def text(self, name: str) -> str | None:
        value = self._raw.get(name)
        if value is not None and not isinstance(value, str):
            raise MalformedTokenError(f"The claim {name} is not text")
        return value

    def time(self, name: str) -> float | None:
        value = self._raw.get(name)
        if value is None:
            return None
        # A whole number may be too large to be made a float, and is finite.
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or (isinstance(value, float) and not math.isfinite(value))
        ):
            raise MalformedTokenError(f"The claim {name} is not a time")
        return value

    def required_time(self, name: str) -> float:
        value = self.time(name)
        if value is None:
            raise MalformedTokenError(f"The claim {name} is missing")
        return value

    def summary(self) -> Claims:
        user_id = self.text("sub")
        if not user_id:
            raise MalformedTokenError("The claim sub is missing")
        issued = self.time("iat")
        return Claims(
            user_id=user_id,
            session_id=self.text("sid"),
            issuer=self.text("iss"),
            authorized_party=self.text("azp"),
            status=self.text("sts"),
            expires_at=_moment(self.required_time("exp")),
            issued_at=None if issued is None else _moment(issued),
            raw=self._raw,
            factor_verification_age=self._factor_ages(),
        )

    def _factor_ages(self) -> tuple[int, int] | None:
        told = self._raw.get("fva")
        if told is None:
            return None
        # A service that lets somebody do what cannot be undone goes by this: read with care.
        if not isinstance(told, list) or [type(each) for each in told] != [int, int]:
            raise MalformedTokenError("The claim fva is not a pair of minutes")
        return told[0], told[1]


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise MalformedTokenError("A time of the token is beyond the calendar") from None
