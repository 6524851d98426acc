"""Where a browser may be sent from a page (`redirect_url`).

An open redirect lends our name to any site: a link that starts here and ends on a copy
of the page that asks for the code. What is not certainly allowed is not followed.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from doorcode.domain.limits import FIELD_CHARACTERS
from doorcode.domain.origins import origin_of
from doorcode.web.boundary import Boundary
from doorcode.web.http import Response

# A host in any other letters may be read as another one by the browser (UTS 46 maps
# look-alikes, percent-escapes are decoded), so the origin checked would not be the one met.
_NETWORK_LOCATION = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
_KEPT = "%/:=&?~#+!$,;'@()*[]"


def allowed_target(boundary: Boundary, url: str) -> str | None:
    """The URL in the form in which it can be sent on, or None where it is not allowed."""
    if not url or len(url) > FIELD_CHARACTERS:
        return None
    if url.startswith("/"):
        allowed = _is_own_path(boundary, url)
    else:
        plain = _NETWORK_LOCATION.fullmatch(_network_location(url)) is not None
        allowed = plain and boundary.allows_redirect(url)
    return quote(url, safe=_KEPT) if allowed else None


def to(url: str) -> Response:
    """See Other (RFC 9110, 15.4.4): the browser asks for `url` by GET; a reload sends nothing."""
    return Response(303, content_type="text/plain; charset=utf-8", headers={"location": url})


def _is_own_path(boundary: Boundary, path: str) -> bool:
    """Whether it is a path on this server: `//host` and `/\\host` name another one."""
    if path.startswith(("//", "/\\")):
        return False
    return origin_of(boundary.url + path) == origin_of(boundary.url)


def _network_location(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
