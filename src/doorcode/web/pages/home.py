"""`/` says who is signed in; `/sign-out` ends it."""

from __future__ import annotations

from doorcode.flows import client as clients
from doorcode.web import redirects
from doorcode.web.door import Door
from doorcode.web.http import Request, Response
from doorcode.web.pages import render
from doorcode.web.pages.endpoint import visit


class Home:
    """The page that one returns to."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def show(self, request: Request) -> Response:
        """Who is signed in, and since when."""
        here = await visit(self._door, request)
        people = [
            {
                "identifier": user.identifier,
                "name": " ".join(filter(None, (user.profile.first_name, user.profile.last_name))),
                "since": session.created_at,
            }
            for session, user in (here.view.sessions if here.view else ())
        ]
        return render.page(self._door, "home.html", target=here.target, people=people, here=here)

    async def sign_out(self, request: Request) -> Response:
        """End every session of this browser."""
        here = await visit(self._door, request)
        answer = await clients.sign_out(self._door.deps, here.caller)
        response = redirects.to(here.target or "/")
        self._door.set_client(response, answer.client, answer.client_token)
        return response
