"""Where a sign-up asks for no proof: its person can come back, and its owner can come in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.domain import errors
from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute, UsernameAttribute
from doorcode.domain.limits import DAY
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import AppData, User
from doorcode.flows import client as clients
from doorcode.flows import me, me_addresses, session, sign_in, sign_up
from doorcode.flows import ticket as tickets
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller
from doorcode.flows.me_addresses import Target, Way
from doorcode.flows.sign_in import Wish

from .test_me import picture
from .world import ADA, ADA_MAIL, EMAIL, PHONE, World, started

OTHER_MAIL = "bea@example.com"
NO_PROOF = Attribute(verify_at_sign_up=False)


@pytest.fixture
async def squatter(world: World) -> Caller:
    """Somebody who signed up by a mailbox and a number that nobody asked them to prove."""
    world.switch(email=NO_PROOF, phone=NO_PROOF)
    wanted = sign_up.Wanted({Kind.EMAIL: ADA_MAIL, Kind.PHONE: ADA})
    caller, _ = started(await sign_up.start(world.deps, Caller(), wanted))
    return caller


async def user_of(world: World, caller: Caller) -> User:
    _, _, user = await session.of_request(world.deps, caller, None)
    return user


async def by_mail(world: World) -> tuple[Caller, Answer[sign_in.SignIn]]:
    """Signing in by the mailbox on a new client."""
    caller, attempt = await world.asked_to_sign_in(ADA_MAIL)
    return caller, await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)


async def strategies(world: World, identifier: str = ADA_MAIL) -> list[str]:
    _, attempt = await world.signing_in(identifier)
    async with world.storage.reading() as tx:
        user = await tx.user(attempt.user_id)
    return [one.strategy for one in sign_in.first_factors(attempt, user, world.deps.instance)]


async def test_a_code_signs_in_and_is_the_proof(world: World, squatter: Caller) -> None:
    before = await user_of(world, squatter)
    caller, answer = await by_mail(world)
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    user = await user_of(world, caller)
    assert user.id == before.id
    assert [one.verified_at for one in user.of_kind(Kind.EMAIL)] == [world.clock.time]
    assert answer.user == user


async def test_whoever_signed_up_without_proof_is_signed_out_by_the_owner(
    world: World, squatter: Caller
) -> None:
    """They may have typed a stranger's address, and wait for the stranger to fill the account."""
    await by_mail(world)
    with pytest.raises(Refused, match="signed_out"):
        await user_of(world, squatter)


async def test_from_then_on_only_what_is_proved_signs_in(world: World, squatter: Caller) -> None:
    assert await strategies(world) == ["email_code", "phone_code"]
    await by_mail(world)
    assert await strategies(world) == ["email_code"]
    by_number = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA))
    assert by_number.refusal == errors.IDENTIFIER_UNKNOWN


async def test_the_owner_s_sessions_stay_when_they_sign_in_again(
    world: World, squatter: Caller
) -> None:
    caller, _ = await by_mail(world)
    await by_mail(world)
    assert [one.is_verified for one in (await user_of(world, caller)).of_kind(Kind.EMAIL)] == [True]


async def test_what_was_only_added_to_a_profile_signs_nobody_in(
    world: World, squatter: Caller
) -> None:
    await me_addresses.add(world.deps, squatter, None, Kind.EMAIL, OTHER_MAIL)
    user = await user_of(world, squatter)
    added = next(one for one in user.addresses if one.address.value == OTHER_MAIL)
    caller, attempt = await world.signing_in(ADA_MAIL)
    with pytest.raises(Refused, match="form_resource_not_found"):
        await sign_in.send_code(world.deps, caller, attempt.id, Wish(EMAIL, added.id))


async def test_a_sign_up_on_the_way_in_finds_the_account(world: World, squatter: Caller) -> None:
    wanted = sign_in.Wanted(ADA_MAIL, EMAIL, sign_up_if_missing=True)
    caller, attempt = started(await sign_in.start(world.deps, Caller(), wanted))
    answer = await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert answer.subject is not None
    assert answer.subject.status == "complete"


async def test_what_was_proved_keeps_the_rest_from_signing_in(
    world: World, squatter: Caller
) -> None:
    """With a number of their own proved, the mailbox that they merely name opens nothing."""
    await prove(world, squatter, Kind.PHONE)
    assert await strategies(world, ADA) == ["phone_code"]
    by_mail = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA_MAIL))
    assert by_mail.refusal == errors.IDENTIFIER_UNKNOWN


async def test_the_last_way_in_stays_though_it_is_not_proved(
    world: World, squatter: Caller
) -> None:
    user = await user_of(world, squatter)
    phone, mail = (user.of_kind(kind)[0].id for kind in (Kind.PHONE, Kind.EMAIL))
    await me_addresses.remove(world.deps, squatter, None, Target(Kind.PHONE, phone))
    with pytest.raises(Refused) as refused:
        await me_addresses.remove(world.deps, squatter, None, Target(Kind.EMAIL, mail))
    assert refused.value.refusal == errors.LAST_ADDRESS


async def test_an_address_that_nobody_proved_is_no_first_choice_any_more(
    world: World, squatter: Caller
) -> None:
    """The app would write to whoever it belongs to, about the account of the mailbox's owner."""
    caller = await back_by_mail(world, squatter)
    user = await user_of(world, caller)
    [mail], [phone] = user.of_kind(Kind.EMAIL), user.of_kind(Kind.PHONE)
    assert (user.primary_email_id, user.primary_phone_id) == (mail.id, None)
    assert not phone.is_verified


# ── what whoever signed up has left in the account ────────────────────────────────────
async def back_by_mail(world: World, caller: Caller) -> Caller:
    """Signing in again in the browser that signed up."""
    await clients.sign_out(world.deps, caller)
    here, attempt = await world.signing_in(ADA_MAIL, Caller(caller.client_id))
    await sign_in.send_code(world.deps, here, attempt.id, Wish(EMAIL))
    answer = await sign_in.try_code(world.deps, here, attempt.id, EMAIL, world.code)
    assert answer.refusal is None
    return here


async def settle_in(world: World, squatter: Caller) -> User:
    """All that a stranger can put into an account whose addresses are not proved."""
    world.switch(username=UsernameAttribute(used_for_sign_up=True))
    written = {"first_name": "Eve", "username": "evelyn", "unsafe_metadata": {"payee": "Eve"}}
    await me.change(world.deps, squatter, None, me.Changes(written))
    await me.set_image(world.deps, squatter, None, picture())
    await me_addresses.add(world.deps, squatter, None, Kind.EMAIL, OTHER_MAIL)
    user = await user_of(world, squatter)
    world.write("INSERT INTO backup_codes (user_id, digest) VALUES (?, x'00')", user.id)
    return await user_of(world, squatter)


async def test_the_owner_finds_nothing_of_a_squatter_s_but_the_id(
    world: World, squatter: Caller
) -> None:
    left = await settle_in(world, squatter)
    caller, _ = await by_mail(world)
    user = await user_of(world, caller)
    [mail] = left.of_kind(Kind.EMAIL)[:1]
    proved = replace(mail, verified_at=world.clock.time, updated_at=world.clock.time)
    assert user == User(
        left.id,
        Profile(),
        (proved,),
        created_at=left.created_at,
        updated_at=world.clock.time,
        last_sign_in_at=world.clock.time,
        last_active_at=world.clock.time,
        primary_email_id=mail.id,
    )
    for table in ("images", "backup_codes", "pending_addresses"):
        assert world.count(table) == 0, table
    assert world.rows("SELECT client_id FROM sessions") == [(caller.client_id,)]
    assert world.rows("SELECT client_id FROM devices") == [(caller.client_id,)]


async def test_what_the_app_s_server_said_of_the_account_stays(
    world: World, squatter: Caller
) -> None:
    """It is the app's to keep or to take back: nobody who signs up can write it."""
    said = AppData({"plan": "free"}, {"row": 7}, "ext_1")
    async with world.storage.transaction() as tx:
        await tx.save_user(replace(await user_of(world, squatter), app_data=said))
    caller, _ = await by_mail(world)
    assert (await user_of(world, caller)).app_data == said


async def test_a_ticket_that_a_squatter_was_given_opens_nothing_any_more(
    world: World, squatter: Caller
) -> None:
    user = await user_of(world, squatter)
    ticket = await tickets.create_sign_in_token(world.deps, user.id, DAY)
    await by_mail(world)
    wanted = sign_in.Wanted(ticket=world.deps.tickets.text(ticket.id))
    answer = await sign_in.start(world.deps, Caller(), wanted)
    assert answer.refusal
    assert answer.refusal.code == errors.TICKET_INVALID.code


async def test_a_code_that_a_squatter_asked_for_is_sent_to_nobody_any_more(
    world: World, squatter: Caller
) -> None:
    """It would reach whoever the second address belongs to, about an account not theirs."""
    await me_addresses.add(world.deps, squatter, None, Kind.EMAIL, OTHER_MAIL)
    user = await user_of(world, squatter)
    added = next(one for one in user.addresses if one.address.value == OTHER_MAIL)
    target = Target(Kind.EMAIL, added.id)
    await me_addresses.send_code(world.deps, squatter, None, target, Way(EMAIL))
    await by_mail(world)
    assert world.rows("SELECT state FROM outbox WHERE recipient = ?", OTHER_MAIL) == []
    assert world.rows("SELECT id FROM verifications WHERE attempt_id = ?", added.id) == []


async def test_the_browser_that_signed_up_finds_what_its_person_wrote(
    world: World, squatter: Caller
) -> None:
    """Most people who come back are no strangers, and come back in the same browser."""
    left = await settle_in(world, squatter)
    user = await user_of(world, await back_by_mail(world, squatter))
    assert (user.profile, user.image_id) == (left.profile, left.image_id)
    assert [one.id for one in user.addresses if one.is_verified] == [user.primary_email_id]


# ── an address that its account has not proved beside one that it has ─────────────────
async def prove(world: World, caller: Caller, kind: Kind) -> None:
    """Prove the address of a kind that a sign-up gave, in the profile."""
    strategy = EMAIL if kind is Kind.EMAIL else PHONE
    target = Target(kind, (await user_of(world, caller)).of_kind(kind)[0].id)
    await me_addresses.send_code(world.deps, caller, None, target, Way(strategy))
    answer = await me_addresses.try_code(world.deps, caller, None, target, world.code)
    assert answer.refusal is None


async def owner_signs_up(world: World) -> Answer[sign_up.SignUp]:
    """The mailbox's owner signs up by it, and proves it."""
    world.switch(email=Attribute())
    caller, attempt = await world.signing_up(None, ADA_MAIL)
    await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)
    return await sign_up.try_code(world.deps, caller, attempt.id, EMAIL, world.code)


async def test_an_address_that_a_squatter_left_unproved_keeps_its_owner_out_no_more(
    world: World, squatter: Caller
) -> None:
    """With a number of their own proved they would have kept it for ever: no code opens it."""
    await prove(world, squatter, Kind.PHONE)
    answer = await owner_signs_up(world)
    assert answer.user is not None
    assert [one.is_verified for one in answer.user.addresses] == [True]
    assert answer.user.id != (await user_of(world, squatter)).id


async def test_what_is_left_unproved_is_a_claim_that_can_be_proved_later(
    world: World, squatter: Caller
) -> None:
    [before] = (await user_of(world, squatter)).of_kind(Kind.EMAIL)
    await prove(world, squatter, Kind.PHONE)
    user = await user_of(world, squatter)
    [mail] = user.of_kind(Kind.EMAIL)
    assert (mail.id, mail.is_verified, user.primary_email_id) == (before.id, False, None)
    assert world.rows("SELECT id FROM pending_addresses") == [(mail.id,)]
    assert user.identifier == ADA
    await prove(world, squatter, Kind.EMAIL)
    user = await user_of(world, squatter)
    assert user.primary_email_id == mail.id
    assert world.count("pending_addresses") == 0


async def test_a_sign_up_that_proves_a_number_only_claims_its_mailbox(world: World) -> None:
    world.switch(email=NO_PROOF)
    caller, attempt = await world.signing_up(ADA, ADA_MAIL)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    user = await user_of(world, caller)
    assert answer.user == user
    assert [one.is_verified for one in user.of_kind(Kind.EMAIL)] == [False]
    assert (user.primary_email_id, user.identifier) == (None, ADA)
    other = await owner_signs_up(world)
    assert other.user is not None
    assert other.user.id != user.id


async def test_a_code_that_was_under_way_still_proves_what_became_a_claim(
    world: World, squatter: Caller
) -> None:
    target = Target(Kind.EMAIL, (await user_of(world, squatter)).of_kind(Kind.EMAIL)[0].id)
    await me_addresses.send_code(world.deps, squatter, None, target, Way(EMAIL))
    code = world.code
    await prove(world, squatter, Kind.PHONE)
    answer = await me_addresses.try_code(world.deps, squatter, None, target, code)
    assert answer.subject is not None
    assert answer.subject.owned.is_verified


async def test_the_owner_who_proves_it_first_takes_the_claim_from_the_squatter(
    world: World, squatter: Caller
) -> None:
    target = Target(Kind.EMAIL, (await user_of(world, squatter)).of_kind(Kind.EMAIL)[0].id)
    await prove(world, squatter, Kind.PHONE)
    await owner_signs_up(world)
    with pytest.raises(Refused, match="form_identifier_exists"):
        await me_addresses.send_code(world.deps, squatter, None, target, Way(EMAIL))
