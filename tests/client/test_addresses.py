"""The calls of an address, as they are on the wire."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from doorcode.client import ApiError

from .conftest import AnyClient, settle
from .fake_server import Body, FakeServer, refusal
from .test_client import sign_up

MAILBOX = {
    "id": "idn_5",
    "email_address": "ada@example.com",
    "verification": {"status": "unverified", "strategy": "email_code"},
}
VERIFIED = MAILBOX | {"verification": {"status": "verified", "strategy": "email_code"}}


def says(server: FakeServer, resource: Body) -> None:
    """Let the server answer the next request by this object."""
    answer = {"response": resource, "client": server.client()}
    server.faults.append(httpx.Response(200, json=answer))


async def test_verification_is_that_of_the_last_answer(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    user: Any = client.user
    says(server, MAILBOX)
    mailbox = await settle(user.create_email_address(email_address="ada@example.com"))
    assert server.form() == {"email_address": "ada@example.com"}
    says(server, MAILBOX)
    await settle(mailbox.prepare_verification())
    assert server.form() == {"strategy": "email_code"}
    says(server, VERIFIED)
    await settle(mailbox.attempt_verification(code="424242"))
    assert server.form() == {"code": "424242"}
    assert mailbox.verification is not None
    assert mailbox.verification.status == "verified"
    says(server, {"id": "user_1"})
    await settle(mailbox.make_primary())
    assert server.form() == {"primary_email_address_id": "idn_5"}
    says(server, {"id": "idn_5", "deleted": True})
    await settle(mailbox.destroy())
    assert server.sent[-5:] == [
        "POST /v1/me/email_addresses",
        "POST /v1/me/email_addresses/idn_5/prepare_verification",
        "POST /v1/me/email_addresses/idn_5/attempt_verification",
        "PATCH /v1/me",
        "DELETE /v1/me/email_addresses/idn_5",
    ]


async def test_second_step_is_asked_for_by_name(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    assert client.user is not None
    phone = client.user.phone_numbers[0]
    told = {"id": "idn_3", "phone_number": "+14155552671", "reserved_for_second_factor": True}
    says(server, told | {"backup_codes": ["abcd"]})
    await settle(phone.set_reserved_for_second_factor(reserved=True))
    assert server.sent[-1] == "PATCH /v1/me/phone_numbers/idn_3"
    assert server.form() == {"reserved_for_second_factor": "true"}
    assert phone.reserved_for_second_factor
    assert phone.backup_codes == ("abcd",)
    says(server, told | {"default_second_factor": True})
    await settle(phone.make_default_second_factor())
    assert server.form() == {"default_second_factor": "true"}
    assert phone.default_second_factor
    says(server, told)
    await settle(phone.prepare_verification(channel="whatsapp"))
    assert server.form() == {"strategy": "phone_code", "channel": "whatsapp"}
    says(server, {"id": "user_1"})
    await settle(phone.make_primary())
    assert server.form() == {"primary_phone_number_id": "idn_3"}


async def test_refused_call_leaves_the_address_as_it_was(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    assert client.user is not None
    phone = client.user.phone_numbers[0]
    before = repr(phone)
    server.faults.append(refusal(422, "form_code_incorrect", "code"))
    with pytest.raises(ApiError) as caught:
        await settle(phone.attempt_verification(code="000000"))
    assert caught.value.problems[0].param_name == "code"
    assert repr(phone) == before


async def test_strange_id_cannot_change_the_address(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    user: Any = client.user
    says(server, MAILBOX | {"id": "../../me"})
    mailbox = await settle(user.create_email_address(email_address="ada@example.com"))
    says(server, {})
    await settle(mailbox.destroy())
    assert server.requests[-1].url.raw_path.startswith(b"/v1/me/email_addresses/..%2F..%2Fme?")
