"""What may stand before a server under test: each front changes what the server promises."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import httpx
from tests.web.house import House

from doorcode.selfcheck.people import fresh_identifier

MAIL = "email_address"


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
    """Shows an account to the operator as it is told to."""

    def __init__(self, house: House, told: Mapping[str, object]) -> None:
        super().__init__(house)
        self.told = told

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        answer = await self.pass_on(request)
        if request.url.path.startswith("/v1/users/"):
            return httpx.Response(200, json={**answer.json(), **self.told})
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


class Timed(Front):
    """Each answer takes twenty milliseconds of the house's clock. It notes who has an account."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.accounts: set[str] = set()

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        self.house.clock.advance(20)
        answer = await self.pass_on(request)
        if request.url.path.endswith("/attempt_verification") and answer.status_code == 200:
            self.accounts.add(answer.json()["response"][MAIL])
        return answer

    def knows(self, form: Mapping[str, str]) -> bool:
        return form.get("identifier", form.get(MAIL)) in self.accounts


class TellsByBody(Timed):
    """Names a field for those who are known."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        answer = await super().answer(request, form)
        if request.url.path == "/v1/client/sign_ins" and self.knows(form):
            return with_body(answer, answer.content.replace(b'"user_data":null', b'"user_data":0'))
        return answer


class TellsByHeader(Timed):
    """Sets a header for those who are known."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        answer = await super().answer(request, form)
        if request.url.path == "/v1/client/sign_ins" and self.knows(form):
            answer.headers["x-cache"] = "hit"
        return answer


class RefusesTaken(Timed):
    """Says at sign-up that an identifier is taken."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        if request.url.path == "/v1/client/sign_ups" and self.knows(form):
            return httpx.Response(422, json={"errors": [{"code": "form_identifier_exists"}]})
        return await super().answer(request, form)


class ForgetsGuesses(Timed):
    """Takes each visitor who names an unknown identifier for one who means another."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.named: dict[str, str] = {}

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        if request.url.path == "/v1/client/sign_ins" and not self.knows(form):
            other = fresh_identifier(MAIL)
            self.named[other] = form["identifier"]
            request = with_form(request, {**form, "identifier": other})
        answer = await super().answer(request, form)
        content = answer.content
        for other, identifier in self.named.items():
            content = content.replace(other.encode(), identifier.encode())
        return with_body(answer, content)


class TakesLonger(Timed):
    """Takes ten more milliseconds for those who are known."""

    async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        self.house.clock.advance(10 * self.knows(form))
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
