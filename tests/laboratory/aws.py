"""What the doubles of AWS share: the check of a signature, by AWS's own library."""

from __future__ import annotations

import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .wire import Request

KEY_ID = "AKIALABORATORY"
SECRET = "laboratory/secret+of+aws"
REGION = "eu-west-1"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/[^/]+/[^/]+/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def refusal(request: Request, prefix: str, service: str) -> str:
    """AWS's code for a request that it would not let in; empty where it would."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        return "IncompleteSignature"
    if found["key"] != KEY_ID:
        return "InvalidClientTokenId"
    names = found["names"].split(";")
    if not {"host", "x-amz-date"} <= set(names):
        return "IncompleteSignature"
    signed = {name: request.headers.get(name, "") for name in names}
    url = f"https://{request.headers['host']}{prefix}{request.target}"
    theirs = AWSRequest(request.method, url, data=request.body, headers=signed)
    theirs.context["timestamp"] = signed["x-amz-date"]
    auth = SigV4Auth(Credentials(KEY_ID, SECRET), service, REGION)
    to_sign = auth.string_to_sign(theirs, auth.canonical_request(theirs))
    fits = auth.signature(to_sign, theirs) == found["signature"]
    return "" if fits else "SignatureDoesNotMatch"
