"""The Python SDK: sign people up and in with one-time codes, against any Frontend API.

``Client`` and ``AsyncClient`` speak to the server, ``verify_token`` checks what it signed. Owns
nothing of the server and imports nothing of it.
"""

from __future__ import annotations

from doorcode.client.client import AsyncClient, Client
from doorcode.client.errors import (
    AnswerError,
    ApiError,
    CallError,
    DoorcodeError,
    KeysUnavailableError,
    MalformedTokenError,
    NetworkError,
    NotLoadedError,
    Problem,
    StateError,
    TokenAlgorithmError,
    TokenError,
    TokenExpiredError,
    TokenIssuedAtError,
    TokenIssuerError,
    TokenNotActiveError,
    TokenPartyError,
    TokenSignatureError,
    UnknownKeyError,
    UsageError,
)
from doorcode.client.jwks import AsyncJwksCache, JwksCache
from doorcode.client.resources import (
    EmailAddress,
    Factor,
    PhoneNumber,
    Session,
    User,
    Verification,
)
from doorcode.client.results import Errors, Result, SignInFieldErrors, SignUpFieldErrors
from doorcode.client.sign_in import SignIn
from doorcode.client.sign_up import SignUp, SignUpFields
from doorcode.client.tokens import Claims, TokenRules, verify_token, verify_token_async

__all__ = [
    "AnswerError",
    "ApiError",
    "AsyncClient",
    "AsyncJwksCache",
    "CallError",
    "Claims",
    "Client",
    "DoorcodeError",
    "EmailAddress",
    "Errors",
    "Factor",
    "JwksCache",
    "KeysUnavailableError",
    "MalformedTokenError",
    "NetworkError",
    "NotLoadedError",
    "PhoneNumber",
    "Problem",
    "Result",
    "Session",
    "SignIn",
    "SignInFieldErrors",
    "SignUp",
    "SignUpFieldErrors",
    "SignUpFields",
    "StateError",
    "TokenAlgorithmError",
    "TokenError",
    "TokenExpiredError",
    "TokenIssuedAtError",
    "TokenIssuerError",
    "TokenNotActiveError",
    "TokenPartyError",
    "TokenRules",
    "TokenSignatureError",
    "UnknownKeyError",
    "UsageError",
    "User",
    "Verification",
    "verify_token",
    "verify_token_async",
]
