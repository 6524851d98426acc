"""Proving again, in a session under way, that it is still the same person."""

from __future__ import annotations

import pytest

from doorcode.client import ApiError, JwksCache, verify_token

from ..conftest import AnyClient, settle
from .people import made, new_email_address, sign_up
from .server import RealServer

SETTINGS = {
    "reverification": {"enabled": True},
    "auth_phone": {"used_for_second_factor": True},
    "auth_backup_code": {"enabled": True},
}


@pytest.fixture
async def backup_codes(
    client: AnyClient, real_server: RealServer, phone_number: str, email_address: str
) -> tuple[str, ...]:
    """Sign a person up who sets two steps up; the session has proven the first one only."""
    await sign_up(client, real_server, phone_number=phone_number, email_address=email_address)
    assert client.user is not None
    phone = client.user.phone_numbers[0]
    await settle(phone.set_reserved_for_second_factor(reserved=True))
    return phone.backup_codes or ()


async def ages(client: AnyClient, server: RealServer) -> tuple[int, int] | None:
    """The minutes since both factors were proven, as a service reads them."""
    token = await settle(client.get_token())
    assert token is not None
    return verify_token(token, JwksCache(server.url)).factor_verification_age


async def test_change_asks_for_a_second_proof_first(
    client: AnyClient,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    phone_number: str,
) -> None:
    assert client.user is not None
    assert client.session is not None
    with pytest.raises(ApiError) as caught:
        await made(client.user.create_email_address(email_address=new_email_address()))
    assert (caught.value.code, caught.value.status) == ("session_reverification_required", 403)
    assert await ages(client, real_server) == (0, -1)
    session = client.session
    proof = await settle(session.start_verification(level="second_factor"))
    assert (proof.status, proof.level) == ("needs_second_factor", "second_factor")
    factor = (proof.supported_second_factors or ())[0]
    assert factor.strategy == "phone_code"
    proof = await settle(session.prepare_second_factor_verification(factor))
    assert proof.second_factor_verification is not None
    assert proof.second_factor_verification.status == "unverified"
    attempt = session.attempt_second_factor_verification
    with pytest.raises(ApiError) as caught:
        wrong = real_server.wrong_code(phone_number)
        await settle(attempt(strategy="phone_code", code=wrong))
    assert caught.value.code == "form_code_incorrect"
    code = real_server.code(phone_number)
    proof = await settle(attempt(strategy="phone_code", code=code))
    assert proof.status == "complete"
    assert session.factor_verification_age == (0, 0)
    assert await ages(client, real_server) == (0, 0)
    await made(client.user.create_email_address(email_address=new_email_address()))


async def test_backup_code_proves_as_well(
    client: AnyClient, real_server: RealServer, backup_codes: tuple[str, ...]
) -> None:
    session = client.session
    assert session is not None
    await settle(session.start_verification(level="second_factor"))
    attempt = session.attempt_second_factor_verification
    proof = await settle(attempt(strategy="backup_code", code=backup_codes[0]))
    assert proof.status == "complete"
    assert await ages(client, real_server) == (0, 0)


async def test_both_factors_are_proven_one_after_the_other(
    client: AnyClient,
    real_server: RealServer,
    backup_codes: tuple[str, ...],
    phone_number: str,
    email_address: str,
) -> None:
    session = client.session
    assert session is not None
    proof = await settle(session.start_verification(level="multi_factor"))
    assert proof.status == "needs_first_factor"
    factor = (proof.supported_first_factors or ())[0]
    await settle(session.prepare_first_factor_verification(factor))
    code = real_server.code(email_address)
    first = session.attempt_first_factor_verification
    proof = await settle(first(strategy="email_code", code=code))
    assert proof.status == "needs_second_factor"
    factor = (proof.supported_second_factors or ())[0]
    await settle(session.prepare_second_factor_verification(factor))
    code = real_server.code(phone_number)
    second = session.attempt_second_factor_verification
    proof = await settle(second(strategy="phone_code", code=code))
    assert proof.status == "complete"


async def test_person_with_one_factor_proves_that_one(
    client: AnyClient, real_server: RealServer, email_address: str
) -> None:
    await sign_up(client, real_server, email_address=email_address)
    session = client.session
    assert session is not None
    proof = await settle(session.start_verification(level="second_factor"))
    assert (proof.status, proof.level) == ("needs_first_factor", "first_factor")
    factor = (proof.supported_first_factors or ())[0]
    await settle(session.prepare_first_factor_verification(factor))
    attempt = session.attempt_first_factor_verification
    code = real_server.code(email_address)
    assert (await settle(attempt(strategy="email_code", code=code))).status == "complete"


async def test_code_before_a_beginning_is_refused(
    client: AnyClient, real_server: RealServer, email_address: str
) -> None:
    await sign_up(client, real_server, email_address=email_address)
    assert client.session is not None
    with pytest.raises(ApiError):
        attempt = client.session.attempt_first_factor_verification
        await settle(attempt(strategy="email_code", code="123456"))
    assert client.is_signed_in
