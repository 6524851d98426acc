"""Fixtures of the hosted pages: a server with pages, and people who read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from doorcode.web.app import App
from doorcode.web.pages import routes

from ..house import House, Plan, open_house

EVIL = "https://evil.example"


class Document(HTMLParser):
    """What stands in a page: its elements, and the text of the one that is the alert."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def field(self, name: str) -> dict[str, str | None]:
        (found,) = [one for one in self.all("input") if one.get("name") == name]
        return found

    def has_field(self, name: str) -> bool:
        return any(one.get("name") == name for one in self.all("input"))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def actions(self) -> list[str | None]:
        return [form.get("action") for form in self.all("form")]


@dataclass
class Person:
    """A browser that sends forms as browsers do: with an `Origin`, following nothing."""

    site: Site
    http: httpx.AsyncClient
    answers: list[httpx.Response] = field(default_factory=list)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(
        self, path: str, *, origin: str | None = "", headers: Any = None, **form: str
    ) -> httpx.Response:
        sent = dict(headers or {})
        if origin is not None:
            sent["origin"] = origin or self.site.house.plan.url
        # A browser names the type of a form that has no fields too.
        sent["content-type"] = "application/x-www-form-urlencoded"
        return await self.http.post(path, data=form, headers=sent)

    async def see(self, path: str) -> Document:
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        return Document(answer.text)

    async def enter(self, way: str, to: str, query: str = "") -> httpx.Response:
        """Sign up or in, all the way; the answer to the right code."""
        started = await self.post(f"{way}{query}", identifier=to)
        assert started.status_code == 303, Document(started.text).text
        return await self.post(f"{way}/code{query}", code=self.site.house.code(to))

    @property
    def token(self) -> str | None:
        return self.http.cookies.get("__client")


@dataclass
class Site:
    """A server with its hosted pages."""

    house: House
    app: App

    def person(self) -> Person:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return Person(self, httpx.AsyncClient(transport=transport, base_url=self.house.plan.url))


SiteBuilder = Callable[..., Awaitable[Site]]


@pytest.fixture
async def build_site(tmp_path: Path) -> AsyncIterator[SiteBuilder]:
    """Build a server that differs from that of `doorcode dev` in what is named."""
    async with AsyncExitStack() as stack:

        async def build_one(
            plan: Plan | None = None, *, token: str | None = None, without_inbox: bool = False
        ) -> Site:
            house = await stack.enter_async_context(open_house(tmp_path, plan))
            inbox = None if without_inbox else house.inbox
            return Site(house, App(house.door, routes(house.door, inbox, token)))

        yield build_one


@pytest.fixture
async def site(build_site: SiteBuilder) -> Site:
    return await build_site()


@pytest.fixture
def person(site: Site) -> Person:
    """Somebody who was never here."""
    return site.person()
