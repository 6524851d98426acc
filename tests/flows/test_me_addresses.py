"""The addresses of one's own account: what is claimed, what is proved, what may go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Channel, Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Attribute, SignUpMode
from doorcode.domain.restrictions import Restrictions
from doorcode.domain.session import Session, Status
from doorcode.domain.user import OwnedAddress, User
from doorcode.flows import me, second_factor, sign_in, sign_up
from doorcode.flows import me_addresses as story
from doorcode.flows import session as sessions
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller
from doorcode.flows.me_addresses import Changed, SecondStep, Target, Way
from doorcode.storage.interface import Conflict

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World

SECOND = Attribute(used_for_second_factor=True)
NEW_MAIL = "ada@work.example"
RESERVE, GIVE_BACK = SecondStep(reserved=True), SecondStep(reserved=False)


async def refused(asked: Any) -> Refusal:
    with pytest.raises(Refused) as caught:
        await asked
    return caught.value.refusal


def subject(answer: Answer[Changed]) -> OwnedAddress:
    assert answer.refusal is None, answer.refusal
    assert answer.subject
    return answer.subject.owned


async def now(world: World, caller: Caller) -> tuple[Session, User]:
    """The session and the account as they are."""
    _, session, user = await sessions.of_request(world.deps, caller, None)
    return session, user


async def add(world: World, caller: Caller, text: str) -> Target:
    kind = Kind.EMAIL if "@" in text else Kind.PHONE
    return Target(kind, subject(await story.add(world.deps, caller, None, kind, text)).id)


def way(target: Target) -> Way:
    return Way(EMAIL if target.kind is Kind.EMAIL else PHONE)


async def asked(world: World, caller: Caller, text: str) -> Target:
    """An address that a code was sent to."""
    target = await add(world, caller, text)
    await story.send_code(world.deps, caller, None, target, way(target))
    return target


async def type_code(
    world: World, caller: Caller, target: Target, code: str | None = None
) -> Answer[Changed]:
    return await story.try_code(world.deps, caller, None, target, code or world.code)


async def proved(world: World, caller: Caller, text: str) -> Target:
    target = await asked(world, caller, text)
    subject(await type_code(world, caller, target))
    return target


async def step(world: World, caller: Caller, target: Target, wanted: SecondStep) -> Changed:
    answer = await story.use_for_second_step(world.deps, caller, None, target.id, wanted)
    assert answer.subject
    return answer.subject


async def phone_of(world: World, caller: Caller) -> Target:
    _, user = await now(world, caller)
    return Target(Kind.PHONE, user.of_kind(Kind.PHONE)[0].id)


async def remove(world: World, caller: Caller, target: Target) -> str | None:
    return (await story.remove(world.deps, caller, None, target)).subject


# ── adding ────────────────────────────────────────────────────────────────────────────
async def test_what_is_said_and_not_proved_counts_for_nothing(world: World) -> None:
    caller, _ = await world.account()
    target = await add(world, caller, ADA_MAIL)
    _, user = await now(world, caller)
    owned = user.owned(target.id)
    assert owned
    assert (owned.is_verified, owned.verification, owned.address.spelling) == (
        False, None, ADA_MAIL,
    )  # fmt: skip
    assert user.primary_email_id is None
    assert user.first_factor_addresses(world.deps.instance) == user.of_kind(Kind.PHONE)
    async with world.deps.storage.reading() as tx:
        assert await tx.user_by_address(owned.address) is None


async def test_said_twice_it_is_one(world: World) -> None:
    caller, _ = await world.account()
    first = await add(world, caller, ADA_MAIL)
    assert await add(world, caller, ADA_MAIL.upper()) == first
    assert world.count("pending_addresses") == 1


async def test_what_somebody_has_proved_is_taken(world: World) -> None:
    await world.account(BEA, ADA_MAIL)
    caller, _ = await world.account()
    for text, kind in ((BEA, Kind.PHONE), (ADA_MAIL.lower(), Kind.EMAIL), (ADA, Kind.PHONE)):
        assert await refused(add(world, caller, text)) == errors.IDENTIFIER_TAKEN.about(kind)


async def test_what_somebody_merely_claims_is_not(world: World) -> None:
    bea, _ = await world.account(BEA)
    await add(world, bea, ADA_MAIL)
    ada, _ = await world.account()
    await proved(world, ada, ADA_MAIL)
    _, user = await now(world, ada)
    assert [one.address.spelling for one in user.of_kind(Kind.EMAIL)] == [ADA_MAIL]


@pytest.mark.parametrize(
    ("changes", "text", "why"),
    [
        ({}, "nonsense", errors.PHONE_FORMAT.about(Kind.PHONE)),
        ({}, "nonsense@", errors.EMAIL_FORMAT.about(Kind.EMAIL)),
        (
            {"email": Attribute(False, used_for_sign_in=False)},
            NEW_MAIL,
            errors.PARAM_UNKNOWN.about(Kind.EMAIL),
        ),
        (
            {"email": Attribute(immutable=True)},
            NEW_MAIL,
            errors.ATTRIBUTE_IMMUTABLE.about(Kind.EMAIL),
        ),
        (
            {"restrictions": Restrictions(allowlist_enabled=True, allowlist=("example.com",))},
            NEW_MAIL,
            errors.NOT_ALLOWED.about(Kind.EMAIL),
        ),
        (
            {
                "restrictions": Restrictions(block_disposable_email_domains=True),
                "disposable_domains": frozenset({"work.example"}),
            },
            NEW_MAIL,
            errors.EMAIL_DISPOSABLE.about(Kind.EMAIL),
        ),
    ],
)
async def test_an_address_that_is_not_for_here_is_refused(
    world: World, changes: dict[str, Any], text: str, why: Refusal
) -> None:
    caller, _ = await world.account()
    world.switch(**changes)
    assert await refused(add(world, caller, text)) == why
    assert world.count("pending_addresses") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"restrictions": Restrictions(blocklist_enabled=True, blocklist=("work.example",))},
        {
            "mode": SignUpMode.RESTRICTED,
            "restrictions": Restrictions(allowlist_enabled=True, allowlist=("example.com",)),
        },
    ],
)
async def test_the_blocklist_is_for_sign_ups_and_the_allowlist_for_public_mode(
    world: World, changes: dict[str, Any]
) -> None:
    caller, _ = await world.account()
    world.switch(**changes)
    await proved(world, caller, NEW_MAIL)


async def test_what_waits_for_its_proof_does_not_slip_by_a_list_that_is_switched_on(
    world: World,
) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, NEW_MAIL)
    code = world.code
    world.switch(restrictions=Restrictions(allowlist_enabled=True, allowlist=("example.com",)))
    why = errors.NOT_ALLOWED.about(Kind.EMAIL)
    assert await refused(story.try_code(world.deps, caller, None, target, code)) == why
    assert await refused(story.send_code(world.deps, caller, None, target, way(target))) == why
    _, user = await now(world, caller)
    assert not any(one.is_verified for one in user.of_kind(Kind.EMAIL))


async def test_no_more_than_ten_wait_for_their_proof(world: World) -> None:
    caller, _ = await world.account()
    outcomes = await asyncio.gather(
        *(
            add(world, caller, f"ada{n}@example.com")
            for n in range(limits.UNVERIFIED_ADDRESSES + 5)
        ),
        return_exceptions=True,
    )
    assert world.count("pending_addresses") == limits.UNVERIFIED_ADDRESSES == 10
    refusals = [one.refusal for one in outcomes if isinstance(one, Refused)]
    assert refusals == [errors.TOO_MANY_UNVERIFIED] * 5


# ── proving ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("text", [ADA_MAIL, BEA])
async def test_the_right_code_makes_an_address_theirs(world: World, text: str) -> None:
    caller, _ = await world.account(ADA)
    target = await asked(world, caller, text)
    heard = world.post.announced[-1]
    assert (heard.committed, heard.to) == (True, text)
    world.clock.forward(5)
    owned = subject(await type_code(world, caller, target))
    assert (owned.id, owned.verified_at, owned.updated_at) == (target.id, *[world.clock.time] * 2)
    _, user = await now(world, caller)
    assert user.owned(owned.id) == owned
    assert world.count("pending_addresses") == 0


async def test_one_can_sign_in_by_it_then(world: World) -> None:
    caller, _ = await world.account()
    await proved(world, caller, ADA_MAIL)
    other, attempt = await world.asked_to_sign_in(ADA_MAIL)
    answer = await sign_in.try_code(world.deps, other, attempt.id, EMAIL, world.code)
    assert answer.subject
    assert answer.subject.created_session_id


async def test_the_first_of_a_kind_is_primary_and_a_later_one_is_not(world: World) -> None:
    caller, _ = await world.account()
    first = await proved(world, caller, ADA_MAIL)
    await proved(world, caller, NEW_MAIL)
    _, user = await now(world, caller)
    assert user.primary_email_id == first.id


async def test_a_wrong_code_is_counted_and_the_fifth_is_the_last(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    said = [(await type_code(world, caller, target, world.wrong)).refusal for _ in range(5)]
    assert said == [errors.CODE_INCORRECT] * 4 + [errors.VERIFICATION_FAILED]
    assert await refused(type_code(world, caller, target)) == errors.VERIFICATION_FAILED
    await story.send_code(world.deps, caller, None, target, way(target))
    assert subject(await type_code(world, caller, target)).is_verified


async def test_parallel_guesses_are_counted_one_by_one(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    guesses = [type_code(world, caller, target, f"{n:06d}") for n in range(20)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert len([one for one in outcomes if isinstance(one, Answer)]) == 5
    assert world.rows("SELECT attempts FROM verifications WHERE attempt_id = ?", target.id) == [
        (5,)
    ]


async def test_of_many_right_codes_one_makes_it_theirs(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    outcomes = await asyncio.gather(
        *(type_code(world, caller, target) for _ in range(4)), return_exceptions=True
    )
    assert len([one for one in outcomes if isinstance(one, Answer) and one.subject]) == 1
    refusals = [one.refusal for one in outcomes if isinstance(one, Refused)]
    assert refusals == [errors.VERIFICATION_DONE] * 3


async def test_a_code_expires(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    world.clock.forward(limits.CODE_LIVES_FOR)
    assert await refused(type_code(world, caller, target)) == errors.VERIFICATION_EXPIRED


async def test_no_code_is_tried_before_one_was_asked_for(world: World) -> None:
    caller, _ = await world.account()
    target = await add(world, caller, ADA_MAIL)
    assert await refused(type_code(world, caller, target, "123456")) == errors.VERIFICATION_MISSING


async def test_what_is_proved_is_not_proved_again(world: World) -> None:
    caller, _ = await world.account()
    target = await phone_of(world, caller)
    prepare = story.send_code(world.deps, caller, None, target, way(target))
    assert await refused(prepare) == errors.VERIFICATION_DONE
    assert await refused(type_code(world, caller, target, "123456")) == errors.VERIFICATION_DONE


async def test_a_second_code_must_wait(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    world.clock.forward(limits.SAME_CLICK)
    soon = await refused(story.send_code(world.deps, caller, None, target, way(target)))
    assert (soon.code, soon.retry_after) == ("verification_code_too_many_requests", 28)


async def test_a_code_goes_by_the_channel_that_is_asked_for(world: World) -> None:
    caller, _ = await world.account()
    target = await add(world, caller, BEA)
    await story.send_code(world.deps, caller, None, target, Way(PHONE, Channel.WHATSAPP))
    assert world.post.announced[-1].channel == "whatsapp"
    assert subject(await type_code(world, caller, target)).is_verified


async def test_a_strategy_of_another_kind_is_refused(world: World) -> None:
    caller, _ = await world.account()
    target = await add(world, caller, ADA_MAIL)
    why = await refused(story.send_code(world.deps, caller, None, target, Way(PHONE)))
    assert why == errors.PARAM_VALUE.about("strategy")


async def test_the_first_to_prove_it_has_it(world: World) -> None:
    ada, _ = await world.account()
    bea, _ = await world.account(BEA)
    hers, his = await asked(world, ada, NEW_MAIL), await asked(world, bea, NEW_MAIL)
    sent = [one.code for one in world.post.announced if one.to == NEW_MAIL]
    assert subject(await type_code(world, ada, hers, sent[0])).is_verified
    late = await type_code(world, bea, his, sent[1])
    assert late.refusal
    assert late.refusal.code == "identification_claimed"
    assert world.count("pending_addresses") == 0
    assert await refused(type_code(world, bea, his, sent[1])) == errors.NOT_FOUND


async def test_of_two_at_once_one_has_it(world: World) -> None:
    callers = [(await world.account(f"+1415555267{n}"))[0] for n in range(4)]
    targets = [await asked(world, one, NEW_MAIL) for one in callers]
    sent = [one.code for one in world.post.announced if one.to == NEW_MAIL]
    outcomes = await asyncio.gather(
        *(type_code(world, *each) for each in zip(callers, targets, sent, strict=True))
    )
    codes = sorted(one.refusal.code if one.refusal else "" for one in outcomes)
    assert codes == ["", *["identification_claimed"] * 3]
    assert len(world.rows("SELECT 1 FROM addresses WHERE value = ?", NEW_MAIL)) == 1


async def test_nothing_is_sent_to_what_somebody_has_by_now(world: World) -> None:
    ada, _ = await world.account()
    target = await add(world, ada, NEW_MAIL)
    await world.account(BEA, NEW_MAIL)
    before = len(world.post.announced)
    why = await refused(story.send_code(world.deps, ada, None, target, way(target)))
    assert why == errors.IDENTIFIER_TAKEN.about(Kind.EMAIL)
    assert len(world.post.announced) == before


async def test_a_conflict_on_another_machine_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)

    async def conflict(*_: Any) -> None:
        raise Conflict

    monkeypatch.setattr("doorcode.storage.sql_accounts.AccountStatements.claim_address", conflict)
    assert (await refused(type_code(world, caller, target))).code == "identification_claimed"


async def test_an_address_that_a_sign_up_did_not_prove_can_be_proved_later(world: World) -> None:
    world.switch(email=Attribute(verify_at_sign_up=False))
    caller, attempt = await world.signing_up(ADA, ADA_MAIL)
    await sign_up_code(world, caller, attempt.id)
    _, user = await now(world, caller)
    (mail,) = user.of_kind(Kind.EMAIL)
    assert not mail.is_verified
    target = Target(Kind.EMAIL, mail.id)
    await story.send_code(world.deps, caller, None, target, way(target))
    assert subject(await type_code(world, caller, target)).verified_at == world.clock.time


async def sign_up_code(world: World, caller: Caller, attempt_id: str) -> None:
    await sign_up.send_code(world.deps, caller, attempt_id, PHONE)
    await sign_up.try_code(world.deps, caller, attempt_id, PHONE, world.code)


# ── whose it is ───────────────────────────────────────────────────────────────────────
async def test_somebody_elses_address_is_not_there(world: World) -> None:
    ada, _ = await world.account()
    bea, _ = await world.account(BEA)
    target = await asked(world, ada, ADA_MAIL)
    assert await refused(type_code(world, bea, target)) == errors.NOT_FOUND
    again = story.send_code(world.deps, bea, None, target, way(target))
    assert await refused(again) == errors.NOT_FOUND
    assert await refused(remove(world, bea, target)) == errors.NOT_FOUND
    hers = await phone_of(world, ada)
    assert await refused(step(world, bea, hers, RESERVE)) == errors.NOT_FOUND
    assert await refused(remove(world, ada, Target(Kind.EMAIL, hers.id))) == errors.NOT_FOUND


# ── removing ──────────────────────────────────────────────────────────────────────────
async def test_an_address_goes_and_its_code_with_it(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    assert await remove(world, caller, target) == target.id
    assert world.count("pending_addresses") == 0
    assert world.rows("SELECT 1 FROM verifications WHERE attempt_id = ?", target.id) == []
    assert await refused(type_code(world, caller, target)) == errors.NOT_FOUND
    assert await refused(remove(world, caller, target)) == errors.NOT_FOUND


async def test_the_last_address_stays(world: World) -> None:
    caller, _ = await world.account()
    assert (
        await refused(remove(world, caller, await phone_of(world, caller))) == errors.LAST_ADDRESS
    )


async def test_a_removed_address_is_free_for_others(world: World) -> None:
    caller, _ = await world.account(ADA, ADA_MAIL)
    await remove(world, caller, await phone_of(world, caller))
    _, other = await world.account(ADA)
    assert other.user


async def test_of_two_last_addresses_one_stays_whatever_is_asked_at_once(world: World) -> None:
    caller, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user
    targets = [Target(one.address.kind, one.id) for one in answer.user.addresses]
    outcomes = await asyncio.gather(
        *(remove(world, caller, one) for one in targets), return_exceptions=True
    )
    assert world.count("addresses") == 1
    refusals = [one.refusal for one in outcomes if isinstance(one, Refused)]
    assert refusals == [errors.LAST_ADDRESS]


async def test_a_code_that_is_typed_while_its_address_goes_makes_nothing(world: World) -> None:
    caller, _ = await world.account()
    target = await asked(world, caller, ADA_MAIL)
    await asyncio.gather(
        type_code(world, caller, target), remove(world, caller, target), return_exceptions=True
    )
    left = world.rows("SELECT id FROM addresses WHERE kind = 'email_address'")
    _, user = await now(world, caller)
    assert [one.id for one in user.of_kind(Kind.EMAIL)] == [row[0] for row in left]
    assert user.primary_email_id == (left[0][0] if left else None)


# ── the second step ───────────────────────────────────────────────────────────────────
async def two_steps(world: World, **changes: Any) -> tuple[Caller, Target, Changed]:
    """Ada, by e-mail first and by phone second."""
    world.switch(phone=SECOND, **changes)
    caller, _ = await world.account(ADA, ADA_MAIL)
    target = await phone_of(world, caller)
    return caller, target, await step(world, caller, target, RESERVE)


async def test_a_reserved_phone_is_the_second_step(world: World) -> None:
    caller, target, changed = await two_steps(world)
    assert (changed.owned.reserved_for_second_factor, changed.owned.default_second_factor) == (
        True, True,
    )  # fmt: skip
    assert changed.backup_codes is None
    _, user = await now(world, caller)
    assert user.has_second_factor(world.deps.instance)
    assert (user.mfa_enabled_at, user.mfa_disabled_at) == (world.clock.time, None)
    assert [one.id for one in user.second_factor_addresses(world.deps.instance)] == [target.id]


async def test_the_first_brings_backup_codes_and_the_next_does_not(world: World) -> None:
    caller, _, changed = await two_steps(world, backup_codes=True)
    assert changed.backup_codes
    assert len(changed.backup_codes) == 10
    again = await step(world, caller, await proved(world, caller, BEA), RESERVE)
    assert again.backup_codes is None
    _, user = await now(world, caller)
    assert user.backup_codes == 10


async def elsewhere(world: World, caller: Caller) -> list[Status]:
    """How the person's sessions on other clients stand."""
    query = "SELECT status FROM sessions WHERE client_id != ? ORDER BY id"
    return [Status(status) for (status,) in world.rows(query, caller.client_id)]


async def test_setting_it_up_ends_the_sessions_that_proved_one_factor_only(world: World) -> None:
    """Whoever came in by the mailbox alone must not stay where the owner shuts that way."""
    world.switch(phone=SECOND)
    caller, _ = await world.account(ADA, ADA_MAIL)
    thief, attempt = await world.asked_to_sign_in(ADA_MAIL)
    await sign_in.try_code(world.deps, thief, attempt.id, EMAIL, world.code)
    await step(world, caller, await phone_of(world, caller), RESERVE)
    assert await elsewhere(world, caller) == [Status.REVOKED]
    assert await refused(sessions.of_request(world.deps, thief, None)) == errors.SIGNED_OUT
    session, _ = await now(world, caller)
    assert session.status is Status.ACTIVE


async def test_sessions_that_proved_both_factors_stay(world: World) -> None:
    caller, target, _ = await two_steps(world)
    other, attempt = await world.asked_to_sign_in(ADA_MAIL)
    await sign_in.try_code(world.deps, other, attempt.id, EMAIL, world.code)
    await second_factor.send_code(world.deps, other, attempt.id, sign_in.Wish(PHONE))
    await second_factor.try_code(world.deps, other, attempt.id, PHONE, world.code)
    await step(world, caller, target, GIVE_BACK)
    await step(world, caller, target, RESERVE)
    assert await elsewhere(world, caller) == [Status.ACTIVE]


async def test_another_number_for_the_second_step_ends_nothing(world: World) -> None:
    caller, _, _ = await two_steps(world)
    world.write(
        "INSERT INTO sessions SELECT 'sess_x', client_id, user_id, status, created_at, updated_at,"
        " last_active_at, expire_at, abandon_at, first_factor_at, NULL, device FROM sessions"
    )
    await step(world, caller, await proved(world, caller, BEA), RESERVE)
    assert world.rows("SELECT DISTINCT status FROM sessions") == [("active",)]


async def test_giving_the_last_back_ends_it_all(world: World) -> None:
    caller, target, _ = await two_steps(world, backup_codes=True)
    world.clock.forward(7)
    await step(world, caller, target, GIVE_BACK)
    _, user = await now(world, caller)
    assert not user.has_second_factor(world.deps.instance)
    assert (user.mfa_disabled_at, user.backup_codes) == (world.clock.time, 0)


async def test_removing_it_ends_it_too(world: World) -> None:
    caller, target, _ = await two_steps(world, backup_codes=True)
    await remove(world, caller, target)
    _, user = await now(world, caller)
    assert (user.mfa_disabled_at, user.backup_codes) == (world.clock.time, 0)


async def test_two_who_take_each_others_way_out_leave_one(world: World) -> None:
    """The e-mail goes while the phone is reserved: both at once would lock the person out."""
    world.switch(phone=SECOND)
    caller, answer = await world.account(ADA, ADA_MAIL)
    assert answer.user
    phone = await phone_of(world, caller)
    mail = Target(Kind.EMAIL, answer.user.of_kind(Kind.EMAIL)[0].id)
    outcomes = await asyncio.gather(
        step(world, caller, phone, RESERVE), remove(world, caller, mail), return_exceptions=True
    )
    assert [isinstance(one, Refused) for one in outcomes].count(True) == 1
    _, user = await now(world, caller)
    assert user.first_factor_addresses(world.deps.instance)


async def test_backup_codes_can_be_made_anew(world: World) -> None:
    caller, _, changed = await two_steps(world, backup_codes=True)
    made = (await story.renew_backup_codes(world.deps, caller, None)).subject
    assert made
    assert changed.backup_codes
    assert not set(made) & set(changed.backup_codes)
    assert world.count("backup_codes") == 10


@pytest.mark.parametrize(("allowed", "steps"), [(False, True), (True, False)])
async def test_backup_codes_need_a_second_step_and_a_setting(
    world: World, allowed: bool, steps: bool
) -> None:
    if steps:
        caller, _, _ = await two_steps(world, backup_codes=allowed)
    else:
        world.switch(phone=SECOND, backup_codes=allowed)
        caller, _ = await world.account()
    why = await refused(story.renew_backup_codes(world.deps, caller, None))
    assert why == errors.BACKUP_CODES_UNAVAILABLE


# ── a session that waits for a second step ────────────────────────────────────────────
async def waiting(world: World) -> Caller:
    """Ada, who signed up by e-mail where everybody must have a second step."""
    world.switch(phone=SECOND, mfa_required=True, backup_codes=True)
    caller, _ = await world.account(None, ADA_MAIL)
    session, _ = await now(world, caller)
    assert session.tasks == ["setup-mfa"]
    return caller


async def test_setting_it_up_lets_the_session_in(world: World) -> None:
    caller = await waiting(world)
    target = await proved(world, caller, ADA)
    session, _ = await now(world, caller)
    assert session.status is Status.PENDING
    world.clock.forward(1_000)
    answer = await story.use_for_second_step(world.deps, caller, None, target.id, RESERVE)
    assert answer.subject
    assert answer.subject.backup_codes
    assert answer.client
    assert answer.client.client.updated_at == world.clock.time
    assert [one.status for one, _ in answer.client.sessions] == [Status.ACTIVE]


async def test_others_that_wait_must_come_in_by_both_steps(world: World) -> None:
    """Somebody who has the mailbox waits half-way in for the owner to set the second step up."""
    caller = await waiting(world)
    thief, attempt = await world.asked_to_sign_in(ADA_MAIL)
    await sign_in.try_code(world.deps, thief, attempt.id, EMAIL, world.code)
    session, _ = await now(world, thief)
    assert session.status is Status.PENDING
    await step(world, caller, await proved(world, caller, ADA), RESERVE)
    assert await refused(add(world, thief, BEA)) == errors.SIGNED_OUT


async def test_active_ones_that_proved_one_factor_go_with_those_that_wait(world: World) -> None:
    """The instance has asked for two steps since a while; the thief came in before."""
    world.switch(phone=SECOND)
    await world.account(None, ADA_MAIL)
    world.switch(mfa_required=True)
    caller, attempt = await world.asked_to_sign_in(ADA_MAIL)
    await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    await step(world, caller, await proved(world, caller, ADA), RESERVE)
    assert await elsewhere(world, caller) == [Status.REVOKED]


async def test_one_that_waits_for_what_is_there_changes_nothing(world: World) -> None:
    caller, _, _ = await two_steps(world, mfa_required=True)
    world.write("UPDATE sessions SET status = 'pending'")
    assert await refused(add(world, caller, BEA)) == errors.SESSION_ACTION_INVALID


async def test_one_that_waits_does_only_what_it_waits_for(world: World) -> None:
    caller = await waiting(world)
    target = await proved(world, caller, ADA)
    assert await refused(remove(world, caller, target)) == errors.SESSION_ACTION_INVALID
    renew = story.renew_backup_codes(world.deps, caller, None)
    assert await refused(renew) == errors.SESSION_ACTION_INVALID
    assert await refused(me.sessions(world.deps, caller, None)) == errors.SESSION_ACTION_INVALID


async def test_it_can_be_set_up_where_addresses_do_not_change(world: World) -> None:
    world.switch(phone=Attribute(used_for_second_factor=True, immutable=True), mfa_required=True)
    caller, _ = await world.account(None, ADA_MAIL)
    await step(world, caller, await proved(world, caller, ADA), RESERVE)
    session, _ = await now(world, caller)
    assert session.status is Status.ACTIVE
    assert (await refused(add(world, caller, BEA))).status == 403


# ── fresh proof ───────────────────────────────────────────────────────────────────────
async def test_what_changes_the_ways_in_asks_for_a_fresh_proof(world: World) -> None:
    caller, target, _ = await two_steps(world, backup_codes=True)
    world.switch(reverification=True)
    world.clock.forward(11 * limits.MINUTE)
    for tried in (
        add(world, caller, NEW_MAIL),
        remove(world, caller, target),
        step(world, caller, target, GIVE_BACK),
        story.renew_backup_codes(world.deps, caller, None),
    ):
        assert await refused(tried) == errors.REVERIFICATION_REQUIRED
