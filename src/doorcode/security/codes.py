"""Makes codes, and the digests that are kept of them."""

from __future__ import annotations

import hmac
import secrets

from doorcode.domain.addresses import TEST_CODE, Address
from doorcode.domain.limits import CODE_DIGITS
from doorcode.domain.verification import Verification
from doorcode.security.master_key import MasterKey

BACKUP_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
BACKUP_CHARACTERS = 10


class Codes:
    """The codes of one instance.

    Six digits are guessed in a moment by whoever holds an unkeyed digest of them, so the
    digest is an HMAC whose key is not in the database. It covers the instance, the
    attempt, the verification, the address and its channel: a digest copied to another
    row matches no code there.
    """

    def __init__(self, master: MasterKey, instance_id: str) -> None:
        self._newest = master.newest
        self._keys = {
            version: master.derive("code", version, instance_id) for version in master.versions
        }
        self._backup_keys = [
            master.derive("backup-code", version, instance_id)
            for version in sorted(master.versions, reverse=True)
        ]

    def make(self, address: Address) -> str:
        """A code from the system's random source; 424242 for a test address."""
        if address.is_test:
            return TEST_CODE
        return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"

    def decoy(self) -> tuple[int, bytes]:
        """What is kept where no code was sent: it looks like a digest, and no code has it."""
        return self._newest, secrets.token_bytes(32)

    def digest(self, verification: Verification, code: str) -> tuple[int, bytes]:
        """What is kept of a new code: the key's version, and the digest."""
        return self._newest, self._digest(self._keys[self._newest], verification, code)

    def digests(self, verification: Verification, code: str) -> dict[int, bytes]:
        """What a typed code would be under each version of the key."""
        return {
            version: self._digest(key, verification, code) for version, key in self._keys.items()
        }

    def make_backup(self) -> str:
        """A backup code: 50 random bits, in digits and letters that look like no other."""
        return "".join(secrets.choice(BACKUP_ALPHABET) for _ in range(BACKUP_CHARACTERS))

    def backup_digests(self, user_id: str, code: str) -> list[bytes]:
        """What a backup code would be under each version of the key, the newest first.

        Bound to its owner. The newest is kept; a code that was written down before the key
        was changed is found by the others, for as long as the older key is kept.
        """
        return [
            hmac.digest(key, f"{user_id}/{code}".encode(), "sha256") for key in self._backup_keys
        ]

    def _digest(self, key: bytes, verification: Verification, code: str) -> bytes:
        address = verification.address
        parts = (
            verification.attempt_id,
            verification.id,
            address.kind,
            address.value,
            verification.channel,
            code,
        )
        # The parts' lengths are covered too: no two lists of parts read as one text.
        text = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
        return hmac.digest(key, text, "sha256")
