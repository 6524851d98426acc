"""Refuses a request whose head does not end, and cuts off what goes on behind a body.

uvicorn's fast parser sets no limit: one connection that goes on sending header fields, before a
body or as the trailers of one in chunks, fills the memory of the whole server.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class LimitedHead(HttpToolsProtocol):
    """uvicorn's parser, with at most 64 KiB at a time that are no body."""

    _in_head = True
    _head_bytes = 0  # since the request began, or since a part of its body came

    def data_received(self, data: bytes) -> None:
        """Take what came over the wire."""
        self._head_bytes += len(data)
        if self._in_head and self._head_bytes > HEAD_BYTES and not self._ends_head(data):
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            return
        super().data_received(data)
        if not self._in_head and self._head_bytes > HEAD_BYTES:
            self.transport.close()  # an answer may be under way: there is no room for a second

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head has ended; bodies have a limit of their own."""
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._head_bytes = 0
        super().on_body(body)

    def _ends_head(self, data: bytes) -> bool:
        # The head may end within this very piece, and a body follow it.
        end = data.find(b"\r\n\r\n")
        return end >= 0 and self._head_bytes - len(data) + end <= HEAD_BYTES
