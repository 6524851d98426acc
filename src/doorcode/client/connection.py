"""One client's line to one server: requests out, state and the client's cookie in."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Any, Generic

import httpx

from doorcode.client.errors import (
    AnswerError,
    ApiError,
    CallError,
    NotLoadedError,
    StateError,
    UsageError,
)
from doorcode.client.flow import D, Flow
from doorcode.client.live import Tie, tied
from doorcode.client.record import ClientRecord, decode_client
from doorcode.client.resources import Token, decode
from doorcode.client.session import Session
from doorcode.client.state import ClientState
from doorcode.client.user import User
from doorcode.client.wire import Answer, Request, get, post, read, segment

CLIENT_COOKIE = "__client"
HOST_COOKIE = "__Host-__client"
UNAUTHORIZED = 401
# RFC 6265, section 4.1.1: what a cookie's value may be made of.
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]+", re.ASCII)


def check_url(url: str) -> str:
    """Return the server's URL without a trailing slash; raise ``UsageError`` if it is none."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is not a URL: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise UsageError(f"{url!r} is not a server's URL, such as http://localhost:8787")
    return str(parsed).rstrip("/")


class Connection(Generic[D]):
    """Owns the state of one client and the exchange of requests that keeps it true."""

    def __init__(self, driver: D, client_token: str | None) -> None:
        self.driver = driver
        self.state: ClientState[D] = ClientState(time.time)
        if client_token is not None:
            self._restore(client_token)

    @property
    def client_token(self) -> str | None:
        """The value of the ``__client`` cookie, by which the server knows this client."""
        jar = self.driver.http.cookies.jar
        return next((cookie.value for cookie in jar if cookie.name == CLIENT_COOKIE), None)

    def known(self) -> ClientState[D]:
        """Return the state, or raise ``NotLoadedError`` where the server must be asked first."""
        if self._must_load():
            raise NotLoadedError("A saved client token is held: call load() before reading state")
        return self.state

    def exchange(self, request: Request) -> Flow[Answer]:
        """Send a request and take in the answer; raise ``CallError`` if it is a refusal."""
        reply = yield request
        if isinstance(reply, httpx.Response):
            self._drop_older_client_cookies(reply)
        answer = read(reply)
        if answer.client is not None:
            self.state.receive(self._read_client(answer.client))
        if answer.error is not None:
            yield from self._notice_lost_session(answer.error)
            raise answer.error
        return answer

    def load(self) -> Flow[None]:
        """Ask the server who this client is."""
        answer = yield from self.exchange(get("/client"))
        self.state.load(self._read_client(answer.resource))

    def load_once(self) -> Flow[None]:
        """Ask the server who this client is, unless that is known or there is nothing to know."""
        if self._must_load():
            yield from self.load()

    def find_session(self, session_id: str) -> Session[D] | None:
        """Return a session of this client that is in force, as it is known now."""
        return self.state.find_session(session_id)

    def find_user(self, session_id: str) -> User[D] | None:
        """Return the user of such a session."""
        session = self.state.find_session(session_id)
        return None if session is None else session.user

    def activate(self, session_id: str) -> Flow[Session[D]]:
        """Make a session of this client the active one, here and at the server; return it."""
        if self.state.find_session(session_id) is None:
            yield from self.load()
        if self.state.find_session(session_id) is not None:
            path = f"/client/sessions/{segment(session_id)}/touch"
            yield from self.exchange(post(path, {"intent": "select_session"}))
        session = self.state.find_session(session_id)
        if session is None:
            raise StateError("session_not_found", "The session has ended; sign in again.")
        self.state.activate(session_id)
        return session

    def token(self, session_id: str, *, skip_cache: bool) -> Flow[str | None]:
        """Return a token of a session, a kept one where it will do; None if it has ended."""
        known = None if skip_cache else self.state.tokens.get(session_id)
        return known or (yield from self._fetch_token(session_id, skip_cache=skip_cache))

    def _fetch_token(self, session_id: str, *, skip_cache: bool) -> Flow[str | None]:
        query = {"debug": "skip_cache"} if skip_cache else {}
        request = post(f"/client/sessions/{segment(session_id)}/tokens", query=query)
        try:
            answer = yield from self.exchange(request)
        except ApiError:
            # Revoked meanwhile: that is what being signed out looks like from here.
            if self.state.find_session(session_id) is None:
                return None
            raise
        jwt = decode(Token, answer.resource).jwt
        if not jwt:
            raise AnswerError("The server answered with an empty token")
        self.state.tokens.put(session_id, jwt)
        return jwt

    def _read_client(self, told: Any) -> ClientRecord[D]:
        return tied(decode_client(told), Tie(self, ""))

    def _must_load(self) -> bool:
        # Without a cookie the server knows nothing of this client, so there is nothing to ask.
        return not self.state.is_loaded and self.client_token is not None

    def _notice_lost_session(self, error: CallError) -> Flow[None]:
        # A session revoked elsewhere is first seen as a 401 here; ask once what is left.
        if (
            not isinstance(error, ApiError)
            or error.status != UNAUTHORIZED
            or not self.state.sessions
        ):
            return
        answer = read((yield get("/client")))
        # The caller is told of the 401; what this second question met is of no use to them.
        with suppress(AnswerError):
            if answer.error is None:
                self.state.receive(self._read_client(answer.resource))

    def _restore(self, client_token: str) -> None:
        if not _COOKIE_VALUE.fullmatch(client_token):
            raise UsageError("client_token holds a character that no cookie can carry")
        # The server believes this one where it is sent, and it may be an earlier client's.
        jar = self.driver.http.cookies.jar
        for earlier in [each for each in jar if each.name == HOST_COOKIE]:
            jar.clear(earlier.domain, earlier.path, earlier.name)
        # Set as the server itself would, so that the server's next cookie replaces this one.
        cookie = f"{CLIENT_COOKIE}={client_token}; Path=/"
        request = httpx.Request("GET", self.driver.origin)
        reply = httpx.Response(200, headers={"set-cookie": cookie}, request=request)
        self.driver.http.cookies.extract_cookies(reply)

    def _drop_older_client_cookies(self, reply: httpx.Response) -> None:
        # The client's cookie is replaced when a sign-in completes, so that one planted before
        # is worth nothing after. A server may give the new one another Domain or Path than the
        # old; sent together, the old one could win.
        told = [cookie for cookie in reply.cookies.jar if cookie.name == CLIENT_COOKIE]
        if not told:
            return
        kept = {(cookie.domain, cookie.path) for cookie in told}
        jar = self.driver.http.cookies.jar
        for cookie in [each for each in jar if each.name == CLIENT_COOKIE]:
            if (cookie.domain, cookie.path) not in kept:
                jar.clear(cookie.domain, cookie.path, cookie.name)
