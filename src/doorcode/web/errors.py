"""The one place where a refusal becomes an answer."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from doorcode.domain.errors import Refusal
from doorcode.web.http import Response

_encode = msgspec.json.Encoder().encode


def envelope(refusal: Refusal) -> dict[str, Any]:
    """The error document of the wire."""
    meta = dict(refusal.meta)
    if refusal.param:
        meta["param_name"] = refusal.param
    error: dict[str, Any] = {
        "code": refusal.code,
        "message": refusal.message,
        "long_message": refusal.long_message,
    }
    if meta:
        error["meta"] = meta
    return {"errors": [error], "clerk_trace_id": secrets.token_hex(16)}


def respond(refusal: Refusal) -> Response:
    """The answer to a request that was refused."""
    response = Response(refusal.status, _encode(envelope(refusal)))
    response.headers["cache-control"] = "no-store"
    if refusal.retry_after is not None:
        response.headers["retry-after"] = str(refusal.retry_after)
    return response
