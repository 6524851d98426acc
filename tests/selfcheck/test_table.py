"""The table in a terminal."""

from __future__ import annotations

from doorcode.selfcheck.report import Report, Row, Verdict
from doorcode.selfcheck.table import table

LONG = "sixty wrong codes over six restarts and six resends from six clients " * 3
REPORT = Report(
    "https://auth.example.com",
    "2027-01-15T08:00:00Z",
    "0.1.0",
    (Row("At most ten", LONG, Verdict.HOLDS), Row("Never two", "one code", Verdict.FAILS)),
    ("ann+clerk_test@example.com",),
)


def test_no_line_is_too_wide_and_no_word_is_lost() -> None:
    lines = table(REPORT).splitlines()
    assert max(map(len, lines)) <= 100
    assert " ".join(line[36:80].strip() for line in lines).count("sixty") == 3


def test_a_row_has_its_verdict_beside_it() -> None:
    lines = table(REPORT).splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("At most", "Never"))] == [
        "holds",
        "FAILS",
    ]


def test_the_sign_off_names_what_was_checked_and_what_came_of_it() -> None:
    text = table(REPORT, "sk")
    signature = REPORT.document("sk")["signature"]
    parts = ["https://auth.example.com", "2027-01-15T08:00:00Z", "doorcode 0.1.0 selfcheck"]
    parts += ["1 held, 1 failed, 0 not run", "ann+clerk_test@example.com"]
    parts += [signature["sha256"], signature["hmac_sha256"]]
    assert [part for part in parts if part not in text] == []


def test_without_a_key_there_is_a_digest_alone() -> None:
    assert "HMAC" not in table(REPORT)
    assert REPORT.document()["signature"]["sha256"] in table(REPORT)
