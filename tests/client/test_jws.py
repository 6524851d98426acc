"""A signed token taken apart, strictly."""

from __future__ import annotations

import base64
import json

import pytest

from doorcode.client.errors import MalformedTokenError
from doorcode.client.jws import MAX_LENGTH, decode_base64url, read_object, split


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


HEADER = b64('{"alg":"RS256"}')
CLAIMS = b64('{"sub":"user_1"}')


def test_token_is_taken_apart() -> None:
    parts = split(f"{HEADER}.{CLAIMS}.AAEC")
    assert parts.header == {"alg": "RS256"}
    assert parts.read_claims() == {"sub": "user_1"}
    assert parts.signature == b"\x00\x01\x02"
    assert parts.signed == f"{HEADER}.{CLAIMS}".encode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        f"{HEADER}.{CLAIMS}",
        f"{HEADER}.{CLAIMS}.AAEC.",
        f" {HEADER}.{CLAIMS}.AAEC",
        f"{HEADER}.{CLAIMS}.AAEC\n",
        f"{HEADER}=.{CLAIMS}.AAEC",
        f"{HEADER}.{CLAIMS}.A+/C",
        f"{HEADER}.{CLAIMS}.AAECA",
        f"{HEADER}.{CLAIMS}.ÄAEC",
        f".{CLAIMS}.AAEC",
        "x" * (MAX_LENGTH + 1),
        f"{b64('[' * 1400)}.{CLAIMS}.AAEC",
        f"{b64(json.dumps({'alg': 'x' * 3000}))}.{CLAIMS}.AAEC",
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(MalformedTokenError):
        split(token)


def test_bytes_are_refused() -> None:
    with pytest.raises(MalformedTokenError):
        split(f"{HEADER}.{CLAIMS}.AAEC".encode())  # type: ignore[arg-type]


def test_second_spelling_of_the_same_bytes_is_refused() -> None:
    assert decode_base64url("AA") == b"\x00"
    with pytest.raises(MalformedTokenError, match="canonical"):
        decode_base64url("AB")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"text"',
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        '{"exp":NaN}',
        '{"exp":-Infinity}',
        '{"exp":1}x',
        '{"a":"\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"),
        '{"n":' + "9" * 5000 + "}",
        '{"a":' * 3000,
    ],
)
def test_loose_json_is_refused(text: str) -> None:
    raw = text.encode("latin-1")
    with pytest.raises(MalformedTokenError):
        read_object(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
