"""The sign-in calls, against a server that speaks the wire."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from doorcode.client import NetworkError, UsageError
from doorcode.client.errors import StateError
from doorcode.client.resources import Factor, SignInAttempt
from doorcode.client.sign_in import Wanted

from .conftest import AnyClient, settle
from .fake_server import CODE, EMAIL, PHONE, FakeServer, refusal
from .test_client import sign_up


@pytest.fixture(autouse=True)
def registered(server: FakeServer) -> None:
    server.users |= {PHONE, EMAIL}


async def test_phone_sign_in_completes(client: AnyClient) -> None:
    assert client.sign_in.status == "needs_identifier"
    assert (await settle(client.sign_in.phone_code.send_code(phone_number=PHONE))).ok
    assert client.sign_in.status == "needs_first_factor"
    assert client.sign_in.identifier == PHONE
    assert (await settle(client.sign_in.phone_code.verify_code(code=CODE))).ok
    assert client.sign_in.status == "complete"
    assert (await settle(client.sign_in.finalize())).ok
    assert client.is_signed_in
    assert client.sign_in.status == "needs_identifier"


async def test_sign_in_shows_its_factors(client: AnyClient) -> None:
    assert not client.sign_in.supported_first_factors
    await settle(client.sign_in.create(identifier=PHONE))
    strategies = [factor.strategy for factor in client.sign_in.supported_first_factors]
    assert strategies == ["email_code", "email_code", "phone_code"]
    assert client.sign_in.supported_second_factors == ()
    assert client.sign_in.supported_identifiers == ()


async def test_phone_sign_in_sends_the_expected_requests(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_in.phone_code.send_code(phone_number=PHONE))
    await settle(client.sign_in.phone_code.verify_code(code=CODE))
    await settle(client.sign_in.finalize())
    assert server.sent == [
        "POST /v1/client/sign_ins",
        "POST /v1/client/sign_ins/sia_1/prepare_first_factor",
        "POST /v1/client/sign_ins/sia_1/attempt_first_factor",
        "POST /v1/client/sessions/sess_3/touch",
    ]
    prepared = {"strategy": "phone_code", "phone_number_id": "idn_3", "channel": "sms"}
    assert server.form(1) == prepared


async def test_email_sign_in_completes(client: AnyClient, server: FakeServer) -> None:
    await settle(client.sign_in.email_code.send_code(email_address=EMAIL))
    assert server.form() == {"strategy": "email_code", "email_address_id": "idn_2"}
    assert client.sign_in.first_factor_verification is not None
    assert client.sign_in.first_factor_verification.expire_at is not None
    await settle(client.sign_in.email_code.verify_code(code=CODE))
    assert client.sign_in.created_session_id == "sess_3"


async def test_create_then_send_goes_on_with_the_same_attempt(
    client: AnyClient, server: FakeServer
) -> None:
    assert (await settle(client.sign_in.create(identifier=EMAIL, locale="de"))).ok
    assert server.form() == {"identifier": EMAIL, "locale": "de"}
    assert (await settle(client.sign_in.phone_code.send_code())).ok
    assert len(server.requests) == 2


async def test_address_id_chooses_the_factor(client: AnyClient, server: FakeServer) -> None:
    await settle(client.sign_in.create(identifier=EMAIL))
    await settle(client.sign_in.email_code.send_code(email_address_id="idn_1"))
    assert server.form()["email_address_id"] == "idn_1"
    result = await settle(client.sign_in.email_code.send_code(email_address_id="idn_9"))
    assert isinstance(result.error, StateError)
    assert result.error.code == "factor_not_found"
    assert client.sign_in.errors.global_ == result.error.problems


async def test_unknown_person_lands_beside_identifier(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_in.phone_code.send_code(phone_number="+14155559999"))
    assert client.sign_in.errors.fields.identifier is not None
    assert client.sign_in.errors.fields.identifier.code == "form_identifier_not_found"
    assert len(server.requests) == 1


async def test_send_after_failed_create_repeats_its_error(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_in.create(identifier="+14155559999"))
    result = await settle(client.sign_in.phone_code.send_code())
    assert result.error is not None
    assert result.error.code == "form_identifier_not_found"
    assert client.sign_in.errors.fields.identifier is not None
    assert len(server.requests) == 1


async def test_send_without_attempt_or_number_raises(client: AnyClient) -> None:
    with pytest.raises(UsageError, match="create"):
        await settle(client.sign_in.phone_code.send_code())
    with pytest.raises(UsageError, match="create"):
        await settle(client.sign_in.email_code.verify_code(code=CODE))


async def test_number_and_its_id_together_raise(client: AnyClient, server: FakeServer) -> None:
    send = client.sign_in.phone_code.send_code
    with pytest.raises(UsageError, match="not both"):
        await settle(send(phone_number=PHONE, phone_number_id="idn_3"))
    assert server.requests == []


async def test_wrong_code_lands_beside_its_field(client: AnyClient) -> None:
    await settle(client.sign_in.phone_code.send_code(phone_number=PHONE))
    await settle(client.sign_in.phone_code.verify_code(code="000000"))
    assert client.sign_in.errors.fields.code is not None
    assert client.sign_in.errors.fields.code.text == "It is form_code_incorrect."
    assert client.sign_in.status == "needs_first_factor"


async def test_rate_limit_says_when_to_come_back(client: AnyClient, server: FakeServer) -> None:
    limited = refusal(429, "too_many_requests")
    limited.headers["retry-after"] = "7"
    server.faults.append(limited)
    result = await settle(client.sign_in.create(identifier=PHONE))
    assert result.error is not None
    assert result.error.retry_after == 7
    assert client.sign_in.errors.global_[0].code == "too_many_requests"


async def test_network_failure_is_a_global_error(client: AnyClient, server: FakeServer) -> None:
    server.faults.append(httpx.ConnectError("refused"))
    result = await settle(client.sign_in.create(identifier=PHONE))
    assert isinstance(result.error, NetworkError)
    assert client.sign_in.errors.global_[0].code == "network_error"


async def test_failure_of_another_kind_leaves_it_idle(
    client: AnyClient, server: FakeServer
) -> None:
    server.faults.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await settle(client.sign_in.create(identifier=PHONE))
    assert client.sign_in.fetch_status == "idle"


def test_wanted_prefers_the_address_that_was_typed() -> None:
    masked = Factor(strategy="email_code", email_address_id="a", safe_identifier="x***")
    typed = Factor(strategy="email_code", email_address_id="b", safe_identifier=EMAIL)
    other = Factor(strategy="phone_code", phone_number_id="c", safe_identifier=EMAIL)
    attempt = SignInAttempt(identifier=EMAIL, supported_first_factors=(other, masked, typed))
    assert Wanted("email_code", None, None).choose(attempt) is typed
    assert Wanted("email_code", None, "a").choose(attempt) is masked


def test_wanted_falls_back_to_the_first_of_its_kind() -> None:
    masked = Factor(strategy="email_code", email_address_id="a", safe_identifier="x***")
    attempt = SignInAttempt(identifier=PHONE, supported_first_factors=(masked,))
    assert Wanted("email_code", None, None).choose(attempt) is masked
    with pytest.raises(StateError, match="phone_code"):
        Wanted("phone_code", None, None).choose(attempt)


# ── further ways to begin ─────────────────────────────────────────────────────────────
async def test_ticket_and_transfer_travel_by_name(client: AnyClient, server: FakeServer) -> None:
    server.faults += [refusal(400, "ticket_invalid_code") for _ in range(2)]
    await settle(client.sign_in.create(ticket="text"))
    await settle(client.sign_in.ticket(ticket="text"))
    assert server.form(0) == server.form(1) == {"strategy": "ticket", "ticket": "text"}
    server.faults.append(refusal(400, "transfer_invalid"))
    await settle(client.sign_in.create(transfer=True))
    assert server.form() == {"transfer": "true"}
    await settle(client.sign_in.create(identifier=PHONE, sign_up_if_missing=True))
    assert server.form() == {"identifier": PHONE, "sign_up_if_missing": "true"}


@pytest.mark.parametrize(
    "given", [{}, {"identifier": PHONE, "ticket": "text"}, {"ticket": "text", "transfer": True}]
)
async def test_sign_in_for_nobody_or_for_two_raises(
    client: AnyClient, server: FakeServer, given: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="either"):
        await settle(client.sign_in.create(**given))
    assert server.requests == []


async def test_refusal_that_brings_the_attempt_makes_it_transferable(
    client: AnyClient, server: FakeServer
) -> None:
    await settle(client.sign_in.email_code.send_code(email_address=EMAIL))
    assert not client.sign_in.is_transferable
    assert server.sign_in is not None
    server.sign_in["first_factor_verification"] = {"status": "transferable"}
    meta = {"client": server.client()}
    server.faults.append(refusal(404, "sign_up_if_missing_transfer", meta=meta))
    result = await settle(client.sign_in.email_code.verify_code(code=CODE))
    assert result.error is not None
    assert result.error.code == "sign_up_if_missing_transfer"
    assert client.sign_in.is_transferable


async def test_session_of_the_refusal_is_found(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    assert client.sign_in.existing_session is None
    for session_id in ("sess_2", "sess_9", 3):
        told = refusal(400, "identifier_already_signed_in").json()
        told["errors"][0]["meta"] = {"session_id": session_id}
        server.faults.append(httpx.Response(400, json=told))
        await settle(client.sign_in.create(identifier=PHONE))
        found = client.sign_in.existing_session
        assert (found.id if found else None) == ("sess_2" if session_id == "sess_2" else None)
    assert client.session is not None
    assert client.session.id == "sess_2"


# ── the second step ───────────────────────────────────────────────────────────────────
SECOND = [
    {"strategy": "phone_code", "phone_number_id": "idn_7", "safe_identifier": "+1***70"},
    {"strategy": "phone_code", "phone_number_id": "idn_8", "default": True},
    {"strategy": "email_code", "email_address_id": "idn_9", "safe_identifier": "a*@x"},
    {"strategy": "backup_code"},
]


@pytest.fixture
async def half_way(client: AnyClient, server: FakeServer) -> AnyClient:
    """A client whose user has given the first proof of two."""
    await settle(client.sign_in.email_code.send_code(email_address=EMAIL))
    assert server.sign_in is not None
    server.sign_in |= {"status": "needs_second_factor", "supported_second_factors": SECOND}
    answer = {"response": server.sign_in, "client": server.client()}
    server.faults.append(httpx.Response(200, json=answer))
    await settle(client.sign_in.email_code.verify_code(code=CODE))
    return client


async def test_second_code_goes_to_the_default_phone(
    half_way: AnyClient, server: FakeServer
) -> None:
    assert half_way.sign_in.status == "needs_second_factor"
    answer = {"response": server.sign_in, "client": server.client()}
    for number_id in (None, "idn_7"):
        server.faults.append(httpx.Response(200, json=answer))
        await settle(half_way.sign_in.mfa.send_phone_code(phone_number_id=number_id))
    assert server.sent[-1] == "POST /v1/client/sign_ins/sia_1/prepare_second_factor"
    assert server.form(-2) == {"strategy": "phone_code", "phone_number_id": "idn_8"}
    assert server.form(-1) == {"strategy": "phone_code", "phone_number_id": "idn_7"}
    server.faults.append(httpx.Response(200, json=answer))
    await settle(half_way.sign_in.mfa.send_email_code())
    assert server.form() == {"strategy": "email_code", "email_address_id": "idn_9"}


async def test_second_codes_travel_by_their_strategy(
    half_way: AnyClient, server: FakeServer
) -> None:
    mfa = half_way.sign_in.mfa
    for strategy, verify in (
        ("phone_code", mfa.verify_phone_code),
        ("email_code", mfa.verify_email_code),
        ("backup_code", mfa.verify_backup_code),
    ):
        server.faults.append(refusal(422, "form_code_incorrect", "code"))
        await settle(verify(code="000000"))
        assert half_way.sign_in.errors.fields.code is not None
        assert server.form() == {"strategy": strategy, "code": "000000"}
        assert server.sent[-1] == "POST /v1/client/sign_ins/sia_1/attempt_second_factor"


async def test_second_factor_that_does_not_exist_is_not_found(client: AnyClient) -> None:
    await settle(client.sign_in.create(identifier=EMAIL))
    result = await settle(client.sign_in.mfa.send_phone_code())
    assert result.error is not None
    assert result.error.code == "factor_not_found"
