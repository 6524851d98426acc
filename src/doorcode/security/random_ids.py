"""Ids that sort by time and cannot be guessed, and tokens that nothing can guess."""

from __future__ import annotations

import hashlib
import os
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, as in a ULID
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


def new_id(prefix: str, now: int) -> str:
    """`prefix_` and a ULID: 48 bits of milliseconds, 80 random bits.

    Time first keeps new rows together in an index.
    """
    number = (now << 80) | int.from_bytes(os.urandom(10), "big")
    digits = [_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(digits)}"


def new_token() -> str:
    """256 random bits, for a cookie."""
    return secrets.token_urlsafe(32)


def digest(instance_id: str, purpose: str, token: str) -> bytes:
    """What is kept of a token of 256 random bits.

    No key is needed: nobody searches 2^256 tokens. The instance and the purpose are
    covered, so a token of one sort is never taken for another.
    """
    return hashlib.sha256(f"doorcode/{instance_id}/{purpose}/{token}".encode()).digest()
