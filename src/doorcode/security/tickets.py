"""Makes the text of a ticket, reads the ticket's id out of it again, and names who waits."""

from __future__ import annotations

import base64
import hmac

from doorcode.security.master_key import MasterKey


class Tickets:
    """The tickets of one instance: `<id>.<MAC of the id>`, safe in a URL as it is.

    Nothing of the text is kept. The id alone stands in lists, logs and the database, so
    without the MAC whoever reads one of those could come in as somebody else. The key is
    derived from the master key and the instance: a stolen database makes no ticket, and a
    ticket of one server opens nothing on another.
    """

    def __init__(self, master: MasterKey, instance_id: str) -> None:
        self._newest = master.derive("ticket", master.newest, instance_id)
        self._keys = [master.derive("ticket", version, instance_id) for version in master.versions]
        self._waitlist = master.derive("waitlist", min(master.versions), instance_id)

    def text(self, ticket_id: str) -> str:
        """What whoever holds the ticket has, under the newest key."""
        return f"{ticket_id}.{_mac(self._newest, ticket_id)}"

    def read(self, text: str) -> str | None:
        """The id of the ticket of this text; None where no key that we hold made it.

        Compared in constant time, and as text: a base64 that merely decodes to the same
        bytes is another text, and no ticket.
        """
        ticket_id, dot, mac = text.partition(".")
        if not dot or not text.isascii():
            return None
        genuine = [hmac.compare_digest(mac, _mac(key, ticket_id)) for key in self._keys]
        return ticket_id if any(genuine) else None

    def entry_id(self, email: str) -> str:
        """The id of an address's entry on the waitlist, always the same.

        An id that holds the time of its making would tell a stranger since when somebody
        waits; one without a key could be searched for the address.
        """
        return f"wle_{hmac.digest(self._waitlist, email.encode(), 'sha256').hex()[:26]}"


def _mac(key: bytes, ticket_id: str) -> str:
    mac = hmac.digest(key, ticket_id.encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
