"""`/v1/sign_in_tokens`, `/v1/invitations` and `/v1/waitlist_entries` of the Backend API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.limits import DAY, SECOND
from doorcode.domain.ticket import Ticket, TicketStatus, WaitlistEntry, WaitlistStatus
from doorcode.flows import invitation as invitations
from doorcode.flows import ticket as tickets
from doorcode.flows import waitlist
from doorcode.web import redirects
from doorcode.web.backend_json import (
    Fields,
    Handler,
    answer,
    guarded,
    read_fields,
    read_list,
    read_listing,
)
from doorcode.web.door import Door
from doorcode.web.wire import Json

LIVES_FOR_SECONDS = 30 * DAY // SECOND
MOST_SECONDS = invitations.MOST_DAYS * DAY // SECOND
MOST_INVITED = 10
MOST_WAITING = 50
TEMPLATES = ("invitation", "waitlist_invitation")


def routes(door: Door) -> list[Route]:
    """Every URL about tickets and the waitlist."""
    api = _Tickets(door)
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/v1/sign_in_tokens", api.create_sign_in_token),
        ("POST", "/v1/sign_in_tokens/{id}/revoke", api.revoke_sign_in_token),
        ("GET", "/v1/invitations", api.list_invitations),
        ("POST", "/v1/invitations", api.create_invitation),
        ("POST", "/v1/invitations/bulk", api.create_invitations),
        ("POST", "/v1/invitations/{id}/revoke", api.revoke_invitation),
        ("GET", "/v1/waitlist_entries", api.list_entries),
        ("POST", "/v1/waitlist_entries", api.create_entry),
        ("POST", "/v1/waitlist_entries/bulk", api.create_entries),
        ("POST", "/v1/waitlist_entries/{id}/invite", api.invite_entry),
        ("POST", "/v1/waitlist_entries/{id}/reject", api.reject_entry),
        ("DELETE", "/v1/waitlist_entries/{id}", api.delete_entry),
    ]
    return [Route(path, guarded(door, do), methods=[method]) for method, path, do in table]


class _Tickets:
    def __init__(self, door: Door) -> None:
        self._door = door

    # ── sign-in tokens ────────────────────────────────────────────────────────────────
    async def create_sign_in_token(self, request: Request) -> Response:
        """Make a ticket that signs one account in, once."""
        fields = (await read_fields(request)).only("user_id", "org_id", "expires_in_seconds")
        user_id = fields.needed_text("user_id")
        if fields.text("org_id"):
            raise Refused(errors.ORGANIZATIONS_DISABLED)
        seconds = fields.whole("expires_in_seconds", LIVES_FOR_SECONDS, MOST_SECONDS)
        ticket = await tickets.create_sign_in_token(self._door.deps, user_id, seconds * SECOND)
        return answer(self._sign_in_token(ticket, is_new=True))

    async def revoke_sign_in_token(self, request: Request) -> Response:
        """Take a sign-in token back."""
        ticket = await tickets.revoke_sign_in_token(self._door.deps, request.path_params["id"])
        return answer(self._sign_in_token(ticket))

    # ── invitations ───────────────────────────────────────────────────────────────────
    async def list_invitations(self, request: Request) -> Response:
        """A page of invitations."""
        wanted = read_listing(request, TicketStatus, ("created_at", "email_address", "expires_at"))
        found, total = await invitations.listed(self._door.deps, wanted)
        documents = [self._invitation(ticket) for ticket in found]
        if request.query_params.get("paginated") == "true":
            return answer({"data": documents, "total_count": total})
        return answer(documents)

    async def create_invitation(self, request: Request) -> Response:
        """Invite an address."""
        wanted = self._wanted(await read_fields(request))
        (ticket,) = await invitations.create(self._door.deps, [wanted])
        return answer(self._invitation(ticket, is_new=True))

    async def create_invitations(self, request: Request) -> Response:
        """Invite several addresses, or none."""
        wanted = [self._wanted(fields) for fields in await read_list(request, MOST_INVITED)]
        made = await invitations.create(self._door.deps, wanted)
        return answer([self._invitation(ticket, is_new=True) for ticket in made])

    async def revoke_invitation(self, request: Request) -> Response:
        """Take an invitation back."""
        ticket = await invitations.revoke(self._door.deps, request.path_params["id"])
        return answer(self._invitation(ticket))

    def _wanted(self, fields: Fields) -> invitations.Wanted:
        fields.only(
            "email_address",
            "public_metadata",
            "redirect_url",
            "notify",
            "ignore_existing",
            "expires_in_days",
            "template_slug",
        )
        if fields.text("template_slug") not in (None, *TEMPLATES):
            raise Refused(errors.PARAM_VALUE.about("template_slug"))
        redirect_url = fields.text("redirect_url")
        if redirect_url:
            # An address of another site would lend our name to it, in a letter that we send.
            redirect_url = redirects.allowed_target(self._door.boundary, redirect_url)
            if redirect_url is None or redirect_url.startswith("/"):
                raise Refused(errors.REDIRECT_INVALID)
        return invitations.Wanted(
            email=fields.needed_text("email_address"),
            public_metadata=fields.mapping("public_metadata"),
            redirect_url=redirect_url or None,
            notify=fields.switch("notify", default=True),
            ignore_existing=fields.switch("ignore_existing", default=False),
            days=fields.whole("expires_in_days", invitations.LIVES_FOR_DAYS, invitations.MOST_DAYS),
        )

    # ── the waitlist ──────────────────────────────────────────────────────────────────
    async def list_entries(self, request: Request) -> Response:
        """A page of those who wait."""
        orders = ("created_at", "email_address", "invited_at")
        wanted = read_listing(request, WaitlistStatus, orders)
        found, total = await waitlist.listed(self._door.deps, wanted)
        return answer({"data": [self._entry(*one) for one in found], "total_count": total})

    async def create_entry(self, request: Request) -> Response:
        """Put an address on the list."""
        text, notify = _read_entry(await read_fields(request))
        return answer(self._entry(await waitlist.add(self._door.deps, text, notify=notify), None))

    async def create_entries(self, request: Request) -> Response:
        """Put several addresses on the list."""
        wanted = [_read_entry(fields) for fields in await read_list(request, MOST_WAITING)]
        texts = [invitations.read_email(self._door.deps, text).value for text, _ in wanted]
        if len(set(texts)) < len(texts):
            raise Refused(errors.PARAM_DUPLICATE.about("email_address"))
        made = [await waitlist.add(self._door.deps, text, notify=notify) for text, notify in wanted]
        return answer([self._entry(entry, None) for entry in made])

    async def invite_entry(self, request: Request) -> Response:
        """Invite somebody who waits."""
        fields = (await read_fields(request)).only("ignore_existing")
        ignore = fields.switch("ignore_existing", default=False)
        entry_id = request.path_params["id"]
        entry, ticket = await waitlist.invite(self._door.deps, entry_id, ignore_existing=ignore)
        return answer(self._entry(entry, ticket, is_new=True))

    async def reject_entry(self, request: Request) -> Response:
        """Keep somebody out who waits."""
        entry, ticket = await waitlist.reject(self._door.deps, request.path_params["id"])
        return answer(self._entry(entry, ticket))

    async def delete_entry(self, request: Request) -> Response:
        """Forget somebody who waits."""
        entry_id = request.path_params["id"]
        await waitlist.delete(self._door.deps, entry_id)
        return answer({"object": "waitlist_entry", "id": entry_id, "deleted": True})

    # ── documents ─────────────────────────────────────────────────────────────────────
    def _sign_in_token(self, ticket: Ticket, *, is_new: bool = False) -> Json:
        return {
            "object": "sign_in_token",
            "id": ticket.id,
            "user_id": ticket.user_id,
            "status": ticket.status,
            **({"token": self._door.deps.tickets.text(ticket.id)} if is_new else {}),
            "url": self._link(ticket) if is_new else None,
            "created_at": ticket.created_at,
            "updated_at": ticket.updated_at,
        }

    def _invitation(self, ticket: Ticket, *, is_new: bool = False) -> Json:
        status = ticket.as_of(self._door.deps.now())
        return {
            "object": "invitation",
            "id": ticket.id,
            "email_address": ticket.email.spelling if ticket.email else "",
            "public_metadata": ticket.data.public_metadata,
            "revoked": status is TicketStatus.REVOKED,
            "status": status,
            **({"url": self._link(ticket)} if is_new else {}),
            "expires_at": ticket.expires_at,
            "created_at": ticket.created_at,
            "updated_at": ticket.updated_at,
        }

    def _entry(self, entry: WaitlistEntry, ticket: Ticket | None, *, is_new: bool = False) -> Json:
        return {
            "object": "waitlist_entry",
            "id": entry.id,
            "email_address": entry.email.spelling,
            "status": entry.status,
            "is_locked": False,
            "invitation": self._invitation(ticket, is_new=is_new) if ticket else None,
            "created_at": entry.created_at,
            "updated_at": entry.updated_at,
        }

    def _link(self, ticket: Ticket) -> str:
        """Only told to whoever made it: a list is passed on, and the link is a key."""
        return tickets.link(self._door.deps, ticket)


def _read_entry(fields: Fields) -> tuple[str, bool]:
    fields.only("email_address", "notify")
    return fields.needed_text("email_address"), fields.switch("notify", default=True)
