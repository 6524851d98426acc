"""One account a mailbox: who is first passes, also by a sub-address; who is there stays."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain import errors
from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, SignUpMode
from doorcode.domain.restrictions import Restrictions
from doorcode.flows import invitation, me_addresses, session, sign_in, sign_up
from doorcode.flows.deps import Caller
from doorcode.flows.me_addresses import Target, Way

from .world import ADA, BEA, EMAIL, World, started

ANN, ANN_NEWS, ANN_SHOP = "ann@example.com", "ann+news@example.com", "ann=shop@example.com"
TAKEN = errors.MAILBOX_TAKEN.about(Kind.EMAIL)


@pytest.fixture(autouse=True)
def one_account_a_mailbox(world: World) -> None:
    world.switch(restrictions=Restrictions(block_email_subaddresses=True))


async def starting(world: World, email: str) -> Refusal | None:
    """Why nobody can sign up with an address, if nobody can."""
    wanted = sign_up.Wanted({Kind.EMAIL: email})
    return (await sign_up.start(world.deps, Caller(), wanted)).refusal


async def adding(world: World, caller: Caller, email: str) -> Refusal | Target:
    try:
        answer = await me_addresses.add(world.deps, caller, None, Kind.EMAIL, email)
    except Refused as refused:
        return refused.refusal
    assert answer.subject
    return Target(Kind.EMAIL, answer.subject.owned.id)


# ── signing up ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("first", [ANN, ANN_NEWS])
async def test_the_first_of_a_mailbox_passes_and_no_other(world: World, first: str) -> None:
    await world.account(None, first)
    for other in {ANN, ANN_NEWS, ANN_SHOP, "ANN+NEWS+2@example.com"} - {first}:
        assert await starting(world, other) == TAKEN
    assert (TAKEN.code, TAKEN.status, TAKEN.param) == ("not_allowed_access", 403, "email_address")
    assert await starting(world, "bob+news@example.com") is None


async def test_the_very_address_is_taken_as_ever(world: World) -> None:
    await world.account(None, ANN_NEWS)
    assert await starting(world, ANN_NEWS) == errors.IDENTIFIER_TAKEN.about(Kind.EMAIL)


async def test_gmail_is_one_mailbox_under_two_names_with_any_dots(world: World) -> None:
    await world.account(None, "ann.lee@gmail.com")
    for other in ("annlee@gmail.com", "a.n.nlee+x@googlemail.com"):
        assert await starting(world, other) == TAKEN
    world.switch(restrictions=Restrictions(False, (), False, (), True, False))
    assert await starting(world, "annlee@gmail.com") is None
    assert await starting(world, "ann.lee+x@googlemail.com") == TAKEN


async def test_where_the_setting_is_off_nobody_counts_mailboxes(world: World) -> None:
    world.switch(restrictions=Restrictions())
    await world.account(None, ANN)
    await world.account(None, ANN_NEWS)
    assert world.count("users") == 2


async def test_test_addresses_are_as_many_as_anybody_wants(world: World) -> None:
    await world.account(None, ANN)
    await world.account(None, "ann+clerk_test@example.com")
    await world.account(None, "ann+clerk_test_2@example.com")
    assert world.count("users") == 3


async def test_a_mailbox_is_free_again_when_its_account_is_gone(world: World) -> None:
    await world.account(None, ANN)
    world.write("DELETE FROM users")
    assert await starting(world, ANN_NEWS) is None


async def test_of_many_who_come_at_once_one_has_the_account(world: World) -> None:
    async def arrive(number: int) -> tuple[Caller, str, str]:
        caller, attempt = await world.signing_up(None, f"ann+{number}@example.com")
        await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)
        return caller, attempt.id, world.code

    people = [await arrive(number) for number in range(8)]
    answers = await asyncio.gather(
        *(sign_up.try_code(world.deps, caller, one, EMAIL, code) for caller, one, code in people)
    )
    assert sorted(str(one.refusal and one.refusal.code) for one in answers) == [
        "None", *["not_allowed_access"] * 7,
    ]  # fmt: skip
    assert world.count("users") == world.count("sessions") == 1
    late = [
        world.rows("SELECT status FROM sign_ups WHERE id = ?", one)[0][0] for _, one, _ in people
    ]
    assert sorted(late) == [*["abandoned"] * 7, "complete"]
    # The right code stays used, and the attempt is over.
    refused = next(n for n, one in enumerate(answers) if one.refusal)
    caller, attempt, code = people[refused]
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_up.try_code(world.deps, caller, attempt, EMAIL, code)


async def test_an_address_of_a_sign_up_that_is_changed_is_looked_at_too(world: World) -> None:
    await world.account(None, ANN)
    caller, attempt = await world.signing_up(BEA)
    wanted = sign_up.Wanted({Kind.EMAIL: ANN_NEWS})
    with pytest.raises(Refused) as caught:
        await sign_up.change(world.deps, caller, attempt.id, wanted)
    assert caught.value.refusal == TAKEN


async def test_an_invitation_passes(world: World) -> None:
    await world.account(None, ANN)
    world.switch(mode=SignUpMode.RESTRICTED)
    [made] = await invitation.create(world.deps, [invitation.Wanted(ANN_NEWS, notify=False)])
    text = world.deps.tickets.text(made.id)
    answer = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    assert answer.user is not None


# ── signing in ────────────────────────────────────────────────────────────────────────
async def test_who_was_there_before_stays(world: World) -> None:
    world.switch(restrictions=Restrictions())
    for email in (ANN, ANN_NEWS):
        await world.account(None, email)
    world.switch(restrictions=Restrictions(block_email_subaddresses=True))
    for email in (ANN, ANN_NEWS):
        caller, attempt = await world.asked_to_sign_in(email)
        answer = await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
        assert answer.user is not None


async def test_a_sign_in_that_may_become_a_sign_up_tells_only_whom_it_has_proved(
    world: World,
) -> None:
    await world.account(None, ANN)
    either = sign_in.Wanted(ANN_NEWS, EMAIL, sign_up_if_missing=True)
    caller, attempt = started(await sign_in.start(world.deps, Caller(), either))
    await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    answer = await sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    assert answer.refusal == TAKEN
    assert world.count("users") == 1


# ── adding ────────────────────────────────────────────────────────────────────────────
async def test_a_mailbox_of_somebody_else_is_not_added(world: World) -> None:
    await world.account(None, ANN_NEWS)
    caller, _ = await world.account(ADA)
    assert await adding(world, caller, ANN) == TAKEN
    assert world.count("pending_addresses") == 0


async def test_ones_own_mailbox_may_have_another_address(world: World) -> None:
    caller, _ = await world.account(None, ANN)
    assert isinstance(await adding(world, caller, ANN_NEWS), Target)


async def test_a_claim_is_not_proved_once_somebody_else_has_the_mailbox(world: World) -> None:
    caller, _ = await world.account(ADA)
    targets = [await adding(world, caller, email) for email in (ANN_NEWS, ANN_SHOP)]
    asked, unasked = (one for one in targets if isinstance(one, Target))
    await me_addresses.send_code(world.deps, caller, None, asked, Way(EMAIL))
    code = world.code
    await world.account(None, ANN)
    with pytest.raises(Refused) as caught:
        await me_addresses.send_code(world.deps, caller, None, unasked, Way(EMAIL))
    assert caught.value.refusal == TAKEN
    answer = await me_addresses.try_code(world.deps, caller, None, asked, code)
    assert answer.refusal == TAKEN
    _, _, user = await session.of_request(world.deps, caller, None)
    assert [one.id for one in user.of_kind(Kind.EMAIL)] == [unasked.id]


async def test_an_address_of_ones_own_can_be_proved_beside_another_in_its_mailbox(
    world: World,
) -> None:
    world.switch(restrictions=Restrictions(), email=Attribute(verify_at_sign_up=False))
    texts = {Kind.EMAIL: ANN_NEWS}
    caller, _ = started(await sign_up.start(world.deps, Caller(), sign_up.Wanted(texts)))
    await sign_up.start(world.deps, Caller(), sign_up.Wanted({Kind.EMAIL: ANN}))
    assert world.count("users") == 2
    world.switch(restrictions=Restrictions(block_email_subaddresses=True))
    _, _, user = await session.of_request(world.deps, caller, None)
    target = Target(Kind.EMAIL, user.addresses[0].id)
    await me_addresses.send_code(world.deps, caller, None, target, Way(EMAIL))
    answer = await me_addresses.try_code(world.deps, caller, None, target, world.code)
    assert answer.subject
    assert answer.subject.owned.is_verified
