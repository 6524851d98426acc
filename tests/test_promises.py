"""What docs/security.md promises: each promise has its tests, and each of these exists."""

from __future__ import annotations

import re

import pytest
from tests.test_asvs import ROOT, is_test, missing

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
PROMISES = re.findall(r"^\| (\d+) \| \*\*", TEXT, re.MULTILINE)
PROOFS = dict(re.findall(r"^\| (\d+) \| (`.*`) \|$", TEXT, re.MULTILINE))


def test_every_promise_has_its_tests() -> None:
    assert [str(number) for number in range(1, len(PROMISES) + 1)] == PROMISES
    assert list(PROOFS) == PROMISES


@pytest.mark.parametrize("number", PROMISES)
def test_every_proof_is_a_test_of_ours(number: str) -> None:
    named = PROOFS[number].strip("`").split("`, `")
    assert missing(PROOFS[number]) == []
    for one in named:
        path, name = one.split(": ")
        assert is_test(path), one
        assert name.startswith("test_"), one
