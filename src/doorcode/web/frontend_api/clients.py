"""`/v1/client`, `/v1/environment`, `/v1/dev_browser`: who asks, and what is asked of them."""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import CREATE_CLIENT, NAME_BROWSER
from doorcode.flows import client as story
from doorcode.web import challenges, cookies
from doorcode.web.door import Door
from doorcode.web.environment import environment
from doorcode.web.frontend_api.answers import plain, wire, wrapped
from doorcode.web.http import Request, Response
from doorcode.web.wire import encode


async def show_environment(door: Door, request: Request) -> Response:
    """What the instance asks of people."""
    development_keys = door.boundary.development_keys
    return plain(environment(door.deps.instance, development_keys=development_keys))


async def show(door: Door, request: Request) -> Response:
    """The client, or null for a browser that was never here."""
    view = await story.show(door.deps, await door.caller(request))
    document = wire(door, request).client(view) if view else None
    response = Response(200, encode({"response": document, "client": None}))
    door.set_client(response, view, None)
    return response


async def create(door: Door, request: Request) -> Response:
    """Make this browser a client."""
    await door.spend(CREATE_CLIENT, request)
    answer = await story.create(door.deps, await door.caller(request))
    view = answer.client
    return wrapped(
        door, request, view, lambda w: w.client(view) if view else None, answer.client_token
    )


async def verify(door: Door, request: Request) -> Response:
    """Take a solved challenge, and remember for a while that there is a person."""
    caller = await door.caller(request)
    if not door.deps.instance.bot_protection.can_ask:
        raise Refused(errors.CAPTCHA_NOT_ENABLED)
    if not caller.is_testing:  # being known as a person already must not prolong itself
        await challenges.expect(door, request, challenges.VERIFY)
    answer = await story.remember_human(door.deps, caller)
    view = answer.client
    return wrapped(
        door, request, view, lambda w: w.client(view) if view else None, answer.client_token
    )


async def destroy(door: Door, request: Request) -> Response:
    """End every session and forget the client."""
    view = await story.destroy(door.deps, await door.caller(request))
    response = wrapped(door, request, view, lambda w: w.client(view) if view else None)
    response.cookies += cookies.client(door.boundary, None)
    return response


async def sign_out(door: Door, request: Request) -> Response:
    """End every session; the client stays."""
    answer = await story.sign_out(door.deps, await door.caller(request))
    view = answer.client
    return wrapped(
        door, request, view, lambda w: w.client(view) if view else None, answer.client_token
    )


async def create_dev_browser(door: Door, request: Request) -> Response:
    """A token for a browser whose cookies do not reach us; in development only."""
    if not door.deps.instance.development:
        raise Refused(errors.DEVELOPMENT_ONLY)
    await door.spend(NAME_BROWSER, request)
    return plain({"object": "dev_browser", "id": await story.add_dev_browser(door.deps)})
