"""What every door has at hand, and who stands before it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from doorcode.domain.errors import IDENTIFIER_TAKEN, IDENTIFIER_UNKNOWN, Refusal, Refused
from doorcode.domain.instance import Enumeration
from doorcode.domain.limits import TOLD_APART, Rate
from doorcode.flows import audit
from doorcode.flows import client as clients
from doorcode.flows.deps import Caller, Deps
from doorcode.security.rate_limits import RateLimits
from doorcode.security.testing_tokens import TestingTokens
from doorcode.web import cookies, devices, native
from doorcode.web.boundary import Boundary
from doorcode.web.http import Request, Response

DEV_BROWSER = "__clerk_db_jwt"
TESTING_TOKEN = "__clerk_testing_token"  # noqa: S105 - the name of a parameter
COOKIES_TRIED = 3
_TELLING = frozenset({IDENTIFIER_TAKEN.code, IDENTIFIER_UNKNOWN.code})


@dataclass(frozen=True, slots=True)
class Door:
    """The stories' dependencies, the boundary, and the limits per client address."""

    deps: Deps
    boundary: Boundary
    limits: RateLimits
    testing_tokens: TestingTokens

    async def caller(self, request: Request) -> Caller:
        """Who asks: by the development browser's token where there is one, else by cookie.

        An app without a browser names itself in a header of its own (`native.py`).

        A token in a URL leaks through logs and referrers, so it counts in development only.
        """
        if native.is_native(request):
            token = native.token_of(request, self.deps.instance)
            return self._seen(await clients.find(self.deps, token, None), request)
        dev_token = None
        if self.deps.instance.development:
            dev_token = request.query.get(DEV_BROWSER)
        if dev_token:
            return self._seen(await clients.find(self.deps, None, dev_token), request)
        return await self.by_cookie(request)

    async def by_cookie(self, request: Request) -> Caller:
        """Who asks, by the cookie alone.

        A page on a sibling domain can set a cookie of our name for the domain above; it is
        sent beside ours, and perhaps before it. It must not sign anybody out, nor into the
        account of whoever planted it. So over https the cookie counts that only we can set;
        a browser that has none of those is either new here or a program.
        """
        own = request.cookie_values(cookies.HOST_CLIENT) if self.boundary.is_https else []
        for token in (own or request.cookie_values(cookies.CLIENT))[:COOKIES_TRIED]:
            caller = await clients.find(self.deps, token, None)
            if caller.client_id:
                return self._seen(caller, request)
        return self._seen(Caller(), request)

    def _seen(self, caller: Caller, request: Request) -> Caller:
        """The caller with what the request itself says of them."""
        testing = self.is_testing(request)
        return replace(
            caller,
            device=devices.device_of(request, self.boundary),
            is_human=caller.is_human or testing,
            is_testing=testing,
        )

    @property
    def takes_testing_tokens(self) -> bool:
        """Whether there are testing tokens at all: in production they are a way past limits."""
        return self.deps.instance.development or self.deps.instance.test_mode

    def is_testing(self, request: Request) -> bool:
        """Whether a testing token of ours came along."""
        text = request.query.get(TESTING_TOKEN, "")
        return self.takes_testing_tokens and self.testing_tokens.is_valid(text, self.deps.now())

    async def spend(self, rate: Rate, request: Request) -> None:
        """Count one request against its client address, or refuse it."""
        if self.is_testing(request):
            return
        try:
            self.limits.spend(rate, self.boundary.address_of(request), self.deps.now())
        except Refused as refused:
            await audit.remember(self.deps, refused)
            raise

    async def expect_may_be_told(self, request: Request) -> None:
        """Refuse whoever was told too often whether somebody has an account (mode `bulk`).

        Asked before anything is looked up: were only the telling answers refused, the refusal
        would tell.
        """
        if self.deps.instance.enumeration is not Enumeration.BULK:
            return
        try:
            address = self.boundary.address_of(request)
            self.limits.expect_left(TOLD_APART, address, self.deps.now())
        except Refused as refused:
            await audit.remember(self.deps, refused)
            raise

    def note_told(self, request: Request, refusal: Refusal | None) -> None:
        """Count an answer that told whether somebody has an account."""
        if refusal is None or refusal.code not in _TELLING:
            return
        if self.deps.instance.enumeration is Enumeration.BULK:
            with suppress(Refused):  # of several at once that were let in, each may be told
                address = self.boundary.address_of(request)
                self.limits.spend(TOLD_APART, address, self.deps.now())

    def set_client(
        self, response: Response, view: clients.ClientView | None, token: str | None
    ) -> None:
        """Send the cookies that belong to a client."""
        if token:
            response.cookies += cookies.client(self.boundary, token)
        response.cookies += cookies.updated_at(self.boundary, view)
