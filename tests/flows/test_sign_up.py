"""Signing up, as one person and as several at once."""

from __future__ import annotations

import asyncio

import pytest

from doorcode.domain.addresses import Kind, parse_phone_number
from doorcode.domain.errors import Refused
from doorcode.domain.instance import (
    Attribute,
    NameAttribute,
    SignUpMode,
    UsernameAttribute,
)
from doorcode.domain.limits import ATTEMPT_LIVES_FOR, RESEND_AFTER
from doorcode.domain.restrictions import Restrictions
from doorcode.flows import sign_up
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World


def wanted(phone: str | None = None, email: str | None = None, strategy=None) -> sign_up.Wanted:  # type: ignore[no-untyped-def]
    texts = {Kind.PHONE: phone, Kind.EMAIL: email}
    return sign_up.Wanted({k: t for k, t in texts.items() if t}, strategy=strategy)


# ── the story ─────────────────────────────────────────────────────────────────────────
async def test_phone_alone_makes_an_account(world: World) -> None:
    caller, attempt = await world.signing_up(ADA)
    assert attempt.status == "missing_requirements"
    sent = await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert sent.subject is not None
    assert sent.subject.unverified_fields(world.deps.instance) == [Kind.PHONE]
    done = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert done.subject is not None
    assert done.user is not None
    assert done.subject.status == "complete"
    assert done.subject.created_user_id == done.user.id
    assert done.user.identifier == ADA


async def test_completion_signs_in(world: World) -> None:
    _, answer = await world.account()
    assert answer.client is not None
    [(session, user)] = answer.client.sessions
    assert answer.subject is not None
    assert session.id == answer.subject.created_session_id
    assert session.id == answer.client.client.last_active_session_id
    assert answer.user is not None
    assert user.id == answer.user.id
    assert answer.client.sign_up is None
    assert answer.client.client.last_strategy == PHONE


async def test_completion_replaces_the_cookie(world: World) -> None:
    begun = await sign_up.start(world.deps, Caller(), wanted(ADA))
    assert begun.client is not None
    assert begun.subject is not None
    caller = Caller(begun.client.client.id)
    await sign_up.send_code(world.deps, caller, begun.subject.id, PHONE)
    done = await sign_up.try_code(world.deps, caller, begun.subject.id, PHONE, world.code)
    assert begun.client_token
    assert done.client_token
    assert done.client_token != begun.client_token
    assert done.client is not None
    assert done.client.client.id == caller.client_id


async def test_both_addresses_need_both_codes(world: World) -> None:
    caller, attempt = await world.signing_up(ADA, ADA_MAIL)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    half = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert half.subject is not None
    assert half.subject.unverified_fields(world.deps.instance) == [Kind.EMAIL]
    assert world.count("users") == 0
    await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)
    done = await sign_up.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert done.user is not None
    assert {owned.address.value for owned in done.user.addresses} == {ADA, "ada@example.com"}


async def test_mail_goes_to_the_spelling_typed(world: World) -> None:
    caller, attempt = await world.signing_up(None, ADA_MAIL)
    await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)
    assert world.post.announced[-1].to == ADA_MAIL


async def test_create_may_ask_for_a_code(world: World) -> None:
    before = world.storage.kept
    answer = await sign_up.start(world.deps, Caller(), wanted(ADA, strategy=PHONE))
    assert world.storage.kept == before + 1
    assert answer.subject is not None
    assert answer.subject.verification(PHONE) is not None
    assert [(one.to, one.committed) for one in world.post.announced] == [(ADA, True)]


@pytest.mark.parametrize("story", ["start", "change", "send_code"])
async def test_each_step_is_one_unit(world: World, story: str) -> None:
    caller, attempt = await world.signing_up()
    before = world.storage.kept
    if story == "start":
        await sign_up.start(world.deps, caller, wanted(BEA))
    elif story == "change":
        await sign_up.change(world.deps, caller, attempt.id, wanted(BEA))
    else:
        await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert world.storage.kept == before + 1


async def test_address_that_needs_no_proof_completes_at_once(world: World) -> None:
    world.switch(email=Attribute(verify_at_sign_up=False))
    answer = await sign_up.start(world.deps, Caller(), wanted(email=ADA_MAIL))
    assert answer.user is not None
    assert answer.client_token
    assert answer.user.addresses[0].verified_at is None


# ── what is refused, and what goes with it ────────────────────────────────────────────
@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        (wanted(), "form_param_missing", "phone_number"),
        (wanted("+1415555"), "form_param_format_invalid", "phone_number"),
        (wanted(email="ada@"), "form_param_format_invalid", "email_address"),
        (wanted(ADA, strategy=EMAIL), "form_param_missing", "email_address"),
        (wanted(BEA), "form_identifier_exists", "phone_number"),
    ],
)
async def test_failing_create_retires_the_earlier(world: World, form, code, param) -> None:  # type: ignore[no-untyped-def]
    await world.account(BEA)
    caller, attempt = await world.asked_by_phone()
    code_before = world.code
    answer = await sign_up.start(world.deps, caller, form)
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.refusal.param) == (code, param)
    for story in (
        sign_up.send_code(world.deps, caller, attempt.id, PHONE),
        sign_up.try_code(world.deps, caller, attempt.id, PHONE, code_before),
    ):
        with pytest.raises(Refused, match="resource_not_found"):
            await story
    own = f"SELECT state FROM outbox WHERE attempt_id = '{attempt.id}'"
    assert world.rows(own) == [("cancelled",)]


@pytest.mark.parametrize("why", ["no_route", "locked"])
async def test_create_that_cannot_send_retires_the_earlier(world: World, why: str) -> None:
    caller, attempt = await world.asked_by_phone(BEA)
    if why == "no_route":
        world.post.channels.clear()
    else:
        for number in range(10):
            await guess(world, f"gss_{number}")
    code = await refusal_code(sign_up.start(world.deps, caller, wanted(ADA, strategy=PHONE)))
    assert code == ("sms_send_error" if why == "no_route" else "user_locked")
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_up.get(world.deps, caller, attempt.id)


async def test_newer_attempt_retires_the_earlier(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    old = world.code
    await world.signing_up(BEA, caller=caller)
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, old)
    assert (world.count("verifications"), world.count("codes")) == (0, 0)


async def test_attempt_is_nobody_elses(world: World) -> None:
    _, attempt = await world.asked_by_phone()
    other, _ = await world.signing_up(BEA)
    for caller in (other, Caller(), Caller("client_unknown")):
        for story in (
            sign_up.get(world.deps, caller, attempt.id),
            sign_up.change(world.deps, caller, attempt.id, wanted(BEA)),
            sign_up.send_code(world.deps, caller, attempt.id, PHONE),
            sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code),
        ):
            with pytest.raises(Refused, match="resource_not_found"):
                await story


async def test_attempt_is_over_after_a_day_without_a_step(world: World) -> None:
    caller, attempt = await world.signing_up()
    world.clock.forward(ATTEMPT_LIVES_FOR - 1)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    world.clock.forward(ATTEMPT_LIVES_FOR - 1)
    assert (await sign_up.get(world.deps, caller, attempt.id)).subject is not None
    world.clock.forward(1)
    for story in (
        sign_up.send_code(world.deps, caller, attempt.id, PHONE),
        sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code),
        sign_up.change(world.deps, caller, attempt.id, wanted(BEA)),
    ):
        with pytest.raises(Refused, match="resource_not_found"):
            await story
    assert world.count("users") == 0


async def test_signed_in_client_cannot_sign_up(world: World) -> None:
    caller, _ = await world.account()
    answer = await sign_up.start(world.deps, caller, wanted(BEA))
    assert answer.refusal is not None
    assert answer.refusal.code == "session_exists"


async def test_code_must_be_asked_for_first(world: World) -> None:
    caller, attempt = await world.signing_up(ADA, ADA_MAIL)
    with pytest.raises(Refused, match="verification_missing"):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, "123456")
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    with pytest.raises(Refused, match="verification_missing"):
        await sign_up.try_code(world.deps, caller, attempt.id, EMAIL, world.code)
    assert world.count("guesses") == 0


async def test_code_cannot_be_sent_to_no_address(world: World) -> None:
    caller, attempt = await world.signing_up(ADA)
    with pytest.raises(Refused, match="client_state_invalid"):
        await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)


# ── changing an attempt ───────────────────────────────────────────────────────────────
async def test_changed_address_must_be_verified_anew(world: World) -> None:
    caller, attempt = await world.signing_up(ADA, ADA_MAIL)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    changed = await sign_up.change(world.deps, caller, attempt.id, wanted(BEA))
    assert changed.subject is not None
    unverified = changed.subject.unverified_fields(world.deps.instance)
    assert unverified == [Kind.PHONE, Kind.EMAIL]


async def test_code_of_the_former_address_is_worth_nothing(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    old = world.code
    await sign_up.change(world.deps, caller, attempt.id, wanted(BEA))
    with pytest.raises(Refused):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, old)
    assert world.count("users") == 0


async def test_address_changed_between_count_and_use_is_not_proved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, attempt = await world.asked_by_phone()
    compare = sign_up.codes.compare

    async def changed_meanwhile(*arguments):  # type: ignore[no-untyped-def]
        await sign_up.change(world.deps, caller, attempt.id, wanted(BEA))
        return await compare(*arguments)

    monkeypatch.setattr(sign_up.codes, "compare", changed_meanwhile)
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.subject is not None
    assert answer.subject.status == "missing_requirements"
    assert answer.subject.unverified_fields(world.deps.instance) == [Kind.PHONE]
    assert world.count("users") == 0


async def test_changed_spelling_is_the_one_mailed_to(world: World) -> None:
    caller, attempt = await world.signing_up(None, "ada@example.com")
    await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)
    await sign_up.change(world.deps, caller, attempt.id, wanted(email=ADA_MAIL))
    world.clock.forward(RESEND_AFTER)
    await sign_up.send_code(world.deps, caller, attempt.id, EMAIL)
    assert world.post.announced[-1].to == ADA_MAIL


async def test_taken_address_is_refused_and_nothing_changes(world: World) -> None:
    await world.account(BEA)
    caller, attempt = await world.signing_up(ADA)
    with pytest.raises(Refused, match="form_identifier_exists"):
        await sign_up.change(world.deps, caller, attempt.id, wanted(BEA, ADA_MAIL))
    again = await sign_up.get(world.deps, caller, attempt.id)
    assert again.subject is not None
    assert [a.value for a in again.subject.addresses] == [ADA]


# ── several people ────────────────────────────────────────────────────────────────────
async def test_address_claimed_meanwhile_ends_the_attempt(world: World) -> None:
    slow, attempt = await world.asked_by_phone()
    slow_code = world.code
    await world.account()
    answer = await sign_up.try_code(world.deps, slow, attempt.id, PHONE, slow_code)
    assert answer.refusal is not None
    assert answer.refusal.code == "identification_claimed"
    assert world.count("users") == 1
    with pytest.raises(Refused, match="resource_not_found"):
        await sign_up.send_code(world.deps, slow, attempt.id, PHONE)


async def test_claimed_meanwhile_uses_the_code_up(world: World) -> None:
    slow, attempt = await world.asked_by_phone()
    slow_code = world.code
    await world.account()
    await sign_up.try_code(world.deps, slow, attempt.id, PHONE, slow_code)
    status = world.rows(
        "SELECT v.status, s.status FROM verifications v JOIN sign_ups s ON s.id = v.attempt_id"
        " WHERE s.id = ?",
        attempt.id,
    )
    assert status == [("verified", "abandoned")]


async def test_two_clients_at_once_make_one_user(world: World) -> None:
    racers = []
    for _ in range(2):
        caller, attempt = await world.asked_by_phone()
        racers.append((caller, attempt.id, PHONE, world.code))
    answers = await asyncio.gather(*(sign_up.try_code(world.deps, *racer) for racer in racers))
    said = [answer.refusal.code if answer.refusal else "complete" for answer in answers]
    assert sorted(said) == ["complete", "identification_claimed"]
    assert (world.count("users"), world.count("sessions")) == (1, 1)


async def test_creates_at_once_leave_one_attempt(world: World) -> None:
    world.switch_sending_limits_off()
    caller, _ = await world.signing_up()
    await asyncio.gather(
        *(sign_up.start(world.deps, caller, wanted(ADA, strategy=PHONE)) for _ in range(8))
    )
    assert world.count("verifications") == 1
    assert world.rows("SELECT count(*) FROM outbox WHERE state = 'queued'") == [(1,)]


async def guess(world: World, guess_id: str) -> None:
    address = parse_phone_number(ADA, test_mode=True)
    async with world.storage.transaction() as tx:
        assert await tx.spend_guess(guess_id, address.name, 10, 0, world.clock())


async def refusal_code(story) -> str | None:  # type: ignore[no-untyped-def]
    try:
        answer = await story
    except Refused as refused:
        return refused.refusal.code
    return answer.refusal.code if answer.refusal else None


# ── who may sign up ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (SignUpMode.RESTRICTED, "sign_up_mode_restricted"),
        (SignUpMode.WAITLIST, "sign_up_restricted_waitlist"),
    ],
)
async def test_a_closed_instance_takes_nobody(world: World, mode: SignUpMode, code: str) -> None:
    world.switch(mode=mode)
    answer = await sign_up.start(world.deps, Caller(), wanted(ADA, strategy=PHONE))
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.refusal.status) == (code, 403)
    assert world.post.announced == []
    assert world.count("sign_ups") == 0


async def test_a_blocked_address_cannot_sign_up(world: World) -> None:
    rules = Restrictions(blocklist_enabled=True, blocklist=("example.com", ADA))
    world.switch(restrictions=rules)
    for texts, kind in ((wanted(ADA), "phone_number"), (wanted(None, ADA_MAIL), "email_address")):
        answer = await sign_up.start(world.deps, Caller(), texts)
        assert answer.refusal is not None
        assert (answer.refusal.code, answer.refusal.param) == ("not_allowed_access", kind)
    caller, attempt = await world.signing_up(BEA)
    with pytest.raises(Refused, match="not_allowed_access"):
        await sign_up.change(world.deps, caller, attempt.id, wanted(None, ADA_MAIL))


# ── names and consent ─────────────────────────────────────────────────────────────────
ASKING = {
    "username": UsernameAttribute(used_for_sign_up=True, required=True),
    "first_name": NameAttribute(used_for_sign_up=True, required=True),
    "legal_consent": True,
}


async def test_what_is_required_may_come_in_any_order(world: World) -> None:
    world.switch(**ASKING)
    caller, attempt = await world.asked_by_phone(ADA)
    verified = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert verified.subject is not None
    assert verified.subject.status == "missing_requirements"
    given = sign_up.Wanted(given={"username": "Ada_L"}, legal_accepted=True)
    await sign_up.change(world.deps, caller, attempt.id, given)
    done = await sign_up.change(
        world.deps, caller, attempt.id, sign_up.Wanted(given={"first_name": "Ada"})
    )
    assert done.subject is not None
    assert done.user is not None
    assert done.client_token
    assert done.subject.status == "complete"
    assert (done.user.profile.username, done.user.profile.first_name) == ("Ada_L", "Ada")
    assert done.user.profile.legal_accepted_at == world.clock()


async def test_consent_that_is_withheld_is_refused_where_it_is_asked_for(world: World) -> None:
    no = sign_up.Wanted({Kind.PHONE: ADA}, legal_accepted=False)
    assert (await sign_up.start(world.deps, Caller(), no)).refusal is None
    world.switch(legal_consent=True)
    answer = await sign_up.start(world.deps, Caller(), no)
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.refusal.param) == ("legal_not_accepted", "legal_accepted")


async def test_a_username_belongs_to_one_person_however_it_is_spelled(world: World) -> None:
    world.switch(username=UsernameAttribute(used_for_sign_up=True))
    first = sign_up.Wanted({Kind.PHONE: ADA}, {"username": "Ada_L"}, PHONE)
    answer = await sign_up.start(world.deps, Caller(), first)
    assert answer.client is not None
    assert answer.subject is not None
    slow, slow_attempt = await named(world, BEA, "aDA_l")
    slow_code = world.code
    await sign_up.try_code(
        world.deps,
        Caller(answer.client.client.id),
        answer.subject.id,
        PHONE,
        world.post.announced[0].code,
    )
    second = sign_up.Wanted({Kind.PHONE: "+14155552673"}, {"username": "ADA_L"})
    refused = await sign_up.start(world.deps, Caller(), second)
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.refusal.param) == ("form_identifier_exists", "username")
    # Whoever chose it first and finishes later may choose again; the number stays proved.
    late = await sign_up.try_code(world.deps, slow, slow_attempt, PHONE, slow_code)
    assert late.refusal is not None
    assert late.refusal.param == "username"
    other = sign_up.Wanted(given={"username": "bea_k"})
    done = await sign_up.change(world.deps, slow, slow_attempt, other)
    assert done.subject is not None
    assert done.subject.status == "complete"


async def named(world: World, phone: str, username: str) -> tuple[Caller, str]:
    wish = sign_up.Wanted({Kind.PHONE: phone}, {"username": username}, PHONE)
    answer = await sign_up.start(world.deps, Caller(), wish)
    assert answer.client is not None
    assert answer.subject is not None
    return Caller(answer.client.client.id), answer.subject.id


async def test_a_username_that_is_off_is_unknown(world: World) -> None:
    answer = await sign_up.start(
        world.deps, Caller(), sign_up.Wanted({Kind.PHONE: ADA}, {"username": "ada_l"})
    )
    assert answer.refusal is not None
    assert (answer.refusal.code, answer.refusal.param) == ("form_param_unknown", "username")


async def test_two_changes_at_once_are_both_kept(world: World) -> None:
    caller, attempt = await world.signing_up(ADA)
    changes = [{"first_name": "Ada"}, {"last_name": "Lovelace"}]
    await asyncio.gather(
        *[
            sign_up.change(world.deps, caller, attempt.id, sign_up.Wanted(given=one))
            for one in changes
        ]
    )
    now = (await sign_up.get(world.deps, caller, attempt.id)).subject
    assert now is not None
    assert (now.profile.first_name, now.profile.last_name) == ("Ada", "Lovelace")
