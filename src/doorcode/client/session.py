"""Sessions: one stay of a user on one client, and proving again that they are still there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias

from msgspec import field

from doorcode.client.addresses import Channel
from doorcode.client.flow import D, Flow, flow
from doorcode.client.live import Live, Tie
from doorcode.client.resources import Factor, Resource, Token, Verification, moment
from doorcode.client.user import User
from doorcode.client.wire import segment

Level: TypeAlias = Literal["first_factor", "second_factor", "multi_factor"]
IN_FORCE = frozenset({"active", "pending"})


class SessionTask(Resource, frozen=True, kw_only=True):
    """What a person must do before they count as signed in; ``key`` is ``setup-mfa``."""

    key: str


class SessionVerification(Resource, frozen=True, kw_only=True):
    """A proof, in a session under way, that it is still the same person.

    ``status``: ``needs_first_factor``, ``needs_second_factor``, ``complete``. ``level`` is what
    is to be proven; it may be less than was asked for where the user has no second factor.
    """

    status: str
    level: str = "first_factor"
    supported_first_factors: tuple[Factor, ...] | None = None
    supported_second_factors: tuple[Factor, ...] | None = None
    first_factor_verification: Verification | None = None
    second_factor_verification: Verification | None = None


class Session(Live[D], Generic[D], frozen=True, kw_only=True, dict=True):
    """One stay of a user on one client.

    ``status`` is ``active`` while it lasts, ``pending`` while the person has a task left before
    they count as signed in (``current_task``); others are ``ended``, ``removed``, ``revoked``,
    ``expired``, ``abandoned``. ``factor_verification_age``: the minutes since the first and the
    second factor were proven, -1 for never.
    """

    id: str
    status: str
    user: User[D] | None = None
    tasks: tuple[SessionTask, ...] | None = None
    factor_verification_age: tuple[int, int] | None = None
    last_active_token: Token | None = None
    expire_at_ms: int | None = field(default=None, name="expire_at")
    abandon_at_ms: int | None = field(default=None, name="abandon_at")
    last_active_at_ms: int | None = field(default=None, name="last_active_at")

    @property
    def current_task(self) -> SessionTask | None:
        """What the person must do next before they count as signed in, or None."""
        return self.tasks[0] if self.tasks else None

    @property
    def expire_at(self) -> datetime | None:
        """When the session ends at the latest, in UTC."""
        return moment(self.expire_at_ms)

    @property
    def abandon_at(self) -> datetime | None:
        """When the session ends unless it is used before, in UTC."""
        return moment(self.abandon_at_ms)

    @property
    def last_active_at(self) -> datetime | None:
        """When the session was last used, in UTC."""
        return moment(self.last_active_at_ms)

    @flow
    def get_token(self, *, skip_cache: bool = False) -> Flow[str | None]:
        """Return a token of this session, as ``client.get_token()`` does of the active one."""
        return (yield from self._tie.line.token(self.id, skip_cache=skip_cache))

    @flow
    def end(self) -> Flow[None]:
        """Sign out of this session."""
        self._become((yield from self._act("/end")))

    @flow
    def remove(self) -> Flow[None]:
        """Take this session off the client, as ``client.sign_out(session_id=…)`` does."""
        self._become((yield from self._act("/remove")))

    @flow
    def start_verification(self, *, level: Level) -> Flow[SessionVerification]:
        """Begin to prove again who this is; an earlier beginning is given up.

        It is asked for by the error ``session_reverification_required``, and by programs before
        something that cannot be undone. The next token says when it was done (claim ``fva``).
        """
        return (yield from self._verify("", {"level": level}))

    @flow
    def prepare_first_factor_verification(
        self, factor: Factor, *, channel: Channel | None = None
    ) -> Flow[SessionVerification]:
        """Send a code by one of the verification's ``supported_first_factors``."""
        form = {**factor.form, "channel": channel}
        return (yield from self._verify("/prepare_first_factor", form))

    @flow
    def attempt_first_factor_verification(
        self, *, strategy: str, code: str
    ) -> Flow[SessionVerification]:
        """Try the code that the person received; ``strategy`` is that of the factor."""
        form: dict[str, object] = {"strategy": strategy, "code": code}
        return (yield from self._verify("/attempt_first_factor", form))

    @flow
    def prepare_second_factor_verification(
        self, factor: Factor, *, channel: Channel | None = None
    ) -> Flow[SessionVerification]:
        """Send a code by one of the verification's ``supported_second_factors``."""
        form = {**factor.form, "channel": channel}
        return (yield from self._verify("/prepare_second_factor", form))

    @flow
    def attempt_second_factor_verification(
        self, *, strategy: str, code: str
    ) -> Flow[SessionVerification]:
        """Try a second code; with the strategy ``backup_code``, one that was written down."""
        form: dict[str, object] = {"strategy": strategy, "code": code}
        return (yield from self._verify("/attempt_second_factor", form))

    def _act(self, action: str, form: dict[str, object] | None = None) -> Flow[Any]:
        path = f"/client/sessions/{segment(self.id)}{action}"
        answer = yield from self._post(path, form)
        return answer.resource

    def _verify(self, action: str, form: dict[str, object]) -> Flow[SessionVerification]:
        told = yield from self._act(f"/verify{action}", form)
        found = self._tie.line.find_session(self.id)
        if found is not None:
            self._become(found)
        return self._read(SessionVerification, told)

    def _as_part_of(self, tie: Tie[Any]) -> Tie[Any]:
        return replace(tie, session_id=self.id)
