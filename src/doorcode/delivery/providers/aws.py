"""What the services of AWS have in common: keys, regions, signed requests, refusals."""

from __future__ import annotations

import re
from types import MappingProxyType

from doorcode.delivery.interface import TryAnother, TryLater
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url
from doorcode.delivery.providers.sigv4 import Credentials, Scope, signed
from doorcode.delivery.providers.transport import Answer, Meanings, Transport

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", re.ASCII)

_TOO_OFTEN = "AWS was asked too often; have the account's sending rate raised"
_TROUBLE = "AWS has trouble of its own"
_UNKNOWN_KEY = (
    "AWS does not know the access key; set access_key_id, and session_token where the key was lent"
)
_WRONG_PAIR = "the secret does not fit the access key; set secret_access_key"
_EXPIRED = "the session token has expired; use a key that does not expire"
_CLOCK = "AWS finds the request too old or too early; set this machine's clock by NTP"
_FORBIDDEN = "the access key may not do this; allow sns:Publish or ses:SendEmail in its IAM policy"
_NOT_ENABLED = "the AWS account may not use this service or region; enable it in the AWS console"

# IAM and API references, "Common errors"; the Query and the JSON protocols name them differently.
COMMON: Meanings = MappingProxyType(
    {
        "Throttling": (TryLater, _TOO_OFTEN),
        "ThrottlingException": (TryLater, _TOO_OFTEN),
        "Throttled": (TryLater, _TOO_OFTEN),
        "TooManyRequestsException": (TryLater, _TOO_OFTEN),
        "InternalError": (TryLater, _TROUBLE),
        "InternalFailure": (TryLater, _TROUBLE),
        "ServiceUnavailable": (TryLater, _TROUBLE),
        "InvalidClientTokenId": (TryAnother, _UNKNOWN_KEY),
        "UnrecognizedClientException": (TryAnother, _UNKNOWN_KEY),
        "MissingAuthenticationToken": (TryAnother, _UNKNOWN_KEY),
        "MissingAuthenticationTokenException": (TryAnother, _UNKNOWN_KEY),
        "SignatureDoesNotMatch": (TryAnother, _WRONG_PAIR),
        "InvalidSignatureException": (TryAnother, _WRONG_PAIR),
        "IncompleteSignature": (TryAnother, _WRONG_PAIR),
        "InvalidSecurity": (TryAnother, _WRONG_PAIR),
        "ExpiredToken": (TryAnother, _EXPIRED),
        "ExpiredTokenException": (TryAnother, _EXPIRED),
        "RequestExpired": (TryAnother, _CLOCK),
        "RequestTimeTooSkewed": (TryAnother, _CLOCK),
        "AuthorizationError": (TryAnother, _FORBIDDEN),
        "AccessDenied": (TryAnother, _FORBIDDEN),
        "AccessDeniedException": (TryAnother, _FORBIDDEN),
        "OptInRequired": (TryAnother, _NOT_ENABLED),
        "SubscriptionRequiredException": (TryAnother, _NOT_ENABLED),
    }
)


class Account(RouteOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of each AWS provider. `url` is for another address of the service."""

    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str = ""
    url: str = ""


class Aws:
    """One service of one region."""

    def __init__(self, account: Account, host: str, service: str, transport: Transport) -> None:
        self._url = endpoint(host, account.region, account.url)
        self._credentials = Credentials(
            account.access_key_id, account.secret_access_key, account.session_token
        )
        self._scope = Scope(account.region, service)
        self._transport = transport

    async def post(self, path: str, sort: str, body: bytes, at: int) -> Answer:
        """A signed request; `at` is now, `sort` the type of the body."""
        url = self._url + path
        headers = signed(
            "POST",
            url,
            {"Content-Type": sort},
            body,
            credentials=self._credentials,
            scope=self._scope,
            at=at,
        )
        return await self._transport.ask("POST", url, headers=headers, content=body)


def endpoint(host: str, region: str, url: str = "") -> str:
    """The address of a service in a region, or the one that is set instead."""
    if not _REGION.fullmatch(region):
        raise BadOptions(f"region is {region!r}; write it as AWS does, such as eu-west-1")
    if url:
        return expect_url(url)
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{host}.{region}.{end}"
