"""Starting, using and ending a session."""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain import errors
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.limits import DAY
from doorcode.domain.session import Device, Session, Status
from doorcode.domain.user import User
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller, Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction

REMEMBERED_FOR = 30 * DAY  # how long an ended session can still be asked about


async def start(
    deps: Deps,
    tx: Transaction,
    client: Client,
    user: User,
    *,
    device: Device | None = None,
    second_factor: bool = False,
) -> tuple[Client, Session, str]:
    """Sign a user in on a client: the client, the session and the token of a new cookie.

    The session is pending where the person must set up a second factor first.

    The cookie is replaced. Somebody may have planted the old one in this browser and
    waits for its owner to sign in (session fixation); the old one opens nothing now.
    """
    now = deps.now()
    if deps.instance.single_session:
        for other in await tx.live_sessions(client.id, now):
            await tx.end_session(other.id, Status.REPLACED, now)
    expire_at = now + deps.instance.session_lives_for
    session = Session(
        id=new_id("sess", now),
        client_id=client.id,
        user_id=user.id,
        status=Status.PENDING if user.needs_second_factor(deps.instance) else Status.ACTIVE,
        created_at=now,
        updated_at=now,
        last_active_at=now,
        expire_at=expire_at,
        abandon_at=expire_at + REMEMBERED_FOR,
        first_factor_at=now,
        second_factor_at=now if second_factor else None,
        device=device,
    )
    await tx.add_session(session)
    if session.status is Status.ACTIVE:
        await tx.add_device(client.id, user.id, now)
    await tx.user_signed_in(user.id, now)
    token = await clients.rotate(deps, tx, client)
    client = replace(client, updated_at=now, last_active_session_id=session.id)
    return client, session, token


async def get(deps: Deps, caller: Caller, session_id: str) -> Answer[Session]:
    """One session of the client that asks."""
    async with deps.storage.reading() as tx:
        client, session = await _own(deps, tx, caller, session_id)
        shown = await clients.view(tx, client, deps.now())
        return Answer(session, shown, await tx.user(session.user_id))


async def touch(deps: Deps, caller: Caller, session_id: str) -> Answer[Session]:
    """Make a session the client's current one, and note that it was used.

    One that waited for a second step goes on where the instance asks for none any more.
    That the person has set one up elsewhere does not help it: whoever began this session
    by one factor has not proved that second one.
    """
    now = deps.now()
    async with deps.storage.transaction() as tx:
        client, session = await own_live(deps, tx, caller, session_id)
        user = await tx.user(session.user_id)
        may_go_on = not deps.instance.mfa_required and not (
            user and user.has_second_factor(deps.instance)
        )
        if may_go_on and await tx.activate_session(session.id, now):
            session = replace(session, status=Status.ACTIVE, updated_at=now)
            await tx.add_device(client.id, session.user_id, now)
        await tx.touch_session(session.id, now)
        client = replace(client, last_active_session_id=session.id)
        await tx.save_client(client)
        shown = await clients.view(tx, client, now)
        session = replace(session, last_active_at=now)
        return Answer(session, shown, user)


async def refresh(deps: Deps, caller: Caller, session_id: str) -> tuple[Client, Session]:
    """A live session that a token may be minted for."""
    async with deps.storage.reading() as tx:
        return await own_live(deps, tx, caller, session_id)


async def end(deps: Deps, caller: Caller, session_id: str, status: Status) -> Answer[Session]:
    """End one session of the client that asks."""
    async with deps.storage.transaction() as tx:
        client, session = await _own(deps, tx, caller, session_id)
        now = deps.now()
        if not await tx.end_session(session.id, status, now):
            raise Refused(errors.SESSION_ENDED)
        client = replace(client, updated_at=now, last_active_session_id=None)
        await tx.save_client(client)
        shown = await clients.view(tx, client, now)
        ended = replace(session, status=status, updated_at=now)
        return Answer(ended, shown, await tx.user(session.user_id))


async def of_request(
    deps: Deps, caller: Caller, session_id: str | None
) -> tuple[clients.ClientView, Session, User]:
    """The session that a request outside `/client` means: the named one, or the last active."""
    shown = await clients.show(deps, caller)
    if shown is None or shown.current is None:
        raise Refused(errors.SIGNED_OUT)
    if session_id is None:
        return shown, *shown.current
    for session, user in shown.sessions:
        if session.id == session_id:
            return shown, session, user
    raise Refused(errors.SESSION_ENDED)


async def _own(
    deps: Deps, tx: Transaction, caller: Caller, session_id: str
) -> tuple[Client, Session]:
    client = await clients.current(tx, caller)
    if client is None:
        raise Refused(errors.SIGNED_OUT)
    session = await tx.session(session_id)
    # Somebody else's session and one that never was are told apart by nothing.
    if session is None or session.client_id != client.id:
        raise Refused(errors.NOT_FOUND)
    return client, session


async def own_live(
    deps: Deps, tx: Transaction, caller: Caller, session_id: str
) -> tuple[Client, Session]:
    """A live session of the client that asks, held with it until the unit ends."""
    client, session = await _own(deps, tx, caller, session_id)
    if not session.is_live(deps.now()):
        raise Refused(errors.USER_BANNED if session.is_banned else errors.SESSION_ENDED)
    return client, session
