"""What a browser tells of itself, as far as it helps a person to recognise their devices.

The User-Agent field (RFC 9110, 10.1.5) is anybody's invention: it is read for a name and a
version from lists of our own, shown to the one person whom it concerns, and never trusted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from doorcode.domain.session import Device
from doorcode.web.boundary import Boundary
from doorcode.web.http import Request

READ_CHARACTERS = 512
_VERSION = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){0,3}", re.ASCII)

# Word in the field: name. Most browsers name others too, so the order decides.
_BROWSERS = (
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("OPiOS/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
    ("python-httpx/", "Python"),
    ("node", "Node.js"),
)
# Word in the field: device, whether it is one for the hand.
_DEVICES = (
    ("iPhone", "iPhone", True),
    ("iPad", "iPad", True),
    ("Android", "Android", True),
    ("CrOS", "Chromebook", False),
    ("Macintosh", "Macintosh", False),
    ("Windows", "Windows", False),
    ("Linux", "Linux", False),
)


def device_of(request: Request, boundary: Boundary) -> Device:
    """The device that a request comes from, with its network address."""
    told = read_user_agent(request.headers.get("user-agent", "")[:READ_CHARACTERS])
    return replace(told, ip_address=boundary.address_of(request) or None)


@lru_cache(maxsize=1024)
def read_user_agent(text: str) -> Device:
    """Browser and device by a User-Agent field; what is not known is left out."""
    name, version = _browser(text)
    for word, device, is_mobile in _DEVICES:
        if word in text:
            return Device(name, version, device, is_mobile)
    return Device(name, version)


def _browser(text: str) -> tuple[str | None, str | None]:
    for word, name in _BROWSERS:
        _, found, rest = text.partition(word)
        if not found or (name == "Safari" and "Safari/" not in text):
            continue
        version = _VERSION.match(rest.removeprefix("/"))
        return name, version[0] if version else None
    return None, None
