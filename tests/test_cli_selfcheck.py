"""`doorcode selfcheck`: what is said where there is nothing to check, and kept reports."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import httpx
import pytest

from doorcode import cli, cli_selfcheck
from doorcode.selfcheck.report import Report, Row, Verdict

KEY = "sk_test_1"
ROW = Row("Never two sessions from one code", "12 at once", Verdict.HOLDS)
REPORT = Report("https://auth.example.com", "2027-01-15T08:00:00Z", "0.1.0", (ROW,))

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_key_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in cli_selfcheck.SECRET_KEYS:
        monkeypatch.delenv(name, raising=False)


def keep(directory: Path, **changes: object) -> str:
    file = directory / "report.json"
    file.write_text(json.dumps({**REPORT.document(KEY), **changes}), "utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ((), "Name the deployment's URL"),
        (("auth.example.com",), "is not a server's URL"),
        (("ftp://auth.example.com",), "is not a server's URL"),
        (("https://u:p@auth.example.com",), "is not a server's URL"),
        (("https://auth.example.com:port",), "is not a URL"),
        (("http://127.0.0.1:1",), "does not answer"),
    ],
)
def test_what_cannot_be_checked_is_said(url: tuple[str, ...], why: str, capsys: Captured) -> None:
    assert cli.main(["selfcheck", *url]) == cli_selfcheck.COULD_NOT_RUN
    told = capsys.readouterr()
    assert (told.out, why in told.err) == ("", True)


def test_the_requests_of_a_check_have_no_lines_of_their_own() -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        cli.main(["selfcheck", "http://127.0.0.1:1"])
        requests = logging.getLogger("httpx")
        told = [requests.isEnabledFor(one) for one in (logging.INFO, logging.WARNING)]
        assert told == [False, True]
    finally:
        root.handlers = handlers
        root.setLevel(level)


@pytest.mark.parametrize("samples", ["0", "-1", "many", "10001"])
def test_a_number_of_samples_that_makes_no_sense_is_said(samples: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["selfcheck", "https://auth.example.com", "--samples", samples])
    assert left.value.code == 2
    assert "from 1 to 10000" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli_selfcheck.SECRET_KEYS)
def test_a_kept_report_is_verified_with_the_key_of_the_environment(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv(name, KEY)
    assert cli.main(["selfcheck", "--verify", keep(tmp_path)]) == 0
    assert "signed with this secret key" in capsys.readouterr().out


def test_an_altered_report_is_not_verified(tmp_path: Path, capsys: Captured) -> None:
    assert cli.main(["selfcheck", "--verify", keep(tmp_path, held=2)]) == 1
    assert "ALTERED" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "", "{}", "\udcff"])
def test_what_is_no_report_is_said(content: str | None, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert cli.main(["selfcheck", "--verify", str(file)]) == cli_selfcheck.COULD_NOT_RUN
    assert "cannot be verified" in capsys.readouterr().err


@pytest.mark.parametrize("verdict", [Verdict.HOLDS, Verdict.FAILS])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_report_is_printed_and_its_outcome_is_the_exit_status(
    verdict: Verdict, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    report = Report(REPORT.url, REPORT.time, "0.1.0", (Row("One", "tried", verdict),))

    async def checked(*_: object) -> Report:
        return report

    monkeypatch.setattr(cli_selfcheck, "run", checked)
    arguments = ["selfcheck", "https://auth.example.com/", *["--json"] * as_json]
    assert cli.main(arguments) == (verdict is Verdict.FAILS)
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out) == json.loads(json.dumps(report.document()))
    else:
        assert "1 failed" in out if verdict is Verdict.FAILS else "1 held" in out


def test_a_url_is_asked_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.URL] = []

    async def answer(_: object, request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(404)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    assert cli.main(["selfcheck", "https://app.example.com/door/"]) == 2
    assert {str(url) for url in asked} == {"https://app.example.com/door/v1/environment"}
