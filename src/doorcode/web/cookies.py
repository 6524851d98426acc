"""The cookies that the real SDKs read (RFC 6265bis).

    __client               who this browser is; HttpOnly, this host only
    __client_uat           when it last signed in, in seconds; 0 for signed out
    __client_uat_<suffix>  the same again, by the publishable key

Over http no cookie carries Secure or Domain.
"""

from __future__ import annotations

from doorcode.domain.limits import CLIENT_LIVES_FOR, SECOND
from doorcode.flows.client import ClientView
from doorcode.web.boundary import Boundary

CLIENT = "__client"
_YEAR_SECONDS = CLIENT_LIVES_FOR // SECOND


def client(boundary: Boundary, token: str | None) -> str:
    """The cookie that is a browser's identity; None takes it back."""
    return _cookie(boundary, CLIENT, token, shared=False, http_only=True)


def updated_at(boundary: Boundary, view: ClientView | None) -> list[str]:
    """When the client last signed in or out, under both names."""
    value = str(seconds_of(view))
    names = ("__client_uat", f"__client_uat_{boundary.cookie_suffix}")
    return [_cookie(boundary, name, value, shared=True, http_only=False) for name in names]


def seconds_of(view: ClientView | None) -> int:
    """The time that `__client_uat` tells: 0 where nobody is signed in."""
    return view.client.updated_at // SECOND if view and view.sessions else 0


def session(boundary: Boundary, token: str | None) -> list[str]:
    """The session token on the app's own host, under both names."""
    names = ("__session", f"__session_{boundary.cookie_suffix}")
    return [_cookie(boundary, name, token, shared=False, http_only=False) for name in names]


def dev_browser(boundary: Boundary, token: str) -> list[str]:
    """A development browser's token, under both names."""
    names = ("__clerk_db_jwt", f"__clerk_db_jwt_{boundary.cookie_suffix}")
    return [_cookie(boundary, name, token, shared=False, http_only=False) for name in names]


def handshake(boundary: Boundary, name: str, value: str | None, seconds: int = 10) -> str:
    """What an app's server is told, for a few seconds; None takes it back."""
    return _cookie(boundary, name, value, shared=True, http_only=True, seconds=seconds)


def _cookie(
    boundary: Boundary,
    name: str,
    value: str | None,
    *,
    shared: bool,
    http_only: bool,
    seconds: int = _YEAR_SECONDS,
) -> str:
    parts = [f"{name}={value or ''}", "Path=/", f"Max-Age={seconds if value else 0}"]
    if boundary.is_https:
        if shared and boundary.cookie_domain:
            parts.append(f"Domain={boundary.cookie_domain}")
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    parts.append("SameSite=Lax")
    return "; ".join(parts)
