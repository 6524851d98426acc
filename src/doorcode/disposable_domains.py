"""The list of services for throw-away mail: an operator's own file, else the package's.

Such services come and go by the week, and a list errs both ways: so it is no part of a
release. A file stands in the place of the package's list, and can so leave a domain out.
"""

from __future__ import annotations

import re
from pathlib import Path

from doorcode.domain.addresses import Malformed, parse_email_address

try:
    from disposable_email_domains import blocklist as _packaged
except ImportError:  # it is an extra: doorcode[disposable]
    _packaged = set()

NAMED = 5  # wrong lines that are told one by one
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)


class BadList(ValueError):
    """The file is no list of domains; the text says why, and in which lines."""


def packaged() -> frozenset[str]:
    """The package's list; empty where it is not installed."""
    # In lower case, as its makers promise; to parse ten thousand would be felt at each start.
    return frozenset(_domain(one) if "xn--" in one else one for one in _packaged)


def read(path: Path) -> frozenset[str]:
    """The domains in a file, one a line, or `BadList`. Empty lines and `# …` are left out."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise BadList(f"{path} cannot be read: {error}") from error
    domains, wrong = set[str](), list[str]()
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        try:
            domains |= {_domain(text)} if text else set()
        except Malformed:
            wrong.append(f"line {number} ({text[:60]!r})")
    if wrong:
        more = [f"{len(wrong) - NAMED} more"] if len(wrong) > NAMED else []
        raise BadList(f"{path}: no domain in {', '.join(wrong[:NAMED] + more)}")
    return frozenset(domains)


def _domain(text: str) -> str:
    """A domain as addresses hold it, or `Malformed`."""
    text = text.lower()
    plain = _HOST.fullmatch(text) is not None
    if plain and "xn--" not in text:
        return text  # as the parser would say, and a hundred times faster
    try:
        return parse_email_address(f"x@{text}", test_mode=True).value.partition("@")[2]
    except Malformed:
        if plain:
            return text  # made before IDNA 2008: no address that is read here can be there
        raise
