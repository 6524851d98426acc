"""Joining a waitlist."""

from __future__ import annotations

import httpx

from .conftest import AnyClient, settle
from .fake_server import FakeServer, refusal


async def test_place_on_the_list_is_kept(client: AnyClient, server: FakeServer) -> None:
    assert client.waitlist.id is None
    server.faults.append(httpx.Response(200, json={"object": "waitlist_entry", "id": "wle_1"}))
    assert (await settle(client.waitlist.join(email_address="ada@example.com"))).ok
    assert client.waitlist.id == "wle_1"
    assert server.sent == ["POST /v1/waitlist"]
    assert server.form() == {"email_address": "ada@example.com"}


async def test_problem_goes_beside_its_field(client: AnyClient, server: FakeServer) -> None:
    server.faults.append(refusal(422, "form_param_format_invalid", "email_address"))
    assert not (await settle(client.waitlist.join(email_address="nonsense"))).ok
    assert client.waitlist.errors.fields.email_address is not None
    assert client.waitlist.errors.global_ == ()
    assert client.waitlist.fetch_status == "idle"
    assert client.waitlist.id is None
