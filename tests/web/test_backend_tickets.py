"""Sign-in tokens, invitations and the waitlist, as an app's server asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from clerk_backend_api import Clerk, models

from doorcode.domain.instance import SignUpMode
from doorcode.domain.limits import DAY, HOUR

from .house import EMAIL, PAGE, PRODUCTION, URL, House, refusal
from .test_openapi import _draft

FILE = yaml.safe_load(Path(__file__).with_name("bapi-tickets.yml").read_text("utf-8"))
SCHEMAS = _draft(FILE["schemas"])
BEA = "bea@example.com"
ENDPOINTS = [
    ("POST", "/v1/sign_in_tokens"),
    ("POST", "/v1/sign_in_tokens/sit_x/revoke"),
    ("GET", "/v1/invitations"),
    ("POST", "/v1/invitations"),
    ("POST", "/v1/invitations/bulk"),
    ("POST", "/v1/invitations/inv_x/revoke"),
    ("GET", "/v1/waitlist_entries"),
    ("POST", "/v1/waitlist_entries"),
    ("POST", "/v1/waitlist_entries/bulk"),
    ("POST", "/v1/waitlist_entries/wle_x/invite"),
    ("POST", "/v1/waitlist_entries/wle_x/reject"),
    ("DELETE", "/v1/waitlist_entries/wle_x"),
]


async def ask(house: House, method: str, path: str, body: Any = None) -> Any:
    """Ask, and hold the answer against the public OpenAPI file."""
    answer = await house.ask(method, path, body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    parts = path.partition("?")[0].split("/")
    name = next(one for one in FILE["paths"] if _fits(one.split("/"), parts))
    schema = _draft(FILE["paths"][name][method.lower()]["200"])
    jsonschema.Draft202012Validator({"$defs": SCHEMAS, **schema}).validate(answer.json())
    return answer.json()


def _fits(pattern: list[str], parts: list[str]) -> bool:
    pairs = zip(pattern, parts, strict=False)
    return len(pattern) == len(parts) and all(a == b or a[:1] == "{" for a, b in pairs)


async def user_of(house: House, address: str = EMAIL) -> str:
    answer = await house.browser().sign_up(address)
    return str(answer.json()["response"]["created_user_id"])


def open_waitlist(house: House) -> None:
    house.door.deps.instance = replace(house.door.deps.instance, mode=SignUpMode.WAITLIST)


# ── the door ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_without_the_secret_key_nothing_is_done(house: House, method: str, path: str) -> None:
    answer = await house.browser(None).http.request(method, path, json={"email_address": BEA})
    assert refusal(answer) == (401, "clerk_key_invalid", None)
    rows = house.rows("tickets", "waitlist_entries", "outbox")
    assert rows == {"tickets": 0, "waitlist_entries": 0, "outbox": 0}


@pytest.mark.parametrize(("method", "path"), [one for one in ENDPOINTS if "_x" in one[1]])
async def test_what_is_not_there_is_not_found(house: House, method: str, path: str) -> None:
    assert refusal(await house.ask(method, path)) == (404, "resource_not_found", None)


async def test_another_method_is_refused(house: House) -> None:
    for method, path in (("PUT", "/v1/invitations"), ("GET", "/v1/sign_in_tokens")):
        assert refusal(await house.ask(method, path)) == (405, "method_not_allowed", None)


# ── sign-in tokens ────────────────────────────────────────────────────────────────────
async def test_a_sign_in_token_signs_in_once(house: House) -> None:
    user_id = await user_of(house)
    token = await ask(house, "POST", "/v1/sign_in_tokens", {"user_id": user_id})
    assert (token["status"], token["user_id"]) == ("pending", user_id)
    assert token["url"] == f"{URL}/v1/tickets/accept?ticket={token['token']}"
    form = {"strategy": "ticket", "ticket": token["token"]}
    entered = await house.browser().post("/v1/client/sign_ins", form)
    assert entered.json()["response"]["status"] == "complete"
    again = await house.browser().post("/v1/client/sign_ins", form)
    assert refusal(again) == (400, "sign_in_token_already_used_code", None)


async def test_a_revoked_sign_in_token_opens_nothing(house: House) -> None:
    body = {"user_id": await user_of(house)}
    token = await ask(house, "POST", "/v1/sign_in_tokens", body)
    path = f"/v1/sign_in_tokens/{token['id']}/revoke"
    revoked = await ask(house, "POST", path)
    assert (revoked["status"], revoked["url"], "token" in revoked) == ("revoked", None, False)
    form = {"strategy": "ticket", "ticket": token["token"]}
    entered = await house.browser().post("/v1/client/sign_ins", form)
    assert refusal(entered) == (400, "sign_in_token_revoked_code", None)
    again = await house.ask("POST", path)
    assert refusal(again) == (400, "sign_in_token_cannot_be_revoked_code", None)


async def test_a_sign_in_token_ends_when_it_was_asked_to(house: House) -> None:
    body = {"user_id": await user_of(house), "expires_in_seconds": 300}
    token = await ask(house, "POST", "/v1/sign_in_tokens", body)
    house.clock.advance(300_000)
    form = {"strategy": "ticket", "ticket": token["token"]}
    entered = await house.browser().post("/v1/client/sign_ins", form)
    assert refusal(entered) == (400, "ticket_expired_code", None)


async def test_a_sign_in_token_lives_a_year_at_most(house: House) -> None:
    body = {"user_id": await user_of(house), "expires_in_seconds": 365 * 86_400}
    assert (await ask(house, "POST", "/v1/sign_in_tokens", body))["status"] == "pending"
    body["expires_in_seconds"] += 1
    answer = await house.ask("POST", "/v1/sign_in_tokens", body)
    assert refusal(answer) == (422, "form_param_value_invalid", "expires_in_seconds")
    assert house.rows("tickets") == {"tickets": 1}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, (422, "form_param_missing", "user_id")),
        ({"user_id": "user_x"}, (404, "resource_not_found", None)),
        (
            {"user_id": "{id}", "org_id": "org_1"},
            (403, "organization_not_enabled_in_instance", None),
        ),
        (
            {"user_id": "{id}", "expires_in_seconds": 0},
            (422, "form_param_value_invalid", "expires_in_seconds"),
        ),
    ],
)
async def test_a_wrong_sign_in_token_is_not_made(house: House, body: Any, wanted: Any) -> None:
    user_id = await user_of(house)
    asked = {k: v.format(id=user_id) if isinstance(v, str) else v for k, v in body.items()}
    assert refusal(await house.ask("POST", "/v1/sign_in_tokens", asked)) == wanted
    assert house.rows("tickets") == {"tickets": 0}


# ── invitations ───────────────────────────────────────────────────────────────────────
async def test_an_invitation_is_mailed_and_lets_somebody_in(house: House) -> None:
    body = {"email_address": "Bea@example.com", "public_metadata": {"plan": "a"}}
    made = await ask(house, "POST", "/v1/invitations", body)
    assert made["public_metadata"] == {"plan": "a"}
    assert made["expires_at"] - made["created_at"] == 30 * DAY
    (letter,) = house.inbox.messages("Bea@example.com")
    assert letter.link == made["url"]
    assert made["url"] in letter.body
    ticket = made["url"].partition("ticket=")[2]
    form = {"strategy": "ticket", "ticket": ticket}
    entered = (await house.browser().post("/v1/client/sign_ups", form)).json()
    assert entered["response"]["status"] == "complete"
    assert entered["client"]["sessions"][0]["user"]["public_metadata"] == {"plan": "a"}
    (listed,) = await ask(house, "GET", "/v1/invitations?status=accepted")
    assert listed["id"] == made["id"]


async def test_a_letter_holds_no_ticket_any_more_when_it_was_delivered(house: House) -> None:
    made = await ask(house, "POST", "/v1/invitations", {"email_address": BEA})
    ticket = made["url"].partition("ticket=")[2]
    for file in house.database.parent.iterdir():
        assert ticket.partition(".")[2].encode() not in file.read_bytes()


async def test_a_list_holds_no_link(house: House) -> None:
    made = await ask(house, "POST", "/v1/invitations", {"email_address": BEA})
    answer = await house.ask("GET", "/v1/invitations")
    assert made["url"].partition("ticket=")[2] not in answer.text
    (listed,) = answer.json()
    del made["url"]
    assert listed == made


async def test_a_list_is_paged_where_that_is_asked(house: House) -> None:
    for name in "abc":
        body = {"email_address": f"{name}@example.com", "notify": False}
        await ask(house, "POST", "/v1/invitations", body)
        house.clock.advance(1)
    assert len(await ask(house, "GET", "/v1/invitations?paginated=false")) == 3
    found = await house.ask("GET", "/v1/invitations?paginated=true&limit=2&offset=1&query=EXAMPLE")
    assert found.json()["total_count"] == 3
    assert [one["email_address"][0] for one in found.json()["data"]] == ["b", "a"]


async def test_several_are_invited_at_once(house: House) -> None:
    body = [{"email_address": f"{name}@example.com", "notify": False} for name in "abc"]
    made = await ask(house, "POST", "/v1/invitations/bulk", body)
    assert [one["email_address"][0] for one in made] == ["a", "b", "c"]
    assert len({one["url"] for one in made}) == 3
    body = [{"email_address": "d@example.com"}, body[0]]
    answer = await house.ask("POST", "/v1/invitations/bulk", body)
    assert refusal(answer) == (400, "duplicate_record", None)
    assert house.rows("tickets") == {"tickets": 3}


async def test_a_revoked_invitation_lets_nobody_in(house: House) -> None:
    made = await ask(house, "POST", "/v1/invitations", {"email_address": BEA})
    path = f"/v1/invitations/{made['id']}/revoke"
    revoked = await ask(house, "POST", path)
    assert (revoked["revoked"], revoked["status"]) == (True, "revoked")
    assert await ask(house, "GET", "/v1/invitations") == []
    form = {"strategy": "ticket", "ticket": made["url"].partition("ticket=")[2]}
    entered = await house.browser().post("/v1/client/sign_ups", form)
    assert refusal(entered) == (400, "revoked_invitation", None)
    assert refusal(await house.ask("POST", path)) == (400, "invitation_already_revoked", None)


async def test_an_account_is_not_invited_unless_that_is_meant(house: House) -> None:
    await user_of(house)
    answer = await house.ask("POST", "/v1/invitations", {"email_address": EMAIL})
    assert refusal(answer) == (422, "form_identifier_exists", "email_address")
    body = {"email_address": EMAIL, "ignore_existing": True, "notify": False}
    await ask(house, "POST", "/v1/invitations", body)


@pytest.mark.parametrize("days", [1, 365])
async def test_an_invitation_lives_as_long_as_was_asked(house: House, days: int) -> None:
    body = {"email_address": BEA, "expires_in_days": days, "template_slug": "invitation"}
    made = await ask(house, "POST", "/v1/invitations", body)
    house.clock.advance(days * DAY - 1)
    assert len(await ask(house, "GET", "/v1/invitations?status=pending")) == 1
    house.clock.advance(1)
    (listed,) = await ask(house, "GET", "/v1/invitations?status=expired")
    assert (listed["id"], listed["status"]) == (made["id"], "expired")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/welcome",
        "javascript:alert(1)",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://app.example.com\\@evil.example/",
        "http://app.example.com/",
        "nonsense",
    ],
)
async def test_an_invitation_leads_to_no_foreign_site(production: House, url: str) -> None:
    body = {"email_address": BEA, "redirect_url": url}
    answer = await production.ask("POST", "/v1/invitations", body)
    assert refusal(answer) == (422, "invalid_redirect_url", "redirect_url")
    assert production.rows("tickets", "outbox") == {"tickets": 0, "outbox": 0}


async def test_an_invitation_leads_to_an_allowed_site(production: House) -> None:
    (origin,) = PRODUCTION.origins
    body = {"email_address": BEA, "redirect_url": f"{origin}/welcome?a=1#b"}
    await ask(production, "POST", "/v1/invitations", body)


async def test_an_unknown_template_is_refused(house: House) -> None:
    body = {"email_address": BEA, "template_slug": "other"}
    answer = await house.ask("POST", "/v1/invitations", body)
    assert refusal(answer) == (422, "form_param_value_invalid", "template_slug")


# ── the waitlist ──────────────────────────────────────────────────────────────────────
async def test_who_waits_is_listed_invited_and_let_in(house: House) -> None:
    open_waitlist(house)
    await house.browser().post("/v1/waitlist", {"email_address": BEA})
    listed = await ask(house, "GET", "/v1/waitlist_entries?status=pending&query=bea")
    (entry,) = listed["data"]
    assert (listed["total_count"], entry["invitation"]) == (1, None)
    path = f"/v1/waitlist_entries/{entry['id']}"
    invited = await ask(house, "POST", f"{path}/invite", {"ignore_existing": None})
    assert (invited["status"], invited["invitation"]["status"]) == ("invited", "pending")
    assert house.inbox.messages(BEA)[0].link == invited["invitation"]["url"]
    again = await house.ask("POST", f"{path}/invite")
    assert refusal(again) == (409, "waitlist_entry_already_invited", None)
    form = {"strategy": "ticket", "ticket": invited["invitation"]["url"].partition("ticket=")[2]}
    await house.browser().post("/v1/client/sign_ups", form)
    (entry,) = (await ask(house, "GET", "/v1/waitlist_entries"))["data"]
    assert (entry["status"], entry["invitation"]["status"]) == ("completed", "accepted")
    for method, rest in (("POST", "/invite"), ("POST", "/reject"), ("DELETE", "")):
        late = await house.ask(method, f"{path}{rest}")
        assert refusal(late) == (409, "waitlist_entry_already_completed", None)


async def test_who_waits_is_rejected(house: House) -> None:
    entry = await ask(house, "POST", "/v1/waitlist_entries", {"email_address": BEA})
    path = f"/v1/waitlist_entries/{entry['id']}/reject"
    assert (await ask(house, "POST", path))["status"] == "rejected"
    assert refusal(await house.ask("POST", path)) == (409, "waitlist_entry_already_rejected", None)


async def test_who_waits_is_forgotten(house: House) -> None:
    body = {"email_address": BEA, "notify": False}
    entry = await ask(house, "POST", "/v1/waitlist_entries", body)
    assert house.inbox.messages(BEA) == []
    gone = await ask(house, "DELETE", f"/v1/waitlist_entries/{entry['id']}")
    assert gone == {"object": "waitlist_entry", "id": entry["id"], "deleted": True}
    assert (await ask(house, "GET", "/v1/waitlist_entries"))["data"] == []


async def test_several_are_put_on_the_list(house: House) -> None:
    body = [{"email_address": f"{name}@example.com"} for name in "ab"]
    made = await ask(house, "POST", "/v1/waitlist_entries/bulk", body)
    assert [one["email_address"][0] for one in made] == ["a", "b"]
    twice = [*body, {"email_address": "A@example.com"}]
    answer = await house.ask("POST", "/v1/waitlist_entries/bulk", twice)
    assert refusal(answer) == (422, "form_param_duplicate", "email_address")


# ── the real client ───────────────────────────────────────────────────────────────────
@pytest.fixture
async def clerk(house: House) -> Any:
    """The SDK for Python from the package registry, talking to this server."""
    transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as http:
        yield Clerk(house.secret_key, server_url=f"{URL}/v1", async_client=http)


async def test_the_real_client_makes_and_revokes_a_sign_in_token(
    house: House, clerk: Clerk
) -> None:
    user_id = await user_of(house)
    made = await clerk.sign_in_tokens.create_async(request={"user_id": user_id})
    assert made.token
    revoked = await clerk.sign_in_tokens.revoke_async(sign_in_token_id=made.id)
    assert revoked.status == "revoked"
    with pytest.raises(models.ClerkErrors) as raised:
        await clerk.sign_in_tokens.revoke_async(sign_in_token_id=made.id)
    assert raised.value.data.errors[0].code == "sign_in_token_cannot_be_revoked_code"


async def test_the_real_client_invites_lists_and_revokes(house: House, clerk: Clerk) -> None:
    body: Any = {"email_address": BEA, "redirect_url": f"{PAGE}/in", "public_metadata": {"a": 1}}
    made = await clerk.invitations.create_async(request=body)
    more: Any = [{"email_address": "cid@example.com"}]
    await clerk.invitations.bulk_create_async(request=more)
    listed = await clerk.invitations.list_async(query=BEA)
    assert [one.id for one in listed] == [made.id]
    revoked = await clerk.invitations.revoke_async(invitation_id=made.id)
    assert revoked.status == "revoked"
    with pytest.raises(models.ClerkErrors) as raised:
        await clerk.invitations.create_async(request={"email_address": "cid@example.com"})
    assert raised.value.data.errors[0].code == "duplicate_record"


async def test_the_real_client_keeps_a_waitlist(house: House, clerk: Clerk) -> None:
    made = await clerk.waitlist_entries.create_async(request={"email_address": BEA})
    assert made is not None
    house.clock.advance(HOUR)
    other = await clerk.waitlist_entries.create_async(request={"email_address": "c@example.com"})
    assert other is not None
    found = await clerk.waitlist_entries.list_async(limit=1, offset=1)
    assert ([one.id for one in found.data], found.total_count) == ([made.id], 2)
    invited = await clerk.waitlist_entries.invite_async(waitlist_entry_id=made.id)
    assert invited.status == "invited"
    rejected = await clerk.waitlist_entries.reject_async(waitlist_entry_id=made.id)
    assert rejected.status == "rejected"
    gone = await clerk.waitlist_entries.delete_async(waitlist_entry_id=other.id)
    assert gone.deleted
