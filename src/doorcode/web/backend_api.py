"""The door for app servers: what the SDKs' server side asks, with a secret key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.flows import handshake, user
from doorcode.security.random_ids import digest
from doorcode.web.door import Door
from doorcode.web.wire import encode, user_document

Handler = Callable[[Request], Awaitable[Response]]


def routes(door: Door) -> list[Route]:
    """Every URL of the Backend API on one screen."""
    api = _BackendApi(door)
    return [
        Route("/v1/jwks", api.guarded(api.show_jwks)),
        Route("/v1/users/{user_id}", api.guarded(api.show_user)),
        Route("/v1/clients/handshake_payload", api.guarded(api.show_handshake)),
        Route("/.well-known/jwks.json", api.show_public_jwks),
        Route("/v1/health", api.show_health),
    ]


class _BackendApi:
    def __init__(self, door: Door) -> None:
        self._door = door

    def guarded(self, handler: Handler) -> Handler:
        """The handler, for callers with a secret key."""

        async def answer(request: Request) -> Response:
            await self._expect_secret_key(request)
            return await handler(request)

        return answer

    async def show_jwks(self, request: Request) -> Response:
        """The keys by which session tokens are checked."""
        return _json(self._door.deps.tokens.jwks)

    async def show_public_jwks(self, request: Request) -> Response:
        """The same, for anybody: they are public keys."""
        response = _json(self._door.deps.tokens.jwks)
        response.headers["access-control-allow-origin"] = "*"
        response.headers["cache-control"] = "public, max-age=300"
        return response

    async def show_user(self, request: Request) -> Response:
        """An account."""
        found = await user.get(self._door.deps, request.path_params["user_id"])
        return _json(encode(user_document(found, self._door.deps.instance, private=True)))

    async def show_handshake(self, request: Request) -> Response:
        """The cookies of a handshake that was made moments ago."""
        directives = await handshake.fetch(self._door.deps, request.query_params.get("nonce", ""))
        if directives is None:
            raise Refused(errors.NOT_FOUND)
        return _json(encode({"directives": directives}))

    async def show_health(self, request: Request) -> Response:
        """Whether storage answers."""
        if not await self._door.deps.storage.is_ready():
            raise Refused(errors.STORAGE_BUSY)
        return _json(b'{"status":"ok"}')

    async def _expect_secret_key(self, request: Request) -> None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if "origin" in request.headers and secret:
            # A page that holds the secret key has published it.
            raise Refused(errors.ORIGIN_AND_AUTHORIZATION)
        deps = self._door.deps
        if scheme.lower() == "bearer" and secret:
            async with deps.storage.reading() as tx:
                if await tx.has_secret_key(digest(deps.instance.id, "secret-key", secret.strip())):
                    return
        raise Refused(errors.SECRET_KEY_INVALID)


def _json(body: bytes) -> Response:
    # No charset: with one, @clerk/backend takes the document for text.
    response = Response(body)
    response.headers["content-type"] = "application/json"
    response.headers["cache-control"] = "no-store"
    return response
