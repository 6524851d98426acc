"""A session as it is read, and its calls as they are on the wire."""

from __future__ import annotations

from typing import Any

from doorcode.client import Factor, Session
from doorcode.client.flow import SyncDriver
from doorcode.client.resources import decode

from .conftest import AnyClient, settle
from .fake_server import FakeServer
from .test_addresses import says
from .test_client import sign_up
from .test_resources import MOMENT, MOMENT_MS

FACTOR = Factor(strategy="email_code", email_address_id="idn_4")


def read(**fields: object) -> Session[SyncDriver]:
    session: Session[SyncDriver] = decode(Session, {"id": "sess_1", "status": "active"} | fields)
    return session


def test_times_are_utc() -> None:
    session = read(expire_at=MOMENT_MS, abandon_at=MOMENT_MS, last_active_at=MOMENT_MS)
    assert session.expire_at == session.abandon_at == session.last_active_at == MOMENT


def test_current_task_is_the_first_one_left() -> None:
    assert read().current_task is None
    assert read(tasks=[]).current_task is None
    task = read(status="pending", tasks=[{"key": "setup-mfa"}, {"key": "other"}]).current_task
    assert task is not None
    assert task.key == "setup-mfa"


def test_factor_ages_are_a_pair() -> None:
    assert read(factor_verification_age=[3, -1]).factor_verification_age == (3, -1)
    assert read().factor_verification_age is None


async def test_verification_goes_through_its_requests(
    client: AnyClient, server: FakeServer
) -> None:
    await sign_up(client)
    session: Any = client.session
    told = {
        "status": "needs_first_factor",
        "level": "first_factor",
        "supported_first_factors": [{"strategy": "email_code", "email_address_id": "idn_4"}],
    }
    says(server, told)
    proof = await settle(session.start_verification(level="first_factor"))
    assert server.form() == {"level": "first_factor"}
    assert proof.supported_first_factors == (FACTOR,)
    says(server, told)
    await settle(session.prepare_first_factor_verification(FACTOR))
    assert server.form() == {"strategy": "email_code", "email_address_id": "idn_4"}
    server.sessions[0]["factor_verification_age"] = [0, -1]
    says(server, {"status": "complete"})
    attempt = session.attempt_first_factor_verification
    proof = await settle(attempt(strategy="email_code", code="424242"))
    assert server.form() == {"strategy": "email_code", "code": "424242"}
    assert proof.status == "complete"
    assert session.factor_verification_age == (0, -1)
    path = f"POST /v1/client/sessions/{session.id}/verify"
    assert server.sent[-3:] == [
        path,
        f"{path}/prepare_first_factor",
        f"{path}/attempt_first_factor",
    ]


async def test_second_factor_has_requests_of_its_own(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    session: Any = client.session
    factor = Factor(strategy="phone_code", phone_number_id="idn_3")
    says(server, {"status": "needs_second_factor"})
    await settle(session.prepare_second_factor_verification(factor, channel="whatsapp"))
    assert server.form() == {
        "strategy": "phone_code",
        "phone_number_id": "idn_3",
        "channel": "whatsapp",
    }
    says(server, {"status": "complete"})
    await settle(session.attempt_second_factor_verification(strategy="backup_code", code="abcd"))
    path = f"POST /v1/client/sessions/{session.id}/verify"
    assert server.sent[-2:] == [f"{path}/prepare_second_factor", f"{path}/attempt_second_factor"]


async def test_session_ends_by_its_own_call(client: AnyClient, server: FakeServer) -> None:
    await sign_up(client)
    session: Any = client.session
    ended = server.sessions[0] | {"status": "removed"}
    server.sessions = []
    says(server, ended)
    await settle(session.remove())
    assert server.sent[-1] == f"POST /v1/client/sessions/{session.id}/remove"
    assert session.status == "removed"
    assert not client.is_signed_in
