"""How the HTTP APIs of mail providers want a mailbox to be written."""

from __future__ import annotations

from email.utils import formataddr

from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.smtp import parse_sender


def mailbox(text: str) -> str:
    """A sender as it is set, with its name quoted and in ASCII (RFC 2047), or `BadOptions`."""
    try:
        address = parse_sender(text)
    except ValueError as error:
        raise BadOptions(str(error)) from None
    return formataddr((address.display_name, address.addr_spec))
