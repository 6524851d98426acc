"""Encrypts what must be readable again: AES-256-GCM under the master key."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorcode.security.master_key import MasterKey

NONCE_BYTES = 12


class CannotOpen(Exception):
    """Sealed by a key that we do not hold, for another purpose, or altered since."""


class Sealer:
    """Seals bytes for one instance: `version (2 bytes) · nonce (12) · ciphertext`.

    `label` says what is sealed and for which row. It is authenticated, so a seal that
    is moved to another row or another column does not open.
    """

    def __init__(self, master: MasterKey, instance_id: str) -> None:
        self._newest = master.newest
        self._keys = {
            version: AESGCM(master.derive("seal", version, instance_id))
            for version in master.versions
        }

    def seal(self, label: str, plain: bytes) -> bytes:
        """Encrypt `plain` under the newest key."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, plain, label.encode())
        return self._newest.to_bytes(2, "big") + nonce + sealed

    def open(self, label: str, sealed: bytes) -> bytes:
        """Decrypt, or raise `CannotOpen`."""
        key = self._keys.get(int.from_bytes(sealed[:2], "big"))
        if key is None:
            raise CannotOpen(label)
        try:
            return key.decrypt(
                sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :], label.encode()
            )
        except (InvalidTag, ValueError):
            raise CannotOpen(label) from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether it is sealed by the key now in use."""
        return int.from_bytes(sealed[:2], "big") == self._newest
