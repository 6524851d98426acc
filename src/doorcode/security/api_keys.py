"""Publishable and secret keys, in the form that the SDKs expect."""

from __future__ import annotations

import base64
import hashlib
import secrets


def publishable_key(host: str, *, live: bool = True) -> str:
    """`pk_live_` and base64 of `host$`, without padding. It is public: it names a host."""
    encoded = base64.b64encode(f"{host}$".encode()).decode().rstrip("=")
    return f"pk_{'live' if live else 'test'}_{encoded}"


def host_of(publishable: str) -> str:
    """The host that a publishable key names, or `ValueError`."""
    kind, _, encoded = publishable.removeprefix("pk_").partition("_")
    if not publishable.startswith("pk_") or kind not in ("live", "test") or "_" in encoded:
        raise ValueError("a publishable key reads pk_live_… or pk_test_…")
    host = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    if not host.endswith("$") or "." not in host:
        raise ValueError("the key must name a host with a dot")
    return host[:-1]


def is_development(publishable: str) -> bool:
    """Whether SDKs treat this key as that of a development instance."""
    return publishable.startswith("pk_test_")


def cookie_suffix(publishable: str) -> str:
    """What the SDKs append to cookie names: apps on one host keep theirs apart by it."""
    digest = hashlib.sha1(publishable.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]


def secret_key() -> str:
    """A new secret key: 256 random bits. It must not hold a third underscore."""
    return "sk_live_" + secrets.token_hex(32)


def hint(secret: str) -> str:
    """What may be shown of a secret key: enough to tell it from others."""
    return f"{secret[:12]}…{secret[-4:]}"
