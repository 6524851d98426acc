"""How a story's answer is put on the wire: `{response, client}` and the client's cookies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doorcode.flows.client import Answer, ClientView
from doorcode.web.door import Door
from doorcode.web.errors import respond
from doorcode.web.http import Request, Response
from doorcode.web.wire import Json, Wire, encode


def wire(door: Door, request: Request) -> Wire:
    """The documents' writer for this request."""
    deps = door.deps
    return Wire(deps.instance, deps.tokens, door.boundary.page_of(request), deps.now())


def reply(
    door: Door, request: Request, answer: Answer[Any], show: Callable[[Wire], Json | None]
) -> Response:
    """A subject with the client around it; or the refusal that the story came to."""
    if answer.refusal:
        view = answer.client
        return respond(answer.refusal, wire(door, request).client(view) if view else None)
    return wrapped(door, request, answer.client, show, answer.client_token)


def wrapped(
    door: Door,
    request: Request,
    view: ClientView | None,
    show: Callable[[Wire], Json | None],
    token: str | None = None,
) -> Response:
    """The envelope of the wire. The client is not optional: SDKs look the session up in it."""
    writer = wire(door, request)
    client = writer.client(view) if view else None
    response = Response(200, encode({"response": show(writer), "client": client}))
    door.set_client(response, view, token)
    return response


def plain(document: Any) -> Response:
    """A document without an envelope."""
    return Response(200, encode(document))
