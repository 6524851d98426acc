"""Ways into somebody else's account that must not work, each tried as an attacker would."""

from __future__ import annotations

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Kind
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute, SignUpMode, UsernameAttribute
from doorcode.domain.restrictions import Restrictions
from doorcode.flows import backup_codes, invitation, second_factor, sign_in, sign_up, ticket
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World, started

BACKUP = "0123456789"


def said(answer: Answer) -> str | None:  # type: ignore[type-arg]
    return answer.refusal.code if answer.refusal else None


async def refused(story) -> str | None:  # type: ignore[no-untyped-def]
    """The code of a refusal, whether it is a value or an exception; None where it let in."""
    try:
        return said(await story)
    except Refused as why:
        return why.refusal.code


async def two_steps(world: World) -> str:
    """Ada, whose number is for the second step only, with a backup code; her id."""
    world.switch(phone=Attribute(used_for_second_factor=True), backup_codes=True)
    _, account = await world.account(ADA, ADA_MAIL)
    assert account.user is not None
    world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", ADA)
    digest = backup_codes.digest_backup_code(world.deps, account.user.id, BACKUP)
    async with world.deps.storage.transaction() as tx:
        await tx.replace_backup_codes(account.user.id, [digest])
    return account.user.id


async def an_invitation(world: World, email: str = ADA_MAIL) -> str:
    wanted = invitation.Wanted(email, notify=False, ignore_existing=True)
    [made] = await invitation.create(world.deps, [wanted])
    return world.deps.tickets.text(made.id)


# ── an account that was shut ──────────────────────────────────────────────────────────
@pytest.mark.parametrize("either", [False, True])
async def test_a_ticket_opens_no_banned_account(world: World, either: bool) -> None:
    _, account = await world.account()
    assert account.user is not None
    made = await ticket.create_sign_in_token(world.deps, account.user.id, limits.HOUR)
    world.write("UPDATE users SET banned = 1")
    sessions = world.count("sessions")
    text = world.deps.tickets.text(made.id)
    wanted = sign_in.Wanted(ticket=text, sign_up_if_missing=either)
    assert await refused(sign_in.start(world.deps, Caller(), wanted)) == "user_banned"
    assert world.count("sessions") == sessions


@pytest.mark.parametrize("either", [False, True])
async def test_a_transfer_opens_no_banned_account(world: World, either: bool) -> None:
    slow, attempt = await world.asked_by_phone(ADA)
    code = world.code
    await world.account(ADA)
    assert await refused(sign_up.try_code(world.deps, slow, attempt.id, PHONE, code))
    world.write("UPDATE users SET banned = 1")
    wanted = sign_in.Wanted(transfer=True, sign_up_if_missing=either)
    assert await refused(sign_in.start(world.deps, slow, wanted)) == "user_banned"


async def test_one_person_is_signed_in_once_on_a_client_whatever_is_asked(world: World) -> None:
    world.switch(single_session=False)
    caller, account = await world.account()
    assert account.user is not None
    made = await ticket.create_sign_in_token(world.deps, account.user.id, limits.HOUR)
    wanted = sign_in.Wanted(ticket=world.deps.tickets.text(made.id), sign_up_if_missing=True)
    answer = await sign_in.start(world.deps, caller, wanted)
    assert said(answer) == "identifier_already_signed_in"


# ── the second step ───────────────────────────────────────────────────────────────────
async def test_a_reserved_number_is_no_first_factor_of_an_attempt_that_may_sign_up(
    world: World,
) -> None:
    """The thief of a phone and of the paper beside it lacks the mailbox."""
    await two_steps(world)
    wanted = sign_in.Wanted(ADA, PHONE, sign_up_if_missing=True)
    caller, attempt = started(await sign_in.start(world.deps, Caller(), wanted))
    tried = sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refused(tried) == "sign_in_identification_or_user_deleted"
    by_paper = second_factor.try_backup_code(world.deps, caller, attempt.id, BACKUP)
    assert await refused(by_paper) == "client_state_invalid"


async def test_a_number_reserved_since_its_code_was_sent_is_no_first_factor(world: World) -> None:
    world.switch(phone=Attribute(used_for_second_factor=True), backup_codes=True)
    await world.account(ADA, ADA_MAIL)
    caller, attempt = await world.asked_to_sign_in(ADA)
    code = world.code
    world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", ADA)
    tried = sign_in.try_code(world.deps, caller, attempt.id, PHONE, code)
    assert await refused(tried) == "sign_in_identification_or_user_deleted"


@pytest.mark.parametrize(
    "attribute", [Attribute(used_for_second_factor=True), Attribute(used_for_sign_in=False)]
)
async def test_a_transfer_enters_by_no_number_that_signs_nobody_in(
    world: World, attribute: Attribute
) -> None:
    world.switch(phone=attribute, backup_codes=True)
    slow, attempt = await world.asked_by_phone(ADA)
    code = world.code
    await world.account(ADA, ADA_MAIL)
    world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", ADA)
    await sign_up.try_code(world.deps, slow, attempt.id, PHONE, code)
    transferred = sign_in.start(world.deps, slow, sign_in.Wanted(transfer=True))
    assert await refused(transferred) == "account_transfer_invalid"


async def test_a_number_given_up_since_its_code_was_sent_is_no_second_factor(
    world: World,
) -> None:
    """The owner has noticed the theft of the phone and reserved another number."""
    await two_steps(world)
    caller, attempt = await world.asked_to_sign_in(ADA_MAIL)
    await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    await second_factor.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    world.write("UPDATE addresses SET reserved_for_second_factor = 0 WHERE value = ?", ADA)
    tried = second_factor.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refused(tried) == "sign_in_identification_or_user_deleted"


async def test_an_invitation_is_no_way_round_the_second_step(world: World) -> None:
    """An old link in a mailbox proves the mailbox, and no phone."""
    await two_steps(world)
    text = await an_invitation(world)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert answer.refusal is None
    assert answer.subject is not None
    assert answer.client is not None
    assert (answer.subject.status, answer.client.sessions) == ("needs_second_factor", ())
    caller = Caller(answer.client.client.id)
    by_mail = second_factor.send_code(world.deps, caller, answer.subject.id, sign_in.Wish(EMAIL))
    assert await refused(by_mail) == "no_second_factors"
    await second_factor.send_code(world.deps, caller, answer.subject.id, sign_in.Wish(PHONE))
    done = await second_factor.try_code(world.deps, caller, answer.subject.id, PHONE, world.code)
    assert done.subject is not None
    assert done.subject.status == "complete"


async def test_after_an_invitation_the_same_mailbox_is_no_second_step(world: World) -> None:
    world.switch(email=Attribute(used_for_second_factor=True), mfa_required=True)
    await world.account(ADA, ADA_MAIL)
    text = await an_invitation(world)
    caller, attempt = started(
        await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    )
    by_mail = second_factor.send_code(world.deps, caller, attempt.id, sign_in.Wish(EMAIL))
    assert await refused(by_mail) is not None


async def test_an_invitation_opens_no_account_that_never_proved_the_address(world: World) -> None:
    """A squatter's account must not swallow the person who was invited."""
    world.switch(email=Attribute(verify_at_sign_up=False))
    caller, attempt = await world.signing_up(BEA, ADA_MAIL)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    squatted = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert squatted.user is not None
    text = await an_invitation(world)
    entered = sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert await refused(entered) == "invitation_account_not_exists"


async def test_an_invitation_is_no_way_in_where_mail_is_none(world: World) -> None:
    await world.account(ADA, ADA_MAIL)
    text = await an_invitation(world)
    world.switch(email=Attribute(used_for_sign_in=False))
    entered = sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert await refused(entered) == "invitation_account_not_exists"
    world.switch(email=Attribute())
    assert await refused(sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))) is None


async def test_an_invitation_puts_a_squatter_out(world: World) -> None:
    """Who signed up by a mailbox that nobody asked a proof of waits for its owner to come."""
    world.switch(email=Attribute(verify_at_sign_up=False))
    squatter, attempt = await world.signing_up(None, ADA_MAIL)
    assert attempt.status == "complete"
    text = await an_invitation(world)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ticket=text))
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    view = await clients.show(world.deps, squatter)
    assert view is None or view.sessions == ()


# ── proofs that are used again ────────────────────────────────────────────────────────
async def holding(world: World, text: str) -> tuple[Caller, str]:
    """Somebody who began to sign up by an invitation, and waits."""
    begun = await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    caller, attempt = started(begun)
    assert attempt.status == "missing_requirements"
    return caller, attempt.id


async def test_a_used_invitation_opens_nothing_to_who_held_it_back(world: World) -> None:
    """A copy of the link is kept warm until its owner has come in by the original."""
    world.switch(phone=Attribute(required=True))
    text = await an_invitation(world)
    (thief, _), (owner, attempt) = await holding(world, text), await holding(world, text)
    wanted = sign_up.Wanted({Kind.PHONE: ADA}, strategy=PHONE)
    await sign_up.change(world.deps, owner, attempt, wanted)
    done = await sign_up.try_code(world.deps, owner, attempt, PHONE, world.code)
    assert done.user is not None
    again = sign_in.start(world.deps, thief, sign_in.Wanted(transfer=True))
    assert await refused(again) == "account_transfer_invalid"


async def test_a_transfer_makes_no_proof_younger(world: World) -> None:
    """From sign-in to sign-up and back a day later: the number has another owner by now."""
    world.switch(username=UsernameAttribute(used_for_sign_up=True, required=True))
    wanted = sign_in.Wanted(ADA, PHONE, sign_up_if_missing=True)
    caller, attempt = started(await sign_in.start(world.deps, Caller(), wanted))
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    world.clock.forward(limits.DAY - limits.MINUTE)
    await sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    world.switch(username=UsernameAttribute())
    await world.account(ADA)
    back = sign_in.start(world.deps, caller, sign_in.Wanted(transfer=True))
    assert await refused(back) == "account_transfer_invalid"


async def test_an_attempt_that_is_over_is_not_transferred(world: World) -> None:
    wanted = sign_in.Wanted(ADA, PHONE, sign_up_if_missing=True)
    caller, attempt = started(await sign_in.start(world.deps, Caller(), wanted))
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    world.clock.forward(limits.ATTEMPT_LIVES_FOR)
    taken = sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    assert await refused(taken) == "account_transfer_invalid"


# ── an instance that closed its door ──────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mode": SignUpMode.RESTRICTED}, "sign_up_mode_restricted"),
        ({"mode": SignUpMode.WAITLIST}, "sign_up_restricted_waitlist"),
        (
            {"restrictions": Restrictions(blocklist_enabled=True, blocklist=(ADA,))},
            "not_allowed_access",
        ),
    ],
)
async def test_a_sign_up_kept_open_does_not_outlast_the_open_door(
    world: World, changes: dict[str, object], expected: str
) -> None:
    caller, attempt = await world.asked_by_phone(ADA)
    code = world.code
    world.switch(**changes)
    tried = sign_up.try_code(world.deps, caller, attempt.id, PHONE, code)
    assert await refused(tried) == expected
    assert world.count("users") == 0


async def test_an_invited_sign_up_goes_on_when_the_door_closes(world: World) -> None:
    world.switch(phone=Attribute(required=True), mode=SignUpMode.RESTRICTED)
    text = await an_invitation(world)
    caller, attempt = started(
        await sign_up.start(world.deps, Caller(), sign_up.Wanted(ticket=text))
    )
    wanted = sign_up.Wanted({Kind.PHONE: ADA}, strategy=PHONE)
    await sign_up.change(world.deps, caller, attempt.id, wanted)
    done = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.user is not None
