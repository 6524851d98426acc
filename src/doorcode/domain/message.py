"""A message that carries a code or a link, from its writing until it is delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox. `sealed` is the only place where the code can be read.

    A message that carries a link instead names, in the place of a verification, what the
    link is for: a ticket, an entry of the waitlist.
    `channel` is "sms", "whatsapp" or "email". `recipient` is an E.164 number or an e-mail address.
    `attempts` counts hand-overs to a provider so far.
    """

    id: str
    verification_id: str
    channel: str
    recipient: str
    is_test: bool
    sealed: bytes | None
    created_at: int
    expires_at: int
    attempts: int = 0
