"""Tickets: finding one by its text, using it up, and the sign-in tokens of an app's server.

How a sign-in or a sign-up takes a ticket, always in one unit of work with what it opens:

    ticket = await ticket.find(deps, tx, text)   refuses what opens nothing; changes nothing
    …                                            whom it is for: `user_id`, or `email`
    await ticket.use(deps, tx, ticket)           the one conditional write; refuses latecomers

`use` may come in a later unit than `find` (a sign-up that is finished tomorrow). It looks
at the time again, and of any number of users of one ticket exactly one is let in. Both
raise `Refused`, so the unit of a latecomer is taken back with whatever it had opened.
"""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.ticket import Ticket, TicketKind, TicketStatus, WaitlistStatus
from doorcode.domain.user import User
from doorcode.flows.deps import Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


async def find(deps: Deps, tx: Transaction, text: str) -> Ticket:
    """The ticket of this text, where it can be used now, or `Refused`."""
    ticket_id = deps.tickets.read(text)
    ticket = await tx.ticket(ticket_id) if ticket_id else None
    if ticket is None:
        raise Refused(errors.TICKET_INVALID)
    _expect_usable(deps, ticket)
    return ticket


async def use(deps: Deps, tx: Transaction, ticket: Ticket) -> None:
    """Use a ticket up, or `Refused` where it has run out or somebody was first.

    Whoever comes in by an invitation waits no longer: an entry of the waitlist is completed.
    """
    _expect_usable(deps, ticket)
    now = deps.now()
    if not await tx.settle_ticket(ticket.id, TicketStatus.ACCEPTED, now):
        latest = await tx.ticket(ticket.id)
        refusal = latest.why_not_use(now) if latest else None
        raise Refused(refusal or errors.TICKET_INVALID)
    entry = await tx.waitlist_entry_of(ticket.email) if ticket.email else None
    if entry and entry.status is not WaitlistStatus.COMPLETED:
        done = replace(entry, status=WaitlistStatus.COMPLETED, updated_at=now)
        await tx.save_waitlist_entry(done, entry.status)


async def account_of(tx: Transaction, ticket: Ticket) -> User | None:
    """The account that a ticket signs in; None where whoever bears it signs up."""
    if ticket.email:
        return await tx.user_by_address(ticket.email)
    return await tx.user(ticket.user_id) if ticket.user_id else None


def link(deps: Deps, ticket: Ticket) -> str:
    """Where a browser uses a ticket; whoever has this link has the ticket."""
    return f"{deps.instance.url}/v1/tickets/accept?ticket={deps.tickets.text(ticket.id)}"


# ── sign-in tokens ────────────────────────────────────────────────────────────────────
async def create_sign_in_token(deps: Deps, user_id: str, lives_for: int) -> Ticket:
    """Make a ticket that signs one account in, once, within `lives_for` milliseconds."""
    now = deps.now()
    ticket = Ticket(
        id=new_id("sit", now),
        kind=TicketKind.SIGN_IN_TOKEN,
        status=TicketStatus.PENDING,
        created_at=now,
        updated_at=now,
        expires_at=now + lives_for,
        user_id=user_id,
    )
    async with deps.storage.transaction() as tx:
        if await tx.lock_user(user_id) is None:
            raise Refused(errors.NOT_FOUND)
        await tx.add_ticket(ticket)
    return ticket


async def revoke_sign_in_token(deps: Deps, ticket_id: str) -> Ticket:
    """Take a sign-in token back. One that was used has done what it does."""
    now = deps.now()
    async with deps.storage.transaction() as tx:
        ticket = await tx.ticket(ticket_id)
        if ticket is None or ticket.kind is not TicketKind.SIGN_IN_TOKEN:
            raise Refused(errors.NOT_FOUND)
        if not await tx.settle_ticket(ticket.id, TicketStatus.REVOKED, now):
            raise Refused(errors.SIGN_IN_TOKEN_NOT_PENDING)
    return replace(ticket, status=TicketStatus.REVOKED, updated_at=now)


# ── parts ─────────────────────────────────────────────────────────────────────────────
def _expect_usable(deps: Deps, ticket: Ticket) -> None:
    refusal = ticket.why_not_use(deps.now())
    if refusal:
        raise Refused(refusal)
