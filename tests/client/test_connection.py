"""The client's cookie, lazy loading, and what happens when a session is lost."""

from __future__ import annotations

import httpx
import pytest

from doorcode.client import Client, NotLoadedError, UsageError
from doorcode.client.connection import check_url

from .conftest import URL, AnyClient, Opener, settle
from .fake_server import CODE, PHONE, FakeServer, refusal


async def sign_up(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    await settle(client.sign_up.finalize())


@pytest.mark.parametrize("url", ["http://localhost:8787/", "https://a.example/__clerk"])
def test_server_url_is_accepted(url: str) -> None:
    assert check_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8787", "ftp://a", "http://", "http://a/?x=1", "http://a/#x", "http://a:b"],
)
def test_anything_else_is_no_server_url(url: str) -> None:
    with pytest.raises(UsageError, match="URL"):
        Client(url)


async def test_client_token_follows_the_cookie(client: AnyClient) -> None:
    assert client.client_token is None
    await settle(client.sign_up.create(phone_number=PHONE))
    assert client.client_token == "first"
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    assert client.client_token == "second"


async def test_restored_token_is_replaced_not_doubled(
    open_client: Opener, server: FakeServer
) -> None:
    server.users.add(PHONE)
    server.cookie = "first"
    client = open_client(client_token="first")
    await settle(client.sign_in.phone_code.send_code(phone_number=PHONE))
    await settle(client.sign_in.phone_code.verify_code(code=CODE))
    await settle(client.sign_in.finalize())
    assert server.requests[-1].headers["cookie"] == "__client=second"


async def test_cookie_with_another_path_replaces_the_older(
    open_client: Opener, server: FakeServer
) -> None:
    client = open_client(client_token="first")
    moved = {"set-cookie": "__client=moved; Path=/v1"}
    server.faults.append(httpx.Response(200, json={"response": None}, headers=moved))
    await settle(client.load())
    await settle(client.load())
    assert server.requests[-1].headers["cookie"] == "__client=moved"


def test_restored_token_counts_before_the_host_s_own_cookie_of_an_earlier_client(
    server: FakeServer,
) -> None:
    """The server believes the cookie that no other host can set, where there is one."""
    http = httpx.Client(transport=httpx.MockTransport(server))
    http.cookies.set("__Host-__client", "another", domain="localhost.local")
    client = Client(URL, client_token="first", http_client=http)
    client.load()
    assert server.requests[-1].headers["cookie"] == "__client=first"


@pytest.mark.parametrize("token", ["", "a;b", "a b", "a\r\nSet-Cookie: x=y", "ä", 'a"b'])
def test_token_that_no_cookie_can_carry_raises(open_client: Opener, token: str) -> None:
    with pytest.raises(UsageError, match="client_token"):
        open_client(client_token=token)


def test_restored_client_cannot_be_read_before_loading(open_client: Opener) -> None:
    client = open_client(client_token="first")
    for read in (
        lambda: client.is_signed_in,
        lambda: client.user,
        lambda: client.sign_up.status,
        lambda: client.sign_in.identifier,
    ):
        with pytest.raises(NotLoadedError, match="load"):
            read()


async def test_restored_client_is_loaded_by_its_first_call(
    open_client: Opener, server: FakeServer
) -> None:
    earlier = open_client()
    await sign_up(earlier)
    later = open_client(client_token=earlier.client_token)
    assert await settle(later.get_token()) is not None
    assert later.is_signed_in
    assert server.sent[-1] == "GET /v1/client"


async def test_failed_loading_fails_the_call(open_client: Opener, server: FakeServer) -> None:
    client = open_client(client_token="first")
    server.faults.append(refusal(503, "internal_clerk_error"))
    result = await settle(client.sign_up.create(phone_number=PHONE))
    assert result.error is not None
    assert result.error.status == 503
    assert len(server.requests) == 1


async def test_revoked_session_is_noticed_on_401(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    server.sessions = []
    assert await settle(client.get_token(skip_cache=True)) is None
    assert not client.is_signed_in
    assert server.sent[-2:] == ["POST /v1/client/sessions/sess_2/tokens", "GET /v1/client"]


async def test_401_with_the_session_alive_is_an_error(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    server.faults += [refusal(401, "requires_captcha")]
    result = await settle(client.sign_out())
    assert result.error is not None
    assert result.error.code == "requires_captcha"
    assert client.is_signed_in


async def test_unreadable_client_after_401_keeps_the_401(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    odd = httpx.Response(200, json={"response": {"id": 3}})
    server.faults += [refusal(401, "authentication_invalid"), odd]
    result = await settle(client.sign_out())
    assert result.error is not None
    assert result.error.code == "authentication_invalid"


async def test_silence_after_401_keeps_the_401(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    server.faults += [refusal(401, "authentication_invalid"), httpx.ReadTimeout("slow")]
    result = await settle(client.sign_out())
    assert result.error is not None
    assert result.error.code == "authentication_invalid"
    assert client.is_signed_in
