"""A server that lets in whom it knows: invitations, sign-in tokens, and the waitlist."""

from __future__ import annotations

import httpx

from ..conftest import AnyClient, Opener
from .people import done, new_email_address, refused
from .server import RealServer

SETTINGS = {"sign_up_mode": "waitlist", "auth_first_name": {"used_for_sign_up": True}}


def ticket_of(url: str) -> str:
    """The ticket in the link of an invitation."""
    return httpx.URL(url).params["ticket"]


def invite(server: RealServer, address: str) -> str:
    """Invite an address; the ticket."""
    body = {"email_address": address, "notify": False, "public_metadata": {"team": "a"}}
    return ticket_of(server.backend("POST", "/invitations", body)["url"])


async def test_stranger_may_wait_but_not_sign_up(client: AnyClient, email_address: str) -> None:
    code = await refused(client.sign_up.create(email_address=email_address))
    assert code == "sign_up_restricted_waitlist"
    assert client.waitlist.id is None
    await done(client.waitlist.join(email_address=email_address))
    place = client.waitlist.id
    assert place
    await done(client.waitlist.join(email_address=email_address))
    assert client.waitlist.id == place


async def test_malformed_address_is_told_beside_its_field(client: AnyClient) -> None:
    code = await refused(client.waitlist.join(email_address="nonsense"))
    assert code == "form_param_format_invalid"
    assert client.waitlist.errors.fields.email_address is not None
    await done(client.waitlist.join(email_address=new_email_address()))
    assert client.waitlist.errors.raw == ()


async def test_invitation_signs_up_without_a_code(
    client: AnyClient, real_server: RealServer, email_address: str
) -> None:
    ticket = invite(real_server, email_address)
    await done(client.sign_up.create(ticket=ticket, first_name="Ada"))
    assert client.sign_up.status == "complete"
    await done(client.sign_up.finalize())
    assert client.user is not None
    assert client.user.first_name == "Ada"
    assert client.user.public_metadata == {"team": "a"}
    assert client.user.primary_email_address is not None
    assert client.user.primary_email_address.email_address == email_address
    assert real_server.messages(email_address) == []


async def test_invitation_works_once(
    client: AnyClient, open_client: Opener, real_server: RealServer, email_address: str
) -> None:
    ticket = invite(real_server, email_address)
    await done(client.sign_up.ticket(ticket=ticket))
    other = open_client()
    assert await refused(other.sign_up.ticket(ticket=ticket))
    assert not other.is_signed_in


async def test_sign_in_token_signs_in_once(
    client: AnyClient, open_client: Opener, real_server: RealServer, email_address: str
) -> None:
    await done(client.sign_up.ticket(ticket=invite(real_server, email_address)))
    body = {"user_id": client.sign_up.created_user_id}
    ticket = real_server.backend("POST", "/sign_in_tokens", body)["token"]
    other, third = open_client(), open_client()
    await done(other.sign_in.ticket(ticket=ticket))
    assert other.sign_in.status == "complete"
    await done(other.sign_in.finalize())
    assert other.user is not None
    assert other.user.id == client.sign_up.created_user_id
    assert await refused(third.sign_in.create(ticket=ticket))
    assert not third.is_signed_in


async def test_nonsense_is_no_ticket(client: AnyClient) -> None:
    assert await refused(client.sign_in.ticket(ticket="nonsense"))
    assert await refused(client.sign_up.ticket(ticket="nonsense"))
