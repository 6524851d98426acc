"""The SDK against the real server, in its own process: what a person does, start to end."""

from __future__ import annotations

import httpx
import pytest

from doorcode.client import (
    AsyncJwksCache,
    JwksCache,
    TokenPartyError,
    UnknownKeyError,
    verify_token,
    verify_token_async,
)

from ..conftest import AnyClient, Opener, settle
from ..token_maker import TokenMaker
from .people import new_phone_number, sign_up
from .server import RealServer


async def test_phone_sign_up_goes_through_its_states(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    attempt = client.sign_up
    await settle(attempt.create(phone_number=phone_number, unsafe_metadata={"plan": "free"}))
    assert attempt.status == "missing_requirements"
    assert attempt.unverified_fields == ("phone_number",)
    assert attempt.missing_fields == ()
    assert attempt.required_fields == ()
    assert set(attempt.optional_fields) >= {"phone_number", "email_address"}
    await settle(attempt.verifications.send_phone_code())
    assert attempt.verifications.phone_number is not None
    assert attempt.verifications.phone_number.strategy == "phone_code"
    assert attempt.verifications.phone_number.expire_at is not None
    await settle(attempt.verifications.verify_phone_code(code=real_server.code(phone_number)))
    assert attempt.status == "complete"
    assert not client.is_signed_in
    await settle(attempt.finalize())
    assert client.user is not None
    assert client.user.unsafe_metadata == {"plan": "free"}
    assert client.user.primary_phone_number is not None
    assert client.user.primary_phone_number.phone_number == phone_number


async def test_phone_sign_in_after_sign_out(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number)
    assert (await settle(client.sign_out())).ok
    assert not client.is_signed_in
    assert (await settle(client.sign_in.phone_code.send_code(phone_number=phone_number))).ok
    assert client.sign_in.status == "needs_first_factor"
    code = real_server.code(phone_number)
    assert (await settle(client.sign_in.phone_code.verify_code(code=code))).ok
    assert client.sign_in.status == "complete"
    assert (await settle(client.sign_in.finalize())).ok
    assert client.is_signed_in


async def test_email_sign_up_then_sign_in(
    client: AnyClient, real_server: RealServer, email_address: str
) -> None:
    await settle(client.sign_up.create(email_address=email_address, first_name="Ada"))
    assert client.sign_up.unverified_fields == ("email_address",)
    await settle(client.sign_up.email_code.send_code())
    await settle(client.sign_up.email_code.verify_code(code=real_server.code(email_address)))
    assert (await settle(client.sign_up.finalize())).ok
    await settle(client.sign_out())
    await settle(client.sign_in.email_code.send_code(email_address=email_address))
    await settle(client.sign_in.email_code.verify_code(code=real_server.code(email_address)))
    assert (await settle(client.sign_in.finalize())).ok
    assert client.user is not None
    assert client.user.primary_email_address is not None
    assert client.user.primary_email_address.email_address == email_address


async def test_wrong_code_is_told_and_the_right_one_still_works(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await settle(client.sign_up.create(phone_number=phone_number))
    await settle(client.sign_up.verifications.send_phone_code())
    code = real_server.code(phone_number)
    wrong = real_server.wrong_code(phone_number)
    result = await settle(client.sign_up.verifications.verify_phone_code(code=wrong))
    assert result.error is not None
    assert (result.error.code, result.error.status) == ("form_code_incorrect", 422)
    assert client.sign_up.errors.fields.code is not None
    assert "is incorrect" in client.sign_up.errors.fields.code.message
    assert (await settle(client.sign_up.verifications.verify_phone_code(code=code))).ok


async def test_five_wrong_codes_end_the_verification(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await settle(client.sign_up.create(phone_number=phone_number))
    await settle(client.sign_up.verifications.send_phone_code())
    code = real_server.code(phone_number)
    wrong = real_server.wrong_code(phone_number)
    verify = client.sign_up.verifications.verify_phone_code
    results = [await settle(verify(code=wrong)) for _ in range(5)]
    codes = [result.error.code for result in results if result.error is not None]
    assert codes == ["form_code_incorrect"] * 4 + ["verification_failed"]
    assert (await settle(verify(code=code))).error is not None


@pytest.mark.parametrize("number", ["nonsense", "4155552671", "+1415", "0014155552671"])
async def test_malformed_number_is_told_beside_its_field(
    client: AnyClient, real_server: RealServer, number: str
) -> None:
    await settle(client.sign_up.create(phone_number=number))
    await settle(client.sign_up.verifications.send_phone_code())
    assert client.sign_up.errors.fields.phone_number is not None
    assert client.sign_up.errors.fields.phone_number.code == "form_param_format_invalid"
    assert client.sign_up.unverified_fields == ()


async def test_failed_create_sends_no_code_to_the_older_number(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await settle(client.sign_up.create(phone_number=phone_number))
    await settle(client.sign_up.create(phone_number="nonsense"))
    await settle(client.sign_up.verifications.send_phone_code())
    assert real_server.messages(phone_number) == []


async def test_unknown_and_malformed_identifiers_at_sign_in(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await settle(client.sign_in.phone_code.send_code(phone_number=phone_number))
    assert client.sign_in.errors.fields.identifier is not None
    assert client.sign_in.errors.fields.identifier.code == "form_identifier_not_found"
    await settle(client.sign_in.phone_code.send_code(phone_number="nonsense"))
    assert client.sign_in.errors.fields.identifier is not None


async def test_taken_number_is_told_at_sign_up(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number)
    await settle(client.sign_out())
    await settle(client.sign_up.create(phone_number=phone_number))
    assert client.sign_up.errors.fields.phone_number is not None
    assert client.sign_up.errors.fields.phone_number.code == "form_identifier_exists"


async def test_sign_up_while_signed_in_is_refused(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number)
    await settle(client.sign_up.create(phone_number=new_phone_number()))
    assert client.sign_up.errors.global_[0].code == "session_exists"
    assert client.is_signed_in


async def test_token_passes_the_check_with_the_servers_keys(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number)
    for token in (
        await settle(client.get_token()),
        await settle(client.get_token(skip_cache=True)),
    ):
        assert token is not None
        claims = verify_token(token, JwksCache(real_server.url))
        assert client.user is not None
        assert client.session is not None
        assert (claims.user_id, claims.session_id) == (client.user.id, client.session.id)
        verify_token(token, JwksCache(real_server.url), issuer=claims.issuer)
        keys = AsyncJwksCache(real_server.url)
        assert await verify_token_async(token, keys) == claims


async def test_token_from_outside_a_browser_has_no_party(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number)
    token = await settle(client.get_token(skip_cache=True)) or ""
    keys = JwksCache(real_server.url)
    assert verify_token(token, keys, authorized_parties=[None]).authorized_party is None
    with pytest.raises(TokenPartyError):
        verify_token(token, keys, authorized_parties=["https://app.example.com"])
    with pytest.raises(UnknownKeyError):
        verify_token(token, TokenMaker("another").jwks)


async def test_saved_client_token_resumes_sign_up_and_session(
    open_client: Opener, real_server: RealServer, phone_number: str
) -> None:
    client = open_client()
    await settle(client.sign_up.create(phone_number=phone_number))
    await settle(client.sign_up.verifications.send_phone_code())
    later = open_client(client_token=client.client_token)
    code = real_server.code(phone_number)
    await settle(later.sign_up.verifications.verify_phone_code(code=code))
    assert (await settle(later.sign_up.finalize())).ok
    assert later.client_token != client.client_token
    last = open_client(client_token=later.client_token)
    assert (await settle(last.load())).ok
    assert last.is_signed_in
    assert len(real_server.messages(phone_number)) == 1


async def test_foreign_client_cannot_use_an_attempt(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await settle(client.sign_up.create(phone_number=phone_number))
    path = f"/v1/client/sign_ups/{client.sign_up.id}/prepare_verification"
    reply = httpx.post(real_server.url + path, data={"strategy": "phone_code"})
    assert reply.status_code == 404
    assert reply.json()["errors"][0]["code"] == "resource_not_found"


async def test_sign_out_elsewhere_signs_out_here(
    open_client: Opener, real_server: RealServer, phone_number: str
) -> None:
    client = open_client()
    await sign_up(client, real_server, phone_number=phone_number)
    twin = open_client(client_token=client.client_token)
    assert (await settle(twin.sign_out())).ok
    assert await settle(client.get_token(skip_cache=True)) is None
    assert not client.is_signed_in
