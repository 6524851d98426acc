"""Two steps at sign-in: setting them up, and going through them."""

from __future__ import annotations

import pytest

from doorcode.client import JwksCache, verify_token

from ..conftest import AnyClient, Opener, settle
from .people import done, prove_email_address, prove_phone_number, refused, sign_up
from .server import RealServer

SETTINGS = {
    "auth_phone": {"used_for_second_factor": True},
    "auth_backup_code": {"enabled": True},
    "client_trust": {"enabled": True},
}


async def set_up_two_steps(client: AnyClient) -> tuple[str, ...]:
    """Reserve the user's phone for the second step; the backup codes that this makes."""
    assert client.user is not None
    phone = client.user.phone_numbers[0]
    await settle(phone.set_reserved_for_second_factor(reserved=True))
    assert phone.reserved_for_second_factor
    assert phone.backup_codes is not None
    return phone.backup_codes


@pytest.fixture
async def backup_codes(
    client: AnyClient, real_server: RealServer, phone_number: str, email_address: str
) -> tuple[str, ...]:
    """A person with two steps, who has signed out; their backup codes."""
    await sign_up(client, real_server, phone_number=phone_number, email_address=email_address)
    codes = await set_up_two_steps(client)
    await done(client.sign_out())
    return codes


async def test_setting_up_two_steps_shows_on_the_user(
    client: AnyClient, real_server: RealServer, phone_number: str, email_address: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number, email_address=email_address)
    user = client.user
    assert user is not None
    assert (user.two_factor_enabled, user.backup_code_enabled) == (False, False)
    codes = await set_up_two_steps(client)
    assert len(set(codes)) == len(codes) >= 8
    assert client.user is not None
    assert client.user.two_factor_enabled
    assert client.user.backup_code_enabled
    await settle(client.user.phone_numbers[0].make_default_second_factor())
    assert client.user.phone_numbers[0].default_second_factor
    await settle(client.user.phone_numbers[0].set_reserved_for_second_factor(reserved=False))
    assert not client.user.two_factor_enabled
    assert not client.user.backup_code_enabled


async def test_phone_code_is_the_second_step(
    client: AnyClient,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    phone_number: str,
    email_address: str,
) -> None:
    sign_in = client.sign_in
    await prove_email_address(client, real_server, email_address)
    assert sign_in.status == "needs_second_factor"
    assert sign_in.created_session_id is None
    assert [one.strategy for one in sign_in.supported_second_factors] == [
        "phone_code",
        "backup_code",
    ]
    await done(sign_in.mfa.send_phone_code())
    assert sign_in.second_factor_verification is not None
    assert sign_in.second_factor_verification.strategy == "phone_code"
    wrong = real_server.wrong_code(phone_number)
    assert await refused(sign_in.mfa.verify_phone_code(code=wrong)) == "form_code_incorrect"
    assert sign_in.errors.fields.code is not None
    assert not client.is_signed_in
    await done(sign_in.mfa.verify_phone_code(code=real_server.code(phone_number)))
    assert sign_in.status == "complete"
    await done(sign_in.finalize())
    assert client.is_signed_in


async def test_token_says_that_both_were_proven(
    client: AnyClient,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    phone_number: str,
    email_address: str,
) -> None:
    await prove_email_address(client, real_server, email_address)
    await done(client.sign_in.mfa.send_phone_code())
    await done(client.sign_in.mfa.verify_phone_code(code=real_server.code(phone_number)))
    await done(client.sign_in.finalize())
    token = await settle(client.get_token())
    assert token is not None
    claims = verify_token(token, JwksCache(real_server.url))
    assert claims.factor_verification_age == (0, 0)
    assert client.session is not None
    assert client.session.factor_verification_age == (0, 0)


async def test_backup_code_signs_in_once(
    client: AnyClient,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    email_address: str,
) -> None:
    await prove_email_address(client, real_server, email_address)
    verify = client.sign_in.mfa.verify_backup_code
    assert await refused(verify(code="wrongwrong")) == "form_code_incorrect"
    await done(verify(code=backup_codes[0]))
    await done(client.sign_in.finalize())
    assert client.is_signed_in
    await done(client.sign_out())
    await prove_email_address(client, real_server, email_address)
    assert await refused(verify(code=backup_codes[0])) == "form_code_incorrect"
    await done(verify(code=backup_codes[1]))


async def test_reserved_phone_is_no_first_step(
    client: AnyClient,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    phone_number: str,
) -> None:
    assert await refused(client.sign_in.phone_code.send_code(phone_number=phone_number)) == (
        "factor_not_found"
    )
    strategies = [one.strategy for one in client.sign_in.supported_first_factors]
    assert strategies == ["email_code"]


async def test_mail_is_no_second_step_after_mail(
    client: AnyClient, real_server: RealServer, backup_codes: tuple[str, ...], email_address: str
) -> None:
    await prove_email_address(client, real_server, email_address)
    assert await refused(client.sign_in.mfa.send_email_code()) == "factor_not_found"


async def test_sign_in_half_way_goes_on_in_another_process(
    client: AnyClient,
    open_client: Opener,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    phone_number: str,
    email_address: str,
) -> None:
    await prove_email_address(client, real_server, email_address)
    later = open_client(client_token=client.client_token)
    await done(later.load())
    assert later.sign_in.status == "needs_second_factor"
    await done(later.sign_in.mfa.send_phone_code())
    await done(later.sign_in.mfa.verify_phone_code(code=real_server.code(phone_number)))
    await done(later.sign_in.finalize())


async def test_fresh_backup_codes_end_the_older_ones(
    client: AnyClient, real_server: RealServer, phone_number: str, email_address: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number, email_address=email_address)
    older = await set_up_two_steps(client)
    assert client.user is not None
    fresh = (await settle(client.user.create_backup_code())).codes
    assert not set(fresh) & set(older)
    await done(client.sign_out())
    await prove_email_address(client, real_server, email_address)
    verify = client.sign_in.mfa.verify_backup_code
    assert await refused(verify(code=older[0])) == "form_code_incorrect"
    await done(verify(code=fresh[0]))


async def test_new_client_is_asked_for_a_second_channel(
    open_client: Opener, real_server: RealServer, phone_number: str, email_address: str
) -> None:
    known, new = open_client(), open_client()
    await sign_up(known, real_server, phone_number=phone_number, email_address=email_address)
    await prove_phone_number(new, real_server, phone_number)
    assert new.sign_in.status == "needs_client_trust"
    await done(new.sign_in.mfa.send_email_code())
    await done(new.sign_in.mfa.verify_email_code(code=real_server.code(email_address)))
    assert new.sign_in.status == "complete"
    await done(new.sign_in.finalize())
    await done(known.sign_out())
    await prove_phone_number(known, real_server, phone_number)
    assert known.sign_in.status == "complete"
