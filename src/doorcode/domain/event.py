"""What the audit log says: something that happened, by whom, to whom, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorcode.domain.addresses import Address, Kind, mask


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log. It never holds a code, a token or a key.

    `name` says what happened, such as "limit.refused"; `bucket` names the limit or rule that
    decided; `outcome` is "refused", "challenged", "recorded" or "done". `subject` is the
    identifier, country or setting that it is about. `network` is that of the client address.
    """

    name: str
    outcome: str
    bucket: str = ""
    subject: str = ""
    network: str = ""
    client_id: str = ""
    user_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was written; `at` is in milliseconds."""

    id: str
    at: int
    event: Event


def masked(subject: str) -> str:
    """The subject as it may be seen by somebody who need not know whom it is about."""
    kind, _, value = subject.partition(":")
    if kind not in list(Kind):
        return subject
    return mask(Address(Kind(kind), value, value))
