"""Tickets: finding one by its text, and using it up.

PLACEHOLDER by the main engineer so that flows import; the tickets helper replaces this file.
"""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.ticket import Ticket, TicketStatus
from doorcode.flows.deps import Deps
from doorcode.storage.interface import Transaction


async def find(deps: Deps, tx: Transaction, text: str) -> Ticket:
    """The ticket of this text, where it can be used, or `Refused`."""
    raise Refused(errors.TICKET_INVALID)


async def use(deps: Deps, tx: Transaction, ticket: Ticket) -> None:
    """Use a ticket up, or `Refused` where somebody was first."""
    if not await tx.settle_ticket(ticket.id, TicketStatus.ACCEPTED, deps.now()):
        raise Refused(errors.TICKET_INVALID)
