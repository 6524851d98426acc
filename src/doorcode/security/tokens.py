"""Signs session tokens (JWT, RFC 7519) and publishes the keys to check them by (RFC 7517).

The real SDKs accept RS256 only, and from a PEM only RSA-2048 with e = 65537. A signature
costs about 0.3 ms, more than all else in a request, so a token minted a moment ago for
the same session and origin is given out again.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from doorcode.domain.limits import SECOND, TOKEN_LIVES_FOR_SECONDS
from doorcode.domain.session import Session

KEY_BITS = 2048
REUSE_FOR_SECONDS = 5
TOKENS_KEPT = 10_000
SESSION_CATEGORY = "cl_B7d4PD111AAA"  # the SDKs' name for "a session token"

_Name = tuple[str, str | None, str, int | None, int | None]
_to_json = msgspec.json.Encoder().encode
_PADDING = padding.PKCS1v15()
_SHA256 = hashes.SHA256()


def generate_key() -> bytes:
    """A new RSA key pair as PKCS#8 DER."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One RSA key and the id under which it is published."""

    id: str
    private: rsa.RSAPrivateKey

    @classmethod
    def load(cls, key_id: str, der: bytes) -> SigningKey:
        """Read a key pair from PKCS#8 DER."""
        private = serialization.load_der_private_key(der, password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("session tokens are signed by RSA keys")
        return cls(key_id, private)

    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 7517, 7518 section 6.3)."""
        numbers = self.private.public_key().public_numbers()
        return {
            "use": "sig",
            "kty": "RSA",
            "kid": self.id,
            "alg": "RS256",
            "n": _base64url_uint(numbers.n),
            "e": _base64url_uint(numbers.e),
        }


class Tokens:
    """Mints the tokens of one instance. The first key signs, all are published."""

    def __init__(self, keys: list[SigningKey], issuer: str) -> None:
        self._key = keys[0]
        self._issuer = issuer
        self._header = _part(
            {"alg": "RS256", "typ": "JWT", "kid": self._key.id, "cat": SESSION_CATEGORY}
        )
        self._plain_header = _part({"alg": "RS256", "typ": "JWT", "kid": self._key.id})
        self._minted: OrderedDict[_Name, tuple[int, str]] = OrderedDict()
        self.jwks: bytes = _to_json({"keys": [key.jwk() for key in keys]})

    def mint(self, session: Session, origin: str | None, now: int, *, not_before: int = 0) -> str:
        """A session token that lives for 60 s; one minted moments ago may be given again.

        `not_before` (milliseconds) is when the client last changed: app servers refuse a
        token older than that.
        """
        name, seconds = _name(session, origin), now // SECOND
        kept = self._minted.get(name)
        if kept and not_before // SECOND <= kept[0] <= seconds < kept[0] + REUSE_FOR_SECONDS:
            return kept[1]
        token = self._sign(self._header, self._claims(session, origin, now))
        self._minted[name] = (seconds, token)
        self._minted.move_to_end(name)
        if len(self._minted) > TOKENS_KEPT:
            self._minted.popitem(last=False)
        return token

    def mint_anew(self, session: Session, origin: str | None, now: int) -> str:
        """A session token that nobody has seen."""
        self._minted.pop(_name(session, origin), None)
        return self.mint(session, origin, now)

    def sign_handshake(self, directives: list[str]) -> str:
        """The cookies that an app's server is to set, as a signed token."""
        return self._sign(self._plain_header, {"handshake": directives})

    def _claims(self, session: Session, origin: str | None, now: int) -> dict[str, Any]:
        seconds = now // SECOND
        claims: dict[str, Any] = {
            "exp": seconds + TOKEN_LIVES_FOR_SECONDS,
            "fva": session.factor_age(now),
            "iat": seconds,
            "iss": self._issuer,
            "jti": os.urandom(10).hex(),
            "nbf": seconds - 10,
            "sid": session.id,
            "sts": str(session.status),
            "sub": session.user_id,
            "v": 2,
        }
        if origin:
            claims["azp"] = origin
        return claims

    def _sign(self, header: str, claims: dict[str, Any]) -> str:
        signed = f"{header}.{_part(claims)}"
        signature = self._key.private.sign(signed.encode(), _PADDING, _SHA256)
        return f"{signed}.{_base64url(signature)}"


def key_id(instance_id: str, der: bytes) -> str:
    """An id for a new key, from its public half and its instance."""
    public = SigningKey.load("", der).private.public_key()
    encoded = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "ins_" + hashlib.sha256(instance_id.encode() + encoded).hexdigest()[:27]


def _name(session: Session, origin: str | None) -> _Name:
    """What must be the same for a token to be given out again: all that it says."""
    return session.id, origin, session.status, session.first_factor_at, session.second_factor_at


def _part(value: dict[str, Any]) -> str:
    return _base64url(_to_json(value))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _base64url_uint(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
