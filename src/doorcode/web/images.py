"""Serves the pictures of accounts, those that were uploaded and those that are drawn.

    /v1/images/{id}                          what `security.images.rewrite` wrote
    /v1/images/avatar_placeholder/{...}.svg  a letter, drawn from its address

Addresses cannot be guessed and never change what they show, so no sign-in is asked for
and browsers may keep what they got.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.web import initials

Fetch = Callable[[str], Awaitable[tuple[str, bytes] | None]]

_ID = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
# What is kept is one of these, or it is not shown: SVG and HTML run scripts.
_KEPT_TYPES = frozenset({"image/webp", "image/png", "image/jpeg"})
_HEADERS = {
    # For the one who opens a picture in a tab of its own: it can do nothing at our origin.
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "public, max-age=31536000, immutable",
    # The prebuilt components ask with crossorigin=anonymous, from the app's origin.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}


def routes(fetch: Fetch) -> list[Route]:
    """`fetch` finds the type and the bytes of a picture by its id. A query is passed over."""

    async def show_initial(request: Request) -> Response:
        drawn = initials.parse_path(request.scope["path"])
        if drawn is None:
            raise Refused(errors.NOT_FOUND)
        return _send(request, "image/svg+xml", initials.initial_svg(*drawn))

    async def show(request: Request) -> Response:
        image_id = request.path_params["image_id"]
        kept = await fetch(image_id) if _ID.fullmatch(image_id) else None
        if kept is None or kept[0] not in _KEPT_TYPES:
            raise Refused(errors.NOT_FOUND)
        return _send(request, *kept)

    return [
        Route(initials.PREFIX + "{rest}", show_initial),
        Route("/v1/images/{image_id}", show),
    ]


def _send(request: Request, content_type: str, body: bytes) -> Response:
    length = {"content-length": str(len(body))}
    sent = b"" if request.method == "HEAD" else body
    # Not `media_type`, to which Starlette may add a charset.
    return Response(sent, headers={**_HEADERS, **length, "content-type": content_type})
