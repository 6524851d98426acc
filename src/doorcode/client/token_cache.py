"""Session tokens kept until shortly before they expire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from doorcode.client.errors import MalformedTokenError
from doorcode.client.jws import split

# A token handed out must live long enough to travel to whoever checks it.
LEEWAY = 15.0


@dataclass(frozen=True, slots=True)
class _Kept:
    jwt: str
    until: float


class TokenCache:
    """Owns the latest token of each session; ``clock`` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def put(self, session_id: str, jwt: str) -> None:
        """Keep a token that just arrived; one known already keeps its time."""
        known = self._kept.get(session_id)
        if known is None or known.jwt != jwt:
            self._kept[session_id] = _Kept(jwt, self._usable_until(jwt))

    def get(self, session_id: str) -> str | None:
        """Return the session's token while it is good for a while yet."""
        kept = self._kept.get(session_id)
        return kept.jwt if kept is not None and self._clock() < kept.until else None

    def keep_only(self, session_ids: set[str]) -> None:
        """Forget the tokens of all other sessions."""
        self._kept = {key: kept for key, kept in self._kept.items() if key in session_ids}

    def _usable_until(self, jwt: str) -> float:
        # The signature is the verifier's business; here only the times are read, and a token
        # whose times cannot be read is used once and not kept.
        try:
            claims = split(jwt).read_claims()
        except MalformedTokenError:
            return 0.0
        expires, issued = claims.get("exp"), claims.get("iat")
        if not isinstance(expires, int | float) or not isinstance(issued, int | float):
            return 0.0
        # Two bounds, because this machine's clock may be wrong: its lifetime counted from now
        # guards against a clock that is slow, its expiry against a token that was not fresh.
        return min(self._clock() + expires - issued, expires) - LEEWAY
