"""`/v1/receipts/{route}`: where providers tell what became of letters.

Each signs as it does, and `delivery/providers/` knows how. The address is the one that we gave
it, from our configuration: a signature over whatever a request's Host says would be worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from doorcode.delivery.interface import Callback, Foreign, Greeter, NotSent, Provider, Reporter
from doorcode.delivery.routing import Routing
from doorcode.domain.networks import network_of
from doorcode.flows import receipts
from doorcode.web.door import Door
from doorcode.web.http import read_request

MOST_BYTES = 256 * 1024
PATH = "/v1/receipts/"


def routes(door: Door, routing: Callable[[], Routing]) -> list[Route]:
    """The address that each route's provider is given."""

    async def take(request: Request) -> Response:
        name = request.path_params["route"]
        found = routing().named(name)
        provider = found.provider if found else None
        body = await _bounded(request)
        if not isinstance(provider, Reporter) or body is None:
            return Response(status_code=404)
        query = f"?{request.url.query}" if request.url.query else ""
        callback = Callback(
            method=request.method,
            url=f"{door.boundary.url}{PATH}{name}{query}",
            headers={key.lower(): value for key, value in request.headers.items()},
            body=body,
            at=door.deps.now(),
        )
        try:
            return await _answer(door, name, provider, callback)
        except Foreign as foreign:
            address = door.boundary.address_of(read_request(request.scope))
            network = network_of(address) if address else ""
            await receipts.refuse(door.deps, name, network, str(foreign))
            return Response(status_code=403)

    return [Route(f"{PATH}{{route}}", take, methods=["GET", "POST"])]


async def _answer(door: Door, name: str, provider: Provider, callback: Callback) -> Response:
    if isinstance(provider, Greeter):
        try:
            greeting = await provider.greet(callback)
        except NotSent:
            return Response(status_code=503)  # the provider calls again
        if greeting is not None:
            return PlainTextResponse(greeting)
    if not isinstance(provider, Reporter) or callback.method != "POST":
        return Response(status_code=405)
    told = [await receipts.take(door.deps, name, one) for one in provider.receipts(callback)]
    # One that we do not know yet: some providers come again where they are not thanked.
    return Response(status_code=204 if all(told) else 404)


async def _bounded(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body
