"""The door for app servers: what the SDKs' server side asks, with a secret key."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.flows import handshake, user
from doorcode.web import backend_tickets
from doorcode.web.backend_json import answer, guarded, raw_answer
from doorcode.web.door import Door
from doorcode.web.wire import user_document


def routes(door: Door) -> list[Route]:
    """Every URL of the Backend API on one screen."""
    api = _BackendApi(door)
    return [
        Route("/v1/jwks", guarded(door, api.show_jwks)),
        Route("/v1/users/{user_id}", guarded(door, api.show_user)),
        Route("/v1/clients/handshake_payload", guarded(door, api.show_handshake)),
        Route("/v1/testing_tokens", guarded(door, api.create_testing_token), methods=["POST"]),
        *backend_tickets.routes(door),
        Route("/.well-known/jwks.json", api.show_public_jwks),
        Route("/v1/health", api.show_health),
    ]


class _BackendApi:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def show_jwks(self, request: Request) -> Response:
        """The keys by which session tokens are checked."""
        return raw_answer(self._door.deps.tokens.jwks)

    async def show_public_jwks(self, request: Request) -> Response:
        """The same, for anybody: they are public keys."""
        response = raw_answer(self._door.deps.tokens.jwks)
        response.headers["access-control-allow-origin"] = "*"
        response.headers["cache-control"] = "public, max-age=300"
        return response

    async def show_user(self, request: Request) -> Response:
        """An account."""
        deps, user_id = self._door.deps, request.path_params["user_id"]
        found = await user.get(deps, user_id)
        standing = await user.standing(deps, user_id)
        return answer(user_document(found, deps.instance, private=True, standing=standing))

    async def show_handshake(self, request: Request) -> Response:
        """The cookies of a handshake that was made moments ago."""
        directives = await handshake.fetch(self._door.deps, request.query_params.get("nonce", ""))
        if directives is None:
            raise Refused(errors.NOT_FOUND)
        return answer({"directives": directives})

    async def create_testing_token(self, request: Request) -> Response:
        """A token by which the app's own tests pass bot protection, for an hour."""
        if not self._door.takes_testing_tokens:
            raise Refused(errors.TESTING_TOKENS_DISABLED)
        text, ends_at = self._door.testing_tokens.make(self._door.deps.now())
        return answer({"object": "testing_token", "token": text, "expires_at": ends_at})

    async def show_health(self, request: Request) -> Response:
        """Whether storage answers."""
        if not await self._door.deps.storage.is_ready():
            raise Refused(errors.STORAGE_BUSY)
        return raw_answer(b'{"status":"ok"}')
