"""The waitlist: who gets on it, what a stranger learns, and what is decided."""

from __future__ import annotations

import pytest

from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import SignUpMode
from doorcode.domain.limits import DAY
from doorcode.domain.ticket import Listing, Ticket, TicketStatus, WaitlistStatus
from doorcode.flows import invitation, sign_up, waitlist
from doorcode.flows.deps import Caller

from .world import ADA, World

BEA, TEST = "Bea@example.com", "bea+clerk_test@example.com"


@pytest.fixture
def world(world: World) -> World:
    world.switch(mode=SignUpMode.WAITLIST)
    return world


async def refused(story) -> Refusal:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused) as raised:
        await story
    return raised.value.refusal


async def waiting(world: World, email: str = BEA) -> str:
    return (await waitlist.join(world.deps, email)).id


async def invited(world: World, entry_id: str, *, ignore_existing: bool = False) -> Ticket:
    entry, ticket = await waitlist.invite(world.deps, entry_id, ignore_existing=ignore_existing)
    assert entry.status is WaitlistStatus.INVITED
    assert ticket is not None
    assert entry.invitation_id == ticket.id
    return ticket


async def entered(world: World, ticket: Ticket) -> str | None:
    wanted = sign_up.Wanted(ticket=world.deps.tickets.text(ticket.id))
    answer = await sign_up.start(world.deps, Caller(), wanted)
    return answer.refusal.code if answer.refusal else None


def statuses(world: World) -> list[str]:
    return [row[0] for row in world.rows("SELECT status FROM waitlist_entries")]


# ── joining ───────────────────────────────────────────────────────────────────────────
async def test_somebody_who_joins_waits_and_is_written_to(world: World) -> None:
    entry = await waitlist.join(world.deps, BEA)
    assert (entry.status, entry.email.spelling) == (WaitlistStatus.PENDING, BEA)
    (heard,) = world.post.announced
    assert (heard.to, heard.code, heard.link) == (BEA, "", "")


async def test_joining_again_changes_nothing_and_sends_nothing(world: World) -> None:
    first = await waitlist.join(world.deps, BEA)
    world.clock.forward(DAY)
    assert await waitlist.join(world.deps, "BEA@example.com") == first
    assert (world.count("waitlist_entries"), len(world.post.announced)) == (1, 1)


async def test_the_answer_does_not_tell_who_joined_before(world: World) -> None:
    """An id with the time in it would: an old one means that somebody was here before."""
    first = await waiting(world)
    world.write("DELETE FROM waitlist_entries")
    world.clock.forward(DAY)
    assert await waiting(world) == first
    assert await waiting(world, "cid@example.com") != first


async def test_an_account_is_not_told_to_who_joins_with_its_address(world: World) -> None:
    world.switch(mode=SignUpMode.PUBLIC)
    await world.account(ADA, BEA)
    world.switch(mode=SignUpMode.WAITLIST)
    assert (await waitlist.join(world.deps, BEA)).status is WaitlistStatus.PENDING


@pytest.mark.parametrize("mode", [SignUpMode.PUBLIC, SignUpMode.RESTRICTED])
async def test_nobody_joins_where_there_is_no_waitlist(world: World, mode: SignUpMode) -> None:
    world.switch(mode=mode)
    refusal = await refused(waitlist.join(world.deps, BEA))
    assert (refusal.code, refusal.status) == ("waitlist_not_accepting_entries", 403)
    await waitlist.add(world.deps, BEA, notify=False)
    assert world.count("waitlist_entries") == 1


async def test_a_full_list_takes_nobody_and_tells_nobody_who_is_on_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers could fill the disk otherwise; the app's server may still add whom it knows."""
    monkeypatch.setattr(waitlist, "PLACES", 2)
    await waiting(world)
    await waiting(world, "cid@example.com")
    sent = len(world.post.announced)
    for email in ("dan@example.com", BEA):
        refusal = await refused(waitlist.join(world.deps, email))
        assert (refusal.code, refusal.status) == ("waitlist_not_accepting_entries", 403)
    assert (world.count("waitlist_entries"), len(world.post.announced)) == (2, sent)
    await waitlist.add(world.deps, "eve@example.com", notify=False)
    assert world.count("waitlist_entries") == 3


async def test_a_place_that_is_given_up_is_free(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waitlist, "PLACES", 1)
    await waitlist.delete(world.deps, await waiting(world))
    assert await waiting(world, "cid@example.com")


async def test_a_malformed_address_is_refused_by_its_field(world: World) -> None:
    refusal = await refused(waitlist.join(world.deps, "invalid-email@com"))
    assert (refusal.code, refusal.param) == ("form_param_format_invalid", "email_address")


async def test_without_mail_one_joins_all_the_same(world: World) -> None:
    world.post.channels = set()
    await waiting(world)
    assert (world.count("waitlist_entries"), world.count("outbox")) == (1, 0)


# ── deciding ──────────────────────────────────────────────────────────────────────────
async def test_an_invited_person_comes_in_and_waits_no_longer(world: World) -> None:
    ticket = await invited(world, await waiting(world))
    assert world.post.announced[-1].link.endswith(world.deps.tickets.text(ticket.id))
    assert await entered(world, ticket) is None
    assert statuses(world) == ["completed"]


async def test_a_test_address_is_still_one_when_it_is_invited(world: World) -> None:
    ticket = await invited(world, await waiting(world, TEST))
    assert ticket.email is not None
    assert ticket.email.is_test
    assert world.post.announced[-1].is_test


async def test_whoever_was_invited_is_not_invited_again_while_that_counts(world: World) -> None:
    entry_id = await waiting(world)
    ticket = await invited(world, entry_id)
    again = await refused(waitlist.invite(world.deps, entry_id, ignore_existing=True))
    assert (again.code, again.status) == ("waitlist_entry_already_invited", 409)
    world.clock.forward(30 * DAY)
    other = await invited(world, entry_id)
    assert other.id != ticket.id
    await invitation.revoke(world.deps, other.id)
    await invited(world, entry_id)


async def test_whoever_came_in_is_past_deciding(world: World) -> None:
    entry_id = await waiting(world)
    await entered(world, await invited(world, entry_id))
    for story in (
        waitlist.invite(world.deps, entry_id, ignore_existing=True),
        waitlist.reject(world.deps, entry_id),
        waitlist.delete(world.deps, entry_id),
    ):
        refusal = await refused(story)
        assert (refusal.code, refusal.status) == ("waitlist_entry_already_completed", 409)


async def test_whoever_is_rejected_can_still_be_invited(world: World) -> None:
    entry_id = await waiting(world)
    entry, ticket = await waitlist.reject(world.deps, entry_id)
    assert (entry.status, ticket) == (WaitlistStatus.REJECTED, None)
    again = await refused(waitlist.reject(world.deps, entry_id))
    assert (again.code, again.status) == ("waitlist_entry_already_rejected", 409)
    await invited(world, entry_id)


async def test_a_rejected_person_s_invitation_lets_nobody_in(world: World) -> None:
    entry_id = await waiting(world)
    ticket = await invited(world, entry_id)
    _, shown = await waitlist.reject(world.deps, entry_id)
    assert shown is not None
    assert shown.status is TicketStatus.REVOKED
    assert await entered(world, ticket) == "revoked_invitation"
    assert statuses(world) == ["rejected"]


async def test_an_account_or_another_invitation_is_in_the_way_unless_that_is_meant(
    world: World,
) -> None:
    entry_id = await waiting(world)
    await invitation.create(world.deps, [invitation.Wanted(BEA)])
    refusal = await refused(waitlist.invite(world.deps, entry_id, ignore_existing=False))
    assert refusal.code == "duplicate_record"
    assert statuses(world) == ["pending"]
    await invited(world, entry_id, ignore_existing=True)


async def test_only_who_waits_is_deleted(world: World) -> None:
    entry_id = await waiting(world)
    await waitlist.delete(world.deps, entry_id)
    assert world.count("waitlist_entries") == 0
    assert (await refused(waitlist.delete(world.deps, entry_id))).code == "resource_not_found"
    entry_id = await waiting(world)
    await invited(world, entry_id)
    late = await refused(waitlist.delete(world.deps, entry_id))
    assert (late.code, late.status) == ("waitlist_entry_already_invited", 409)


async def test_an_unknown_entry_is_not_there(world: World) -> None:
    for story in (
        waitlist.invite(world.deps, "wle_x", ignore_existing=False),
        waitlist.reject(world.deps, "wle_x"),
        waitlist.delete(world.deps, "wle_x"),
    ):
        assert (await refused(story)).code == "resource_not_found"


async def test_entries_are_listed_with_their_invitations(world: World) -> None:
    first = await waiting(world)
    world.clock.forward(1)
    await waiting(world, "cid@example.com")
    ticket = await invited(world, first)
    found, total = await waitlist.listed(world.deps, Listing())
    assert total == 2
    assert [(entry.email.value, one) for entry, one in found] == [
        ("cid@example.com", None),
        ("bea@example.com", ticket),
    ]
