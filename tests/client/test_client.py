"""``Client`` and ``AsyncClient``: sessions, tokens, sign-out, and their own lifetime."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from doorcode.client import (
    AnswerError,
    ApiError,
    AsyncClient,
    Client,
    NetworkError,
)

from .conftest import URL, AnyClient, settle
from .fake_server import CODE, PHONE, FakeServer, refusal


async def sign_up(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number=PHONE, first_name="Ada"))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    await settle(client.sign_up.finalize())


async def test_new_client_is_signed_out_without_asking(
    client: AnyClient, server: FakeServer
) -> None:
    assert not client.is_signed_in
    assert client.user is None
    assert client.session is None
    assert await settle(client.get_token()) is None
    assert (await settle(client.sign_out())).ok
    assert server.requests == []


async def test_signed_in_client_knows_its_user(client: AnyClient) -> None:
    await sign_up(client)
    assert client.user is not None
    assert client.user.first_name == "Ada"
    assert client.user.primary_phone_number is not None
    assert client.user.primary_phone_number.phone_number == PHONE


async def test_token_that_rode_along_needs_no_request(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    before = len(server.requests)
    assert await settle(client.get_token()) == await settle(client.get_token())
    assert len(server.requests) == before


async def test_skip_cache_fetches_and_keeps_a_new_token(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    old = await settle(client.get_token())
    new = await settle(client.get_token(skip_cache=True))
    assert new != old
    assert await settle(client.get_token()) == new
    assert server.requests[-1].url.params["debug"] == "skip_cache"


async def test_short_lived_token_is_fetched_each_time(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    for _ in range(2):
        short = httpx.Response(200, json={"jwt": server.jwt(lifetime=5)})
        server.faults.append(short)
        await settle(client.get_token(skip_cache=True))
    await settle(client.get_token())
    assert server.sent[-3:] == ["POST /v1/client/sessions/sess_2/tokens"] * 3


async def test_token_that_cannot_be_fetched_raises(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    server.faults.append(httpx.ReadTimeout("slow"))
    with pytest.raises(NetworkError):
        await settle(client.get_token(skip_cache=True))
    server.faults.append(refusal(429, "too_many_requests"))
    with pytest.raises(ApiError):
        await settle(client.get_token(skip_cache=True))
    server.faults.append(httpx.Response(200, json={"jwt": ""}))
    with pytest.raises(AnswerError, match="empty"):
        await settle(client.get_token(skip_cache=True))


async def test_sign_out_ends_the_session_and_keeps_the_client(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    assert (await settle(client.sign_out())).ok
    assert server.sent[-1] == "DELETE /v1/client/sessions"
    assert not client.is_signed_in
    assert client.client_token == "second"


async def test_signing_out_of_one_session_takes_it_off_the_client(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    assert client.session is not None
    session_id = client.session.id
    server.sessions = []
    server.faults.append(httpx.Response(200, json={"response": {}, "client": server.client()}))
    assert (await settle(client.sign_out(session_id=session_id))).ok
    assert server.sent[-1] == f"POST /v1/client/sessions/{session_id}/remove"
    assert not client.is_signed_in
    again = await settle(client.sign_out(session_id=session_id))
    assert again.error is not None
    assert again.error.code == "session_not_found"


async def test_waiting_session_is_there_but_does_not_count(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    server.sessions[0] |= {"status": "pending", "tasks": [{"key": "setup-mfa"}]}
    assert (await settle(client.load())).ok
    assert not client.is_signed_in
    assert client.session is not None
    assert client.session.current_task is not None
    assert client.user is not None


async def test_another_session_becomes_the_active_one(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    server.sessions.append(server.sessions[0] | {"id": "sess_9"})
    assert (await settle(client.set_active("sess_9"))).ok
    assert client.session is not None
    assert client.session.id == "sess_9"
    assert server.form() == {"intent": "select_session"}
    assert (await settle(client.set_active(None))).ok
    assert not client.is_signed_in
    unknown = await settle(client.set_active("sess_0"))
    assert unknown.error is not None
    assert unknown.error.code == "session_not_found"


async def test_token_of_a_session_that_ended_elsewhere_is_none(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    session: Any = client.session
    await settle(client.set_active(None))
    server.sessions = []
    assert await settle(session.get_token(skip_cache=True)) is None
    assert client.sessions == ()


async def test_failed_sign_out_stays_signed_in(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    server.faults.append(httpx.ConnectError("gone"))
    assert isinstance((await settle(client.sign_out())).error, NetworkError)
    assert client.is_signed_in


async def test_load_reports_its_failure(client: AnyClient, server: FakeServer) -> None:
    server.faults.append(httpx.Response(200, text="hello"))
    assert isinstance((await settle(client.load())).error, AnswerError)
    assert (await settle(client.load())).ok


def test_client_closes_only_what_it_opened() -> None:
    with Client(URL) as client:
        own = client.driver.http
    assert own.is_closed
    given = httpx.Client()
    with Client(URL, http_client=given):
        pass
    assert not given.is_closed


async def test_async_client_closes_only_what_it_opened() -> None:
    async with AsyncClient(URL) as client:
        own = client.driver.http
    assert own.is_closed
    given = httpx.AsyncClient()
    async with AsyncClient(URL, http_client=given):
        pass
    assert not given.is_closed


def test_url_has_no_trailing_slash() -> None:
    with Client(f"{URL}/") as client:
        assert client.url == URL


def test_timeout_is_handed_to_httpx() -> None:
    with Client(URL, timeout=3) as client:
        assert client.driver.http.timeout == httpx.Timeout(3)
