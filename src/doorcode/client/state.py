"""What this client knows: its sessions, the active one, and the attempts under way.

Pure: answers go in, nothing is sent. The server's word replaces what was known, with two
exceptions that callers rely on: a finished attempt stays until it is finalized or reset, and a new
session becomes the active one only when the program says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from doorcode.client.errors import CallError, StateError
from doorcode.client.flow import D
from doorcode.client.record import ClientRecord
from doorcode.client.resources import SignInAttempt, SignUpAttempt
from doorcode.client.session import IN_FORCE, Session
from doorcode.client.token_cache import TokenCache

A = TypeVar("A", bound=SignUpAttempt | SignInAttempt)


class Slot(Generic[A]):
    """Holds the one attempt of its kind, or the reason why there is none.

    ``ended`` is None when no attempt was ever made: asking for a code then is a mistake of the
    program, while an attempt that was refused or lost is something to tell the person.
    """

    def __init__(self, empty: A) -> None:
        self._empty = empty
        self.attempt = empty
        self.ended: CallError | None = None

    def receive(self, attempt: A | None) -> None:
        """Take the attempt that rides along with an answer."""
        if attempt is not None:
            self.attempt, self.ended = attempt, None
        elif self.attempt.id is not None and self.attempt.status != "complete":
            self.end(StateError("attempt_not_found", "This attempt is over; create a new one."))

    def end(self, reason: CallError) -> None:
        """Give up the attempt for a reason that later calls will repeat."""
        self.attempt, self.ended = self._empty, reason

    def clear(self) -> None:
        """Give up the attempt because the program wants so."""
        self.attempt, self.ended = self._empty, None


class ClientState(Generic[D]):
    """Owns everything that is known of this client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.is_loaded = False
        self.sessions: tuple[Session[D], ...] = ()
        self.sign_up = Slot(SignUpAttempt())
        self.sign_in = Slot(SignInAttempt())
        self.tokens = TokenCache(clock)
        self._active_id: str | None = None

    @property
    def session(self) -> Session[D] | None:
        """The session that is meant where none is named, or None when nobody is signed in."""
        return None if self._active_id is None else self.find_session(self._active_id)

    def find_session(self, session_id: str) -> Session[D] | None:
        """Return a session of this client that is in force."""
        return next((each for each in self.sessions if each.id == session_id), None)

    def load(self, record: ClientRecord[Any]) -> None:
        """Take what the server answers to "who am I", its last active session included."""
        self.receive(record)
        if self._active_id is None:
            self._active_id = record.last_active_session_id

    def receive(self, record: ClientRecord[Any]) -> None:
        """Take the client that rides along with an answer."""
        self.is_loaded = True
        self.sessions = tuple(one for one in record.sessions if one.status in IN_FORCE)
        self.sign_up.receive(record.sign_up)
        self.sign_in.receive(record.sign_in)
        self._keep_tokens()
        if self.session is None:
            self._active_id = None

    def activate(self, session_id: str | None) -> None:
        """Make a session of this client the active one, or none of them."""
        self._active_id = session_id

    def sign_out(self) -> None:
        """Forget everybody, and every attempt."""
        self.receive(ClientRecord())
        self.sign_up.clear()
        self.sign_in.clear()

    def _keep_tokens(self) -> None:
        self.tokens.keep_only({session.id for session in self.sessions})
        for session in self.sessions:
            if session.last_active_token is not None and session.last_active_token.jwt:
                self.tokens.put(session.id, session.last_active_token.jwt)
