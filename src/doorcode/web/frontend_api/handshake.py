"""`/v1/client/handshake`: an app's server asks, by way of the browser, who is signed in.

The browser is sent back with the cookies that the app's server is to set on its own
host. They are proof of a session, so they are handed to allowed origins only.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import HANDSHAKE
from doorcode.domain.origins import origin_of
from doorcode.flows import client as clients
from doorcode.flows import handshake as story
from doorcode.flows.client import ClientView
from doorcode.flows.deps import Caller
from doorcode.security import api_keys
from doorcode.web import cookies
from doorcode.web.door import DEV_BROWSER, Door
from doorcode.web.http import Request, Response
from doorcode.web.redirects import allowed_target

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


async def show(door: Door, request: Request) -> Response:
    """Send the browser back to `redirect_url` with what the app's server must know."""
    await door.spend(HANDSHAKE, request)
    url = request.query.get("redirect_url", "")
    if not url:
        raise Refused(errors.PARAM_MISSING.about("redirect_url"))
    target = None if url.startswith("/") else allowed_target(door.boundary, url)
    if target is None:
        raise Refused(errors.REDIRECT_INVALID)
    url = target
    view, dev_browser = await _visitor(door, request)
    directives = cookies.directives(
        door.boundary, url, view, _session_token(door, url, view), dev_browser
    )
    if request.query.get("format") == "nonce":
        name, value = cookies.NONCE, await story.keep(door.deps, directives)
    else:
        name, value = cookies.HANDSHAKE, door.deps.tokens.sign_handshake(directives)
    response = Response(307)
    # Chrome remembers a 307; the next load of the page would be sent here for nothing.
    response.headers["cache-control"] = "no-store"
    if dev_browser is None:
        response.cookies.append(cookies.handshake(door.boundary, name, value))
        response.headers["location"] = url
    else:
        response.headers["location"] = with_query(url, name, value)
    door.set_client(response, view, None)
    return response


async def _visitor(door: Door, request: Request) -> tuple[ClientView | None, str | None]:
    """Who stands before the app, and the token of their development browser.

    There is no token where the SDK works by cookies alone.
    """
    by_cookie = await door.by_cookie(request)
    view = await clients.show(door.deps, by_cookie)
    if not _wants_dev_browser(door, request):
        return view, None
    named = request.query.get(DEV_BROWSER, "")
    caller = await _caller_named(door, named)
    shown = await clients.show(door.deps, caller) if caller else None
    if caller and (_signed_in(shown) or not _signed_in(view)):
        return shown or view, named
    if not api_keys.names_browsers(door.boundary.publishable_key):
        # The app's server insists on a token, but clerk-js is known by its cookie.
        return view, named if caller else await clients.add_dev_browser(door.deps)
    if by_cookie.client_id is None:
        return None, await clients.add_dev_browser(door.deps)
    # They signed in on our own pages, or lost the token. clerk-js must know them as well,
    # or it would sign them out again.
    return view, await story.name_browser(door.deps, by_cookie.client_id)


def _signed_in(view: ClientView | None) -> bool:
    return view is not None and bool(view.sessions)


def _wants_dev_browser(door: Door, request: Request) -> bool:
    if not door.deps.instance.development:
        return False
    missing = request.query.get("__clerk_hs_reason", "").startswith("dev-browser")
    return door.boundary.development_keys or missing or DEV_BROWSER in request.query


async def _caller_named(door: Door, token: str) -> Caller | None:
    """Who a token names; None for one that was not made here: somebody may have made it up.

    It goes into cookies, where other letters would add attributes.
    """
    if not _TOKEN.fullmatch(token):
        return None
    try:
        return await clients.find(door.deps, None, token)
    except Refused:
        return None


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
