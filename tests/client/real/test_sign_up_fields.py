"""Sign-ups that must bring more than one address: names, consent, both addresses proven."""

from __future__ import annotations

import pytest

from ..conftest import AnyClient, Opener
from .people import done, new_email_address, new_phone_number, refused, sign_up
from .server import RealServer

SETTINGS = {
    "auth_phone": {"required": True},
    "auth_email": {"required": True},
    "auth_username": {"used_for_sign_up": True, "required": True},
    "auth_first_name": {"used_for_sign_up": True, "required": True},
    "auth_last_name": {"used_for_sign_up": True},
    "legal_consent": {"enabled": True},
}


@pytest.fixture
def username(phone_number: str) -> str:
    return f"ada_{phone_number[-4:]}"


async def test_sign_up_comes_together_in_small_steps(
    client: AnyClient,
    real_server: RealServer,
    phone_number: str,
    email_address: str,
    username: str,
) -> None:
    attempt = client.sign_up
    await done(attempt.create(phone_number=phone_number, locale="de-AT"))
    assert set(attempt.missing_fields) == {
        "email_address",
        "username",
        "first_name",
        "legal_accepted",
    }
    assert "phone_number" in attempt.unverified_fields
    assert "last_name" in attempt.optional_fields
    await done(attempt.update(email_address=email_address, first_name="Ada", last_name="King"))
    assert set(attempt.unverified_fields) == {"phone_number", "email_address"}
    assert set(attempt.missing_fields) == {"username", "legal_accepted"}
    await done(attempt.verifications.send_phone_code())
    code = real_server.code(phone_number)
    await done(attempt.verifications.verify_phone_code(code=code))
    await done(attempt.verifications.send_email_code())
    code = real_server.code(email_address)
    await done(attempt.verifications.verify_email_code(code=code))
    assert attempt.status == "missing_requirements"
    assert not attempt.unverified_fields
    await done(attempt.update(username=username, unsafe_metadata={"plan": "free"}))
    assert attempt.legal_accepted_at is None
    await done(attempt.update(legal_accepted=True))
    assert attempt.status == "complete"
    assert attempt.legal_accepted_at is not None
    await done(attempt.finalize())
    user = client.user
    assert user is not None
    assert (user.username, user.full_name, user.locale) == (username, "Ada King", "de-AT")
    assert user.unsafe_metadata == {"plan": "free"}
    assert user.legal_accepted_at is not None
    assert user.primary_phone_number is not None
    assert user.primary_email_address is not None


async def test_changed_address_must_be_proven_anew(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    attempt, other = client.sign_up, new_phone_number()
    await done(attempt.create(phone_number=phone_number))
    await done(attempt.verifications.send_phone_code())
    code = real_server.code(phone_number)
    await done(attempt.verifications.verify_phone_code(code=code))
    assert not attempt.unverified_fields
    await done(attempt.update(phone_number=other))
    assert "phone_number" in attempt.unverified_fields
    await done(attempt.verifications.send_phone_code())
    await done(attempt.verifications.verify_phone_code(code=real_server.code(other)))
    assert not attempt.unverified_fields


async def test_taken_username_is_told_beside_its_field(
    client: AnyClient,
    open_client: Opener,
    real_server: RealServer,
    phone_number: str,
    email_address: str,
    username: str,
) -> None:
    await sign_up(
        client,
        real_server,
        phone_number=phone_number,
        email_address=email_address,
        username=username,
        first_name="Ada",
        legal_accepted=True,
    )
    attempt = open_client().sign_up
    code = await refused(attempt.create(email_address=new_email_address(), username=username))
    assert code == "form_identifier_exists"
    assert attempt.errors.fields.username is not None


async def test_consent_that_is_refused_is_told_beside_its_field(
    client: AnyClient, email_address: str
) -> None:
    await done(client.sign_up.create(email_address=email_address))
    assert await refused(client.sign_up.update(legal_accepted=False))
    assert client.sign_up.errors.fields.legal_accepted is not None
    assert "legal_accepted" in client.sign_up.missing_fields
