"""A running server takes changed routes over, and sends by a gateway of somebody's own."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import PATIENCE, Person, Running, free_port, run

TOKEN = "gateway-token"


@dataclass
class Gateway:
    """Takes text messages by HTTP; `status` is what it answers."""

    status: int = 202
    taken: queue.Queue[dict[str, str]] = field(default_factory=queue.Queue)
    url: str = ""

    def route(self, **changes: Any) -> dict[str, Any]:
        usual = {
            "provider": "http",
            "url": self.url,
            "headers": {"authorization": "Bearer x", "x-token": "env:GATEWAY_TOKEN"},
            "json": {"to": "{{ to }}", "code": "{{ code }}"},
        }
        return usual | changes


@contextmanager
def open_gateway(status: int = 202) -> Iterator[Gateway]:
    gateway = Gateway(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            gateway.taken.put(body | {"token": self.headers["x-token"]})
            self.send_response(gateway.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_port}/send"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """One that knows the gateway's token; the commands beside it do not."""
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN)
    with Running("dev", port=free_port(), DATA=str(tmp_path)) as running:
        monkeypatch.delenv("GATEWAY_TOKEN")
        yield running.answering()


def set_routes(data: Path, *routes: dict[str, Any]) -> None:
    done = run("settings", "set", "delivery.sms", json.dumps(routes), DATA=str(data))
    assert done.returncode == 0, done.stderr


def ask_until(server: Running, gateway: Gateway) -> tuple[Person, str, dict[str, str]]:
    """Ask for codes, each for another number, until one comes this way: a change takes a moment."""
    asked: dict[str, tuple[Person, str]] = {}
    for number in range(int(PATIENCE * 4)):
        person, to = Person(server), f"+1415555{3000 + number}"
        asked[to] = person, person.ask_for_code(to)
        with suppress(queue.Empty):
            letter = gateway.taken.get(timeout=0.25)
            if letter["to"] in asked:  # else it was asked for before, and came late
                return *asked[letter["to"]], letter
    raise AssertionError(f"nothing came to the gateway: {server.complained}")


def test_a_running_server_sends_by_a_route_that_was_set(server: Running, tmp_path: Path) -> None:
    before = Person(server)
    before.sign_up("+14155552671")  # by the inbox
    with open_gateway() as gateway:
        set_routes(tmp_path, gateway.route())
        person, attempt, letter = ask_until(server, gateway)
        assert letter["token"] == TOKEN
        answer = person.type_code(attempt, letter["code"])
        assert answer.json()["response"]["status"] == "complete"


def test_a_route_that_answers_no_is_followed_by_the_next(server: Running, tmp_path: Path) -> None:
    with open_gateway(503) as broken, open_gateway() as well:
        set_routes(tmp_path, broken.route(name="first"), well.route(name="second"))
        person, attempt, letter = ask_until(server, well)
        while broken.taken.get(timeout=PATIENCE)["to"] != letter["to"]:
            pass  # it was tried there first, as others were
        assert person.type_code(attempt, letter["code"]).status_code == 200


def test_routes_that_the_server_cannot_make_leave_the_former_ones(
    server: Running, tmp_path: Path
) -> None:
    with open_gateway() as gateway:
        set_routes(tmp_path, gateway.route())
        ask_until(server, gateway)
        set_routes(tmp_path, gateway.route(url="env:NOT_THERE"))
        said = server.until_complained("settings not applied.*")
        assert "NOT_THERE is not set" in said
        ask_until(server, gateway)
