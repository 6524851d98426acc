"""Tickets: one is found by its text alone, opens once, and only while it may."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain.errors import Refused
from doorcode.domain.limits import DAY, HOUR
from doorcode.domain.ticket import Ticket, TicketStatus
from doorcode.flows import client as clients
from doorcode.flows import invitation, sign_in, sign_up, ticket
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller

from .world import ADA, World

BEA_MAIL = "Bea@example.com"
MONTH = 30 * DAY


async def ada(world: World) -> str:
    """Somebody with an account: the user's id."""
    _, answer = await world.account()
    assert answer.subject is not None
    return str(answer.subject.created_user_id)


async def a_token(world: World) -> tuple[Ticket, str]:
    """A sign-in token, and its text."""
    made = await ticket.create_sign_in_token(world.deps, await ada(world), HOUR)
    return made, world.deps.tickets.text(made.id)


async def an_invitation(world: World, email: str = BEA_MAIL) -> tuple[Ticket, str]:
    """An invitation, and its text."""
    (made,) = await invitation.create(world.deps, [invitation.Wanted(email)])
    return made, world.deps.tickets.text(made.id)


async def enter(world: World, text: str) -> Answer:  # type: ignore[type-arg]
    """Sign in by a ticket on a new client."""
    return await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))


async def found(world: World, text: str) -> Ticket:
    async with world.deps.storage.reading() as tx:
        return await ticket.find(world.deps, tx, text)


async def used(world: World, one: Ticket) -> None:
    async with world.deps.storage.transaction() as tx:
        await ticket.use(world.deps, tx, one)


async def refusal_of(story) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused) as raised:
        await story
    return raised.value.refusal.code


# ── finding and using ─────────────────────────────────────────────────────────────────
async def test_a_ticket_is_found_by_its_text(world: World) -> None:
    made, text = await a_token(world)
    assert await found(world, text) == made


@pytest.mark.parametrize("text", ["", ".", "sit_1", "{id}", "{id}.", "{id}.{id}", "{text}x"])
async def test_what_is_no_ticket_is_refused(world: World, text: str) -> None:
    made, genuine = await a_token(world)
    asked = found(world, text.format(id=made.id, text=genuine))
    assert await refusal_of(asked) == "ticket_invalid_code"


async def test_the_text_of_a_ticket_is_nowhere_in_the_database(world: World) -> None:
    _, text = await a_token(world)
    _, other = await an_invitation(world)
    for file in world.file.parent.iterdir():
        content = file.read_bytes()
        assert not any(one.partition(".")[2].encode() in content for one in (text, other))


async def test_a_genuine_text_of_a_ticket_that_is_gone_is_refused(world: World) -> None:
    made, text = await a_token(world)
    world.write("DELETE FROM tickets WHERE id = ?", made.id)
    assert await refusal_of(found(world, text)) == "ticket_invalid_code"
    assert await refusal_of(used(world, made)) == "ticket_invalid_code"


async def test_finding_a_ticket_does_not_use_it(world: World) -> None:
    made, text = await a_token(world)
    assert await found(world, text) == await found(world, text)
    await used(world, made)
    assert await refusal_of(found(world, text)) == "sign_in_token_already_used_code"


async def test_a_ticket_is_used_once(world: World) -> None:
    made, _ = await an_invitation(world)
    await used(world, made)
    assert await refusal_of(used(world, made)) == "invitation_already_accepted"


async def test_a_ticket_that_ran_out_since_it_was_found_opens_nothing(world: World) -> None:
    made, text = await a_token(world)
    world.clock.forward(HOUR)
    assert await refusal_of(used(world, made)) == "ticket_expired_code"
    assert await refusal_of(found(world, text)) == "ticket_expired_code"
    assert world.rows("SELECT status FROM tickets") == [("pending",)]


async def test_a_ticket_revoked_since_it_was_found_opens_nothing(world: World) -> None:
    made, _ = await a_token(world)
    await ticket.revoke_sign_in_token(world.deps, made.id)
    assert await refusal_of(used(world, made)) == "sign_in_token_revoked_code"


async def test_a_link_holds_the_ticket(world: World) -> None:
    made, text = await a_token(world)
    url = world.deps.instance.url
    assert ticket.link(world.deps, made) == f"{url}/v1/tickets/accept?ticket={text}"


# ── signing in and up by a ticket ─────────────────────────────────────────────────────
async def test_a_sign_in_token_signs_its_account_in(world: World) -> None:
    made, text = await a_token(world)
    answer = await enter(world, text)
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    assert answer.client is not None
    assert [user.id for _, user in answer.client.sessions] == [made.user_id]


async def test_of_many_who_sign_in_by_one_token_exactly_one_is_let_in(world: World) -> None:
    _, text = await a_token(world)
    before = world.count("sessions")
    entries = await asyncio.gather(*(enter(world, text) for _ in range(20)), return_exceptions=True)
    sessions = world.count("sessions") - before
    # Some find it used when they look, others when they use it.
    refusals = {
        one.refusal.code
        for one in entries
        if isinstance(one, Answer | Refused) and one.refusal is not None
    }
    assert not [one for one in entries if not isinstance(one, Answer | Refused)]
    assert sessions == 1
    assert refusals == {"sign_in_token_already_used_code"}


async def test_a_sign_in_token_signs_nobody_up(world: World) -> None:
    _, text = await a_token(world)
    answer = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert answer.refusal is not None
    assert answer.refusal.code == "sign_in_token_not_in_sign_in_code"
    assert world.rows("SELECT status FROM tickets") == [("pending",)]


async def test_an_invitation_lets_in_whom_it_names(world: World) -> None:
    _, text = await an_invitation(world)
    answer = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    assert world.rows("SELECT status FROM tickets") == [("accepted",)]
    assert answer.user is not None
    assert [one.address.value for one in answer.user.addresses] == ["bea@example.com"]


async def test_of_many_who_sign_up_by_one_invitation_exactly_one_is_let_in(world: World) -> None:
    _, text = await an_invitation(world)
    wanted = sign_up.Wanted(ticket=text)
    starts = (sign_up.start(world.deps, Caller(), wanted) for _ in range(20))
    await asyncio.gather(*starts, return_exceptions=True)
    assert (world.count("users"), world.count("sessions")) == (1, 1)


async def test_an_invitation_of_somebody_with_an_account_signs_in(world: World) -> None:
    await world.account(ADA, BEA_MAIL)
    wanted = invitation.Wanted(BEA_MAIL, ignore_existing=True)
    (made,) = await invitation.create(world.deps, [wanted])
    answer = await enter(world, world.deps.tickets.text(made.id))
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    assert world.rows("SELECT status FROM tickets") == [("accepted",)]


# ── sign-in tokens ────────────────────────────────────────────────────────────────────
async def test_a_sign_in_token_is_for_an_account_that_there_is(world: World) -> None:
    made = ticket.create_sign_in_token(world.deps, "user_nobody", HOUR)
    assert await refusal_of(made) == "resource_not_found"
    assert world.count("tickets") == 0


async def test_a_sign_in_token_lives_as_long_as_was_asked(world: World) -> None:
    made = await ticket.create_sign_in_token(world.deps, await ada(world), MONTH)
    assert made.expires_at - made.created_at == MONTH
    assert (made.status, made.email) == (TicketStatus.PENDING, None)


async def test_only_a_pending_sign_in_token_can_be_revoked(world: World) -> None:
    made, _ = await a_token(world)
    world.clock.forward(1)
    revoked = await ticket.revoke_sign_in_token(world.deps, made.id)
    assert (revoked.status, revoked.updated_at) == (TicketStatus.REVOKED, world.clock())
    again = ticket.revoke_sign_in_token(world.deps, made.id)
    assert await refusal_of(again) == "sign_in_token_cannot_be_revoked_code"


async def test_an_invitation_is_no_sign_in_token(world: World) -> None:
    made, _ = await an_invitation(world)
    revoked = ticket.revoke_sign_in_token(world.deps, made.id)
    assert await refusal_of(revoked) == "resource_not_found"


async def test_a_deleted_account_s_token_opens_nothing(world: World) -> None:
    made, text = await a_token(world)
    async with world.deps.storage.transaction() as tx:
        await tx.delete_user(str(made.user_id))
    answer = await enter(world, text)
    assert answer.refusal is not None
    assert answer.refusal.code == "ticket_invalid_code"


async def test_a_failed_ticket_ends_what_was_under_way(world: World) -> None:
    caller, _ = await world.asked_by_phone()
    answer = await sign_in.start(world.deps, caller, sign_in.Wanted(ticket="nothing"))
    assert answer.refusal is not None
    view = await clients.show(world.deps, caller)
    assert view is not None
    assert view.sign_up is None
