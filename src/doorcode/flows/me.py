"""A person's own account: what they are called, their picture, their sessions, its end.

Every unit begins by `enter`, which holds the client and then the account until the unit
ends: of two requests at once the second sees what the first has done, so that no rule
("the last address must stay") can be raced past.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from doorcode.domain import errors
from doorcode.domain.account import merged, with_primary
from doorcode.domain.addresses import Kind
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.limits import METADATA_BYTES
from doorcode.domain.session import Session, Status
from doorcode.domain.sign_up import Profile, expect_username, username_value
from doorcode.domain.user import User
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller, Deps
from doorcode.flows.reverification import expect_recent
from doorcode.security import images
from doorcode.security.images import NotAnImage, Reason
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Conflict, Transaction

# A picture may take 300 MB while it is decoded, so there is one at a time.
_STUDIO = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
NAMES = ("first_name", "last_name", "username")


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks: a client, the session of it that is meant, and its person."""

    client: Client
    session: Session
    user: User


@dataclass(frozen=True, slots=True)
class Changes:
    """What a person wants their profile to say.

    `given` is by the names of `Profile`, None where it is to be empty; `metadata_patch`
    is laid over the metadata there is.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    primary: Mapping[Kind, str] = field(default_factory=dict)
    metadata_patch: Mapping[str, Any] | None = None


async def enter(
    deps: Deps, tx: Transaction, caller: Caller, session_id: str | None, *, pending: bool = False
) -> Me:
    """Who asks, held until the unit ends: the named session, or the last active one.

    A session that waits for a second factor to be set up is let in where `pending` says
    so, and only while there is none: one that was set up elsewhere meanwhile must be
    asked for, not added to.
    """
    client = await clients.current(tx, caller)
    live = await tx.live_sessions(client.id, deps.now()) if client else []
    if client is None or not live:
        raise Refused(errors.SIGNED_OUT)
    wanted = session_id or client.last_active_session_id
    session = next((one for one in live if one.id == wanted), None)
    if session is None and session_id:
        raise Refused(errors.SESSION_ENDED)
    session = session or live[-1]
    user = await tx.lock_user(session.user_id)
    if user is None:
        raise Refused(errors.SIGNED_OUT)
    if user.banned:
        raise Refused(errors.USER_BANNED)
    if session.status is Status.PENDING and not (
        pending and user.needs_second_factor(deps.instance)
    ):
        raise Refused(errors.SESSION_ACTION_INVALID)
    return Me(client, session, user)


async def shown(deps: Deps, tx: Transaction, me: Me, client: Client | None = None) -> Answer[User]:
    """The account as it is now, with the client around it."""
    view = await clients.view(tx, client or me.client, deps.now())
    user = await tx.user(me.user.id)
    return Answer(user, view, user)


# ── the profile ───────────────────────────────────────────────────────────────────────
async def change(
    deps: Deps, caller: Caller, session_id: str | None, changes: Changes
) -> Answer[User]:
    """Change what a person says of themselves, and which addresses are their first choice."""
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        user = me.user
        for kind, address_id in changes.primary.items():
            user = with_primary(user, kind, address_id)
        profile = _profile(user.profile, changes, deps.instance)
        await _expect_username_free(tx, user, profile)
        primaries = (user.primary_phone_id, user.primary_email_id)
        if primaries != (me.user.primary_phone_id, me.user.primary_email_id) or (
            profile.username != me.user.profile.username
        ):
            expect_recent(deps, me.session, me.user)
        try:
            await tx.save_user(replace(user, profile=profile, updated_at=deps.now()))
        except Conflict:  # taken between the look and the write, on another machine
            raise Refused(errors.IDENTIFIER_TAKEN.about("username")) from None
        return await shown(deps, tx, me)


def _profile(before: Profile, changes: Changes, instance: Instance) -> Profile:
    given = dict(changes.given)
    if changes.metadata_patch is not None:
        laid = given.get("unsafe_metadata", before.unsafe_metadata)
        given["unsafe_metadata"] = merged(laid, dict(changes.metadata_patch))
    after = replace(before, **given)
    for name in NAMES:
        if after.value_of(name) != before.value_of(name):
            _expect_changeable(name, after, instance)
    if len(msgspec.json.encode(after.unsafe_metadata)) > METADATA_BYTES:
        raise Refused(errors.PARAM_TOO_LONG.about("unsafe_metadata"))
    return after


def _expect_changeable(name: str, after: Profile, instance: Instance) -> None:
    rules = {
        "first_name": instance.first_name,
        "last_name": instance.last_name,
        "username": instance.username,
    }[name]
    if name == "username" and not instance.username.enabled:
        raise Refused(errors.PARAM_UNKNOWN.about(name))
    if rules.immutable:
        raise Refused(errors.ATTRIBUTE_IMMUTABLE.about(name))
    if after.value_of(name) is None and rules.required:
        raise Refused(errors.PARAM_MISSING.about(name))
    if name == "username" and after.username is not None:
        expect_username(after.username, instance.username)


async def _expect_username_free(tx: Transaction, user: User, profile: Profile) -> None:
    if profile.username is None or profile.username == user.profile.username:
        return
    owner = await tx.user_by_username(username_value(profile.username))
    if owner and owner.id != user.id:
        raise Refused(errors.IDENTIFIER_TAKEN.about("username"))


# ── the end of an account ─────────────────────────────────────────────────────────────
async def delete(deps: Deps, caller: Caller, session_id: str | None) -> Answer[str]:
    """Delete the account with all that is its own, its sessions on every client included."""
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        if not deps.instance.delete_self:
            raise Refused(errors.DELETE_SELF_DISABLED)
        expect_recent(deps, me.session, me.user)
        for owned in me.user.addresses:
            await tx.retire_attempt(owned.id)
        await tx.delete_user(me.user.id)
        return Answer(me.user.id, await _view_without_session(deps, tx, me.client))


async def _view_without_session(deps: Deps, tx: Transaction, client: Client) -> clients.ClientView:
    """The client after its session has ended; tokens from before are not given again."""
    client = replace(client, updated_at=deps.now(), last_active_session_id=None)
    await tx.save_client(client)
    return await clients.view(tx, client, deps.now())


# ── sessions ──────────────────────────────────────────────────────────────────────────
async def sessions(deps: Deps, caller: Caller, session_id: str | None) -> list[Session]:
    """Where the person is signed in, on all clients, those half-way in included."""
    async with deps.storage.reading() as tx:
        me = await enter(deps, tx, caller, session_id)
        return await tx.sessions_of_user(me.user.id, deps.now())


async def revoke(
    deps: Deps, caller: Caller, session_id: str | None, target_id: str
) -> Answer[Session]:
    """End one of the person's sessions, on whichever client it is."""
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        target = await tx.session(target_id)
        # Somebody else's session and one that never was are told apart by nothing.
        if target is None or target.user_id != me.user.id:
            raise Refused(errors.NOT_FOUND)
        here = target.client_id == me.client.id
        if not here:
            expect_recent(deps, me.session, me.user)
        now = deps.now()
        if not target.is_live(now) or not await tx.end_session(target.id, Status.REVOKED, now):
            raise Refused(errors.SESSION_ACTION_INVALID)
        ended = replace(target, status=Status.REVOKED, updated_at=now)
        if here:
            view = await _view_without_session(deps, tx, me.client)
        else:
            view = await clients.view(tx, me.client, now)
        return Answer(ended, view, me.user)


# ── the picture ───────────────────────────────────────────────────────────────────────
async def set_image(
    deps: Deps, caller: Caller, session_id: str | None, data: bytes
) -> Answer[User]:
    """Give the person the picture in `data`, written anew by us.

    It is computed between two units, one picture at a time, and not for strangers.
    """
    async with deps.storage.reading() as tx:
        await enter(deps, tx, caller, session_id)
    content = await _rewrite(data)
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        now = deps.now()
        image = (new_id("img", now), images.CONTENT_TYPE, content)
        await tx.set_image(me.user.id, image, now)
        return await shown(deps, tx, me)


async def _rewrite(data: bytes) -> bytes:
    try:
        return await asyncio.get_running_loop().run_in_executor(_STUDIO, images.rewrite, data)
    except NotAnImage as error:
        too_large = error.reason is Reason.TOO_LARGE
        refusal = errors.IMAGE_TOO_LARGE if too_large else errors.IMAGE_INVALID
        raise Refused(replace(refusal, long_message=str(error.reason))) from None


async def remove_image(deps: Deps, caller: Caller, session_id: str | None) -> Answer[str]:
    """Take the person's picture away; its id."""
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        if me.user.image_id is None:
            raise Refused(errors.IMAGE_NOT_FOUND)
        await tx.set_image(me.user.id, None, deps.now())
        answer = await shown(deps, tx, me)
        return Answer(me.user.image_id, answer.client)


async def find_image(deps: Deps, image_id: str) -> tuple[str, bytes] | None:
    """The content type and the bytes of anybody's picture: its id is all that is asked for."""
    async with deps.storage.reading() as tx:
        return await tx.image(image_id)
