"""`/inbox`: every code that was sent, to look at. In development only.

Whoever can read it can sign in as anybody. So there is no CORS header on it, a foreign
Host name is refused like everywhere (DNS rebinding), and a server that others can reach
asks for the token that it printed at its start.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec

from doorcode.delivery.inbox import Inbox, Received
from doorcode.domain import errors
from doorcode.domain.errors import Refusal, Refused
from doorcode.web.door import Door
from doorcode.web.errors import respond
from doorcode.web.http import Request, Response
from doorcode.web.pages import render

COOKIE = "__doorcode_inbox"
TOKEN_NEEDED = Refusal(
    "inbox_token_invalid",
    403,
    "token needed",
    "This inbox can be reached by others, so it asks for a token. "
    "Open it by the address that the server printed when it started.",
)
FORWARDED_HERE = Refusal(
    "inbox_forwarded",
    403,
    "forwarded request",
    "This request came through a proxy or a tunnel, by which others may reach this inbox too. Open "
    "it on the server's own machine, or set DOORCODE_URL to the public address: it asks for a "
    "token then.",
)
_FORWARDING = frozenset(
    {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)

_encode = msgspec.json.Encoder().encode


class InboxPages:
    """The inbox as a page and as JSON."""

    def __init__(self, door: Door, inbox: Inbox | None, token: str | None) -> None:
        self._door = door
        # Two locks: one forgotten check elsewhere must not show every code to everybody.
        self._inbox = inbox if door.deps.instance.development else None
        self._token = token

    async def show(self, request: Request) -> Response:
        """The letters on a page that renews itself."""
        to = _wanted(request)
        response = render.page(
            self._door,
            "inbox.html",
            letters=self._letters(request, to),
            to=to or "",
            is_live=request.query.get("live") != "off",
            now=self._door.deps.now(),
        )
        self._remember_token(request, response)
        return response

    async def list_messages(self, request: Request) -> Response:
        """The letters for a program, newest first."""
        try:
            letters = self._letters(request, _wanted(request))
        except Refused as refused:
            return respond(refused.refusal)
        response = Response(200, _encode([_document(letter) for letter in letters]))
        self._remember_token(request, response)
        return response

    def _letters(self, request: Request, to: str | None) -> list[Received]:
        if self._inbox is None:
            raise Refused(errors.NOT_FOUND)
        if self._token is not None:
            by_url = self._is_token(request.query.get("token", ""))
            by_cookie = self._is_token(request.cookies.get(COOKIE, ""))
            if not by_url and not by_cookie:
                raise Refused(TOKEN_NEEDED)
        elif _FORWARDING & request.headers.keys():
            # It listens on this machine alone, but something here lets others in, and it may
            # have rewritten the Host name.
            raise Refused(FORWARDED_HERE)
        return self._inbox.messages(to)

    def _is_token(self, text: str) -> bool:
        expected = (self._token or "").encode()
        return bool(expected) and hmac.compare_digest(expected, text.encode(errors="replace"))

    def _remember_token(self, request: Request, response: Response) -> None:
        """Keep a token that came in the URL, so that it need not stay there."""
        if self._is_token(request.query.get("token", "")):
            secure = "; Secure" if self._door.boundary.is_https else ""
            response.cookies.append(
                f"{COOKIE}={self._token}; Path=/inbox; HttpOnly; SameSite=Strict{secure}"
            )


def _wanted(request: Request) -> str | None:
    """Whose letters are asked for. A `+` that was not escaped arrives as a space."""
    to = request.query.get("to", "")
    return "+" + to[1:] if to.startswith(" ") else to or None


def _document(letter: Received) -> dict[str, Any]:
    return {
        "id": letter.id,
        "channel": letter.channel,
        "to": letter.to,
        "body": letter.body,
        "code": letter.code,
        "link": letter.link,
        "created_at": letter.created_at,
    }
