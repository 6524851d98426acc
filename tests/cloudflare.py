"""A double of Cloudflare's Turnstile: it checks answers over HTTP as theirs does, and fails as
theirs can.

https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

SECRET = "0xsecret"
SITE_KEY = "0xsitekey"
_SPOILT = {
    "page": b"<p>busy</p>",
    "bytes": b'{"success": true, "action": "\xff"}',
    "deep": b'{"success": true, "more": ' + b"[" * 100_000,
}


@dataclass
class Cloudflare:
    """`asked` holds the forms that came. A good answer to a challenge is `pass.<action>.<any>`.

    `trouble`: `500`, `page` (no JSON), `hang` (no answer), `drip` (never the whole answer),
    `bytes` (JSON that is no text), `deep` (JSON nested without end).
    """

    url: str = ""
    hostname: str = "localhost"
    trouble: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _used: set[str] = field(default_factory=set)

    def answer(self, action: str = "") -> str:
        """What the widget gives to somebody who solved a challenge."""
        return f"pass.{action}.{next(self._numbers)}"

    def verdict(self, form: dict[str, str]) -> dict[str, object]:
        self.asked.append(form)
        token = form.get("response", "")
        if form.get("secret") != SECRET:
            return _failed("invalid-input-secret")
        if not token:
            return _failed("missing-input-response")
        if not token.startswith("pass."):
            return _failed("invalid-input-response")
        if token in self._used:
            return _failed("timeout-or-duplicate")
        self._used.add(token)
        return {
            "success": True,
            "challenge_ts": "2027-01-15T08:00:00.000Z",
            "hostname": self.hostname,
            "error-codes": [],
            "action": token.split(".")[1],
            "cdata": "",
            "metadata": {"ephemeral_id": "x:9f78e0ed210960d7693b167e"},
        }


def _failed(code: str) -> dict[str, object]:
    return {"success": False, "error-codes": [code], "messages": []}


@contextmanager
def open_cloudflare() -> Iterator[Cloudflare]:
    """The double, on a free port of this machine."""
    cloudflare = Cloudflare()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            trouble = cloudflare.trouble
            if trouble == "hang":
                cloudflare.closing.wait()
                return
            said = json.dumps(cloudflare.verdict(dict(parse_qsl(body))))
            self.send_response(500 if trouble == "500" else 200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            if trouble == "drip":
                while not cloudflare.closing.wait(0.01):
                    self.wfile.write(b" ")
                return
            self.wfile.write(_SPOILT.get(trouble, said.encode()))

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is written: the forms are kept instead."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    cloudflare.url = f"http://127.0.0.1:{server.server_port}/turnstile/v0/siteverify"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield cloudflare
    finally:
        cloudflare.closing.set()
        server.shutdown()
        server.server_close()
