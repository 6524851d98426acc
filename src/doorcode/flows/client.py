"""What a browser is doing here, as a whole: every answer carries it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from doorcode.domain import errors
from doorcode.domain.client import Client, DevBrowser
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.limits import DEV_BROWSER_LIVES_FOR, HUMAN_FOR
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_up import SignUp
from doorcode.domain.user import User
from doorcode.flows.deps import Caller, Deps
from doorcode.security.random_ids import digest, new_id, new_token
from doorcode.storage.interface import Transaction

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client with its live sessions and open attempts."""

    client: Client
    sessions: tuple[tuple[Session, User], ...]
    sign_up: SignUp | None
    sign_in: SignIn | None
    sign_in_user: User | None

    @property
    def current(self) -> tuple[Session, User] | None:
        """The session that is meant where none is named: the last active, else the newest."""
        last = self.client.last_active_session_id
        newest = self.sessions[-1] if self.sessions else None
        return next((one for one in self.sessions if one[0].id == last), newest)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Subject]):
    """What a story comes to: its subject, the client around it, and perhaps a refusal.

    `client_token` is set where the browser must be given another cookie.
    """

    subject: Subject | None = None
    client: ClientView | None = None
    user: User | None = None
    refusal: Refusal | None = None
    client_token: str | None = None


async def show(deps: Deps, caller: Caller) -> ClientView | None:
    """The client that asks, or None for a browser that was never here."""
    if caller.client_id is None:
        return None
    async with deps.storage.reading() as tx:
        client = await current(tx, caller)
        return await view(tx, client, deps.now()) if client else None


async def create(deps: Deps, caller: Caller) -> Answer[Client]:
    """The client that asks; a new one for a browser that was never here."""
    async with deps.storage.transaction() as tx:
        client, token = await ensure(deps, tx, caller)
        shown = await view(tx, client, deps.now())
    return Answer(client, shown, client_token=token)


async def remember_human(deps: Deps, caller: Caller) -> Answer[Client]:
    """Remember for a while that a person solved a challenge here; of a new browser too."""
    async with deps.storage.transaction() as tx:
        client, token = await ensure(deps, tx, caller)
        client = replace(client, human_until=deps.now() + HUMAN_FOR)
        await tx.remember_human(client.id, deps.now() + HUMAN_FOR)
        shown = await view(tx, client, deps.now())
    return Answer(client, shown, client_token=token)


async def use_up_check(deps: Deps, caller: Caller) -> bool:
    """Use the solved challenge that is remembered of a client; False where it was used already.

    Else one person's click would open the door to a program for as long as it is remembered.
    """
    async with deps.storage.transaction() as tx:
        return await tx.use_human(caller.client_id or "", deps.now())


async def destroy(deps: Deps, caller: Caller) -> ClientView | None:
    """End every session and forget the client; what it was."""
    async with deps.storage.transaction() as tx:
        client = await current(tx, caller)
        if client is None:
            return None
        client = await end_sessions(tx, client, deps.now())
        await tx.delete_client(client.id)
        return await view(tx, client, deps.now())


async def sign_out(deps: Deps, caller: Caller) -> Answer[Client]:
    """End every session; the client stays, with nothing under way and another cookie."""
    async with deps.storage.transaction() as tx:
        client = await current(tx, caller)
        if client is None:
            return Answer()
        client = await end_sessions(tx, client, deps.now())
        token = await rotate(deps, tx, client)
        return Answer(client, await view(tx, client, deps.now()), client_token=token)


async def retire(deps: Deps, caller: Caller) -> None:
    """Let go of what a client has under way."""
    if caller.client_id is None:
        return
    async with deps.storage.transaction() as tx:
        client = await current(tx, caller)
        if client:
            await retire_attempts(tx, client)


async def add_dev_browser(deps: Deps) -> str:
    """A token by which a development instance will know a browser."""
    token = new_token()
    async with deps.storage.transaction() as tx:
        name = digest(deps.instance.id, "dev-browser", token)
        await tx.add_dev_browser(name, DevBrowser(None, deps.now() + DEV_BROWSER_LIVES_FOR))
    return token


async def find(deps: Deps, token: str | None, dev_token: str | None) -> Caller:
    """Who asks, by the cookie or by the development browser's token."""
    async with deps.storage.reading() as tx:
        if dev_token:
            name = digest(deps.instance.id, "dev-browser", dev_token)
            browser = await tx.dev_browser(name)
            if browser is None or browser.expires_at <= deps.now():
                raise Refused(errors.DEV_BROWSER_UNKNOWN)
            human = deps.now() < (browser.human_until or 0)
            return Caller(browser.client_id, dev_browser=name, is_human=human, is_remembered=human)
        if token:
            name = digest(deps.instance.id, "client", token)
            client = await tx.client_by_digest(name)
            if client:
                human = client.is_human(deps.now())
                return Caller(client.id, name, is_human=human, is_remembered=human)
    return Caller()


# ── parts of other stories ────────────────────────────────────────────────────────────
async def view(tx: Transaction, client: Client, now: int) -> ClientView:
    """The client as an answer shows it."""
    sessions = [
        (session, user)
        for session in await live_sessions(tx, client, now)
        if (user := await tx.user(session.user_id))
    ]
    sign_up = await tx.sign_up(client.sign_up_id) if client.sign_up_id else None
    sign_in = await tx.sign_in(client.sign_in_id) if client.sign_in_id else None
    open_sign_in = sign_in if sign_in and sign_in.is_open(now) else None
    user_id = open_sign_in.user_id if open_sign_in else None
    return ClientView(
        client=client,
        sessions=tuple(sessions),
        sign_up=sign_up if sign_up and sign_up.is_open(now) else None,
        sign_in=open_sign_in,
        sign_in_user=await tx.user(user_id) if user_id else None,
    )


async def live_sessions(tx: Transaction, client: Client, now: int) -> list[Session]:
    """The sessions that stand for somebody on a client: those of a banned person do not."""
    return [one for one in await tx.live_sessions(client.id, now) if one.is_live(now)]


async def current(tx: Transaction, caller: Caller) -> Client | None:
    """The client that asks, held until the unit ends.

    The cookie is asked about again, in the unit: between finding the client and this,
    somebody may have signed in and been given another cookie. Whoever planted the old
    one must not be answered with the new session.
    """
    if caller.client_id is None:
        return None
    client = await tx.lock_client(caller.client_id)
    if client and caller.cookie:
        owner = await tx.client_by_digest(caller.cookie)
        return client if owner and owner.id == client.id else None
    return client


async def ensure(deps: Deps, tx: Transaction, caller: Caller) -> tuple[Client, str | None]:
    """The client that asks, or a new one with the token for its cookie."""
    client = await current(tx, caller)
    if client:
        return client, None
    now, token = deps.now(), new_token()
    client = Client(new_id("client", now), now, now)
    await tx.add_client(client, digest(deps.instance.id, "client", token))
    if caller.dev_browser:
        await tx.attach_dev_browser(caller.dev_browser, client.id)
    return client, token


async def rotate(deps: Deps, tx: Transaction, client: Client) -> str:
    """Give a client another cookie: its token. Copies of the old one open nothing from now on."""
    token = new_token()
    await tx.rotate_client(client.id, digest(deps.instance.id, "client", token))
    return token


async def retire_attempts(tx: Transaction, client: Client) -> Client:
    """Let go of what was under way: its codes are worth nothing from now on."""
    for attempt_id in (client.sign_up_id, client.sign_in_id):
        if attempt_id:
            await tx.retire_attempt(attempt_id)
    client = replace(client, sign_up_id=None, sign_in_id=None)
    await tx.save_client(client)
    return client


async def end_sessions(tx: Transaction, client: Client, now: int) -> Client:
    """End every session of a client and let go of its attempts."""
    for session in await tx.live_sessions(client.id, now):
        await tx.end_session(session.id, SessionStatus.ENDED, now)
    client = replace(await retire_attempts(tx, client), updated_at=now, last_active_session_id=None)
    await tx.save_client(client)
    return client
