"""Reads an uploaded picture out of a request's body.

Browsers send it as the field `file` of a form (multipart/form-data, RFC 7578); the SDKs
send a string as it is (application/octet-stream), which is base64, often with the
head of a data: URL (RFC 2397).
"""

from __future__ import annotations

import binascii
import logging
import re
from base64 import b64decode
from dataclasses import replace

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.security.images import IMAGE_BYTES
from doorcode.web.http import FORM

FIELD = "file"
PARTS = 4
UPLOAD_BYTES = IMAGE_BYTES * 3 // 2  # base64 takes a third more, and a form has its heads

CONTENT_TYPE = replace(
    errors.CONTENT_TYPE, long_message="Send the picture as the field file of multipart/form-data."
)

# The parser would write a line to the terminal for every form that is none.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

_BOUNDARY = re.compile(rb"[A-Za-z0-9'()+_,./:=? -]{1,70}(?<! )", re.ASCII)  # RFC 2046, 5.1.1
_DATA_URL = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)


def read_image_upload(content_type: str, body: bytes) -> bytes:
    """The bytes of the picture, whatever they are: 1 byte to 2 MiB, not looked at yet.

    Raises `Refused`: 422 where there is no file, more than one, or no base64; 413 where it
    is too large; 415 for any other content type; 400 for a form that cannot be read.
    """
    if len(body) > UPLOAD_BYTES:
        raise Refused(errors.IMAGE_TOO_LARGE)
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        picture = _from_form(options.get(b"boundary", b""), body)
    elif kind == b"application/octet-stream":
        picture = _from_base64(body)
    elif not body and kind in (b"", FORM.encode()):  # how the SDKs send that there is no file
        picture = b""
    else:
        raise Refused(CONTENT_TYPE)
    if not picture:
        raise Refused(errors.IMAGE_MISSING)
    if len(picture) > IMAGE_BYTES:
        raise Refused(errors.IMAGE_TOO_LARGE)
    return picture


def _from_base64(body: bytes) -> bytes:
    head = _DATA_URL.match(body)
    text = body[head.end() if head else 0 :]
    try:
        return b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise Refused(errors.PARAM_FORMAT.about(FIELD)) from None


def _from_form(boundary: bytes, body: bytes) -> bytes:
    if not _BOUNDARY.fullmatch(boundary):
        raise Refused(errors.BODY_INVALID)
    form = _Form()
    try:
        form.read(boundary, body)
    except FormParserError:
        raise Refused(errors.BODY_INVALID) from None
    return form.file()


class _Form:
    """Gathers the parts of a form while it is parsed."""

    def __init__(self) -> None:
        self._ended = False
        self._files: list[list[bytes]] = []
        self._parts = 0
        self._names: list[str] = []
        self._field = self._value = b""
        self._body: list[bytes] | None = None

    def read(self, boundary: bytes, body: bytes) -> None:
        """Take all parts, or raise `Refused` or the parser's error."""
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._read_field,
                "on_header_value": self._read_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_head,
                "on_part_data": self._read_data,
                "on_end": self._end,
            },
        )
        parser.write(body)
        parser.finalize()
        if not self._ended:  # cut short: half a picture must not pass for a whole one
            raise Refused(errors.BODY_INVALID)

    def file(self) -> bytes:
        """What the field held; other fields are passed over."""
        if len(self._files) > 1:
            raise Refused(errors.PARAM_DUPLICATE.about(FIELD))
        return b"".join(self._files[0]) if self._files else b""

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > PARTS:
            raise Refused(errors.BODY_INVALID)
        self._names, self._body = [], None
        self._field = self._value = b""

    def _read_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _read_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._field.strip().lower() == b"content-disposition":
            kind, options = parse_options_header(self._value)
            name = options.get(b"name", b"") if kind == b"form-data" else b""
            self._names.append(name.decode("latin-1"))
        self._field = self._value = b""

    def _end_head(self) -> None:
        # Two names for one part: what stands before us may have gone by the other one.
        if len(self._names) != 1:
            raise Refused(errors.BODY_INVALID)
        if self._names == [FIELD]:
            self._body = []
            self._files.append(self._body)

    def _read_data(self, data: bytes, start: int, end: int) -> None:
        if self._body is not None:
            self._body.append(data[start:end])

    def _end(self) -> None:
        self._ended = True
