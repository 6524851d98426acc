"""`/v1/me/organization_*`: there are no organizations here, and their lists say so.

Some apps' components close only after these lists have answered; an operator turns
`organizations.enabled` on for those.
"""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.flows import session as story
from doorcode.web.door import Door
from doorcode.web.frontend_api.answers import wrapped
from doorcode.web.frontend_api.me import who
from doorcode.web.http import Request, Response


async def show_none(door: Door, request: Request) -> Response:
    """A list with nothing in it, for somebody who is signed in."""
    view, _, _ = await story.of_request(door.deps, *await who(door, request))
    if not door.deps.instance.organizations:
        raise Refused(errors.NOT_FOUND)
    return wrapped(door, request, view, lambda _: {"data": [], "total_count": 0})
