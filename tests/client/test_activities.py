"""A user's sessions on all devices."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from doorcode.client import AnswerError

from .conftest import AnyClient, settle
from .fake_server import FakeServer
from .test_addresses import says
from .test_client import sign_up
from .test_resources import MOMENT, MOMENT_MS

ELSEWHERE = {
    "id": "sess_9",
    "status": "active",
    "expire_at": MOMENT_MS,
    "last_active_at": MOMENT_MS,
    "user": None,
    "latest_activity": {"id": "a", "browser_name": "Firefox", "is_mobile": False},
}


async def test_session_elsewhere_is_shown_and_revoked(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    user: Any = client.user
    server.faults.append(httpx.Response(200, json=[ELSEWHERE]))
    (found,) = await settle(user.get_sessions())
    assert server.sent[-1] == "GET /v1/me/sessions/active"
    assert found.expire_at == found.last_active_at == MOMENT
    assert found.latest_activity.browser_name == "Firefox"
    says(server, ELSEWHERE | {"status": "revoked"})
    await settle(found.revoke())
    assert server.sent[-1] == "POST /v1/me/sessions/sess_9/revoke"
    assert found.status == "revoked"


async def test_list_that_is_none_is_an_answer_error(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    user: Any = client.user
    says(server, {"data": []})
    with pytest.raises(AnswerError, match="no list"):
        await settle(user.get_sessions())
