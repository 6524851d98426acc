"""What a sign-up and a sign-in have in common: one attempt at a time, watched over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Literal

from doorcode.client.connection import Connection
from doorcode.client.errors import CallError, StateError, UsageError
from doorcode.client.flow import Callback, D, Flow, Runs, settled, tracked
from doorcode.client.resources import Session, decode
from doorcode.client.results import Errors, F, Result, sort_problems
from doorcode.client.state import A, Slot
from doorcode.client.wire import post, segment


class Attempt(Runs[D], Generic[D, A, F]):
    """Owns the calls on the current attempt, the errors of the last one, and whether one runs."""

    errors: Errors[F]
    """The problems of the last call; empty while one runs and after one that went well."""

    fetch_status: Literal["idle", "fetching"]
    """``fetching`` from the start of a call to its end, else ``idle``."""

    def __init__(self, connection: Connection[D], slot: Slot[A], form: type[F], path: str) -> None:
        super().__init__(connection.driver)
        self._connection = connection
        self._slot = slot
        self._form = form
        self._path = path
        self.errors = Errors(form())
        self.fetch_status = "idle"

    @property
    def attempt(self) -> A:
        """The attempt as the server last told it; one without an ``id`` has not begun."""
        self._connection.known()
        return self._slot.attempt

    @property
    def id(self) -> str | None:
        """The id of the attempt, or None before ``create()``."""
        return self.attempt.id

    @property
    def created_session_id(self) -> str | None:
        """The id of the session that a complete attempt made; ``finalize()`` makes it active."""
        return self.attempt.created_session_id

    @tracked
    def finalize(self, *, navigate: Callable[[Session], object] | None = None) -> Flow[None]:
        """Make the session that this attempt created the active one, then forget the attempt.

        ``navigate`` is called with the session once it is active: the place to go on to a page
        for people who are signed in. On an ``AsyncClient`` it may be a coroutine function. What
        it raises reaches you.

        Errors: ``session_not_created`` while the attempt is not complete, ``session_not_found``
        if the session has ended meanwhile.
        """
        session_id = self._slot.attempt.created_session_id
        if session_id is None:
            raise StateError("session_not_created", "The attempt is not complete yet.")
        session = yield from self._activate(session_id)
        if navigate is not None:
            yield Callback(lambda: navigate(session))
        self._slot.clear()

    def reset(self) -> None:
        """Forget the attempt and its errors, here only; nothing is sent."""
        self._slot.clear()
        self.errors = Errors(self._form())

    def track(self, steps: Flow[None]) -> Flow[Result]:
        """Run a call of this attempt: errors empty at its start, kept at its end."""
        self.errors = Errors(self._form())
        self.fetch_status = "fetching"
        try:
            result = yield from settled(self._after_loading(steps))
        finally:
            self.fetch_status = "idle"
        if result.error is not None:
            self.errors = sort_problems(result.error.problems, self._form)
        return result

    def _after_loading(self, steps: Flow[None]) -> Flow[None]:
        yield from self._connection.load_once()
        yield from steps

    def _start(self, form: Mapping[str, object]) -> Flow[None]:
        # The server gives up the older attempt whatever becomes of this one, and so must we:
        # a page that ignores this result and asks for a code would text the older number.
        self._slot.clear()
        try:
            yield from self._act(self._path, form)
        except CallError as error:
            self._slot.end(error)
            raise

    def _act(self, path: str, form: Mapping[str, object], method: str = "POST") -> Flow[None]:
        answer = yield from self._connection.exchange(post(path, form, method=method))
        self._slot.receive(decode(type(self._slot.attempt), answer.resource))

    def _attempt_path(self, action: str = "") -> str:
        """Return the path of the current attempt; without one, raise why there is none."""
        if self._slot.attempt.id is not None:
            return f"{self._path}/{segment(self._slot.attempt.id)}{action}"
        if self._slot.ended is not None:
            raise self._slot.ended
        raise UsageError("There is no attempt to act on: call create() first")

    def _activate(self, session_id: str) -> Flow[Session]:
        connection, state = self._connection, self._connection.state
        if state.find_session(session_id) is None:
            yield from connection.load()
        if state.find_session(session_id) is not None:
            path = f"/client/sessions/{segment(session_id)}/touch"
            yield from connection.exchange(post(path, {"intent": "select_session"}))
        session = state.find_session(session_id)
        if session is None:
            raise StateError("session_not_found", "The session has ended; sign in again.")
        state.activate(session_id)
        return session


class Part(Runs[D], Generic[D, A, F]):
    """A named group of calls of an attempt, such as ``phone_code``."""

    def __init__(self, attempt: Attempt[D, A, F]) -> None:
        super().__init__(attempt.driver)
        self.track = attempt.track
