"""The one key that an operator keeps: everything else is derived from it.

    DOORCODE_MASTER_KEY   base64 of 32 bytes, or `version:key,version:key` when rotated
        ├── code digests      HMAC-SHA256, so a stolen database holds no code
        └── seals             AES-256-GCM, for readable codes and RSA keys at rest

Keys are derived by HKDF (RFC 5869) with the instance's id as salt: the same master key
in another instance opens nothing and verifies nothing there.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class BadMasterKey(ValueError):
    """The text is no master key; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """Key material by version. The highest version is used for what is new."""

    versions: Mapping[int, bytes] = field(repr=False)

    @property
    def newest(self) -> int:
        """The version that new digests and seals carry."""
        return max(self.versions)

    def derive(self, purpose: str, version: int, instance_id: str) -> bytes:
        """A 32-byte key for one purpose; `KeyError` for a version that is not kept."""
        hkdf = HKDF(SHA256(), KEY_BYTES, instance_id.encode(), b"doorcode/" + purpose.encode())
        return hkdf.derive(self.versions[version])


def generate() -> str:
    """A new master key as text."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse(text: str) -> MasterKey:
    """Read a master key, or raise `BadMasterKey`. The key itself is never repeated."""
    versions: dict[int, bytes] = {}
    for number, part in enumerate(text.strip().split(","), start=1):
        name, colon, key = part.strip().rpartition(":")
        version = _version(name) if colon else 1
        if version in versions:
            raise BadMasterKey(f"version {version} stands in it twice; number the keys 1:…,2:…")
        versions[version] = _key(key, number)
    return MasterKey(versions)


def _version(name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", name, re.ASCII) or not 1 <= int(name) <= 65_535:
        raise BadMasterKey("a version is a number from 1, as in 1:<old key>,2:<new key>")
    return int(name)


def _key(text: str, number: int) -> bytes:
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadMasterKey(f"key number {number} is not {KEY_BYTES} bytes in base64")
    return key
