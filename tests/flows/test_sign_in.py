"""Signing in, and what may have become of the account meanwhile."""

from __future__ import annotations

import pytest

from doorcode.domain.addresses import Channel, Kind
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute, SignUpMode, UsernameAttribute
from doorcode.domain.limits import ATTEMPT_LIVES_FOR, CODE_LIVES_FOR, RESEND_AFTER
from doorcode.domain.restrictions import Restrictions
from doorcode.flows import sign_in, sign_up
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World

BY_PHONE, BY_EMAIL = sign_in.Wish(PHONE), sign_in.Wish(EMAIL)


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
    assert answer.subject.first is not None
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
    named = sign_in.Wish(EMAIL, account.user.primary_email_id)
    await sign_in.send_code(world.deps, caller, attempt.id, named)
    assert world.post.announced[-1].to == ADA_MAIL


async def test_address_of_nobody_cannot_be_named(world: World) -> None:
    await world.account()
    caller, attempt = await world.signing_in()
    with pytest.raises(Refused) as refused:
        await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE, "idn_unknown"))
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


# ── sign_up_if_missing, and the way back ──────────────────────────────────────────────
EITHER = {"sign_up_if_missing": True}


async def either(world: World, identifier: str = BEA) -> tuple[Caller, str]:
    """An attempt that may become a sign-up, with its code sent."""
    wanted = sign_in.Wanted(identifier, PHONE, **EITHER)
    answer = await sign_in.start(world.deps, Caller(), wanted)
    assert answer.refusal is None
    assert answer.client is not None
    assert answer.subject is not None
    return Caller(answer.client.client.id), answer.subject.id


async def test_a_stranger_is_led_to_a_sign_up(world: World) -> None:
    caller, attempt = await either(world)
    answer = await sign_in.try_code(world.deps, caller, attempt, PHONE, world.code)
    assert answer.refusal is not None
    assert answer.refusal.code == "sign_up_if_missing_transfer"
    assert answer.client is not None
    assert answer.client.sign_in is not None
    assert answer.client.sign_in.first is not None
    assert answer.client.sign_in.first.status == "transferable"
    taken = await sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    assert taken.subject is not None
    assert taken.subject.status == "complete"
    assert taken.user is not None
    assert taken.user.addresses[0].address.value == BEA
    assert taken.user.addresses[0].is_verified


async def test_an_acquaintance_is_signed_in(world: World) -> None:
    _, account = await world.account(BEA)
    caller, attempt = await either(world)
    answer = await sign_in.try_code(world.deps, caller, attempt, PHONE, world.code)
    assert answer.refusal is None
    assert answer.user is not None
    assert account.user is not None
    assert answer.user.id == account.user.id


async def test_a_proof_is_transferred_once(world: World) -> None:
    caller, attempt = await either(world)
    await sign_in.try_code(world.deps, caller, attempt, PHONE, world.code)
    await sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    world.switch(single_session=False)
    again = sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    with pytest.raises(Refused, match="account_transfer_invalid"):
        await again


async def test_what_is_not_proved_is_not_transferred(world: World) -> None:
    caller, _ = await either(world)
    with pytest.raises(Refused, match="account_transfer_invalid"):
        await sign_up.start(world.deps, caller, sign_up.Wanted(transfer=True))
    with pytest.raises(Refused, match="account_transfer_invalid"):
        await sign_in.start(world.deps, Caller(), sign_in.Wanted(transfer=True))


async def test_no_code_is_sent_to_an_address_that_could_only_be_refused(world: World) -> None:
    await world.account(ADA)
    sent = len(world.post.announced)
    world.switch(restrictions=Restrictions(blocklist_enabled=True, blocklist=(ADA, BEA)))
    for known_or_not in (ADA, BEA):
        wanted = sign_in.Wanted(known_or_not, PHONE, **EITHER)
        answer = await sign_in.start(world.deps, Caller(), wanted)
        assert answer.refusal is not None
        assert (answer.refusal.code, answer.refusal.param) == ("not_allowed_access", "identifier")
    assert len(world.post.announced) == sent


@pytest.mark.parametrize("mode", [SignUpMode.RESTRICTED, SignUpMode.WAITLIST])
async def test_nobody_slips_into_a_closed_instance(world: World, mode: SignUpMode) -> None:
    world.switch(mode=mode)
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(BEA, **EITHER))
    assert answer.refusal is not None
    assert answer.refusal.code == "sign_up_if_missing_not_allowed"


async def test_the_code_must_go_to_what_was_typed(world: World) -> None:
    answer = await sign_in.start(world.deps, Caller(), sign_in.Wanted(BEA, EMAIL, **EITHER))
    assert answer.refusal is not None
    assert answer.refusal.code == "sign_up_if_missing_strategy_not_supported"
    caller, attempt = await either(world)
    with pytest.raises(Refused, match="sign_up_if_missing_strategy_not_supported"):
        await sign_in.send_code(world.deps, caller, attempt, BY_EMAIL)


async def test_a_sign_up_whose_address_was_claimed_becomes_a_sign_in(world: World) -> None:
    """Two browsers sign up with one number; the slower one still gets in, to the account."""
    slow, attempt = await world.asked_by_phone(ADA)
    code = world.code
    _, account = await world.account(ADA)
    refused = await sign_up.try_code(world.deps, slow, attempt.id, PHONE, code)
    assert refused.refusal is not None
    assert refused.refusal.code == "identification_claimed"
    answer = await sign_in.start(world.deps, slow, sign_in.Wanted(transfer=True))
    assert answer.subject is not None
    assert answer.subject.status == "complete"
    assert answer.user is not None
    assert account.user is not None
    assert answer.user.id == account.user.id


async def test_an_old_proof_does_not_sign_in(world: World) -> None:
    slow, attempt = await world.asked_by_phone(ADA)
    code = world.code
    await world.account(ADA)
    await sign_up.try_code(world.deps, slow, attempt.id, PHONE, code)
    world.clock.forward(CODE_LIVES_FOR)
    with pytest.raises(Refused, match="account_transfer_invalid"):
        await sign_in.start(world.deps, slow, sign_in.Wanted(transfer=True))


# ── several people on one client ──────────────────────────────────────────────────────
async def test_several_people_may_be_signed_in_on_one_client(world: World) -> None:
    world.switch(single_session=False)
    caller, _ = await world.account(ADA)
    await world.account(BEA)
    _, attempt = await world.signing_in(BEA, caller)
    world.clock.forward(RESEND_AFTER)
    await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    done = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.client is not None
    assert len(done.client.sessions) == 2


async def test_one_person_is_signed_in_once_on_a_client(world: World) -> None:
    world.switch(single_session=False)
    caller, account = await world.account(ADA)
    answer = await sign_in.start(world.deps, caller, sign_in.Wanted(ADA))
    assert answer.refusal is not None
    assert account.subject is not None
    assert answer.refusal.code == "identifier_already_signed_in"
    assert answer.refusal.meta == {"session_id": account.subject.created_session_id}


# ── by name ───────────────────────────────────────────────────────────────────────────
async def test_a_username_finds_the_account_where_that_is_set(world: World) -> None:
    names = UsernameAttribute(used_for_sign_up=True, used_for_sign_in=True)
    world.switch(username=names)
    wanted = sign_up.Wanted({Kind.PHONE: ADA}, {"username": "Ada_L"}, PHONE)
    answer = await sign_up.start(world.deps, Caller(), wanted)
    assert answer.client is not None
    assert answer.subject is not None
    caller = Caller(answer.client.client.id)
    await sign_up.try_code(world.deps, caller, answer.subject.id, PHONE, world.code)
    _, attempt = await world.signing_in("ada_l")
    assert (attempt.status, attempt.username) == ("needs_first_factor", "Ada_L")
    world.switch(username=UsernameAttribute(used_for_sign_up=True))
    refused = await sign_in.start(world.deps, Caller(), sign_in.Wanted("ada_l"))
    assert refused.refusal is not None
    assert refused.refusal.code == "form_param_format_invalid"


async def test_a_code_travels_by_sms_unless_that_is_off(world: World) -> None:
    await world.account(ADA)
    for channels, usual in (
        ((Channel.WHATSAPP, Channel.SMS), "sms"),
        ((Channel.WHATSAPP,), "whatsapp"),
    ):
        world.switch(channels=channels)
        await world.asked_to_sign_in(ADA)
        assert world.post.announced[-1].channel == usual


async def test_a_code_by_another_channel_takes_the_place_of_the_earlier(world: World) -> None:
    """A code that was sent by WhatsApp is worth nothing once one was sent by SMS."""
    await world.account(ADA)
    caller, attempt = await world.signing_in(ADA)
    by_whatsapp = sign_in.Wish(PHONE, channel=Channel.WHATSAPP)
    await sign_in.send_code(world.deps, caller, attempt.id, by_whatsapp)
    earlier = world.code
    world.clock.forward(RESEND_AFTER)
    await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    assert earlier != world.code  # one in a million runs says otherwise
    refused = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, earlier)
    assert refused.refusal is not None
    assert refused.refusal.code == "form_code_incorrect"
    done = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.refusal is None


# ── channels ──────────────────────────────────────────────────────────────────────────
async def test_a_code_may_travel_by_whatsapp_and_then_by_sms(world: World) -> None:
    await world.account(ADA)
    caller, attempt = await world.signing_in(ADA)
    by_whatsapp = sign_in.Wish(PHONE, channel=Channel.WHATSAPP)
    sent = await sign_in.send_code(world.deps, caller, attempt.id, by_whatsapp)
    assert sent.subject is not None
    assert sent.subject.first is not None
    assert (world.post.announced[-1].channel, sent.subject.first.channel) == ("whatsapp",) * 2
    world.clock.forward(RESEND_AFTER)
    again = await sign_in.send_code(world.deps, caller, attempt.id, BY_PHONE)
    assert again.subject is not None
    assert again.subject.first is not None
    assert (world.post.announced[-1].channel, again.subject.first.channel) == ("sms", "sms")
    assert again.subject.first.id == sent.subject.first.id
