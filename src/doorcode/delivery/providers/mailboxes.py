"""How the HTTP APIs of mail providers want a mailbox to be written."""

from __future__ import annotations

from email.utils import formataddr

from doorcode.delivery.interface import Never
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.smtp import parse_recipient, parse_sender


def mailbox(text: str) -> str:
    """A sender as it is set, with its name quoted and in ASCII (RFC 2047), or `BadOptions`."""
    try:
        address = parse_sender(text)
    except ValueError as error:
        raise BadOptions(str(error)) from None
    return formataddr((address.display_name, address.addr_spec))


def ascii_recipient(who: str, to: str) -> str:
    """The address for an API that takes no international ones, or `Never`."""
    address = parse_recipient(to)
    if not address.username.isascii():
        raise Never(f"{who} takes ASCII addresses only (no SMTPUTF8)")
    return address.addr_spec
