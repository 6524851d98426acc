"""The life of a ticket, played at random on a real database: used, taken back, run out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Kind
from doorcode.domain.ticket import TRANSITIONS, Ticket, TicketKind, TicketStatus
from doorcode.storage.sqlite import Sqlite

T = TypeVar("T")
PENDING, ACCEPTED, REVOKED = TicketStatus.PENDING, TicketStatus.ACCEPTED, TicketStatus.REVOKED
MAIL = Address(Kind.EMAIL, "ada@example.com", "Ada@example.com")
WHY_NOT = {
    TicketStatus.EXPIRED: "ticket_expired_code",
    TicketStatus.ACCEPTED: "invitation_already_accepted",
    TicketStatus.REVOKED: "revoked_invitation",
}


class TicketMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.storage = Sqlite(Path(self.folder.name) / "doorcode.db")
        self.now = 1_700_000_000_000
        self.written, self.seen = PENDING, PENDING

    def teardown(self) -> None:
        self.run(self.storage.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(story)

    async def stored(self) -> Ticket:
        async with self.storage.reading() as tx:
            found = await tx.ticket("inv_1")
        assert found is not None
        return found

    async def settle(self, status: TicketStatus) -> bool:
        """As the flows do: what has run out is not written to."""
        async with self.storage.transaction() as tx:
            ticket = await tx.ticket("inv_1")
            assert ticket is not None
            if ticket.why_not_use(self.now):
                return False
            return await tx.settle_ticket(ticket.id, status, self.now)

    # ── what may happen ──────────────────────────────────────────────────────────────
    @initialize()
    def it_is_made(self) -> None:
        self.run(self.make())

    async def make(self) -> None:
        ticket = Ticket(
            "inv_1", TicketKind.INVITATION, PENDING, self.now, self.now,
            expires_at=self.now + limits.DAY, email=MAIL,
        )  # fmt: skip
        async with self.storage.transaction() as tx:
            await tx.add_ticket(ticket)

    @rule(status=st.sampled_from([ACCEPTED, REVOKED]))
    def it_is_used_or_taken_back(self, status: TicketStatus) -> None:
        could = self.seen is PENDING
        assert self.run(self.settle(status)) is could
        if could:
            self.written = status

    @rule(all_of=st.lists(st.sampled_from([ACCEPTED, REVOKED]), min_size=2, max_size=6))
    def many_try_at_once(self, all_of: list[TicketStatus]) -> None:
        could = self.seen is PENDING
        outcomes = self.run(self.together(all_of))
        assert sum(outcomes) == could
        if could:
            self.written = all_of[outcomes.index(True)]

    async def together(self, all_of: list[TicketStatus]) -> list[bool]:
        return await asyncio.gather(*(self.settle(status) for status in all_of))

    @rule(moment=st.sampled_from([1, limits.HOUR, limits.DAY - 1, limits.DAY]))
    def time_passes(self, moment: int) -> None:
        self.now += moment

    # ── what must hold ───────────────────────────────────────────────────────────────
    @invariant()
    def it_moves_only_as_the_rules_allow(self) -> None:
        ticket = self.run(self.stored())
        after = ticket.as_of(self.now)
        assert ticket.status is self.written
        assert after is self.seen or after in TRANSITIONS[self.seen]
        refusal = ticket.why_not_use(self.now)
        assert (refusal.code if refusal else None) == WHY_NOT.get(after)
        self.seen = after


TicketMachine.TestCase.settings = settings(
    max_examples=max(5, settings.default.max_examples // 3), stateful_step_count=15, deadline=None
)
TestTicketMachine = TicketMachine.TestCase
