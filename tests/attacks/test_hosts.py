"""Poisoned hosts: nothing that we write, send or set follows a name that a request brought."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from tests.web.house import PRODUCTION

from .conftest import Builder
from .street import EMAIL, SIGN_UPS, Street, Visitor

EVIL = "evil.example"
OURS = "https://auth.example.com"
PAGE = "https://app.example.com"
HEADERS = {
    "host": {"host": EVIL},
    "host with a port": {"host": f"auth.example.com:@{EVIL}"},
    "forwarded host": {"x-forwarded-host": EVIL},
    "forwarded": {"forwarded": f"host={EVIL};proto=http"},
    "forwarded protocol": {"x-forwarded-proto": "http", "x-forwarded-port": "1"},
    "rewritten url": {"x-original-url": f"https://{EVIL}/", "x-rewrite-url": f"https://{EVIL}/"},
    "host override": {"x-host": EVIL, "x-http-host-override": EVIL, "x-forwarded-server": EVIL},
}
POISONED = pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())


class Poisoner:
    """Sends every request with a poisoned header, and keeps all that comes back.

    The cookies are Secure and the test speaks http, so they are carried by hand.
    """

    def __init__(self, street: Street, headers: dict[str, str]) -> None:
        self.visitor: Visitor = street.visitor(PAGE)
        self.visitor.http.headers.update(headers)
        self.answers: list[httpx.Response] = []

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = await self.visitor.http.request(method, path, **options)
        self.answers.append(answer)
        for line in answer.headers.get_list("set-cookie"):
            if line.startswith("__client="):
                self.visitor.http.headers["cookie"] = line.partition(";")[0]
        return answer


async def invite(street: Street, poisoner: Poisoner) -> str:
    """Have an app's server invite somebody by a poisoned request; the link in the mail."""
    key = {"authorization": f"Bearer {street.house.secret_key}", "origin": ""}
    body = {"email_address": "bea@example.com"}
    headers = {k: v for k, v in key.items() if v}
    del poisoner.visitor.http.headers["origin"]
    made = await poisoner.ask("POST", "/v1/invitations", json=body, headers=headers)
    poisoner.visitor.http.headers["origin"] = PAGE
    assert made.status_code == 200, made.text
    await street.delivered()
    return street.house.inbox.messages("bea@example.com")[0].link


@POISONED
async def test_nothing_follows_a_poisoned_host(build: Builder, headers: dict[str, str]) -> None:
    street = await build(PRODUCTION)
    poisoner = Poisoner(street, headers)
    form = {"email_address": EMAIL, "strategy": "email_code"}
    begun = await poisoner.ask("POST", SIGN_UPS, data=form)
    attempt = begun.json()["response"]["id"]
    code = {"strategy": "email_code", "code": street.house.code(EMAIL)}
    done = await poisoner.ask("POST", f"{SIGN_UPS}/{attempt}/attempt_verification", data=code)
    session = done.json()["response"]["created_session_id"]
    token = await poisoner.ask("POST", f"/v1/client/sessions/{session}/tokens")
    link = await invite(street, poisoner)
    assert link.startswith(f"{OURS}/v1/tickets/accept?ticket=")
    followed = await poisoner.ask("GET", link.removeprefix(OURS))
    assert followed.headers["location"].startswith(f"{OURS}/")
    for path in ("/", "/sign-in", "/sign-up", "/sign-in/", "/nowhere", "/v1/environment", "//x"):
        await poisoner.ask("GET", path)
    await poisoner.ask("POST", "/sign-in", data={"identifier": EMAIL})
    assert claims(token.json()["jwt"])["iss"] == OURS
    expect_ours(street, poisoner)


def expect_ours(street: Street, poisoner: Poisoner) -> None:
    """No answer and no mail names another host; every cookie is as the configuration says."""
    cookies = 0
    for answer in poisoner.answers:
        assert EVIL not in answer.text
        assert "http://auth" not in answer.text
        for name, value in answer.headers.multi_items():
            assert EVIL not in value, name
        for line in answer.headers.get_list("set-cookie"):
            cookies += 1
            assert "; Secure" in line
            assert ("Domain=" in line) <= ("; Domain=example.com;" in line)
        location = answer.headers.get("location", "/")
        assert location.startswith(("/", OURS))
        assert not location.startswith("//")
    assert cookies
    for letter in street.house.inbox.messages():
        assert EVIL not in letter.body + letter.link


@pytest.mark.parametrize("host", [EVIL, f"localhost.{EVIL}", f"localhost@{EVIL}", "", "localhost:"])
async def test_in_development_no_other_host_is_answered(street: Street, host: str) -> None:
    """Here anybody who is answered could read the inbox: DNS rebinding."""
    visitor = street.visitor(host=host)
    for path in ("/v1/client", "/v1/environment", "/sign-in", "/inbox", "/.well-known/jwks.json"):
        answer = await visitor.get(path)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "host_invalid")


async def test_a_second_host_is_not_believed_either(street: Street) -> None:
    """Of two, a proxy may have checked the one and we would read the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(street.url.rpartition(":")[2]))
    writer.write(b"GET /v1/client HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.close()


def claims(token: str) -> Any:
    """What a token says, unchecked."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
