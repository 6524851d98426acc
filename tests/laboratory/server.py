"""A server on the loopback that speaks the APIs of providers, and fails as a script says."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import closing, suppress
from types import TracebackType

import h11

from .faults import Fault, Faults
from .wire import Double, Reply, Request, Taken

_PAGE = b"<!doctype html><title>Welcome</title><p>Log in to use the network of this hotel."
# What is taken, though the answer does not say so as it should.
_SPOILT = frozenset({Fault.LATE, Fault.LOST, Fault.HALF_CLOSED, Fault.TRICKLE, Fault.WRONG_BODY})


class Laboratory:
    """Serves each double below its prefix, from `async with` on.

    async with Laboratory() as lab:
        url = lab.mount("/twilio", double, Faults(seed=7, rates={Fault.LOST: 0.1}))
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []  # whatever came, also what met a fault
        self._mounted: dict[str, tuple[Double, Faults]] = {}
        self._lines: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Laboratory:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def mount(self, prefix: str, double: Double, faults: Faults | None = None) -> str:
        """Serve a double below a prefix; its URL."""
        self._mounted[prefix] = (double, faults or Faults())
        return self.url + prefix

    # ── one line ──────────────────────────────────────────────────────────────────────
    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            # A client that goes away in the middle of an answer is what we are here for,
            # and what is cancelled is cancelled by `__aexit__`, which asks for nothing more.
            with suppress(ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
                while await self._serve_one(reader, writer):
                    pass
        finally:
            self._lines.discard(line)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the line may be used again."""
        request = await _read(reader)
        if request is None:
            return False
        self.requests.append(request)
        found = next((one for one in self._mounted if request.path.startswith(f"{one}/")), None)
        if found is None:
            writer.write(_bytes(Reply(404, b"no such double")))
            return True
        double, faults = self._mounted[found]
        below = request.target.removeprefix(found)
        request = Request(request.method, below, request.headers, request.body)
        return await _answer(request, double, faults, writer)


async def _answer(
    request: Request, double: Double, faults: Faults, writer: asyncio.StreamWriter
) -> bool:
    fault = faults.draw()
    if fault is Fault.LOST_BEFORE:
        return False
    if fault is Fault.DOWN:
        reply = Reply(503, b"the provider is down")
    elif fault is Fault.THROTTLED:
        reply = double.throttle()
    elif fault is Fault.EXPIRED:
        reply = double.refuse_credentials()
    else:
        reply = double.handle(request)
    if fault not in _SPOILT:
        writer.write(_bytes(reply))
        return True
    return await _spoil(reply, fault, faults, writer)


async def _spoil(
    reply: Reply, fault: Fault | None, faults: Faults, writer: asyncio.StreamWriter
) -> bool:
    """Answer as the fault has it; whether the line may be used again."""
    if fault is Fault.LOST:
        return False
    if fault is Fault.WRONG_BODY:
        writer.write(_bytes(Reply(reply.status, _PAGE, {"content-type": "text/html"})))
        return True
    if fault is Fault.HALF_CLOSED:
        # An answer without a body has no half: it ends within its headers.
        whole = _bytes(reply)
        writer.write(whole[: len(whole) - max(2, len(reply.body) // 2)])
        return False
    if fault is Fault.LATE:
        await asyncio.sleep(faults.late_by)
        writer.write(_bytes(reply))
        return True
    whole = _bytes(reply)
    writer.write(whole[: len(whole) - len(reply.body)])
    for byte in reply.body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(faults.byte_every)
    return True


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a line, or None at its end."""
    connection = h11.Connection(h11.SERVER)
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode(), headers, body)
        else:
            return None


def _bytes(reply: Reply) -> bytes:
    headers = dict(reply.headers) | {"content-length": str(len(reply.body))}
    lines = [f"HTTP/1.1 {reply.status} -", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body


def copies(double: Double) -> dict[str, int]:
    """How often each letter was taken: by its key, where the API has one, or by what it says."""
    return dict(Counter(_key(one) for one in double.taken))


def sent_twice(double: Double) -> list[str]:
    """The keys of the letters that were taken more than once."""
    return [key for key, times in copies(double).items() if times > 1]


def _key(taken: Taken) -> str:
    return taken.key or f"{taken.to} {taken.text}"


def refusing_url() -> str:
    """An address of the loopback at which nobody listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
