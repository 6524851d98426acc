"""`doorcode audit`: the log, newest first, and nobody's address unless asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.process import clean_environment
from tests.beside import call, events, prepare, within

from doorcode import cli_keys, cli_settings
from doorcode.cli_audit import add_arguments
from doorcode.domain.event import Event
from doorcode.domain.limits import HOUR
from doorcode.server import now
from doorcode.settings import BadSettings
from doorcode.storage.interface import Transaction

BRITON = "phone_number:+447400123456"
REFUSED = Event("limit.refused", "refused", "guesses.network", BRITON, "203.0.113.7")
PAUSED = Event("country.paused", "done", subject="GB", details={"why": "a try"})


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("os.environ", clean_environment())

    async def write(tx: Transaction) -> None:
        await tx.add_event("evt_1", REFUSED, now() - 30 * HOUR)
        await tx.add_event("evt_2", REFUSED, now() - HOUR)
        await tx.add_event("evt_3", PAUSED, now())

    within(prepare(tmp_path), write)
    return tmp_path


def lines(data: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert call(add_arguments, data, *arguments) == 0
    return capsys.readouterr().out.splitlines()


def test_the_newest_come_first_and_people_are_masked(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, first, second = lines(data, capsys)
    assert head.split() == ["WHEN", "WHAT", "OUTCOME", "LIMIT", "ABOUT", "NETWORK", "DETAILS"]
    assert first.split()[2:] == ["country.paused", "done", "-", "GB", "-", "why='a", "try'"]
    assert second.split()[2:] == [
        "limit.refused", "refused", "guesses.network", "+44********56", "203.0.113.7", "-",
    ]  # fmt: skip


def test_whom_it_is_about_is_shown_where_that_is_asked_for(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "+447400123456" not in "".join(lines(data, capsys, "--json"))
    assert BRITON in lines(data, capsys, "--full")[2]
    assert json.loads(lines(data, capsys, "--full", "--json")[1])["subject"] == BRITON


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--since", "2d"), ["evt_3", "evt_2", "evt_1"]),
        (("--since", "90m"), ["evt_3", "evt_2"]),
        (("--subject", "+44 7400 123456", "--since", "2d"), ["evt_2", "evt_1"]),
        (("--subject", "GB"), ["evt_3"]),
        (("--name", "limit.refused"), ["evt_2"]),
        (("--name", "key.created"), []),
        (("--most", "1"), ["evt_3"]),
    ],
)
def test_it_can_be_narrowed(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], found: list[str]
) -> None:
    documents: list[Any] = [json.loads(x) for x in lines(data, capsys, "--json", *arguments)]
    assert [one["id"] for one in documents] == found


def test_a_list_that_was_cut_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(add_arguments, data, "--most", "1")
    assert "There may be more" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--since", "yesterday"), ("--most", "0"), ("--most", "x")])
def test_a_wrong_span_or_number_is_said(data: Path, wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as left:
        call(add_arguments, data, *wrong)
    assert left.value.code == 2


def test_what_commands_change_stands_in_it_and_no_secret_does(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(cli_settings.add_commands, data, "set", "shield.countries", "US,GB", "mfa.required", "off")
    call(cli_settings.add_commands, data, "unset", "mfa.required")
    capsys.readouterr()
    call(cli_keys.add_commands, data, "create")
    secret = capsys.readouterr().out.strip()
    hint = f"{secret[:12]}…{secret[-4:]}"
    call(cli_keys.add_commands, data, "revoke", hint)
    call(cli_keys.add_commands, data, "rotate", "--now")
    written = events(data)[:6][::-1]
    assert [(one.name, one.subject, dict(one.details)) for one in written[:5]] == [
        ("setting.changed", "shield.countries", {"value": '["GB", "US"]'}),
        ("setting.changed", "mfa.required", {"value": "off"}),
        ("setting.changed", "mfa.required", {"unset": True}),
        ("key.created", hint, {}),
        ("key.revoked", hint, {}),
    ]
    assert (written[5].name, dict(written[5].details)) == ("key.rotated", {"at_once": True})
    assert secret not in "".join(lines(data, capsys, "--full", "--json"))


def test_a_list_of_people_is_written_without_them(data: Path) -> None:
    allowed = ("auth_access_control.allowlist", "ann@example.com,+447400123456")
    call(cli_settings.add_commands, data, "set", *allowed)
    assert (events(data)[0].subject, events(data)[0].details) == (allowed[0], {"entries": 2})


def test_where_nothing_was_found_that_is_said(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(add_arguments, data, "--name", "key.created")
    told = capsys.readouterr()
    assert (told.out, "Nothing was found" in told.err) == ("", True)


def test_what_was_not_changed_is_not_written(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = events(data)
    for wrong in (("set", "shield.mode", "never"), ("unset", "shield.nothing")):
        with pytest.raises(BadSettings):
            call(cli_settings.add_commands, data, *wrong)
    assert call(cli_keys.add_commands, data, "revoke", "sk_live_none") == 1
    assert events(data) == before
