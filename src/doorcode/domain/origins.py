"""Which web pages may speak to this server, and where it may send a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def origin_of(url: str) -> str | None:
    """`scheme://host[:port]` of an http(s) URL, or None where it has none.

    A browser reads a backslash as a slash and drops tabs and line feeds, so a URL that
    holds any of them could name another host there than here.
    """
    if any(c in url for c in "\\\t\r\n ") or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or not _HOST.fullmatch(host):
        return None  # such as %2f, which some decode and others do not
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or port == 0:
        return None
    name = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != default else "")


@dataclass(frozen=True, slots=True)
class Origins:
    """The allowed origins: a list that must match exactly, and in development loopback."""

    listed: frozenset[str]
    loopback: bool = False

    def allow(self, origin: str | None) -> bool:
        """Whether a page of `origin` may call us, read our answers and be returned to."""
        if not origin or origin_of(origin) != origin:
            return False
        return origin in self.listed or (self.loopback and is_loopback(origin))

    def allow_redirect(self, url: str) -> bool:
        """Whether a browser may be sent to `url`. It will carry proof of a session."""
        return self.allow(origin_of(url))


def is_loopback(origin: str) -> bool:
    """Whether an origin lies on this machine: localhost, *.localhost (RFC 6761), ::1."""
    host = urlsplit(origin).hostname or ""
    return host in _LOOPBACK or host.endswith(".localhost")


def bound_host(origin: str) -> str:
    """The host by which a text message binds its code to an origin; empty where it cannot.

    What is bound is a host, by https and without its port
    (https://wicg.github.io/sms-one-time-codes/#parsing). This machine counts: it is a place
    to try things.
    """
    host = urlsplit(origin).hostname or ""
    is_safe = origin.startswith("https://") or is_loopback(origin)
    return host if is_safe and ":" not in host else ""
