"""What can go wrong, and how you learn of it.

DoorcodeError
├── CallError                 held by ``result.error``; raised only where you ask for it
│   ├── ApiError              the server refused, and said why
│   ├── NetworkError          no answer came: no connection, a time-out, broken TLS
│   ├── AnswerError           an answer came that is not in this API's language
│   └── StateError            nothing was sent: there is nothing here to act on
├── UsageError                raised: the call is wrong, whatever the server would say
│   └── NotLoadedError        raised: a saved client token is held, ``load()`` comes first
└── TokenError                raised by ``verify_token``
    ├── MalformedTokenError       token-invalid
    ├── TokenAlgorithmError       token-invalid-algorithm
    ├── TokenSignatureError       token-invalid-signature
    ├── TokenExpiredError         token-expired
    ├── TokenNotActiveError       token-not-active-yet
    ├── TokenIssuedAtError        token-iat-in-the-future
    ├── TokenIssuerError          token-invalid-issuer
    ├── TokenPartyError           token-invalid-authorized-parties
    ├── TokenPendingError         token-session-pending
    ├── UnknownKeyError           jwk-kid-mismatch
    └── KeysUnavailableError      jwk-failed-to-load
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    ``code`` is stable and made for programs (``form_code_incorrect``); ``message`` is short and
    made for people ("is incorrect"), ``long_message`` is a whole sentence and may be empty;
    ``param_name`` is the field it belongs to (``phone_number``), or None; ``meta`` holds whatever
    else the server told, ``param_name`` included.
    """

    code: str
    message: str
    long_message: str = ""
    param_name: str | None = None
    meta: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The fullest wording there is: ``long_message``, or ``message`` where it is empty."""
        return self.long_message or self.message


class DoorcodeError(Exception):
    """The parent of every exception of this package."""


class CallError(DoorcodeError):
    """A call that did not do what it was asked to.

    ``problems`` says what is wrong, the most important first, and is never empty. ``status`` is
    the HTTP status, or None when no answer came. ``retry_after`` is the number of seconds the
    server asks to wait, given with status 429. ``trace_id`` names the request in the server's log.
    """

    def __init__(
        self,
        *problems: Problem,
        status: int | None = None,
        retry_after: int | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = problems
        self.status = status
        self.retry_after = retry_after
        self.trace_id = trace_id

    @property
    def code(self) -> str:
        """The code of the first problem, such as ``form_identifier_not_found``."""
        return self.problems[0].code


class ApiError(CallError):
    """The server refused the call and gave its reasons in the error envelope."""


class NetworkError(CallError):
    """No answer came; code ``network_error``. The server may have obeyed the request even so."""

    def __init__(self, reason: str) -> None:
        super().__init__(Problem("network_error", f"The server could not be reached: {reason}"))


class AnswerError(CallError):
    """The answer is not one of this API; code ``unexpected_answer``.

    The usual cause is a wrong URL, or a proxy that answers in the server's place.
    """

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(Problem("unexpected_answer", reason), status=status)


class StateError(CallError):
    """Nothing was sent, because there is nothing here to act on.

    Codes: ``factor_not_found`` (this sign-in cannot be proven by that kind of code),
    ``attempt_not_found`` (the server no longer knows the attempt), ``session_not_created``
    (``finalize()`` before the attempt was complete), ``session_not_found`` (the session has ended,
    or this client never had it).
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(Problem(code, reason))


class UsageError(DoorcodeError):
    """The program calls this package in a way that cannot be right; mend the program."""


class NotLoadedError(UsageError):
    """What a saved client token stands for is not known yet: call ``load()`` first."""


class TokenError(DoorcodeError):
    """The session token must not be trusted; ``code`` says why and never changes."""

    code: ClassVar[str] = "token-verification-failed"


class MalformedTokenError(TokenError):
    """The text is not a session token, or a claim is missing or of the wrong type."""

    code = "token-invalid"


class TokenAlgorithmError(TokenError):
    """The token is signed by another algorithm than RS256, or not at all."""

    code = "token-invalid-algorithm"


class TokenSignatureError(TokenError):
    """The token was not signed by the key that it names."""

    code = "token-invalid-signature"


class TokenExpiredError(TokenError):
    """The token's time is over; a fresh one comes from ``get_token()``."""

    code = "token-expired"


class TokenNotActiveError(TokenError):
    """The token is not valid yet (``nbf``); usually a clock is wrong."""

    code = "token-not-active-yet"


class TokenIssuedAtError(TokenError):
    """The token claims to come from the future (``iat``); usually a clock is wrong."""

    code = "token-iat-in-the-future"


class TokenIssuerError(TokenError):
    """The token was issued by another server than the one expected."""

    code = "token-invalid-issuer"


class TokenPartyError(TokenError):
    """The token was made for another application than those expected (``azp``)."""

    code = "token-invalid-authorized-parties"


class TokenPendingError(TokenError):
    """The person has a task left before they count as signed in, such as a second factor to set up.

    ``allow_pending=True`` lets them in: only where that very task is done.
    """

    code = "token-session-pending"


class UnknownKeyError(TokenError):
    """The token names a key that the server does not publish, or that cannot be used."""

    code = "jwk-kid-mismatch"


class KeysUnavailableError(TokenError):
    """The server's public keys could not be fetched, so no token can be checked."""

    code = "jwk-failed-to-load"
