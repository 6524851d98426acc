"""What docs/asvs.md says of the code: every place and test that it names is there, every
requirement stands in it once, and its counts are those of its tables."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "asvs.md"
TEXT = PAGE.read_text("utf-8")
STATUSES = ("Met", "Partly", "Not met", "Not applicable")

# ASVS 5.0.0, the chapters that are told in full: the level of each requirement, in order.
LEVELS = {
    **{"6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233"},
    **{"6.5": "22222333", "6.6": "2223", "6.7": "33", "6.8": "2222"},
    **{"7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22"},
    **{"9.1": "111", "9.2": "1222"},
}

_ROW = re.compile(r"^\| (\d+\.\d+)\.(\d+)(?:–\1\.(\d+))? \|(.*)\|$", re.MULTILINE)
_NAMED = re.compile(r"`([\w/]+\.(?:py|sql))(?:: ([\w.]+))?`")


@dataclass(frozen=True)
class Row:
    """A line of a table: the requirements that it is about, and what it says of them."""

    section: str
    numbers: range
    level: str
    status: str
    where: str
    tests: str


def rows() -> list[Row]:
    found = []
    for match in _ROW.finditer(TEXT):
        level, _, status, where, tests = (cell.strip() for cell in match[4].split("|"))
        first, last = int(match[2]), int(match[3] or match[2])
        found.append(Row(match[1], range(first, last + 1), level, status, where, tests))
    return found


ROWS = rows()


def is_test(path: str) -> bool:
    return path.rpartition("/")[2].startswith(("test_", "conformance"))


def file_of(path: str) -> Path:
    return (ROOT / "tests" if is_test(path) else ROOT / "src" / "doorcode") / path


@cache
def names_in(file: Path) -> frozenset[str]:
    """What a file defines: functions, classes with their methods, constants; statements."""
    text = file.read_text("utf-8")
    if file.suffix == ".sql":
        return frozenset(re.findall(r"^-- name: (\w+)$", text, re.MULTILINE))
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
            names |= {f"{node.name}.{one}" for one in map(_name, node.body) if one}
            # Tests are named without the class that they stand in.
            names |= {one for one in map(_name, node.body) if one.startswith("test_")}
        else:
            names.add(_name(node))
    return frozenset(names - {""})


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    target = node.target if isinstance(node, ast.AnnAssign) else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def missing(text: str) -> list[str]:
    """What a text names and the project has not."""
    return [
        f"{path}: {name}".removesuffix(": ")
        for path, name in _NAMED.findall(text)
        if not file_of(path).is_file() or (name and name not in names_in(file_of(path)))
    ]


# ── what is named exists ──────────────────────────────────────────────────────────────
def test_every_place_and_test_that_is_named_exists() -> None:
    assert len(_NAMED.findall(TEXT)) > 150
    assert missing(TEXT) == []


@pytest.mark.parametrize(
    "named",
    [
        "`flows/codes.py: counts`",
        "`flows/code.py`",
        "`storage/queries.sql: settled`",
        "`flows/test_codes.py: test_it`",
        "`security/codes.py: Codes.guess`",
        "`test_asvs.py: Row.missing`",
    ],
)
def test_a_name_that_is_not_there_is_seen(named: str) -> None:
    assert missing(named) == [named.strip("`")]


def test_places_are_code_and_proofs_are_tests() -> None:
    for row in ROWS:
        assert not any(is_test(path) for path, _ in _NAMED.findall(row.where)), row
        assert all(is_test(path) and name for path, name in _NAMED.findall(row.tests)), row


# ── what is said of each requirement ──────────────────────────────────────────────────
def test_every_table_line_that_has_a_number_is_read() -> None:
    assert len(ROWS) == len(re.findall(r"^\| \d", TEXT, re.MULTILINE)) > 100


def test_no_requirement_stands_in_it_twice() -> None:
    numbers = [f"{row.section}.{number}" for row in ROWS for number in row.numbers]
    assert [number for number, times in Counter(numbers).items() if times > 1] == []


def test_three_chapters_are_told_in_full_with_their_levels() -> None:
    told: dict[str, dict[int, str]] = {}
    for row in ROWS:
        told.setdefault(row.section, {}).update(dict.fromkeys(row.numbers, row.level))
    full = {section: told.get(section, {}) for section in told if section[0] in "679"}
    assert full == {section: dict(enumerate(levels, start=1)) for section, levels in LEVELS.items()}


def test_each_has_a_level_and_a_status_of_the_list() -> None:
    for row in ROWS:
        assert row.level in {"1", "2", "3"}, row
        assert row.status in STATUSES, row


def test_what_is_met_names_its_place_and_its_proof() -> None:
    for row in ROWS:
        if row.status == "Met":
            assert _NAMED.search(row.where) or "](" in row.where, row
            assert _NAMED.search(row.tests), row
            assert "PENDING" not in row.where, row


def test_what_is_not_met_says_what_is_missing() -> None:
    assert [row for row in ROWS if row.status != "Met" and len(row.where) < 4] == []


def test_the_counts_at_the_top_are_those_of_the_tables() -> None:
    counts = Counter(row.status for row in ROWS for _ in row.numbers)
    told = ", ".join(f"{counts[status]} {status.lower()}" for status in STATUSES)
    assert f"Of {counts.total()} requirements: {told}." in TEXT
