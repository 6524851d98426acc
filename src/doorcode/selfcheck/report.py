"""What a check came to, written so that a kept report can be recognised as unaltered."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

FORMAT = "doorcode-selfcheck/1"


class Verdict(StrEnum):
    """What a row came to. `STOPPED`: it was begun and met an answer that decides nothing."""

    HOLDS = "holds"
    FAILS = "FAILS"
    NOT_RUN = "not run"
    STOPPED = "could not run"


@dataclass(frozen=True, slots=True)
class Row:
    """One guarantee, what was tried against it, and what came of it."""

    guarantee: str
    tried: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """A finished check. `left_over` are test identifiers whose accounts could not be deleted."""

    url: str
    time: str
    version: str
    rows: tuple[Row, ...]
    left_over: tuple[str, ...] = ()

    def count(self, *verdicts: Verdict) -> int:
        """How many rows came to one of these."""
        return sum(row.verdict in verdicts for row in self.rows)

    @property
    def exit_status(self) -> int:
        """1 where a guarantee fails, 2 where a row was begun and could not be finished."""
        if self.count(Verdict.FAILS):
            return 1
        return 2 if self.count(Verdict.STOPPED) or not self.count(Verdict.HOLDS) else 0

    def document(self, secret_key: str | None = None) -> dict[str, Any]:
        """The report as JSON, signed; with the secret key also for whoever holds it."""
        document = {
            "format": FORMAT,
            **asdict(self),
            "held": self.count(Verdict.HOLDS),
            "failed": self.count(Verdict.FAILS),
            "not_run": self.count(Verdict.NOT_RUN, Verdict.STOPPED),
        }
        return {**document, "signature": sign(document, secret_key)}


def sign(document: dict[str, Any], secret_key: str | None) -> dict[str, str]:
    """The digest of a document, and its HMAC where there is a key.

    The digest shows an alteration to whoever noted it down elsewhere; a forger can compute
    another. The HMAC cannot be made without the key.
    """
    text = canonical(document)
    signature = {"sha256": hashlib.sha256(text).hexdigest()}
    if secret_key:
        signature["hmac_sha256"] = hmac.new(secret_key.encode(), text, "sha256").hexdigest()
    return signature


def canonical(document: dict[str, Any]) -> bytes:
    """The one spelling of a document, without its signature (sorted, no blanks, UTF-8)."""
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    text = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{FORMAT}\n{text}".encode()


def verify(text: str, secret_key: str | None) -> tuple[bool, str]:
    """Whether a kept report is as it was signed, and what that was judged by.

    `ValueError` where it is no report.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError("it is no report of doorcode selfcheck")
    kept = document.get("signature")
    kept = kept if isinstance(kept, dict) else {}
    made = sign(document, secret_key)
    if not _same(kept.get("sha256"), made["sha256"]):
        return False, "ALTERED: the digest is another"
    if secret_key is None:
        return True, f"unaltered by its digest {made['sha256']}; the secret key was not asked"
    if "hmac_sha256" not in kept:
        # A forger would leave it out and compute the digest anew.
        return False, "NOT SIGNED with a secret key: only the digest vouches for it"
    if not _same(kept["hmac_sha256"], made["hmac_sha256"]):
        return False, "ALTERED, or signed with another secret key"
    return True, "unaltered, and signed with this secret key"


def _same(kept: object, made: str) -> bool:
    return isinstance(kept, str) and hmac.compare_digest(kept.encode(), made.encode())
