"""`/shield/resume`: where the letter about a paused country leads.

GET   says what happened: mail programs follow links, so looking changes nothing
POST  lets codes go to the country again
"""

from __future__ import annotations

from doorcode.flows import pauses
from doorcode.flows.alerts import RESUME_TICKET
from doorcode.web.door import Door
from doorcode.web.http import Request, Response
from doorcode.web.pages import render


class PausePages:
    """The page that ends a pause. Whoever has the letter may: it asks for no sign-in."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def show(self, request: Request) -> Response:
        """What happened, and a button."""
        text = request.query.get(RESUME_TICKET, "")
        found = await pauses.show(self._door.deps, text)
        return render.page(
            self._door, "pause.html", pause=found, ticket=text, field=RESUME_TICKET, over=False
        )

    async def resume(self, request: Request) -> Response:
        """End the pause, and say so."""
        text = request.form().get(RESUME_TICKET, "")
        found = await pauses.resume_by_link(self._door.deps, text)
        return render.page(
            self._door, "pause.html", pause=found, ticket="", field=RESUME_TICKET, over=True
        )
