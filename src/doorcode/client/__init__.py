"""The Python SDK: sign people up and in with one-time codes, against any Frontend API.

``Client`` and ``AsyncClient`` speak to the server, ``verify_token`` checks what it signed. Owns
nothing of the server and imports nothing of it.
"""

from __future__ import annotations

from doorcode.client.activities import SessionActivity, SessionWithActivities
from doorcode.client.addresses import EmailAddress, PhoneNumber
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
    TokenPendingError,
    TokenSignatureError,
    UnknownKeyError,
    UsageError,
)
from doorcode.client.flow import AsyncDriver, SyncDriver
from doorcode.client.jwks import AsyncJwksCache, JwksCache
from doorcode.client.resources import Factor, UserData, Verification
from doorcode.client.results import (
    Errors,
    Result,
    SignInFieldErrors,
    SignUpFieldErrors,
    WaitlistFieldErrors,
)
from doorcode.client.session import Session, SessionTask, SessionVerification
from doorcode.client.sign_in import SignIn
from doorcode.client.sign_up import SignUp, SignUpFields, SignUpStart
from doorcode.client.tokens import Claims, TokenRules, verify_token, verify_token_async
from doorcode.client.user import BackupCodes, User, UserFields
from doorcode.client.waitlist import Waitlist

__all__ = [
    "AnswerError",
    "ApiError",
    "AsyncClient",
    "AsyncDriver",
    "AsyncJwksCache",
    "BackupCodes",
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
    "SessionActivity",
    "SessionTask",
    "SessionVerification",
    "SessionWithActivities",
    "SignIn",
    "SignInFieldErrors",
    "SignUp",
    "SignUpFieldErrors",
    "SignUpFields",
    "SignUpStart",
    "StateError",
    "SyncDriver",
    "TokenAlgorithmError",
    "TokenError",
    "TokenExpiredError",
    "TokenIssuedAtError",
    "TokenIssuerError",
    "TokenNotActiveError",
    "TokenPartyError",
    "TokenPendingError",
    "TokenRules",
    "TokenSignatureError",
    "UnknownKeyError",
    "UsageError",
    "User",
    "UserData",
    "UserFields",
    "Verification",
    "Waitlist",
    "WaitlistFieldErrors",
    "verify_token",
    "verify_token_async",
]
