"""The composition: settings in, a server that answers out."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tests.cloudflare import SECRET, open_cloudflare

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.event import Event
from doorcode.domain.send import Pause
from doorcode.flows import audit
from doorcode.security import master_key
from doorcode.server import Server, open_server, open_storage
from doorcode.settings import BadSettings, Settings, development, production
from doorcode.storage.interface import Unavailable

NUMBER = "+14155552671"
ORIGIN = "https://example.com"


def dev(data: Path, **environ: str) -> Settings:
    return development({f"DOORCODE_{k}": v for k, v in environ.items()}, data=data)


def serve(data: Path, **environ: str) -> Settings:
    needed = {
        "URL": "https://auth.example.com",
        "ORIGINS": ORIGIN,
        "MASTER_KEY": master_key.generate(),
    }
    given = {f"DOORCODE_{k}": v for k, v in (needed | environ).items()}
    return production(given, data=data)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    async with open_server(settings) as server:
        transport = httpx.ASGITransport(app=server.app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.url) as browser:
            yield server, browser


async def post(browser: httpx.AsyncClient, path: str, fields: Mapping[str, str]) -> Any:
    return await browser.post(f"/v1/client/{path}", data=dict(fields))


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / "doorcode.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# ── development ───────────────────────────────────────────────────────────────────────
async def test_development_server_is_healthy(tmp_path: Path) -> None:
    async with running(dev(tmp_path)) as (server, browser):
        answer = await browser.get("/v1/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert server.keys.secret_key is not None
        assert server.warnings == ()


async def test_one_origin_carries_every_door(tmp_path: Path) -> None:
    async with running(dev(tmp_path)) as (server, browser):
        secret = {"Authorization": f"Bearer {server.keys.secret_key}"}
        assert (await browser.get("/v1/environment")).status_code == 200
        assert (await browser.get("/v1/jwks", headers=secret)).status_code == 200
        for page in ("/", "/sign-up", "/sign-in", "/inbox"):
            answer = await browser.get(page)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/html")
        assert (await browser.get("/inbox/messages")).json() == []


async def test_code_is_in_the_inbox_when_the_answer_comes(tmp_path: Path) -> None:
    async with running(dev(tmp_path)) as (_, browser):
        begun = await post(browser, "sign_ups", {"phone_number": NUMBER})
        attempt = begun.json()["response"]["id"]
        way = {"strategy": "phone_code"}
        await post(browser, f"sign_ups/{attempt}/prepare_verification", way)
        [letter] = (await browser.get("/inbox/messages", params={"to": NUMBER})).json()
        assert (letter["channel"], letter["to"]) == ("sms", NUMBER)
        code = {"code": letter["code"], **way}
        done = await post(browser, f"sign_ups/{attempt}/attempt_verification", code)
        assert done.json()["response"]["status"] == "complete"
    # The readable code went with its delivery.
    assert rows(tmp_path, "SELECT state, sealed FROM outbox") == [("delivered", None)]


async def test_tokens_name_the_issuer(tmp_path: Path) -> None:
    async with running(dev(tmp_path)) as (server, browser):
        published = (await browser.get("/.well-known/jwks.json")).json()["keys"]
        assert [key["kid"] for key in published] == [server.keys.signing[0].id]
        assert "d" not in published[0]


@pytest.mark.parametrize("host", ["", "127.0.0.1", "::1", "localhost"])
async def test_inbox_on_loopback_needs_no_token(tmp_path: Path, host: str) -> None:
    async with running(dev(tmp_path, HOST=host)) as (server, browser):
        assert server.inbox_token is None
        assert (await browser.get("/inbox/messages")).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "devbox.example"])
async def test_inbox_beyond_loopback_asks_for_a_token(tmp_path: Path, host: str) -> None:
    async with running(dev(tmp_path, HOST=host)) as (server, browser):
        assert server.inbox_token is not None
        assert len(server.inbox_token) >= 22
        for path in ("/inbox", "/inbox/messages"):
            assert (await browser.get(path)).status_code in (401, 403)
            wrong = await browser.get(path, params={"token": server.inbox_token[:-1]})
            assert wrong.status_code in (401, 403)
        allowed = await browser.get("/inbox/messages", params={"token": server.inbox_token})
        assert allowed.status_code == 200


async def test_inbox_token_is_another_at_each_start(tmp_path: Path) -> None:
    tokens = set()
    for _ in range(2):
        async with open_server(dev(tmp_path, HOST="0.0.0.0")) as server:
            tokens.add(server.inbox_token)
    assert len(tokens) == 2
    assert None not in tokens


@pytest.mark.parametrize(
    ("listening", "named"),
    [
        ("192.0.2.7", "192.0.2.7:8787"),
        ("devbox.example", "devbox.example"),
        ("DevBox.example", "devbox.example:8787"),
        ("2001:db8::7", "[2001:db8::7]:8787"),
        ("0.0.0.0", "192.0.2.9:8787"),
        ("::", "[2001:db8::9]:8787"),
    ],
)
async def test_named_host_is_answered(tmp_path: Path, listening: str, named: str) -> None:
    async with running(dev(tmp_path, HOST=listening)) as (_, browser):
        answer = await browser.get("/v1/health", headers={"Host": named})
        assert answer.status_code == 200
        foreign = await browser.get("/v1/health", headers={"Host": "evil.example"})
        assert foreign.status_code == 400


# ── production ────────────────────────────────────────────────────────────────────────
async def test_production_has_no_inbox(tmp_path: Path) -> None:
    async with running(serve(tmp_path)) as (server, browser):
        assert server.inbox_token is None
        for path in ("/inbox", "/inbox/", "/inbox/messages", "/inbox/messages?to=%2B14155552671"):
            assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "strategy", "code"),
    [
        ("phone_number", NUMBER, "phone_code", "sms_send_error"),
        ("email_address", "ada@example.com", "email_code", "email_send_error"),
    ],
)
async def test_code_that_cannot_be_sent_is_refused(
    tmp_path: Path, field: str, value: str, strategy: str, code: str
) -> None:
    async with running(serve(tmp_path)) as (_, browser):
        begun = await post(browser, "sign_ups", {field: value})
        attempt = begun.json()["response"]["id"]
        path = f"sign_ups/{attempt}/prepare_verification"
        refused = await post(browser, path, {"strategy": strategy})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)
    for table in ("verifications", "codes", "outbox"):
        assert rows(tmp_path, f"SELECT count(*) FROM {table}") == [(0,)]


async def test_production_without_warnings_is_not_yet(tmp_path: Path) -> None:
    async with open_server(serve(tmp_path)) as server:
        assert any("DOORCODE_SMTP_URL" in warning for warning in server.warnings)
        assert not any("TEST_MODE" in warning for warning in server.warnings)
        assert not any("is not https" in warning for warning in server.warnings)


async def test_an_app_that_the_cookies_do_not_reach_is_named(tmp_path: Path) -> None:
    apps = "https://app.example.com,https://example.com,https://other.example"
    apart = {"URL": "https://auth.example.com", "ORIGINS": apps}
    for domain, hosts in (
        ("", ["app.example.com", "example.com", "other.example"]),
        ("example.com", ["other.example"]),
    ):
        async with open_server(
            serve(tmp_path / (domain or "none"), **apart, COOKIE_DOMAIN=domain)
        ) as server:
            said = [one for one in server.warnings if "DOORCODE_COOKIE_DOMAIN" in one]
            assert [one.partition(" ")[0] for one in said] == hosts


async def test_scripts_from_a_stranger_are_told(tmp_path: Path) -> None:
    async with open_server(serve(tmp_path)) as server:
        assert any("doorcode sdk install" in warning for warning in server.warnings)
    other = tmp_path / "other"
    (other / "sdk" / "clerk-js").mkdir(parents=True)
    async with open_server(serve(other)) as server:
        assert not any("doorcode sdk install" in warning for warning in server.warnings)


async def test_mail_server_takes_its_warning_away(tmp_path: Path) -> None:
    mail = {"SMTP_URL": "smtp://localhost:2525", "MAIL_FROM": "no-reply@example.com"}
    async with open_server(serve(tmp_path, **mail)) as server:
        assert not any("SMTP" in warning for warning in server.warnings)


async def test_pages_over_plain_http_are_told_of_in_production(tmp_path: Path) -> None:
    """Anybody on the way can rewrite such a page, and it reads who is signed in."""
    apps = "http://app.example.com,https://example.com,http://localhost:3000,http://127.0.0.1"
    async with open_server(serve(tmp_path, ORIGINS=apps)) as server:
        said = [warning for warning in server.warnings if "not https" in warning]
        assert [one.partition(" ")[0] for one in said] == ["http://app.example.com"]


async def test_test_mode_in_production_warns(tmp_path: Path) -> None:
    async with open_server(serve(tmp_path, TEST_MODE="on")) as server:
        [said] = [warning for warning in server.warnings if "DOORCODE_TEST_MODE" in warning]
        assert "424242" in said


@pytest.mark.parametrize(("mode", "said"), [("on", "complete"), ("off", "sms_send_error")])
async def test_test_number_counts_in_test_mode_only(tmp_path: Path, mode: str, said: str) -> None:
    async with running(serve(tmp_path, TEST_MODE=mode)) as (_, browser):
        begun = await post(browser, "sign_ups", {"phone_number": "+14155550100"})
        path = f"sign_ups/{begun.json()['response']['id']}"
        way = {"strategy": "phone_code"}
        answer = await post(browser, f"{path}/prepare_verification", way)
        if mode == "on":
            typed = {"code": "424242", **way}
            answer = await post(browser, f"{path}/attempt_verification", typed)
        assert said in answer.text
    assert rows(tmp_path, "SELECT count(*) FROM users") == [(int(mode == "on"),)]


async def test_plain_http_warns_and_sets_no_secure_cookie(tmp_path: Path) -> None:
    async with running(serve(tmp_path, URL="http://auth.example.com")) as (server, browser):
        assert any("not https" in warning for warning in server.warnings)
        answer = await browser.post("/v1/client")
        assert answer.headers.get_list("set-cookie")
        assert not [c for c in answer.headers.get_list("set-cookie") if "secure" in c.lower()]


async def test_https_sets_secure_cookies(tmp_path: Path) -> None:
    async with running(serve(tmp_path)) as (_, browser):
        answer = await browser.post("/v1/client")
        client = [c for c in answer.headers.get_list("set-cookie") if c.startswith("__client=")]
        assert [("Secure" in c, "HttpOnly" in c) for c in client] == [(True, True)]


async def test_production_allows_listed_origins_only(tmp_path: Path) -> None:
    async with running(serve(tmp_path)) as (_, browser):
        listed = await browser.get("/v1/client", headers={"Origin": ORIGIN})
        assert listed.headers["access-control-allow-origin"] == ORIGIN
        for origin in ("http://localhost:3000", "null", "https://evil.example"):
            refused = await browser.get("/v1/client", headers={"Origin": origin})
            assert refused.json()["errors"][0]["code"] == "origin_invalid"


# ── the instance's settings ───────────────────────────────────────────────────────────
async def test_the_instance_is_what_the_settings_say(tmp_path: Path) -> None:
    given = {"SETTINGS": '{"sign_up_mode": "waitlist"}', "NAME": "Example"}
    async with running(serve(tmp_path, **given)) as (_, browser):
        document = (await browser.get("/v1/environment")).json()
        assert document["user_settings"]["sign_up"]["mode"] == "waitlist"
        assert document["display_config"]["application_name"] == "Example"


async def test_a_stored_change_is_answered_by_without_a_restart(tmp_path: Path) -> None:
    async with running(dev(tmp_path)) as (_, browser):
        connection = sqlite3.connect(tmp_path / "doorcode.db")
        with connection:
            stored = ("instance_settings", b'{"sign_up_mode": "waitlist"}')
            connection.execute("INSERT INTO settings (name, value) VALUES (?, ?)", stored)
        connection.close()
        for _ in range(500):
            document = (await browser.get("/v1/environment")).json()
            if document["user_settings"]["sign_up"]["mode"] == "waitlist":
                break
            await asyncio.sleep(0.01)
        assert document["user_settings"]["sign_up"]["mode"] == "waitlist"


async def test_refused_settings_do_not_use_up_the_secret_key(tmp_path: Path) -> None:
    """It is shown once, at the first start that succeeds."""
    wrong = serve(tmp_path, SETTINGS='{"mfa": {"required": true}}')
    with pytest.raises(BadSettings, match="DOORCODE_SETTINGS"):
        async with open_server(wrong):
            pass
    async with open_server(serve(tmp_path)) as server:
        assert server.keys.secret_key is not None


async def test_a_server_that_has_stopped_fixes_nothing(tmp_path: Path) -> None:
    query = "SELECT value FROM settings WHERE name = 'fixed_settings'"
    async with open_server(dev(tmp_path, SETTINGS='{"sign_up_mode": "waitlist"}')):
        assert b"waitlist" in rows(tmp_path, query)[0][0]
    assert rows(tmp_path, query) == [(b"{}",)]


# ── starting and stopping ─────────────────────────────────────────────────────────────
async def test_server_can_be_opened_again(tmp_path: Path) -> None:
    secrets = set()
    for _ in range(3):
        async with running(dev(tmp_path)) as (server, browser):
            assert (await browser.get("/v1/health")).status_code == 200
            secrets.add(server.keys.secret_key)
    assert len(secrets) == 1


async def test_failing_start_lets_go_of_the_database(tmp_path: Path) -> None:
    good = serve(tmp_path)
    async with open_server(good):
        pass
    with pytest.raises(BadSettings, match="another key"):
        async with open_server(serve(tmp_path)):
            pass
    assert not (tmp_path / "doorcode.db-wal").exists()
    async with running(good) as (_, browser):
        assert (await browser.get("/v1/health")).status_code == 200


def test_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="DOORCODE_DATA"):
        open_storage(dev(tmp_path / "file"))


def test_database_is_its_owners_alone(tmp_path: Path) -> None:
    storage = open_storage(dev(tmp_path / "data"))
    try:
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "data" / "doorcode.db").stat().st_mode & 0o777 == 0o600
    finally:
        storage._read_connection.close()
        storage._write_connection.close()


def test_spoilt_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "doorcode.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(Unavailable):
        open_storage(dev(tmp_path))


async def test_expired_rows_are_cleaned_from_the_start(tmp_path: Path) -> None:
    async with open_server(dev(tmp_path)):
        pass
    connection = sqlite3.connect(tmp_path / "doorcode.db")
    with connection:
        connection.execute("INSERT INTO guesses VALUES ('gss_old', 'phone_number:+1', 1)")
    connection.close()
    async with open_server(dev(tmp_path)):
        for _ in range(500):
            if rows(tmp_path, "SELECT count(*) FROM guesses") == [(0,)]:
                break
            await asyncio.sleep(0.01)
    assert rows(tmp_path, "SELECT count(*) FROM guesses") == [(0,)]


async def test_an_empty_sdk_directory_is_said(tmp_path: Path) -> None:
    environ = {"DOORCODE_DATA": str(tmp_path / "data"), "DOORCODE_SDK_DIR": str(tmp_path)}
    async with open_server(development(environ)) as server:
        assert any("DOORCODE_SDK_DIR" in warning for warning in server.warnings)


# ── bot protection ────────────────────────────────────────────────────────────────────
ALWAYS = {"SETTINGS": '{"bot_protection": {"mode": "always", "site_key": "0xsitekey"}}'}


@pytest.mark.parametrize(
    ("hostname", "status"),
    [("example.com", 200), ("auth.example.com", 200), ("evil.example", 400)],
)
async def test_a_challenge_is_checked_and_must_be_solved_on_a_page_of_ours(
    tmp_path: Path, hostname: str, status: int
) -> None:
    with open_cloudflare() as cloudflare:
        cloudflare.hostname = hostname
        double = {"TURNSTILE_SECRET": SECRET, "TURNSTILE_URL": cloudflare.url}
        async with running(serve(tmp_path, **ALWAYS, **double)) as (_, browser):
            form = {"phone_number": NUMBER, "captcha_token": cloudflare.answer("signup")}
            assert (await post(browser, "sign_ups", form)).status_code == status


async def test_a_server_that_could_check_nothing_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="DOORCODE_TURNSTILE_SECRET"):
        async with open_server(serve(tmp_path, **ALWAYS)):
            pass


# ── what an operator sees ─────────────────────────────────────────────────────────────
BRITON = "+447400123456"
RULES = '{"alerts": {"email": "ops@example.com"}, "shield": {"mode": "record"}}'


async def test_a_refused_country_is_logged_counted_and_written(tmp_path: Path) -> None:
    async with running(dev(tmp_path)) as (server, browser):
        with capture_logs() as lines:
            for _ in range(3):
                refused = await post(browser, "sign_ups", {"phone_number": BRITON})
        assert refused.json()["errors"][0]["code"] == "unsupported_country_code"
        assert "settings set" not in refused.text  # what people are told is told in the log alone
        [line] = [line for line in lines if line["event"].startswith("No code went to a number")]
        assert "doorcode settings set shield.countries '*'" in line["event"]
        assert "+44********56" in line.values()
        assert (await browser.get("/metrics")).status_code == 401
        secret = {"Authorization": f"Bearer {server.keys.secret_key}"}
        numbers = (await browser.get("/metrics", headers=secret)).text
    counted = '{bucket="shield.country",country="GB",outcome="refused"} 3.0'
    assert f"doorcode_shield_decisions_total{counted}" in numbers
    assert BRITON not in numbers
    written = rows(tmp_path, "SELECT name, bucket, subject, network FROM events")
    [(name, bucket, subject, network)] = set(written)
    assert (name, bucket, subject) == ("shield.decided", "shield.country", f"phone_number:{BRITON}")
    assert network == "127.0.0.1"


async def test_a_pause_is_told_by_a_letter_whose_link_ends_it(tmp_path: Path) -> None:
    async with running(dev(tmp_path, SETTINGS=RULES)) as (server, browser):
        deps = server.app._door.deps
        event = Event("shield.decided", "refused", "shield.area", details={"country": "GB"})
        pause = Pause("GB", deps.now(), "an attack")
        await audit.remember(deps, Refused(errors.SENDING_BLOCKED, event, pause))
        for _ in range(500):
            letters = (await browser.get("/inbox/messages?to=ops@example.com")).json()
            if letters:
                break
            await asyncio.sleep(0.01)
        [letter] = letters
        path = letter["link"].removeprefix("http://localhost:8787")
        assert "Text messages of Doorcode to GB are paused" in letter["body"]
        page = await browser.get(path)
        assert "Send codes to GB again" in page.text
        assert rows(tmp_path, "SELECT country FROM pauses") == [("GB",)]
        ticket = {"ticket": path.partition("ticket=")[2]}
        done = await browser.post("/shield/resume", data=ticket)
        assert done.status_code == 200
    assert rows(tmp_path, "SELECT country FROM pauses") == []
    names = rows(tmp_path, "SELECT name FROM events WHERE subject = 'GB' ORDER BY id")
    assert names == [("country.paused",), ("country.resumed",)]


async def test_a_shield_that_lets_attacks_through_is_warned_of(tmp_path: Path) -> None:
    async with open_server(serve(tmp_path / "a", SETTINGS=RULES)) as server:
        assert any("shield.mode is record" in warning for warning in server.warnings)
    async with open_server(serve(tmp_path / "b")) as server:
        assert not any("shield.mode" in warning for warning in server.warnings)
