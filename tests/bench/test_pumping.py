"""The measure of the shield: it can fail, it repeats, and it reads others' traffic."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import pumping

HELD_OUT = 1_001
KINDS = "proxies, one block;one address, countries;IPv6 rotation, /48;in a row;premium"


def figures(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert pumping.main([*arguments, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def small(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    return figures(capsys, "--seeds", str(HELD_OUT), "--kinds", KINDS, *more)


def test_the_shield_stops_the_attacks_and_lets_the_people_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = small(capsys)
    assert found["cost_stopped"] >= 0.98
    assert found["people_refused"] <= 0.002
    assert found["held_out"] == [HELD_OUT]
    assert len(found["kinds"]) == 5


def test_without_the_shield_the_money_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    found = small(capsys, "--off")
    assert found["cost_stopped"] <= 0.01
    assert found["cost_lost"] == found["cost_attack"] > 100


def test_a_country_list_stops_what_goes_abroad(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--seeds", str(HELD_OUT), "--kinds", "proxies, countries", "--countries", "US,CA"]
    assert figures(capsys, *arguments)["cost_stopped"] == 1.0


def test_a_seed_is_always_the_same_traffic() -> None:
    assert pumping.generated(HELD_OUT, set()) == pumping.generated(HELD_OUT, set())
    assert pumping.generated(HELD_OUT, set()) != pumping.generated(HELD_OUT + 1, set())


# ── others' traffic ───────────────────────────────────────────────────────────────────
def line(t: float, event: str, to: str, client: str, person: bool, ip: str = "192.0.2.1") -> str:
    row = {"t": t, "event": event, "to": to, "ip": ip, "client": client, "person": person}
    return json.dumps(row)


def trace(folder: Path, *lines: str) -> str:
    path = folder / "trace.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


def test_a_trace_is_played(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    people = [
        one
        for index in range(50)
        for one in (
            line(index * 60, "send", f"+1415555{2000 + index}", f"p{index}", True),
            line(index * 60 + 20, "verify", f"+1415555{2000 + index}", f"p{index}", True),
        )
    ]
    bots = [
        line(1000 + index, "send", f"+88017{10000000 + index}", "b", False, ip="198.51.100.7")
        for index in range(1000)
    ]
    found = figures(capsys, "--trace", trace(tmp_path, *people, "", *bots))
    assert found["people"] == 50
    assert found["people_refused"] == 0
    assert found["cost_stopped"] > 0.98


def test_the_shield_is_not_told_who_is_a_person(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def sends(person: bool) -> str:
        them = [line(i, "send", f"+88017{10000000 + i}", "b", person) for i in range(100)]
        return trace(tmp_path, *them)

    as_people = figures(capsys, "--trace", sends(True))
    as_bots = figures(capsys, "--trace", sends(False))
    assert sum(as_people["people_refused_by"].values()) == sum(as_bots["bots_refused_by"].values())
    assert as_people["people_refused"] > 0.9


def test_it_makes_no_difference_to_anybody_who_is_called_a_person(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def asked(flip: bool) -> int:
        them = [
            line(i * 9, "send", f"+88017{10000000 + i * (i % 3)}", f"b{i % 5}", (i % 2 == 0) ^ flip)
            for i in range(200)
        ]
        found = figures(capsys, "--trace", trace(tmp_path, *them))
        return sum(found["people_refused_by"].values()) + sum(found["bots_refused_by"].values())

    assert asked(False) == asked(True) > 0


def test_lost_is_the_money_of_what_was_sent_and_of_nothing_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bots = [line(i, "send", f"+88017{10000000 + i}", f"b{i}", False) for i in range(200)]
    lies = [line(300 + i, "verify", f"+1415555{2000 + i}", f"b{i}", False) for i in range(50)]
    found = figures(capsys, "--trace", trace(tmp_path, *bots, *lies))
    (kind,) = found["kinds"].values()
    assert 0 < kind["sent"] < kind["asked"] == 200
    assert found["cost_attack"] == pytest.approx(200 * 0.2)
    assert found["cost_lost"] == pytest.approx(kind["sent"] * 0.2)
    assert found["cost_stopped"] == pytest.approx(1 - kind["sent"] / 200)


def test_a_lazy_trace_is_played_as_well_as_a_neat_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    begin = 1_790_000_000.5
    numbers = ["+14151234567", "+18005550100", "+15550100123", "+447612345678", "+1 415 555-2671"]
    rows = [
        {"t": begin + index * 60, "event": "verify", "to": to, "person": True}
        | ({"ip": None, "client": None} if index % 2 else {"client": index, "ip": "2001:db8::1"})
        for index, to in enumerate(numbers)
    ]
    rows += [row | {"event": "send", "t": float(str(row["t"])) - 20} for row in rows]
    found = figures(capsys, "--trace", trace(tmp_path, *(json.dumps(row) for row in rows)))
    assert (found["people"], found["people_refused_count"]) == (len(numbers), 0)
    strict = figures(capsys, "--trace", str(tmp_path / "trace.jsonl"), "--refuse-types")
    assert strict["people_refused_by"] == {"shield.type": 1}


@pytest.mark.parametrize(("typist", "stopped"), [("b", True), ("another", False), ("", True)])
def test_a_code_is_typed_by_who_asked_for_it_or_by_somebody_unnamed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], typist: str, stopped: bool
) -> None:
    them = [
        one
        for i in range(60)
        for one in (
            line(i * 60, "send", f"+1415555{2000 + i}", "b", True),
            line(i * 60 + 9, "verify", f"+1415555{2000 + i}", typist, True),
        )
    ]
    found = figures(capsys, "--trace", trace(tmp_path, *them))
    assert (found["people_refused"] == 0) == stopped


def test_what_was_never_sent_cannot_be_typed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bots = [line(i, "send", f"+88017{10000000 + i}", f"b{i}", False) for i in range(300)]
    lies = [line(i, "verify", f"+88017{10000000 + i}", "another", False) for i in range(300)]
    honest = figures(capsys, "--trace", trace(tmp_path, *bots))
    lying = figures(capsys, "--trace", trace(tmp_path, *bots, *lies))
    assert lying["cost_stopped"] == honest["cost_stopped"]


GOOD = line(0, "send", "+14155552671", "c", True)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("{", "Line 2 is not JSON."),
        ("[]", "Line 2 is no JSON object."),
        ('{"t": 1}', "Line 2 has no event, or one of the wrong type."),
        (GOOD.replace("send", "call"), 'Line 2 has the event "call"; expected send or verify.'),
        (GOOD.replace("+1415", "1415"), 'Line 2 has "14155552671" as "to"'),
        (GOOD.replace("192.0.2.1", "here"), 'Line 2 has "here" as ip, which is no address.'),
        (GOOD.replace('"t": 0', '"t": -1'), "Line 2 has -1 as t"),
        (GOOD.replace("true", '"yes"'), "Line 2 has no person, or one of the wrong type."),
        (GOOD.replace('"192.0.2.1"', "7"), "Line 2 has ip of the wrong type."),
    ],
)
def test_a_bad_line_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bad: str, sentence: str
) -> None:
    assert pumping.main(["--trace", trace(tmp_path, GOOD, bad)]) == 2
    assert sentence in capsys.readouterr().err


def test_it_runs_as_a_file(tmp_path: Path) -> None:
    script = Path(pumping.__file__)
    run = subprocess.run(
        [sys.executable, str(script), "--trace", trace(tmp_path, GOOD), "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["people"] == 1
