"""The rules of the house that a machine can check: sizes, names, imports, and a test for
every module. An exception stands in a table here, with its reason."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "doorcode"
TESTS = ROOT / "tests"
MODULES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
EACH = pytest.mark.parametrize("module", MODULES)

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 50
FORBIDDEN_NAMES = frozenset(
    "utils helpers common core base manager handler service data info misc models".split()  # noqa: SIM905
)

# module: why it may be longer
LONGER: dict[str, str] = {
    "domain/errors.py": "a catalogue: one entry for each thing that can be refused",
}

# module or folder/: why it may ask the time or the system's random source
CLOCK_AND_CHANCE = {
    "security/": "keys, codes, ids and tokens are made here",
    "server.py": "the composition root hands out the clock",
    "web/errors.py": "a trace id, so that a person can name the answer they got",
    "client/": "the SDK runs in somebody else's program and brings its own clock",
    "selfcheck/": "it runs outside the server, and draws identifiers that nobody has used",
}

# module or folder/: why it has no test file of its name
TESTED_ELSEWHERE = {
    "domain/setting_catalogue.py": "a table; tests/domain/test_instance_settings.py holds it",
    "storage/sql_limits.py": "part of the interface; tests/storage/conformance_limits.py holds it",
    "storage/sql_post.py": "part of the interface; tests/storage/conformance_post.py holds it",
    "storage/rows.py": "every row there and back is compared in tests/storage/conformance*.py",
    "storage/sql_accounts.py": "half of the interface; tests/storage/conformance_*.py hold it",
    "flows/whom.py": "the first steps of sign_in.start; tested in tests/flows/test_sign_in.py",
    "flows/sign_up_form.py": "the form of sign_up.start; tested in tests/flows/test_sign_up.py",
    "storage/interface.py": "promises only; held by tests/storage/conformance.py",
    "selfcheck/refusals.py": "two exceptions; raised and met in tests/selfcheck/test_*.py",
    "__main__.py": "one call of cli.main",
    "web/redirects.py": "tested in tests/web/pages/test_redirects.py, on real pages",
    "web/pages/": "whole pages are tested in tests/web/pages, by what a person does on them",
}


def parse(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def excuse(module: str, table: dict[str, str]) -> str | None:
    """Why the table lets a module off; the longest matching line counts."""
    folders = tuple(f"{folder}/" for folder in Path(module).parents)
    matching = [key for key in table if key == module or key in folders]
    return table[max(matching, key=len)] if matching else None


def lines_of_code(text: str) -> set[int]:
    """The lines that hold more than a comment or nothing."""
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        line
        for token in tokens
        if token.type not in silent
        for line in range(token.start[0], token.end[0] + 1)
    }


# ── sizes ─────────────────────────────────────────────────────────────────────────────
def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 30


@EACH
def test_no_file_is_over_400_lines(module: str) -> None:
    lines = [line for line in MODULES[module].read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES or module in LONGER


@EACH
def test_no_function_is_over_50_lines(module: str) -> None:
    code = lines_of_code(MODULES[module].read_text("utf-8"))
    too_long = []
    for function in functions(parse(module)):
        first = (
            function.body[1]
            if ast.get_docstring(function) and function.body[1:]
            else function.body[0]
        )
        length = len(code & set(range(first.lineno, (function.end_lineno or 0) + 1)))
        too_long += [f"{function.name}: {length}"] * (length > MOST_LINES_OF_A_FUNCTION)
    assert too_long == []


# ── names ─────────────────────────────────────────────────────────────────────────────
@EACH
def test_no_module_has_a_name_that_says_nothing(module: str) -> None:
    names = {part.strip("_") for part in Path(module).with_suffix("").parts}
    assert not names & FORBIDDEN_NAMES


@EACH
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(parse(module))


# ── imports ───────────────────────────────────────────────────────────────────────────
@EACH
def test_no_import_hides_in_a_function(module: str) -> None:
    hidden = [
        f"{function.name}: {ast.unparse(node)}"
        for function in functions(parse(module))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_imports_point_one_way() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    if "importlinter" not in settings.get("tool", {}):
        pytest.skip("pyproject.toml holds no import contracts yet")
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


# ── the clock and the dice ────────────────────────────────────────────────────────────
CLOCKS = re.compile(
    r"(datetime|date)\.(now|utcnow|today)|time\.(time|monotonic|perf_counter)(_ns)?"
    r"|time\.(localtime|gmtime)|os\.(urandom|getrandom)|(secrets|random|uuid)\..+"
)


def clocks_and_chances(tree: ast.Module) -> list[str]:
    """What a module takes from the clock or the random source, under any spelling."""
    dotted = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    imported = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    modules = [
        f"{alias.name}.*"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    return [name for name in [*dotted, *imported, *modules] if CLOCKS.fullmatch(name)]


@EACH
def test_nothing_asks_the_clock_or_throws_dice_on_its_own(module: str) -> None:
    assert clocks_and_chances(parse(module)) == [] or excuse(module, CLOCK_AND_CHANCE)


@pytest.mark.parametrize(
    "line",
    [
        "import secrets",
        "from secrets import token_hex",
        "now = datetime.now(UTC)",
        "now = time.time()",
        "clock = time.time_ns",
        "from time import time",
        "from os import urandom",
        "os.urandom(10)",
        "import uuid",
        "import random as dice",
    ],
)
def test_the_rule_on_clocks_sees(line: str) -> None:
    assert clocks_and_chances(ast.parse(line))


@pytest.mark.parametrize("line", ["now = deps.now()", "import os", "at = session.expire_at"])
def test_the_rule_on_clocks_overlooks(line: str) -> None:
    assert not clocks_and_chances(ast.parse(line))


# ── tests ─────────────────────────────────────────────────────────────────────────────
@EACH
def test_every_module_has_a_test_file_of_its_name(module: str) -> None:
    if module.endswith("__init__.py"):
        return
    assert mirror(module).exists() or excuse(module, TESTED_ELSEWHERE)


def test_no_module_is_excused_that_has_its_test_file() -> None:
    excused = [module for module in TESTED_ELSEWHERE if module in MODULES]
    assert [module for module in excused if mirror(module).exists()] == []


def mirror(module: str) -> Path:
    path = Path(module)
    return TESTS / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("table", [LONGER, CLOCK_AND_CHANCE, TESTED_ELSEWHERE])
def test_no_exception_outlives_its_reason(table: dict[str, str]) -> None:
    gone = [key for key in table if not (SOURCE / key).exists()]
    assert gone == []
    assert all(reason.strip() for reason in table.values())
