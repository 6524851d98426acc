"""What the log shows of an event: enough to act on, at most once a minute, and nobody's address."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from doorcode.domain.event import Event
from doorcode.domain.limits import COUNTRY, GUESSES, MINUTE
from doorcode.observation import Observation

PHONE = "phone_number:+447400123456"
REFUSED = Event("limit.refused", "refused", GUESSES, PHONE, "203.0.113.7")
ABROAD = Event(
    "shield.decided", "refused", COUNTRY, PHONE, details={"country": "GB", "why": "GB is shut"}
)


class Observed:
    """An observation with a clock, and what it counted and logged."""

    def __init__(self, *, development: bool = False) -> None:
        self.now = 1_750_000_000_000 // MINUTE * MINUTE
        self.counted: list[Event] = []
        self._observe = Observation(self.counted.append, lambda: self.now, development=development)

    def lines(self, *events: Event) -> list[MutableMapping[str, Any]]:
        with capture_logs() as lines:
            for event in events:
                self._observe(event)
        return lines


def test_a_line_names_the_bucket_the_network_and_the_setting_and_masks_the_address() -> None:
    [line] = Observed().lines(REFUSED)
    assert line == {
        "event": "limit.refused",
        "log_level": "warning",
        "outcome": "refused",
        "bucket": GUESSES,
        "subject": "+44********56",
        "network": "203.0.113.7",
        "setting": "attack_protection.user_lockout.max_attempts",
    }


def test_a_flood_makes_one_line_a_minute_and_is_counted_whole() -> None:
    observed = Observed()
    assert len(observed.lines(*[REFUSED] * 500)) == 1
    observed.now += MINUTE - 1
    assert observed.lines(REFUSED) == []
    observed.now += 1
    [line] = observed.lines(REFUSED, REFUSED)
    assert line["times"] == 501  # those since the last line, and itself
    assert len(observed.counted) == 503


def test_events_that_differ_have_lines_of_their_own() -> None:
    others = [
        REFUSED,
        Event("limit.refused", "refused", COUNTRY, PHONE, "203.0.113.7"),
        Event("limit.refused", "refused", GUESSES, "phone_number:+447400123457", "203.0.113.7"),
        Event("limit.refused", "refused", GUESSES, PHONE, "203.0.113.8"),
    ]
    assert len(Observed().lines(*others, *others)) == 4


def test_a_line_about_a_closed_country_names_it_and_the_setting() -> None:
    [line] = Observed().lines(ABROAD)
    named = (line["event"], line["country"], line["why"], line["setting"])
    assert named == ("shield.decided", "GB", "GB is shut", "shield.countries")


def test_a_developer_is_told_in_a_sentence_by_what_a_country_is_opened() -> None:
    [line] = Observed(development=True).lines(ABROAD)
    assert line == {
        "event": "No code went to a number of GB: shield.countries does not list it. "
        "To open all countries: doorcode settings set shield.countries '*'",
        "log_level": "warning",
        "subject": "+44********56",
    }
    [other] = Observed(development=True).lines(REFUSED)
    assert other["event"] == "limit.refused"


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (Event("shield.decided", "refused", "shield.area"), "warning"),
        (Event("shield.decided", "challenged", "shield.area"), "warning"),
        (Event("shield.decided", "recorded", "shield.area"), "info"),
        (Event("country.paused", "done", subject="GB"), "warning"),
        (Event("country.resumed", "done", subject="GB"), "info"),
    ],
)
def test_what_somebody_should_look_at_is_a_warning(event: Event, level: str) -> None:
    [line] = Observed().lines(event)
    assert line["log_level"] == level
