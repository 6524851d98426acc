"""The signature of AWS requests, against AWS's own test suite and against botocore."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given
from hypothesis import strategies as st

from doorcode.delivery.providers.sigv4 import Credentials, Scope, signed

# The key, the scope and the moment of AWS's published test suite ("aws-sig-v4-test-suite").
KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = Scope("us-east-1", "service")
AT = int(datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp() * 1000)
HOST = "https://example.amazonaws.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signature(headers: dict[str, str]) -> str:
    return headers["Authorization"].rsplit("Signature=", 1)[1]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        pytest.param(
            "GET",
            "/",
            {},
            b"",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            id="get-vanilla",
        ),
        pytest.param(
            "GET",
            "/?Param2=value2&Param1=value1",
            {},
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            "POST",
            "/",
            {},
            b"",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            "POST",
            "/",
            FORM,
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            "POST",
            "/",
            {"My-Header1": "VALUE1"},
            b"",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            id="post-header-value-case",
        ),
        pytest.param(
            "GET",
            "/",
            {"My-Header1": " value1", "My-Header2": ' "a   b   c" '},
            b"",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            id="get-header-value-trim",
        ),
    ],
)
def test_a_request_of_the_published_suite_is_signed_as_it_says(
    method: str, path: str, headers: dict[str, str], body: bytes, expected: str
) -> None:
    made = signed(method, HOST + path, headers, body, credentials=KEY, scope=SCOPE, at=AT)
    assert signature(made) == expected


def test_the_documented_example_is_signed_as_documented() -> None:
    made = signed(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        b"",
        credentials=KEY,
        scope=Scope("us-east-1", "iam"),
        at=AT,
    )
    assert made["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


def test_a_session_token_is_sent_and_signed() -> None:
    lent = Credentials(KEY.key_id, KEY.secret, "lent-for-an-hour")
    made = signed("POST", HOST, FORM, b"", credentials=lent, scope=SCOPE, at=AT)
    assert made["X-Amz-Security-Token"] == "lent-for-an-hour"
    assert "x-amz-security-token" in made["Authorization"]


def test_the_secret_stands_nowhere_in_what_is_sent_or_shown() -> None:
    made = signed("POST", HOST, FORM, b"a=b", credentials=KEY, scope=SCOPE, at=AT)
    assert KEY.secret not in str(made)
    assert KEY.secret not in repr(KEY)


_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=20)
_PLAIN = st.from_regex(re.compile(r"[A-Za-z0-9 _.~/%&=+-]{1,20}", re.ASCII), fullmatch=True)


@given(
    segments=st.lists(st.from_regex(r"[A-Za-z0-9_~-]{1,9}", fullmatch=True), max_size=4),
    value=_PLAIN,
    body=st.binary(max_size=60),
    region=st.sampled_from(["us-east-1", "eu-central-2", "cn-north-1", "us-gov-west-1"]),
    secret=_TEXT,
    token=st.sampled_from(["", "FwoGZXIvYXdzEXAMPLE=="]),
    at=st.integers(0, 4_102_444_800_000),
)
def test_botocore_signs_the_same(
    segments: list[str],
    value: str,
    body: bytes,
    region: str,
    secret: str,
    token: str,
    at: int,
) -> None:
    url = f"https://email.{region}.amazonaws.com/" + "/".join(segments)
    ours = signed(
        "POST",
        url,
        {"Content-Type": value},
        body,
        credentials=Credentials("AKIDEXAMPLE", secret, token),
        scope=Scope(region, "ses"),
        at=at,
    )
    auth = SigV4Auth(TheirCredentials("AKIDEXAMPLE", secret, token or None), "ses", region)
    named = {name: text for name, text in ours.items() if name != "Authorization"}
    request = AWSRequest("POST", url, data=body, headers=named)
    request.context["timestamp"] = ours["X-Amz-Date"]
    theirs = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    assert signature(ours) == theirs
