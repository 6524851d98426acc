"""Serves the browser SDK's own files, as its loader asks for them.

`/npm/@clerk/clerk-js@6/dist/clerk.browser.js` and the chunks beside it come from a local
directory of npm packages; where there is none, the browser is sent to a CDN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from doorcode.domain import errors
from doorcode.domain.errors import Refused

_PATH = re.compile(
    r"/npm/@clerk/(?P<package>clerk-js|ui)@(?P<version>[A-Za-z0-9.+-]{1,64})"
    r"/dist/(?P<file>[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*)",
    re.ASCII,
)
_EXACT_VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
_TYPES |= {".map": "application/json", ".json": "application/json"}


def routes(directories: Sequence[Path], cdn: str) -> list[Route]:
    """`directories` are laid out like `node_modules/@clerk`; `cdn` is an address, or empty."""

    async def show(request: Request) -> Response:
        match = _PATH.fullmatch(request.scope["path"])
        if match is None:
            raise Refused(errors.NOT_FOUND)
        installed = [d for d in directories if (d / match["package"] / "dist").is_dir()]
        for directory in installed:
            file = _plain_file(directory / match["package"] / "dist", match["file"])
            if file:
                return _send(file, match["version"])
        if installed or not cdn:
            raise Refused(errors.NOT_FOUND)
        return RedirectResponse(f"{cdn.rstrip('/')}{match[0]}", 302, _open_to_all())

    return [Route("/npm/{path:path}", show, middleware=[Middleware(GZipMiddleware)])]


def _plain_file(root: Path, name: str) -> Path | None:
    """A plain file below `root`; nothing that a link or `..` leads to."""
    real = root.resolve()
    file = real / name
    try:
        return file if file.resolve() == file and file.is_file() else None
    except OSError:  # such as a name that is longer than the file system allows
        return None


def _send(file: Path, version: str) -> Response:
    # An exact version never changes; "@6" is whatever is installed.
    lifetime = "31536000, immutable" if _EXACT_VERSION.fullmatch(version) else "300"
    headers = {**_open_to_all(), "cache-control": f"public, max-age={lifetime}"}
    media_type = _TYPES.get(file.suffix, "application/octet-stream")
    return FileResponse(file, headers=headers, media_type=media_type)


def _open_to_all() -> dict[str, str]:
    # The tags that load these carry crossorigin=anonymous.
    return {"access-control-allow-origin": "*"}
