"""Which addresses may come in: lists, disposable domains, and one account a mailbox.

                    allowlist   blocklist   disposable   mailbox of somebody else
    sign-up         yes         yes         yes          yes
    adding one      yes         no          yes          yes
    invited, or
    signing in      no          no          no           no

An allowlist in force overrules the blocklist, and is in force in public mode only. The lists
hold whole addresses (`ann@example.com`, `+14155552671`), whole domains (`example.com`,
`@example.com`, `*@example.com`), and everything under a domain at any depth
(`*@*.example.com`), as `domain/setting_types.py: Addresses` brings them to one form.
Letters A–Z are compared without case, like the addresses themselves.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from doorcode.domain.addresses import Address, Kind

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_GMAIL = ("gmail.com", "googlemail.com")  # one mailbox under either
_YAHOO = re.compile(r"yahoo\.(com|(com?\.)?[a-z]{2})|(ymail|rocketmail|myyahoo)\.com", re.ASCII)


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What an operator restricts, and whether each is in force."""

    allowlist_enabled: bool = False
    allowlist: tuple[str, ...] = ()
    blocklist_enabled: bool = False
    blocklist: tuple[str, ...] = ()
    block_email_subaddresses: bool = False
    ignore_dots_for_gmail_addresses: bool = True
    block_disposable_email_domains: bool = False

    def allow(self, address: Address, *, public: bool = True, adding: bool = False) -> bool:
        """Whether the lists let somebody sign up with an address, or add it to an account.

        `public`: anybody may sign up here, so that the allowlist counts.
        """
        if public and self.allowlist_enabled:
            return any(_covers(entry, address.value) for entry in self.allowlist)
        return adding or not self.blocklist_enabled or not self._is_blocked(address)

    def is_one_mailbox(self, one: Address, other: Address) -> bool:
        """Whether two addresses count as one person's, of which one may have an account."""
        dots = not self.ignore_dots_for_gmail_addresses
        mailbox = mailbox_of(one, dots=dots)
        return mailbox is not None and mailbox == mailbox_of(other, dots=dots)

    def _is_blocked(self, address: Address) -> bool:
        # Who blocks ann@example.com means ann+other@example.com as well.
        values = {address.value, base_of(address)}
        return any(_covers(entry, value) for entry in self.blocklist for value in values)


def is_disposable(address: Address, domains: Set[str]) -> bool:
    """Whether the domain of an e-mail address, or one above it, is among these."""
    if address.kind is not Kind.EMAIL:
        return False
    labels = address.value.rpartition("@")[2].split(".")
    return any(".".join(labels[above:]) in domains for above in range(len(labels)))


def mailbox_of(address: Address, *, dots: bool = False) -> str | None:
    """By what name the mailbox behind an address is compared; None where it is not.

    Gmail delivers with and without dots, so these make no difference, unless `dots`. A test
    address reaches nobody, and is a sub-address by its very form.
    """
    if address.kind is not Kind.EMAIL or address.is_test:
        return None
    local, _, domain = address.value.rpartition("@")
    if domain in _GMAIL:
        domain = _GMAIL[0]
        local = local if dots else local.replace(".", "")
    return f"{_without_tag(local, domain)}@{domain}"


def base_of(address: Address) -> str:
    """The address without the part that a provider ignores; dots are left where they are."""
    if address.kind is not Kind.EMAIL:
        return address.value
    local, _, domain = address.value.rpartition("@")
    return f"{_without_tag(local, domain)}@{domain}"


def _without_tag(local: str, domain: str) -> str:
    separators = "+=#-" if _YAHOO.fullmatch(domain) else "+=#"
    # What begins with one of them has no name before it: the first letter stays.
    return local[:1] + re.split(f"[{separators}]", local[1:], maxsplit=1)[0]


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
