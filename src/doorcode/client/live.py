"""Objects that can be acted upon: what was read of them, and the line to the server.

They are told apart by the kind of driver, so that type checkers know whether a call is awaited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from msgspec.structs import force_setattr

from doorcode.client.errors import UsageError
from doorcode.client.flow import D, D_co, Driven, Flow
from doorcode.client.resources import Resource, decode
from doorcode.client.wire import Answer, Request, get, post

T = TypeVar("T", bound=Resource)


class Line(Driven[D_co], Protocol[D_co]):
    """What such objects need of the connection."""

    def exchange(self, request: Request) -> Flow[Answer]:
        """Send a request and take in the answer; raise ``CallError`` if it is a refusal."""
        ...

    def token(self, session_id: str, *, skip_cache: bool) -> Flow[str | None]:
        """Return a token of a session, or None if it has ended."""
        ...

    def find_session(self, session_id: str) -> Resource | None:
        """Return a session of this client as it is known now."""
        ...

    def find_user(self, session_id: str) -> Resource | None:
        """Return the user of such a session."""
        ...


@dataclass(frozen=True, slots=True)
class Tie(Generic[D]):
    """Which line an object is reached by, and as part of which session."""

    line: Line[D]
    session_id: str

    @property
    def query(self) -> dict[str, str]:
        """What names the session in requests that do not name it by their path."""
        return {"_clerk_session_id": self.session_id}


class Live(Resource, Generic[D], frozen=True, kw_only=True, dict=True):
    """An object with calls. It says what the server said when it was read or last acted upon.

    A call gives what it was asked for, and raises ``CallError`` where the server refuses it.
    """

    @property
    def driver(self) -> D:
        """What runs the calls of this object."""
        return self._tie.line.driver

    @property
    def _tie(self) -> Tie[D]:
        tie = vars(self).get("tie")
        if not isinstance(tie, Tie):
            raise UsageError("Only what a client gave can be acted upon: read it from the client")
        return tie

    def _get(self, path: str) -> Flow[Answer]:
        return (yield from self._tie.line.exchange(get(path, query=self._tie.query)))

    def _post(self, path: str, form: dict[str, object] | None = None) -> Flow[Answer]:
        return (yield from self._send(path, form, "POST"))

    def _send(self, path: str, form: dict[str, object] | None, method: str) -> Flow[Answer]:
        request = post(path, form, method=method, query=self._tie.query)
        return (yield from self._tie.line.exchange(request))

    def _become(self, told: object) -> None:
        # Whoever holds this object goes on reading it: after attempt_verification() they look
        # at the verification of what they called it on, and must not find the former one.
        fresh = told if isinstance(told, type(self)) else self._read(type(self), told)
        for name in self.__struct_fields__:
            force_setattr(self, name, getattr(fresh, name))

    def _read(self, kind: type[T], told: object) -> T:
        return tied(decode(kind, told), self._tie)

    def _as_part_of(self, tie: Tie[Any]) -> Tie[Any]:
        return tie


def tied(thing: T, tie: Tie[Any]) -> T:
    """Return the thing, with itself and all its parts tied to a line."""
    if isinstance(thing, Live):
        tie = thing._as_part_of(tie)
        vars(thing)["tie"] = tie
    for name in thing.__struct_fields__:
        part = getattr(thing, name)
        for each in part if isinstance(part, tuple) else (part,):
            if isinstance(each, Resource):
                tied(each, tie)
    return thing
