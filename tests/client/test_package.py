"""The package as its users meet it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

from doorcode import client

TYPED_USE = Path(__file__).with_name("typed_use.py")


def test_importing_the_client_loads_nothing_of_the_server() -> None:
    program = "import sys, doorcode.client; print(*(m for m in sys.modules if 'doorcode' in m))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    strangers = [
        name
        for name in run.stdout.split()
        if name != "doorcode" and not name.startswith("doorcode.client")
    ]
    assert strangers == []


def test_all_names_are_sorted_and_exist() -> None:
    assert client.__all__ == sorted(client.__all__)
    assert all(hasattr(client, name) for name in client.__all__)


def test_every_public_name_says_what_it_is() -> None:
    for name in client.__all__:
        exported = getattr(client, name)
        assert inspect.getdoc(exported), name
        for member, value in vars(exported).items() if inspect.isclass(exported) else ():
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"


def test_types_are_published() -> None:
    assert (Path(client.__file__).parent.parent / "py.typed").is_file()


def test_type_checker_agrees_with_typed_use() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(TYPED_USE)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("", 0)
