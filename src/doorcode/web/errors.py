"""The one place where a refusal becomes an answer."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from doorcode.domain.errors import Refusal
from doorcode.web.http import Response

_encode = msgspec.json.Encoder().encode


def envelope(refusal: Refusal, client: Any = None) -> dict[str, Any]:
    """The error document of the wire; SDKs take over the client that comes with it."""
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
    document = {"errors": [error], "clerk_trace_id": secrets.token_hex(16)}
    return document if client is None else {**document, "meta": {"client": client}}


def respond(refusal: Refusal, client: Any = None) -> Response:
    """The answer to a request that was refused."""
    response = Response(refusal.status, _encode(envelope(refusal, client)))
    response.headers["cache-control"] = "no-store"
    if refusal.retry_after is not None:
        response.headers["retry-after"] = str(refusal.retry_after)
    return response
