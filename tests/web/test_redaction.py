"""Nothing that lets anybody in can be read afterwards: not in the log, not in an answer to
somebody else, not in the database."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from cryptography.hazmat.primitives import serialization

from doorcode import log_lines
from doorcode.delivery.inbox import Inbox
from doorcode.delivery.interface import Letter, Never, TryLater
from doorcode.domain.instance import Attribute
from doorcode.domain.limits import MINUTE, RESEND_AFTER, SECOND
from doorcode.flows import user
from doorcode.web.frontend_api import routes

from .house import EMAIL, INSTANCE, OTHER_PHONE, PAGE, PHONE, Browser, House, Plan, open_house
from .leaks import Place, Secret, Witness, files, leaks, tables

PLAN = Plan(instance={"phone": Attribute(used_for_second_factor=True), "backup_codes": True})
BEA, CAY = "bea@example.com", "cay@example.com"
TYPED = ["385926", "615243", "904718"]  # never sent: what a person mistyped is told to nobody
ANSWERS_TO_A_BROWSER = r"(body|headers) \d+ /v1/(client|me|tickets)"


@dataclass
class Run:
    """A server, what was seen of it, and what nobody else may see."""

    house: House
    witness: Witness
    log: io.StringIO
    secrets: list[Secret] = field(default_factory=list)

    def keep(self, name: str, value: str | bytes, home: str = "nowhere") -> None:
        raw = value.encode() if isinstance(value, str) else value
        self.secrets.append(Secret(name, raw, home))

    def places(self) -> list[Place]:
        """Everything that can be read, the pages of the database before they are moved too."""
        database = self.house.database
        found = [*self.witness.places, Place("log", self.log.getvalue().encode())]
        found += files(database, "before")
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return [*found, *files(database, "after"), *tables(database)]


@pytest.fixture
async def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Run]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    log = io.StringIO()
    async with open_house(tmp_path, PLAN) as house:
        log_lines.write_log(log, logging.DEBUG)
        monkeypatch.setattr(logging.getLogger("httpx"), "disabled", True)  # the browsers' own
        witness = Witness(house.app)
        monkeypatch.setattr(house, "app", witness)
        yield Run(house, witness, log)
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


# ── the run ───────────────────────────────────────────────────────────────────────────
async def live(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that people, apps and accidents do, and the secrets that it made."""
    await two_steps(run, await sign_up(run))
    await tickets(run)
    await handshake(run)
    await post_that_fails(run, monkeypatch)
    await refused(run)
    await guessed(run)
    await crashes(run, monkeypatch)
    await run.house.backend("/metrics")
    await all_delivered(run)
    collect(run)


async def sign_up(run: Run) -> Browser:
    house, browser = run.house, run.house.browser()
    form = {"phone_number": PHONE, "email_address": EMAIL, "strategy": "phone_code"}
    attempt = await browser.start_sign_up(**form)
    await browser.attempt_sign_up(attempt, TYPED[0])
    house.clock.advance(RESEND_AFTER)
    await browser.prepare_sign_up(attempt)
    await browser.attempt_sign_up(attempt, house.code(PHONE))
    await browser.prepare_sign_up(attempt, "email_code")
    done = await browser.attempt_sign_up(attempt, house.code(EMAIL), "email_code")
    assert done.json()["response"]["status"] == "complete"
    return browser


async def two_steps(run: Run, browser: Browser) -> None:
    numbers = (await browser.get("/v1/me/phone_numbers")).json()
    number = f"/v1/me/phone_numbers/{numbers[0]['id']}"
    reserve = {"reserved_for_second_factor": "true"}
    backup = (await browser.override("PATCH", number, reserve)).json()["response"]["backup_codes"]
    for code in backup:
        run.keep("backup code", code, r"body 200 /v1/me/phone_numbers/")
    for second in ({"strategy": "backup_code", "code": backup[0]}, {"strategy": "phone_code"}):
        await browser.sign_out()
        attempt = await browser.start_sign_in(EMAIL, strategy="email_code")
        await browser.attempt_sign_in(attempt, TYPED[1], "email_code")
        await browser.attempt_sign_in(attempt, run.house.code(EMAIL), "email_code")
        path = f"/v1/client/sign_ins/{attempt}"
        await browser.post(f"{path}/attempt_second_factor", {**second, "code": TYPED[2]})
        await browser.post(f"{path}/prepare_second_factor", {"strategy": "phone_code"})
        code = second.get("code", run.house.code(PHONE))
        done = await browser.post(f"{path}/attempt_second_factor", {**second, "code": code})
        assert done.json()["response"]["status"] == "complete"
        run.house.clock.advance(MINUTE)


async def tickets(run: Run) -> None:
    house = run.house
    owner = (await house.browser().sign_up(CAY)).json()["response"]["created_user_id"]
    token = (await house.ask("POST", "/v1/sign_in_tokens", {"user_id": owner})).json()["token"]
    invited = await house.ask("POST", "/v1/invitations", {"email_address": BEA})
    invitation = invited.json()["url"].partition("ticket=")[2]
    await house.backend("/v1/invitations")
    for ticket, attempts in ((token, "sign_ins"), (invitation, "sign_ups")):
        mac = ticket.partition(".")[2]
        home = r"body 200 /v1/(sign_in_tokens|invitations)|headers 303 /v1/tickets/accept"
        run.keep("ticket", mac, home)
        form = {"strategy": "ticket", "ticket": ticket}
        browser = house.browser()
        await browser.get("/v1/tickets/accept", params={"ticket": ticket})
        await browser.post(f"/v1/client/{attempts}", {**form, "ticket": f"{ticket}x"})
        done = await browser.post(f"/v1/client/{attempts}", form)
        assert done.json()["response"]["status"] == "complete"
        await house.browser().post(f"/v1/client/{attempts}", form)  # used up


async def handshake(run: Run) -> None:
    browser = run.house.browser(page=None)
    await browser.sign_in(CAY)
    for more in ({}, {"format": "nonce"}):
        query = {"redirect_url": f"{PAGE}/home", **more}
        answer = await browser.get("/v1/client/handshake", params=query)
        assert answer.status_code == 307
    nonce = browser.http.cookies["__clerk_handshake_nonce"]
    kept = await run.house.backend(f"/v1/clients/handshake_payload?nonce={nonce}")
    assert kept.json()["directives"]
    developer = run.house.browser()
    made = await developer.post("/v1/dev_browser")
    run.keep("dev browser", made.json()["id"], r"body 200 /v1/dev_browser")


async def post_that_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that quotes the letter which it refuses, in whatever way it can."""
    refusals: list[Callable[[str], Exception]] = [TryLater, Never, ValueError]

    async def send(_: Inbox, letter: Letter) -> None:
        run.keep("code", letter.code)
        raise refusals.pop()(f"550 5.7.1 {letter.to} rejected: {letter.subject} {letter.text}")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "send", send)
        for number in ("+14155552673", "+14155552674", "+14155552675"):
            await run.house.browser().start_sign_up(phone_number=number, strategy="phone_code")
    assert refusals == []


async def refused(run: Run) -> None:
    house, code = run.house, run.house.code(EMAIL)
    secret, cookie = house.secret_key, house.browser()
    for headers in ({"authorization": f"Bearer {secret}x"}, {"authorization": f"Basic {secret}"}):
        await house.browser(None).get(f"/v1/users/{code}", headers=headers)
    await house.backend("/v1/jwks", origin=PAGE)
    await house.backend(f"/v1/users/{code}")
    await house.ask("POST", "/v1/sign_in_tokens", {"user_id": code, "org": secret})
    await house.ask("POST", "/v1/invitations", {"email_address": secret})
    await cookie.get(f"/v1/client/sign_ins/{code}")
    await cookie.get(f"/nothing/{code}?code={code}")
    await cookie.post("/v1/client/sign_ins", {"strategy": code, "identifier": secret})
    await cookie.post("/v1/client/sign_ups", {"phone_number": code, code: code})
    await cookie.post_raw("/v1/client/sign_ups", f"code={code}&code={code}".encode())
    await cookie.post_raw("/v1/waitlist", f'{{"code": "{code}"'.encode(), "application/json")
    await house.browser("https://evil.example").get(f"/v1/client?code={code}")
    await house.browser(None).get("/v1/client", headers={"host": f"{code}.example"})


async def guessed(run: Run) -> None:
    """Somebody guesses until an address is closed to them, which the audit log remembers."""
    for _ in range(4):
        stranger, form = run.house.browser(), {"identifier": EMAIL, "strategy": "email_code"}
        begun = (await stranger.post("/v1/client/sign_ins", form)).json().get("response")
        for code in TYPED * 2 if begun else []:
            await stranger.attempt_sign_in(begun["id"], code, "email_code")


async def crashes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of ours that quote all they were given."""
    house, browser = run.house, run.house.browser()
    await browser.sign_up(OTHER_PHONE)

    def crash(*given: Any) -> Any:
        quoted = " ".join(secret.value.decode("latin-1") for secret in run.secrets)
        raise RuntimeError(f"{house.code(OTHER_PHONE)} {browser.token} {house.secret_key} {quoted}")

    with monkeypatch.context() as patch:
        patch.setitem(routes.ROUTES, ("GET", "/v1/me"), crash)
        patch.setattr(user, "get", crash)
        for answer in (await browser.get("/v1/me"), await house.backend("/v1/users/user_x")):
            assert answer.status_code == 500


async def all_delivered(run: Run) -> None:
    """Let the courier do what was put off."""
    run.house.clock.advance(10 * SECOND)
    courier: Any = run.house.door.deps.post
    task = asyncio.create_task(courier.run())
    async with asyncio.timeout(20):
        while sqlite_value(run, "SELECT count(*) FROM outbox WHERE sealed IS NOT NULL"):
            await asyncio.sleep(0.01)
    await courier.stop()
    with suppress(asyncio.CancelledError):
        task.cancel()
        await task


def sqlite_value(run: Run, query: str) -> Any:
    connection = sqlite3.connect(run.house.database)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


def collect(run: Run) -> None:
    """The secrets that stand in what was answered and sent, and the keys behind them."""
    house, answered = run.house, run.witness.text()
    for code in [*TYPED, *{letter.code for letter in house.inbox.messages()} - {""}]:
        run.keep("code", code)
    for signature in {found[1] for found in re.finditer(rb"eyJ[\w-]+\.[\w-]+\.([\w-]+)", answered)}:
        payloads = r"|body 200 /v1/clients/handshake_payload"
        run.keep("signed token", signature, ANSWERS_TO_A_BROWSER + payloads)
    for cookie in set(re.findall(rb"set-cookie: __client=([\w-]{40,});", answered)):
        run.keep("cookie", cookie, r"headers 200 /v1/")
    for nonce in set(re.findall(rb"__clerk_handshake_nonce=([\w-]{40,});", answered)):
        run.keep("nonce", nonce, r"headers 307 /v1/client/handshake")
    run.keep("secret key", house.secret_key)
    run.keep("secret key", house.secret_key.removeprefix("sk_live_"))
    run.keep("master key", house.master.versions[1])
    for purpose in ("seal", "code", "backup-code", "ticket", "waitlist"):
        run.keep(f"{purpose} key", house.master.derive(purpose, 1, INSTANCE))
    private: Any = house.door.deps.tokens._key.private
    primes = private.private_numbers()
    run.keep("prime", primes.p.to_bytes((primes.p.bit_length() + 7) // 8, "big"))
    pem = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    run.keep("private key", private.private_bytes(*pem, serialization.NoEncryption()))


async def test_nothing_that_a_run_produced_can_be_read_where_it_does_not_belong(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(run, monkeypatch)
    assert leaks(run.secrets, run.places()) == []


async def test_the_run_produces_and_shows_what_it_is_about(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(run, monkeypatch)
    names = {secret.name for secret in run.secrets}
    assert names >= {
        "backup code", "code", "cookie", "dev browser", "master key", "nonce", "prime",
        "private key", "seal key", "secret key", "signed token", "ticket",
    }  # fmt: skip
    assert len({secret.value for secret in run.secrets if secret.name == "code"}) > 12
    log = run.log.getvalue()
    events = ("message_delivered", "message_deferred", "message_failed", "internal error")
    assert [event for event in events if event not in log] == []
    assert "RuntimeError" in log
    statuses = {int(place.name.split()[1]) for place in run.witness.places}
    assert statuses >= {200, 303, 307, 400, 401, 404, 422, 500}
    # Each is found in its home: so the search would find it elsewhere.
    places = run.places()
    assert {"table events", "table outbox", "table codes"} <= {place.name for place in places}
    homeless = [Secret(s.name, s.value) for s in run.secrets if s.home != "nowhere"]
    found = {leak.partition(" in ")[0] for leak in leaks(homeless, places)}
    assert found == {secret.name for secret in homeless}


async def test_the_log_would_leak_if_nothing_were_masked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(log_lines, "redact_event", lambda _, __, event: event)
        log_lines.write_log(run.log, logging.DEBUG)
    await live(run, monkeypatch)
    found = {leak for leak in leaks(run.secrets, run.places()) if leak.endswith(" in log")}
    assert found >= {f"{name} in log" for name in ("code", "backup code", "ticket", "secret key")}


# ── the search can fail ───────────────────────────────────────────────────────────────
FORMS: list[Callable[[bytes], bytes]] = [
    lambda secret: secret,
    lambda secret: b"x" + secret + b"y",
    lambda secret: secret.hex().encode(),
    lambda secret: secret.hex().upper().encode(),
    lambda secret: base64.b64encode(secret),
    lambda secret: base64.b64encode(b"a" + secret + b"b"),
    lambda secret: base64.urlsafe_b64encode(b"ab" + secret + b"b"),
    lambda secret: quote(secret, safe="").encode(),
]
PLANTED = {
    "code": b"385926",
    "cookie": base64.urlsafe_b64encode(bytes(range(200, 232))).rstrip(b"="),
    "master key": bytes(range(180, 212)),
    "ticket": b"k/+" * 14,
}


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_leak_is_found_in_each_place(
    run: Run, name: str, form: Callable[[bytes], bytes]
) -> None:
    await run.house.browser().sign_up()
    secret = Secret(name, PLANTED[name])
    assert leaks([secret], run.places()) == []
    planted = form(secret.value)

    async def leak(scope: Any, receive: Any, send: Any) -> None:
        head = [(b"x-leak", planted)]
        await send({"type": "http.response.start", "status": 500, "headers": head})
        await send({"type": "http.response.body", "body": b'{"errors": "' + planted + b'"}'})

    run.witness._app = leak
    await run.house.browser().get("/metrics")
    connection = sqlite3.connect(run.house.database)
    with connection:
        connection.execute("CREATE TABLE planted (id INTEGER, what BLOB)")
        connection.execute("INSERT INTO planted VALUES (1, ?)", [b"signed in by " + planted])
    found = leaks([secret], run.places())
    connection.close()
    assert f"{name} in headers 500 /metrics" in found
    assert f"{name} in body 500 /metrics" in found
    assert f"{name} in file doorcode.db-wal before" in found
    assert f"{name} in file doorcode.db after" in found
    assert f"{name} in table planted" in found


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_a_planted_leak_is_found_in_a_line_of_the_log(form: Callable[[bytes], bytes]) -> None:
    for name, value in PLANTED.items():
        line = b"timestamp='2026-01-01T00:00:00.385926Z' event='" + form(value) + b"'"
        assert leaks([Secret(name, value)], [Place("log", line)]) == [f"{name} in log"]


@pytest.mark.parametrize(
    "content",
    [
        b"1385926", b"3859261", b"timestamp='2026-01-01T00:00:00.385926Z'", b"38592 6", b"385925",
        b'{"clerk_trace_id":"00000000000000000000000000385926"}',
    ],
)  # fmt: skip
def test_a_number_that_holds_a_code_by_chance_is_no_leak(content: bytes) -> None:
    assert leaks([Secret("code", b"385926")], [Place("log", content)]) == []


def test_a_code_in_two_halves_is_a_leak() -> None:
    for text in (b"385 926", b"385-926", b"code385926."):
        assert leaks([Secret("code", b"385926")], [Place("log", text)]) == ["code in log"]


def test_a_secret_may_be_at_home_and_nowhere_else() -> None:
    secret = Secret("cookie", b"abcdefgh", r"headers 200 /v1/")
    places = [
        Place("headers 200 /v1/client", b"abcdefgh"),
        Place("body 200 /v1/client", b"abcdefgh"),
    ]
    assert leaks([secret], places) == ["cookie in body 200 /v1/client"]
