"""Joining the waitlist of a server that does not let everybody in yet."""

from __future__ import annotations

from doorcode.client.attempt import Watched
from doorcode.client.connection import Connection
from doorcode.client.flow import D, Flow, tracked
from doorcode.client.resources import Resource, decode
from doorcode.client.results import WaitlistFieldErrors
from doorcode.client.wire import post


class WaitlistEntry(Resource, frozen=True, kw_only=True):
    """A place on the list."""

    id: str | None = None


class Waitlist(Watched[D, WaitlistFieldErrors]):
    """The waitlist, as far as this client is on it; reach it as ``client.waitlist``."""

    def __init__(self, connection: Connection[D]) -> None:
        super().__init__(connection, WaitlistFieldErrors)
        self._entry = WaitlistEntry()

    @property
    def id(self) -> str | None:
        """The id of the place on the list, or None before ``join()``."""
        return self._entry.id

    @tracked
    def join(self, *, email_address: str) -> Flow[None]:
        """Put an address on the list; one that is on it already keeps its place.

        Errors: ``form_param_format_invalid`` (in ``errors.fields.email_address``).
        """
        request = post("/waitlist", {"email_address": email_address})
        answer = yield from self._connection.exchange(request)
        self._entry = decode(WaitlistEntry, answer.resource)
