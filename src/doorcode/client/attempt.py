"""What a sign-up and a sign-in have in common: one attempt at a time, watched over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Literal

from doorcode.client.connection import Connection
from doorcode.client.errors import CallError, StateError, UsageError
from doorcode.client.flow import Callback, D, Flow, Runs, settled, tracked
from doorcode.client.resources import decode
from doorcode.client.results import Errors, F, Result, sort_problems
from doorcode.client.session import Session
from doorcode.client.state import A, Slot
from doorcode.client.wire import post, segment


class Course(Generic[D, A]):
    """Owns the way of an attempt: how it starts, goes on, and becomes a session."""

    def __init__(self, connection: Connection[D], slot: Slot[A], path: str) -> None:
        self.connection = connection
        self.slot = slot
        self._path = path

    def start(self, form: Mapping[str, object]) -> Flow[None]:
        """Begin a new attempt."""
        # The server gives up the older attempt whatever becomes of this one, and so must we:
        # a page that ignores this result and asks for a code would text the older number.
        self.slot.clear()
        try:
            yield from self._send(self._path, form)
        except CallError as error:
            self.slot.end(error)
            raise

    def require(self) -> A:
        """Return the current attempt; without one, raise why there is none."""
        if self.slot.attempt.id is not None:
            return self.slot.attempt
        if self.slot.ended is not None:
            raise self.slot.ended
        raise UsageError("There is no attempt to act on: call create() first")

    def act(self, action: str, form: Mapping[str, object], method: str = "POST") -> Flow[None]:
        """Go on with the current attempt."""
        path = f"{self._path}/{segment(self.require().id or '')}{action}"
        yield from self._send(path, form, method)

    def activate(self) -> Flow[Session[D]]:
        """Make the session that the attempt created the active one, and return it."""
        session_id = self.slot.attempt.created_session_id
        if session_id is None:
            raise StateError("session_not_created", "The attempt is not complete yet.")
        return (yield from self.connection.activate(session_id))

    def _send(self, path: str, form: Mapping[str, object], method: str = "POST") -> Flow[None]:
        answer = yield from self.connection.exchange(post(path, form, method=method))
        self.slot.receive(decode(type(self.slot.attempt), answer.resource))


class Watched(Runs[D], Generic[D, F]):
    """Owns the errors of the last call on an object, and whether one is running."""

    errors: Errors[F]
    """The problems of the last call; empty while one runs and after one that went well."""

    fetch_status: Literal["idle", "fetching"]
    """``fetching`` from the start of a call to its end, else ``idle``."""

    def __init__(self, connection: Connection[D], form: type[F]) -> None:
        super().__init__(connection.driver)
        self._connection = connection
        self._form = form
        self.errors = Errors(form())
        self.fetch_status = "idle"

    def track(self, steps: Flow[None]) -> Flow[Result]:
        """Run a call of this object: errors empty at its start, kept at its end."""
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


class Attempt(Watched[D, F], Generic[D, A, F]):
    """One attempt at a time, from its start to the session that it makes."""

    def __init__(self, course: Course[D, A], form: type[F]) -> None:
        super().__init__(course.connection, form)
        self._course = course

    @property
    def attempt(self) -> A:
        """The attempt as the server last told it; one without an ``id`` has not begun."""
        self._course.connection.known()
        return self._course.slot.attempt

    @property
    def id(self) -> str | None:
        """The id of the attempt, or None before it has begun."""
        return self.attempt.id

    @property
    def created_session_id(self) -> str | None:
        """The id of the session that a complete attempt made; ``finalize()`` makes it active."""
        return self.attempt.created_session_id

    @tracked
    def finalize(self, *, navigate: Callable[[Session[D]], object] | None = None) -> Flow[None]:
        """Make the session that this attempt created the active one, then forget the attempt.

        ``navigate`` is called with the session once it is active: the place to go on to a page
        for people who are signed in. On an ``AsyncClient`` it may be a coroutine function. What
        it raises reaches you.

        Errors: ``session_not_created`` while the attempt is not complete, ``session_not_found``
        if the session has ended meanwhile.
        """
        session = yield from self._course.activate()
        if navigate is not None:
            yield Callback(lambda: navigate(session))
        self._course.slot.clear()

    def reset(self) -> None:
        """Forget the attempt and its errors, here only; nothing is sent."""
        self._course.slot.clear()
        self.errors = Errors(self._form())


class Part(Runs[D], Generic[D, A, F]):
    """A named group of calls of an attempt, such as ``phone_code``; the attempt watches them."""

    def __init__(self, attempt: Attempt[D, A, F], course: Course[D, A]) -> None:
        super().__init__(attempt.driver)
        self.track = attempt.track
        self._course = course
