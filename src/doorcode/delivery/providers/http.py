"""Any gateway that takes a letter by one HTTP request, which the operator writes as a template.

    {"provider": "http", "url": "https://sms.example.com/send", "method": "POST",
     "headers": {"authorization": "Bearer …"}, "json": {"to": "{{ to }}", "text": "{{ body }}"}}

A 2xx is accepted; a 4xx is never, but for 401, 402 and 403 (another provider may) and 408
and 429 (later).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jinja2
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from doorcode.delivery.interface import Letter, Taken
from doorcode.delivery.providers.options import BadOptions, read
from doorcode.delivery.providers.transport import ANSWER_SECONDS, Transport, refusal

_METHODS = ("POST", "PUT", "PATCH", "GET")
_FIELDS = ("to", "body", "subject", "html", "code", "link", "channel", "id")
_environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
_environment.globals.clear()
_environment.filters["urlencode"] = lambda text: quote(str(text), safe="")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`json`, `form` and `text` are three ways to write the body; one of them at most.

    Their strings, the headers' values and the URL are templates of to, body, subject, html,
    code, link, channel and id. `id` is the same each time that a letter is handed over.
    """

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    json: Any = None
    form: dict[str, str] | None = None
    text: str | None = None
    seconds: float = ANSWER_SECONDS


class Http:
    """A provider for every channel."""

    name = "http"
    immediate = False

    def __init__(self, given: Mapping[str, Any], transport: Transport) -> None:
        self._options = read(Options, given)
        self._transport = transport
        options = self._options
        if options.method not in _METHODS:
            raise BadOptions(f"method is {options.method!r}; it is one of {', '.join(_METHODS)}")
        if sum(part is not None for part in (options.json, options.form, options.text)) > 1:
            raise BadOptions("json, form and text are three ways to write the body; set one")
        if urlsplit(options.url).scheme not in ("http", "https"):
            raise BadOptions("url must begin with https:// (or http:// on a network you trust)")
        if not 0 < options.seconds <= 30:
            raise BadOptions("seconds is how long an answer is waited for, from 0 to 30")
        self._request(dict.fromkeys(_FIELDS, "x"))  # a template that cannot render says so now

    async def send(self, letter: Letter) -> Taken:
        values = {
            "to": letter.to,
            "body": letter.text,
            "subject": letter.subject,
            "html": letter.html,
            "code": letter.code,
            "link": letter.link,
            "channel": letter.channel,
            "id": letter.id,
        }
        url, headers, content = self._request(values)
        answer = await self._transport.ask(
            self._options.method,
            url,
            headers=headers,
            content=content,
            seconds=self._options.seconds,
        )
        if not answer.is_success:
            why = f"the gateway answered {answer.status}"
            raise refusal(answer.status, why, str(answer.status))
        return Taken()

    def _request(self, values: Mapping[str, str]) -> tuple[str, dict[str, str], bytes | None]:
        options = self._options
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        url = _render(options.url, quoted)
        # A line break of the letter would begin a header of its own.
        headers = {name: _one_line(_render(text, values)) for name, text in options.headers.items()}
        headers.setdefault("Idempotency-Key", values["id"])
        content, sort = None, ""
        if options.json is not None:
            content = msgspec.json.encode(_filled(options.json, values))
            sort = "application/json"
        elif options.form is not None:
            form = {name: _render(text, values) for name, text in options.form.items()}
            content, sort = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif options.text is not None:
            content, sort = _render(options.text, values).encode(), "text/plain; charset=utf-8"
        if sort and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = sort
        return url, headers, content


def _filled(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _render(part, values)
    if isinstance(part, dict):
        return {name: _filled(one, values) for name, one in part.items()}
    if isinstance(part, list):
        return [_filled(one, values) for one in part]
    return part


def _render(text: str, values: Mapping[str, str]) -> str:
    if "{" not in text:
        return text
    try:
        return _environment.from_string(text).render(values)
    except jinja2.TemplateError as error:
        raise BadOptions(
            f"the template {text!r} cannot be filled in ({error}); it may name "
            + ", ".join(_FIELDS)
        ) from None


def _one_line(text: str) -> str:
    return " ".join(text.split())
