"""Owns the hosted pages."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def routes(door: Any, inbox: Any, inbox_token: str | None) -> list[Route]:
    async def messages(request: Request) -> Response:
        found = inbox.messages(request.query_params.get("to"))
        return JSONResponse(
            [
                {
                    "id": m.id,
                    "channel": m.channel,
                    "to": m.to,
                    "body": m.body,
                    "code": m.code,
                    "created_at": m.created_at,
                }
                for m in found
            ]
        )

    return [Route("/inbox/messages", messages)]
