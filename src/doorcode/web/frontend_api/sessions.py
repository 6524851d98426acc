"""`/v1/client/sessions`."""

from __future__ import annotations

from doorcode.domain import errors, limits
from doorcode.domain.errors import Refused
from doorcode.domain.session import Session, Status
from doorcode.flows import session as story
from doorcode.flows.client import Answer
from doorcode.web.door import Door
from doorcode.web.frontend_api.answers import plain, wrapped
from doorcode.web.http import Request, Response


async def show(door: Door, request: Request, session_id: str) -> Response:
    """One session of this client."""
    return _reply(door, request, await story.get(door.deps, await door.caller(request), session_id))


async def touch(door: Door, request: Request, session_id: str) -> Response:
    """Make a session the current one."""
    await door.spend(limits.TOUCH_SESSION, request)
    return _reply(
        door, request, await story.touch(door.deps, await door.caller(request), session_id)
    )


async def create_token(door: Door, request: Request, session_id: str) -> Response:
    """A session token for the next minute."""
    deps, is_fresh = door.deps, request.query.get("debug") == "skip_cache"
    if is_fresh:
        await door.spend(limits.FRESH_TOKEN, request)
    client, session = await story.refresh(deps, await door.caller(request), session_id)
    origin, now = door.boundary.page_of(request), deps.now()
    if is_fresh:
        jwt = deps.tokens.mint_anew(session, origin, now)
    else:
        jwt = deps.tokens.mint(session, origin, now, not_before=client.updated_at)
    return plain({"object": "token", "jwt": jwt})


async def end(door: Door, request: Request, session_id: str) -> Response:
    """Sign out of one session."""
    return await _end(door, request, session_id, Status.ENDED)


async def remove(door: Door, request: Request, session_id: str) -> Response:
    """Take a session off this client."""
    return await _end(door, request, session_id, Status.REMOVED)


async def _end(door: Door, request: Request, session_id: str, status: Status) -> Response:
    caller = await door.caller(request)
    return _reply(door, request, await story.end(door.deps, caller, session_id, status))


def _reply(door: Door, request: Request, answer: Answer[Session]) -> Response:
    session, user, view = answer.subject, answer.user, answer.client
    if session is None or view is None:
        raise Refused(errors.SESSION_ENDED)
    return wrapped(door, request, view, lambda wire: wire.session(session, user, view))
