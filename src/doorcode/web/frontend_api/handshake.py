"""`/v1/client/handshake`: an app's server asks, by way of the browser, who is signed in.

The browser is sent back with the cookies that the app's server is to set on its own
host. They are proof of a session, so they are handed to allowed origins only.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.origins import origin_of
from doorcode.flows import client as clients
from doorcode.flows import handshake as story
from doorcode.flows.client import ClientView
from doorcode.web import cookies
from doorcode.web.door import DEV_BROWSER, Door
from doorcode.web.http import Request, Response
from doorcode.web.redirects import allowed_target

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
TOKEN, NONCE = "__clerk_handshake", "__clerk_handshake_nonce"


async def show(door: Door, request: Request) -> Response:
    """Send the browser back to `redirect_url` with what the app's server must know."""
    url = request.query.get("redirect_url", "")
    if not url:
        raise Refused(errors.PARAM_MISSING.about("redirect_url"))
    target = None if url.startswith("/") else allowed_target(door.boundary, url)
    if target is None:
        raise Refused(errors.REDIRECT_INVALID)
    url = target
    dev_token = await _dev_token(door, request)
    view = await _client(door, request, dev_token)
    directives = _directives(door, url, view, dev_token)
    by_nonce = request.query.get("format") == "nonce"
    name = NONCE if by_nonce else TOKEN
    if by_nonce:
        value = await story.keep(door.deps, directives)
    else:
        value = door.deps.tokens.sign_handshake(directives)
    response = Response(307)
    # Chrome remembers a 307; the next load of the page would be sent here for nothing.
    response.headers["cache-control"] = "no-store"
    if dev_token is None:
        response.cookies.append(cookies.handshake(door.boundary, name, value))
        response.headers["location"] = url
    else:
        response.headers["location"] = with_query(url, name, value)
    door.set_client(response, view, None)
    return response


async def _dev_token(door: Door, request: Request) -> str | None:
    """The development browser's token; None where the SDK works by cookies."""
    named = request.query.get(DEV_BROWSER)
    if named and not _TOKEN.fullmatch(named):
        named = None  # it goes into cookies: other letters would add attributes to them
    missing = request.query.get("__clerk_hs_reason", "").startswith("dev-browser")
    if not door.deps.instance.development:
        return None
    if named and await _is_known(door, named):
        return named
    if door.boundary.development_keys or missing or named:
        return await clients.add_dev_browser(door.deps)
    return None


async def _is_known(door: Door, dev_token: str) -> bool:
    """Whether the token was made here: one from a link may be somebody else's invention."""
    try:
        await clients.find(door.deps, None, dev_token)
    except Refused:
        return False
    return True


async def _client(door: Door, request: Request, dev_token: str | None) -> ClientView | None:
    if dev_token is None:
        return await clients.show(door.deps, await door.by_cookie(request))
    caller = await clients.find(door.deps, None, dev_token)
    if caller.client_id is None:  # a browser whose cookies do reach us
        caller = await door.by_cookie(request)
    return await clients.show(door.deps, caller)


def _directives(door: Door, url: str, view: ClientView | None, dev_token: str | None) -> list[str]:
    """Complete Set-Cookie values for the app's host."""
    boundary = door.boundary
    directives = [
        *cookies.session(boundary, _session_token(door, url, view)),
        *cookies.updated_at(boundary, view),
    ]
    if dev_token:
        directives += cookies.dev_browser(boundary, dev_token)
    directives += [cookies.handshake(boundary, name, None) for name in (TOKEN, NONCE)]
    return directives


def _session_token(door: Door, url: str, view: ClientView | None) -> str | None:
    if view is None or view.current is None:
        return None
    session, not_before = view.current[0], view.client.updated_at
    return door.deps.tokens.mint(session, origin_of(url), door.deps.now(), not_before=not_before)


def with_query(url: str, name: str, value: str) -> str:
    """The URL with one parameter set, the others kept."""
    parts = urlsplit(url)
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name]
    return urlunsplit(parts._replace(query=urlencode([*pairs, (name, value)])))
