"""The examples of the documentation: every name in them exists and takes what it is given."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "python-sdk.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)

# What the examples take for granted: a client at hand, and what a person typed.
GIVEN = """
from typing import Any
from doorcode.client import *

url = code = token = ticket = saved = picture_path = session_id = ""
client = Client(url)
"""


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 8


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_is_python(example: str) -> None:
    compile(f"async def example():\n{textwrap.indent(example, '    ')}", "example", "exec")


def test_type_checker_accepts_every_example(tmp_path: Path) -> None:
    parts = [GIVEN]
    for number, example in enumerate(EXAMPLES):
        # An example may go on where the one before it ended, but not rename what it used.
        body = textwrap.indent(example, "    ")
        parts.append(f"async def example_{number}() -> None:\n{body}")
    program = tmp_path / "examples.py"
    program.write_text("\n\n".join(parts), "utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(program)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("", 0)
