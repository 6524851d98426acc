"""One description of every call, run by a blocking driver or an awaiting one.

A flow is a generator: it yields what it wants done (a request to send, a callback to call) and is
resumed with the reply. It never waits itself, so the same body serves ``Client`` and
``AsyncClient``; the ``flow`` decorator makes it a method that returns its result directly on the
one and is awaitable on the other, for people and type checkers alike.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from contextlib import closing
from dataclasses import dataclass
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, overload

import httpx

from doorcode.client.errors import CallError, NetworkError
from doorcode.client.results import Result
from doorcode.client.wire import Request

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Callback:
    """A function of the user's, to be called, and awaited where that is possible."""

    call: Callable[[], object]


Step: TypeAlias = Request | Callback
Reply: TypeAlias = httpx.Response | NetworkError | None
Flow: TypeAlias = Generator[Step, Reply, R]


class SyncDriver:
    """Runs flows to their end, blocking the thread while it waits."""

    def __init__(self, http: httpx.Client, origin: str) -> None:
        self.http = http
        self.origin = origin

    def run(self, steps: Flow[R]) -> R:
        """Return what the flow returns."""
        with closing(steps):
            reply: Reply = None
            while True:
                try:
                    step = steps.send(reply)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]  # typeshed has Any here
                reply = self._perform(step)

    def _perform(self, step: Step) -> Reply:
        if isinstance(step, Callback):
            step.call()
            return None
        try:
            return self.http.send(step.build(self.http, self.origin), follow_redirects=False)
        except httpx.HTTPError as error:
            return NetworkError(_reason(error))


class AsyncDriver:
    """Runs flows to their end, letting other tasks run while it waits."""

    def __init__(self, http: httpx.AsyncClient, origin: str) -> None:
        self.http = http
        self.origin = origin

    async def run(self, steps: Flow[R]) -> R:
        """Return what the flow returns."""
        with closing(steps):
            reply: Reply = None
            while True:
                try:
                    step = steps.send(reply)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]  # typeshed has Any here
                reply = await self._perform(step)

    async def _perform(self, step: Step) -> Reply:
        if isinstance(step, Callback):
            outcome = step.call()
            if inspect.isawaitable(outcome):
                await outcome
            return None
        try:
            return await self.http.send(step.build(self.http, self.origin), follow_redirects=False)
        except httpx.HTTPError as error:
            return NetworkError(_reason(error))


def _reason(error: httpx.HTTPError) -> str:
    # Some transport errors have no text of their own.
    return str(error) or type(error).__name__


D = TypeVar("D", bound=SyncDriver | AsyncDriver)
D_co = TypeVar("D_co", bound=SyncDriver | AsyncDriver, covariant=True)


class Driven(Protocol[D_co]):
    """Anything that has a driver to run its flows."""

    @property
    def driver(self) -> D_co:
        """What runs the flows of this object."""
        ...


class Runs(Generic[D]):
    """Owns a driver; what its flows return depends on the kind of driver."""

    def __init__(self, driver: D) -> None:
        self.driver = driver


class flow(Generic[P, R]):  # noqa: N801 -- a decorator, spelled as property is
    """Make a generator method a call: direct on a ``SyncDriver``, awaited on an ``AsyncDriver``."""

    def __init__(self, body: Callable[Concatenate[Any, P], Flow[R]]) -> None:
        self.__doc__ = body.__doc__

        @functools.wraps(body)
        def start(owner: Driven[Any], /, *args: P.args, **kwargs: P.kwargs) -> object:
            return owner.driver.run(body(owner, *args, **kwargs))

        self._start = start

    @overload
    def __get__(self, owner: None, kind: type) -> Callable[..., object]: ...
    @overload
    def __get__(self, owner: Driven[SyncDriver], kind: type) -> Callable[P, R]: ...
    @overload
    def __get__(
        self, owner: Driven[AsyncDriver], kind: type
    ) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, owner: Driven[Any] | None, kind: type) -> Any:
        """Return the bound method, or the plain function when read from the class (``help``)."""
        return self._start if owner is None else MethodType(self._start, owner)


class Tracks(Protocol):
    """Watches over a flow: resets errors, says that it is busy, keeps what went wrong."""

    def track(self, steps: Flow[None]) -> Flow[Result]:
        """Return the flow's outcome as a result."""
        ...


def tracked(body: Callable[Concatenate[Any, P], Flow[None]]) -> flow[P, Result]:
    """Make a generator method a call that gives a ``Result`` and is watched by its owner."""

    def run(owner: Tracks, /, *args: P.args, **kwargs: P.kwargs) -> Flow[Result]:
        return owner.track(body(owner, *args, **kwargs))

    functools.update_wrapper(run, body)
    return flow(run)


def settled(steps: Flow[object]) -> Flow[Result]:
    """Return the flow's outcome as a result, its refusal included."""
    try:
        yield from steps
    except CallError as error:
        # The caller keeps the error; its traceback would keep every frame alive with it.
        return Result(error.with_traceback(None))
    return Result()
