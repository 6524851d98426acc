"""A whole server in this process, with a clock that a test moves, and browsers to visit it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from starlette.routing import BaseRoute

from doorcode import instance_keys
from doorcode.delivery.courier import Courier
from doorcode.delivery.inbox import Inbox
from doorcode.delivery.routing import Route, Routing
from doorcode.domain.instance import Instance, Shield, ShieldMode
from doorcode.domain.limits import SECOND
from doorcode.domain.origins import Origins
from doorcode.domain.send import SendBudget
from doorcode.flows.deps import BotCheck, Deps
from doorcode.flows.me import find_image
from doorcode.security import api_keys, master_key, tokens
from doorcode.security.codes import Codes
from doorcode.security.master_key import MasterKey
from doorcode.security.rate_limits import RateLimits
from doorcode.security.sealing import Sealer
from doorcode.security.testing_tokens import TestingTokens
from doorcode.security.tickets import Tickets
from doorcode.security.tokens import SigningKey, Tokens
from doorcode.storage.sqlite import Sqlite
from doorcode.web import backend_api, images, sdk_files
from doorcode.web.app import App
from doorcode.web.boundary import Boundary, Network
from doorcode.web.door import Door

URL = "http://localhost:8787"
PAGE = "http://localhost:3000"
KEY = api_keys.publishable_key("doorcode.localhost")
INSTANCE = "ins_TEST"
PHONE = "+14155552671"
OTHER_PHONE = "+14155552672"
EMAIL = "Ada@example.com"
TEST_PHONE = "+14155550123"
FORM = "application/x-www-form-urlencoded"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass
class Clock:
    """The time of a server under test, in milliseconds; it stands until it is moved."""

    now: int = 1_800_000_000_000

    def advance(self, milliseconds: int) -> None:
        self.now += milliseconds


@dataclass
class Plan:
    """How a server is built; what is not said is as in `doorcode dev`."""

    url: str = URL
    publishable_key: str = KEY
    origins: frozenset[str] = frozenset()
    development: bool = True
    test_mode: bool = True
    loopback: bool = True
    hosts: frozenset[str] | None = LOOPBACK
    address_hosts: bool = False
    cookie_domain: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    limits: bool = False
    instance: dict[str, Any] = field(default_factory=dict)
    sdk_directories: Sequence[Path] = ()
    cdn: str = ""
    bot_check: BotCheck | None = None
    id: str = INSTANCE
    master: MasterKey | None = None

    def boundary(self) -> Boundary:
        return Boundary(
            url=self.url,
            publishable_key=self.publishable_key,
            origins=Origins(self.origins, loopback=self.loopback),
            hosts=self.hosts,
            address_hosts=self.address_hosts,
            cookie_domain=self.cookie_domain,
            trusted_proxies=self.trusted_proxies,
        )


# In production: https, a domain shared by the apps, nothing allowed that is not listed.
PRODUCTION = Plan(
    url="https://auth.example.com",
    publishable_key=api_keys.publishable_key("auth.example.com"),
    origins=frozenset({"https://app.example.com"}),
    development=False,
    test_mode=False,
    loopback=False,
    hosts=None,
    cookie_domain="example.com",
)


class Browser:
    """One browser: a cookie jar of its own, and a page that it stands on."""

    def __init__(self, house: House, page: str | None) -> None:
        self.house = house
        headers = {"origin": page} if page else {}
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(house.app, raise_app_exceptions=False),
            base_url=house.plan.url,
            headers=headers,
        )

    # ── requests, as the SDKs make them ───────────────────────────────────────────────
    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, form: Any = None, **options: Any) -> httpx.Response:
        return await self.http.post(path, data=form, **options)

    async def override(self, method: str, path: str, form: Any = None) -> httpx.Response:
        return await self.http.post(path, data=form, params={"_method": method})

    async def post_raw(self, path: str, body: bytes, kind: str | None = FORM) -> httpx.Response:
        headers = {"content-type": kind} if kind else {}
        return await self.http.post(path, content=body, headers=headers)

    # ── cookies ───────────────────────────────────────────────────────────────────────
    @property
    def token(self) -> str | None:
        return self.http.cookies.get("__client")

    def with_token(self, token: str, name: str = "__client") -> Browser:
        """Another browser that holds a copy of a cookie."""
        other = self.house.browser()
        host = urlsplit(self.house.plan.url).hostname or ""
        domain = host if "." in host else f"{host}.local"
        other.http.cookies.set(name, token, domain=domain)
        return other

    async def client(self) -> Any:
        return (await self.get("/v1/client")).json()["response"]

    # ── the steps of signing up and in ────────────────────────────────────────────────
    async def start_sign_up(self, **form: str) -> str:
        answer = await self.post("/v1/client/sign_ups", form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["response"]["id"])

    async def start_sign_in(self, identifier: str, **form: str) -> str:
        answer = await self.post("/v1/client/sign_ins", {"identifier": identifier, **form})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["response"]["id"])

    async def prepare_sign_up(self, sign_up: str, strategy: str = "phone_code") -> httpx.Response:
        path = f"/v1/client/sign_ups/{sign_up}/prepare_verification"
        return await self.post(path, {"strategy": strategy})

    async def attempt_sign_up(
        self, sign_up: str, code: str, strategy: str = "phone_code"
    ) -> httpx.Response:
        path = f"/v1/client/sign_ups/{sign_up}/attempt_verification"
        return await self.post(path, {"strategy": strategy, "code": code})

    async def prepare_sign_in(self, sign_in: str, strategy: str = "phone_code") -> httpx.Response:
        path = f"/v1/client/sign_ins/{sign_in}/prepare_first_factor"
        return await self.post(path, {"strategy": strategy})

    async def attempt_sign_in(
        self, sign_in: str, code: str, strategy: str = "phone_code"
    ) -> httpx.Response:
        path = f"/v1/client/sign_ins/{sign_in}/attempt_first_factor"
        return await self.post(path, {"strategy": strategy, "code": code})

    async def sign_up(self, to: str = PHONE, **form: str) -> httpx.Response:
        """Sign up all the way; the answer to the right code."""
        name, strategy = _ways(to)
        sign_up = await self.start_sign_up(**{name: to, "strategy": strategy}, **form)
        await self.house.delivered()
        answer = await self.attempt_sign_up(sign_up, self.house.code(to), strategy)
        assert answer.status_code == 200, answer.text
        return answer

    async def sign_in(self, to: str = PHONE) -> httpx.Response:
        """Sign in all the way; the answer to the right code."""
        _, strategy = _ways(to)
        sign_in = await self.start_sign_in(to, strategy=strategy)
        await self.house.delivered()
        answer = await self.attempt_sign_in(sign_in, self.house.code(to), strategy)
        assert answer.status_code == 200, answer.text
        return answer

    async def sign_out(self) -> httpx.Response:
        return await self.override("DELETE", "/v1/client/sessions")


@dataclass
class House:
    """A server and what stands behind it."""

    plan: Plan
    app: App
    door: Door
    clock: Clock
    inbox: Inbox
    storage: Sqlite
    secret_key: str
    database: Path
    master: MasterKey
    courier: Courier
    routes: Sequence[BaseRoute]

    def browser(self, page: str | None = PAGE) -> Browser:
        """A browser that was never here; with page None, a program."""
        return Browser(self, page or None)

    async def backend(self, path: str, **headers: str) -> httpx.Response:
        """Ask the Backend API as an app's server."""
        sent = {"authorization": f"Bearer {self.secret_key}", **headers}
        return await self.browser(page=None).get(path, headers=sent)

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask the Backend API with a body of JSON."""
        sent = {"authorization": f"Bearer {self.secret_key}"}
        client = self.browser(page=None).http
        return await client.request(method, path, json=body, headers=sent)

    async def someone(self, to: str = PHONE) -> None:
        """Let somebody else have an account with this address."""
        await self.browser().sign_up(to)

    async def delivered(self) -> None:
        """Deliver what waits; in strict mode no answer waits for it."""
        courier = self.door.deps.post
        assert isinstance(courier, Courier)
        await courier._take_due()
        await asyncio.gather(*courier._tasks)

    def allow_many_codes(self) -> None:
        """Let codes be asked for without end, where a test is about what becomes of them."""
        budget = SendBudget(1000, 1000)
        self.door.deps.instance = replace(self.door.deps.instance, sends=budget)

    def letters(self, to: str) -> list[str]:
        """The codes sent to an address, newest first."""
        return [letter.code for letter in self.inbox.messages(to)]

    def code(self, to: str = PHONE) -> str:
        """The newest code sent to an address."""
        return self.letters(to)[0]

    def wrong(self, to: str = PHONE) -> str:
        """A code that was never sent to an address."""
        sent = set(self.letters(to))
        return next(c for c in (f"{n:06d}" for n in range(len(sent) + 1)) if c not in sent)

    def rows(self, *tables: str) -> dict[str, int]:
        """How many rows each table holds; all tables, if none is named."""
        connection = sqlite3.connect(self.database)
        try:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = [name for (name,) in found if not name.startswith("sqlite_")]
            return {
                name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in names
                if not tables or name in tables
            }
        finally:
            connection.close()


@asynccontextmanager
async def open_house(
    directory: Path, plan: Plan | None = None, engine: Callable[[Path], Any] = Sqlite
) -> AsyncIterator[House]:
    """Build a server by hand, from the real parts."""
    plan, clock = plan or Plan(), Clock()
    database = directory / "doorcode.db"
    storage = engine(database)
    try:
        master = plan.master or master_key.parse(master_key.generate())
        sealer = Sealer(master, plan.id)
        inbox = Inbox(development=True)
        log = structlog.get_logger("tests")
        channels = ("sms", "whatsapp", "email")
        routing = Routing({one: [Route("inbox", one, inbox)] for one in channels})
        parts = (storage, sealer, lambda: routing, inbox, lambda: clock.now, log)
        courier = Courier(*parts, jitter=lambda: 0.0)
        shield = Shield(ShieldMode.RECORD if plan.development else ShieldMode.DENY)
        instance = Instance(
            id=plan.id,
            development=plan.development,
            test_mode=plan.test_mode,
            **{"url": plan.url, "shield": shield, **plan.instance},
        )
        deps = Deps(
            storage=storage,
            instance=instance,
            codes=Codes(master, plan.id),
            tickets=Tickets(master, plan.id),
            tokens=Tokens([_signing_key()], f"https://{api_keys.host_of(plan.publishable_key)}"),
            sealer=sealer,
            post=courier,
            now=lambda: clock.now,
            bot_check=plan.bot_check,
        )
        testing_tokens = TestingTokens(master, plan.id)
        door = Door(deps, plan.boundary(), RateLimits(enabled=plan.limits), testing_tokens)
        async with storage.transaction() as tx:
            await tx.save_setting("instance_id", plan.id.encode())
            secret = await instance_keys.add_secret_key(tx, plan.id, clock.now)
        routes = [
            *backend_api.routes(door),
            *images.routes(partial(find_image, deps)),
            *sdk_files.routes(plan.sdk_directories, plan.cdn),
        ]
        app = App(door, routes)
        behind = (inbox, storage, secret, database, master, courier, routes)
        yield House(plan, app, door, clock, *behind)
    finally:
        await storage.close()


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field of a refusal, whose envelope is checked on the way."""
    document = answer.json()
    (error,) = document["errors"]
    assert answer.headers["content-type"] == "application/json"
    assert len(document["clerk_trace_id"]) == 32
    assert error["message"]
    assert error["long_message"]
    assert "{param}" not in error["long_message"]
    return answer.status_code, error["code"], error.get("meta", {}).get("param_name")


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    """The cookies of an answer: the name, and all that follows it."""
    lines = answer.headers.get_list("set-cookie")
    return {name: rest for name, _, rest in (line.partition("=") for line in lines)}


def later(seconds: float) -> int:
    """Seconds in the clock's unit."""
    return int(seconds * SECOND)


def _ways(to: str) -> tuple[str, str]:
    return ("email_address", "email_code") if "@" in to else ("phone_number", "phone_code")


@cache
def _signing_key() -> SigningKey:
    der = tokens.generate_key()
    return SigningKey.load(tokens.key_id(INSTANCE, der), der)
