"""One browser, or one program with a cookie jar."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """What a browser is doing here: its current attempts and its last session.

    `updated_at` moves only when somebody signs in or out. App servers compare it with
    a token's `iat`; were it moved by every request, each page load would be redirected.
    Until `human_until` it counts that a person solved a challenge here.
    """

    id: str
    created_at: int
    updated_at: int
    sign_up_id: str | None = None
    sign_in_id: str | None = None
    last_active_session_id: str | None = None
    last_strategy: str | None = None
    human_until: int | None = None

    def is_human(self, now: int) -> bool:
        """Whether a person solved a challenge here a while ago."""
        return now < (self.human_until or 0)


@dataclass(frozen=True, slots=True)
class DevBrowser:
    """A browser of a development instance, known by a token in the URL."""

    client_id: str | None
    expires_at: int
    human_until: int | None = None  # of its client
