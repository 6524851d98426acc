"""The sign-up calls, against a server that speaks the wire."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from doorcode.client import ApiError, NetworkError, Session, UsageError

from .conftest import AnyClient, Opener, settle
from .fake_server import CODE, EMAIL, PHONE, FakeServer, refusal


async def test_phone_sign_up_completes(client: AnyClient) -> None:
    assert (await settle(client.sign_up.create(phone_number=PHONE))).error is None
    assert client.sign_up.status == "missing_requirements"
    assert client.sign_up.unverified_fields == ("phone_number",)
    assert (await settle(client.sign_up.verifications.send_phone_code())).ok
    assert (await settle(client.sign_up.verifications.verify_phone_code(code=CODE))).ok
    assert client.sign_up.status == "complete"
    assert (await settle(client.sign_up.finalize())).ok
    assert client.is_signed_in
    assert client.user is not None
    assert client.user.id == "user_1"


async def test_phone_sign_up_sends_the_expected_requests(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.send_phone_code())
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    await settle(client.sign_up.finalize())
    assert server.sent == [
        "POST /v1/client/sign_ups",
        "POST /v1/client/sign_ups/sua_1/prepare_verification",
        "POST /v1/client/sign_ups/sua_1/attempt_verification",
        "POST /v1/client/sessions/sess_3/touch",
    ]
    assert server.form(1) == {"strategy": "phone_code", "channel": "sms"}
    assert server.form(2) == {"strategy": "phone_code", "code": CODE}


@pytest.mark.parametrize("spelling", ["verifications", "email_code"])
async def test_email_sign_up_has_two_spellings(
    client: AnyClient, server: FakeServer, spelling: str
) -> None:
    await settle(client.sign_up.create(email_address=EMAIL))
    if spelling == "verifications":
        await settle(client.sign_up.verifications.send_email_code())
        await settle(client.sign_up.verifications.verify_email_code(code=CODE))
    else:
        await settle(client.sign_up.email_code.send_code())
        await settle(client.sign_up.email_code.verify_code(code=CODE))
    assert server.form(1) == {"strategy": "email_code"}
    assert server.form(2) == {"strategy": "email_code", "code": CODE}
    assert client.sign_up.status == "complete"


async def test_phone_code_has_a_second_spelling(client: AnyClient, server: FakeServer) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.phone_code.send_code(channel="whatsapp"))
    assert server.form() == {"strategy": "phone_code", "channel": "whatsapp"}
    await settle(client.sign_up.phone_code.verify_code(code=CODE))
    assert client.sign_up.status == "complete"


async def test_create_sends_every_field(client: AnyClient, server: FakeServer) -> None:
    await settle(
        client.sign_up.create(
            email_address=EMAIL,
            first_name="Ada",
            last_name=None,
            unsafe_metadata={"plan": {"seats": 2}},
            legal_accepted=True,
            locale="en-GB",
        )
    )
    assert json.loads(server.form()["unsafe_metadata"]) == {"plan": {"seats": 2}}
    assert server.form()["legal_accepted"] == "true"
    assert server.form()["locale"] == "en-GB"
    assert "last_name" not in server.form()


async def test_misspelled_field_raises(client: AnyClient, server: FakeServer) -> None:
    with pytest.raises(TypeError, match="phoneNumber"):
        await settle(client.sign_up.create(phoneNumber=PHONE))  # type: ignore[call-arg]
    assert server.requests == []
    assert client.sign_up.fetch_status == "idle"


async def test_update_changes_the_attempt(client: AnyClient, server: FakeServer) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    assert (await settle(client.sign_up.update(first_name="Ada"))).ok
    assert server.sent[-1] == "PATCH /v1/client/sign_ups/sua_1"
    assert server.requests[-1].method == "POST"
    assert client.sign_up.first_name == "Ada"


async def test_wrong_code_lands_beside_its_field(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    result = await settle(client.sign_up.verifications.verify_phone_code(code="000000"))
    assert isinstance(result.error, ApiError)
    assert result.error.status == 422
    assert result.error.code == "form_code_incorrect"
    assert client.sign_up.errors.fields.code is result.error.problems[0]
    assert client.sign_up.errors.global_ == ()
    assert client.sign_up.id == "sua_1"


async def test_errors_are_empty_after_the_next_call(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number="nonsense"))
    assert client.sign_up.errors.raw
    await settle(client.sign_up.create(phone_number=PHONE))
    assert client.sign_up.errors.fields.phone_number is None
    assert client.sign_up.errors.raw == ()


async def test_code_after_failed_create_repeats_its_error(
    client: AnyClient, server: FakeServer
) -> None:
    created = await settle(client.sign_up.create(phone_number="nonsense"))
    sent = await settle(client.sign_up.verifications.send_phone_code())
    assert sent.error is created.error
    assert client.sign_up.errors.fields.phone_number is not None
    assert server.sent == ["POST /v1/client/sign_ups"]


async def test_failed_create_gives_up_the_older_attempt(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.create(phone_number="nonsense"))
    assert client.sign_up.id is None
    assert client.sign_up.unverified_fields == ()
    assert not (await settle(client.sign_up.verifications.send_phone_code())).ok
    assert len(server.requests) == 2


async def test_unanswered_create_gives_up_the_older_attempt(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    server.faults.append(httpx.ConnectTimeout("too slow"))
    await settle(client.sign_up.create(phone_number="+14155552672"))
    result = await settle(client.sign_up.verifications.send_phone_code())
    assert isinstance(result.error, NetworkError)
    assert len(server.requests) == 2


async def test_calls_without_any_attempt_raise(client: AnyClient, server: FakeServer) -> None:
    with pytest.raises(UsageError, match="create"):
        await settle(client.sign_up.verifications.send_phone_code())
    with pytest.raises(UsageError, match="create"):
        await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    with pytest.raises(UsageError, match="create"):
        await settle(client.sign_up.update(first_name="Ada"))
    assert server.requests == []


async def test_attempt_the_server_gave_up_is_a_result(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    server.sign_up = None
    first = await settle(client.sign_up.verifications.send_phone_code())
    second = await settle(client.sign_up.verifications.send_phone_code())
    assert first.error is not None
    assert first.error.code == "resource_not_found"
    assert second.error is not None
    assert second.error.code == "attempt_not_found"
    assert len(server.requests) == 2


async def test_finished_attempt_stays_until_finalized(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    assert (await settle(client.load())).ok
    assert client.sign_up.status == "complete"
    assert client.sign_up.created_user_id == "user_1"
    await settle(client.sign_up.finalize())
    assert client.sign_up.status == "missing_requirements"
    assert client.sign_up.id is None


async def test_new_session_is_not_active_before_finalize(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    assert not client.is_signed_in
    await settle(client.sign_up.finalize())
    assert client.is_signed_in


async def test_finalize_calls_navigate_with_the_session(client: AnyClient) -> None:
    seen: list[tuple[str, bool]] = []

    def navigate(session: Session[Any]) -> None:
        seen.append((session.id, client.is_signed_in))

    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    await settle(client.sign_up.finalize(navigate=navigate))
    assert seen == [("sess_2", True)]


async def test_finalize_before_complete_is_a_result(client: AnyClient, server: FakeServer) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    result = await settle(client.sign_up.finalize())
    assert result.error is not None
    assert result.error.code == "session_not_created"
    assert len(server.requests) == 1


async def test_finalize_after_the_session_ended_is_a_result(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    server.sessions = []
    await settle(client.load())
    result = await settle(client.sign_up.finalize())
    assert result.error is not None
    assert result.error.code == "session_not_found"
    assert not client.is_signed_in


async def test_refused_finalize_keeps_the_finished_attempt(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code=CODE))
    server.faults.append(refusal(500, "internal_clerk_error"))
    assert not (await settle(client.sign_up.finalize())).ok
    assert client.sign_up.status == "complete"
    assert (await settle(client.sign_up.finalize())).ok


async def test_reset_forgets_attempt_and_errors(client: AnyClient, server: FakeServer) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    await settle(client.sign_up.verifications.verify_phone_code(code="000000"))
    client.sign_up.reset()
    assert client.sign_up.id is None
    assert client.sign_up.errors.raw == ()
    assert len(server.requests) == 2
    with pytest.raises(UsageError):
        await settle(client.sign_up.verifications.send_phone_code())


async def test_sign_up_resumes_from_a_saved_token(open_client: Opener, server: FakeServer) -> None:
    earlier = open_client()
    await settle(earlier.sign_up.create(phone_number=PHONE))
    later = open_client(client_token=earlier.client_token)
    assert (await settle(later.sign_up.verifications.verify_phone_code(code=CODE))).ok
    assert later.sign_up.status == "complete"
    assert server.sent[1] == "GET /v1/client"


def test_properties_show_what_the_server_told(open_client: Opener) -> None:
    sign_up = open_client().sign_up
    assert (sign_up.required_fields, sign_up.optional_fields, sign_up.missing_fields) == ((),) * 3
    assert (sign_up.phone_number, sign_up.email_address, sign_up.username) == (None,) * 3
    assert (sign_up.last_name, sign_up.locale, sign_up.created_session_id) == (None,) * 3
    assert sign_up.unsafe_metadata == {}
    assert sign_up.verifications.phone_number is None
    assert sign_up.verifications.email_address is None


async def test_ticket_and_transfer_travel_by_name(client: AnyClient, server: FakeServer) -> None:
    sign_up = client.sign_up
    server.faults += [refusal(400, "ticket_invalid_code") for _ in range(2)]
    await settle(sign_up.create(ticket="text", first_name="Ada"))
    await settle(sign_up.ticket(ticket="text"))
    assert server.form(0) == {"strategy": "ticket", "ticket": "text", "first_name": "Ada"}
    assert server.form(1) == {"strategy": "ticket", "ticket": "text"}
    await settle(sign_up.create(transfer=True, legal_accepted=False))
    assert server.form() == {"transfer": "true", "legal_accepted": "false"}


async def test_ticket_is_no_field_of_an_update(client: AnyClient) -> None:
    await settle(client.sign_up.create(phone_number=PHONE))
    with pytest.raises(TypeError, match="ticket"):
        await settle(client.sign_up.update(ticket="text"))  # type: ignore[call-arg]
