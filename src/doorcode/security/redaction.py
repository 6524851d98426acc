"""Takes out of a text whatever could let its reader in, or tells whom it is about.

The last line of defence: nothing of the sort is logged on purpose. But an exception quotes
what it was given, a provider the letter that it refuses, a library the request that it
could not read. Too much is masked rather than too little: a date in a traceback, an English
word of ten letters that could be a backup code.
"""

from __future__ import annotations

import re
from typing import Any

from doorcode.domain.limits import CODE_DIGITS
from doorcode.security.codes import BACKUP_ALPHABET, BACKUP_CHARACTERS

MASK = "······"

_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"

# Lengths are bounded where a long text could otherwise be read again from each of its letters.
_PATTERN = re.compile(
    "|".join(
        (
            # An id of ours, which opens nothing; an address that is masked already; what a mail
            # server answers (RFC 3463); a client address by IPv4, which an operator looks for.
            r"(?P<kept>(?<![\w-])([a-z]{2,12}_[0-9A-Z]{26}|ins_[0-9a-f]{27})(?![\w-]|\.[\w-]{20})"
            r"|[^\s@*]?\*{5}@[^\s@\"']+"
            r"|(?<![\d.])[245]\d\d [245]\.\d{1,3}\.\d{1,3}(?![\d.])"
            rf"|(?<![\w.+(-])({_OCTET}\.){{3}}{_OCTET}(?![\w.@%-]))",
            r"eyJ[\w-]*(\.[\w-]*){0,4}",  # a signed token: base64url of `{"`
            r"[a-z]{2,12}_[0-9A-Z]{26}\.[\w-]+",  # a ticket
            r"sk_(live|test)_\w+",
            r"(?<=[?&])[\w.%-]{1,64}=[^&\s\"'<>]+",  # what a link carries
            # An e-mail address, but for what stands before a `/` and the like in it; `/@…` is
            # a path.
            r"[^\s@\"'<>()\[\],;:\\/?&=]{0,64}[^\s@\"<>()\[\],;:\\/](@|%40)[^\s@\"'<>()\[\],;&]+",
            r"[A-Za-z0-9+/]{43}=",  # a master key
            # A cookie, a nonce, a MAC. A name in a program has no capitals and no digits.
            r"(?=[a-z_-]{0,64}[A-Z0-9])[A-Za-z0-9_-]{32,}",
            # A code or a phone number, however it is written.
            rf"[+(]{{0,2}}\d([\s().-]{{0,2}}\d){{{CODE_DIGITS - 1},}}",
            # A backup code, also right after the `\n` that a line break is in a repr.
            rf"((?<![^\W_])|(?<=\\[nrt]))[{BACKUP_ALPHABET}]{{{BACKUP_CHARACTERS}}}(?![^\W_])",
        )
    )
)


def redact(text: str) -> str:
    """The text without codes, tokens, keys, links' parameters, numbers and addresses."""
    return _PATTERN.sub(lambda found: found[0] if found["kept"] else MASK, text)


def redact_event(_: Any, __: str, event: Any) -> Any:
    """The same for each value of a log event (a processor of structlog's)."""
    return {name: _redact_value(value) for name, value in event.items()}


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    text = repr(value)
    masked = redact(text)
    return value if masked == text else masked
