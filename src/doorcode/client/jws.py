"""A signed token taken apart, strictly; nothing here says that it may be trusted."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from doorcode.client.errors import MalformedTokenError

# A session token has some 800 characters, and browsers keep no cookie beyond 4096 bytes.
MAX_LENGTH = 16_384
MAX_HEADER_LENGTH = 2_048
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parts:
    """The header, the claims still unread, the signature, and the text that was signed."""

    header: dict[str, Any]
    payload: str
    signature: bytes
    signed: bytes

    def read_claims(self) -> dict[str, Any]:
        """Return the claims; to be called once the signature is known to be good."""
        return read_object(self.payload)


def split(token: str) -> Parts:
    """Return the parts of a compact token, or raise ``MalformedTokenError``."""
    if not isinstance(token, str) or len(token) > MAX_LENGTH or not token.isascii():
        raise MalformedTokenError(f"A token is ASCII text of at most {MAX_LENGTH} characters")
    pieces = token.split(".")
    if len(pieces) != 3:
        raise MalformedTokenError(f"A token has three parts, this text has {len(pieces)}")
    header, payload, signature = pieces
    if len(header) > MAX_HEADER_LENGTH:
        raise MalformedTokenError("The token's header is too long")
    signed = f"{header}.{payload}".encode("ascii")
    return Parts(read_object(header), payload, decode_base64url(signature), signed)


def decode_base64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url in its one canonical spelling."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise MalformedTokenError("A part of the token is not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # The last character may have bits to spare; were they ignored, one signature would have
    # many spellings, and a list of revoked tokens could be walked around.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != text:
        raise MalformedTokenError("A part of the token is not canonical base64url")
    return raw


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a part of the token."""
    try:
        told = json.loads(
            decode_base64url(text).decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):
        raise MalformedTokenError("A part of the token is not JSON") from None
    if not isinstance(told, dict):
        raise MalformedTokenError("A part of the token is not a JSON object")
    return told


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers disagree on which of two equal names counts; a token that is read in two ways
    # can be checked in one and used in the other.
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a name occurs twice")
    return told


def _refuse_constant(text: str) -> NoReturn:
    # NaN compares as neither early nor late, so a token with it would never expire.
    raise ValueError(f"{text} is not JSON")
