"""`/v1/me`: a person's own profile, picture, sessions and backup codes."""

from __future__ import annotations

from typing import Any

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refused
from doorcode.domain.session import Session
from doorcode.domain.user import User
from doorcode.flows import me as story
from doorcode.flows import me_addresses
from doorcode.flows import session as session_story
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller
from doorcode.web.door import Door
from doorcode.web.frontend_api import forms
from doorcode.web.frontend_api.answers import plain, wrapped
from doorcode.web.http import Request, Response
from doorcode.web.uploads import read_image_upload
from doorcode.web.wire import Json, session_fields
from doorcode.web.wire_users import (
    backup_codes_document,
    deleted_document,
    image_url,
    session_activity,
    user_document,
)


async def who(door: Door, request: Request) -> tuple[Caller, str | None]:
    """Who asks, and which of their sessions they mean; SDKs name it in the URL."""
    return await door.caller(request), request.query.get("_clerk_session_id") or None


# ── the profile ───────────────────────────────────────────────────────────────────────
async def show(door: Door, request: Request) -> Response:
    """The account behind the session that is meant."""
    view, _, user = await session_story.of_request(door.deps, *await who(door, request))
    return wrapped(door, request, view, lambda _: _user(door, user))


async def update(door: Door, request: Request) -> Response:
    """Change the profile; what is not given stays, what is sent blank is emptied.

    `unsafe_metadata` is replaced as a whole: that is what SDKs ask for that send it here.
    """
    caller, named = await who(door, request)
    form, emptied = request.form(), request.emptied()
    sayable = {name: text for name, text in form.items() if name != "locale"}
    given: dict[str, Any] = forms.profile(sayable)
    given |= dict.fromkeys(emptied.intersection(story.NAMES))
    if "unsafe_metadata" in emptied:
        given["unsafe_metadata"] = {}
    primary = {kind: form[name] for kind in Kind if (name := f"primary_{kind}_id") in form}
    changes = story.Changes(given, primary)
    return _shown(door, request, await story.change(door.deps, caller, named, changes))


async def update_metadata(door: Door, request: Request) -> Response:
    """Lay a patch over the person's own metadata; blank takes all of it away."""
    caller, named = await who(door, request)
    form = request.form()
    if "unsafe_metadata" in form:
        changes = story.Changes(metadata_patch=forms.metadata(form["unsafe_metadata"]))
    elif "unsafe_metadata" in request.emptied():
        changes = story.Changes({"unsafe_metadata": {}})
    else:
        raise Refused(errors.PARAM_MISSING.about("unsafe_metadata"))
    return _shown(door, request, await story.change(door.deps, caller, named, changes))


async def delete(door: Door, request: Request) -> Response:
    """Delete the account."""
    return _deleted(door, request, "user", await story.delete(door.deps, *await who(door, request)))


# ── the picture ───────────────────────────────────────────────────────────────────────
async def set_image(door: Door, request: Request) -> Response:
    """Take over an uploaded picture."""
    await door.spend(limits.SET_IMAGE, request)
    caller, named = await who(door, request)
    data = read_image_upload(request.headers.get("content-type", ""), request.body)
    answer = await story.set_image(door.deps, caller, named, data)
    user = answer.subject
    return wrapped(door, request, answer.client, lambda _: _image(door, user))


async def remove_image(door: Door, request: Request) -> Response:
    """Go back to the drawn initial."""
    answer = await story.remove_image(door.deps, *await who(door, request))
    return _deleted(door, request, "image", answer)


# ── sessions ──────────────────────────────────────────────────────────────────────────
async def show_sessions(door: Door, request: Request) -> Response:
    """Where the person is signed in, in the order in which they came.

    Of none of them is there a token: it would sign in whoever holds another one.
    """
    found = await story.sessions(door.deps, *await who(door, request))
    return plain([_session(door, one) for one in found])


async def revoke_session(door: Door, request: Request, session_id: str) -> Response:
    """End one of the person's sessions, here or elsewhere."""
    answer = await story.revoke(door.deps, *await who(door, request), session_id)
    session = answer.subject
    return wrapped(
        door, request, answer.client, lambda _: _session(door, session) if session else None
    )


# ── backup codes ──────────────────────────────────────────────────────────────────────
async def create_backup_codes(door: Door, request: Request) -> Response:
    """Make fresh backup codes and show them, once."""
    answer = await me_addresses.renew_backup_codes(door.deps, *await who(door, request))
    user, now = answer.user, door.deps.now()
    return wrapped(
        door,
        request,
        answer.client,
        lambda _: backup_codes_document(answer.subject or (), user.id, now) if user else None,
    )


# ── documents ─────────────────────────────────────────────────────────────────────────
def _user(door: Door, user: User | None) -> Json | None:
    return user_document(user, door.deps.instance, now=door.deps.now()) if user else None


def _shown(door: Door, request: Request, answer: Answer[User]) -> Response:
    return wrapped(door, request, answer.client, lambda _: _user(door, answer.subject))


def _deleted(door: Door, request: Request, name: str, answer: Answer[str]) -> Response:
    gone = answer.subject or ""
    return wrapped(door, request, answer.client, lambda _: deleted_document(name, gone))


def _image(door: Door, user: User | None) -> Json | None:
    if user is None:
        return None
    url = image_url(user, door.deps.instance)
    return {"object": "image", "id": user.image_id, "name": "profile_image", "public_url": url}


def _session(door: Door, session: Session) -> Json:
    return {
        **session_fields(session, door.deps.now()),
        "last_active_organization_id": None,
        "actor": None,
        "tasks": [{"key": key} for key in session.tasks],
        "user": None,
        "public_user_data": None,
        "factor_verification_age": session.factor_age(door.deps.now()),
        "last_active_token": None,
        "latest_activity": session_activity(session),
    }
