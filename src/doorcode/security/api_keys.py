"""Publishable and secret keys, in the form that the SDKs expect."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

# Where clerk-js looks to tell whether it must name its browser by a token.
_DEV_BROWSER_HOSTS = (
    "accounts.dev",
    "accountsstage.dev",
    ".lcl.dev",
    ".stg.dev",
    ".lclstage.dev",
    ".stgstage.dev",
    ".dev.lclclerk.com",
    ".stg.lclclerk.com",
    ".accounts.lclclerk.com",
)
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?P<name>{_LABEL}(\.{_LABEL})+)(:(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII)


def publishable_key(host: str, *, live: bool = True) -> str:
    """`pk_live_` and base64 of `host$`, without padding. It is public: it names a host."""
    encoded = base64.b64encode(f"{host}$".encode()).decode().rstrip("=")
    return f"pk_{'live' if live else 'test'}_{encoded}"


def key_host(text: str) -> str:
    """A host, perhaps with a port, in the form in which a publishable key can name it.

    `ValueError` says what is wrong with it, for a person. The SDKs want a dot in the host
    and no underscore in the key; base64 of letters, digits, dots and hyphens holds none.
    """
    if "/" in text:
        raise ValueError(f"{text!r} is an address; name its host alone, such as auth.example.com")
    match = _HOST.fullmatch(text.lower())
    if "." not in text:
        raise ValueError(f"{text!r} has no dot; the SDKs need a host such as auth.example.com")
    if not match or len(match["name"]) > 253 or int(match["port"] or 0) > 65_535:
        raise ValueError(
            f"{text!r} is not a host such as auth.example.com or auth.example.com:8443"
        )
    return text.lower()


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


def names_browsers(publishable: str) -> bool:
    """Whether clerk-js names its browser by a token in each call, rather than by a cookie.

    It does so with the development keys of certain hosts only; with all other keys the
    token is asked for by an app's server, and means nothing.
    """
    return is_development(publishable) and host_of(publishable).endswith(_DEV_BROWSER_HOSTS)


def cookie_suffix(publishable: str) -> str:
    """What the SDKs append to cookie names: apps on one host keep theirs apart by it."""
    digest = hashlib.sha1(publishable.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]


def secret_key() -> str:
    """A new secret key: 256 random bits. It must not hold a third underscore."""
    return "sk_live_" + secrets.token_hex(32)


def is_one_of(given: bytes, valid: Iterable[bytes]) -> bool:
    """Whether a secret key's digest is among the valid ones.

    Each is compared, in constant time: how long it takes tells neither how much of a digest
    was right nor which key it was.
    """
    matches = [hmac.compare_digest(given, one) for one in valid]
    return any(matches)


def hint(secret: str) -> str:
    """What may be shown of a secret key: enough to tell it from others."""
    return f"{secret[:12]}…{secret[-4:]}"
