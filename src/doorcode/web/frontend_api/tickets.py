"""`/v1/tickets/accept`: where the link of a ticket leads."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.origins import origin_of
from doorcode.domain.ticket import Ticket
from doorcode.flows import client as clients
from doorcode.flows import ticket as story
from doorcode.web import redirects
from doorcode.web.door import Door
from doorcode.web.errors import respond
from doorcode.web.http import Request, Response
from doorcode.web.pages import render

# status: the setting that names the app's page, and our own page
_PAGES = {
    "sign_up": ("sign_up_url", "/ticket"),
    "sign_in": ("sign_in_url", "/ticket"),
    "complete": ("after_sign_in_url", "/"),
}
_OURS = ("__clerk_ticket", "__clerk_status")


async def accept(door: Door, request: Request) -> Response:
    """Send a browser on to where its ticket is used, with the ticket.

    Nothing is used up here: mail programs follow links before their readers do.
    """
    text = request.query.get("ticket", "")
    try:
        status, target = await _where(door, request, text)
    except Refused as refused:
        return _refused(door, request, refused)
    response = redirects.to(_with(target, {"__clerk_ticket": text, "__clerk_status": status}))
    response.headers["referrer-policy"] = "no-referrer"
    return response


async def _where(door: Door, request: Request, text: str) -> tuple[str, str]:
    """What is next for the bearer of a ticket, by the SDKs' word for it, and on which page."""
    deps = door.deps
    async with deps.storage.reading() as tx:
        ticket = await story.find(deps, tx, text)
        account = await story.account_of(tx, ticket)
    status = "sign_in" if account else "sign_up"
    if account:
        view = await clients.show(deps, await door.caller(request))
        if view and any(user.id == account.id for _, user in view.sessions):
            status = "complete"
    return status, _target(door, ticket, status)


def _target(door: Door, ticket: Ticket, status: str) -> str:
    """The invitation's own page, where it is still allowed; or ours."""
    wanted = ticket.data.redirect_url
    if wanted:
        # Once more: an origin may have been taken off the list since the invitation.
        target = redirects.allowed_target(door.boundary, wanted)
        if target is None:
            raise Refused(errors.REDIRECT_INVALID)
        return target
    name, path = _PAGES[status]
    return _app_page(door, name) or f"{door.boundary.url}{path}"


def _app_page(door: Door, name: str) -> str | None:
    """A page of the app as the operator has named it; a bare path lies beside its home."""
    urls = door.deps.instance.urls
    named, home = urls.get(name, ""), urls.get("home_url", "")
    if not named and name != "after_sign_in_url":
        return None  # the app's home would not know what to do with a ticket
    page = urljoin(home, named)
    return page if origin_of(page) else None


def _with(url: str, fields: dict[str, str]) -> str:
    """The URL with more in its query; both values are safe in a URL as they are."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.split("=")[0] not in _OURS]
    query = "&".join([*kept, *(f"{name}={value}" for name, value in fields.items())])
    return parts._replace(query=query).geturl()


def _refused(door: Door, request: Request, refused: Refused) -> Response:
    """A page for the person who followed a link, a document for a program."""
    if "text/html" not in request.headers.get("accept", ""):
        return respond(refused.refusal)
    page = render.refused(door, refused.refusal)
    render.protect(page)
    return page
