"""Any gateway that takes a letter by one HTTP request, which the operator writes as a template.

    {"provider": "http", "url": "https://sms.example.com/send", "method": "POST",
     "headers": {"authorization": "Bearer …"}, "json": {"to": "{{ to }}", "text": "{{ body }}"},
     "receipts": {"secret": "env:GATEWAY_SECRET"}}

A 2xx is accepted; a 4xx is never, but for 408 and 429 (later) and those that say that the
setting is wrong (another provider may): 401, 402, 403, 404, 405, 415 and whatever leads
elsewhere. `docs/providers.md` says how a gateway signs its receipts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from doorcode.delivery.interface import (
    Callback,
    Foreign,
    Letter,
    Receipt,
    State,
    Taken,
    TryElsewhere,
)
from doorcode.delivery.providers.answers import text as text_at
from doorcode.delivery.providers.options import BadOptions, RouteOptions, expect_url, read
from doorcode.delivery.providers.transport import ANSWER_SECONDS, Transport, refusal

_METHODS = ("POST", "PUT", "PATCH", "GET")
_FIELDS = ("to", "body", "subject", "html", "code", "link", "channel", "id", "callback_url")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110, 5.6.2
# Two answers to where a request ends are how one is smuggled in behind another.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_IDEMPOTENCY = "idempotency-key"
_SIGNATURE = "doorcode-signature"
_TOLD = {
    state.value: state
    for state in (
        State.ACCEPTED,
        State.SENT,
        State.DELIVERED,
        State.UNDELIVERED,
        State.FAILED,
        State.EXPIRED,
    )
}


def _environment(**options: Any) -> jinja2.Environment:
    made = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, **options)
    made.globals.clear()
    return made


def _quoted(value: object) -> str:
    return quote(str(value), safe="")


_plain = _environment()
_plain.filters["urlencode"] = _quoted
# In an address whatever is filled in is quoted: a number cannot add a parameter, or a path.
_address = _environment(finalize=_quoted)
_address.filters["urlencode"] = str


class Receipts(RouteOptions, frozen=True, forbid_unknown_fields=True):
    """How a gateway's receipts are signed."""

    secret: str


class Options(RouteOptions, frozen=True, forbid_unknown_fields=True):
    """`json`, `form` and `text` are three ways to write the body; one of them at most.

    Their strings, the headers' values and the URL are templates of to, body, subject, html,
    code, link, channel, id and callback_url. `id` is the same each time that a letter is
    handed over.
    """

    url: str
    method: str = "POST"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    json: Any = None
    form: dict[str, str] | None = None
    text: str | None = None
    seconds: float = ANSWER_SECONDS
    receipts: Receipts | None = None


class Http:
    """A provider for every channel."""

    name = "http"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = read(Options, given)
        self._transport = transport
        options = self._options
        expect_url(options.url)
        if options.method not in _METHODS:
            raise BadOptions(f"method is {options.method!r}; it is one of {', '.join(_METHODS)}")
        if sum(part is not None for part in (options.json, options.form, options.text)) > 1:
            raise BadOptions("json, form and text are three ways to write the body; set one")
        if not 0 < options.seconds <= 30:
            raise BadOptions("seconds is how long an answer is waited for, from 0 to 30")
        if options.receipts and len(options.receipts.secret) < 16:
            raise BadOptions("receipts.secret is 16 characters at least; make it with a generator")
        for name in options.headers:
            if not _HEADER.fullmatch(name) or name.lower() in _OURS:
                raise BadOptions(f"headers: {name!r} cannot be set")
        self._request(dict.fromkeys(_FIELDS, "x"))  # a template that cannot render says so now

    async def send(self, letter: Letter) -> Taken:
        options = self._options
        try:
            url, headers, content = self._request(_values(letter))
        except BadOptions:
            # It could be filled in with an x: this letter has a part less, such as no link.
            raise TryElsewhere("a template of the route does not fit such a letter") from None
        answer = await self._transport.ask(
            options.method, url, headers=headers, content=content, seconds=options.seconds
        )
        if not answer.is_success:
            why = f"the gateway answered {answer.status}"
            raise refusal(answer.status, why, str(answer.status))
        return Taken(letter.id if options.receipts else "")

    def receipts(self, callback: Callback) -> list[Receipt]:
        """`{"id", "state", "code", "why"}`, signed as `docs/providers.md` says."""
        if self._options.receipts is None:
            raise Foreign("no receipts are expected; set receipts to a map with a secret")
        secret = self._options.receipts.secret.encode()
        signature = callback.headers.get(_SIGNATURE, "").removeprefix("sha256=")
        right = hmac.digest(secret, callback.body, hashlib.sha256).hex()
        if not hmac.compare_digest(right.encode(), signature.lower().encode()):
            raise Foreign("its signature is not by this secret, or its body is another")
        try:
            told = msgspec.json.decode(callback.body)
        except (msgspec.DecodeError, RecursionError):
            return []
        ref, state = text_at(told, "id"), _TOLD.get(text_at(told, "state"))
        if not ref or state is None:
            return []
        return [Receipt(ref, state, code=text_at(told, "code")[:40], why=text_at(told, "why"))]

    def _request(self, values: Mapping[str, str]) -> tuple[str, dict[str, str], bytes | None]:
        options = self._options
        url = _render("url", options.url, values, _address)
        headers = {
            name.lower(): _one_line(_render(f"headers.{name}", text, values))
            for name, text in options.headers.items()
        }
        headers.setdefault(_IDEMPOTENCY, values["id"])
        content, sort = None, ""
        if options.json is not None:
            content = msgspec.json.encode(_filled("json", options.json, values))
            sort = "application/json"
        elif options.form is not None:
            form = _filled("form", options.form, values)
            content, sort = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif options.text is not None:
            content = _render("text", options.text, values).encode()
            sort = "text/plain; charset=utf-8"
        if sort:
            headers.setdefault("content-type", sort)
        return url, headers, content


def _values(letter: Letter) -> dict[str, str]:
    return {
        "to": letter.to,
        "body": letter.text,
        "subject": letter.subject,
        "html": letter.html,
        "code": letter.code,
        "link": letter.link,
        "channel": letter.channel,
        "id": letter.id,
        "callback_url": letter.callback_url,
    }


def _filled(where: str, part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _render(where, part, values)
    if isinstance(part, dict):
        return {name: _filled(f"{where}.{name}", one, values) for name, one in part.items()}
    if isinstance(part, list):
        return [_filled(f"{where}.{number}", one, values) for number, one in enumerate(part)]
    return part


@lru_cache(maxsize=256)
def _compiled(text: str, environment: jinja2.Environment) -> jinja2.Template:
    return environment.from_string(text)


def _render(
    where: str,
    text: str,
    values: Mapping[str, str],
    environment: jinja2.Environment = _plain,
) -> str:
    """The template filled in, or `BadOptions`: it names the place and not what stands there,
    which may be a credential, or what the letter says."""
    if "{" not in text:
        return text
    try:
        return _compiled(text, environment).render(values)
    except jinja2.UndefinedError as error:
        why = str(error.message)
    except Exception as error:  # noqa: BLE001 - whatever an expression may raise
        why = type(error).__name__
    raise BadOptions(
        f"the template of {where} cannot be filled in ({why}); it may name {', '.join(_FIELDS)}"
    )


def _one_line(text: str) -> str:
    """A header's value. A line break of the letter would begin a header of its own."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return quote(line, safe=string.printable)
