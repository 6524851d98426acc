"""Turns templates into answers, and puts on every answer what protects it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import jinja2

from doorcode.domain.errors import Refusal
from doorcode.domain.origins import origin_of
from doorcode.web.door import Door
from doorcode.web.http import Response
from doorcode.web.pages import static, words

HTML = "text/html; charset=utf-8"
CHALLENGES = "https://challenges.cloudflare.com"

_TITLES = {403: "Not allowed", 404: "Not found", 429: "One moment", 503: "One moment"}

# In a page they are errors (HTML, 13.2.3.5); for whoever reads it in a terminal they do things.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _without_controls(value: Any) -> Any:
    """What a template puts into a page; somebody may have typed it."""
    if isinstance(value, str) and _CONTROLS.search(value):
        return type(value)(_CONTROLS.sub("", value))
    return value


_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("doorcode.web.pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    finalize=_without_controls,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["static"] = static.url
_templates.globals["challenge_script"] = f"{CHALLENGES}/turnstile/v0/api.js"
_templates.filters["ago"] = words.ago
_templates.filters["moment"] = words.moment
_templates.filters["machine_moment"] = words.machine_moment
_templates.filters["duration"] = words.duration


def page(
    door: Door,
    template: str,
    *,
    status: int = 200,
    target: str | None = None,
    retry_after: int | None = None,
    widget: str | None = None,
    **values: Any,
) -> Response:
    """A page. `target` is where its forms may lead to in the end, besides to this server.

    `widget` is the key of a challenge that is shown on it: the one script that runs here.
    """
    instance = door.deps.instance
    values |= {
        "name": instance.name,
        "development": instance.development,
        "urls": instance.urls,
        "widget": widget,
    }
    text = _templates.get_template(template).render(values)
    response = Response(status, text.encode(), HTML)
    response.headers["content-security-policy"] = _policy(target, with_challenge=bool(widget))
    if retry_after is not None:
        response.headers["retry-after"] = str(retry_after)
    return response


def refused(door: Door, refusal: Refusal) -> Response:
    """A page that says why there is nothing to see."""
    return page(
        door,
        "error.html",
        status=refusal.status,
        retry_after=refusal.retry_after,
        title=_TITLES.get(refusal.status, "That did not work"),
        words=words.say(refusal),
        code=refusal.code,
    )


def protect(response: Response) -> None:
    """Headers that every answer of the pages carries.

    The referrer is kept for our own forms. With `no-referrer` browsers would send
    `Origin: null` along with them, which is what a hostile sandbox sends too.
    """
    headers = response.headers
    headers.setdefault("content-security-policy", _policy(None))
    headers.setdefault("cache-control", "no-store")
    headers["referrer-policy"] = "same-origin"
    headers["x-frame-options"] = "DENY"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"


def _policy(target: str | None, *, with_challenge: bool = False) -> str:
    """No script, nothing inline, nothing from elsewhere (Content Security Policy, level 3).

    A challenge is Cloudflare's script and its frame; both hosts are theirs, so what is
    injected into a page still finds nothing of its own to run.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"form-action 'self'{_form_source(target)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            *([f"script-src {CHALLENGES}", f"frame-src {CHALLENGES}"] if with_challenge else ()),
        )
    )


def _form_source(target: str | None) -> str:
    """The redirect's origin: Chromium holds `form-action` against redirects as well."""
    origin = origin_of(target) if target else None
    if origin is None:
        return ""
    # The policy has no way to write an IPv6 address; it can only occur in development.
    return f" {urlsplit(origin).scheme}:" if "[" in origin else f" {origin}"
