"""A request byte for byte, as no client would write it but anybody can send it."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from doorcode.web.app import App

Headers = list[tuple[bytes, bytes]]


@dataclass
class Answer:
    """What came back; `status` is 0 where nothing did."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return ", ".join(
            value.decode("latin-1") for key, value in self.headers if key == name.encode()
        )

    def refusal(self) -> tuple[int, str]:
        """The status and the code of a refusal."""
        (error,) = json.loads(self.body)["errors"]
        return self.status, error["code"]


async def ask(
    app: App,
    target: bytes,
    headers: Headers | None = None,
    *,
    method: str = "GET",
    body: tuple[bytes, ...] = (b"",),
    peer: str = "127.0.0.1",
) -> Answer:
    """Send a request line's target with these headers, and the body in these chunks."""
    path, _, query = target.partition(b"?")
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote(path.decode("ascii", "replace")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"localhost")] if headers is None else headers,
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8787),
    }
    chunks = list(body)
    answer = Answer()

    async def receive() -> MutableMapping[str, Any]:
        chunk = chunks.pop(0) if chunks else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def send(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            assert answer.status == 0, "it answered twice"
            answer.status, answer.headers = event["status"], list(event["headers"])
        else:
            answer.body += event.get("body", b"")

    await app(scope, receive, send)
    return answer
