"""The real program, run as people and scripts run it."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
from tests.acceptance.process import Running, free_port, run

from doorcode.security import api_keys, master_key

ENV_LINES = [
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    "CLERK_SECRET_KEY",
    "NEXT_PUBLIC_CLERK_PROXY_URL",
    "NEXT_PUBLIC_CLERK_JS_URL",
    "NEXT_PUBLIC_CLERK_UI_URL",
    "CLERK_API_URL",
]
MEGABYTE = 1024 * 1024


def serve_settings(port: int, data: Path) -> dict[str, str]:
    return {
        "DATA": str(data),
        "URL": f"http://auth.localhost.test:{port}",
        "ORIGINS": "http://app.localhost.test:3000",
        "MASTER_KEY": master_key.generate(),
    }


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("cli") / "data"
    with Running("dev", port=free_port(), DATA=str(data)) as server:
        yield server.answering()


def own_address() -> str | None:
    """An address of this machine that others could reach, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only asks for the way
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def can_connect(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


# ── dev: what it prints ───────────────────────────────────────────────────────────────
def test_dev_prints_the_lines_of_an_app(dev: Running) -> None:
    names = [line.partition("=")[0] for line in dev.printed if re.match(r"[A-Z_]+=", line)]
    assert names == ENV_LINES
    assert dev.env["NEXT_PUBLIC_CLERK_PROXY_URL"] == dev.env["CLERK_API_URL"] == dev.url
    assert dev.env["CLERK_SECRET_KEY"].startswith("sk_")
    publishable = dev.env["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"]
    assert "." in api_keys.host_of(publishable)


def test_dev_prints_nothing_but_text(dev: Running) -> None:
    text = "\n".join(dev.printed)
    assert "\x1b" not in text
    assert f"{dev.url}/sign-up" in text
    assert f"{dev.url}/inbox" in text
    assert not any(line.endswith("\\") for line in dev.printed)
    assert "WARNING" not in text


def test_printed_addresses_answer(dev: Running) -> None:
    assert dev.get("/sign-up").status_code == 200
    assert dev.get("/inbox").status_code == 200
    bearer = {"Authorization": f"Bearer {dev.env['CLERK_SECRET_KEY']}"}
    assert dev.get("/v1/jwks", bearer).status_code == 200
    for name in ("NEXT_PUBLIC_CLERK_JS_URL", "NEXT_PUBLIC_CLERK_UI_URL"):
        path = dev.env[name].removeprefix(dev.url)
        assert dev.get(path).status_code in (200, 302)


def test_lines_are_flushed_before_the_first_answer(tmp_path: Path) -> None:
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.until_printed("^CLERK_API_URL=")  # no request was made yet
        assert list(server.env) == ENV_LINES
        server.answering()


def test_first_answer_and_idle_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.answering()
        first = time.monotonic() - server.started_at
        resident = server.memory()
        server.stop()
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.answering()
        again = time.monotonic() - server.started_at
    with capsys.disabled():
        print(
            f"\n  first answer after {first:.2f} s (a fresh directory) and {again:.2f} s "
            f"(a used one); {resident / MEGABYTE:.1f} MB resident when idle"
        )
    assert resident < 100 * MEGABYTE


# ── dev: who may reach it ─────────────────────────────────────────────────────────────
def test_dev_listens_on_loopback_only(dev: Running) -> None:
    assert can_connect("127.0.0.1", dev.port)
    assert not can_connect("127.0.0.2", dev.port)
    address = own_address()
    assert address is None or not can_connect(address, dev.port)


def test_dev_listens_on_both_loopbacks(dev: Running) -> None:
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    found = set(re.findall(rf" ([0-9A-F]+):{dev.port:04X} 0+:0000 0A", listening))
    wanted = {"0100007F"}
    if can_connect("::1", dev.port):
        wanted.add("00000000000000000000000001000000")
    assert found == wanted


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.0.2.1", "evil.example:8787", ""]
)
def test_foreign_host_is_refused(dev: Running, host: str) -> None:
    for path in ("/v1/health", "/inbox/messages", "/v1/client", "/sign-up"):
        answer = dev.get(path, {"Host": host})
        assert answer.status_code == 400
        assert "host_invalid" in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "app.localhost", "LOCALHOST"])
def test_own_names_are_answered(dev: Running, host: str) -> None:
    assert dev.get("/v1/health", {"Host": f"{host}:{dev.port}"}).status_code == 200


def test_inbox_is_not_shared_with_pages(dev: Running) -> None:
    answer = dev.get("/inbox/messages", {"Origin": "http://localhost:3000"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_other_host_is_warned_of_and_inbox_asks(tmp_path: Path) -> None:
    port = free_port()
    with Running("dev", "--host", "0.0.0.0", port=port, DATA=str(tmp_path)) as server:
        server.answering()
        assert "0.0.0.0" in server.until_printed("WARNING.*")
        token = server.until_printed(r"(?<=/inbox\?token=)\S+")
        for path in ("/inbox", "/inbox/messages"):
            assert server.get(path).status_code in (401, 403)
            assert server.get(path, token="guessed").status_code in (401, 403)
            assert server.get(path, token=token).status_code == 200
        address = own_address()
        if address:
            assert httpx.get(f"http://{address}:{port}/v1/health").status_code == 200


# ── dev --tls ─────────────────────────────────────────────────────────────────────────
def secured(server: Running) -> httpx.Client:
    """A client that trusts the printed authority and nobody else."""
    authority = server.until_printed(r"(?<=^NODE_EXTRA_CA_CERTS=)\S+")
    context = ssl.create_default_context(cafile=authority)
    return httpx.Client(base_url=f"https://localhost:{server.port}", verify=context)


def test_tls_is_served_and_every_printed_address_is_https(tmp_path: Path) -> None:
    with Running("dev", "--tls", port=free_port(), DATA=str(tmp_path)) as server:
        browser = secured(server)
        address = f"https://localhost:{server.port}"
        assert list(server.env) == [*ENV_LINES, "NODE_EXTRA_CA_CERTS"]
        assert server.env["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "tls" / "ca.pem")
        assert server.env["CLERK_API_URL"] == server.env["NEXT_PUBLIC_CLERK_PROXY_URL"] == address
        assert not [line for line in server.printed if "http://" in line]
        assert browser.get("/v1/health").status_code == 200
        assert browser.get("/inbox").status_code == 200
        assert browser.get("/sign-up").status_code == 200
        created = browser.post("/v1/client")
        assert all("; Secure" in line for line in created.headers.get_list("set-cookie"))


def test_over_tls_nothing_is_said_in_the_clear(tmp_path: Path) -> None:
    with Running("dev", "--tls", port=free_port(), DATA=str(tmp_path)) as server:
        assert secured(server).get("/v1/health").status_code == 200
        with pytest.raises(httpx.TransportError):
            server.get("/v1/health")


def test_the_authority_outlives_a_restart(tmp_path: Path) -> None:
    port = free_port()
    with Running("dev", "--tls", port=port, DATA=str(tmp_path)) as server:
        browser = secured(server)
        assert browser.get("/v1/health").status_code == 200
        server.stop()
    host = "clerk.shop.localhost"
    with Running("dev", port=port, DATA=str(tmp_path), TLS="on", URL=f"https://{host}") as server:
        server.until_printed("^NODE_EXTRA_CA_CERTS=")
        assert f"  Sign-up page   https://{host}/sign-up" in server.printed
        named = browser.get("/v1/health", headers={"host": host}, extensions={"sni_hostname": host})
        assert named.status_code == 200


def test_an_old_protocol_is_refused(tmp_path: Path) -> None:
    with Running("dev", "--tls", port=free_port(), DATA=str(tmp_path)) as server:
        authority = server.until_printed(r"(?<=^NODE_EXTRA_CA_CERTS=)\S+")
        context = ssl.create_default_context(cafile=authority)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection(("localhost", server.port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            name, protocol, _ = secure.cipher() or ("", "", 0)
        assert protocol == "TLSv1.2"
        assert name.startswith("ECDHE-ECDSA-")
        assert "GCM" in name or "CHACHA20" in name


def test_an_http_address_beside_tls_is_said(tmp_path: Path) -> None:
    done = run("dev", "--tls", DATA=str(tmp_path), URL="http://localhost:8787")
    expect_complaint(done, "DOORCODE_URL", "speaks https only")


def test_serve_leaves_tls_to_a_proxy(tmp_path: Path) -> None:
    assert run("serve", "--tls").returncode == 2
    done = run("serve", DATA=str(tmp_path / "data"), TLS="on")
    expect_complaint(done, "DOORCODE_TLS", "proxy")


# ── dev: what goes wrong ──────────────────────────────────────────────────────────────
def expect_complaint(done: CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [part for part in parts if part not in done.stderr] == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_taken_port_is_said(tmp_path: Path, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as taken:
        try:
            taken.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        taken.listen()
        port = taken.getsockname()[1]
        with Running("dev", port=port, DATA=str(tmp_path)) as server:
            assert server.gave_up() == 1, f"it started beside somebody else's server on {address}"
    said = "\n".join(server.complained)
    assert f"{address} port {port}" in said
    assert "DOORCODE_PORT" in said
    assert "Traceback" not in said
    assert server.printed == []


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "8787 8788"])
def test_bad_port_setting_is_named(tmp_path: Path, port: str) -> None:
    done = run("dev", PORT=port, DATA=str(tmp_path))
    expect_complaint(done, "DOORCODE_PORT", repr(port), "1 to 65535")


def test_unusable_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run("dev", PORT=str(free_port()), DATA=str(tmp_path / "file" / "data"))
    expect_complaint(done, "DOORCODE_DATA", "cannot be used")


def test_spoilt_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "doorcode.db").write_bytes(b"this is no database" * 1000)
    done = run("dev", PORT=str(free_port()), DATA=str(tmp_path))
    expect_complaint(done, "doorcode.db")


def test_unknown_host_is_said(tmp_path: Path) -> None:
    done = run("dev", "--host", "no.such.host.invalid", PORT=str(free_port()), DATA=str(tmp_path))
    expect_complaint(done, "no.such.host.invalid")


def test_version_and_help() -> None:
    assert re.fullmatch(r"doorcode \d+\.\d+\.\d+\n", run("--version").stdout)
    assert "serve" in run("--help").stdout
    assert run().returncode == 2


# ── stopping ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_in_order(tmp_path: Path, by: signal.Signals) -> None:
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as server:
        server.answering()
        status = server.stop(by)
        assert status in ([0] if by is signal.SIGTERM else [0, 130])
        assert not [line for line in server.complained if "Traceback" in line]
    # An orderly close folds the log into the database and takes it away.
    assert not (tmp_path / "doorcode.db-wal").exists()


def test_second_server_on_the_same_port_is_refused(dev: Running, tmp_path: Path) -> None:
    done = run("dev", "--port", str(dev.port), "--data", str(tmp_path))
    expect_complaint(done, f"port {dev.port}", "DOORCODE_PORT")


# ── serve ─────────────────────────────────────────────────────────────────────────────
def test_serve_names_every_missing_setting(tmp_path: Path) -> None:
    done = run("serve", DATA=str(tmp_path / "data"))
    expect_complaint(done, "DOORCODE_URL", "DOORCODE_ORIGINS", "DOORCODE_MASTER_KEY")
    assert "doorcode keys master" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "data").exists()


def test_serve_shows_its_secret_once(tmp_path: Path) -> None:
    port = free_port()
    settings = serve_settings(port, tmp_path)
    with Running("serve", port=port, **settings) as first:
        first.answering()
        assert list(first.env) == ENV_LINES
        secret = first.env["CLERK_SECRET_KEY"]
        bearer = {"Authorization": f"Bearer {secret}"}
        assert first.get("/v1/jwks", bearer).status_code == 200
        publishable = first.env["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"]
        assert api_keys.host_of(publishable) == f"auth.localhost.test:{port}"
        assert first.get("/inbox/messages").status_code == 404
        first.stop()
    with Running("serve", port=port, **settings) as again:
        again.answering()
        assert "CLERK_SECRET_KEY" not in again.env
        assert secret not in "\n".join(again.printed + again.complained)
        assert again.get("/v1/jwks", bearer).status_code == 200


def test_serve_refuses_another_master_key(tmp_path: Path) -> None:
    port = free_port()
    settings = serve_settings(port, tmp_path)
    with Running("serve", port=port, **settings) as server:
        server.answering().stop()
    other = settings | {"MASTER_KEY": master_key.generate(), "PORT": str(port)}
    expect_complaint(run("serve", **other), "DOORCODE_MASTER_KEY", "sealed by another key")


def test_serve_refuses_pages_that_are_not_listed(tmp_path: Path) -> None:
    port = free_port()
    with Running("serve", port=port, **serve_settings(port, tmp_path)) as server:
        server.answering()
        listed = server.get("/v1/client", {"Origin": "http://app.localhost.test:3000"})
        assert listed.headers["access-control-allow-origin"] == "http://app.localhost.test:3000"
        for origin in ("http://localhost:3000", "null", "http://app.localhost.test:3001"):
            refused = server.get("/v1/client", {"Origin": origin})
            assert refused.status_code == 400
            assert refused.json()["errors"][0]["code"] == "origin_invalid"
