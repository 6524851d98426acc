"""`doorcode keys`: made, listed and revoked, also beside a running server."""

from __future__ import annotations

import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.acceptance.process import Person, Running, free_port, run

from doorcode.security import api_keys, master_key

NUMBER = "+14155552671"


def expect_complaint(done: CompletedProcess[str], *parts: str, status: int = 1) -> None:
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert [part for part in parts if part not in done.stderr] == []


# ── publishable keys ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", ["test", "live"])
@pytest.mark.parametrize("host", ["auth.example.com", "clerk.shop.localhost:8443"])
def test_a_publishable_key_names_its_kind_and_host(kind: str, host: str) -> None:
    done = run("keys", "publishable", "--kind", kind, "--host", host)
    assert (done.returncode, done.stderr) == (0, "")
    key = done.stdout.removesuffix("\n")
    assert api_keys.host_of(key) == host
    assert api_keys.is_development(key) is (kind == "test")
    assert key.count("_") == 2


def test_a_publishable_key_is_live_unless_asked_otherwise() -> None:
    assert run("keys", "publishable", "--host", "auth.example.com").stdout.startswith("pk_live_")


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("localhost:8787", "has no dot"),
        ("https://auth.example.com", "name its host alone"),
        ("auth.example.com:99999", "is not a host"),
        ("auth_1.example.com", "is not a host"),
    ],
)
def test_a_host_that_no_key_can_name_is_said(host: str, why: str) -> None:
    done = run("keys", "publishable", "--kind", "live", "--host", host)
    expect_complaint(done, "--host", repr(host), why, status=2)
    assert done.stdout == ""


def test_another_kind_is_said() -> None:
    done = run("keys", "publishable", "--kind", "prod", "--host", "auth.example.com")
    expect_complaint(done, "--kind", "'prod'", "test", "live", status=2)
    assert done.stdout == ""


def test_a_host_must_be_named() -> None:
    expect_complaint(run("keys", "publishable"), "--host", status=2)


# ── master keys ───────────────────────────────────────────────────────────────────────
def test_master_key_is_made_and_fits() -> None:
    one, two = run("keys", "master").stdout.strip(), run("keys", "master").stdout.strip()
    assert one != two
    assert master_key.parse(one).newest == 1


# ── secret keys ───────────────────────────────────────────────────────────────────────
def test_keys_are_managed_beside_a_running_server(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.answering()
        secret = run("keys", "create", *data).stdout.strip()
        bearer = {"Authorization": f"Bearer {secret}"}
        assert server.get("/v1/jwks", bearer).status_code == 200
        hints = run("keys", "list", *data).stdout.split()
        assert len(hints) == 2
        assert secret not in hints
        [mine] = [hint for hint in hints if hint.endswith(secret[-4:])]
        assert run("keys", "revoke", mine, *data).returncode == 0
        refused = server.get("/v1/jwks", bearer)
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["code"] == "clerk_key_invalid"
        assert len(run("keys", "list", *data).stdout.split()) == 1
        assert Person(server).sign_up(NUMBER).startswith("user_")


def test_unknown_key_is_not_revoked(tmp_path: Path) -> None:
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.answering()
        done = run("keys", "revoke", "sk_live_none", "--data", str(tmp_path))
        expect_complaint(done, "sk_live_none")
        assert len(run("keys", "list", "--data", str(tmp_path)).stdout.split()) == 1


def test_keys_need_a_server_first(tmp_path: Path) -> None:
    done = run("keys", "list", "--data", str(tmp_path / "nothing"))
    expect_complaint(done, "start a server there first")
    assert not (tmp_path / "nothing").exists()


def test_keys_work_with_the_settings_of_serve(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "DATA": str(tmp_path),
        "URL": f"http://auth.localhost.test:{port}",
        "ORIGINS": "http://app.localhost.test:3000",
        "MASTER_KEY": master_key.generate(),
    }
    with Running("serve", port=port, **settings) as server:
        server.answering()
        done = run("keys", "list", PORT=str(port), **settings)
        assert done.returncode == 0
        assert len(done.stdout.split()) == 1


# ── signing keys ──────────────────────────────────────────────────────────────────────
def signing(data: Path) -> list[tuple[str, str]]:
    """Each signing key by its id and its state, as the command lists them."""
    done = run("keys", "signing", "--data", str(data))
    assert (done.returncode, done.stderr) == (0, "")
    return [(line.split()[0], line.split()[1]) for line in done.stdout.splitlines()]


def test_a_signing_key_is_rotated_also_where_no_server_runs(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.answering()
    [(first, state)] = signing(tmp_path)
    assert state == "current"
    done = run("keys", "rotate", *data)
    assert (done.returncode, done.stderr) == (0, "")
    second = done.stdout.split()[0]
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
    meanwhile = "; the key before it until then, while verifiers learn it\n"
    assert re.fullmatch(rf"{second} signs from {moment}{meanwhile}", done.stdout)
    assert signing(tmp_path) == [(first, "current"), (second, "next")]
    expect_complaint(run("keys", "rotate", *data), second, "waits already; it signs from 2")
    assert signing(tmp_path) == [(first, "current"), (second, "next")]
    at_once = run("keys", "rotate", "--now", *data).stdout
    assert re.fullmatch(rf"\S+ signs from {moment}\n", at_once)
    third = at_once.split()[0]
    assert signing(tmp_path) == [(third, "current"), (first, "retiring")]


def test_a_signing_key_is_not_made_without_the_master_key(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "DATA": str(tmp_path),
        "URL": f"http://auth.localhost.test:{port}",
        "ORIGINS": "http://app.localhost.test:3000",
        "MASTER_KEY": master_key.generate(),
    }
    with Running("serve", port=port, **settings) as server:
        server.answering()
        without = run("keys", "rotate", DATA=str(tmp_path))
        expect_complaint(without, "DOORCODE_MASTER_KEY does not open this database")
        newer = settings | {"MASTER_KEY": f"1:{settings['MASTER_KEY']},2:{master_key.generate()}"}
        expect_complaint(run("keys", "rotate", **newer), "Restart the server first")
        assert len(signing(tmp_path)) == 1
        assert run("keys", "rotate", **settings).returncode == 0
        assert len(signing(tmp_path)) == 2
