"""The cookies that the real SDKs read (RFC 6265bis).

    __client               who this browser is; HttpOnly, this host only
    __Host-__client        the same, over https: no other host can set a cookie of this name
    __client_uat           when it last signed in, in seconds; 0 for signed out
    __client_uat_<suffix>  the same again, by the publishable key

Over http no cookie carries Secure or Domain.
"""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain.limits import CLIENT_LIVES_FOR, SECOND
from doorcode.flows.client import ClientView
from doorcode.web.boundary import Boundary

CLIENT, HOST_CLIENT, UPDATED_AT = "__client", "__Host-__client", "__client_uat"
HANDSHAKE, NONCE = "__clerk_handshake", "__clerk_handshake_nonce"
_YEAR_SECONDS = CLIENT_LIVES_FOR // SECOND


def client(boundary: Boundary, token: str | None) -> list[str]:
    """The cookies that are a browser's identity; None takes them back.

    `__client` is the name of the wire. Browsers keep the other over https alone.
    """
    names = (CLIENT, HOST_CLIENT) if boundary.is_https else (CLIENT,)
    return [_cookie(boundary, name, token, shared=False, http_only=True) for name in names]


def updated_at(boundary: Boundary, view: ClientView | None) -> list[str]:
    """When the client last signed in or out, under both names."""
    value = str(seconds_of(view))
    return [
        _cookie(boundary, name, value, shared=True, http_only=False)
        for name in _both(boundary, UPDATED_AT)
    ]


def seconds_of(view: ClientView | None) -> int:
    """The time that `__client_uat` tells: 0 where nobody is signed in."""
    return view.client.updated_at // SECOND if view and view.sessions else 0


def handshake(boundary: Boundary, name: str, value: str) -> str:
    """What an app's server is told, for a few seconds."""
    return _cookie(boundary, name, value, shared=True, http_only=True, seconds=10)


def directives(
    boundary: Boundary,
    url: str,
    view: ClientView | None,
    session: str | None,
    dev_browser: str | None,
) -> list[str]:
    """All that an app's server is to set on its own host, the one of `url`.

    `session` is the session token, None takes it back; `dev_browser` the token of a
    development browser. The handshake's own cookies are taken back: one that is left over
    would be obeyed again.
    """
    if not url.startswith("https://"):
        boundary = replace(boundary, url=url)  # that host could not keep a Secure cookie
    lines = [
        _cookie(boundary, name, session, shared=False, http_only=False)
        for name in _both(boundary, "__session")
    ]
    if _domain(boundary):
        # From before the domain was shared the app's host may have a time of its own. It is
        # older, so it is sent first and believed; each page load would come here again.
        lines += [
            _cookie(boundary, name, None, shared=False, http_only=False)
            for name in _both(boundary, UPDATED_AT)
        ]
    lines += updated_at(boundary, view)
    if dev_browser:
        lines += [
            _cookie(boundary, name, dev_browser, shared=False, http_only=False)
            for name in _both(boundary, "__clerk_db_jwt")
        ]
    lines += [
        _cookie(boundary, name, None, shared=True, http_only=True) for name in (HANDSHAKE, NONCE)
    ]
    return lines


def _both(boundary: Boundary, name: str) -> tuple[str, str]:
    return name, f"{name}_{boundary.cookie_suffix}"


def _domain(boundary: Boundary) -> str:
    return boundary.cookie_domain if boundary.is_https else ""


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
    if shared and _domain(boundary):
        parts.append(f"Domain={_domain(boundary)}")
    if boundary.is_https:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    parts.append("SameSite=Lax")
    return "; ".join(parts)
