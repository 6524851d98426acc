"""The whole server as one ASGI application: one origin carries every door."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import BaseRoute

from doorcode.domain import errors
from doorcode.domain.errors import Refusal, Refused
from doorcode.storage.interface import Unavailable
from doorcode.web import native
from doorcode.web.door import Door
from doorcode.web.errors import respond
from doorcode.web.frontend_api import routes as frontend
from doorcode.web.http import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    read_request,
    send_response,
)
from doorcode.web.pages import render

log = structlog.get_logger("doorcode.web")


class App:
    """The Frontend API answered directly, all else by Starlette."""

    def __init__(self, door: Door, routes: Sequence[BaseRoute]) -> None:
        self._door = door
        self._rest = Starlette(
            routes=list(routes),
            exception_handlers={
                Refused: _refused,
                Unavailable: _unavailable,
                HTTPException: self._http_error,
                Exception: _failed,
            },
        )
        # A trailing slash is dropped, not redirected: a redirect would leave a proxy's path.
        self._rest.router.redirect_slashes = False
        self._headers = [(b"x-content-type-options", b"nosniff")]
        # RFC 6797. In development it would bind every server of this machine's localhost; what
        # is below the host is not ours to decide.
        if door.boundary.is_https and not door.deps.instance.development:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            return
        request, send = read_request(scope), self._with_headers(send)
        try:
            self._door.boundary.expect_host(request)
        except Refused as refused:
            await send_response(respond(refused.refusal), send)
            return
        if frontend.owns(request.path):
            await send_response(await self._frontend(request, receive), send)
            return
        if scope["path"] != "/" and scope["path"].endswith("/"):
            scope["path"] = scope["path"].rstrip("/") or "/"
        try:
            await self._rest(scope, receive, send)
        except Exception:  # noqa: BLE001 - answered by _failed, which Starlette raises again
            log.debug("answered with an internal error", path=request.path)

    def _with_headers(self, send: Send) -> Send:
        """What every answer carries, whoever gives it."""

        async def send_them(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                event["headers"] = [*event["headers"], *self._headers]
            await send(event)

        return send_them

    async def _http_error(self, request: StarletteRequest, error: Any) -> StarletteResponse:
        refusal = errors.METHOD_INVALID if error.status_code == 405 else errors.NOT_FOUND
        # Not `request.url`, here and elsewhere: it is put together from what the client wrote as
        # its Host and query, and raises for a query that is no UTF-8.
        if request.scope["path"].startswith(("/v1/", "/npm/", "/.well-known/")):
            return _answer(refusal)
        page = render.refused(self._door, refusal)
        render.protect(page)
        response = StarletteResponse(page.body, page.status, page.headers)
        response.headers["content-type"] = page.content_type
        return response

    async def _frontend(self, request: Request, receive: Receive) -> Response:
        try:
            self._door.boundary.expect_origin(request)
            if request.method == "OPTIONS":
                response = Response(204)
            else:
                response = await frontend.answer(self._door, request, receive)
        except Refused as refused:
            response = respond(refused.refusal)
        except Unavailable as error:
            log.error("storage is unavailable", why=str(error))
            response = respond(errors.STORAGE_BUSY)
        except Exception:
            log.exception("internal error", path=request.path)
            response = respond(errors.INTERNAL)
        if native.is_native(request):
            native.speak(response)
        response.headers.setdefault("cache-control", "no-store")
        self._allow_origin(request, response)
        return response

    def _allow_origin(self, request: Request, response: Response) -> None:
        """CORS (Fetch standard, section 3.3), on refusals too: a page must read those."""
        response.headers["vary"] = "Origin"
        origin = request.headers.get("origin")
        if origin is None or not self._door.boundary.allows(origin):
            return
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-allow-credentials"] = "true"
        response.headers["access-control-expose-headers"] = (
            "Clerk-Db-Jwt, Authorization, Retry-After, X-Country"
        )
        if request.method == "OPTIONS":
            response.headers["access-control-allow-methods"] = "GET, POST, PUT, PATCH, DELETE"
            response.headers["access-control-allow-headers"] = "Content-Type, Authorization"
            response.headers["access-control-max-age"] = "600"


def _answer(refusal: Refusal) -> StarletteResponse:
    plain = respond(refusal)
    response = StarletteResponse(plain.body, plain.status, plain.headers)
    response.headers["content-type"] = "application/json"
    return response


async def _refused(request: StarletteRequest, error: Any) -> StarletteResponse:
    return _answer(error.refusal)


async def _unavailable(request: StarletteRequest, error: Exception) -> StarletteResponse:
    log.error("storage is unavailable", why=str(error))
    return _answer(errors.STORAGE_BUSY)


async def _failed(request: StarletteRequest, error: Exception) -> StarletteResponse:
    log.error("internal error", path=request.scope["path"], exc_info=error)
    return _answer(errors.INTERNAL)
