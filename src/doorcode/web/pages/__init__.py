"""The hosted pages: every URL on one screen.

Plain server-rendered forms on the same stories as the Frontend API. Nothing here needs
JavaScript, and the pages forbid it: what cannot run cannot be injected. The one exception is
the script of a challenge, on a page that asks for one.
"""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from doorcode.delivery.inbox import Inbox
from doorcode.flows.alerts import RESUME_PATH
from doorcode.web.door import Door
from doorcode.web.pages import static
from doorcode.web.pages.endpoint import Endpoint
from doorcode.web.pages.home import Home
from doorcode.web.pages.inbox import InboxPages
from doorcode.web.pages.pauses import PausePages
from doorcode.web.pages.steps import Steps
from doorcode.web.pages.tickets import TicketPages
from doorcode.web.pages.ways import SignInWay, SignUpWay, Way


def routes(door: Door, inbox: Inbox | None, inbox_token: str | None) -> list[BaseRoute]:
    """The pages of one server. Without an inbox its paths are answered with 404."""
    home, letters = Home(door), InboxPages(door, inbox, inbox_token)
    tickets, paused = TicketPages(door), PausePages(door)
    return [
        Route("/", Endpoint(door, get=home.show)),
        *_way(door, SignUpWay()),
        *_way(door, SignInWay()),
        Route("/ticket", Endpoint(door, get=tickets.show, post=tickets.use)),
        Route(RESUME_PATH, Endpoint(door, get=paused.show, post=paused.resume)),
        Route("/sign-out", Endpoint(door, post=home.sign_out)),
        Route("/inbox", Endpoint(door, get=letters.show)),
        Route("/inbox/messages", Endpoint(door, get=letters.list_messages)),
        Route("/static/{name}", Endpoint(door, get=static.show)),
    ]


def _way(door: Door, way: Way) -> list[BaseRoute]:
    steps = Steps(door, way)
    return [
        Route(way.path, Endpoint(door, get=steps.show, post=steps.begin)),
        Route(f"{way.path}/code", Endpoint(door, get=steps.go_back, post=steps.try_code)),
        Route(f"{way.path}/resend", Endpoint(door, get=steps.go_back, post=steps.resend)),
        Route(f"{way.path}/backup", Endpoint(door, get=steps.go_back, post=steps.try_backup_code)),
        Route(f"{way.path}/details", Endpoint(door, get=steps.go_back, post=steps.tell)),
        Route(f"{way.path}/restart", Endpoint(door, get=steps.go_back, post=steps.restart)),
    ]
