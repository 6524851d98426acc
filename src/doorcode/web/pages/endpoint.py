"""The one way in to a page: who may ask, which method, and what a failure looks like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import structlog

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.flows import client as clients
from doorcode.flows.client import ClientView
from doorcode.flows.deps import Caller
from doorcode.storage.interface import Unavailable
from doorcode.web.door import TESTING_TOKEN, Door
from doorcode.web.http import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    read_body,
    read_request,
    send_response,
)
from doorcode.web.pages import render
from doorcode.web.redirects import allowed_target

Handler = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("doorcode.web.pages")


class Endpoint:
    """One path of the hosted pages (ASGI 3). Whatever goes wrong is told on a page."""

    def __init__(
        self, door: Door, *, get: Handler | None = None, post: Handler | None = None
    ) -> None:
        self._door = door
        self._handlers = {
            method: handler
            for method, handler in (("GET", get), ("HEAD", get), ("POST", post))
            if handler
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = read_request(scope)
        try:
            response = await self._answer(request, receive)
        except Refused as refused:
            response = render.refused(self._door, refused.refusal)
        except Unavailable as error:
            log.error("storage is unavailable", why=str(error))
            response = render.refused(self._door, errors.STORAGE_BUSY)
        except Exception:
            log.exception("internal error", path=request.path)
            response = render.refused(self._door, errors.INTERNAL)
        if response.status == errors.METHOD_INVALID.status:
            response.headers["allow"] = ", ".join(self._handlers)
        render.protect(response)
        await send_response(response, send)

    async def _answer(self, request: Request, receive: Receive) -> Response:
        self._door.boundary.expect_host(request)
        handler = self._handlers.get(request.method)
        if handler is None:
            raise Refused(errors.METHOD_INVALID)
        if not request.is_safe:
            self._door.boundary.expect_origin(request)
            await read_body(request, receive)
        return await handler(request)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a page, and where they want to go from it.

    `target` is a redirect that has been found allowed; None where none was, or it was not.
    `testing` is the testing token that they came with.
    """

    caller: Caller
    view: ClientView | None
    target: str | None
    testing: str | None = None

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody is signed in already."""
        return self.view is not None and bool(self.view.sessions)

    def link(self, path: str) -> str:
        """The path of another page, from which one goes on to the same place."""
        carried = {"redirect_url": self.target, TESTING_TOKEN: self.testing}
        query = {name: value for name, value in carried.items() if value is not None}
        return f"{path}?{urlencode(query, safe='', quote_via=quote)}" if query else path


async def visit(door: Door, request: Request) -> Visit:
    """Who asks, by the cookie alone.

    A development browser's token in the URL is not heeded here: whoever sends somebody a
    link with a token of his own would be signed in by that person's code.
    """
    caller = await door.by_cookie(request)
    view = await clients.show(door.deps, caller)
    target = allowed_target(door.boundary, request.query.get("redirect_url", ""))
    testing = request.query.get(TESTING_TOKEN) if caller.is_testing else None
    return Visit(caller, view, target, testing)
