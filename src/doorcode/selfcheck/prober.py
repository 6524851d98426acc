"""The wire, as somebody outside speaks it: visitors with a cookie each, and one server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx

from doorcode.selfcheck.pace import Pace
from doorcode.selfcheck.refusals import CannotRun, Stopped

PATIENCE = 30.0  # seconds, for one answer
REFUSALS_TAKEN = 25  # answers of 429 to one request before the check gives up
LONGEST_WAIT = 60  # seconds; wrong codes are counted for an hour, whoever has a testing token
TESTING_TOKEN = "__clerk_testing_token"  # noqa: S105 - the parameter's name
LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.[0-9]{1,3}){3}|::1")

# Per network address; what the server says in `Retry-After` is kept beside it.
SEND = "codes.send"
LIMITS = {
    "sign_ins.create": (5, 10.0),
    "sign_ups.create": (5, 10.0),
    "sign_ins.attempt": (3, 10.0),
    "sign_ups.attempt": (3, 10.0),
    SEND: (10, 10.0),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `seconds` from the request's first byte to the answer's last."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Any
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether what was asked for was done."""
        return self.status == 200

    @property
    def code(self) -> str:
        """The refusal's public code; empty where nothing was refused."""
        return str(self._error.get("code", ""))

    @property
    def said(self) -> str:
        """The answer in two words, for a person."""
        return f"{self.status} {self.code}".strip()

    @property
    def resource(self) -> dict[str, Any]:
        """The object asked for; empty where there is none."""
        found = self.body.get("response") if isinstance(self.body, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def id(self) -> str:
        """The id of that object."""
        return str(self.resource.get("id", ""))

    @property
    def locked_for(self) -> int | None:
        """In how many seconds a lock is said to end; None where that is not said."""
        meta = self._error.get("meta") or {}
        told = str(meta.get("lockout_expires_in_seconds", dict(self.headers).get("retry-after")))
        return int(told) if told.isdecimal() else None

    @property
    def _error(self) -> dict[str, Any]:
        errors = self.body.get("errors") if isinstance(self.body, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else {}
        return first if isinstance(first, dict) else {}

    def expect_ok(self, what: str) -> Answer:
        """The answer, or `Stopped` where a step failed that the row only needs on its way."""
        if not self.ok:
            raise Stopped(f"{what} was answered with {self.said}")
        return self


class Prober:
    """One server, asked by many. `clock` is in seconds; it and `sleep` are given by tests."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        origin: str | None = None,
        secret_key: str | None = None,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        # One connection pool for all visitors, so no jar: it would make one person of them.
        http.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._origin = {"origin": origin} if origin else {}
        # Packed bodies of one length have many: random ids would seem to tell something.
        http.headers["accept-encoding"] = "identity"
        self._secret_key = secret_key
        self._paces = {name: Pace(*limit, clock, sleep) for name, limit in LIMITS.items()}
        self._testing: dict[str, str] = {}
        self.clock, self.sleep = clock, sleep

    def visitor(self, token: str | None = None) -> Visitor:
        """Somebody who was never here, or who holds a copy of a client's cookie."""
        return Visitor(self, token)

    @property
    def is_held_back(self) -> bool:
        """Whether the limits per network address must be kept."""
        return not self._testing

    @property
    def has_secret_key(self) -> bool:
        """Whether the operator's view can be asked for."""
        return self._secret_key is not None

    async def ask_for_testing_token(self) -> None:
        """Pass the limits per network address, where the server lets its operator do so."""
        if self._secret_key is None:
            return
        host = self._http.base_url.host
        if self._http.base_url.scheme != "https" and not LOOPBACK.fullmatch(host):
            raise CannotRun(f"The secret key is not sent to {host} over http; name its https URL.")
        answer = await self.operator("POST", "/v1/testing_tokens")
        if answer.status == 401:
            raise CannotRun("The secret key is not one of this server.")
        if answer.ok and isinstance(answer.body, dict) and answer.body.get("token"):
            self._testing = {TESTING_TOKEN: str(answer.body["token"])}

    async def operator(self, method: str, path: str) -> Answer:
        """Ask the Backend API by the secret key."""
        headers = {"authorization": f"Bearer {self._secret_key}"}
        return (await self.send(method, path, {}, None, headers))[0]

    async def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None,
        cookie: str | None,
        limit: str | None = None,
    ) -> tuple[Answer, httpx.Response]:
        """Ask the Frontend API as a browser or an SDK does; wait where the server says so."""
        headers = dict(self._origin)
        if cookie:
            headers["cookie"] = f"__client={cookie}"
        query = dict(self._testing)
        if method not in ("GET", "POST"):
            query["_method"], method = method, "POST"
        pace = self._paces.get(limit or "")
        for _ in range(REFUSALS_TAKEN):
            if pace:
                await pace.wait()
            answer, reply = await self.send(method, path, query, form, headers)
            if answer.status != 429:
                return answer, reply
            wait = dict(answer.headers).get("retry-after", "")
            seconds = int(wait) if wait.isdecimal() else 10
            if seconds > LONGEST_WAIT:
                minutes = -(-seconds // 60)
                raise Stopped(f"{path}: too much was asked from this address; {minutes} min left")
            if pace:
                pace.keep(seconds)
            else:
                await self.sleep(seconds)
        raise CannotRun(f"{path} was refused {REFUSALS_TAKEN} times by the limits per address.")

    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> tuple[Answer, httpx.Response]:
        """One request, and its answer with the time that it took."""
        begun = self.clock()
        try:
            reply = await self._http.request(
                method, path, params=query, data=form, headers=headers, follow_redirects=False
            )
        except httpx.RequestError as error:
            raise CannotRun(_unreachable(self._http.base_url, error)) from error
        taken = self.clock() - begun
        lines = tuple((name.lower(), value) for name, value in reply.headers.multi_items())
        return Answer(reply.status_code, lines, _document(reply), taken), reply


class Visitor:
    """Somebody at the server's door. The cookie is held by hand: no jar's rules decide here."""

    def __init__(self, prober: Prober, token: str | None) -> None:
        self._prober = prober
        self.token = token

    async def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        limit: str | None = None,
    ) -> Answer:
        """One request, with the cookie as it is now; a new cookie is kept."""
        answer, reply = await self._prober.ask(method, path, form, self.token, limit)
        for line in reply.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            if name.strip() == "__client":
                self.token = rest.partition(";")[0] or None
        return answer

    async def start(self, identifier: str, **form: str) -> Answer:
        """Begin to sign in."""
        fields = {"identifier": identifier, **form}
        return await self.ask("POST", "/v1/client/sign_ins", fields, "sign_ins.create")

    async def send_code(self, attempt: str, strategy: str) -> Answer:
        """Ask for a code to sign in."""
        path = f"/v1/client/sign_ins/{quote(attempt)}/prepare_first_factor"
        return await self.ask("POST", path, {"strategy": strategy}, SEND)

    async def type_code(self, attempt: str, strategy: str, code: str) -> Answer:
        """Type a code to sign in."""
        path = f"/v1/client/sign_ins/{quote(attempt)}/attempt_first_factor"
        form = {"strategy": strategy, "code": code}
        return await self.ask("POST", path, form, "sign_ins.attempt")

    async def start_sign_up(self, form: Mapping[str, str]) -> Answer:
        """Begin to sign up."""
        return await self.ask("POST", "/v1/client/sign_ups", form, "sign_ups.create")

    async def send_sign_up_code(self, attempt: str, strategy: str) -> Answer:
        """Ask for a code to sign up."""
        path = f"/v1/client/sign_ups/{quote(attempt)}/prepare_verification"
        return await self.ask("POST", path, {"strategy": strategy}, SEND)

    async def type_sign_up_code(self, attempt: str, strategy: str, code: str) -> Answer:
        """Type a code to sign up."""
        path = f"/v1/client/sign_ups/{quote(attempt)}/attempt_verification"
        form = {"strategy": strategy, "code": code}
        return await self.ask("POST", path, form, "sign_ups.attempt")


def _document(reply: httpx.Response) -> Any:
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        return reply.text


def _unreachable(url: httpx.URL, error: httpx.RequestError) -> str:
    text = str(error) or type(error).__name__
    if "SSL" in text or "CERTIFICATE" in text.upper():
        return (
            f"TLS with {url.host} failed: {text}. "
            "Where the certificate is of an authority of your own, SSL_CERT_FILE names it."
        )
    return f"{url} does not answer: {text.rstrip('.')}."
