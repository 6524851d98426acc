"""The page of state tables is what the rules say, and the rules are sound."""

from __future__ import annotations

import runpy
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "state_tables.py"))
MACHINES: list[Any] = SCRIPT["machines"]()
EACH = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def test_the_page_is_what_the_code_draws() -> None:
    written = SCRIPT["PAGE"].read_text("utf-8")
    assert written == SCRIPT["page"](), f"the rules have changed; run: {SCRIPT['COMMAND']}"


def test_an_old_page_is_noticed_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = SCRIPT["main"]
    page = tmp_path / "state-tables.md"
    monkeypatch.setitem(main.__globals__, "PAGE", page)
    assert main(["--check"]) == 1
    page.write_text("old", "utf-8")
    assert main(["--check"]) == 1
    assert SCRIPT["COMMAND"] in capsys.readouterr().out
    assert main([]) == 0
    assert main(["--check"]) == 0


@EACH
def test_every_status_has_its_place(machine: Any) -> None:
    statuses = set(type(next(iter(machine.transitions))))
    assert set(machine.transitions) == statuses
    reached = {one for after in machine.transitions.values() for one in after}
    assert reached | set(machine.starts) == statuses


@EACH
def test_nothing_goes_in_a_circle(machine: Any) -> None:
    def further(status: StrEnum, seen: frozenset[StrEnum]) -> None:
        assert status not in seen
        for after in machine.transitions[status]:
            further(after, seen | {status})

    for start in machine.starts:
        further(start, frozenset())


@EACH
def test_every_step_is_told_and_nothing_else(machine: Any) -> None:
    assert all(why for _, _, why in machine.told())
    cut = dict(list(machine.steps.items())[1:])
    silent = SCRIPT["Machine"](machine.name, machine.module, machine.starts, cut)
    with pytest.raises(SCRIPT["Untold"], match=machine.name):
        silent.told()


def test_every_thing_with_a_status_is_drawn() -> None:
    with_rules = {
        path.stem
        for path in (ROOT / "src" / "doorcode" / "domain").glob("*.py")
        if "\nTRANSITIONS" in path.read_text("utf-8")
    }
    assert {machine.module.__name__.rpartition(".")[2] for machine in MACHINES} == with_rules
