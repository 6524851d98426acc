"""How long a session signs somebody in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import limits
from doorcode.domain.session import LIVE, TRANSITIONS, Session, Status

NOW = 1_700_000_000_000
END = NOW + limits.SESSION_LIVES_FOR
SESSION = Session("sess_1", "client_1", "user_1", Status.ACTIVE, NOW, NOW, NOW, END, END)


def test_it_expires_on_the_millisecond() -> None:
    assert (SESSION.as_of(END - 1), SESSION.as_of(END)) == (Status.ACTIVE, Status.EXPIRED)
    assert (SESSION.is_live(END - 1), SESSION.is_live(END)) == (True, False)


def test_one_that_waits_is_live_and_expires_too() -> None:
    waits = replace(SESSION, status=Status.PENDING)
    assert (waits.as_of(END - 1), waits.as_of(END)) == (Status.PENDING, Status.EXPIRED)
    assert (waits.is_live(END - 1), waits.is_live(END)) == (True, False)


@pytest.mark.parametrize("status", list(Status))
def test_that_of_a_banned_person_is_over(status: Status) -> None:
    theirs = replace(SESSION, status=status, is_banned=True)
    over = Status.REVOKED if status in LIVE else status
    assert (theirs.as_of(NOW), theirs.is_live(NOW)) == (over, False)


@pytest.mark.parametrize("status", list(Status))
def test_only_one_that_waits_has_a_task(status: Status) -> None:
    tasks = replace(SESSION, status=status).tasks
    assert tasks == (["setup-mfa"] if status is Status.PENDING else [])


def test_second_factor_has_an_age_of_its_own() -> None:
    proved = replace(SESSION, first_factor_at=NOW, second_factor_at=NOW + limits.MINUTE)
    assert proved.factor_age(NOW + 3 * limits.MINUTE) == [3, 2]


def test_what_is_over_leads_nowhere_and_nothing_leads_back() -> None:
    assert {status for status, after in TRANSITIONS.items() if after} == LIVE
    assert all(Status.PENDING not in after for after in TRANSITIONS.values())
    assert Status.ACTIVE not in TRANSITIONS[Status.ACTIVE]


@pytest.mark.parametrize("status", [status for status in Status if status not in LIVE])
def test_one_that_is_over_stays_over(status: Status) -> None:
    over = replace(SESSION, status=status)
    assert over.as_of(NOW) is over.as_of(END) is status
    assert not over.is_live(NOW)


@pytest.mark.parametrize(
    ("after", "minutes"), [(0, 0), (limits.MINUTE - 1, 0), (limits.MINUTE, 1), (limits.HOUR, 60)]
)
def test_the_age_of_a_factor_is_in_whole_minutes(after: int, minutes: int) -> None:
    assert SESSION.factor_age(NOW + after) == [minutes, -1]


def test_a_clock_set_back_makes_no_negative_age() -> None:
    assert SESSION.factor_age(NOW - limits.HOUR) == [0, -1]
