"""What the doors know of the world outside, all of it from the configuration.

Nothing here is learned from a request. A host or an address that a client can choose is
how links, cookies and limits have been turned against the people they were made for.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.origins import Origins, origin_of
from doorcode.security import api_keys
from doorcode.web.http import Request

_HOST_HEADER = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Boundary:
    """The public address, who may speak to it, and through which proxies.

    `hosts` are the Host names answered to, without a port; None answers to all. With
    `address_hosts` any bare IP address is answered to as well.
    """

    url: str
    publishable_key: str
    origins: Origins
    hosts: frozenset[str] | None = None
    address_hosts: bool = False
    cookie_domain: str = ""
    trusted_proxies: tuple[Network, ...] = ()

    @property
    def is_https(self) -> bool:
        """Whether cookies must carry Secure."""
        return self.url.startswith("https://")

    @property
    def cookie_suffix(self) -> str:
        """What the SDKs append to the names of cookies."""
        return api_keys.cookie_suffix(self.publishable_key)

    @property
    def development_keys(self) -> bool:
        """Whether the SDKs take this for a development instance (`pk_test_…`)."""
        return api_keys.is_development(self.publishable_key)

    def expect_host(self, request: Request) -> None:
        """Refuse another host's name: a page elsewhere may have pointed its DNS at us."""
        if self.hosts is None:
            return
        match = _HOST_HEADER.fullmatch(request.headers.get("host", "").lower())
        host = match["host"] if match else ""
        if host in self.hosts or host.endswith(".localhost"):
            return
        # DNS can be turned against us, a bare address cannot.
        if not (self.address_hosts and _is_address(host.strip("[]"))):
            raise Refused(errors.HOST_INVALID)

    def expect_origin(self, request: Request) -> None:
        """Refuse a page that is not ours to answer (CSRF: the cookie comes along anyway).

        Without `Origin` and `Sec-Fetch-Site` a state-changing request does not come from
        a browser, and there is nobody's cookie to ride on.
        """
        origin = request.headers.get("origin")
        if origin is not None:
            if not self.allows(origin):
                raise Refused(errors.ORIGIN_INVALID)
        elif not request.is_safe:
            site = request.headers.get("sec-fetch-site")
            if site not in (None, "same-origin", "none"):
                raise Refused(errors.ORIGIN_INVALID)

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may call."""
        return self.origins.allow(origin) or origin == origin_of(self.url)

    def allows_redirect(self, url: str) -> bool:
        """Whether a browser may be sent to this absolute URL."""
        return self.origins.allow_redirect(url) or origin_of(url) == origin_of(self.url)

    def page_of(self, request: Request) -> str | None:
        """The origin of the page that asks, for a token's `azp`; None for a program."""
        origin = request.headers.get("origin") or origin_of(request.headers.get("referer", ""))
        return origin if origin and self.allows(origin) else None

    def address_of(self, request: Request) -> str:
        """The client's network address: the last one that a trusted proxy did not add.

        Read from the right. What stands further left was written by the client.
        """
        address = request.peer
        if not self._trusts(address):
            return address
        for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            hop = hop.strip()
            if not _is_address(hop):
                break
            address = hop
            if not self._trusts(hop):
                break
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        # A proxy that listens on both families writes the one before it as ::ffff:10.0.0.1.
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(plain in network for network in self.trusted_proxies)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
