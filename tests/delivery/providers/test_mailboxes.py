"""How a mailbox is written for an API."""

from __future__ import annotations

import pytest

from doorcode.delivery.providers.mailboxes import mailbox
from doorcode.delivery.providers.options import BadOptions


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("no-reply@example.com", "no-reply@example.com"),
        ("Acme <no-reply@example.com>", "Acme <no-reply@example.com>"),
        ('"Acme, Inc." <no-reply@example.com>', '"Acme, Inc." <no-reply@example.com>'),
        ("Café <no-reply@example.com>", "=?utf-8?b?Q2Fmw6k=?= <no-reply@example.com>"),
    ],
)
def test_a_name_is_quoted_and_in_ascii(given: str, written: str) -> None:
    assert mailbox(given) == written


@pytest.mark.parametrize("given", ["", "Acme", "a@b, c@d", "Acme\r\nBcc: x@y <a@example.com>"])
def test_what_is_no_single_mailbox_is_refused(given: str) -> None:
    with pytest.raises(BadOptions, match="sender"):
        mailbox(given)
