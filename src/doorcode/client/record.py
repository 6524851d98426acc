"""The client as it rides along with every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from doorcode.client.flow import D
from doorcode.client.resources import Resource, SignInAttempt, SignUpAttempt, decode
from doorcode.client.session import Session


class ClientRecord(Resource, Generic[D], frozen=True, kw_only=True):
    """What the server knows of one client: its sessions and the attempts under way."""

    id: str | None = None
    sessions: tuple[Session[D], ...] = ()
    sign_up: SignUpAttempt | None = None
    sign_in: SignInAttempt | None = None
    last_active_session_id: str | None = None


def decode_client(told: Mapping[str, Any] | None) -> ClientRecord[Any]:
    """Return the client, or an empty one for a browser that the server does not know."""
    return ClientRecord() if told is None else decode(ClientRecord, told)
