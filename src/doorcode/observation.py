"""What the log and the metrics show of each event.

The metrics count every one. The log has one line a minute for those that are alike, with how
many there were: whoever is refused ten thousand times must not fill the disk by it.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from doorcode.domain.event import Event, masked
from doorcode.domain.limit_table import SETTING_OF
from doorcode.domain.limits import COUNTRY
from doorcode.flows.deps import Recent

log = structlog.get_logger("doorcode")


class Observation:
    """Told of each event, it counts and logs it."""

    def __init__(
        self, count: Callable[[Event], None], now: Callable[[], int], *, development: bool
    ) -> None:
        self._count = count
        self._now = now
        self._development = development
        self._recent = Recent()

    def __call__(self, event: Event) -> None:
        """Count an event, and log it where none like it was logged within the minute."""
        self._count(event)
        times = self._recent.count(event, self._now())
        if not times:
            return
        again = times if times > 1 else ""
        if self._development and event.bucket == COUNTRY:
            _write(log.warning, _abroad(event), subject=masked(event.subject), times=again)
            return
        fields = {
            "outcome": event.outcome,
            "bucket": event.bucket,
            "subject": masked(event.subject),
            "network": event.network,
            "country": event.details.get("country", ""),
            "why": event.details.get("why", ""),
            "setting": SETTING_OF.get(event.bucket, ""),
            "times": again,
        }
        write = log.info if event.outcome in ("done", "recorded") else log.warning
        if event.name == "country.paused":
            write = log.warning
        _write(write, event.name, **fields)


def _write(write: Callable[..., object], title: str, **fields: object) -> None:
    write(title, **{name: value for name, value in fields.items() if value})


def _abroad(event: Event) -> str:
    """What a developer does about it. People are told the same in development as elsewhere."""
    country, setting = event.details.get("country") or "no country", SETTING_OF[COUNTRY]
    return (
        f"No code went to a number of {country}: {setting} does not list it. "
        f"To open all countries: doorcode settings set {setting} '*'"
    )
