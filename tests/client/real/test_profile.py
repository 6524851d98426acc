"""The user of a session: profile, picture, addresses, devices, and the end of the account."""

from __future__ import annotations

import base64

import httpx
import pytest

from doorcode.client import ApiError

from ..conftest import AnyClient, Opener, settle
from .people import (
    done,
    made,
    new_email_address,
    new_phone_number,
    prove_email_address,
    refused,
    sign_up,
)
from .server import RealServer

SETTINGS = {
    "auth_username": {"used_for_sign_up": True, "used_for_sign_in": True},
    "auth_first_name": {"used_for_sign_up": True},
    "auth_last_name": {"used_for_sign_up": True},
}
# A picture of one dot.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
)


@pytest.fixture
async def person(client: AnyClient, real_server: RealServer, phone_number: str) -> AnyClient:
    """A client whose user has signed up by phone."""
    await sign_up(client, real_server, phone_number=phone_number)
    return client


async def test_profile_is_changed_in_part_and_emptied_by_none(person: AnyClient) -> None:
    user = person.user
    assert user is not None
    await settle(user.update(first_name="Ada", last_name="King"))
    assert user.full_name == "Ada King"
    await settle(user.update(last_name=None))
    assert (user.first_name, user.last_name) == ("Ada", None)
    assert person.user is not None
    assert person.user.full_name == "Ada"


async def test_metadata_is_replaced_or_laid_over(person: AnyClient) -> None:
    user = person.user
    assert user is not None
    await settle(user.update(unsafe_metadata={"plan": "free", "seats": 1}))
    await settle(user.update_metadata(unsafe_metadata={"plan": None, "theme": {"dark": True}}))
    assert user.unsafe_metadata == {"seats": 1, "theme": {"dark": True}}
    await settle(user.update(unsafe_metadata={"plan": "paid"}))
    assert user.unsafe_metadata == {"plan": "paid"}


async def test_username_signs_in_and_is_nobody_elses(
    person: AnyClient, open_client: Opener, real_server: RealServer, email_address: str
) -> None:
    assert person.user is not None
    name = f"ada_{person.user.id[-8:].lower()}"
    await settle(person.user.update(username=name))
    assert person.user.username == name
    other = open_client()
    await sign_up(other, real_server, email_address=email_address)
    assert other.user is not None
    with pytest.raises(ApiError) as caught:
        await settle(other.user.update(username=name))
    assert caught.value.code == "form_identifier_exists"
    assert caught.value.problems[0].param_name == "username"
    await done(other.sign_out())
    await done(other.sign_in.create(identifier=name))
    assert other.sign_in.status == "needs_first_factor"


async def test_misspelled_field_is_a_mistake_of_the_program(person: AnyClient) -> None:
    assert person.user is not None
    with pytest.raises(TypeError, match="firstName"):
        await settle(person.user.update(firstName="Ada"))  # type: ignore[call-arg]


async def test_picture_is_taken_served_and_removed(
    person: AnyClient, real_server: RealServer
) -> None:
    user = person.user
    assert user is not None
    assert not user.has_image
    drawn = user.image_url
    await settle(user.set_profile_image(file=PNG))
    assert user.has_image
    assert user.image_url != drawn
    reply = httpx.get(str(user.image_url))
    assert (reply.status_code, reply.headers["x-content-type-options"]) == (200, "nosniff")
    assert reply.headers["content-type"].startswith("image/")
    await settle(user.set_profile_image(file=None))
    assert (user.has_image, user.image_url) == (False, drawn)


@pytest.mark.parametrize("file", [b"", b"nonsense", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
async def test_what_is_no_picture_is_refused(person: AnyClient, file: bytes) -> None:
    assert person.user is not None
    with pytest.raises(ApiError) as caught:
        await settle(person.user.set_profile_image(file=file))
    assert caught.value.status in (400, 415, 422)
    assert not person.user.has_image


async def test_mailbox_is_added_proven_made_primary_and_removed(
    person: AnyClient, real_server: RealServer, email_address: str
) -> None:
    assert person.user is not None
    mailbox = await made(person.user.create_email_address(email_address=email_address))
    assert mailbox.verification is not None
    assert mailbox.verification.status == "unverified"
    await settle(mailbox.prepare_verification())
    with pytest.raises(ApiError) as caught:
        await settle(mailbox.attempt_verification(code=real_server.wrong_code(email_address)))
    assert caught.value.code == "form_code_incorrect"
    assert caught.value.problems[0].param_name == "code"
    await settle(mailbox.attempt_verification(code=real_server.code(email_address)))
    assert mailbox.verification.status == "verified"
    assert person.user.primary_email_address is not None
    second = new_email_address()
    other = await made(person.user.create_email_address(email_address=second))
    await settle(other.prepare_verification())
    await settle(other.attempt_verification(code=real_server.code(second)))
    await settle(other.make_primary())
    assert person.user.primary_email_address is not None
    assert person.user.primary_email_address.email_address == second
    await settle(mailbox.destroy())
    assert [one.email_address for one in person.user.email_addresses] == [second]


async def test_added_mailbox_signs_in(
    person: AnyClient, real_server: RealServer, email_address: str
) -> None:
    assert person.user is not None
    user_id = person.user.id
    mailbox = await made(person.user.create_email_address(email_address=email_address))
    await settle(mailbox.prepare_verification())
    await settle(mailbox.attempt_verification(code=real_server.code(email_address)))
    await done(person.sign_out())
    await prove_email_address(person, real_server, email_address)
    await done(person.sign_in.finalize())
    assert person.user is not None
    assert person.user.id == user_id


async def test_second_number_is_proven_and_made_primary(
    person: AnyClient, real_server: RealServer
) -> None:
    assert person.user is not None
    number = new_phone_number()
    phone = await made(person.user.create_phone_number(phone_number=number))
    await settle(phone.prepare_verification())
    await settle(phone.attempt_verification(code=real_server.code(number)))
    assert phone.verification is not None
    assert phone.verification.status == "verified"
    await settle(phone.make_primary())
    assert person.user.primary_phone_number is not None
    assert person.user.primary_phone_number.phone_number == number


async def test_last_way_in_cannot_be_removed(person: AnyClient) -> None:
    assert person.user is not None
    with pytest.raises(ApiError):
        await settle(person.user.phone_numbers[0].destroy())
    assert len(person.user.phone_numbers) == 1


@pytest.mark.parametrize("text", ["nonsense", ""])
async def test_malformed_address_is_told_by_its_field(person: AnyClient, text: str) -> None:
    assert person.user is not None
    with pytest.raises(ApiError) as caught:
        await made(person.user.create_email_address(email_address=text))
    assert caught.value.problems[0].param_name == "email_address"


async def test_devices_are_listed_and_revoked(
    person: AnyClient, open_client: Opener, real_server: RealServer, phone_number: str
) -> None:
    elsewhere = open_client()
    await done(elsewhere.sign_in.phone_code.send_code(phone_number=phone_number))
    code = real_server.code(phone_number)
    await done(elsewhere.sign_in.phone_code.verify_code(code=code))
    await done(elsewhere.sign_in.finalize())
    assert person.user is not None
    assert person.session is not None
    assert elsewhere.session is not None
    sessions = await made(person.user.get_sessions())
    assert {one.id for one in sessions} == {person.session.id, elsewhere.session.id}
    other = next(one for one in sessions if one.id == elsewhere.session.id)
    assert other.status == "active"
    assert other.latest_activity is not None
    assert other.expire_at is not None
    await settle(other.revoke())
    assert other.status == "revoked"
    assert person.is_signed_in
    assert await settle(elsewhere.get_token(skip_cache=True)) is None
    assert not elsewhere.is_signed_in


async def test_reload_sees_what_another_client_changed(
    person: AnyClient, open_client: Opener
) -> None:
    twin = open_client(client_token=person.client_token)
    await done(twin.load())
    assert person.user is not None
    assert twin.user is not None
    held = person.user
    await settle(twin.user.update(first_name="Grace"))
    assert held.first_name is None
    await settle(held.reload())
    assert held.first_name == "Grace"


async def test_deleted_account_is_gone(
    person: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    assert person.user is not None
    await settle(person.user.delete())
    assert not person.is_signed_in
    assert person.user is None
    code = await refused(person.sign_in.create(identifier=phone_number))
    assert code == "form_identifier_not_found"
