"""Several accounts on one client, and attempts that take each other's proof over."""

from __future__ import annotations

from doorcode.client import JwksCache, verify_token

from ..conftest import AnyClient, Opener, settle
from .people import (
    done,
    new_phone_number,
    prove_phone_number,
    refused,
    sign_up,
)
from .server import RealServer

SETTINGS = {"session": {"single_session_mode": False}}


async def two_accounts(client: AnyClient, server: RealServer) -> tuple[str, str]:
    """Sign two people up on one client; their numbers. The second one is active."""
    first, second = new_phone_number(), new_phone_number()
    await sign_up(client, server, phone_number=first)
    await sign_up(client, server, phone_number=second)
    return first, second


def number_of(client: AnyClient) -> str | None:
    phone = client.user.primary_phone_number if client.user is not None else None
    return phone.phone_number if phone is not None else None


async def test_client_holds_two_accounts_and_changes_between_them(
    client: AnyClient, open_client: Opener, real_server: RealServer
) -> None:
    first, second = await two_accounts(client, real_server)
    assert number_of(client) == second
    assert len(client.sessions) == 2
    await done(client.set_active(client.sessions[0]))
    assert number_of(client) == first
    twin = open_client(client_token=client.client_token)
    await done(twin.load())
    assert number_of(twin) == first
    await done(twin.set_active(client.sessions[1].id))
    assert number_of(twin) == second


async def test_each_session_has_its_own_tokens(client: AnyClient, real_server: RealServer) -> None:
    await two_accounts(client, real_server)
    keys = JwksCache(real_server.url)
    for session in client.sessions:
        for skip_cache in (False, True):
            token = await settle(session.get_token(skip_cache=skip_cache))
            assert token is not None
            assert verify_token(token, keys).session_id == session.id


async def test_user_of_another_session_is_the_one_that_changes(
    client: AnyClient, real_server: RealServer
) -> None:
    await two_accounts(client, real_server)
    other = client.sessions[0].user
    assert other is not None
    await settle(other.update(unsafe_metadata={"mine": True}))
    assert other.unsafe_metadata == {"mine": True}
    assert client.user is not None
    assert client.user.unsafe_metadata == {}


async def test_signing_out_of_one_leaves_the_other(
    client: AnyClient, real_server: RealServer
) -> None:
    first, _ = await two_accounts(client, real_server)
    assert client.session is not None
    ended = client.session.id
    await done(client.sign_out(session_id=ended))
    assert not client.is_signed_in
    assert [session.id != ended for session in client.sessions] == [True]
    assert await refused(client.sign_out(session_id=ended)) == "session_not_found"
    assert await refused(client.set_active(ended)) == "session_not_found"
    await done(client.set_active(client.sessions[0]))
    assert number_of(client) == first


async def test_session_ends_itself(client: AnyClient, real_server: RealServer) -> None:
    await two_accounts(client, real_server)
    first, second = client.sessions
    await settle(first.end())
    assert first.status == "ended"
    await settle(second.remove())
    assert second.status == "removed"
    assert client.sessions == ()


async def test_no_session_is_active_where_none_is_wanted(
    client: AnyClient, real_server: RealServer
) -> None:
    await two_accounts(client, real_server)
    await done(client.set_active(None))
    assert not client.is_signed_in
    assert await settle(client.get_token()) is None
    assert len(client.sessions) == 2


async def test_person_who_is_here_already_is_led_to_their_session(
    client: AnyClient, real_server: RealServer
) -> None:
    first, _ = await two_accounts(client, real_server)
    assert client.sign_in.existing_session is None
    code = await refused(client.sign_in.phone_code.send_code(phone_number=first))
    assert code == "identifier_already_signed_in"
    assert client.sign_in.errors.raw[0].meta["session_id"] == client.sessions[0].id
    assert client.sign_in.existing_session is not None
    await done(client.set_active(client.sign_in.existing_session))
    assert number_of(client) == first


async def test_new_person_is_signed_up_on_the_way_in(
    client: AnyClient, real_server: RealServer, email_address: str
) -> None:
    sign_in = client.sign_in
    await done(sign_in.create(identifier=email_address, sign_up_if_missing=True))
    assert sign_in.status == "needs_first_factor"
    await done(sign_in.email_code.send_code())
    assert not sign_in.is_transferable
    verify = sign_in.email_code.verify_code
    code = await refused(verify(code=real_server.code(email_address)))
    assert code == "sign_up_if_missing_transfer"
    assert sign_in.is_transferable
    await done(client.sign_up.create(transfer=True))
    assert client.sign_up.status == "complete"
    await done(client.sign_up.finalize())
    assert client.user is not None
    assert client.user.primary_email_address is not None
    assert client.user.primary_email_address.email_address == email_address


async def test_known_person_is_signed_in_by_the_same_calls(
    client: AnyClient, open_client: Opener, real_server: RealServer, email_address: str
) -> None:
    await sign_up(client, real_server, email_address=email_address)
    other = open_client()
    await done(other.sign_in.create(identifier=email_address, sign_up_if_missing=True))
    await done(other.sign_in.email_code.send_code())
    await done(other.sign_in.email_code.verify_code(code=real_server.code(email_address)))
    await done(other.sign_in.finalize())
    assert other.user is not None
    assert client.user is not None
    assert other.user.id == client.user.id


async def test_sign_up_of_an_address_claimed_meanwhile_becomes_a_sign_in(
    open_client: Opener, real_server: RealServer, email_address: str
) -> None:
    late, early = open_client(), open_client()
    await done(late.sign_up.create(email_address=email_address))
    await done(late.sign_up.email_code.send_code())
    code = real_server.code(email_address)
    await sign_up(early, real_server, email_address=email_address)
    assert await refused(late.sign_up.email_code.verify_code(code=code)) == "identification_claimed"
    await done(late.sign_in.create(transfer=True))
    assert late.sign_in.status == "complete"
    await done(late.sign_in.finalize())
    assert late.user is not None
    assert early.user is not None
    assert late.user.id == early.user.id


async def test_nothing_proven_is_nothing_to_take_over(client: AnyClient) -> None:
    assert await refused(client.sign_in.create(transfer=True))
    assert await refused(client.sign_up.create(transfer=True))
    assert not client.is_signed_in


async def test_both_people_can_sign_in_again(client: AnyClient, real_server: RealServer) -> None:
    first, second = await two_accounts(client, real_server)
    await done(client.sign_out())
    assert client.sessions == ()
    for number in (first, second):
        await prove_phone_number(client, real_server, number)
        await done(client.sign_in.finalize())
        assert number_of(client) == number
    assert len(client.sessions) == 2
