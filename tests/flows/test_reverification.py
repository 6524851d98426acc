"""Proving oneself again: by one factor or two, once for each code, bounded for guessers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorcode.domain import limits
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Attribute
from doorcode.domain.reverification import Level, Reverification
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.user import User
from doorcode.flows import backup_codes, reverification, session, sign_up
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller
from doorcode.flows.reverification import Standing
from doorcode.flows.sign_in import Wish

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World

TWO_STEPS = Attribute(used_for_second_factor=True)
FIRST, SECOND, BOTH = Level.FIRST_FACTOR, Level.SECOND_FACTOR, Level.MULTI_FACTOR


class Person:
    """Somebody signed in, and what they do to prove themselves again."""

    def __init__(self, world: World, caller: Caller, session_id: str) -> None:
        self.world, self.caller, self.session_id = world, caller, session_id

    async def start(self, level: Level) -> Reverification:
        answer = await reverification.start(self.world.deps, self.caller, self.session_id, level)
        return standing(answer).one

    async def send(self, strategy: Any, address_id: str | None = None) -> Reverification:
        wish = Wish(strategy, address_id)
        send = reverification.send_first_code
        return standing(await send(self.world.deps, self.caller, self.session_id, wish)).one

    async def send_second(self, strategy: Any, address_id: str | None = None) -> Reverification:
        wish = Wish(strategy, address_id)
        send = reverification.send_second_code
        return standing(await send(self.world.deps, self.caller, self.session_id, wish)).one

    async def try_first(self, strategy: Any, typed: str | None = None) -> Answer[Standing]:
        typed = typed or self.world.code
        return await reverification.try_first_code(
            self.world.deps, self.caller, self.session_id, strategy, typed
        )

    async def try_second(self, strategy: Any, typed: str | None = None) -> Answer[Standing]:
        typed = typed or self.world.code
        return await reverification.try_second_code(
            self.world.deps, self.caller, self.session_id, strategy, typed
        )

    async def try_backup(self, typed: str) -> Answer[Standing]:
        return await reverification.try_backup_code(
            self.world.deps, self.caller, self.session_id, typed
        )

    async def current(self) -> tuple[Session, User]:
        answer = await session.get(self.world.deps, self.caller, self.session_id)
        assert answer.subject is not None
        assert answer.user is not None
        return answer.subject, answer.user

    async def age(self) -> list[int]:
        found, _ = await self.current()
        return found.factor_age(self.world.clock())

    async def may_act(self) -> bool:
        found, user = await self.current()
        try:
            reverification.expect_recent(self.world.deps, found, user)
        except Refused:
            return False
        return True


def standing(answer: Answer[Standing]) -> Standing:
    assert answer.refusal is None, answer.refusal
    assert answer.subject is not None
    assert answer.client is not None
    return answer.subject


async def signed_in(world: World, phone: str | None = ADA, email: str | None = None) -> Person:
    caller, answer = await world.account(phone, email)
    assert answer.subject is not None
    assert answer.subject.created_session_id is not None
    return Person(world, caller, answer.subject.created_session_id)


@pytest.fixture
async def ada(world: World) -> Person:
    """Ada, whose mail signs her in and whose phone is her second step, an hour ago."""
    person = await signed_in(world, ADA, ADA_MAIL)
    world.switch(phone=TWO_STEPS, backup_codes=True, reverification=True)
    world.write("UPDATE addresses SET reserved_for_second_factor = 1 WHERE kind = 'phone_number'")
    world.clock.forward(limits.HOUR)
    return person


@pytest.fixture
async def bea(world: World) -> Person:
    """Bea, who has her phone and no second step, an hour ago."""
    person = await signed_in(world, BEA)
    world.switch(phone=TWO_STEPS, reverification=True)
    world.clock.forward(limits.HOUR)
    return person


async def give_backup_codes(person: Person) -> list[str]:
    _, user = await person.current()
    async with person.world.storage.transaction() as tx:
        return list(await backup_codes.issue(person.world.deps, tx, user.id))


# ── what asks for it ──────────────────────────────────────────────────────────────────
async def test_nothing_is_asked_where_the_instance_does_not(world: World, bea: Person) -> None:
    world.switch(reverification=False)
    assert await bea.may_act()


async def test_proof_counts_for_ten_minutes_from_the_sign_in(world: World) -> None:
    person = await signed_in(world)
    world.switch(reverification=True)
    world.clock.forward(limits.PROOF_COUNTS_FOR - 1)
    assert await person.may_act()
    world.clock.forward(1)
    found, user = await person.current()
    with pytest.raises(Refused, match="session_reverification_required") as refused:
        reverification.expect_recent(world.deps, found, user)
    assert refused.value.refusal.status == 403


async def test_fresh_first_factor_is_not_enough_for_who_has_a_second(
    world: World, ada: Person
) -> None:
    await ada.start(FIRST)
    await ada.send(EMAIL)
    standing(await ada.try_first(EMAIL))
    assert await ada.age() == [0, -1]
    assert not await ada.may_act()


async def test_fresh_second_factor_is_enough(ada: Person) -> None:
    await ada.start(SECOND)
    await ada.send_second(PHONE)
    standing(await ada.try_second(PHONE))
    assert await ada.age() == [60, 0]
    assert await ada.may_act()


# ── the story ─────────────────────────────────────────────────────────────────────────
async def test_first_factor_is_proved_again(world: World, bea: Person) -> None:
    assert not await bea.may_act()
    one = await bea.start(FIRST)
    assert (one.level, one.status) == (FIRST, "needs_first_factor")
    one = await bea.send(PHONE)
    assert one.first is not None
    assert one.first.attempt_id == one.id
    assert world.post.announced[-1].to == BEA
    done = standing(await bea.try_first(PHONE))
    assert done.one.status == "complete"
    assert done.session.factor_age(world.clock()) == [0, -1]
    assert await bea.age() == [0, -1]
    assert await bea.may_act()


@pytest.mark.parametrize("level", [SECOND, BOTH])
async def test_who_has_no_second_factor_proves_the_first(bea: Person, level: Level) -> None:
    one = await bea.start(level)
    assert (one.level, one.status) == (FIRST, "needs_first_factor")
    await bea.send(PHONE)
    assert standing(await bea.try_first(PHONE)).one.status == "complete"
    assert await bea.may_act()


async def test_second_step_that_is_gone_is_forgotten_by_a_fallback(
    world: World, bea: Person
) -> None:
    world.write("UPDATE sessions SET second_factor_at = first_factor_at")
    assert await bea.age() == [60, 60]
    await bea.start(SECOND)
    await bea.send(PHONE)
    standing(await bea.try_first(PHONE))
    assert await bea.age() == [0, -1]


async def test_both_factors_are_proved_where_both_are_asked_for(world: World, ada: Person) -> None:
    one = await ada.start(BOTH)
    assert (one.level, one.status) == (BOTH, "needs_first_factor")
    await ada.send(EMAIL)
    half = standing(await ada.try_first(EMAIL))
    assert half.one.status == "needs_second_factor"
    assert not await ada.may_act()
    world.clock.forward(limits.MINUTE)
    await ada.send_second(PHONE)
    done = standing(await ada.try_second(PHONE))
    assert done.one.status == "complete"
    assert await ada.age() == [1, 0]
    assert await ada.may_act()


async def test_reserved_phone_is_no_first_factor(ada: Person) -> None:
    await ada.start(BOTH)
    with pytest.raises(Refused, match="strategy_for_user_invalid"):
        await ada.send(PHONE)


async def test_mailbox_that_signs_in_is_no_second_factor_alone(world: World, ada: Person) -> None:
    world.switch(email=TWO_STEPS)
    await ada.start(SECOND)
    with pytest.raises(Refused, match="no_second_factors"):
        await ada.send_second(EMAIL)


async def test_second_factor_travels_by_another_channel_than_the_first(
    world: World, ada: Person
) -> None:
    world.switch(email=TWO_STEPS)
    await ada.start(BOTH)
    await ada.send(EMAIL)
    standing(await ada.try_first(EMAIL))
    with pytest.raises(Refused, match="no_second_factors"):
        await ada.send_second(EMAIL)
    await ada.send_second(PHONE)
    assert standing(await ada.try_second(PHONE)).one.status == "complete"


async def test_mail_is_the_second_factor_after_a_code_by_phone(world: World, ada: Person) -> None:
    _, user = await ada.current()
    world.switch(email=TWO_STEPS)
    world.write(
        "INSERT INTO addresses (id, user_id, kind, value, spelling, is_test, verified_at,"
        " created_at, updated_at) VALUES ('idn_b', ?, 'phone_number', ?, ?, 0, 1, 1, 1)",
        user.id, BEA, BEA,
    )  # fmt: skip
    await ada.start(BOTH)
    await ada.send(PHONE, "idn_b")
    standing(await ada.try_first(PHONE))
    with pytest.raises(Refused, match="no_second_factors"):
        await ada.send_second(PHONE)
    await ada.send_second(EMAIL)
    assert standing(await ada.try_second(EMAIL)).one.status == "complete"


async def test_session_that_must_set_up_a_second_step_can_prove_itself(
    world: World, bea: Person
) -> None:
    world.write("UPDATE sessions SET status = 'pending'")
    await bea.start(FIRST)
    await bea.send(PHONE)
    done = standing(await bea.try_first(PHONE))
    assert done.session.status is SessionStatus.PENDING
    assert await bea.may_act()


# ── steps out of turn ─────────────────────────────────────────────────────────────────
async def test_nothing_goes_on_that_was_not_started(bea: Person) -> None:
    for story in (
        bea.send(PHONE),
        bea.send_second(PHONE),
        bea.try_first(PHONE, "000000"),
        bea.try_second(PHONE, "000000"),
        bea.try_backup("0123456789"),
    ):
        with pytest.raises(Refused, match="session_reverification_missing"):
            await story


async def test_step_that_is_not_due_is_refused(ada: Person) -> None:
    await ada.start(SECOND)
    for story in (ada.send(EMAIL), ada.try_first(EMAIL, "000000")):
        with pytest.raises(Refused, match="invalid_action_for_session_reverification"):
            await story
    await ada.start(BOTH)
    for second in (
        ada.send_second(PHONE),
        ada.try_second(PHONE, "000000"),
        ada.try_backup("0123456789"),
    ):
        with pytest.raises(Refused, match="invalid_action_for_session_reverification"):
            await second


async def test_code_that_was_not_asked_for_is_not_tried(ada: Person) -> None:
    await ada.start(BOTH)
    with pytest.raises(Refused, match="verification_missing"):
        await ada.try_first(EMAIL, "000000")
    await ada.send(EMAIL)
    with pytest.raises(Refused, match="verification_strategy_invalid"):
        await ada.try_first(PHONE)
    standing(await ada.try_first(EMAIL))
    with pytest.raises(Refused, match="verification_missing"):
        await ada.try_second(PHONE, "000000")


async def test_code_is_worth_nothing_twice(ada: Person) -> None:
    await ada.start(BOTH)
    await ada.send(EMAIL)
    standing(await ada.try_first(EMAIL))
    for again in (ada.try_first(EMAIL), ada.send(EMAIL)):
        with pytest.raises(Refused, match="verification_already_verified"):
            await again
    await ada.send_second(PHONE)
    standing(await ada.try_second(PHONE))
    for again in (ada.try_second(PHONE), ada.try_first(EMAIL), ada.send_second(PHONE)):
        with pytest.raises(Refused, match="verification_already_verified"):
            await again


async def test_newer_start_makes_earlier_codes_worth_nothing(world: World, bea: Person) -> None:
    first = await bea.start(FIRST)
    await bea.send(PHONE)
    earlier = world.code
    second = await bea.start(FIRST)
    assert second.id != first.id
    with pytest.raises(Refused, match="verification_missing"):
        await bea.try_first(PHONE, earlier)
    await bea.send(PHONE)
    assert earlier != world.code
    assert (await bea.try_first(PHONE, earlier)).refusal is not None
    assert world.count("reverifications") == 1


async def test_half_done_proof_does_not_carry_over_to_a_newer_start(ada: Person) -> None:
    await ada.start(BOTH)
    await ada.send(EMAIL)
    standing(await ada.try_first(EMAIL))
    assert (await ada.start(BOTH)).status == "needs_first_factor"


async def test_unused_one_is_over_after_a_quarter_of_an_hour(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    world.clock.forward(limits.REVERIFICATION_LIVES_FOR - 1)
    await bea.send(PHONE)
    world.clock.forward(limits.REVERIFICATION_LIVES_FOR - 1)
    with pytest.raises(Refused, match="verification_expired"):
        await bea.try_first(PHONE)
    world.clock.forward(1)
    for story in (bea.send(PHONE), bea.try_first(PHONE)):
        with pytest.raises(Refused, match="session_reverification_missing"):
            await story


async def test_second_code_waits_for_half_a_minute(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    world.clock.forward(limits.SAME_CLICK)
    with pytest.raises(Refused, match="verification_code_too_many_requests"):
        await bea.send(PHONE)
    world.clock.forward(limits.RESEND_AFTER)
    await bea.send(PHONE)
    assert standing(await bea.try_first(PHONE)).one.status == "complete"


# ── whose it is ───────────────────────────────────────────────────────────────────────
async def test_it_is_nobody_elses(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    stranger, _ = await world.account(ADA)
    theft = Person(world, stranger, bea.session_id)
    for story in (theft.start(FIRST), theft.send(PHONE), theft.try_first(PHONE)):
        with pytest.raises(Refused, match="resource_not_found"):
            await story
    nobody = Person(world, Caller(), bea.session_id)
    with pytest.raises(Refused, match="signed_out"):
        await nobody.start(FIRST)


async def test_code_of_another_session_proves_nothing(world: World, bea: Person) -> None:
    """The same person on two browsers: the code that one asked for is not the other's."""
    caller, attempt = await world.asked_to_sign_in(BEA)
    _, attempt_code = attempt, world.code
    await bea.start(FIRST)
    with pytest.raises(Refused, match="verification_missing"):
        await bea.try_first(PHONE, attempt_code)
    await bea.send(PHONE)
    assert (await bea.try_first(PHONE, attempt_code)).refusal is not None
    assert caller.client_id != bea.caller.client_id


async def test_ended_session_proves_nothing(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    await session.end(world.deps, bea.caller, bea.session_id, SessionStatus.ENDED)
    for story in (bea.start(FIRST), bea.send(PHONE), bea.try_first(PHONE)):
        with pytest.raises(Refused, match="authentication_invalid"):
            await story


async def test_banned_person_proves_nothing(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    world.write("UPDATE users SET banned = 1")
    for story in (bea.start(FIRST), bea.try_first(PHONE)):
        with pytest.raises(Refused, match="user_banned"):
            await story


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM addresses WHERE kind = 'email_address'",
        "UPDATE addresses SET reserved_for_second_factor = 0",
    ],
)
async def test_address_that_changed_meanwhile_proves_nothing(
    world: World, ada: Person, change: str
) -> None:
    first = "DELETE" in change
    await ada.start(FIRST if first else SECOND)
    await (ada.send(EMAIL) if first else ada.send_second(PHONE))
    world.write(change)
    with pytest.raises(Refused, match="sign_in_identification_or_user_deleted"):
        await (ada.try_first(EMAIL) if first else ada.try_second(PHONE))
    assert await ada.age() == [60, -1]


# ── guesses and races ─────────────────────────────────────────────────────────────────
async def test_wrong_code_is_counted_and_remembered(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    for _ in range(limits.TRIES_PER_VERIFICATION - 1):
        answer = await bea.try_first(PHONE, world.wrong)
        assert answer.refusal is not None
        assert answer.refusal.code == "form_code_incorrect"
    last = await bea.try_first(PHONE, world.wrong)
    assert last.refusal is not None
    assert last.refusal.code == "verification_failed"
    with pytest.raises(Refused, match="verification_failed"):
        await bea.try_first(PHONE)
    assert await bea.age() == [60, -1]


async def test_starting_over_buys_no_more_guesses_than_the_address_has(
    world: World, bea: Person
) -> None:
    world.switch_sending_limits_off()
    guesses = 0
    with pytest.raises(Refused, match="user_locked"):
        for _ in range(limits.GUESSES_PER_ADDRESS + 1):
            await bea.start(FIRST)
            await bea.send(PHONE)
            await bea.try_first(PHONE, world.wrong)
            guesses += 1
    assert guesses == limits.GUESSES_PER_ADDRESS


async def test_of_many_guesses_at_once_no_more_than_five_are_compared(
    world: World, bea: Person
) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    tries = [bea.try_first(PHONE, world.wrong) for _ in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    compared = [one for one in outcomes if isinstance(one, Answer)]
    assert len(compared) == limits.TRIES_PER_VERIFICATION
    assert all(one.refusal for one in compared)


@pytest.mark.parametrize("second", [False, True])
async def test_of_two_right_codes_at_once_one_is_used(
    world: World, ada: Person, second: bool
) -> None:
    await ada.start(SECOND if second else FIRST)
    await (ada.send_second(PHONE) if second else ada.send(EMAIL))
    tries = [ada.try_second(PHONE) if second else ada.try_first(EMAIL) for _ in range(2)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert [one for one in outcomes if isinstance(one, Answer)]
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert [one.refusal.code for one in refused] == ["verification_already_verified"]


async def test_start_between_counting_and_using_a_code_wins(
    world: World, bea: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    compare = reverification.codes.compare

    async def compare_late(*arguments: Any) -> Any:
        verdict = await compare(*arguments)
        await bea.start(FIRST)
        return verdict

    monkeypatch.setattr(reverification.codes, "compare", compare_late)
    with pytest.raises(Refused, match="session_reverification_missing"):
        await bea.try_first(PHONE)
    assert await bea.age() == [60, -1]


async def test_each_step_is_one_unit(world: World, bea: Person) -> None:
    before = world.storage.kept
    await bea.start(FIRST)
    assert world.storage.kept == before + 1
    await bea.send(PHONE)
    assert world.storage.kept == before + 2
    assert world.post.announced[-1].committed
    await bea.try_first(PHONE)
    assert world.storage.kept == before + 4  # the count, then what it opens


# ── the cookie ────────────────────────────────────────────────────────────────────────
async def with_cookie(person: Person, token: str | None) -> Person:
    """The person by their cookie, as a browser that holds it is known."""
    caller = await clients.find(person.world.deps, token, None)
    assert caller.client_id == person.caller.client_id
    return Person(person.world, caller, person.session_id)


@pytest.fixture
async def browser(world: World) -> Person:
    """Somebody signed in by phone, known by the cookie that their browser holds."""
    caller, attempt = await world.asked_by_phone()
    answer = await sign_up.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.subject is not None
    assert answer.subject.created_session_id is not None
    person = Person(world, caller, answer.subject.created_session_id)
    return await with_cookie(person, answer.client_token)


async def test_proof_gives_another_cookie_that_thieves_of_the_old_one_lack(
    world: World, browser: Person
) -> None:
    """Whoever copied the cookie waits for its owner to prove themselves, in the same session."""
    await browser.start(FIRST)
    await browser.send(PHONE)
    answer = await browser.try_first(PHONE)
    owner = await with_cookie(browser, answer.client_token)
    assert await owner.age() == [0, -1]
    # The thief's request was let in before the rotation, and is looked at after it.
    for story in (
        browser.start(FIRST),
        session.refresh(world.deps, browser.caller, browser.session_id),
        session.touch(world.deps, browser.caller, browser.session_id),
    ):
        with pytest.raises(Refused, match="signed_out"):
            await story


@pytest.mark.parametrize("way", ["first", "second", "backup"])
async def test_every_step_that_is_proved_gives_another_cookie(
    world: World, ada: Person, way: str
) -> None:
    [code, *_] = await give_backup_codes(ada)
    await ada.start(FIRST if way == "first" else SECOND)
    before = world.rows("SELECT digest FROM clients")
    if way == "first":
        await ada.send(EMAIL)
        wrong, right = await ada.try_first(EMAIL, world.wrong), await ada.try_first(EMAIL)
    elif way == "second":
        await ada.send_second(PHONE)
        wrong, right = await ada.try_second(PHONE, world.wrong), await ada.try_second(PHONE)
    else:
        wrong, right = await ada.try_backup("0000000000"), await ada.try_backup(code)
    assert (wrong.refusal is not None, wrong.client_token) == (True, None)
    assert standing(right).one.status == "complete"
    assert right.client_token
    assert world.rows("SELECT digest FROM clients") != before


async def test_of_two_proofs_at_once_one_counts_and_its_cookie_holds(
    world: World, browser: Person
) -> None:
    await browser.start(FIRST)
    await browser.send(PHONE)
    tries = [browser.try_first(PHONE) for _ in range(4)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    [done] = [one for one in outcomes if isinstance(one, Answer)]
    refused = {one.refusal.code for one in outcomes if isinstance(one, Refused)}
    assert refused <= {"signed_out", "verification_already_verified"}
    owner = await with_cookie(browser, done.client_token)
    assert await owner.age() == [0, -1]


# ── backup codes ──────────────────────────────────────────────────────────────────────
async def test_backup_code_is_a_second_factor_once(world: World, ada: Person) -> None:
    [one, *others] = await give_backup_codes(ada)
    await ada.start(SECOND)
    done = await ada.try_backup(one)
    assert standing(done).one.status == "complete"
    assert done.user is not None
    assert done.user.backup_codes == len(others)
    assert (await ada.age(), await ada.may_act()) == ([60, 0], True)
    await ada.start(SECOND)
    again = await ada.try_backup(one)
    assert again.refusal is not None
    assert again.refusal.code == "form_code_incorrect"


async def test_backup_code_is_taken_however_it_is_typed(ada: Person) -> None:
    [one, *_] = await give_backup_codes(ada)
    await ada.start(SECOND)
    typed = f" {one[:5].upper()}-{one[5:]} "
    assert standing(await ada.try_backup(typed)).one.status == "complete"


async def test_backup_code_is_the_second_step_of_both(ada: Person) -> None:
    [one, *_] = await give_backup_codes(ada)
    await ada.start(BOTH)
    with pytest.raises(Refused, match="invalid_action_for_session_reverification"):
        await ada.try_backup(one)
    await ada.send(EMAIL)
    standing(await ada.try_first(EMAIL))
    assert standing(await ada.try_backup(one)).one.status == "complete"


async def test_who_has_no_backup_codes_is_told_so(world: World, ada: Person) -> None:
    await ada.start(SECOND)
    with pytest.raises(Refused, match="no_second_factors"):
        await ada.try_backup("0123456789")
    await give_backup_codes(ada)
    world.switch(backup_codes=False)
    with pytest.raises(Refused, match="no_second_factors"):
        await ada.try_backup("0123456789")


async def test_one_backup_code_tried_twice_at_once_works_once(ada: Person) -> None:
    [one, *others] = await give_backup_codes(ada)
    await ada.start(SECOND)
    outcomes = await asyncio.gather(
        ada.try_backup(one), ada.try_backup(one), return_exceptions=True
    )
    done = [found for found in outcomes if isinstance(found, Answer) and not found.refusal]
    assert len(done) == 1
    _, user = await ada.current()
    assert user.backup_codes == len(others)


async def test_backup_codes_are_guessed_ten_times_an_hour_at_most(
    world: World, ada: Person
) -> None:
    [right, *_] = await give_backup_codes(ada)
    guesses = [f"{number:010d}" for number in range(limits.GUESSES_PER_ADDRESS + 10)]
    await ada.start(SECOND)
    tries = [ada.try_backup(guess) for guess in guesses]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    compared = [one for one in outcomes if isinstance(one, Answer)]
    assert len(compared) == limits.GUESSES_PER_ADDRESS
    assert all(one.refusal for one in compared)
    await ada.start(SECOND)
    with pytest.raises(Refused, match="user_locked"):
        await ada.try_backup(right)
    world.clock.forward(limits.GUESS_WINDOW)
    await ada.start(SECOND)
    assert standing(await ada.try_backup(right)).one.status == "complete"


async def test_right_backup_codes_cost_no_guesses(ada: Person) -> None:
    for code in await give_backup_codes(ada):
        await ada.start(SECOND)
        standing(await ada.try_backup(code))
    assert ada.world.rows("SELECT * FROM guesses WHERE address LIKE 'backup_codes:%'") == []


# ── what follows ──────────────────────────────────────────────────────────────────────
async def test_client_that_comes_with_the_answer_knows_of_the_proof(
    world: World, bea: Person
) -> None:
    await bea.start(FIRST)
    await bea.send(PHONE)
    answer = await bea.try_first(PHONE)
    assert answer.client is not None
    [(shown, _)] = answer.client.sessions
    assert shown.factor_age(world.clock()) == [0, -1]
    seen = await clients.show(world.deps, bea.caller)
    assert seen is not None
    assert seen.sessions[0][0] == shown


async def test_old_reverifications_are_swept_away(world: World, bea: Person) -> None:
    await bea.start(FIRST)
    world.clock.forward(limits.REVERIFICATION_LIVES_FOR)
    async with world.storage.transaction() as tx:
        await tx.delete_expired(world.clock(), most=100)
    assert world.count("reverifications") == 0
