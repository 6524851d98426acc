"""Objects that can be acted upon: how they are tied to a client, and how they change."""

from __future__ import annotations

import httpx
import pytest

from doorcode.client import UsageError, User
from doorcode.client.addresses import EmailAddress
from doorcode.client.flow import SyncDriver
from doorcode.client.live import Tie, tied

from .conftest import AnyClient, settle
from .fake_server import FakeServer
from .test_client import sign_up


def test_object_made_by_hand_cannot_be_acted_upon() -> None:
    user: User[SyncDriver] = User(id="user_1")
    with pytest.raises(UsageError, match="a client gave"):
        user.reload()


def test_object_cannot_be_written_to() -> None:
    user: User[SyncDriver] = User(id="user_1")
    with pytest.raises(AttributeError):
        user.first_name = "Mallory"  # type: ignore[misc]


def test_tie_shows_neither_in_text_nor_in_comparison() -> None:
    plain: EmailAddress[SyncDriver] = EmailAddress(id="idn_1", email_address="ada@example.com")
    same: EmailAddress[SyncDriver] = EmailAddress(id="idn_1", email_address="ada@example.com")
    line: Tie[SyncDriver] = Tie(None, "sess_secret")  # type: ignore[arg-type]
    assert tied(same, line) == plain
    assert repr(same) == repr(plain)


async def test_every_part_of_a_user_is_tied_to_its_session(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    assert client.user is not None
    server.faults.append(httpx.Response(200, json={"response": {"deleted": True}}))
    await settle(client.user.phone_numbers[0].destroy())
    assert client.session is not None
    assert server.requests[-1].url.params["_clerk_session_id"] == client.session.id


async def test_object_without_its_session_keeps_what_it_said(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    user = client.user
    assert user is not None
    server.sessions = []
    server.faults.append(httpx.Response(200, json={"response": {}, "client": server.client()}))
    await settle(user.update(first_name="Grace"))
    assert user.first_name == "Ada"
    assert client.user is None
