"""The waitlist: somebody asks to be let in, and an app's server decides.

    pending ──invite──▶ invited ──signs up──▶ completed
       │  ▲                │
       ╰──┴──reject──▶ rejected ──invite──▶ invited

Whoever asks is told the same whether or not the address was on the list: the id of an
entry is made from its address, so it is as new, or as old, the tenth time as the first.
"""

from __future__ import annotations

from dataclasses import replace

from doorcode.delivery.render import Notice, pack_notice
from doorcode.domain import errors
from doorcode.domain.addresses import Address
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import SignUpMode
from doorcode.domain.limits import DAY
from doorcode.domain.message import Message
from doorcode.domain.ticket import Listing, Ticket, TicketStatus, WaitlistEntry, WaitlistStatus
from doorcode.flows import codes, notices
from doorcode.flows import invitation as invitations
from doorcode.flows.deps import Deps
from doorcode.storage.interface import Conflict, Transaction

DECIDED: dict[WaitlistStatus, Refusal] = {
    WaitlistStatus.INVITED: errors.WAITLIST_INVITED,
    WaitlistStatus.COMPLETED: errors.WAITLIST_COMPLETED,
    WaitlistStatus.REJECTED: errors.WAITLIST_REJECTED,
}
PLACES = 200_000  # with all that was decided: one row costs some 200 bytes of disk
Entry = tuple[WaitlistEntry, Ticket | None]


async def join(deps: Deps, text: str) -> WaitlistEntry:
    """A person asks to be let in. Asking again changes nothing and is answered alike."""
    if deps.instance.mode is not SignUpMode.WAITLIST:
        raise Refused(errors.WAITLIST_CLOSED)
    async with deps.storage.reading() as tx:
        # Asked before the address is looked up: were only newcomers refused, it would be told
        # who is on the list.
        if await tx.count_waitlist_entries() >= PLACES:
            raise Refused(errors.WAITLIST_CLOSED)
    return await add(deps, text, notify=True)


async def add(deps: Deps, text: str, *, notify: bool) -> WaitlistEntry:
    """Put an address on the list, whoever asks for it; the entry that is there already."""
    email = invitations.read_email(deps, text)
    now = deps.now()
    entry = WaitlistEntry(
        id=deps.tickets.entry_id(email.value),
        email=email,
        status=WaitlistStatus.PENDING,
        created_at=now,
        updated_at=now,
    )
    async with deps.storage.transaction() as tx:
        earlier = await tx.waitlist_entry_of(email)
        if earlier:
            return earlier
        try:
            await tx.add_waitlist_entry(entry)
        except Conflict:  # by somebody else at the same moment, on another machine
            raise Refused(errors.STORAGE_BUSY) from None
        letter = await _confirmation(deps, tx, entry) if notify else None
    await codes.post(deps, letter)
    return entry


async def invite(deps: Deps, entry_id: str, *, ignore_existing: bool) -> Entry:
    """Invite somebody who waits; again, where the earlier invitation is worth nothing."""
    now = deps.now()
    async with deps.storage.transaction() as tx:
        entry, earlier = await _entry(tx, entry_id)
        usable = earlier is not None and earlier.as_of(now) is TicketStatus.PENDING
        invited = usable and entry.status is WaitlistStatus.INVITED
        if invited or entry.status is WaitlistStatus.COMPLETED:
            raise Refused(DECIDED[entry.status])
        wanted = invitations.Wanted(entry.email.spelling, ignore_existing=ignore_existing)
        ticket, letter = await invitations.invite(deps, tx, wanted)
        status, was = WaitlistStatus.INVITED, entry.status
        entry = replace(entry, status=status, invitation_id=ticket.id, updated_at=now)
        await _save(tx, entry, was)
    await codes.post(deps, letter)
    return entry, ticket


async def reject(deps: Deps, entry_id: str) -> Entry:
    """Keep somebody out who waits; an invitation that was not used yet is revoked."""
    now = deps.now()
    async with deps.storage.transaction() as tx:
        entry, ticket = await _entry(tx, entry_id)
        if entry.status in (WaitlistStatus.COMPLETED, WaitlistStatus.REJECTED):
            raise Refused(DECIDED[entry.status])
        if ticket and await invitations.withdraw(tx, ticket.id, now):
            ticket = replace(ticket, status=TicketStatus.REVOKED, updated_at=now)
        was = entry.status
        entry = replace(entry, status=WaitlistStatus.REJECTED, updated_at=now)
        await _save(tx, entry, was)
    return entry, ticket


async def delete(deps: Deps, entry_id: str) -> None:
    """Forget somebody who waits and about whom nothing was decided."""
    async with deps.storage.transaction() as tx:
        entry, _ = await _entry(tx, entry_id)
        if not await tx.delete_waitlist_entry(entry.id):
            raise Refused(DECIDED.get(entry.status, errors.STORAGE_BUSY))
        await tx.retire_attempt(entry.id)


async def listed(deps: Deps, wanted: Listing) -> tuple[list[Entry], int]:
    """A page of entries with their invitations, and how many entries there are in all."""
    async with deps.storage.reading() as tx:
        entries, total = await tx.waitlist_entries(wanted)
        return [(entry, await _invitation(tx, entry)) for entry in entries], total


# ── parts ─────────────────────────────────────────────────────────────────────────────
async def _entry(tx: Transaction, entry_id: str) -> Entry:
    entry = await tx.waitlist_entry(entry_id)
    if entry is None:
        raise Refused(errors.NOT_FOUND)
    return entry, await _invitation(tx, entry)


async def _invitation(tx: Transaction, entry: WaitlistEntry) -> Ticket | None:
    return await tx.ticket(entry.invitation_id) if entry.invitation_id else None


async def _save(tx: Transaction, entry: WaitlistEntry, was: WaitlistStatus) -> None:
    if not await tx.save_waitlist_entry(entry, was):  # decided meanwhile, on another machine
        latest = await tx.waitlist_entry(entry.id)
        raise Refused(
            DECIDED.get(latest.status, errors.STORAGE_BUSY) if latest else errors.NOT_FOUND
        )


async def _confirmation(deps: Deps, tx: Transaction, entry: WaitlistEntry) -> Message | None:
    """A word that one is on the list; where no mail can be sent, one is told by the page."""
    email: Address = entry.email
    if not notices.can_send(deps, email):
        return None
    packed = pack_notice(Notice.WAITLIST, deps.instance.name)
    return await notices.write(deps, tx, entry.id, email, packed, deps.now() + DAY)
