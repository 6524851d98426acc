"""The courier against a real database: what is sent, when, how often, and what is left behind."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Barrier, Thread

import pytest

from doorcode.delivery import carrier as carrier_module
from doorcode.delivery import courier as courier_module
from doorcode.delivery.carrier import LAST_RETRY_AFTER, MOST_ATTEMPTS, SEND_WITHIN, retry_after
from doorcode.delivery.courier import AT_ONCE, LEASE_FOR, Courier
from doorcode.delivery.inbox import Inbox
from doorcode.delivery.interface import Letter, Never, State, Taken, TryLater
from doorcode.delivery.render import pack_withheld
from doorcode.domain.breaker import CONVERSION_LEAST, CONVERSION_SETTLES
from doorcode.domain.limits import CODE_LIVES_FOR, SECOND
from doorcode.domain.message import Message
from doorcode.domain.send import Send, SendBudget
from doorcode.security import master_key
from doorcode.security.sealing import Sealer
from doorcode.storage.interface import Transaction, Unavailable
from doorcode.storage.sqlite import Sqlite

from .conftest import (
    CODE,
    MASTER,
    PATIENCE,
    Clock,
    HeardLog,
    Postman,
    PostOffice,
    routing_of,
    running,
)

PHONE = "+14155552671"
TEST_PHONE = "+14155550123"


async def announce(courier: Courier, message: Message) -> None:
    await courier.announce(message.id, message.channel, message.is_test)


async def run_until(office: PostOffice, courier: Courier, event: str, times: int = 1) -> None:
    """Let the courier work until something was logged, and then stop."""
    async with running(courier):
        await office.log.heard(event, times)


# ── delivering ────────────────────────────────────────────────────────────────────────
async def test_what_waits_at_the_start_is_sent(office: PostOffice) -> None:
    postman = Postman()
    await office.post()
    await run_until(office, office.courier(postman), "message_delivered")
    assert [(x.to, x.code) for x in postman.letters] == [("ada@example.com", CODE)]


async def test_what_is_announced_is_sent(office: PostOffice) -> None:
    postman = Postman()
    async with running(office.courier(postman)) as courier:
        await asyncio.sleep(0)  # the loop has found an empty outbox
        message = await office.post(PHONE)
        await announce(courier, message)
        await office.log.heard("message_delivered")
    assert [x.channel for x in postman.letters] == ["sms"]


async def test_delivery_erases_the_code(office: PostOffice) -> None:
    message = await office.post()
    assert office.row(message)["sealed"] is not None
    await run_until(office, office.courier(Postman()), "message_delivered")
    row = office.row(message)
    assert (row["state"], row["sealed"], row["delivered_at"]) == ("delivered", None, office.clock())


async def test_what_is_withheld_goes_the_whole_way_and_is_not_sent(office: PostOffice) -> None:
    """What the courier does not do would show in the time of the next answer."""
    postman = Postman()
    message = await office.post(PHONE, pack_withheld(CODE, "Acme", None))
    await run_until(office, office.courier(postman), "message_withheld")
    row = office.row(message)
    assert (row["state"], row["sealed"], row["attempts"]) == ("withheld", None, 1)
    assert postman.letters == []


async def test_the_code_is_nowhere_to_be_read_on_disk(office: PostOffice) -> None:
    await office.post()
    waiting = b"".join(file.read_bytes() for file in office.path.parent.iterdir())
    await run_until(office, office.courier(Postman()), "message_delivered")
    afterwards = b"".join(file.read_bytes() for file in office.path.parent.iterdir())
    assert b"ada@example.com" in waiting  # these are the right files
    assert CODE.encode() not in waiting
    assert CODE.encode() not in afterwards


async def test_a_message_is_taken_on_disk_before_anybody_sees_it(office: PostOffice) -> None:
    postman = Postman()
    postman.gate.clear()
    message = await office.post()
    async with running(office.courier(postman)):
        await postman.came()
        row = office.row(message)  # by another connection: only what is committed
        postman.gate.set()
    assert (row["state"], row["attempts"]) == ("queued", 1)
    assert row["send_at"] == office.clock() + LEASE_FOR


async def test_a_message_that_was_rolled_back_is_never_sent(office: PostOffice) -> None:
    postman = Postman()
    courier = office.courier(postman)
    message = await office.post()
    with pytest.raises(RuntimeError):
        async with office.storage.transaction() as tx:
            await tx.add_message(_another(message))
            raise RuntimeError
    async with running(courier):
        await announce(courier, _another(message))
        await office.log.heard("message_delivered")
    assert [x.id for x in postman.letters] == [message.id]


async def test_sending_holds_no_unit_of_work(office: PostOffice) -> None:
    postman = Postman()
    postman.gate.clear()
    await office.post()
    async with running(office.courier(postman)):
        await postman.came()
        async with asyncio.timeout(PATIENCE):
            second = await office.post()  # the writer is free while the letter is on its way
        assert office.row(second)["state"] == "queued"
        postman.gate.set()


async def test_no_more_than_a_hundred_are_sent_at_once(office: PostOffice) -> None:
    postman = Postman()
    postman.gate.clear()
    messages = [await office.post() for _ in range(AT_ONCE + 3)]
    async with running(office.courier(postman)) as courier:
        await postman.came(AT_ONCE)
        courier.wake()
        for _ in range(20):
            await asyncio.sleep(0)
        taken = sum(office.row(message)["attempts"] for message in messages)
        assert (len(postman.letters), taken) == (AT_ONCE, AT_ONCE)
        postman.gate.set()
        await office.log.heard("message_delivered", AT_ONCE + 3)
    assert len({x.id for x in postman.letters}) == len(postman.letters) == AT_ONCE + 3


async def test_what_is_under_way_counts_among_the_hundred(office: PostOffice) -> None:
    postman = Postman()
    postman.gate.clear()
    messages = [await office.post() for _ in range(3)]
    async with running(office.courier(postman)) as courier:
        await postman.came(3)
        messages += [await office.post() for _ in range(AT_ONCE)]
        courier.wake()
        await postman.came(AT_ONCE)
        taken = sum(office.row(message)["attempts"] for message in messages)
        postman.gate.set()
        await office.log.heard("message_delivered", len(messages))
    assert taken == AT_ONCE


async def test_one_slow_letter_holds_up_nobody(office: PostOffice) -> None:
    class SlowForAda(Postman):
        async def send(self, letter: Letter) -> Taken:
            if letter.to == "ada@example.com":
                return await super().send(letter)
            return Taken(state=State.DELIVERED)

    postman = SlowForAda()
    postman.gate.clear()
    slow = await office.post("ada@example.com")
    for _ in range(AT_ONCE * 2):
        await office.post("bob@example.com")
    async with running(office.courier(postman)):
        await office.log.heard("message_delivered", AT_ONCE * 2)
        assert office.row(slow)["state"] == "queued"
        postman.gate.set()
    assert office.row(slow)["state"] == "delivered"


# ── trying again ──────────────────────────────────────────────────────────────────────
def test_the_waits_double_up_to_a_minute() -> None:
    waits = [retry_after(attempt, jitter=0.0) // SECOND for attempt in range(1, MOST_ATTEMPTS)]
    assert waits == [2, 4, 8, 16, 32, *[60] * 9]


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 60_000), (0.5, 52_500), (1.0, 45_000)])
def test_jitter_only_shortens_a_wait(jitter: float, wait: int) -> None:
    assert retry_after(20, jitter) == wait <= LAST_RETRY_AFTER


async def test_a_letter_put_off_goes_out_after_the_wait(office: PostOffice) -> None:
    postman = Postman(TryLater("451 greylisted"))
    message = await office.post()
    async with running(office.courier(postman)) as courier:
        await office.log.heard("message_deferred")
        row = office.row(message)
        assert (row["send_at"], row["last_error"]) == (office.clock() + 2_000, "451 greylisted")
        assert row["sealed"] is not None
        office.clock.pass_by(2_000)
        courier.wake()
        await office.log.heard("message_delivered")
    assert [x.id for x in postman.letters] == [message.id, message.id]


async def test_a_letter_is_not_tried_before_its_time(office: PostOffice) -> None:
    postman = Postman(TryLater("451"))
    await office.post()
    async with running(office.courier(postman)) as courier:
        await office.log.heard("message_deferred")
        office.clock.pass_by(1_999)
        courier.wake()
        other = await office.post("bob@example.com")
        await announce(courier, other)
        await office.log.heard("message_delivered")
    assert [x.to for x in postman.letters] == ["ada@example.com", "bob@example.com"]


async def test_the_loop_sleeps_until_the_next_letter_is_due(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the real clock, for once: nobody wakes the courier."""
    monkeypatch.setattr(carrier_module, "FIRST_RETRY_AFTER", 30)
    office.clock = lambda: time.time_ns() // 1_000_000  # type: ignore[assignment]
    postman = Postman(TryLater("451"))
    message = await office.post()
    await run_until(office, office.courier(postman), "message_delivered")
    assert [x.id for x in postman.letters] == [message.id, message.id]


async def test_fifteen_attempts_are_the_last(office: PostOffice) -> None:
    office.jitter = 1.0  # the shortest waits: with the longest, the code expires before
    postman = Postman(*[TryLater("421 busy") for _ in range(MOST_ATTEMPTS + 1)])
    message = await office.post()
    async with running(office.courier(postman)) as courier:
        for attempt in range(1, MOST_ATTEMPTS):
            await office.log.heard("message_deferred", attempt)
            office.clock.pass_by(retry_after(attempt, office.jitter))
            courier.wake()
        await office.log.heard("message_failed")
    row = office.row(message)
    assert len(postman.letters) == MOST_ATTEMPTS == 15
    assert (row["state"], row["sealed"]) == ("failed", None)
    assert row["last_error"] == "421 busy (attempt 15, the last)"


async def test_a_refusal_for_good_is_not_tried_again(office: PostOffice) -> None:
    postman = Postman(Never("550 5.1.1"))
    message = await office.post()
    await run_until(office, office.courier(postman), "message_failed")
    row = office.row(message)
    assert (row["state"], row["sealed"], row["last_error"]) == ("failed", None, "550 5.1.1")
    assert len(postman.letters) == 1


async def test_an_expired_code_is_not_sent(office: PostOffice) -> None:
    postman = Postman()
    message = await office.post()
    office.clock.pass_by(CODE_LIVES_FOR)
    await run_until(office, office.courier(postman), "message_failed")
    assert postman.letters == []
    assert office.row(message)["last_error"] == "the code expired before it was sent"


async def test_a_code_is_sent_in_its_last_moment(office: PostOffice) -> None:
    postman = Postman()
    await office.post()
    office.clock.pass_by(CODE_LIVES_FOR - 1)
    await run_until(office, office.courier(postman), "message_delivered")
    assert len(postman.letters) == 1


async def test_no_attempt_is_planned_beyond_the_end_of_the_code(office: PostOffice) -> None:
    message = await office.post()
    office.clock.pass_by(CODE_LIVES_FOR - 2_000)
    await run_until(office, office.courier(Postman(TryLater("421"))), "message_failed")
    row = office.row(message)
    assert (row["state"], row["sealed"]) == ("failed", None)
    assert row["last_error"] == "421 (the code expires before the next attempt)"


async def test_a_letter_that_kills_its_courier_each_time_is_given_up(office: PostOffice) -> None:
    postman = Postman()
    message = await office.post()
    for _ in range(MOST_ATTEMPTS):
        async with office.storage.transaction() as tx:
            await tx.lease_message(message.id, office.clock(), office.clock())
    await run_until(office, office.courier(postman), "message_failed")
    assert postman.letters == []
    assert office.row(message)["last_error"] == "every attempt was cut short"


async def test_a_provider_that_breaks_is_tried_again(office: PostOffice) -> None:
    message = await office.post()
    postman = Postman(KeyError(f"{CODE} for ada@example.com"))
    await run_until(office, office.courier(postman), "message_deferred")
    row = office.row(message)
    assert (row["state"], row["last_error"]) == ("queued", "unexpected KeyError")


async def test_a_provider_that_hangs_is_left_before_the_lease_ends(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SEND_WITHIN < LEASE_FOR
    monkeypatch.setattr(carrier_module, "SEND_WITHIN", 10)
    postman = Postman()
    postman.gate.clear()
    message = await office.post()
    await run_until(office, office.courier(postman), "message_deferred")
    assert office.row(message)["last_error"] == "the provider took too long"


# ── seals ─────────────────────────────────────────────────────────────────────────────
async def test_a_seal_of_another_key_is_given_up(office: PostOffice) -> None:
    message = await office.post()
    office.sealer = Sealer(master_key.parse(master_key.generate()), "ins_1")
    await run_until(office, office.courier(Postman()), "message_failed")
    row = office.row(message)
    assert (row["state"], row["sealed"]) == ("failed", None)
    assert "seal does not open" in row["last_error"]


async def test_a_seal_moved_from_another_row_does_not_open(office: PostOffice) -> None:
    mine, yours = await office.post(), await office.post("eve@example.com")
    connection = sqlite3.connect(office.path)
    with connection:
        connection.execute(
            "UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE id = ?) WHERE id = ?",
            (mine.id, yours.id),
        )
    connection.close()
    postman = Postman()
    async with running(office.courier(postman)):
        await office.log.heard("message_delivered")
        await office.log.heard("message_failed")
    assert [x.to for x in postman.letters] == ["ada@example.com"]


async def test_a_payload_of_another_kind_is_given_up(office: PostOffice) -> None:
    message = await office.post(payload=b'{"code": 731904}')
    await run_until(office, office.courier(Postman()), "message_failed")
    assert office.row(message)["last_error"] == "the sealed payload cannot be read"


# ── two couriers, and couriers that die ───────────────────────────────────────────────
async def test_two_couriers_of_one_server_send_one_letter(office: PostOffice) -> None:
    postman = Postman()
    messages = [await office.post() for _ in range(20)]
    async with running(office.courier(postman)), running(office.courier(postman)):
        await office.log.heard("message_delivered", len(messages))
    assert sorted(x.id for x in postman.letters) == sorted(m.id for m in messages)


async def test_two_servers_on_one_database_send_one_letter(office: PostOffice) -> None:
    messages = [await office.post() for _ in range(20)]
    start, sent = Barrier(2), list[str]()

    class Counting(Postman):
        async def send(self, letter: Letter) -> Taken:
            sent.append(letter.id)
            return Taken(state=State.DELIVERED)

    def server() -> None:
        start.wait(PATIENCE)
        asyncio.run(_empty_outbox(office.path, office.clock, Counting()))

    threads = [Thread(target=server) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert sorted(sent) == sorted(message.id for message in messages)
    assert {office.row(message)["state"] for message in messages} == {"delivered"}


async def test_what_a_dead_courier_took_is_taken_over(office: PostOffice) -> None:
    message = await office.post()
    async with office.storage.transaction() as tx:  # a courier takes it, and dies
        await tx.lease_messages(office.clock(), office.clock() + LEASE_FOR, 1)
    postman = Postman()
    async with running(office.courier(postman)) as courier:
        office.clock.pass_by(LEASE_FOR - 1)
        other = await office.post("bob@example.com")
        await announce(courier, other)
        await office.log.heard("message_delivered")
        assert [x.to for x in postman.letters] == ["bob@example.com"]  # not yet
        office.clock.pass_by(1)
        courier.wake()
        await office.log.heard("message_delivered", 2)
    assert (postman.letters[-1].id, office.row(message)["attempts"]) == (message.id, 2)


async def test_a_message_outlives_the_server(office: PostOffice, clock: Clock) -> None:
    message = await office.post()
    await office.storage.close()
    again = PostOffice(office.path, clock)
    postman = Postman()
    await run_until(again, again.courier(postman), "message_delivered")
    await again.storage.close()
    assert [(x.id, x.code) for x in postman.letters] == [(message.id, CODE)]
    office.storage = type(office.storage)(office.path)  # for the fixture to close


async def test_stopping_lets_a_letter_under_way_arrive(office: PostOffice) -> None:
    postman = Postman()
    postman.gate.clear()
    message = await office.post()
    courier = office.courier(postman)
    loop = asyncio.create_task(courier.run())
    await postman.came()
    stopping = asyncio.create_task(courier.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    postman.gate.set()
    await stopping
    await loop
    assert office.row(message)["state"] == "delivered"


async def test_stopping_does_not_wait_for_ever(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "STOP_WITHIN", 10)
    postman = Postman()
    postman.gate.clear()
    message = await office.post()
    courier = office.courier(postman)
    loop = asyncio.create_task(courier.run())
    await postman.came()
    async with asyncio.timeout(PATIENCE):
        await courier.stop()
        await loop
    row = office.row(message)
    assert (row["state"], row["send_at"]) == ("queued", office.clock() + LEASE_FOR)


async def test_a_stopped_courier_takes_nothing_more(office: PostOffice) -> None:
    postman = Postman()
    courier = office.courier(postman)
    await courier.stop()
    message = await office.post()
    async with asyncio.timeout(PATIENCE):
        await courier.run()
    assert (postman.letters, office.row(message)["attempts"]) == ([], 0)


# ── announcing ────────────────────────────────────────────────────────────────────────
async def test_an_immediate_letter_is_there_when_announcing_ends(office: PostOffice) -> None:
    inbox = Inbox(development=True)
    message = await office.post(PHONE)
    await announce(office.courier(inbox), message)  # no loop runs
    assert [(x.to, x.code) for x in inbox.messages()] == [(PHONE, CODE)]
    assert office.row(message)["sealed"] is None


async def test_a_real_provider_does_not_delay_an_answer(office: PostOffice) -> None:
    postman = Postman()
    postman.gate.clear()
    message = await office.post()
    async with running(office.courier(postman)) as courier:
        await postman.came()
        async with asyncio.timeout(PATIENCE):
            await announce(courier, message)
        assert office.row(message)["state"] == "queued"
        postman.gate.set()


async def test_many_immediate_letters_at_once_are_each_there(office: PostOffice) -> None:
    postman = Postman(immediate=True)
    async with running(office.courier(postman)) as courier:

        async def sign_in() -> bool:
            message = await office.post()
            courier.wake()  # the loop is after the same message
            await announce(courier, message)
            return bool(office.row(message)["state"] == "delivered")

        assert all(await asyncio.gather(*[sign_in() for _ in range(50)]))
    assert len({x.id for x in postman.letters}) == len(postman.letters) == 50


async def test_announcing_waits_for_the_loop_that_was_quicker(office: PostOffice) -> None:
    postman = Postman(immediate=True)
    postman.gate.clear()
    message = await office.post()
    async with running(office.courier(postman)) as courier:
        await postman.came()
        announcing = asyncio.create_task(announce(courier, message))
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not announcing.done()
        postman.gate.set()
        await announcing
        assert office.row(message)["state"] == "delivered"
    assert len(postman.letters) == 1


async def test_a_browser_that_goes_away_takes_no_letter_with_it(office: PostOffice) -> None:
    postman = Postman(immediate=True)
    postman.gate.clear()
    message = await office.post()
    courier = office.courier(postman)
    announcing = asyncio.create_task(announce(courier, message))
    await postman.came()
    announcing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await announcing
    postman.gate.set()
    await courier.stop()
    assert office.row(message)["state"] == "delivered"


async def test_announcing_never_fails(office: PostOffice) -> None:
    storage = office.storage
    message = await office.post()
    office.storage = _Down(office.storage)  # type: ignore[assignment]
    inbox = Inbox(development=True)
    await announce(office.courier(inbox), message)
    office.storage = storage
    assert inbox.messages() == []
    assert office.log.events() == ["outbox_unreachable"]


async def test_an_immediate_letter_put_off_is_the_loops(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the real clock: the loop sleeps, and nobody but the announcement wakes it."""
    monkeypatch.setattr(carrier_module, "FIRST_RETRY_AFTER", 30)
    office.clock = lambda: time.time_ns() // 1_000_000  # type: ignore[assignment]
    postman = Postman(TryLater("full"), immediate=True)
    async with running(office.courier(postman)) as courier:
        await announce(courier, await office.post())
        await office.log.heard("message_delivered")
    assert office.log.events() == ["message_deferred", "message_delivered"]
    assert len(postman.letters) == 2


async def test_announcing_waits_for_a_loop_that_has_only_just_taken_it(
    office: PostOffice,
) -> None:
    postman = Postman(immediate=True)
    message = await office.post()
    real = office.storage
    slow = office.storage = _SlowToAnswer(office.storage)  # type: ignore[assignment]
    async with running(office.courier(postman)) as courier:
        await slow.committed.wait()  # the loop has it on disk, and does not know yet
        announcing = asyncio.create_task(announce(courier, message))
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not announcing.done()
        slow.gate.set()
        await announcing
        assert office.row(message)["state"] == "delivered"
    office.storage = real


async def test_a_retired_message_is_not_sent(office: PostOffice) -> None:
    inbox = Inbox(development=True)
    message = await office.post()
    async with office.storage.transaction() as tx:
        await tx.retire_attempt(f"sua_{message.id}")
    await announce(office.courier(inbox), message)
    assert inbox.messages() == []


# ── routes ────────────────────────────────────────────────────────────────────────────
async def test_a_test_address_is_seen_by_no_provider(office: PostOffice) -> None:
    postman = Postman()
    message = await office.post(TEST_PHONE)
    async with running(office.courier(postman)) as courier:
        await announce(courier, message)
        await office.log.heard("message_delivered")
    assert postman.letters == []
    assert office.row(message)["sealed"] is None


async def test_a_test_address_goes_to_the_inbox_of_development(office: PostOffice) -> None:
    postman, inbox = Postman(), Inbox(development=True)
    message = await office.post(TEST_PHONE)
    await announce(office.courier(postman, test_route=inbox), message)
    assert [x.to for x in inbox.messages()] == [TEST_PHONE]
    assert postman.letters == []


async def test_each_channel_has_its_route(office: PostOffice) -> None:
    texts, mails = Postman(), Postman()
    await office.post(PHONE)
    await office.post()
    courier = office.courier_of(routing_of(sms=[texts], email=[mails]))
    await run_until(office, courier, "message_delivered", 2)
    assert [x.channel for x in texts.letters] == ["sms"]
    assert [x.channel for x in mails.letters] == ["email"]


async def test_a_channel_without_a_route_is_given_up(office: PostOffice) -> None:
    message = await office.post(PHONE)
    await run_until(office, office.courier(), "message_failed")
    assert office.row(message)["last_error"] == "there is no provider for the channel sms to US"


@pytest.mark.parametrize(
    ("channel", "is_test", "can"),
    [("email", False, True), ("sms", False, False), ("sms", True, True), ("email", True, True)],
)
async def test_it_says_what_it_can_send(
    office: PostOffice, channel: str, is_test: bool, can: bool
) -> None:
    courier = office.courier_of(routing_of(email=[Postman()]))
    assert courier.can_send(channel, is_test) is can


async def test_what_stands_in_for_a_channel_is_paid_for(office: PostOffice) -> None:
    """Else nobody would count what a text message costs that goes by another channel."""
    inbox, paid = Inbox(development=True), Postman()
    ladder = ("sms", "whatsapp")
    assert office.courier_of(routing_of(sms=[inbox])).is_free("sms")
    assert not office.courier_of(routing_of(whatsapp=[paid], ladder=ladder)).is_free("sms")
    assert not office.courier_of(routing_of(sms=[inbox], whatsapp=[paid], ladder=ladder)).is_free(
        "sms"
    )
    assert office.courier_of(routing_of(whatsapp=[paid], ladder=ladder)).can_send("sms", False)


@pytest.mark.parametrize("immediate", [True, False])
async def test_nothing_is_sent_while_everything_is_held_back(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch, immediate: bool
) -> None:
    monkeypatch.setattr(courier_module, "LOOK_WHILE_STOPPED", 1)
    postman, stopped = Postman(immediate=immediate), [True]
    routing = routing_of(sms=[postman])
    message = await office.post(PHONE)
    async with running(office.courier_of(routing, is_stopped=lambda: stopped[0])) as courier:
        await announce(courier, message)
        for _ in range(20):
            courier.wake()
            await asyncio.sleep(0)
        assert (postman.letters, office.row(message)["attempts"]) == ([], 0)
        stopped[0] = False
        await office.log.heard("message_delivered")
    assert [x.id for x in postman.letters] == [message.id]


async def test_a_route_whose_codes_nobody_types_is_found_out(office: PostOffice) -> None:
    first, second = Postman(name="a"), Postman(name="b")
    messages = [await office.post(PHONE) for _ in range(CONVERSION_LEAST)]
    async with office.storage.transaction() as tx:
        for message in messages:
            send = Send(message.id, PHONE, message.verification_id, office.clock())
            await tx.add_send(send, SendBudget(1_000, 1_000))
    routing = routing_of(sms=[first, second])
    async with running(office.courier_of(routing)):
        await office.log.heard("message_delivered", len(messages))
    office.clock.pass_by(CONVERSION_SETTLES + 1)
    await office.post(PHONE)
    await run_until(office, office.courier_of(routing), "message_delivered", len(messages) + 1)
    assert (len(first.letters), len(second.letters)) == (CONVERSION_LEAST, 1)


# ── what is written down ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "quoted", [CODE, "731 904", "731-904", "7 3 1 9 0 4", f"spam: {CODE} is your Acme code"]
)
async def test_a_refusal_that_quotes_the_code_is_kept_without_it(
    office: PostOffice, quoted: str
) -> None:
    message = await office.post()
    await run_until(office, office.courier(Postman(Never(f"550: {quoted}"))), "message_failed")
    written = f"{office.row(message)['last_error']} {office.log.lines}"
    assert quoted not in written
    assert "731" not in written
    assert office.row(message)["last_error"].startswith("550: ")


@pytest.mark.parametrize(
    "quoted",
    [
        "https://auth.example.com/v1/tickets/accept?ticket=inv_01ABC.secret",
        "…?ticket=3Dinv_01ABC=\r\n.secret",
        "INV_01ABC.sec=\nret secret",
    ],
)
async def test_a_refusal_that_quotes_a_link_is_kept_without_it(
    office: PostOffice, quoted: str
) -> None:
    message = await office.post()
    await run_until(office, office.courier(Postman(Never(f"550: {quoted}"))), "message_failed")
    written = f"{office.row(message)['last_error']} {office.log.lines}".lower()
    assert "secret" not in written
    assert "01abc" not in written
    assert office.row(message)["last_error"].startswith("550: ")


@pytest.mark.parametrize("to", ["ada.lovelace@example.com", PHONE])
async def test_the_log_shows_the_recipient_masked(office: PostOffice, to: str) -> None:
    await office.post(to)
    postman = Postman(TryLater(f"451 <{to.upper()}> is busy"))
    async with running(office.courier(postman)) as courier:
        await office.log.heard("message_deferred")
        office.clock.pass_by(2_000)
        courier.wake()
        await office.log.heard("message_delivered")
    logged = repr(office.log.lines).lower()
    assert "a*****@example.com" in logged or "+1********71" in logged
    assert to not in logged


async def test_each_line_of_the_log_names_message_channel_and_attempt(office: PostOffice) -> None:
    message = await office.post(PHONE)
    await run_until(office, office.courier(Postman()), "message_delivered")
    [(event, fields)] = office.log.lines
    assert event == "message_delivered"
    assert fields == {
        "message": message.id,
        "channel": "sms",
        "attempt": 1,
        "to": "+1********71",
        "route": "postman",
    }


async def test_a_long_refusal_is_kept_short(office: PostOffice) -> None:
    message = await office.post()
    await run_until(office, office.courier(Postman(Never("x" * 5_000))), "message_failed")
    assert office.row(message)["last_error"] == "x" * 200


# ── trouble with the database ─────────────────────────────────────────────────────────
async def test_the_loop_outlives_a_database_that_is_down(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier_module, "LOOK_AFTER_TROUBLE", 1)
    storage = office.storage
    await office.post()
    down = _Down(storage)
    office.storage = down  # type: ignore[assignment]
    postman = Postman()
    async with running(office.courier(postman)):
        await office.log.heard("outbox_unreachable", 2)
        down.is_down = False
        await office.log.heard("message_delivered")
    office.storage = storage
    assert len(postman.letters) == 1


async def test_a_delivery_that_cannot_be_noted_is_said(office: PostOffice) -> None:
    storage = office.storage
    message = await office.post()
    down = _Down(storage)
    down.is_down = False
    office.storage = down  # type: ignore[assignment]
    postman = Postman()
    postman.gate.clear()
    async with running(office.courier(postman)):
        await postman.came()
        down.is_down = True
        postman.gate.set()
        await office.log.heard("message_not_noted")
    office.storage = storage
    assert office.row(message)["send_at"] == office.clock() + LEASE_FOR  # due again then


class _Down:
    """A database that can be switched off."""

    def __init__(self, storage: Sqlite) -> None:
        self._storage = storage
        self.is_down = True

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self._check()
        async with self._storage.transaction() as tx:
            yield tx

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        self._check()
        async with self._storage.reading() as tx:
            yield tx

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("the disk is full")


class _SlowToAnswer:
    """A database whose first unit is committed, but hears of it only when a test says so."""

    def __init__(self, storage: Sqlite) -> None:
        self._storage = storage
        self.reading = storage.reading
        self.committed = asyncio.Event()
        self.gate = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        is_first = not self.committed.is_set()
        async with self._storage.transaction() as tx:
            yield tx
        if is_first:
            self.committed.set()
            await self.gate.wait()


def _another(message: Message) -> Message:
    return Message(
        "msg_rolled_back",
        message.verification_id,
        message.channel,
        message.recipient,
        False,
        b"sealed",
        message.created_at,
        message.expires_at,
    )


async def _empty_outbox(path: Path, clock: Clock, postman: Postman) -> None:
    """A server of its own on the same file, until nothing waits any more."""
    office = PostOffice(path, clock)
    office.log = HeardLog()
    office.sealer = Sealer(MASTER, "ins_1")
    courier = office.courier(postman)
    async with running(courier), asyncio.timeout(PATIENCE * 2):
        while True:
            async with office.storage.reading() as tx:
                if await tx.next_message_at() is None:
                    break
            await asyncio.sleep(0.005)
    await office.storage.close()
