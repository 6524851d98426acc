"""Coming in by a ticket: a sign-in token or an invitation."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute, SignUpMode
from doorcode.domain.limits import DAY, HOUR
from doorcode.domain.restrictions import Restrictions
from doorcode.flows import invitation, sign_in, sign_up, ticket
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World, started


async def token_for(world: World, user_id: str, lives_for: int = HOUR) -> str:
    made = await ticket.create_sign_in_token(world.deps, user_id, lives_for)
    return world.deps.tickets.text(made.id)


async def account(world: World) -> str:
    _, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user is not None
    return answer.user.id


async def invited(world: World, email: str = ADA_MAIL, **more: object) -> str:
    wanted = invitation.Wanted(email=email, notify=False, **more)  # type: ignore[arg-type]
    [made] = await invitation.create(world.deps, [wanted])
    return world.deps.tickets.text(made.id)


def said(answer: Answer[object]) -> str | None:
    return answer.refusal.code if answer.refusal else None


# ── sign-in tokens ────────────────────────────────────────────────────────────────────
async def test_a_sign_in_token_signs_in_once(world: World) -> None:
    user_id = await account(world)
    text = await token_for(world, user_id)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert answer.subject is not None
    assert answer.user is not None
    assert (answer.subject.status, answer.user.id) == ("complete", user_id)
    assert answer.client_token
    again = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert said(again) == "sign_in_token_already_used_code"


async def test_of_many_who_hold_one_token_one_is_let_in(world: World) -> None:
    text = await token_for(world, await account(world))
    sessions = world.count("sessions")
    wanted = sign_in.Wanted(ticket=text)
    answers = await asyncio.gather(
        *[sign_in.start(world.deps, Caller(), wanted) for _ in range(10)], return_exceptions=True
    )
    let_in = [one for one in answers if isinstance(one, Answer) and one.refusal is None]
    assert len(let_in) == 1
    assert world.count("sessions") == sessions + 1


async def test_a_token_is_over_when_its_time_is(world: World) -> None:
    text = await token_for(world, await account(world))
    world.clock.forward(HOUR)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert said(answer) == "ticket_expired_code"


@pytest.mark.parametrize("text", ["", "nonsense", "sit_1.AAAA", "sit_1"])
async def test_a_forged_ticket_opens_nothing(world: World, text: str) -> None:
    await account(world)
    wanted = sign_in.Wanted(ticket=text or "x")
    assert said(await sign_in.start(world.deps, Caller(), wanted)) == "ticket_invalid_code"


async def test_the_app_asks_for_no_second_step(world: World) -> None:
    world.switch(phone=Attribute(used_for_second_factor=True))
    user_id = await account(world)
    world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", ADA)
    text = await token_for(world, user_id)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert answer.subject is not None
    assert answer.subject.status == "complete"


async def test_a_banned_person_is_not_let_in_and_keeps_the_token(world: World) -> None:
    user_id = await account(world)
    text = await token_for(world, user_id)
    world.write("UPDATE users SET banned = 1")
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert said(answer) == "user_banned"
    assert world.rows("SELECT status FROM tickets") == [("pending",)]


async def test_a_sign_in_token_does_not_sign_up(world: World) -> None:
    text = await token_for(world, await account(world))
    answer = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert said(answer) == "sign_in_token_not_in_sign_in_code"


# ── invitations ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("mode", list(SignUpMode))
async def test_an_invitation_signs_up_whatever_the_mode(world: World, mode: SignUpMode) -> None:
    world.switch(mode=mode)
    text = await invited(world, public_metadata={"role": "guest"})
    answer = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert answer.subject is not None
    assert answer.user is not None
    assert answer.subject.status == "complete"
    [owned] = answer.user.addresses
    assert (owned.address.spelling, owned.is_verified, owned.strategy) == (
        ADA_MAIL,
        True,
        "ticket",
    )
    assert answer.user.app_data.public_metadata == {"role": "guest"}
    again = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert said(again) == "invitation_already_accepted"


async def test_an_invited_person_still_gives_what_is_required(world: World) -> None:
    world.switch(mode=SignUpMode.RESTRICTED, phone=Attribute(required=True))
    text = await invited(world)
    begun = await sign_up.start(
        world.deps, Caller(), sign_up.Wanted({Kind.PHONE: BEA}, strategy=PHONE, ticket=text)
    )
    assert begun.client is not None
    assert begun.subject is not None
    assert begun.subject.status == "missing_requirements"
    caller = Caller(begun.client.client.id)
    done = await sign_up.try_code(world.deps, caller, begun.subject.id, PHONE, world.code)
    assert done.subject is not None
    assert done.subject.status == "complete"


async def test_the_restrictions_are_for_those_who_come_uninvited(world: World) -> None:
    world.switch(
        phone=Attribute(required=True),
        restrictions=Restrictions(allowlist_enabled=True, block_disposable_email_domains=True),
        disposable_domains=frozenset({"example.com"}),
    )
    text = await invited(world)
    caller, attempt = started(
        await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    )
    given = sign_up.Wanted({Kind.PHONE: ADA}, strategy=PHONE)
    await sign_up.change(world.deps, caller, attempt.id, given)
    done = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.user is not None


async def test_an_invitation_cannot_be_turned_to_another_address(world: World) -> None:
    world.switch(mode=SignUpMode.RESTRICTED, phone=Attribute(required=True))
    text = await invited(world)
    stranger = {Kind.EMAIL: "stranger@example.com"}
    answer = await sign_up.start(
        world.deps, Caller(), sign_up.Wanted(stranger, strategy=EMAIL, ticket=text)
    )
    assert said(answer) == "form_conditional_param_disallowed"
    begun = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert begun.client is not None
    assert begun.subject is not None
    with pytest.raises(Refused, match="form_conditional_param_disallowed"):
        await sign_up.change(
            world.deps,
            Caller(begun.client.client.id),
            begun.subject.id,
            sign_up.Wanted(stranger),
        )


async def test_components_may_send_the_ticket_and_its_address_again(world: World) -> None:
    """The prebuilt form does, when it goes on with what was missing."""
    world.switch(mode=SignUpMode.RESTRICTED, phone=Attribute(required=True))
    text, other = await invited(world), await invited(world, "other@example.com")
    same = {Kind.EMAIL: ADA_MAIL.upper()}
    begun = await sign_up.start(world.deps, Caller(), sign_up.Wanted(same, ticket=text))
    assert begun.client is not None
    assert begun.subject is not None
    assert begun.subject.unverified_fields(world.deps.instance) == []
    caller, attempt = Caller(begun.client.client.id), begun.subject.id
    with pytest.raises(Refused, match="form_conditional_param_disallowed"):
        await sign_up.change(world.deps, caller, attempt, sign_up.Wanted(ticket=other))
    with pytest.raises(Refused, match="ticket_invalid_code"):
        await sign_up.change(world.deps, caller, attempt, sign_up.Wanted(ticket="forged"))
    more = sign_up.Wanted({**same, Kind.PHONE: BEA}, strategy=PHONE, ticket=text)
    await sign_up.change(world.deps, caller, attempt, more)
    done = await sign_up.try_code(world.deps, caller, attempt, PHONE, world.code)
    assert done.subject is not None
    assert done.subject.status == "complete"


async def test_of_two_sign_ups_by_one_invitation_one_is_finished(world: World) -> None:
    world.switch(phone=Attribute(required=True))
    text = await invited(world)
    begun = []
    for phone in (ADA, BEA):
        wanted = sign_up.Wanted({Kind.PHONE: phone}, strategy=PHONE, ticket=text)
        answer = await sign_up.start(world.deps, Caller(), wanted)
        assert answer.client is not None
        assert answer.subject is not None
        begun.append((Caller(answer.client.client.id), answer.subject.id, world.code))
    answers = await asyncio.gather(
        *[
            sign_up.try_code(world.deps, caller, attempt, PHONE, code)
            for caller, attempt, code in begun
        ],
        return_exceptions=True,
    )
    done = [one for one in answers if isinstance(one, Answer) and one.refusal is None]
    assert len(done) == 1
    assert world.count("users") == 1


async def test_an_invitation_of_somebody_with_an_account_signs_in(world: World) -> None:
    user_id = await account(world)
    text = await invited(world, ignore_existing=True)
    refused = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert said(refused) == "invitation_account_exists"
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert answer.user is not None
    assert answer.user.id == user_id


async def test_an_invitation_of_nobody_does_not_sign_in(world: World) -> None:
    text = await invited(world)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert said(answer) == "invitation_account_not_exists"


async def test_an_invitation_runs_out(world: World) -> None:
    text = await invited(world)
    world.clock.forward(31 * DAY)
    answer = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert said(answer) == "ticket_expired_code"
