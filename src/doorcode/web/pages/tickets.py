"""`/ticket`: where the link of a ticket leads when the app has no page of its own for it.

GET   says what the ticket is for: nothing is used up by looking, mail programs look too
POST  uses it ──▶ 303 to the start, or to the form for what is still missing
"""

from __future__ import annotations

from typing import Any

from doorcode.domain import limits
from doorcode.domain.errors import Refused
from doorcode.flows import sign_in, sign_up
from doorcode.flows import ticket as story
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller
from doorcode.web import redirects
from doorcode.web.door import Door
from doorcode.web.http import Request, Response
from doorcode.web.pages import render
from doorcode.web.pages.endpoint import visit

FIELD = "__clerk_ticket"  # as in the link that the SDKs read


class TicketPages:
    """The page of a ticket."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def show(self, request: Request) -> Response:
        """What a ticket is for, and a button that uses it."""
        text = request.query.get(FIELD, "")
        has_account = await self._has_account(text)
        return render.page(
            self._door, "ticket.html", ticket=text, field=FIELD, has_account=has_account
        )

    async def use(self, request: Request) -> Response:
        """Come in by a ticket."""
        here = await visit(self._door, request)
        text = request.form().get(FIELD, "")
        has_account = await self._has_account(text)
        rate = limits.CREATE_SIGN_IN if has_account else limits.CREATE_SIGN_UP
        await self._door.spend(rate, request)
        answer = await self._enter(here.caller, text, has_account)
        if answer.refusal:
            raise Refused(answer.refusal)
        is_in = answer.client is not None and bool(answer.client.sessions)
        response = redirects.to("/" if is_in else "/sign-up")
        self._door.set_client(response, answer.client, answer.client_token)
        return response

    async def _enter(self, caller: Caller, text: str, has_account: bool) -> Answer[Any]:
        if has_account:
            return await sign_in.start(self._door.deps, caller, sign_in.Wanted(ticket=text))
        return await sign_up.start(self._door.deps, caller, sign_up.Wanted(ticket=text))

    async def _has_account(self, text: str) -> bool:
        deps = self._door.deps
        async with deps.storage.reading() as tx:
            ticket = await story.find(deps, tx, text)
            return await story.account_of(tx, ticket) is not None
