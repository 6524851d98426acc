"""What every engine must do with the post: timelines, receipts, mailboxes that get none, figures.
Imported by an engine's test module as `conformance.py` is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorcode.domain import limits
from doorcode.domain.breaker import Conversion
from doorcode.domain.message import Message, Posted, State, Step, Suppression
from doorcode.domain.send import Send, SendBudget
from doorcode.storage.interface import Storage

from . import examples as an
from .conformance import at_once
from .examples import EMAIL, NOW, PHONE

__all__ = [
    "TestCleaningOfPost",
    "TestConversions",
    "TestFigures",
    "TestReceipts",
    "TestSuppressions",
    "TestTaken",
    "TestTimelines",
]

EIGHT_DAYS = 8 * limits.DAY
PLENTY = SendBudget(1_000, 1_000)


def text(number: int = 1, **changes: Any) -> Message:
    """A code by text message; each has its own verification."""
    usual = {"channel": "sms", "recipient": PHONE.spelling, "verification_id": f"ver_{number}"}
    return an.message(id=f"msg_{number}", **(usual | changes))


async def post(storage: Storage, *messages: Message, counted: bool = True) -> None:
    """Write messages down as a flow does, with the codes' rows in the ledger."""
    async with storage.transaction() as tx:
        for message in messages:
            if counted:
                at = message.created_at
                send = Send(message.id, message.recipient, message.verification_id, at)
                assert await tx.add_send(send, PLENTY)
            await tx.add_message(message)


async def take(storage: Storage, message: Message, country: str = "US", **step: Any) -> bool:
    usual: dict[str, Any] = {"message_id": message.id, "state": State.ACCEPTED, "route": "twilio"}
    async with storage.transaction() as tx:
        return await tx.message_taken(message, an.step(**(usual | step)), country)


async def posted(storage: Storage, message: Message) -> Posted:
    async with storage.reading() as tx:
        found = await tx.posted(message.id)
    assert found is not None
    return found


async def type_code(storage: Storage, message: Message, at: int = NOW + 5) -> None:
    async with storage.transaction() as tx:
        await tx.verify_sends(message.verification_id, at)


class TestTaken:
    async def test_what_a_route_took_tells_by_whom_and_when(self, storage: Storage) -> None:
        await post(storage, text())
        assert await take(storage, text(), at=NOW + 7, price=7_900)
        assert await posted(storage, text()) == Posted(
            id="msg_1",
            verification_id="ver_1",
            channel="sms",
            recipient=PHONE.spelling,
            state=State.ACCEPTED,
            route="twilio",
            country="US",
            attempts=0,
            created_at=NOW,
            taken_at=NOW + 7,
            delivered_at=None,
            price=7_900,
        )

    async def test_what_arrived_at_once_is_delivered_at_once(self, storage: Storage) -> None:
        await post(storage, text())
        await take(storage, text(), state=State.DELIVERED, at=NOW + 7)
        assert (await posted(storage, text())).delivered_at == NOW + 7

    async def test_a_message_that_nobody_took_has_no_route(self, storage: Storage) -> None:
        await post(storage, text())
        found = await posted(storage, text())
        assert (found.state, found.route, found.taken_at) == (State.QUEUED, "", None)
        async with storage.reading() as tx:
            assert await tx.posted("msg_9") is None

    async def test_it_is_noted_whoever_holds_the_lease_by_now(self, storage: Storage) -> None:
        await post(storage, text())
        async with storage.transaction() as tx:
            [late] = await tx.lease_messages(NOW, NOW + 1, 1)
            await tx.lease_messages(NOW + 1, NOW + 100, 1)
        assert await take(storage, late)


class TestTimelines:
    async def test_steps_come_back_as_they_were_and_in_their_order(self, storage: Storage) -> None:
        steps = [
            Step("msg_1", NOW, "sending", "twilio"),
            Step("msg_1", NOW, "passed_on", "twilio", None, "20003", "its key is wrong", True),
            Step("msg_1", NOW, "sending", "vonage"),
            Step("msg_1", NOW - 1, State.ACCEPTED, "vonage", "ref-1", price=7_900),
        ]
        async with storage.transaction() as tx:
            for step in steps:
                await tx.add_step(step)
                await tx.add_step(replace(step, message_id="msg_2"))
            assert await tx.steps("msg_1") == steps
            assert await tx.steps("msg_3") == []

    async def test_steps_written_at_once_are_all_there(self, storage: Storage) -> None:
        await at_once(storage, 20, lambda tx, n: tx.add_step(an.step(at=NOW + n)))
        async with storage.reading() as tx:
            assert {step.at for step in await tx.steps("msg_1")} == {NOW + n for n in range(20)}

    async def test_a_step_of_a_unit_that_failed_is_not_there(self, storage: Storage) -> None:
        with pytest.raises(RuntimeError):
            async with storage.transaction() as tx:
                await tx.add_step(an.step())
                raise RuntimeError
        async with storage.reading() as tx:
            assert await tx.steps("msg_1") == []

    async def test_a_message_is_found_by_what_its_route_calls_it(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_step(an.step(message_id="msg_1", route="twilio", ref="1"))
            await tx.add_step(an.step(message_id="msg_2", route="vonage", ref="1"))
            await tx.add_step(an.step(message_id="msg_3", route="twilio", ref=None))
            assert await tx.message_by_ref("twilio", "1") == "msg_1"
            assert await tx.message_by_ref("vonage", "1") == "msg_2"
            assert await tx.message_by_ref("twilio", "2") is None
            assert await tx.message_by_ref("twilio", "") is None

    async def test_the_last_route_is_that_of_the_code_before(self, storage: Storage) -> None:
        first, second, third = (
            text(n, verification_id="ver_1", created_at=NOW + n) for n in (1, 2, 3)
        )
        other = text(4, created_at=NOW + 9)
        await post(storage, first, second, third, other)
        async with storage.reading() as tx:
            assert await tx.last_route(third) == ""
        await take(storage, first, route="twilio")
        await take(storage, second, route="vonage")
        await take(storage, other, route="telnyx")
        async with storage.reading() as tx:
            assert await tx.last_route(third) == "vonage"
            assert await tx.last_route(other) == ""


class TestReceipts:
    async def test_a_receipt_moves_a_message_on(self, storage: Storage) -> None:
        await post(storage, text())
        await take(storage, text(), price=7_900)
        known = await posted(storage, text())
        async with storage.transaction() as tx:
            assert await tx.advance_message(known, State.SENT, NOW + 8, None)
        sent = await posted(storage, text())
        assert sent == replace(known, state=State.SENT)
        async with storage.transaction() as tx:
            assert await tx.advance_message(sent, State.DELIVERED, NOW + 9, 8_100)
        assert await posted(storage, text()) == replace(
            sent, state=State.DELIVERED, delivered_at=NOW + 9, price=8_100
        )

    async def test_a_receipt_of_what_has_moved_since_changes_nothing(
        self, storage: Storage
    ) -> None:
        await post(storage, text())
        await take(storage, text())
        read_before = await posted(storage, text())
        async with storage.transaction() as tx:
            assert await tx.advance_message(read_before, State.DELIVERED, NOW + 8, None)
            assert not await tx.advance_message(read_before, State.FAILED, NOW + 9, 1)
        found = await posted(storage, text())
        assert (found.state, found.delivered_at, found.price) == (State.DELIVERED, NOW + 8, None)

    async def test_of_many_receipts_at_once_one_counts(self, storage: Storage) -> None:
        await post(storage, text())
        await take(storage, text())
        known = await posted(storage, text())
        told = [State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED, State.EXPIRED]
        outcomes = await at_once(
            storage, 10, lambda tx, n: tx.advance_message(known, told[n % 5], NOW + n, n)
        )
        assert outcomes.count(True) == 1
        winner = outcomes.index(True)
        found = await posted(storage, text())
        assert (found.state, found.price) == (told[winner % 5], winner)


class TestSuppressions:
    FIRST = Suppression("ada@example.com", NOW, "postmark", "there is no such mailbox")

    async def test_the_first_reason_stays(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.suppress(self.FIRST)
            await tx.suppress(replace(self.FIRST, at=NOW + 1, why="somebody complained"))
            assert await tx.suppression("ada@example.com") == self.FIRST
            assert await tx.suppression("bob@example.com") is None

    async def test_an_operator_can_take_one_back(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.suppress(self.FIRST)
            assert await tx.unsuppress("ada@example.com")
            assert not await tx.unsuppress("ada@example.com")
            assert await tx.suppression("ada@example.com") is None

    async def test_the_latest_come_first_and_no_more_than_asked_for(self, storage: Storage) -> None:
        each = [replace(self.FIRST, address=f"{n}@example.com", at=NOW + n) for n in range(3)]
        async with storage.transaction() as tx:
            for one in each:
                await tx.suppress(one)
            assert await tx.suppressions(2) == [each[2], each[1]]


class TestConversions:
    async def test_codes_are_counted_by_channel_and_route(self, storage: Storage) -> None:
        texts = [text(n) for n in range(4)]
        mail = text(5, channel="email", recipient=EMAIL.spelling)
        await post(storage, *texts, mail)
        for message in texts[:3]:
            await take(storage, message, route="twilio")
        await take(storage, texts[3], route="vonage")
        await take(storage, mail, route="smtp")
        await type_code(storage, texts[0])
        await type_code(storage, mail)
        async with storage.reading() as tx:
            assert await tx.conversions(NOW, NOW + 1) == {
                ("sms", "twilio"): Conversion(3, 1),
                ("sms", "vonage"): Conversion(1, 0),
                ("email", "smtp"): Conversion(1, 1),
            }

    async def test_a_time_begins_with_its_first_moment_and_ends_before_its_last(
        self, storage: Storage
    ) -> None:
        messages = [text(n, created_at=NOW + n) for n in range(4)]
        await post(storage, *messages)
        for message in messages:
            await take(storage, message)
        async with storage.reading() as tx:
            found = await tx.conversions(NOW + 1, NOW + 3)
        assert found == {("sms", "twilio"): Conversion(2, 0)}

    @pytest.mark.parametrize("sort", ["a test", "withheld", "waiting", "a notice"])
    async def test_what_nobody_could_type_says_nothing_of_a_route(
        self, storage: Storage, sort: str
    ) -> None:
        """In strict mode anybody can have codes withheld: no route may be left for that."""
        message = text(is_test=sort == "a test")
        await post(storage, message, counted=sort != "a notice")
        if sort != "waiting":
            state = State.WITHHELD if sort == "withheld" else State.ACCEPTED
            await take(storage, message, state=state)
        async with storage.reading() as tx:
            assert await tx.conversions(NOW, NOW + 1) == {}


class TestFigures:
    async def test_messages_of_a_time_come_with_when_their_code_was_typed(
        self, storage: Storage
    ) -> None:
        before, typed, untyped, after = (text(n, created_at=NOW + n) for n in range(4))
        await post(storage, before, typed, untyped, after)
        await take(storage, typed)
        await type_code(storage, typed, NOW + 60)
        async with storage.reading() as tx:
            found = {one.id: one.verified_at for one in await tx.posted_since(NOW + 1, NOW + 3)}
        assert found == {typed.id: NOW + 60, untyped.id: None}

    async def test_tests_and_what_was_withheld_and_notices_are_in_no_figure(
        self, storage: Storage
    ) -> None:
        test, withheld, notice = text(1, is_test=True), text(2), text(3)
        await post(storage, test, withheld)
        await post(storage, notice, counted=False)
        await take(storage, withheld, state=State.WITHHELD)
        async with storage.reading() as tx:
            assert await tx.posted_since(NOW, NOW + 1) == []

    async def test_the_latest_messages_come_first_to_one_or_to_anybody(
        self, storage: Storage
    ) -> None:
        mine = [text(n, created_at=NOW + n) for n in range(3)]
        theirs = text(9, recipient="+442071838750", created_at=NOW + 9)
        await post(storage, *mine, theirs, counted=False)
        async with storage.reading() as tx:
            to_me = await tx.posted_to(PHONE.spelling, 2)
            to_all = await tx.posted_to(None, 2)
        assert [one.id for one in to_me] == ["msg_2", "msg_1"]
        assert [one.id for one in to_all] == ["msg_9", "msg_2"]


class TestCleaningOfPost:
    async def test_a_timeline_stays_as_long_as_its_message(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_step(an.step())
            await tx.delete_expired(NOW + EIGHT_DAYS - 1, most=10)
            assert await tx.steps("msg_1") == [an.step()]
            await tx.delete_expired(NOW + EIGHT_DAYS, most=10)
            assert await tx.steps("msg_1") == []

    async def test_a_suppression_stays(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.suppress(TestSuppressions.FIRST)
            await tx.delete_expired(NOW + 400 * limits.DAY, most=10)
            assert await tx.suppressions(9) == [TestSuppressions.FIRST]
