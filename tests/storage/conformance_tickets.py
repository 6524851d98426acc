"""What every engine must do with tickets and the waitlist. See `conformance.py`.

from .conformance_tickets import *
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Kind
from doorcode.domain.message import Message
from doorcode.domain.ticket import (
    Listing,
    Ticket,
    TicketData,
    TicketKind,
    TicketStatus,
    WaitlistEntry,
    WaitlistStatus,
)
from doorcode.storage.interface import Conflict, Storage

from . import examples as an
from .examples import EMAIL, LATER, NEXT_DAY, NOW

__all__ = ["TestInvitationLists", "TestTickets", "TestWaitlist"]

TOKEN = Ticket(
    id="sit_1",
    kind=TicketKind.SIGN_IN_TOKEN,
    status=TicketStatus.PENDING,
    created_at=NOW,
    updated_at=NOW,
    expires_at=LATER,
    user_id="user_1",
)
INVITATION = Ticket(
    id="inv_1",
    kind=TicketKind.INVITATION,
    status=TicketStatus.PENDING,
    created_at=NOW,
    updated_at=NOW,
    expires_at=LATER,
    email=EMAIL,
    data=TicketData({"plan": ["a", 1, None], "ü": True}, "https://app.example.com/?a=1#b"),
)
ENTRY = WaitlistEntry("wle_1", EMAIL, WaitlistStatus.PENDING, NOW, NOW)
PENDING, INVITED = WaitlistStatus.PENDING, WaitlistStatus.INVITED


def mail(name: str, *, is_test: bool = False) -> Address:
    return Address(Kind.EMAIL, f"{name}@example.com", f"{name.title()}@example.com", is_test)


async def keep(storage: Storage, *things: Ticket | WaitlistEntry) -> None:
    async with storage.transaction() as tx:
        for one in things:
            if isinstance(one, Ticket):
                await tx.add_ticket(one)
            else:
                await tx.add_waitlist_entry(one)


async def ticket_now(storage: Storage, ticket_id: str) -> Ticket | None:
    async with storage.reading() as tx:
        return await tx.ticket(ticket_id)


async def settle(storage: Storage, ticket_id: str, status: TicketStatus, now: int = LATER) -> bool:
    async with storage.transaction() as tx:
        return await tx.settle_ticket(ticket_id, status, now)


async def invitations(storage: Storage, now: int = NOW, **wanted: object) -> list[str]:
    async with storage.reading() as tx:
        found, _ = await tx.invitations(replace(Listing(), **wanted), now)  # type: ignore[arg-type]
    return [one.id for one in found]


async def waiting(storage: Storage, **wanted: object) -> list[str]:
    async with storage.reading() as tx:
        found, _ = await tx.waitlist_entries(replace(Listing(), **wanted))  # type: ignore[arg-type]
    return [one.id for one in found]


class TestTickets:
    async def test_a_ticket_is_kept_whole(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
        test = replace(INVITATION, id="inv_2", email=mail("bea", is_test=True))
        await keep(storage, TOKEN, INVITATION, test)
        assert await ticket_now(storage, "sit_1") == TOKEN
        assert await ticket_now(storage, "inv_1") == INVITATION
        assert await ticket_now(storage, "inv_2") == test
        assert await ticket_now(storage, "inv_3") is None

    @pytest.mark.parametrize("status", sorted(set(TicketStatus) - {TicketStatus.PENDING}))
    async def test_a_pending_ticket_is_settled_once(
        self, storage: Storage, status: TicketStatus
    ) -> None:
        await keep(storage, INVITATION)
        assert await settle(storage, "inv_1", status)
        settled = replace(INVITATION, status=status, updated_at=LATER)
        assert await ticket_now(storage, "inv_1") == settled
        for other in TicketStatus:
            assert not await settle(storage, "inv_1", other, NEXT_DAY)
        assert await ticket_now(storage, "inv_1") == settled
        assert not await settle(storage, "inv_2", status)

    async def test_of_many_who_use_a_ticket_at_once_one_does(self, storage: Storage) -> None:
        await keep(storage, INVITATION)
        statuses = [TicketStatus.ACCEPTED] * 20 + [TicketStatus.REVOKED] * 20
        outcomes = await asyncio.gather(*(settle(storage, "inv_1", one) for one in statuses))
        assert outcomes.count(True) == 1
        found = await ticket_now(storage, "inv_1")
        assert found is not None
        assert found.status is statuses[outcomes.index(True)]

    async def test_a_use_that_is_taken_back_leaves_the_ticket(self, storage: Storage) -> None:
        await keep(storage, INVITATION)

        async def fail() -> None:
            async with storage.transaction() as tx:
                assert await tx.settle_ticket("inv_1", TicketStatus.ACCEPTED, LATER)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await settle(storage, "inv_1", TicketStatus.ACCEPTED)

    async def test_the_tickets_of_a_deleted_account_go_with_it(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
        await keep(storage, TOKEN, INVITATION)
        async with storage.transaction() as tx:
            assert await tx.delete_user("user_1")
        assert await ticket_now(storage, "sit_1") is None
        assert await ticket_now(storage, "inv_1") == INVITATION

    async def test_an_address_s_invitations_are_found_newest_first(self, storage: Storage) -> None:
        later = replace(INVITATION, id="inv_2", created_at=LATER)
        other = replace(INVITATION, id="inv_3", email=mail("bea"))
        await keep(storage, INVITATION, later, other)
        async with storage.reading() as tx:
            assert await tx.tickets_of_email(EMAIL) == [later, INVITATION]
            assert await tx.tickets_of_email(mail("cid")) == []

    async def test_a_letter_about_a_ticket_goes_out_and_can_be_taken_back(
        self, storage: Storage
    ) -> None:
        def letter(name: str, about: str) -> Message:
            return an.message(id=name, verification_id=about)

        async with storage.transaction() as tx:
            await tx.add_message(letter("msg_1", "inv_1"))
            await tx.add_message(letter("msg_2", "inv_2"))
            await tx.retire_attempt("inv_1")
        async with storage.transaction() as tx:
            leased = await tx.lease_messages(NOW, LATER, most=9)
        assert [(one.id, one.verification_id) for one in leased] == [("msg_2", "inv_2")]


class TestInvitationLists:
    @pytest.fixture(autouse=True)
    async def four(self, storage: Storage) -> None:
        def one(number: int, name: str, status: TicketStatus, expires_at: int) -> Ticket:
            return replace(
                INVITATION,
                id=f"inv_{number}",
                email=mail(name),
                status=status,
                created_at=NOW + number,
                expires_at=expires_at,
            )

        async with storage.transaction() as tx:
            await tx.add_user(an.user())
        await keep(
            storage,
            TOKEN,
            one(1, "dan", TicketStatus.PENDING, NEXT_DAY),
            one(2, "a_c", TicketStatus.PENDING, LATER),
            one(3, "cid", TicketStatus.ACCEPTED, NEXT_DAY),
            one(4, "abc", TicketStatus.REVOKED, NEXT_DAY),
        )

    async def test_those_not_revoked_come_newest_first(self, storage: Storage) -> None:
        assert await invitations(storage) == ["inv_3", "inv_2", "inv_1"]

    @pytest.mark.parametrize(
        ("status", "now", "found"),
        [
            ("pending", NOW, ["inv_2", "inv_1"]),
            ("pending", LATER - 1, ["inv_2", "inv_1"]),
            ("pending", LATER, ["inv_1"]),
            ("expired", LATER - 1, []),
            ("expired", LATER, ["inv_2"]),
            ("accepted", NEXT_DAY, ["inv_3"]),
            ("revoked", NOW, ["inv_4"]),
        ],
    )
    async def test_a_status_is_that_of_the_moment(
        self, storage: Storage, status: str, now: int, found: list[str]
    ) -> None:
        assert await invitations(storage, now, status=status) == found

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("inv_1", ["inv_1"]),
            ("inv_", []),
            ("DAN@", ["inv_1"]),
            ("example.com", ["inv_3", "inv_2", "inv_1"]),
            ("a_c", ["inv_2"]),
            ("_", ["inv_2"]),
            ("%", []),
            ("!", []),
            ("' OR 1=1 --", []),
        ],
    )
    async def test_a_text_is_an_id_or_a_part_of_the_address(
        self, storage: Storage, text: str, found: list[str]
    ) -> None:
        assert await invitations(storage, text=text) == found

    @pytest.mark.parametrize(
        ("order", "found"),
        [
            ("created_at", ["inv_1", "inv_2", "inv_3"]),
            ("email_address", ["inv_2", "inv_3", "inv_1"]),
            ("expires_at", ["inv_2", "inv_3", "inv_1"]),
        ],
    )
    async def test_they_come_in_the_order_asked_for(
        self, storage: Storage, order: str, found: list[str]
    ) -> None:
        assert await invitations(storage, order=order, descending=False) == found
        descending = await invitations(storage, order=order)
        if order == "expires_at":  # two expire at once: the newer of them first
            assert descending == ["inv_3", "inv_1", "inv_2"]
        else:
            assert descending == found[::-1]

    async def test_pages_tell_how_many_there_are_in_all(self, storage: Storage) -> None:
        for skip, page in enumerate((["inv_3"], ["inv_2"], ["inv_1"], [])):
            async with storage.reading() as tx:
                found, total = await tx.invitations(Listing(most=1, skip=skip), NOW)
            assert ([one.id for one in found], total) == (page, 3)


class TestWaitlist:
    async def test_an_entry_is_kept_whole(self, storage: Storage) -> None:
        await keep(storage, ENTRY)
        invited = replace(ENTRY, status=INVITED, invitation_id="inv_1", updated_at=LATER)
        async with storage.transaction() as tx:
            assert await tx.waitlist_entry("wle_1") == ENTRY
            assert await tx.waitlist_entry_of(EMAIL) == ENTRY
            assert await tx.waitlist_entry("wle_2") is None
            assert await tx.waitlist_entry_of(mail("bea")) is None
            assert await tx.save_waitlist_entry(invited, PENDING)
            assert await tx.waitlist_entry("wle_1") == invited

    async def test_an_address_waits_once(self, storage: Storage) -> None:
        await keep(storage, ENTRY)
        with pytest.raises(Conflict):
            await keep(storage, replace(ENTRY, id="wle_2"))

    async def test_what_was_decided_meanwhile_is_not_overwritten(self, storage: Storage) -> None:
        await keep(storage, ENTRY)
        rejected = replace(ENTRY, status=WaitlistStatus.REJECTED)

        async def decide(entry: WaitlistEntry) -> bool:
            async with storage.transaction() as tx:
                return await tx.save_waitlist_entry(entry, PENDING)

        decisions = [replace(ENTRY, status=INVITED), rejected] * 10
        outcomes = await asyncio.gather(*(decide(one) for one in decisions))
        assert outcomes.count(True) == 1
        async with storage.reading() as tx:
            assert await tx.waitlist_entry("wle_1") == decisions[outcomes.index(True)]

    async def test_only_who_still_waits_is_forgotten(self, storage: Storage) -> None:
        invited = replace(ENTRY, status=INVITED)
        await keep(storage, invited, replace(ENTRY, id="wle_2", email=mail("bea")))
        async with storage.transaction() as tx:
            assert not await tx.delete_waitlist_entry("wle_1")
            assert await tx.delete_waitlist_entry("wle_2")
            assert not await tx.delete_waitlist_entry("wle_2")
            assert await tx.waitlist_entry("wle_1") is not None

    async def test_entries_are_counted_whatever_their_status(self, storage: Storage) -> None:
        await keep(storage, ENTRY)
        await keep(storage, replace(ENTRY, id="wle_2", email=mail("bea"), status=INVITED))
        async with storage.reading() as tx:
            assert await tx.count_waitlist_entries() == 2

    @pytest.mark.parametrize("status", WaitlistStatus)
    async def test_what_was_decided_for_good_is_forgotten_after_a_year(
        self, storage: Storage, status: WaitlistStatus
    ) -> None:
        await keep(storage, replace(ENTRY, status=status))
        is_over = status in (WaitlistStatus.COMPLETED, WaitlistStatus.REJECTED)
        async with storage.transaction() as tx:
            assert await tx.delete_expired(NOW + 365 * limits.DAY - 1, most=10) == 0
            assert await tx.delete_expired(NOW + 365 * limits.DAY, most=10) == is_over
            assert await tx.count_waitlist_entries() == (not is_over)

    async def test_entries_are_listed_by_status_text_and_page(self, storage: Storage) -> None:
        names = ("cid", "ada", "bea")
        entries = [
            replace(ENTRY, id=f"wle_{n}", email=mail(name), created_at=NOW + n)
            for n, name in enumerate(names)
        ]
        await keep(storage, *entries)
        assert await waiting(storage) == ["wle_2", "wle_1", "wle_0"]
        assert await waiting(storage, descending=False) == ["wle_0", "wle_1", "wle_2"]
        by_name = await waiting(storage, order="email_address", descending=False)
        assert by_name == ["wle_1", "wle_2", "wle_0"]
        assert await waiting(storage, text="BEA@") == ["wle_2"]
        assert await waiting(storage, text="wle_1") == ["wle_1"]
        assert await waiting(storage, status="pending", most=1, skip=1) == ["wle_1"]
        assert await waiting(storage, status="invited") == []
        async with storage.reading() as tx:
            assert (await tx.waitlist_entries(Listing(most=1, skip=9))) == ([], 3)

    async def test_entries_are_listed_by_the_time_of_their_invitation(
        self, storage: Storage
    ) -> None:
        for number, at in enumerate((LATER, NOW)):
            ticket = replace(INVITATION, id=f"inv_{number}", created_at=at)
            email, invitation = mail(f"n{number}"), ticket.id
            await keep(storage, ticket, replace(ENTRY, id=f"wle_{number}", email=email))
            async with storage.transaction() as tx:
                invited = replace(ENTRY, id=f"wle_{number}", email=email, status=INVITED)
                await tx.save_waitlist_entry(replace(invited, invitation_id=invitation), PENDING)
        wanted = {"order": "invited_at", "status": "invited"}
        assert await waiting(storage, **wanted) == ["wle_0", "wle_1"]
        assert await waiting(storage, **wanted, descending=False) == ["wle_1", "wle_0"]
