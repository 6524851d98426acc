"""`doorcode selfcheck` as an operator runs it, beside the real server."""

from __future__ import annotations

import json
from pathlib import Path

from doorcode.domain import limits

from .process import Running, free_port, run

# Until the server has guesses of their own for known clients, that row fails, and rightly.
PROMISED = hasattr(limits, "KNOWN_DEVICES")


def start(directory: Path, **settings: str) -> Running:
    return Running("dev", port=free_port(), DATA=str(directory), **settings)


def test_a_deployment_is_checked_and_its_report_is_kept(tmp_path: Path) -> None:
    with start(tmp_path / "data") as server:
        server.answering()
        key = ("--secret-key", server.env["CLERK_SECRET_KEY"])
        done = run("selfcheck", server.url, "--json", "--samples", "5", *key)
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    failed = [row["guarantee"] for row in report["rows"] if row["verdict"] == "FAILS"]
    if PROMISED:
        assert (done.returncode, failed) == (0, [])
    else:
        assert done.returncode == 1
        assert report["held"] == 8
    assert report["left_over"] == []

    file = tmp_path / "report.json"
    file.write_text(done.stdout, "utf-8")
    assert run("selfcheck", "--verify", str(file), *key).returncode == 0
    file.write_text(done.stdout.replace('"failed": ', '"failed": 1'), "utf-8")
    altered = run("selfcheck", "--verify", str(file), *key)
    assert (altered.returncode, "ALTERED" in altered.stdout) == (1, True)


def test_the_table_is_what_a_person_reads(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        server.answering()
        done = run("selfcheck", server.url, "--samples", "5")
    assert "60 wrong codes at once by 6 clients" in " ".join(done.stdout.split())
    assert f"Checked    {server.url}" in done.stdout
    assert "This takes about" in done.stderr


def test_a_deployment_without_test_mode_is_left_alone(tmp_path: Path) -> None:
    with start(tmp_path, TEST_MODE="off") as server:
        server.answering()
        done = run("selfcheck", server.url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "turn it on for the time of the check: DOORCODE_TEST_MODE=on" in done.stderr
