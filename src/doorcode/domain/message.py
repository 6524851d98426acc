"""A message that carries a code, from the moment it is written until it is delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox. `sealed` is the only place where the code can be read.

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
