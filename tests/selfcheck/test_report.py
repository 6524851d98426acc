"""A report that is kept, and what shows that it was altered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorcode.selfcheck.report import Report, Row, Verdict, sign, verify

HOLDS = Row("Never two sessions from one code", "12 at once", Verdict.HOLDS)
FAILS = Row("Never a success after expiry", "after 602 s", Verdict.FAILS)
NOT_RUN = Row("The same time", "off", Verdict.NOT_RUN)
STOPPED = Row("The same time", "500", Verdict.STOPPED)


def report(*rows: Row) -> Report:
    return Report("https://auth.example.com", "2027-01-15T08:00:00Z", "0.1.0", rows)


def kept(secret_key: str | None = None, **changes: Any) -> str:
    return json.dumps({**report(HOLDS, FAILS).document(secret_key), **changes}, indent=4)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([HOLDS], 0),
        ([HOLDS, NOT_RUN], 0),
        ([HOLDS, FAILS], 1),
        ([FAILS, STOPPED], 1),
        ([HOLDS, STOPPED], 2),
        ([NOT_RUN], 2),
        ([], 2),
    ],
)
def test_only_a_check_that_was_done_and_held_ends_well(rows: list[Row], status: int) -> None:
    assert report(*rows).exit_status == status


def test_the_rows_are_counted() -> None:
    document = report(HOLDS, FAILS, NOT_RUN, STOPPED).document()
    assert (document["held"], document["failed"], document["not_run"]) == (1, 1, 2)


@pytest.mark.parametrize("key", [None, "sk_live_1"])
def test_a_kept_report_is_recognised_however_it_is_laid_out(key: str | None) -> None:
    unaltered, why = verify(kept(key), key)
    assert unaltered, why


@pytest.mark.parametrize("change", [{"failed": 0}, {"url": "https://other.example.com"}, {"x": 1}])
@pytest.mark.parametrize("key", [None, "sk_live_1"])
def test_an_altered_report_is_recognised(key: str | None, change: dict[str, Any]) -> None:
    unaltered, why = verify(kept(key, **change), key)
    assert (unaltered, why.split(":")[0]) == (False, "ALTERED")


def test_a_forger_without_the_key_is_recognised() -> None:
    document = json.loads(kept("sk_live_1", failed=0))
    hmac = document["signature"]["hmac_sha256"]
    forged = {**document, "signature": {**sign(document, None), "hmac_sha256": hmac}}
    assert verify(json.dumps(forged), "sk_live_1")[0] is False
    unsigned = {**document, "signature": sign(document, None)}
    assert verify(json.dumps(unsigned), "sk_live_1") == (
        False,
        "NOT SIGNED with a secret key: only the digest vouches for it",
    )


def test_another_key_does_not_verify() -> None:
    assert verify(kept("sk_live_1"), "sk_live_2")[0] is False


@pytest.mark.parametrize("signature", [None, [], {}, {"sha256": 5}, {"sha256": "é"}])
def test_a_signature_of_any_shape_is_read(signature: object) -> None:
    assert verify(kept(signature=signature), None)[0] is False


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "another"}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        verify(text, None)
