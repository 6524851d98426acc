"""Signing in, and what may have become of the account meanwhile."""

from __future__ import annotations

import pytest

from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute
from doorcode.domain.limits import ATTEMPT_LIVES_FOR
from doorcode.flows import sign_in
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World

BY_PHONE, BY_EMAIL = sign_in.Factor(PHONE), sign_in.Factor(EMAIL)


# ── the story ─────────────────────────────────────────────────────────────────────────
async def test_right_code_signs_in(world: World) -> None:
    _, account = await world.account()
    caller, attempt = await world.signing_in()
    assert attempt.status == "needs_first_factor"
    await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    done = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.subject is not None
    assert done.client is not None
    assert done.subject.status == "complete"
    [(session, user)] = done.client.sessions
    assert done.subject.created_session_id == session.id
    assert account.user is not None
    assert user.id == account.user.id


async def test_signing_in_replaces_the_cookie(world: World) -> None:
    await world.account()
    begun = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA))
    assert begun.client is not None
    assert begun.subject is not None
    caller = Caller(begun.client.client.id)
    await sign_in.send_code(world.deps, caller, begun.subject.id, BY_PHONE)
    done = await sign_in.try_code(world.deps, caller, begun.subject.id, PHONE, world.code)
    assert begun.client_token
    assert done.client_token
    assert begun.client_token != done.client_token
    assert done.client is not None
    assert done.client.client.id == caller.client_id


async def test_each_step_is_one_unit(world: World) -> None:
    await world.account()
    before = world.storage.kept
    caller, attempt = await world.signing_in()
    assert world.storage.kept == before + 1
    await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    assert world.storage.kept == before + 2
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.storage.kept == before + 4  # the count, then what it opens


async def test_create_may_ask_for_a_code(world: World) -> None:
    await world.account()
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA, PHONE))
    assert answer.subject is not None
    assert answer.subject.verification is not None
    assert (world.post.announced[-1].to, world.post.announced[-1].committed) == (ADA, True)


async def test_either_address_finds_the_account(world: World) -> None:
    await world.account(ADA, ADA_MAIL)
    caller, attempt = await world.asked_to_sign_in("ADA@EXAMPLE.COM")
    assert world.post.announced[-1].to == ADA_MAIL  # the spelling that was verified
    done = await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert done.refusal is None


async def test_another_factor_may_be_chosen(world: World) -> None:
    await world.account(ADA, ADA_MAIL)
    caller, attempt = await world.asked_to_sign_in(ADA)
    await sign_in.send_code(world.deps, caller, attempt.id, BY_EMAIL)
    with pytest.raises(Refused, match="verification_strategy_invalid"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    done = await sign_in.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert done.subject is not None
    assert done.subject.status == "complete"


async def test_address_of_the_account_can_be_named(world: World) -> None:
    _, account = await world.account(ADA, ADA_MAIL)
    assert account.user is not None
    caller, attempt = await world.signing_in(ADA)
    named = sign_in.Factor(EMAIL, account.user.primary_email_id)
    await sign_in.send_code(world.deps, caller, attempt.id, named)
    assert world.post.announced[-1].to == ADA_MAIL


async def test_address_of_nobody_cannot_be_named(world: World) -> None:
    await world.account()
    caller, attempt = await world.signing_in()
    with pytest.raises(Refused) as refused:
        await sign_in.send_code(
            world.deps, caller, attempt.id, sign_in.Factor(PHONE, "idn_unknown")
        )
    assert refused.value.refusal.code == "form_resource_not_found"
    assert refused.value.refusal.param == "phone_number_id"


async def test_create_without_identifier_resets(world: World) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    answer = await sign_in.start(world.deps, caller, sign_in.Wanted(None))
    assert answer.subject is not None
    assert answer.subject.status == "needs_identifier"
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    with pytest.raises(Refused, match="client_state_invalid"):
        await sign_in.send_code(world.deps, caller, answer.subject.id, BY_PHONE)


# ── what is refused, and what goes with it ────────────────────────────────────────────
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (BEA, "form_identifier_not_found"),
        ("nobody@example.com", "form_identifier_not_found"),
        ("not an address", "form_param_format_invalid"),
    ],
)
async def test_failing_create_retires_the_earlier(world: World, typed: str, code: str) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    answer = await sign_in.start(world.deps, caller, sign_in.Wanted(typed))
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.refusal.param) == (code, "identifier")
    for story in (
        sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE),
        sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code),
    ):
        with pytest.raises(Refused, match="resource_not_found"):
            await story


@pytest.mark.parametrize("why", ["strategy_for_user_invalid", "sms_send_error"])
async def test_create_that_cannot_send_retires_the_earlier(world: World, why: str) -> None:
    """A page that ignores the failure and sends a code must not reach the earlier address."""
    await world.account(ADA)
    await world.account(BEA)
    caller, attempt = await world.asked_to_sign_in(ADA)
    strategy = EMAIL if why == "strategy_for_user_invalid" else PHONE
    if why == "sms_send_error":
        world.post.channels.clear()
    try:
        answer = await sign_in.start(world.deps, caller, sign_in.Wanted(BEA, strategy))
        said = answer.refusal.code if answer.refusal else None
    except Refused as refused:
        said = refused.refusal.code
    assert said == why
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_in.get(world.deps, caller, attempt.id)


async def test_attempt_is_nobody_elses(world: World) -> None:
    await world.account()
    _, attempt = await world.asked_to_sign_in()
    other, _ = await world.signing_in()
    for caller in (other, Caller(), Caller("client_unknown")):
        for story in (
            sign_in.get(world.deps, caller, attempt.id),
            sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE),
            sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code),
        ):
            with pytest.raises(Refused, match="resource_not_found"):
                await story


async def test_sign_up_retires_a_sign_in(world: World) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    await world.signing_up(BEA, caller=caller)
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)


async def test_attempt_is_over_after_a_day(world: World) -> None:
    await world.account()
    caller, attempt = await world.signing_in()
    world.clock.forward(ATTEMPT_LIVES_FOR - 1)
    await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    world.clock.forward(1)
    for story in (
        sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE),
        sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code),
    ):
        with pytest.raises(Refused, match="resource_not_found"):
            await story


async def test_code_must_be_asked_for_first(world: World) -> None:
    await world.account()
    caller, attempt = await world.signing_in()
    with pytest.raises(Refused, match="verification_missing"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, "123456")


async def test_signed_in_client_cannot_sign_in_again(world: World) -> None:
    caller, _ = await world.account()
    answer = await sign_in.start(world.deps, caller, sign_in.Wanted(ADA))
    assert answer.refusal is not None
    assert answer.refusal.code == "session_exists"


async def test_second_session_replaces_nothing_where_several_are_allowed(world: World) -> None:
    world.switch(single_session=False)
    caller, _ = await world.account(ADA)
    await world.account(BEA)
    _, attempt = await world.signing_in(BEA, caller)
    await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    done = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.client is not None
    assert len(done.client.sessions) == 2


async def test_kind_not_used_to_sign_in_is_refused(world: World) -> None:
    await world.account(ADA)
    world.switch(phone=Attribute(used_for_sign_in=False))
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA))
    assert answer.refusal is not None
    assert answer.refusal.code == "form_param_format_invalid"


# ── what became of the account meanwhile ──────────────────────────────────────────────
async def test_user_deleted_meanwhile_is_not_signed_in(world: World) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    world.write("DELETE FROM users")
    with pytest.raises(Refused, match="sign_in_identification_or_user_deleted"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    with pytest.raises(Refused, match="sign_in_identification_or_user_deleted"):
        await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    assert world.count("sessions") == 0


async def test_address_lost_meanwhile_opens_nothing(world: World) -> None:
    await world.account(ADA, ADA_MAIL)
    caller, attempt = await world.asked_to_sign_in(ADA)
    world.write("DELETE FROM addresses WHERE kind = 'phone_number'")
    sessions = world.count("sessions")
    with pytest.raises(Refused, match="sign_in_identification_or_user_deleted"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.count("sessions") == sessions


async def test_number_of_the_next_owner_opens_not_his_account(world: World) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    code = world.code
    world.write("DELETE FROM users")
    await world.account()
    with pytest.raises(Refused, match="sign_in_identification_or_user_deleted"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, code)
    assert world.count("sessions") == 1


async def test_user_banned_meanwhile_is_not_signed_in(world: World) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    sessions = world.count("sessions")
    world.write("UPDATE users SET banned = 1")
    with pytest.raises(Refused, match="user_banned"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.count("sessions") == sessions


async def test_banned_user_is_sent_no_code(world: World) -> None:
    await world.account()
    caller, attempt = await world.signing_in()
    world.write("UPDATE users SET banned = 1")
    sent = len(world.post.announced)
    with pytest.raises(Refused, match="user_banned"):
        await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    assert len(world.post.announced) == sent


async def test_attempt_retired_between_count_and_use(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    sessions = world.count("sessions")
    compare = sign_in.codes.compare

    async def retired_meanwhile(*arguments):  # type: ignore[no-untyped-def]
        await sign_in.start(world.deps, caller, sign_in.Wanted(None))
        return await compare(*arguments)

    monkeypatch.setattr(sign_in.codes, "compare", retired_meanwhile)
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.count("sessions") == sessions
