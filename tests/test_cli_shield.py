"""`doorcode shield`: what is open, what is paused, what it cost; and pausing and resuming."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.process import clean_environment
from tests.beside import call, events, prepare, within

from doorcode.cli_shield import add_commands
from doorcode.domain.limits import DAY
from doorcode.server import now


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("os.environ", clean_environment())
    return prepare(tmp_path)


def shield(data: Path, *arguments: str) -> int:
    return call(add_commands, data, *arguments)


def test_the_status_says_what_is_open_and_for_how_much(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shield(data, "status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "mode        record",
        "countries   CA US",
        "money       at most $25.00 a country and day, $100.00 in all",
        "paused      none",
    ]


def test_a_country_is_paused_and_resumed_and_both_are_written(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shield(data, "pause", "gb", "--why", "a holiday") == 0
    assert "No codes go to GB any more" in capsys.readouterr().out
    assert shield(data, "status") == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines() if "a holiday" in line] == ["GB"]
    assert shield(data, "pause", "GB") == 1
    assert "GB is paused already" in capsys.readouterr().err
    assert shield(data, "resume", "GB") == 0
    assert "GB is not paused any more" in capsys.readouterr().out
    assert shield(data, "resume", "GB") == 1
    assert "GB is not paused" in capsys.readouterr().err
    written = [(one.name, one.subject, one.details) for one in events(data)]
    assert written == [
        ("country.resumed", "GB", {"by": "operator"}),
        ("country.paused", "GB", {"by": "operator", "why": "a holiday"}),
    ]


def test_what_was_spent_today_is_told_the_most_first(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today = now() // DAY
    for country, spent in (("US", 8_000), ("GB", 1_234_000), ("*", 1_242_000)):
        within(data, lambda tx, c=country, s=spent: tx.spend_money(c, today, s, 10**9))
    shield(data, "status")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[-4:] == [
        ["TODAY", "SPENT"], ["all", "$1.242"], ["GB", "$1.234"], ["US", "$0.008"],
    ]  # fmt: skip


@pytest.mark.parametrize("country", ["XX", "England", "+44", ""])
def test_what_is_no_country_is_said(
    data: Path, country: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        shield(data, "pause", country)
    assert left.value.code == 2
    assert "is no country" in capsys.readouterr().err
