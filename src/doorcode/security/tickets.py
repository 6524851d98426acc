"""Makes the text of a ticket, reads the ticket's id out of it again, and names who waits."""

from __future__ import annotations

import base64
import hmac

from doorcode.domain.send import Pause
from doorcode.security.master_key import MasterKey


class Tickets:
    """The tickets of one instance: `<id>.<MAC of the id>`, safe in a URL as it is.

    Nothing of the text is kept. The id alone stands in lists, logs and the database, so
    without the MAC whoever reads one of those could come in as somebody else. The key is
    derived from the master key and the instance: a stolen database makes no ticket, and a
    ticket of one server opens nothing on another.
    """

    def __init__(self, master: MasterKey, instance_id: str) -> None:
        newest_first = sorted(master.versions, reverse=True)
        self._keys = [master.derive("ticket", version, instance_id) for version in newest_first]
        self._resume = [master.derive("resume", version, instance_id) for version in newest_first]
        self._waitlist = master.derive("waitlist", min(master.versions), instance_id)

    def text(self, ticket_id: str) -> str:
        """What whoever holds the ticket has, under the newest key."""
        return f"{ticket_id}.{_mac(self._keys[0], ticket_id)}"

    def read(self, text: str) -> str | None:
        """The id of the ticket of this text; None where no key that we hold made it.

        Compared in constant time, and as text: a base64 that merely decodes to the same
        bytes is another text, and no ticket.
        """
        return _read(self._keys, text)

    def resume_text(self, pause: Pause) -> str:
        """What ends this pause, and no later one of the same country: by a key of its own."""
        name = f"{pause.country}-{pause.at}"
        return f"{name}.{_mac(self._resume[0], name)}"

    def read_resume(self, text: str) -> tuple[str, int] | None:
        """The country of such a text, and when it was paused."""
        country, _, at = (_read(self._resume, text) or "").partition("-")
        return (country, int(at)) if country else None

    def entry_id(self, email: str) -> str:
        """The id of an address's entry on the waitlist, always the same.

        An id that holds the time of its making would tell a stranger since when somebody
        waits; one without a key could be searched for the address.
        """
        return f"wle_{hmac.digest(self._waitlist, email.encode(), 'sha256').hex()[:26]}"


def _read(keys: list[bytes], text: str) -> str | None:
    name, dot, mac = text.partition(".")
    if not dot or not text.isascii():
        return None
    genuine = [hmac.compare_digest(mac, _mac(key, name)) for key in keys]
    return name if any(genuine) else None


def _mac(key: bytes, ticket_id: str) -> str:
    mac = hmac.digest(key, ticket_id.encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
