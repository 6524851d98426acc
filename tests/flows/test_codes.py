"""Sending and trying a code: the order of truth, the limits on guessing, the races."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from doorcode.domain.errors import Refused
from doorcode.domain.limits import (
    CODE_LIVES_FOR,
    CODES_ALIVE,
    GUESS_WINDOW,
    HOUR,
    RESEND_AFTER,
    SECOND,
)
from doorcode.flows import client as clients
from doorcode.flows import codes, sign_in, sign_up
from doorcode.flows.client import Answer
from doorcode.security.codes import Codes
from doorcode.security.random_ids import digest, new_token

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World


class Crash(Exception):
    """The process dies here."""


class CrashingCodes(Codes):
    """Everything works until a typed code is to be compared."""

    def __init__(self, real: Codes) -> None:
        self._keys, self._newest = real._keys, real._newest

    def digests(self, verification, code):  # type: ignore[no-untyped-def]
        raise Crash


async def refusal_of(story) -> str | None:  # type: ignore[no-untyped-def]
    """The code of the refusal that a story comes to, raised or returned."""
    try:
        answer = await story
    except Refused as refused:
        return refused.refusal.code
    return answer.refusal.code if isinstance(answer, Answer) and answer.refusal else None


async def use_up_guesses(world: World, wrong_tries: int) -> None:
    """Guess at Ada's address, by as many clients and attempts as it takes."""
    left = wrong_tries
    while left:
        caller, attempt = await world.asked_to_sign_in()
        for _ in range(min(left, 4)):
            await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
            left -= 1


# ── sending ───────────────────────────────────────────────────────────────────────────
async def test_message_is_committed_before_announced(world: World) -> None:
    await world.asked_by_phone()
    [heard] = world.post.announced
    assert heard.committed
    assert (heard.to, heard.channel) == (ADA, "sms")
    assert len(heard.code) == 6
    assert heard.code.isdigit()


async def test_code_and_message_are_one_unit(world: World) -> None:
    caller, attempt = await world.signing_up()
    before = world.storage.kept
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert world.storage.kept == before + 1
    assert (world.count("codes"), world.count("outbox")) == (1, 1)


async def test_nothing_is_kept_of_a_sending_that_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, attempt = await world.signing_up()
    with monkeypatch.context() as patch:
        patch.setattr(codes, "_message", _crash)
        with pytest.raises(Crash):
            await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert [world.count(t) for t in ("codes", "verifications", "outbox")] == [0, 0, 0]
    assert world.post.announced == []


def _crash(*_: object) -> None:
    raise Crash


async def test_database_holds_no_readable_code(world: World) -> None:
    await world.asked_by_phone()
    code = world.code.encode()
    files = [world.file, world.file.with_name(world.file.name + "-wal")]
    # Only the columns that a code could be in: six digits may stand in any number.
    sealed = world.rows("SELECT sealed FROM outbox") + world.rows("SELECT digest FROM codes")
    assert all(file.exists() for file in files)
    assert all(code not in value for (value,) in sealed)


@pytest.mark.parametrize(
    ("address", "strategy", "refusal"),
    [(ADA, PHONE, "sms_send_error"), (ADA_MAIL, EMAIL, "email_send_error")],
)
async def test_channel_without_a_route_is_refused(world, address, strategy, refusal) -> None:  # type: ignore[no-untyped-def]
    world.post.channels.clear()
    phone, email = (address, None) if strategy is PHONE else (None, address)
    caller, attempt = await world.signing_up(phone, email)
    assert await refusal_of(sign_up.send_code(world.deps, caller, attempt.id, strategy)) == refusal
    assert [world.count(t) for t in ("codes", "verifications", "outbox")] == [0, 0, 0]


async def test_test_number_needs_no_route(world: World) -> None:
    world.post.channels.clear()
    await world.asked_by_phone("+14155550100")
    assert [(one.code, one.is_test) for one in world.post.announced] == [("424242", True)]


async def test_second_code_must_wait(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    world.clock.forward(RESEND_AFTER - 1)
    with pytest.raises(Refused) as refused:
        await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert refused.value.refusal.code == "verification_code_too_many_requests"
    assert refused.value.refusal.retry_after == 1
    world.clock.forward(1)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert len(world.post.announced) == 2


async def test_earlier_code_still_works_after_a_second(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    first = world.code
    world.clock.forward(RESEND_AFTER)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, first)
    assert answer.subject is not None
    assert answer.subject.status == "complete"


async def test_earlier_code_keeps_its_own_expiry(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    first = world.code
    world.clock.forward(CODE_LIVES_FOR - 1)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    world.clock.forward(1)
    story = sign_up.try_code(world.deps, caller, attempt.id, PHONE, first)
    assert await refusal_of(story) == "form_code_incorrect"
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.refusal is None


async def test_only_the_newest_codes_stay_alive(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    first = world.code
    for _ in range(CODES_ALIVE):
        world.clock.forward(RESEND_AFTER)
        await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert world.count("codes") == CODES_ALIVE
    story = sign_up.try_code(world.deps, caller, attempt.id, PHONE, first)
    assert await refusal_of(story) == "form_code_incorrect"


async def test_second_code_brings_no_new_tries(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    for _ in range(4):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    world.clock.forward(RESEND_AFTER)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    story = sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    assert await refusal_of(story) == "verification_failed"


# ── the order of truth ────────────────────────────────────────────────────────────────
async def test_try_is_counted_before_it_is_compared(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    assert isinstance(world.deps.codes, Codes)
    dying = replace(world.deps, codes=CrashingCodes(world.deps.codes))
    with pytest.raises(Crash):
        await sign_up.try_code(dying, caller, attempt.id, PHONE, world.code)
    assert world.rows("SELECT attempts, status FROM verifications") == [(1, "unverified")]
    assert world.count("guesses") == 1


async def test_code_survives_a_crash_after_comparing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, attempt = await world.asked_by_phone()
    with monkeypatch.context() as patch:
        patch.setattr(sign_up, "_new_user", _crash)
        with pytest.raises(Crash):
            await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.rows("SELECT attempts, status FROM verifications") == [(1, "unverified")]
    assert [world.count(t) for t in ("users", "sessions")] == [0, 0]
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.user is not None


async def test_counting_and_consuming_are_two_units(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    before = world.storage.kept
    await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.storage.kept == before + 2


# ── trying ────────────────────────────────────────────────────────────────────────────
async def test_fifth_wrong_code_ends_the_verification(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    said = [
        await refusal_of(sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong))
        for _ in range(5)
    ]
    assert said == ["form_code_incorrect"] * 4 + ["verification_failed"]
    right = sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refusal_of(right) == "verification_failed"
    assert world.rows("SELECT attempts, status FROM verifications") == [(5, "failed")]
    assert world.count("codes") == 0


async def test_fifth_try_may_be_the_right_one(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    for _ in range(4):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.refusal is None
    assert answer.user is not None


async def test_code_lives_ten_minutes(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    world.clock.forward(CODE_LIVES_FOR)
    story = sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refusal_of(story) == "verification_expired"
    assert world.count("guesses") == 0


async def test_code_is_good_to_its_last_moment(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    world.clock.forward(CODE_LIVES_FOR - 1)
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.refusal is None


async def test_code_can_be_used_once(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    again = sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refusal_of(again) == "verification_already_verified"
    assert (world.count("users"), world.count("sessions")) == (1, 1)


@pytest.mark.parametrize("over", ["failed", "expired"])
async def test_fresh_verification_has_five_tries(world: World, over: str) -> None:
    caller, attempt = await world.asked_by_phone()
    tries = 5 if over == "failed" else 3
    for _ in range(tries):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    if over == "expired":
        world.clock.forward(CODE_LIVES_FOR)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert world.rows("SELECT attempts, status FROM verifications") == [(0, "unverified")]
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.refusal is None


async def test_code_before_a_failure_is_worth_nothing(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    old = world.code
    for _ in range(5):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    if old != world.code:
        story = sign_up.try_code(world.deps, caller, attempt.id, PHONE, old)
        assert await refusal_of(story) == "form_code_incorrect"
    assert world.count("codes") == 1


async def test_code_of_another_attempt_is_wrong(world: World) -> None:
    _, _ = await world.asked_by_phone()
    stranger = world.code
    caller, attempt = await world.asked_by_phone()
    if stranger != world.code:
        story = sign_up.try_code(world.deps, caller, attempt.id, PHONE, stranger)
        assert await refusal_of(story) == "form_code_incorrect"
    assert world.count("users") == 0


# ── the budget of an address ──────────────────────────────────────────────────────────
async def test_budget_spans_clients_and_attempts(world: World) -> None:
    await world.account()
    await use_up_guesses(world, 10)
    caller, attempt = await world.signing_in()
    with pytest.raises(Refused) as refused:
        await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    assert refused.value.refusal.code == "user_locked"
    assert refused.value.refusal.meta == {"lockout_expires_in_seconds": HOUR // SECOND}
    assert world.count("guesses") == 10


async def test_budget_spans_sign_up_and_sign_in(world: World) -> None:
    for _ in range(2):
        caller, attempt = await world.asked_by_phone()
        for _ in range(5):
            await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    caller, attempt = await world.signing_up()
    story = sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert await refusal_of(story) == "user_locked"


async def test_locked_address_refuses_the_right_code(world: World) -> None:
    await world.account()
    victim, under_way = await world.asked_to_sign_in()
    right = world.code
    await use_up_guesses(world, 10)
    story = sign_in.try_code(world.deps, victim, under_way.id, PHONE, right)
    assert await refusal_of(story) == "user_locked"
    assert world.count("guesses") == 10


async def test_lock_ends_after_an_hour(world: World) -> None:
    await world.account()
    await use_up_guesses(world, 10)
    world.clock.forward(GUESS_WINDOW - 1)
    caller, attempt = await world.signing_in()
    factor = sign_in.Wish(PHONE)
    story = sign_in.send_code(world.deps, caller, attempt.id, factor)
    assert await refusal_of(story) == "user_locked"
    world.clock.forward(1)
    await sign_in.send_code(world.deps, caller, attempt.id, factor)
    answer = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.refusal is None


async def test_lock_of_one_address_spares_another(world: World) -> None:
    await world.account()
    await use_up_guesses(world, 10)
    _, answer = await world.account(BEA)
    assert answer.user is not None


async def test_right_code_gives_its_guess_back(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    for _ in range(3):
        await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.count("guesses") == 3


async def test_success_does_not_reset_the_budget(world: World) -> None:
    world.switch_sending_limits_off()
    await world.account()
    await use_up_guesses(world, 9)
    for _ in range(12):  # somebody who signs in often is not locked out of it
        caller, attempt = await world.asked_to_sign_in()
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert world.count("guesses") == 9
    caller, attempt = await world.asked_to_sign_in()
    await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.wrong)
    story = sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert await refusal_of(story) == "user_locked"


async def test_test_number_has_the_same_budget(world: World) -> None:
    caller, attempt = await world.asked_by_phone("+14155550100")
    said = [
        await refusal_of(sign_up.try_code(world.deps, caller, attempt.id, PHONE, "000000"))
        for _ in range(5)
    ]
    assert said[-1] == "verification_failed"
    assert world.count("guesses") == 5


# ── races ─────────────────────────────────────────────────────────────────────────────
async def test_two_right_codes_make_one_session(world: World) -> None:
    await world.account()
    sessions = world.count("sessions")
    caller, attempt = await world.asked_to_sign_in()
    tries = [
        refusal_of(sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code))
        for _ in range(2)
    ]
    said = await asyncio.gather(*tries)
    assert sorted(said, key=str) == [None, "verification_already_verified"]
    assert world.count("sessions") == sessions + 1


async def test_two_right_codes_make_one_user(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    tries = [
        refusal_of(sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code))
        for _ in range(5)
    ]
    said = await asyncio.gather(*tries)
    assert sorted(said, key=str) == [None] + ["verification_already_verified"] * 4
    assert (world.count("users"), world.count("sessions")) == (1, 1)


async def test_fifty_wrong_codes_count_as_five(world: World) -> None:
    caller, attempt = await world.asked_by_phone()
    guesses = [f"{number:06}" for number in range(100_000, 100_050)]
    tries = [
        refusal_of(sign_up.try_code(world.deps, caller, attempt.id, PHONE, guess))
        for guess in guesses
        if guess != world.code
    ]
    said = await asyncio.gather(*tries)
    assert said.count("form_code_incorrect") == 4
    assert set(said) == {"form_code_incorrect", "verification_failed"}
    assert world.rows("SELECT attempts, status FROM verifications") == [(5, "failed")]
    assert world.count("guesses") == 5


async def test_parallel_guesses_share_the_budget(world: World) -> None:
    world.switch_sending_limits_off()
    await world.account()
    under_way = [await world.asked_to_sign_in() for _ in range(6)]
    tries = [
        refusal_of(sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.wrong))
        for caller, attempt in under_way
        for _ in range(4)
    ]
    said = await asyncio.gather(*tries)
    assert said.count("form_code_incorrect") == 10
    assert said.count("user_locked") == 14
    assert world.count("guesses") == 10


# ── what test mode leaves behind ──────────────────────────────────────────────────────
async def test_well_known_code_ends_with_test_mode(world: World) -> None:
    """A database that was once in test mode holds accounts whose code everybody knows."""
    phone = "+14155550123"
    world.switch(test_mode=True)
    await world.account(phone)
    caller, attempt = await world.asked_to_sign_in(phone)
    world.switch(test_mode=False)
    trying = sign_in.try_code(world.deps, caller, attempt.id, PHONE, "424242")
    assert await refusal_of(trying) == "strategy_for_user_invalid"
    asking = sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    assert await refusal_of(asking) == "strategy_for_user_invalid"


async def test_cookie_that_was_replaced_meanwhile_is_shown_nothing(world: World) -> None:
    """A request that came with a planted cookie may wait until its owner has signed in."""
    planted = new_token()
    name = digest(world.deps.instance.id, "client", planted)
    caller, attempt = await world.asked_by_phone()
    async with world.deps.storage.transaction() as tx:
        await tx.rotate_client(caller.client_id or "", name)
    found_before = await clients.find(world.deps, planted, None)
    await sign_up.try_code(world.deps, found_before, attempt.id, PHONE, world.code)
    answer = await clients.create(world.deps, found_before)
    assert answer.client is not None
    assert answer.client.sessions == ()
    assert await clients.show(world.deps, found_before) is None
