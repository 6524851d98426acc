"""Every URL of the Frontend API on one screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import BODY_BYTES
from doorcode.flows import client as client_story
from doorcode.web.door import Door
from doorcode.web.frontend_api import (
    clients,
    handshake,
    me,
    organizations,
    reverifications,
    sessions,
    sign_ins,
    sign_ups,
    tickets,
    waitlist,
)
from doorcode.web.frontend_api.me_addresses import EMAILS, PHONES
from doorcode.web.http import Receive, Request, Response, read_body
from doorcode.web.uploads import UPLOAD_BYTES

Handler = Callable[..., Awaitable[Response]]

# (method, path): `*` stands for one id.
ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/v1/environment"): clients.show_environment,
    ("PATCH", "/v1/environment"): clients.show_environment,
    ("GET", "/v1/client"): clients.show,
    ("PUT", "/v1/client"): clients.create,
    ("POST", "/v1/client"): clients.create,
    ("DELETE", "/v1/client"): clients.destroy,
    ("POST", "/v1/client/verify"): clients.verify,
    ("GET", "/v1/client/handshake"): handshake.show,
    ("POST", "/v1/dev_browser"): clients.create_dev_browser,
    ("POST", "/v1/client/sign_ups"): sign_ups.create,
    ("GET", "/v1/client/sign_ups/*"): sign_ups.show,
    ("PATCH", "/v1/client/sign_ups/*"): sign_ups.update,
    ("POST", "/v1/client/sign_ups/*/prepare_verification"): sign_ups.prepare,
    ("POST", "/v1/client/sign_ups/*/attempt_verification"): sign_ups.attempt,
    ("POST", "/v1/client/sign_ins"): sign_ins.create,
    ("GET", "/v1/client/sign_ins/*"): sign_ins.show,
    ("POST", "/v1/client/sign_ins/*/prepare_first_factor"): sign_ins.prepare,
    ("POST", "/v1/client/sign_ins/*/attempt_first_factor"): sign_ins.attempt,
    ("POST", "/v1/client/sign_ins/*/prepare_second_factor"): sign_ins.prepare_second,
    ("POST", "/v1/client/sign_ins/*/attempt_second_factor"): sign_ins.attempt_second,
    ("DELETE", "/v1/client/sessions"): clients.sign_out,
    ("GET", "/v1/client/sessions/*"): sessions.show,
    ("POST", "/v1/client/sessions/*/touch"): sessions.touch,
    ("POST", "/v1/client/sessions/*/tokens"): sessions.create_token,
    ("POST", "/v1/client/sessions/*/end"): sessions.end,
    ("POST", "/v1/client/sessions/*/remove"): sessions.remove,
    ("POST", "/v1/client/sessions/*/verify"): reverifications.start,
    ("POST", "/v1/client/sessions/*/verify/prepare_first_factor"): reverifications.prepare_first,
    ("POST", "/v1/client/sessions/*/verify/attempt_first_factor"): reverifications.attempt_first,
    ("POST", "/v1/client/sessions/*/verify/prepare_second_factor"): reverifications.prepare_second,
    ("POST", "/v1/client/sessions/*/verify/attempt_second_factor"): reverifications.attempt_second,
    ("GET", "/v1/tickets/accept"): tickets.accept,
    ("POST", "/v1/waitlist"): waitlist.join,
    ("GET", "/v1/me"): me.show,
    ("PATCH", "/v1/me"): me.update,
    ("PATCH", "/v1/me/metadata"): me.update_metadata,
    ("DELETE", "/v1/me"): me.delete,
    ("POST", "/v1/me/profile_image"): me.set_image,
    ("DELETE", "/v1/me/profile_image"): me.remove_image,
    ("GET", "/v1/me/sessions"): me.show_sessions,
    ("GET", "/v1/me/sessions/active"): me.show_sessions,
    ("POST", "/v1/me/sessions/*/revoke"): me.revoke_session,
    ("POST", "/v1/me/backup_codes"): me.create_backup_codes,
    ("GET", "/v1/me/organization_memberships"): organizations.show_none,
    ("GET", "/v1/me/organization_invitations"): organizations.show_none,
    ("GET", "/v1/me/organization_suggestions"): organizations.show_none,
    ("GET", "/v1/me/email_addresses"): EMAILS.show_all,
    ("POST", "/v1/me/email_addresses"): EMAILS.create,
    ("GET", "/v1/me/email_addresses/*"): EMAILS.show,
    ("DELETE", "/v1/me/email_addresses/*"): EMAILS.delete,
    ("POST", "/v1/me/email_addresses/*/prepare_verification"): EMAILS.prepare,
    ("POST", "/v1/me/email_addresses/*/attempt_verification"): EMAILS.attempt,
    ("GET", "/v1/me/phone_numbers"): PHONES.show_all,
    ("POST", "/v1/me/phone_numbers"): PHONES.create,
    ("GET", "/v1/me/phone_numbers/*"): PHONES.show,
    ("PATCH", "/v1/me/phone_numbers/*"): PHONES.update,
    ("DELETE", "/v1/me/phone_numbers/*"): PHONES.delete,
    ("POST", "/v1/me/phone_numbers/*/prepare_verification"): PHONES.prepare,
    ("POST", "/v1/me/phone_numbers/*/attempt_verification"): PHONES.attempt,
}

_PATHS = frozenset(path for _, path in ROUTES)
_CREATES = frozenset({("POST", "/v1/client/sign_ups"), ("POST", "/v1/client/sign_ins")})
_UPLOADS = frozenset({("POST", "/v1/me/profile_image")})
_LITERAL = frozenset(path for path in _PATHS if "*" not in path)
_COLLECTIONS = frozenset(path.partition("/*")[0] for path in _PATHS if "/*" in path)


def owns(path: str) -> bool:
    """Whether a path is the Frontend API's to answer."""
    return path.startswith(("/v1/client/", "/v1/me/")) or path.rstrip("/") in (
        "/v1/client",
        "/v1/me",
        "/v1/environment",
        "/v1/dev_browser",
        "/v1/tickets/accept",
        "/v1/waitlist",
    )


async def answer(door: Door, request: Request, receive: Receive) -> Response:
    """Answer a request, or refuse it."""
    pattern, ids = _match(request.path)
    method = "GET" if request.method == "HEAD" else request.method
    handler = ROUTES.get((method, pattern))
    if handler is None:
        raise Refused(errors.METHOD_INVALID if pattern in _PATHS else errors.NOT_FOUND)
    arguments: list[Any] = [door, request, *ids]
    try:
        if not request.is_safe:
            await read_body(request, receive, await _most_bytes(door, request, pattern))
        return await handler(*arguments)
    except Refused:
        if (request.method, pattern) in _CREATES:
            # A create that fails ends the earlier attempt too, whatever it failed by: SDKs
            # go on to ask for a code, and it would be sent to the address typed before.
            await client_story.retire(door.deps, await door.caller(request))
        raise


async def _most_bytes(door: Door, request: Request, pattern: str) -> int:
    """How much may be sent. No megabytes are read from anybody who is not signed in."""
    if (request.method, pattern) not in _UPLOADS:
        return BODY_BYTES
    view = await client_story.show(door.deps, await door.caller(request))
    return UPLOAD_BYTES if view and view.sessions else BODY_BYTES


def _match(path: str) -> tuple[str, list[str]]:
    """The route's pattern, and the ids that stand in it."""
    parts = path.rstrip("/").split("/")
    whole = "/".join(parts)
    if len(parts) > 4 and whole not in _LITERAL and "/".join(parts[:4]) in _COLLECTIONS:
        return "/".join([*parts[:4], "*", *parts[5:]]), [parts[4]]
    return whole, []
