"""``Client`` and ``AsyncClient``: one browser's worth of state towards one server."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Self

import httpx

from doorcode.client.connection import Connection, check_url
from doorcode.client.errors import StateError
from doorcode.client.flow import AsyncDriver, D, Flow, Runs, SyncDriver, flow, settled
from doorcode.client.results import Result
from doorcode.client.session import Session
from doorcode.client.sign_in import SignIn
from doorcode.client.sign_up import SignUp
from doorcode.client.user import User
from doorcode.client.waitlist import Waitlist
from doorcode.client.wire import post, segment

DEFAULT_TIMEOUT = 10.0


class AnyClient(Runs[D], Generic[D]):
    """What both clients can do; on ``AsyncClient`` every call is awaited."""

    sign_up: SignUp[D]
    """The current sign-up."""

    sign_in: SignIn[D]
    """The current sign-in."""

    waitlist: Waitlist[D]
    """The list to join where a server does not let everybody in yet."""

    def __init__(self, connection: Connection[D]) -> None:
        super().__init__(connection.driver)
        self._connection = connection
        self.sign_up = SignUp(connection)
        self.sign_in = SignIn(connection)
        self.waitlist = Waitlist(connection)

    @property
    def url(self) -> str:
        """The server's URL, without a trailing slash."""
        return self.driver.origin

    @property
    def is_signed_in(self) -> bool:
        """True while a session is active. Raises ``NotLoadedError`` before ``load()``.

        A session whose status is ``pending`` does not count: its user has a task left.
        """
        return self.session is not None and self.session.status == "active"

    @property
    def session(self) -> Session[D] | None:
        """The active session, or None. Raises ``NotLoadedError`` before ``load()``.

        It may be ``pending``: then ``session.current_task`` says what its user has left to do.
        """
        return self._connection.known().session

    @property
    def sessions(self) -> tuple[Session[D], ...]:
        """Every session of this client that is in force: several where the server allows it."""
        return self._connection.known().sessions

    @property
    def user(self) -> User[D] | None:
        """The user of the active session, or None. Raises ``NotLoadedError`` before ``load()``."""
        session = self.session
        return None if session is None else session.user

    @property
    def client_token(self) -> str | None:
        """What the server knows this client by; None before it has seen it.

        Save it to go on later with ``Client(url, client_token=…)``. Whoever holds it is signed in
        as this client: keep it as you would keep a password. It changes when a sign-in completes.
        """
        return self._connection.client_token

    @flow
    def load(self) -> Flow[Result]:
        """Ask the server who this client is: its session, and an attempt still under way.

        Every call that needs to know does this by itself, once, after a ``client_token`` was
        given; before any, there is nothing to know.
        """
        return (yield from settled(self._connection.load()))

    @flow
    def get_token(self, *, skip_cache: bool = False) -> Flow[str | None]:
        """Return a session token (a JWT, good for about a minute), or None if signed out.

        It is kept and given again until shortly before it expires; ``skip_cache`` asks for a new
        one all the same. Raises ``CallError`` if the server cannot be asked.
        """
        yield from self._connection.load_once()
        state = self._connection.state
        if state.session is None:
            return None
        return (yield from self._connection.token(state.session.id, skip_cache=skip_cache))

    @flow
    def set_active(self, session: Session[Any] | str | None) -> Flow[Result]:
        """Make another session of this client the active one; ``session`` is it, or its id.

        With None no session is active, though all of them go on. Error: ``session_not_found``.
        """
        return (yield from settled(self._activate(session)))

    @flow
    def sign_out(self, *, session_id: str | None = None) -> Flow[Result]:
        """End every session of this client; the client itself stays, ready for the next one.

        With ``session_id`` only that one ends, and if it was the active one, none is active
        until ``set_active()``. Error: ``session_not_found``.
        """
        if session_id is None:
            return (yield from settled(self._end_sessions()))
        return (yield from settled(self._end_session(session_id)))

    def _activate(self, session: Session[Any] | str | None) -> Flow[None]:
        yield from self._connection.load_once()
        if session is None:
            self._connection.state.activate(None)
        else:
            session_id = session if isinstance(session, str) else session.id
            yield from self._connection.activate(session_id)

    def _end_session(self, session_id: str) -> Flow[None]:
        yield from self._connection.load_once()
        if self._connection.find_session(session_id) is None:
            raise StateError("session_not_found", "This client has no such session.")
        path = f"/client/sessions/{segment(session_id)}/remove"
        yield from self._connection.exchange(post(path))

    def _end_sessions(self) -> Flow[None]:
        if self.client_token is not None:
            yield from self._connection.exchange(post("/client/sessions", method="DELETE"))
        self._connection.state.sign_out()


class Client(AnyClient[SyncDriver]):
    """A client that blocks while it waits.

    ``url``: where the Frontend API is, without ``/v1`` (``http://localhost:8787``).
    ``client_token``: a saved ``client.client_token``, to go on where it was saved.
    ``http_client``: an ``httpx.Client`` of yours, for proxies, certificates or tests; its cookie
    jar becomes this client's, and closing it stays your business.
    ``timeout``: seconds to wait for the server, when no ``http_client`` is given.

    One client stands for one browser, that is for one person: a program that acts for many people
    makes many clients. Do not share one between threads.
    """

    def __init__(
        self,
        url: str,
        *,
        client_token: str | None = None,
        http_client: httpx.Client | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        origin = check_url(url)
        self._owns_http = http_client is None
        driver = SyncDriver(http_client or httpx.Client(timeout=timeout), origin)
        super().__init__(Connection(driver, client_token))

    def close(self) -> None:
        """Close the connections to the server; the ``http_client`` you gave stays open."""
        if self._owns_http:
            self.driver.http.close()

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()


class AsyncClient(AnyClient[AsyncDriver]):
    """A client for asyncio: as ``Client``, with every call awaited.

    ``http_client`` is an ``httpx.AsyncClient`` here.
    """

    def __init__(
        self,
        url: str,
        *,
        client_token: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        origin = check_url(url)
        self._owns_http = http_client is None
        driver = AsyncDriver(http_client or httpx.AsyncClient(timeout=timeout), origin)
        super().__init__(Connection(driver, client_token))

    async def aclose(self) -> None:
        """Close the connections to the server; the ``http_client`` you gave stays open."""
        if self._owns_http:
            await self.driver.http.aclose()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.aclose()
