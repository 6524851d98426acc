"""Apps without a browser: the client's token travels in `Authorization`, not in a cookie.

The SDKs for phones mark such a request by `_is_native=1` in its query. Nothing of it is
believed that a cookie would be believed for: it is the same token in another place. A
page cannot borrow it, because no browser adds that header by itself.
"""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.web import cookies
from doorcode.web.http import Request, Response

_YES = frozenset({"1", "true"})


def is_native(request: Request) -> bool:
    """Whether the request says that it comes from an app without a browser."""
    return request.query.get("_is_native") in _YES


def token_of(request: Request, instance: Instance) -> str | None:
    """The client's token, or `Refused` where such apps are not served."""
    if not instance.native_api:
        raise Refused(errors.NATIVE_API_DISABLED)
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if token and "origin" in request.headers:
        raise Refused(errors.ORIGIN_AND_AUTHORIZATION)
    return token or None


def speak(response: Response) -> None:
    """Move what a browser would keep as a cookie into the header that the app reads."""
    name = f"{cookies.CLIENT}="
    for cookie in response.cookies:
        if cookie.startswith(name):
            response.headers["authorization"] = cookie[len(name) :].partition(";")[0]
    response.cookies.clear()
