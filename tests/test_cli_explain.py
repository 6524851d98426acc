"""`doorcode explain`: every limit on one screen, and in a line what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.acceptance.process import Person, Running, clean_environment, free_port, run
from tests.beside import call, prepare, within

from doorcode import cli_settings, cli_shield
from doorcode.cli_explain import add_arguments, sentence
from doorcode.domain.limits import HOUR, MINUTE
from doorcode.domain.send import Send, SendBudget
from doorcode.domain.shield import Tally
from doorcode.flows.explain import Standing, Verdict
from doorcode.server import now
from doorcode.storage.interface import Transaction

NUMBER = "+14155552671"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("os.environ", clean_environment())
    return prepare(tmp_path)


def shown(data: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    assert call(add_arguments, data, *arguments) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def row(lines: list[list[str]], name: str) -> list[str]:
    return next(line for line in lines if line[: len(name.split())] == name.split())


def test_a_number_is_told_whole(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(data, capsys, "+1 (415) 555-2671", "--ip", "::ffff:203.0.113.7")
    assert lines[0] == [NUMBER]
    assert row(lines, "country") == ["country", "US"]
    assert "nobody has it" in " ".join(row(lines, "account"))
    assert "carried by inbox" in " ".join(row(lines, "goes by"))
    assert "1 message, nobody pays for it" in " ".join(row(lines, "text"))
    assert "no server runs here" in " ".join(row(lines, "settings"))
    assert row(lines, "asked from")[2] == "203.0.113.7;"
    assert row(lines, "guesses.network") == ["guesses.network", "0", "100"]
    assert row(lines, "sends.10_minutes") == ["sends.10_minutes", "0", "6"]
    assert row(lines, "shield.country")[1] == "open"
    assert row(lines, "shield.money")[1:3] == ["$0.00", "$25.00"]
    assert " ".join(lines[-1]) == "The next code would be sent."


def test_an_address_has_no_country_and_no_price(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(data, capsys, "Ada@Example.com")
    assert lines[0] == ["ada@example.com"]
    assert not any(line[:1] == ["country"] or "shield.money" in line for line in lines)


def test_a_shut_country_has_the_last_word_and_the_command_that_opens_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(data, capsys, "+447400123456")
    assert row(lines, "shield.country")[1] == "shut:"
    assert " ".join(lines[-2]).startswith("The next code would be refused: shield.country: GB is")
    command = " ".join(lines[-1]).removeprefix("To open it: doorcode settings ")
    assert command == "set shield.countries CA,GB,US"
    call(cli_settings.add_commands, data, *command.split())
    capsys.readouterr()
    assert " ".join(shown(data, capsys, "+447400123456")[-1]) == "The next code would be sent."


def test_a_paused_country_has_the_command_that_opens_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(cli_shield.add_commands, data, "pause", "US")
    capsys.readouterr()
    lines = shown(data, capsys, NUMBER)
    assert "refused: shield.paused" in " ".join(lines[-2])
    command = " ".join(lines[-1]).removeprefix("To open it: doorcode shield ")
    call(cli_shield.add_commands, data, *command.split())
    capsys.readouterr()
    assert " ".join(shown(data, capsys, NUMBER)[-1]) == "The next code would be sent."


def test_a_test_number_is_told_its_code(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(data, capsys, "+12015550100")
    assert "no provider sees it, the code is always 424242" in " ".join(row(lines, "goes by"))


def test_shares_are_told_as_percents(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(data, capsys, NUMBER)
    assert row(lines, "shield.area") == ["shield.area", "15%", "44%"]
    assert row(lines, "shield.number") == ["shield.number", "1", "7"]


def test_a_budget_that_is_used_up_says_when_it_opens(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def send_six(tx: Transaction) -> None:
        for number in range(6):
            send = Send(f"msg_{number}", f"phone_number:{NUMBER}", "ver_1", now())
            assert await tx.add_send(send, SendBudget())

    within(data, send_six)
    lines = shown(data, capsys, NUMBER)
    assert row(lines, "sends.10_minutes")[1:3] == ["6", "6"]
    end = " ".join(lines[-2])
    assert lines[-1][-2:] == ["limits.sends_per_10_minutes", "--explain"]
    assert end.startswith("The next code would be refused: sends.10_minutes: too many codes")
    assert end.endswith("; it opens in 10 min.")


def test_a_program_reads_the_same(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(add_arguments, data, "+447400123456", "--json", "--ip", "203.0.113.7") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["outcome"], document["bucket"]) == ("refused", "shield.country")
    assert (document["country"], document["provider"]) == ("GB", "inbox")
    assert document["user_id"] is None
    [country] = [one for one in document["limits"] if one["bucket"] == "shield.country"]
    assert (country["holds"], country["opens_in_seconds"]) == (False, None)
    [money] = [one for one in document["limits"] if one["bucket"] == "shield.money"]
    assert money["most"] == 25


@pytest.mark.parametrize("text", ["", "0171 1234567", "ada@", "+1"])
def test_what_is_no_address_is_said(
    data: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(add_arguments, data, text) == 1
    told = capsys.readouterr().err
    assert "No code would be sent" in told
    assert "write a number as +14155552671" in told


def test_what_is_no_client_address_is_said(data: Path) -> None:
    with pytest.raises(SystemExit) as left:
        call(add_arguments, data, NUMBER, "--ip", "localhost")
    assert left.value.code == 2


@pytest.mark.parametrize(
    ("outcome", "opens_in", "said"),
    [
        ("sent", None, "The next code would be sent."),
        ("recorded", None, "The next code would be sent, and written down: b: why."),
        ("challenged", None, "The next code would ask for a challenge: b: why."),
        ("refused", 12 * 60, "The next code would be refused: b: why; it opens in 12 min."),
        ("refused", None, "The next code would be refused: b: why."),
    ],
)
def test_the_verdict_is_one_line(outcome: str, opens_in: int | None, said: str) -> None:
    standing = None if outcome == "sent" else Standing("b", 1, 1, False, opens_in)
    assert sentence(Verdict(outcome, "why", standing)) == said


def test_it_is_asked_beside_a_running_server(tmp_path: Path) -> None:
    shop = {"NAME": "Shop", "SETTINGS": '{"shield": {"countries": ["*"]}}'}
    with Running("dev", port=free_port(), DATA=str(tmp_path), **shop) as server:
        server.answering()
        user_id = Person(server).sign_up(NUMBER)
        told = run("explain", NUMBER, "--data", str(tmp_path))
        assert user_id in told.stdout
        assert "as the server that runs here was started" in told.stdout
        assert told.stdout.endswith("\nThe next code would be sent.\n")
        abroad = run("explain", "+447400123456", "--data", str(tmp_path), "--json")
        assert json.loads(abroad.stdout)["outcome"] == "sent"  # what it was started with is told


def test_what_has_faded_a_little_is_told_whole(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def send_a_minute_ago(tx: Transaction) -> None:
        await tx.save_tallies([Tally(f"number:{NUMBER}", now() - MINUTE, untyped=1.0)])

    within(data, send_a_minute_ago)
    assert row(shown(data, capsys, NUMBER), "shield.number") == ["shield.number", "2", "7"]


def test_hours_are_told_as_hours() -> None:
    standing = Standing("b", 1, 1, False, 23 * HOUR // 1000 + MINUTE // 1000)
    assert sentence(Verdict("refused", "why", standing)).endswith("it opens in 24 h.")
