"""What a sign-up and a sign-in have in common: errors and fetch_status around each call."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorcode.client import AnswerError, AsyncClient, Client, Session

from .conftest import URL, AnyClient, settle
from .fake_server import CODE, PHONE, FakeServer

ENVELOPE = ["response", "client", "meta", "errors", "code", "message"]
OBJECTS = ["sessions", "sign_up", "sign_in", "id", "status", "jwt", "user"]
NAMES = st.sampled_from(ENVELOPE + OBJECTS)


def watched(server: FakeServer, seen: list[tuple[str, int]]) -> Client:
    """Return a client that notes, in mid-request, what the sign-up says of itself."""

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((client.sign_up.fetch_status, len(client.sign_up.errors.raw)))
        return server(request)

    client = Client(URL, http_client=httpx.Client(transport=httpx.MockTransport(handler)))
    return client


def test_call_is_fetching_without_errors_while_it_runs(server: FakeServer) -> None:
    seen: list[tuple[str, int]] = []
    client = watched(server, seen)
    client.sign_up.create(phone_number="nonsense")
    assert (client.sign_up.fetch_status, len(client.sign_up.errors.raw)) == ("idle", 1)
    client.sign_up.create(phone_number=PHONE)
    assert seen == [("fetching", 0), ("fetching", 0)]
    assert client.sign_up.fetch_status == "idle"


async def test_cancelled_call_is_idle_again() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    client = AsyncClient(URL, http_client=http)
    task = asyncio.create_task(client.sign_up.create(phone_number=PHONE))
    await asyncio.sleep(0.01)
    while_running: str = client.sign_up.fetch_status
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (while_running, client.sign_up.fetch_status) == ("fetching", "idle")


async def test_unreadable_attempt_is_a_result(client: AnyClient, server: FakeServer) -> None:
    server.faults.append(httpx.Response(200, json={"response": {"id": 5}}))
    result = await settle(client.sign_in.create(identifier=PHONE))
    assert isinstance(result.error, AnswerError)
    assert client.sign_in.errors.global_ == result.error.problems


async def test_html_answer_is_a_result(client: AnyClient, server: FakeServer) -> None:
    server.faults.append(httpx.Response(502, text="<h1>Bad Gateway</h1>"))
    result = await settle(client.sign_up.create(phone_number=PHONE))
    assert isinstance(result.error, AnswerError)
    assert result.error.status == 502


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(status=st.sampled_from([200, 201, 204, 302, 400, 401, 422, 429, 500]), body=JSON)
@settings(max_examples=300, deadline=None)
def test_no_answer_makes_a_call_crash(status: int, body: object) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body)

    client = Client(URL, http_client=httpx.Client(transport=httpx.MockTransport(handler)))
    for result in (client.load(), client.sign_up.create(phone_number=PHONE)):
        assert result.ok or str(result.error)
    assert client.is_signed_in in (True, False)


async def test_navigate_may_be_a_coroutine_function(server: FakeServer) -> None:
    went: list[str] = []

    async def navigate(session: Session[Any]) -> None:
        await asyncio.sleep(0)
        went.append(session.id)

    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    client = AsyncClient(URL, http_client=http)
    await client.sign_up.create(phone_number=PHONE)
    await client.sign_up.verifications.verify_phone_code(code=CODE)
    assert (await client.sign_up.finalize(navigate=navigate)).ok
    assert went == ["sess_2"]


async def test_what_navigate_raises_reaches_the_caller(client: AnyClient) -> None:
    def navigate(session: Session[Any]) -> None:
        raise ZeroDivisionError

    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    with pytest.raises(ZeroDivisionError):
        await settle(client.sign_up.finalize(navigate=navigate))
    assert client.is_signed_in
    assert client.sign_up.fetch_status == "idle"


async def test_finalize_loads_a_session_it_has_not_seen(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    done = {"id": "sua_1", "status": "complete", "created_session_id": "sess_9"}
    server.sessions = [{"id": "sess_9", "status": "active"}]
    server.faults.append(httpx.Response(200, json={"response": done}))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    assert (await settle(client.sign_up.finalize())).ok
    assert server.sent[-2:] == ["GET /v1/client", "POST /v1/client/sessions/sess_9/touch"]
