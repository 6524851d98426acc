"""A report as a person reads it in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from doorcode.selfcheck.report import Report, Verdict

WIDTHS = (34, 44, 13)
INDENT = 2


def table(report: Report, secret_key: str | None = None) -> str:
    """The rows, and what signs them off."""
    lines = [*_row(("Guarantee", "What was tried", "Verdict")), _rule()]
    for row in report.rows:
        lines += [*_row((row.guarantee, row.tried, str(row.verdict))), _rule()]
    return "\n".join([*lines, *_sign_off(report, secret_key)])


def _sign_off(report: Report, secret_key: str | None) -> list[str]:
    signature = report.document(secret_key)["signature"]
    held, failed = report.count(Verdict.HOLDS), report.count(Verdict.FAILS)
    not_run = report.count(Verdict.NOT_RUN, Verdict.STOPPED)
    told = [
        ("Checked", report.url),
        ("At", report.time),
        ("By", f"doorcode {report.version} selfcheck"),
        ("Result", f"{held} held, {failed} failed, {not_run} not run"),
        *([("Left over", ", ".join(report.left_over))] if report.left_over else []),
        ("SHA-256", signature["sha256"]),
        *([("HMAC", signature["hmac_sha256"])] if "hmac_sha256" in signature else []),
    ]
    return [f"{name:11}{value}" for name, value in told]


def _row(cells: Sequence[str]) -> list[str]:
    columns = [textwrap.wrap(cell, width) for cell, width in zip(cells, WIDTHS, strict=True)]
    height = max(map(len, columns))
    padded = [column + [""] * (height - len(column)) for column in columns]
    return [
        (" " * INDENT)
        .join(cell.ljust(width) for cell, width in zip(line, WIDTHS, strict=True))
        .rstrip()
        for line in zip(*padded, strict=True)
    ]


def _rule() -> str:
    return (" " * INDENT).join("─" * width for width in WIDTHS)
