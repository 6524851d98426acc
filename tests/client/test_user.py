"""A user as it is read, and its calls as they are on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from doorcode.client import User
from doorcode.client.flow import SyncDriver
from doorcode.client.resources import decode

from .conftest import AnyClient, settle
from .fake_server import FakeServer
from .test_addresses import says
from .test_client import sign_up
from .test_resources import MOMENT, MOMENT_MS

USER = {
    "object": "user",
    "id": "user_1",
    "first_name": "Ada",
    "last_name": "King",
    "primary_phone_number_id": "idn_2",
    "primary_email_address_id": None,
    "phone_numbers": [
        {"id": "idn_1", "phone_number": "+14155552671"},
        {"id": "idn_2", "phone_number": "+14155552672", "verification": {"status": "verified"}},
    ],
    "email_addresses": [{"id": "idn_3", "email_address": "ada@example.com"}],
    "created_at": MOMENT_MS,
    "updated_at": MOMENT_MS,
    "legal_accepted_at": MOMENT_MS,
    "something_newer": {"than": ["this", "package"]},
}


def read(**changes: object) -> User[SyncDriver]:
    user: User[SyncDriver] = decode(User, USER | changes)
    return user


def test_user_knows_its_primary_addresses() -> None:
    user = read()
    assert user.primary_phone_number is user.phone_numbers[1]
    assert user.primary_email_address is None
    assert read(primary_email_address_id="idn_3").primary_email_address is not None


def test_times_are_utc() -> None:
    user = read()
    assert user.created_at == user.updated_at == user.legal_accepted_at == MOMENT
    assert user.last_sign_in_at is None


def test_full_name_is_what_there_is_of_it() -> None:
    assert read().full_name == "Ada King"
    assert read(last_name=None).full_name == "Ada"
    assert read(first_name="", last_name=None).full_name is None


def test_what_a_server_leaves_out_counts_as_no() -> None:
    user = read()
    assert not user.has_image
    assert not user.two_factor_enabled
    assert not user.backup_code_enabled
    assert not user.delete_self_enabled


async def test_none_empties_a_field_and_what_is_not_given_stays(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    user: Any = client.user
    says(server, USER)
    await settle(user.update(first_name="Grace", last_name=None, unsafe_metadata={"a": 1}))
    assert server.sent[-1] == "PATCH /v1/me"
    assert server.form() == {"first_name": "Grace", "last_name": "", "unsafe_metadata": '{"a": 1}'}
    says(server, USER)
    await settle(user.update_metadata(unsafe_metadata={"a": None}))
    assert server.sent[-1] == "PATCH /v1/me/metadata"
    assert server.form() == {"unsafe_metadata": '{"a": null}'}


async def test_unknown_field_is_a_mistake_of_the_program(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    user: Any = client.user
    before = len(server.requests)
    with pytest.raises(TypeError, match="firstName"):
        await settle(user.update(firstName="Grace"))
    assert len(server.requests) == before


async def test_user_is_what_the_client_says_after_a_change(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    user: Any = client.user
    server.sessions[0]["user"] = USER | {"has_image": True}
    says(server, {"object": "image", "id": "img_1"})
    await settle(user.set_profile_image(file=b"picture"))
    assert user.has_image
    assert user.last_name == "King"
    request = server.requests[-1]
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"' in request.content
    assert b"picture" in request.content
    server.sessions[0]["user"] = USER
    says(server, {"object": "image", "deleted": True})
    await settle(user.set_profile_image(file=None))
    assert server.sent[-2:] == ["POST /v1/me/profile_image", "DELETE /v1/me/profile_image"]
    assert not user.has_image


async def test_reload_takes_what_the_server_says_now(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    user: Any = client.user
    says(server, USER)
    await settle(user.reload())
    assert server.sent[-1] == "GET /v1/me"
    assert user.full_name == "Ada King"


async def test_backup_codes_and_addresses_are_made(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    user: Any = client.user
    says(server, {"id": "backup_code_1", "codes": ["abcd", "efgh"]})
    assert (await settle(user.create_backup_code())).codes == ("abcd", "efgh")
    says(server, {"id": "idn_9", "phone_number": "+14155552673"})
    phone = await settle(user.create_phone_number(phone_number="+14155552673"))
    assert (phone.id, phone.verification) == ("idn_9", None)
    assert server.sent[-2:] == ["POST /v1/me/backup_codes", "POST /v1/me/phone_numbers"]


async def test_deleted_user_is_signed_out(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    user: Any = client.user
    server.sessions = []
    says(server, {"id": "user_1", "deleted": True})
    await settle(user.delete())
    assert server.sent[-1] == "DELETE /v1/me"
    assert not client.is_signed_in
