"""The style sheet and the icon: read once, and never anything else from the disk."""

from __future__ import annotations

import hashlib
from importlib import resources

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.web.http import Request, Response

_TYPES = {"pages.css": "text/css; charset=utf-8", "favicon.svg": "image/svg+xml"}
_FILES = {
    name: resources.files("doorcode.web.pages").joinpath("static", name).read_bytes()
    for name in _TYPES
}
_VERSIONS = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in _FILES.items()}


def url(name: str) -> str:
    """Where a file is, for as long as it does not change."""
    return f"/static/{name}?v={_VERSIONS[name]}"


async def show(request: Request) -> Response:
    """One of the files."""
    name = request.path.rpartition("/")[2]
    if name not in _FILES:
        raise Refused(errors.NOT_FOUND)
    is_current = request.query.get("v") == _VERSIONS[name]
    kept = "public, max-age=31536000, immutable" if is_current else "no-cache"
    return Response(200, _FILES[name], _TYPES[name], {"cache-control": kept})
