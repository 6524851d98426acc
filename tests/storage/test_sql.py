"""Every statement has a name, a purpose and a use."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import resources

import pytest

from doorcode.domain import limits
from doorcode.storage import interface, sql, sql_accounts, sql_limits
from doorcode.storage.sql import CLEANING, SqlTransaction, load_queries

QUERIES = load_queries()
FILE = resources.files("doorcode.storage").joinpath("queries.sql").read_text("utf-8")


def test_every_statement_has_a_name_of_its_own() -> None:
    names = re.findall(r"^-- name: (\w+)$", FILE, flags=re.MULTILINE)
    assert len(names) == len(set(names)) == len(QUERIES) > 0


@pytest.mark.parametrize("name", QUERIES)
def test_a_statement_is_introduced_by_one_line(name: str) -> None:
    assert re.search(rf"^-- name: {name}\n-- \S.*\.\n[A-Z]", FILE, flags=re.MULTILINE)


@pytest.mark.parametrize("name", QUERIES)
def test_a_statement_is_one_and_without_comments(name: str) -> None:
    assert QUERIES[name].strip()
    assert "--" not in QUERIES[name]
    assert ";" not in QUERIES[name]


def used() -> set[str]:
    sources = [inspect.getsource(module) for module in (sql, sql_accounts, sql_limits)]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    calls = [node for node in nodes if is_statement(node)]
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}


def is_statement(node: ast.AST) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return called and node.func.attr in ("run", "run_each", "rows", "_one") and bool(node.args)


def test_every_statement_is_used_and_every_use_has_its_statement() -> None:
    assert used() | set(CLEANING) == set(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_no_value_is_written_into_a_statement(name: str) -> None:
    assert not re.search(r"[{}%\"]", QUERIES[name])


def test_guesses_are_kept_longer_than_the_rules_look_back() -> None:
    (kept_for,) = re.findall(r":now - (\d+)", QUERIES["delete_old_guesses"])
    assert int(kept_for) >= limits.GUESS_WINDOW


def test_every_promise_of_the_interface_is_kept() -> None:
    promised = {
        name: inspect.signature(method)
        for name, method in vars(interface.Transaction).items()
        if inspect.iscoroutinefunction(method)
    }
    kept = {name: inspect.signature(getattr(SqlTransaction, name)) for name in promised}
    assert kept == promised


def test_the_audit_log_is_added_to_and_cleaned_and_nothing_else() -> None:
    writing = re.compile(r"\b(INSERT|REPLACE|UPDATE|DELETE)\b.*?\bevents\b", re.DOTALL)
    assert {n for n in QUERIES if writing.search(QUERIES[n])} == {"add_event", "delete_old_events"}
    assert QUERIES["add_event"].startswith("INSERT INTO events")
    assert "CONFLICT" not in QUERIES["add_event"]
