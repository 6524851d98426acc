"""Invitations: who can be invited, what is sent, and how one is taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, SignUpMode
from doorcode.domain.limits import DAY
from doorcode.domain.ticket import Listing, Ticket, TicketStatus
from doorcode.flows import invitation, sign_up, ticket
from doorcode.flows.deps import Caller
from doorcode.flows.invitation import Wanted

from .world import ADA, World

BEA = "Bea@example.com"


async def invited(world: World, email: str = BEA, **changes: object) -> Ticket:
    wanted = replace(Wanted(email), **changes)  # type: ignore[arg-type]
    (made,) = await invitation.create(world.deps, [wanted])
    return made


async def refused(story) -> Refusal:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused) as raised:
        await story
    return raised.value.refusal


async def entered(world: World, made: Ticket) -> str | None:
    """Sign up by an invitation; the code of the refusal, if there is one."""
    wanted = sign_up.Wanted(ticket=world.deps.tickets.text(made.id))
    answer = await sign_up.start(world.deps, Caller(), wanted)
    return answer.refusal.code if answer.refusal else None


async def test_an_invitation_is_kept_and_its_link_sent(world: World) -> None:
    made = await invited(world, public_metadata={"plan": "a"}, redirect_url="https://a.example/x")
    assert made.expires_at == world.clock() + 30 * DAY
    assert (made.data.public_metadata, made.data.redirect_url) == (
        {"plan": "a"},
        "https://a.example/x",
    )
    (heard,) = world.post.announced
    assert (heard.to, heard.link) == (BEA, ticket.link(world.deps, made))
    async with world.deps.storage.reading() as tx:
        assert await tx.ticket(made.id) == made


async def test_no_letter_is_sent_where_none_is_wanted(world: World) -> None:
    world.post.channels = set()
    await invited(world, notify=False)
    assert world.post.announced == []
    assert world.count("outbox") == 0


async def test_a_letter_that_cannot_be_sent_is_said(world: World) -> None:
    world.post.channels = {"sms"}
    refusal = await refused(invitation.create(world.deps, [Wanted(BEA)]))
    assert refusal.code == "email_send_error"
    assert world.count("tickets") == 0


@pytest.mark.parametrize("email", ["", "bea", "bea@", "@example.com", "+14155552671", "a b@c.de"])
async def test_a_malformed_address_is_refused_by_its_field(world: World, email: str) -> None:
    refusal = await refused(invitation.create(world.deps, [Wanted(email)]))
    assert (refusal.code, refusal.param) == ("form_param_format_invalid", "email_address")


async def test_an_address_is_invited_once_at_a_time(world: World) -> None:
    made = await invited(world)
    refusal = await refused(invitation.create(world.deps, [Wanted("BEA@example.com")]))
    assert refusal.code == "duplicate_record"
    assert refusal.meta == {"email_addresses": ["BEA@example.com"]}
    again = await invited(world, ignore_existing=True)
    await invitation.revoke(world.deps, made.id)
    assert (await refused(invitation.create(world.deps, [Wanted(BEA)]))).code == "duplicate_record"
    await invitation.revoke(world.deps, again.id)
    await invited(world)


async def test_an_invitation_that_ran_out_is_in_nobodys_way(world: World) -> None:
    await invited(world, days=1)
    world.clock.forward(DAY)
    await invited(world)
    assert world.count("tickets") == 2


async def test_somebody_with_an_account_is_not_invited_unless_that_is_meant(world: World) -> None:
    await world.account(ADA, BEA)
    refusal = await refused(invitation.create(world.deps, [Wanted(BEA)]))
    assert (refusal.code, refusal.param) == ("form_identifier_exists", "email_address")
    await invited(world, ignore_existing=True)


async def test_nobody_is_invited_where_nobody_signs_up_by_e_mail(world: World) -> None:
    world.switch(email=Attribute(used_for_sign_up=False))
    refusal = await refused(invitation.create(world.deps, [Wanted(BEA)]))
    assert refusal.code == "invitations_not_supported"


@pytest.mark.parametrize("mode", SignUpMode)
async def test_an_invitation_lets_in_whatever_the_mode(world: World, mode: SignUpMode) -> None:
    world.switch(mode=mode)
    made = await invited(world, public_metadata={"plan": "a"})
    assert await entered(world, made) is None
    (metadata,) = world.rows("SELECT app_data FROM users")
    assert b'"plan":"a"' in metadata[0]


async def test_many_are_invited_together_or_none(world: World) -> None:
    await world.account(ADA, BEA)
    some = [Wanted("cid@example.com"), Wanted(BEA), Wanted("dan@example.com")]
    heard = len(world.post.announced)
    assert (await refused(invitation.create(world.deps, some))).code == "form_identifier_exists"
    assert (world.count("tickets"), len(world.post.announced)) == (0, heard)
    del some[1]
    made = await invitation.create(world.deps, some)
    assert [one.email.value for one in made if one.email] == ["cid@example.com", "dan@example.com"]
    assert [one.to for one in world.post.announced[heard:]] == [one.email for one in some]


async def test_one_address_twice_in_a_request_is_a_duplicate(world: World) -> None:
    twice = [Wanted(BEA), Wanted("bea@example.com")]
    assert (await refused(invitation.create(world.deps, twice))).code == "duplicate_record"
    assert world.count("tickets") == 0


# ── taking one back ───────────────────────────────────────────────────────────────────
async def test_a_revoked_invitation_lets_nobody_in(world: World) -> None:
    made = await invited(world)
    world.clock.forward(1)
    revoked = await invitation.revoke(world.deps, made.id)
    assert (revoked.status, revoked.updated_at) == (TicketStatus.REVOKED, world.clock())
    assert await entered(world, made) == "revoked_invitation"


async def test_the_letter_of_a_revoked_invitation_is_not_sent(world: World) -> None:
    made = await invited(world)
    await invitation.revoke(world.deps, made.id)
    assert world.rows("SELECT state, sealed FROM outbox") == [("cancelled", None)]


async def test_an_invitation_is_revoked_once(world: World) -> None:
    made = await invited(world)
    await invitation.revoke(world.deps, made.id)
    again = await refused(invitation.revoke(world.deps, made.id))
    assert again.code == "invitation_already_revoked"


async def test_an_invitation_that_was_accepted_cannot_be_revoked(world: World) -> None:
    made = await invited(world)
    await entered(world, made)
    late = await refused(invitation.revoke(world.deps, made.id))
    assert late.code == "invitation_already_accepted"


@pytest.mark.parametrize("name", ["inv_nothing", "", "sit"])
async def test_what_is_no_invitation_cannot_be_revoked(world: World, name: str) -> None:
    if name == "sit":
        _, answer = await world.account()
        assert answer.user is not None
        name = (await ticket.create_sign_in_token(world.deps, answer.user.id, DAY)).id
    refusal = await refused(invitation.revoke(world.deps, name))
    assert refusal.code == "resource_not_found"


async def test_invitations_are_listed_as_they_stand_now(world: World) -> None:
    made = await invited(world, days=1)
    expired = Listing(status="expired")
    assert await invitation.listed(world.deps, expired) == ([], 0)
    world.clock.forward(DAY)
    assert await invitation.listed(world.deps, expired) == ([made], 1)
