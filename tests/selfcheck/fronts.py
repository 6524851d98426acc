"""What may stand before a server under test: each front changes what the server promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import httpx
from tests.web.house import House

from doorcode.selfcheck.people import RIGHT, fresh_identifier

MAIL = "email_address"
BY_MAIL = "email_code"
_USER_DATA = re.compile(rb'"user_data":\{[^}]*\}')


class Front(httpx.AsyncBaseTransport):
    """Passes everything through to the house. `seen` are the requests, as method and URL."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.inner = httpx.ASGITransport(house.app, raise_app_exceptions=False)
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self.answer(request, dict(parse_qsl(request.content.decode())))

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        return await self.pass_on(request)

    async def pass_on(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        await answer.aread()
        return answer


class Backend(Front):
    """Gives testing tokens, and shows an account as the operator would see it."""

    locked = True

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        if request.headers.get("authorization") not in (None, f"Bearer {self.house.secret_key}"):
            return httpx.Response(401, json={"errors": [{"code": "authentication_invalid"}]})
        if request.url.path == "/v1/testing_tokens":
            return httpx.Response(200, json={"object": "testing_token", "token": "let-me-pass"})
        answer = await self.pass_on(request)
        if request.url.path.startswith("/v1/users/") and answer.status_code == 200:
            told = {"locked": self.locked, "lockout_expires_in_seconds": 3000}
            return httpx.Response(200, json=answer.json() | told)
        return answer


class LocksEverybody(Front):
    """Once anybody is refused as locked, everybody is, whom the server knows included."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.about: dict[str, str] = {}
        self.locked: dict[str, httpx.Response] = {}

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        parts = request.url.path.split("/")
        attempt = parts[4] if len(parts) > 5 and parts[3] == "sign_ins" else ""
        whose = self.about.get(attempt, "")
        if whose in self.locked:
            return copy_of(self.locked[whose])
        answer = await self.pass_on(request)
        if request.url.path == "/v1/client/sign_ins" and answer.status_code == 200:
            self.about[answer.json()["response"]["id"]] = form["identifier"]
        if whose and b'"user_locked"' in answer.content:
            self.locked[whose] = answer
        return answer


class Strict(Front):
    """Tells known and unknown identifiers apart by nothing, in a roundabout way.

    Whoever is not known is signed up before the server is asked; whoever is taken is
    taken for another who is not. Each answer takes twenty milliseconds of the house's clock.
    """

    usernames = False

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.accounts: set[str] = set()
        self.strangers: set[str] = set()
        self.masks: dict[str, str] = {}
        self.shown: dict[str, str] = {}

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        self.house.clock.advance(20)
        path = request.url.path
        if path == "/v1/environment":
            return await self._environment(request)
        if path == "/v1/client/sign_ins" and not self.knows(form["identifier"]):
            form["identifier"] = await self.make_up(form["identifier"])
        if path == "/v1/client/sign_ups" and self.knows(form[MAIL]):
            form[MAIL] = self._masked(form[MAIL])
        answer = await self.pass_on(with_form(request, form) if form else request)
        if path.endswith("/attempt_verification") and answer.status_code == 200:
            self.accounts.add(answer.json()["response"][MAIL])
        return self._unmasked(answer)

    def knows(self, identifier: str | None) -> bool:
        return identifier in self.accounts

    async def make_up(self, identifier: str) -> str:
        """Give a stranger an account, once; by what identifier it is found."""
        if identifier not in self.strangers:
            self.strangers.add(identifier)
            await self.sign_up(identifier)
        return identifier

    async def sign_up(self, identifier: str) -> None:
        browser = self.house.browser()
        names = {"username": f"somebody{len(self.strangers)}"} if self.usernames else {}
        form = {MAIL: identifier, "strategy": BY_MAIL, **names}
        sign_up = await browser.start_sign_up(**form)
        await browser.attempt_sign_up(sign_up, RIGHT, BY_MAIL)

    async def _environment(self, request: httpx.Request) -> httpx.Response:
        document = (await self.pass_on(request)).json()
        document["user_settings"]["attack_protection"]["enumeration_protection"]["enabled"] = True
        return httpx.Response(200, json=document)

    def _masked(self, identifier: str) -> str:
        mask = self.masks.setdefault(identifier, fresh_identifier(MAIL))
        self.shown[mask] = identifier
        return mask

    def _unmasked(self, answer: httpx.Response) -> httpx.Response:
        content = answer.content
        for mask, identifier in self.shown.items():
            content = content.replace(mask.encode(), identifier.encode())
        return with_body(answer, _USER_DATA.sub(b'"user_data":null', content))


class TellsByBody(Strict):
    """Names a field for those who are known."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        known = self.knows(form.get("identifier"))
        answer = await super().answer(request, form)
        if request.url.path == "/v1/client/sign_ins" and known:
            return with_body(answer, answer.content.replace(b'"user_data":null', b'"user_data":0'))
        return answer


class TellsByHeader(Strict):
    """Sets a header for those who are known."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        known = self.knows(form.get("identifier"))
        answer = await super().answer(request, form)
        if request.url.path == "/v1/client/sign_ins" and known:
            answer.headers["x-cache"] = "hit"
        return answer


class RefusesTaken(Strict):
    """Says at sign-up that an identifier is taken."""

    def _masked(self, identifier: str) -> str:
        return identifier


class ForgetsGuesses(Strict):
    """Takes each visitor who names an unknown identifier for one who means another."""

    async def make_up(self, identifier: str) -> str:
        other = fresh_identifier(MAIL)
        self.shown[other] = identifier
        await self.sign_up(other)
        return other


class TakesLonger(Strict):
    """Takes ten more milliseconds for those who are known."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        self.house.clock.advance(10 * self.knows(form.get("identifier", form.get(MAIL))))
        return await super().answer(request, form)


def with_form(request: httpx.Request, form: Mapping[str, str]) -> httpx.Request:
    """The same request with another form."""
    body = urlencode(form).encode()
    headers = dict(request.headers) | {"content-length": str(len(body))}
    return httpx.Request(request.method, request.url, headers=headers, content=body)


def with_body(answer: httpx.Response, body: bytes) -> httpx.Response:
    """The same answer with another body, its length in the same place."""
    length = str(len(body))
    headers = [
        (name, length if name == "content-length" else value)
        for name, value in answer.headers.multi_items()
    ]
    return httpx.Response(answer.status_code, headers=headers, content=body)


def copy_of(answer: httpx.Response) -> httpx.Response:
    """An answer that can be given again."""
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
