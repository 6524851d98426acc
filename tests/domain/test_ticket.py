"""A ticket's life: what it opens, when, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain.ticket import TRANSITIONS, Ticket, TicketKind, TicketStatus

NOW, END = 1_700_000_000_000, 1_700_000_600_000
TOKEN = Ticket("sit_1", TicketKind.SIGN_IN_TOKEN, TicketStatus.PENDING, NOW, NOW, END)
INVITATION = replace(TOKEN, id="inv_1", kind=TicketKind.INVITATION)


def test_a_pending_ticket_opens_until_its_end() -> None:
    for ticket in (TOKEN, INVITATION):
        assert ticket.why_not_use(NOW) is None
        assert ticket.why_not_use(END - 1) is None


@pytest.mark.parametrize("late", [0, 1, 10**15])
def test_at_its_end_it_has_expired(late: int) -> None:
    assert TOKEN.as_of(END + late) is TicketStatus.EXPIRED
    refusal = INVITATION.why_not_use(END + late)
    assert refusal is not None
    assert refusal.code == "ticket_expired_code"


@pytest.mark.parametrize(
    ("status", "token", "invitation"),
    [
        ("accepted", "sign_in_token_already_used_code", "invitation_already_accepted"),
        ("revoked", "sign_in_token_revoked_code", "revoked_invitation"),
        ("expired", "ticket_expired_code", "ticket_expired_code"),
    ],
)
@pytest.mark.parametrize("now", [NOW, END])
def test_a_settled_ticket_opens_nothing_and_says_why(
    status: str, token: str, invitation: str, now: int
) -> None:
    for ticket, code in ((TOKEN, token), (INVITATION, invitation)):
        settled = replace(ticket, status=TicketStatus(status))
        refusal = settled.why_not_use(now)
        assert refusal is not None
        assert (refusal.code, refusal.status) == (code, 400)
        assert settled.as_of(now) == status


def test_nothing_follows_a_settled_ticket() -> None:
    ends = set(TicketStatus) - {TicketStatus.PENDING}
    assert TRANSITIONS[TicketStatus.PENDING] == ends
    assert all(TRANSITIONS[end] == frozenset() for end in ends)
