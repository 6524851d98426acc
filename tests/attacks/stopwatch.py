"""A program of its own that asks a server and takes the time, so that neither waits for the other.

It reads conversations from its input, a line of JSON each: [[path, form], …], held by a new
browser. `{id}` stands for what the first answer began. It writes for each the seconds that
every answer took, and what was answered, as a line of JSON.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

HEADERS = {
    "content-type": "application/x-www-form-urlencoded",
    "origin": "http://localhost:3000",
}


def hold(server: HTTPConnection, conversation: list[Any]) -> list[tuple[float, int, str]]:
    """The seconds, the status and the body of each answer."""
    told, begun, cookie = [], "", {}
    for path, form in conversation:
        where, body = path.replace("{id}", begun), urlencode(form)
        began = perf_counter()
        server.request("POST", where, body, HEADERS | cookie)
        answer = server.getresponse()
        text = answer.read()
        told.append((perf_counter() - began, answer.status, text.decode()))
        given = answer.headers.get("set-cookie", "")
        if given.startswith("__client="):
            cookie = {"cookie": given.partition(";")[0]}
        if not begun and answer.status == 200:
            begun = json.loads(text)["response"]["id"]
    return told


def main() -> None:
    server = HTTPConnection("127.0.0.1", int(sys.argv[1]))
    server.connect()
    for line in sys.stdin:
        print(json.dumps(hold(server, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
