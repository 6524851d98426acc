"""AWS Signature Version 4: proves who asks, what, and when, without sending the secret.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"Create a signed AWS API request".

The signature covers the method, the path, the query, these headers and the body, and holds
for five minutes around the time in it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from doorcode.domain.limits import SECOND

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; `session_token` comes with those that are lent for a while."""

    key_id: str
    secret: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a signature counts: one region ("eu-west-1") and one service ("ses")."""

    region: str
    service: str


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    scope: Scope,
    at: int,
) -> dict[str, str]:
    """The headers with those that sign the request; `at` is now, in milliseconds."""
    parts = urlsplit(url)
    stamp = datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")
    all_headers = {**headers, "Host": parts.netloc, "X-Amz-Date": stamp}
    if credentials.session_token:
        all_headers["X-Amz-Security-Token"] = credentials.session_token

    canonical = {name.lower(): " ".join(value.split()) for name, value in all_headers.items()}
    names = ";".join(sorted(canonical))
    request = "\n".join(
        (
            method,
            # Once more: the path of the URL is quoted already, and it is signed quoted twice.
            quote(parts.path or "/", safe="/-_.~"),
            _query(parts.query),
            *(f"{name}:{canonical[name]}" for name in sorted(canonical)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    place = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, place, hashlib.sha256(request.encode()).hexdigest()))

    key = f"AWS4{credentials.secret}".encode()
    for part in place.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    all_headers["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key_id}/{place}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return all_headers


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    quoted = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in quoted)
