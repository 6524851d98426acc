"""A key pair and the tokens it signs, good ones and bad."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

NOW = 1_795_407_300
ISSUER = "https://auth.example.com"
HEADER: dict[str, Any] = {"alg": "RS256", "typ": "JWT", "kid": "key_1"}
CLAIMS: dict[str, Any] = {
    "sub": "user_1",
    "sid": "sess_1",
    "iss": ISSUER,
    "azp": "https://app.example.com",
    "sts": "active",
    "iat": NOW,
    "nbf": NOW - 10,
    "exp": NOW + 60,
    "v": 2,
}


def b64(raw: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    """Return a number as a JWK has it."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


class TokenMaker:
    """Owns an RSA key; signs what it is told to."""

    def __init__(self, kid: str = "key_1", bits: int = 2048) -> None:
        self.kid = kid
        self.key: RSAPrivateKey = generate_private_key(65537, bits)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as one entry of a JWKS document."""
        public = self.key.public_key().public_numbers()
        numbers = {"n": number(public.n), "e": number(public.e)}
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, **numbers}

    @property
    def jwks(self) -> dict[str, Any]:
        """The key document."""
        return {"keys": [self.jwk]}

    def sign(self, signed: str) -> str:
        """Return the text with its signature behind it."""
        signature = self.key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"{signed}.{b64(signature)}"

    def token(self, header: dict[str, Any] | None = None, /, **changes: Any) -> str:
        """Return a token; a change to ... leaves the claim out."""
        claims = {k: v for k, v in (CLAIMS | changes).items() if v is not ...}
        parts = [HEADER | {"kid": self.kid} | (header or {}), claims]
        kept = [{k: v for k, v in part.items() if v is not ...} for part in parts]
        return self.sign(".".join(b64(json.dumps(part).encode()) for part in kept))
