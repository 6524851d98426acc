"""Which addresses may sign up here: the allowlist, the blocklist, and sub-addresses.

The lists hold whole addresses (`ann@example.com`, `+14155552671`), whole domains
(`example.com`, `@example.com`, `*@example.com`), and everything under a domain at any
depth (`*@*.example.com`), as `domain/setting_types.py: Addresses` brings them to one form.
Letters A–Z are compared without case, like the addresses themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from doorcode.domain.addresses import Address, Kind

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Restrictions:
    """The lists, and whether each is in force. An allowlist in force overrules the blocklist."""

    allowlist_enabled: bool = False
    allowlist: tuple[str, ...] = ()
    blocklist_enabled: bool = False
    blocklist: tuple[str, ...] = ()
    block_email_subaddresses: bool = False

    def allow(self, address: Address) -> bool:
        """Whether somebody may sign up with this address."""
        if self.allowlist_enabled:
            if address.value in self.allowlist:
                return True  # named letter by letter, so a sub-address was meant
            if not any(_covers(entry, address.value) for entry in self.allowlist):
                return False
        elif self.blocklist_enabled and self._is_blocked(address):
            return False
        return not (self.block_email_subaddresses and is_subaddress(address))

    def _is_blocked(self, address: Address) -> bool:
        # Who blocks ann@example.com means ann+other@example.com as well.
        values = {address.value, base_of(address)}
        return any(_covers(entry, value) for entry in self.blocklist for value in values)


def is_subaddress(address: Address) -> bool:
    """Whether mail for it reaches a mailbox that goes by a shorter name."""
    return address.kind is Kind.EMAIL and not address.is_test and base_of(address) != address.value


def base_of(address: Address) -> str:
    """The address without the part that a provider ignores."""
    if address.kind is not Kind.EMAIL:
        return address.value
    local, _, domain = address.value.rpartition("@")
    for separator in _separators(domain):
        head = local.partition(separator)[0]
        local = head or local
    return f"{local}@{domain}"


def _separators(domain: str) -> str:
    if domain.startswith("yahoo.") or domain == "ymail.com":
        return "+=#-"
    return "+=#"


def _covers(entry: str, value: str) -> bool:
    """Whether an entry of a list covers an address's value."""
    entry = entry.strip().translate(_ASCII_LOWER)
    if entry.startswith("+"):
        return entry == value
    local, _, domain = entry.rpartition("@")
    given_local, _, given_domain = value.rpartition("@")
    if not given_local:
        return False
    above = domain.removeprefix("*")
    fits = given_domain.endswith(above) if domain.startswith("*.") else given_domain == domain
    return fits and local in ("", "*", given_local)
