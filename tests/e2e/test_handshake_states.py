"""Every state in which an app's cookies can be stale: one handshake mends it, none follows.

The app is the real @clerk/backend in Node.js, the server is `doorcode` in a process of its
own, and the browser is a cookie jar that follows redirects and counts them. What a stale
browser holds is made by hand; tokens are signed by the instance's own key.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
from tests.e2e.processes import (
    ROOT,
    Background,
    clean_environment,
    free_port,
    install,
    kept_running,
    printed_settings,
)

from doorcode import instance_keys
from doorcode.security import api_keys, master_key
from doorcode.security.tokens import SigningKey
from doorcode.server import now, open_storage
from doorcode.settings import Settings, development, production

pytestmark = pytest.mark.e2e

EXAMPLE = ROOT / "examples" / "nextjs"
APP = Path(__file__).with_name("handshake_app.mjs")
MOST_REDIRECTS = 20
DOCUMENT = {"accept": "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
HANDSHAKE = "/v1/client/handshake"

_numbers = itertools.count(100)


# ── ways to run the two ───────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Way:
    """How an app and its server stand to each other."""

    kind: str = "live"
    key_host: str = "doorcode.localhost"
    server_host: str = "localhost"
    app_host: str = "localhost"
    cookie_domain: str = ""
    command: str = "dev"

    @property
    def tls(self) -> bool:
        return bool(self.cookie_domain)

    @property
    def development(self) -> bool:
        return self.kind == "test"

    @property
    def dev_browser(self) -> bool:
        """Whether clerk-js names itself by the development browser's token."""
        return self.key_host.endswith(".accounts.dev")


WAYS = {
    "production cookies across subdomains": Way(
        key_host="clerk.shop.localhost",
        server_host="clerk.shop.localhost",
        app_host="app.shop.localhost",
        cookie_domain="shop.localhost",
    ),
    "production cookies on one host": Way(
        server_host="doorcode.localhost", app_host="doorcode.localhost", command="serve"
    ),
    "development keys": Way(kind="test", key_host="shop.clerk.accounts.dev"),
    "development keys of another host": Way(kind="test", key_host="auth.shop.test"),
}


@dataclass(frozen=True)
class Running:
    """A server and an app that are up."""

    way: Way
    server: str
    app: str
    publishable_key: str
    signing: SigningKey
    authority: str | None

    @property
    def suffix(self) -> str:
        return api_keys.cookie_suffix(self.publishable_key)


@contextmanager
def run(way: Way, home: Path, running: list[Background]) -> Iterator[Running]:
    port, app_port = free_port(), free_port()
    scheme = "https" if way.tls else "http"
    server, app = f"{scheme}://{way.server_host}:{port}", f"{scheme}://{way.app_host}:{app_port}"
    key_host = f"{way.key_host}:{port}" if way.tls else way.key_host
    key = api_keys.publishable_key(key_host, live=way.kind == "live")
    settings = {
        "DOORCODE_DATA": str(home / "data"),
        "DOORCODE_PORT": str(port),
        "DOORCODE_URL": server,
        "DOORCODE_PUBLISHABLE_KEY": key,
        "DOORCODE_COOKIE_DOMAIN": way.cookie_domain,
        "DOORCODE_LIMITS_NETWORK": "off",
        "DOORCODE_TLS": "on" if way.tls else "off",
        "DOORCODE_TEST_MODE": "on",
        "DOORCODE_ORIGINS": app,
        "DOORCODE_MASTER_KEY": master_key.generate(),
    }
    doorcode = [str(Path(sys.executable).with_name("doorcode")), way.command]
    with ExitStack() as stack:
        process = stack.enter_context(
            kept_running(
                running,
                f"doorcode {way.command}",
                doorcode,
                home / "server.log",
                env=clean_environment(**settings),
            )
        )
        process.wait_until(lambda: "CLERK_API_URL=" in process.output(), seconds=30)
        files = home / "data" / "tls"
        given = {
            "package": str(EXAMPLE / "package.json"),
            "port": app_port,
            "origin": app,
            "secretKey": printed_settings(process.output())["CLERK_SECRET_KEY"],
            # Node.js asks the system for addresses, and not every system knows *.localhost.
            "apiUrl": f"{scheme}://localhost:{port}",
            "options": {"publishableKey": key} | ({} if way.tls else {"proxyUrl": server}),
            "tls": {"cert": str(files / "server.pem"), "key": str(files / "server.key")}
            if way.tls
            else None,
        }
        trusted = {"NODE_EXTRA_CA_CERTS": str(files / "ca.pem")} if way.tls else {}
        node = stack.enter_context(
            kept_running(
                running,
                "the app",
                ["node", str(APP), json.dumps(given)],
                home / "app.log",
                env=clean_environment(**trusted),
            )
        )
        node.wait_until(lambda: "listening" in node.output(), seconds=30)
        read = production if way.command == "serve" else development
        signing = asyncio.run(_signing_key(read(settings)))
        yield Running(way, server, app, key, signing, trusted.get("NODE_EXTRA_CA_CERTS"))


async def _signing_key(settings: Settings) -> SigningKey:
    storage = open_storage(settings)
    try:
        return (await instance_keys.open_keys(storage, settings, now())).signing[0]
    finally:
        await storage.close()


@pytest.fixture(scope="module")
def places(
    running: list[Background], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Running]]:
    """Each way, started when a test first asks for it."""
    install(EXAMPLE)
    started: dict[str, Running] = {}
    with ExitStack() as stack:

        def place(name: str) -> Running:
            if name not in started:
                home = tmp_path_factory.mktemp("handshake")
                started[name] = stack.enter_context(run(WAYS[name], home, running))
            return started[name]

        yield place


# ── a browser ─────────────────────────────────────────────────────────────────────────
class _ThisMachine(httpx.HTTPTransport):
    """Finds every name under .localhost here (RFC 6761), as browsers do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        here = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,  # with the Host that was asked for
            stream=request.stream,
            extensions=request.extensions | {"sni_hostname": request.url.host},
        )
        return super().handle_request(here)


@dataclass
class Seen:
    """What came of opening a page."""

    status: str
    reason: str | None
    user: str | None
    reasons: list[str] = field(default_factory=list)

    @property
    def handshakes(self) -> int:
        return len(self.reasons)


class Visitor:
    """A browser's cookie jar, and what clerk-js would do in it."""

    def __init__(self, place: Running) -> None:
        self.place = place
        self.user = ""
        trusted = ssl.create_default_context(cafile=place.authority)
        self.http = httpx.Client(transport=_ThisMachine(verify=trusted), timeout=30)

    def open(self, **headers: str) -> Seen:
        """Load the page, following each redirect; why there were handshakes."""
        reasons: list[str] = []
        url = f"{self.place.app}/page?kept=1"
        for _ in range(MOST_REDIRECTS):
            answer = self.http.get(url, headers=DOCUMENT | headers)
            if not answer.has_redirect_location:
                assert answer.status_code == 200, answer.text
                assert url == f"{self.place.app}/page?kept=1" or not self.place.way.development
                found = answer.json()
                return Seen(found["status"], found["reason"], found["userId"], reasons)
            url = answer.headers["location"]
            if urlsplit(url).path == HANDSHAKE:
                reasons.append(str(httpx.URL(url).params["__clerk_hs_reason"]))
        raise AssertionError(f"the browser gave up after {MOST_REDIRECTS} redirects: {reasons}")

    # ── what clerk-js does ────────────────────────────────────────────────────────────
    def ask(self, path: str, _method: str = "", **fields: str) -> Any:
        """A call of clerk-js to the Frontend API; the answer's document."""
        named = {"_method": _method} if _method else {}
        if self.place.way.dev_browser:
            named["__clerk_db_jwt"] = self.cookie("__clerk_db_jwt") or ""
        answer = self.http.request(
            "POST" if fields or _method else "GET",
            f"{self.place.server}/v1{path}",
            data=fields or None,
            params=named,
            headers={"origin": self.place.app},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sign_up(self) -> None:
        """Sign up, and keep the cookies as clerk-js keeps them."""
        self.open()  # with development keys the browser gets its token by this
        phone = f"+1415555{next(_numbers):04}"
        made = self.ask("/client/sign_ups", phone_number=phone, strategy="phone_code")
        path = f"/client/sign_ups/{made['response']['id']}/attempt_verification"
        done = self.ask(path, strategy="phone_code", code="424242")
        self.user = done["response"]["created_user_id"]
        (session,) = done["client"]["sessions"]
        self.keep("__session", session["last_active_token"]["jwt"])
        if self.place.way.development:
            self.keep("__client_uat", str(done["client"]["updated_at"] // 1000))

    def sign_out(self) -> None:
        """In another tab: this page's scripts learn nothing of it."""
        self.ask("/client/sessions", _method="DELETE")

    def is_signed_in_for_scripts(self) -> bool:
        """Whether clerk-js, which asks the server itself, agrees with the app's server."""
        client = self.ask("/client")["response"]
        return bool(client and client["sessions"])

    # ── cookies of the app's host ─────────────────────────────────────────────────────
    @property
    def host(self) -> str:
        name = self.place.way.app_host
        return name if "." in name else f"{name}.local"  # http.cookiejar's way to say it

    def cookie(self, name: str) -> str | None:
        found = [c.value for c in self.http.cookies.jar if c.name == name]
        return found[0] if found else None

    def keep(self, name: str, value: str) -> None:
        for one in (name, f"{name}_{self.place.suffix}"):
            self.http.cookies.set(one, value, domain=self.host)

    def lose(self, pattern: str) -> None:
        for cookie in list(self.http.cookies.jar):
            if re.fullmatch(rf"({pattern})(_[\w-]{{8}})?", cookie.name):
                self.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)

    def tell_time(self, seconds: int) -> None:
        """Have the server's cookies tell another time."""
        for cookie in self.http.cookies.jar:
            if cookie.name.startswith("__client_uat"):
                cookie.value = str(seconds)

    def age(self, iss: str | None = None, **claims: int) -> None:
        """Hold a session token that was minted at another time, in seconds from now."""
        token = self.cookie("__session")
        assert token
        old = jwt.decode(token, options={"verify_signature": False})
        at = int(time.time())
        fresh = {**old, **{name: at + seconds for name, seconds in claims.items()}}
        fresh["iss"] = iss or old["iss"]
        head = {"kid": self.place.signing.id, "cat": jwt.get_unverified_header(token)["cat"]}
        self.keep("__session", jwt.encode(fresh, self.place.signing.private, "RS256", head))


# ── states ────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class State:
    """What a signed-in browser has lost, why it is sent to the server, what comes of it."""

    make: Callable[[Visitor], object]
    reason: str
    signed_in: bool = True
    ways: tuple[str, ...] = tuple(WAYS)


PRODUCTION = tuple(name for name, way in WAYS.items() if not way.development)
SUBDOMAINS = tuple(name for name, way in WAYS.items() if way.cookie_domain)
DEVELOPMENT = tuple(name for name, way in WAYS.items() if way.development)
EXPIRED = "session-token-expired-refresh-non-eligible-no-refresh-cookie"


def signed_out_elsewhere(visitor: Visitor) -> None:
    """Another tab has signed out; it told the cookies, and this page's session is left over."""
    token = visitor.cookie("__session") or ""
    visitor.sign_out()
    visitor.keep("__session", token)
    if visitor.place.way.development:
        visitor.lose("__client_uat")


def foreign_session(visitor: Visitor) -> None:
    """Another app on this host keeps its session under the name without a suffix."""
    visitor.age(iat=+0, exp=+50, iss="https://other.example")
    foreign = visitor.cookie("__session") or ""
    visitor.lose("__session")
    visitor.http.cookies.set("__session", foreign, domain=visitor.host)


def leftover_time(visitor: Visitor) -> None:
    """The app's host has cookies from before it shared a domain: older, so sent first."""
    kept = list(visitor.http.cookies.jar)
    visitor.http.cookies.clear()
    visitor.keep("__client_uat", "0")
    for cookie in kept:
        visitor.http.cookies.jar.set_cookie(cookie)


def revoked(visitor: Visitor) -> None:
    """The session was ended from another device: no cookie tells, the token runs out."""
    times = {c.name: c.value for c in visitor.http.cookies.jar if "uat" in c.name}
    before = httpx.Cookies(visitor.http.cookies)
    visitor.sign_out()
    visitor.http.cookies = before
    assert times == {c.name: c.value for c in visitor.http.cookies.jar if "uat" in c.name}
    visitor.age(iat=+0, exp=-10, nbf=-100)


STATES = {
    "a session, but no time": State(
        lambda visitor: visitor.lose("__client_uat"), "session-token-but-no-client-uat"
    ),
    "a time, but no session": State(
        lambda visitor: visitor.lose("__session"), "client-uat-but-no-session-token"
    ),
    "a session older than the time": State(
        lambda visitor: visitor.age(iat=-3600, nbf=-3610, exp=50),
        "session-token-iat-before-client-uat",
    ),
    "a time later than the session": State(
        lambda visitor: visitor.tell_time(int(time.time()) + 3600),
        "session-token-iat-before-client-uat",
    ),
    "an expired session token": State(
        lambda visitor: visitor.age(iat=+0, exp=-10, nbf=-100), EXPIRED
    ),
    "a session token from the future": State(
        lambda visitor: visitor.age(iat=+50, nbf=+40, exp=+100), "session-token-nbf"
    ),
    "another instance's session": State(foreign_session, "client-uat-but-no-session-token"),
    "a leftover time of the app's own host": State(
        leftover_time, "session-token-but-no-client-uat", ways=SUBDOMAINS
    ),
    "signed out elsewhere": State(
        signed_out_elsewhere, "session-token-but-no-client-uat", signed_in=False
    ),
    "revoked from another device": State(revoked, EXPIRED, signed_in=False),
    "the identity is gone": State(
        lambda visitor: visitor.lose("(__Host-)?__client|__session"),
        "client-uat-but-no-session-token",
        signed_in=False,
        ways=PRODUCTION,
    ),
    "no development browser": State(
        lambda visitor: visitor.lose("__clerk_db_jwt"), "dev-browser-missing", ways=DEVELOPMENT
    ),
    "an unknown development browser": State(
        lambda visitor: (visitor.lose("__session"), visitor.keep("__clerk_db_jwt", "unknown")),
        "client-uat-but-no-session-token",
        ways=DEVELOPMENT,
    ),
    "nothing but the time": State(
        lambda visitor: visitor.lose("__clerk_db_jwt|__session|__client"),
        "dev-browser-missing",
        signed_in=False,
        ways=DEVELOPMENT,
    ),
}
CASES = [(name, way) for name, state in STATES.items() for way in state.ways]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_one_handshake_mends_a_stale_state(
    places: Callable[[str], Running], name: str, way: str
) -> None:
    state, visitor = STATES[name], Visitor(places(way))
    visitor.sign_up()
    assert visitor.open().reasons == []
    state.make(visitor)

    first = visitor.open()
    second = visitor.open()

    assert first.reasons == [state.reason]
    assert second.reasons == []
    expected = ("signed-in", visitor.user) if state.signed_in else ("signed-out", None)
    assert (first.status, first.user) == (second.status, second.user) == expected
    assert visitor.is_signed_in_for_scripts() is state.signed_in


@pytest.mark.parametrize("way", WAYS)
def test_a_stranger_is_asked_once_at_most(places: Callable[[str], Running], way: str) -> None:
    visitor = Visitor(places(way))
    first, second = visitor.open(), visitor.open()
    asked = ["dev-browser-missing"] if WAYS[way].development else []
    assert (first.reasons, second.reasons) == (asked, [])
    assert (first.status, second.status) == ("signed-out", "signed-out")


@pytest.mark.parametrize("way", WAYS)
def test_coming_from_another_site_costs_one_handshake(
    places: Callable[[str], Running], way: str
) -> None:
    visitor = Visitor(places(way))
    visitor.sign_up()
    visitor.lose("__clerk_redirect_count")  # it lives for two seconds
    come = visitor.open(referer="https://elsewhere.example/")
    assert come.reasons == ["primary-domain-cross-origin-sync"]
    assert (come.status, come.user) == ("signed-in", visitor.user)
    assert visitor.open().reasons == []
