"""Invitations: an app's server lets an e-mail address in, whoever else is kept out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from doorcode.delivery.render import Notice, pack_notice
from doorcode.delivery.words import voice_for
from doorcode.domain import errors
from doorcode.domain.addresses import Address, Kind, Malformed, parse
from doorcode.domain.errors import Refused
from doorcode.domain.limits import DAY
from doorcode.domain.message import Message
from doorcode.domain.ticket import Listing, Ticket, TicketData, TicketKind, TicketStatus
from doorcode.flows import codes, notices
from doorcode.flows import ticket as tickets
from doorcode.flows.deps import Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction

LIVES_FOR_DAYS = 30
MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is invited. `email` is text as it was given, the rest has been checked.

    `redirect_url` is where the link leads to in the end. With `notify` the link is sent
    by e-mail; with `ignore_existing` an account or another invitation is no obstacle.
    """

    email: str
    public_metadata: Mapping[str, Any] = field(default_factory=dict)
    redirect_url: str | None = None
    notify: bool = True
    ignore_existing: bool = False
    days: int = LIVES_FOR_DAYS


async def create(deps: Deps, wanted: Sequence[Wanted]) -> list[Ticket]:
    """Invite all of them, or `Refused` and none."""
    made: list[Ticket] = []
    letters: list[Message | None] = []
    async with deps.storage.transaction() as tx:
        for one in wanted:
            ticket, letter = await invite(deps, tx, one)
            made.append(ticket)
            letters.append(letter)
    for letter in letters:
        await codes.post(deps, letter)
    return made


async def invite(deps: Deps, tx: Transaction, wanted: Wanted) -> tuple[Ticket, Message | None]:
    """Invite one, in the unit under way; the letter is for `codes.post` after that."""
    email = read_email(deps, wanted.email)
    if not deps.instance.email.used_for_sign_up:
        raise Refused(errors.INVITATIONS_UNSUPPORTED)
    if not wanted.ignore_existing:
        await _expect_new(deps, tx, email)
    if wanted.notify and not notices.can_send(deps, email):
        raise Refused(errors.EMAIL_UNDELIVERABLE)
    now = deps.now()
    ticket = Ticket(
        id=new_id("inv", now),
        kind=TicketKind.INVITATION,
        status=TicketStatus.PENDING,
        created_at=now,
        updated_at=now,
        expires_at=now + wanted.days * DAY,
        email=email,
        data=TicketData(dict(wanted.public_metadata), wanted.redirect_url),
    )
    await tx.add_ticket(ticket)
    if not wanted.notify:
        return ticket, None
    link = tickets.link(deps, ticket)
    voice = voice_for(deps.instance.texts, None)  # nobody knows yet how they speak
    packed = pack_notice(Notice.INVITATION, deps.instance.name, link, wanted.days, voice=voice)
    return ticket, await notices.write(deps, tx, ticket.id, email, packed, now + DAY)


async def revoke(deps: Deps, ticket_id: str) -> Ticket:
    """Take an invitation back, with its letter where that was not sent yet."""
    now = deps.now()
    async with deps.storage.transaction() as tx:
        ticket = await tx.ticket(ticket_id)
        if ticket is None or ticket.kind is not TicketKind.INVITATION:
            raise Refused(errors.NOT_FOUND)
        if not await withdraw(tx, ticket.id, now):
            latest = await tx.ticket(ticket_id)
            accepted = latest is not None and latest.status is TicketStatus.ACCEPTED
            refusal = errors.INVITATION_ACCEPTED if accepted else errors.INVITATION_ALREADY_REVOKED
            raise Refused(refusal)
    return replace(ticket, status=TicketStatus.REVOKED, updated_at=now)


async def withdraw(tx: Transaction, ticket_id: str, now: int) -> bool:
    """Revoke an invitation in the unit under way; False where it is no longer pending."""
    if not await tx.settle_ticket(ticket_id, TicketStatus.REVOKED, now):
        return False
    await tx.retire_attempt(ticket_id)
    return True


async def listed(deps: Deps, wanted: Listing) -> tuple[list[Ticket], int]:
    """A page of invitations, and how many there are in all."""
    async with deps.storage.reading() as tx:
        return await tx.invitations(wanted, deps.now())


def read_email(deps: Deps, text: str) -> Address:
    """An e-mail address that an app or a person gave, or `Refused`."""
    try:
        return parse(Kind.EMAIL, text, test_mode=deps.instance.test_mode)
    except Malformed:
        raise Refused(errors.EMAIL_FORMAT.about(Kind.EMAIL)) from None


async def _expect_new(deps: Deps, tx: Transaction, email: Address) -> None:
    if await tx.user_by_address(email):
        raise Refused(errors.IDENTIFIER_TAKEN.about(Kind.EMAIL))
    now = deps.now()
    for earlier in await tx.tickets_of_email(email):
        if earlier.as_of(now) is TicketStatus.PENDING:
            meta = {"email_addresses": [email.spelling]}
            raise Refused(replace(errors.DUPLICATE_INVITATION, meta=meta))
