"""A session that waits: the server asks everybody for a second step."""

from __future__ import annotations

import pytest

from doorcode.client import ApiError, JwksCache, TokenPendingError, verify_token

from ..conftest import AnyClient, Opener, settle
from .people import done, made, prove_email_address, sign_up
from .server import RealServer

SETTINGS = {
    "mfa": {"required": True},
    "auth_phone": {"used_for_second_factor": True},
    "auth_backup_code": {"enabled": True},
}


async def test_session_waits_until_two_steps_are_set_up(
    client: AnyClient, real_server: RealServer, phone_number: str, email_address: str
) -> None:
    await sign_up(client, real_server, email_address=email_address)
    assert client.session is not None
    assert client.session.status == "pending"
    assert client.session.current_task is not None
    assert client.session.current_task.key == "setup-mfa"
    assert not client.is_signed_in
    waiting = await settle(client.get_token())
    assert waiting is not None
    keys = JwksCache(real_server.url)
    assert verify_token(waiting, keys, allow_pending=True).status == "pending"
    with pytest.raises(TokenPendingError):
        verify_token(waiting, keys)
    assert client.user is not None
    phone = await made(client.user.create_phone_number(phone_number=phone_number))
    await made(phone.prepare_verification())
    await made(phone.attempt_verification(code=real_server.code(phone_number)))
    await made(phone.set_reserved_for_second_factor(reserved=True))
    assert phone.backup_codes
    assert client.is_signed_in
    assert client.session is not None
    assert client.session.current_task is None
    token = await settle(client.get_token())
    assert token is not None
    assert verify_token(token, keys).status != "pending"


async def test_waiting_session_is_found_again(
    client: AnyClient, open_client: Opener, real_server: RealServer, email_address: str
) -> None:
    await sign_up(client, real_server, email_address=email_address)
    later = open_client(client_token=client.client_token)
    await done(later.load())
    assert not later.is_signed_in
    assert later.session is not None
    assert later.session.current_task is not None


async def test_waiting_session_changes_nothing_else(
    client: AnyClient, real_server: RealServer, email_address: str
) -> None:
    await sign_up(client, real_server, email_address=email_address)
    assert client.user is not None
    session_id = client.session.id if client.session is not None else ""
    with pytest.raises(ApiError):
        await settle(client.user.update(first_name="Mallory"))
    await done(client.sign_out(session_id=session_id))
    assert client.session is None
    await prove_email_address(client, real_server, email_address)
    await done(client.sign_in.finalize())
    assert client.user is not None
    assert client.user.first_name is None
