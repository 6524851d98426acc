"""The language of the Frontend API: requests written down, answers read.

Everything but GET is a POST whose ``_method`` says what is meant, with a form body; that is what
browsers send, so it is what every server of this API understands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from doorcode.client.errors import AnswerError, ApiError, CallError, NetworkError, Problem

API_VERSION = "2026-05-12"
PREFIX = "/v1"
FORM = "application/x-www-form-urlencoded"
USER_AGENT = "doorcode-python"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the verb and address below the server's URL, the query, and what is sent.

    That is an encoded form, or the bytes of a file in place of it.
    """

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: str | None = None
    file: bytes | None = None

    def build(self, http: httpx.Client | httpx.AsyncClient, origin: str) -> httpx.Request:
        """Return the request as httpx sends it: with the client's cookies, without an Origin."""
        headers = {"accept": "application/json", "user-agent": USER_AGENT}
        url = origin + self.path
        if self.file is not None:
            files = {"file": self.file}
            return http.build_request(
                self.verb, url, params=self.query, files=files, headers=headers
            )
        if self.form is not None:
            headers["content-type"] = FORM
        return http.build_request(
            self.verb, url, params=self.query, content=self.form, headers=headers
        )


def get(path: str, *, query: Mapping[str, str] | None = None) -> Request:
    """Return a request that reads."""
    return Request("GET", PREFIX + path, {"__clerk_api_version": API_VERSION, **(query or {})})


def post(
    path: str,
    form: Mapping[str, object] | None = None,
    *,
    method: str = "POST",
    query: Mapping[str, str] | None = None,
) -> Request:
    """Return a request that changes something; ``method`` is what is meant, POST what is sent."""
    override = {} if method == "POST" else {"_method": method}
    asked = {"__clerk_api_version": API_VERSION, **override, **(query or {})}
    return Request("POST", PREFIX + path, asked, encode_form(form or {}))


def upload(path: str, file: bytes, *, query: Mapping[str, str] | None = None) -> Request:
    """Return a request that brings a file."""
    asked = {"__clerk_api_version": API_VERSION, **(query or {})}
    return Request("POST", PREFIX + path, asked, file=file)


def segment(identifier: str) -> str:
    """Return an id as one segment of a path, so that a strange id cannot change the address."""
    return quote(identifier, safe="")


def checked(noun: str, given: Mapping[str, object], fields: type) -> dict[str, object]:
    """Return the fields given, or raise ``TypeError`` for one that ``fields`` does not have.

    A misspelled field would travel to the server and be ignored there by some.
    """
    unknown = given.keys() - fields.__annotations__.keys()
    if unknown:
        raise TypeError(f"A {noun} has no field {', '.join(sorted(unknown))}")
    return {**given}


def encode_form(form: Mapping[str, object]) -> str:
    """Return the form as the wire has it: None left out, objects as JSON, lists repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in form.items():
        if value is None:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, _form_text(each)) for each in values]
    return urlencode(pairs)


def _form_text(value: object) -> str:
    if isinstance(value, bool | Mapping):
        return json.dumps(value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the object asked for, the client riding along with it, or an error."""

    resource: Any = None
    client: Mapping[str, Any] | None = None
    error: CallError | None = None


def read(reply: httpx.Response | NetworkError | None) -> Answer:
    """Return the reply taken apart; what is not of this API becomes an error, nothing is raised."""
    if not isinstance(reply, httpx.Response):
        return Answer(error=reply)
    if reply.status_code == httpx.codes.NO_CONTENT:
        return Answer()
    body = _json(reply)
    if isinstance(body, list) and reply.is_success:
        return Answer(body)
    if not isinstance(body, dict) or reply.is_redirect:
        return Answer(error=_not_our_language(reply))
    if reply.is_error:
        return Answer(client=_piggyback(body), error=_refusal(reply, body))
    return Answer(body.get("response", body), _piggyback(body))


def _json(reply: httpx.Response) -> Any:
    try:
        return reply.json()
    except (ValueError, RecursionError):
        return None


def _not_our_language(reply: httpx.Response) -> AnswerError:
    kind = reply.headers.get("content-type", "no content type").partition(";")[0]
    return AnswerError(
        f"Expected the JSON of a Frontend API from {reply.url.copy_with(query=None)}, "
        f"got status {reply.status_code} with {kind}",
        status=reply.status_code,
    )


def _piggyback(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    # On an error the client travels in ``meta``.
    meta = body.get("meta")
    client = body.get("client") or (meta.get("client") if isinstance(meta, dict) else None)
    return client if isinstance(client, dict) else None


def _refusal(reply: httpx.Response, body: Mapping[str, Any]) -> CallError:
    listed = body.get("errors")
    listed = listed if isinstance(listed, list) else []
    problems = [_problem(each) for each in listed if isinstance(each, dict)]
    if not problems:
        return _not_our_language(reply)
    trace_id = body.get("clerk_trace_id")
    return ApiError(
        *problems,
        status=reply.status_code,
        retry_after=_retry_after(reply),
        trace_id=trace_id if isinstance(trace_id, str) else None,
    )


def _problem(told: Mapping[str, Any]) -> Problem:
    meta = told.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    param_name = meta.get("param_name")
    return Problem(
        code=str(told.get("code") or "unknown_error"),
        message=str(told.get("message") or told.get("code") or "unknown error"),
        long_message=str(told.get("long_message") or ""),
        param_name=param_name if isinstance(param_name, str) else None,
        meta=meta,
    )


def _retry_after(reply: httpx.Response) -> int | None:
    told = reply.headers.get("retry-after", "")
    # Nine digits are thirty years; a longer text is a mistake, and costly to convert.
    return int(told) if told.isascii() and told.isdecimal() and len(told) <= 9 else None
