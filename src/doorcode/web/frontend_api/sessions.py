"""`/v1/client/sessions` and `/v1/me`."""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.session import Session, Status
from doorcode.flows import session as story
from doorcode.flows.client import Answer
from doorcode.web.door import Door
from doorcode.web.frontend_api.answers import plain, wire, wrapped
from doorcode.web.http import Request, Response
from doorcode.web.wire import user_document


async def show(door: Door, request: Request, session_id: str) -> Response:
    """One session of this client."""
    return _reply(door, request, await story.get(door.deps, await door.caller(request), session_id))


async def touch(door: Door, request: Request, session_id: str) -> Response:
    """Make a session the current one."""
    return _reply(
        door, request, await story.touch(door.deps, await door.caller(request), session_id)
    )


async def create_token(door: Door, request: Request, session_id: str) -> Response:
    """A session token for the next minute."""
    deps = door.deps
    client, session = await story.refresh(deps, await door.caller(request), session_id)
    origin, now = door.boundary.page_of(request), deps.now()
    if request.query.get("debug") == "skip_cache":
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


async def show_me(door: Door, request: Request) -> Response:
    """The account behind the session that is meant."""
    caller, named = await door.caller(request), request.query.get("_clerk_session_id")
    view, _, user = await story.of_request(door.deps, caller, named)
    return wrapped(door, request, view, lambda _: user_document(user, door.deps.instance))


async def show_active(door: Door, request: Request) -> Response:
    """The sessions that sign the same person in on this client."""
    caller, named = await door.caller(request), request.query.get("_clerk_session_id")
    view, _, user = await story.of_request(door.deps, caller, named)
    writer = wire(door, request)
    own = [one for one in view.sessions if one[1].id == user.id]
    return plain(
        [{**writer.session(one, None, view), "latest_activity": _activity(one)} for one, _ in own]
    )


async def _end(door: Door, request: Request, session_id: str, status: Status) -> Response:
    caller = await door.caller(request)
    return _reply(door, request, await story.end(door.deps, caller, session_id, status))


def _reply(door: Door, request: Request, answer: Answer[Session]) -> Response:
    session, user, view = answer.subject, answer.user, answer.client
    if session is None or view is None:
        raise Refused(errors.SESSION_ENDED)
    return wrapped(door, request, view, lambda wire: wire.session(session, user, view))


def _activity(session: Session) -> dict[str, object]:
    return {"object": "session_activity", "id": f"sess_activity_{session.id}", "is_mobile": False}
