"""One letter's way: from route to route, what is noted of each step, and where it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorcode.delivery import carrier as carrier_module
from doorcode.delivery.carrier import PASS_ON_AFTER, SEND_WITHIN
from doorcode.delivery.courier import LEASE_FOR
from doorcode.delivery.interface import (
    Letter,
    Never,
    Provider,
    State,
    Taken,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.render import pack, pack_withheld
from doorcode.delivery.routing import Route, Routing
from doorcode.domain.breaker import FAILURES_IN_ROW, FIRST_REST, TRIAL_WITHIN
from doorcode.domain.limits import CODE_LIVES_FOR
from doorcode.domain.message import Message, Suppression

from .conftest import CODE, PATIENCE, Postman, PostOffice, routing_of

PHONE = "+14155552671"
TEST_PHONE = "+14155550123"


async def send(office: PostOffice, routing: Routing, message: Message) -> None:
    """Take one message and carry it, as the courier does."""
    carrier = office.carrier(routing)
    async with office.storage.transaction() as tx:
        now = office.clock()
        leased = await tx.lease_message(message.id, now, now + LEASE_FOR)
        assert leased is not None
        trip = await carrier.plan(tx, leased)
    await carrier.carry(trip)


async def told(office: PostOffice, message: Message) -> list[tuple[str, str]]:
    """The timeline in short: what happened, and by which route."""
    return [(step.state, step.route) for step in await office.timeline(message)]


def sms(*providers: Provider) -> Routing:
    return routing_of(sms=providers)


# ── from one route to the next ────────────────────────────────────────────────────────
async def test_what_a_route_takes_is_noted_with_its_name_and_reference(office: PostOffice) -> None:
    message = await office.post(PHONE)
    await send(office, sms(Postman(name="a"), Postman(name="b")), message)
    assert await told(office, message) == [("sending", "a"), ("delivered", "a")]
    [_, last] = await office.timeline(message)
    assert (last.ref, last.at, last.maybe) == ("a-1", office.clock(), False)
    row = office.row(message)
    assert (row["route"], row["country"], row["taken_at"]) == ("a", "US", office.clock())


async def test_what_is_accepted_waits_for_its_receipt(office: PostOffice) -> None:
    class Accepting(Postman):
        async def send(self, letter: Letter) -> Taken:
            return Taken("ref-1", price=7_900)

    message = await office.post(PHONE)
    await send(office, sms(Accepting(name="a")), message)
    row = office.row(message)
    assert (row["state"], row["sealed"], row["delivered_at"]) == ("accepted", None, None)
    assert row["price"] == 7_900
    assert office.log.events() == ["message_accepted"]


@pytest.mark.parametrize("refusal", [TryLater, TryAnother, TryElsewhere, KeyError])
async def test_a_letter_goes_on_where_another_route_could_take_it(
    office: PostOffice, refusal: type[Exception]
) -> None:
    first, second = Postman(refusal("busy"), name="a"), Postman(name="b")
    message = await office.post(PHONE)
    await send(office, sms(first, second), message)
    assert await told(office, message) == [
        ("sending", "a"), ("passed_on", "a"), ("sending", "b"), ("delivered", "b"),
    ]  # fmt: skip
    assert [x.id for x in second.letters] == [message.id]
    assert office.row(message)["attempts"] == 1


async def test_a_letter_that_nobody_would_carry_goes_no_further(office: PostOffice) -> None:
    first, second = Postman(Never("no such number", "21211"), name="a"), Postman(name="b")
    message = await office.post(PHONE)
    await send(office, sms(first, second), message)
    assert await told(office, message) == [("sending", "a"), ("failed", "a")]
    [_, last] = await office.timeline(message)
    assert (last.code, last.why) == ("21211", "no such number")
    assert second.letters == []
    assert office.row(message)["state"] == "failed"


async def test_a_letter_that_no_route_takes_now_is_put_off(office: PostOffice) -> None:
    message = await office.post(PHONE)
    routing = sms(Postman(TryLater("503"), name="a"), Postman(TryAnother("no credit"), name="b"))
    await send(office, routing, message)
    assert (await told(office, message))[-1] == ("deferred", "b")
    row = office.row(message)
    assert (row["state"], row["send_at"]) == ("queued", office.clock() + 2_000)
    assert row["last_error"] == "no credit"


async def test_a_route_that_hangs_is_left_for_the_next(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PASS_ON_AFTER < SEND_WITHIN < LEASE_FOR
    monkeypatch.setattr(carrier_module, "PASS_ON_AFTER", 10)
    hanging, second = Postman(name="a"), Postman(name="b")
    hanging.gate.clear()
    message = await office.post(PHONE)
    await send(office, sms(hanging, second), message)
    timeline = await office.timeline(message)
    assert [step.state for step in timeline] == ["sending", "passed_on", "sending", "delivered"]
    # It may have taken the letter, and answered too late to be heard.
    assert [step.maybe for step in timeline] == [False, True, False, False]


async def test_the_last_route_is_given_all_the_time_there_is(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_module, "PASS_ON_AFTER", 10)
    slow = Postman(name="a")
    slow.gate.clear()
    message = await office.post(PHONE)
    sending = asyncio.create_task(send(office, sms(slow), message))
    await asyncio.sleep(0.05)
    assert not sending.done()
    slow.gate.set()
    await sending
    assert office.row(message)["state"] == "delivered"


async def test_no_route_is_begun_with_that_could_outlast_the_lease(office: PostOffice) -> None:
    class Slow(Postman):
        async def send(self, letter: Letter) -> Taken:
            office.clock.pass_by(SEND_WITHIN - PASS_ON_AFTER)
            raise TryLater("504")

    second = Postman(name="b")
    message = await office.post(PHONE)
    await send(office, sms(Slow(name="a"), second), message)
    assert second.letters == []
    assert await told(office, message) == [("sending", "a"), ("deferred", "a")]


async def test_each_route_is_told_its_own_channel_and_callback(office: PostOffice) -> None:
    text, chat = Postman(TryElsewhere("not to there"), name="a"), Postman(name="chat")
    routing = routing_of(sms=[text], whatsapp=[chat], ladder=("sms", "whatsapp"))
    message = await office.post(PHONE)
    await send(office, routing, message)
    [letter], [later] = text.letters, chat.letters
    assert (letter.channel, later.channel) == ("sms", "whatsapp")
    assert letter.callback_url == "https://auth.example.com/receipts/a"
    assert later.callback_url == "https://auth.example.com/receipts/chat"
    assert (letter.code, later.code, later.to) == (CODE, CODE, PHONE)


# ── what is known of routes ───────────────────────────────────────────────────────────
async def test_a_route_that_fails_is_left_alone_and_that_is_logged_once(office: PostOffice) -> None:
    failing = Postman(*[TryLater("503")] * 9, name="a")
    routing = sms(failing, Postman(name="b"))
    for _ in range(FAILURES_IN_ROW + 3):
        await send(office, routing, await office.post(PHONE))
    assert len(failing.letters) == FAILURES_IN_ROW
    assert office.log.events().count("route_left_alone") == 1


async def test_of_letters_taken_together_one_tries_a_route_that_failed(office: PostOffice) -> None:
    failing, well = Postman(*[TryLater("503")] * FAILURES_IN_ROW, name="a"), Postman(name="b")
    routing = sms(failing, well)
    for _ in range(FAILURES_IN_ROW):
        await send(office, routing, await office.post(PHONE))
    office.clock.pass_by(FIRST_REST)
    messages = [await office.post(PHONE) for _ in range(10)]
    carrier = office.carrier(routing)
    async with office.storage.transaction() as tx:
        leased = await tx.lease_messages(office.clock(), office.clock() + LEASE_FOR, 10)
        trips = [await carrier.plan(tx, message) for message in leased]
    failing.gate.clear()
    carrying = [asyncio.create_task(carrier.carry(trip)) for trip in trips]
    await asyncio.wait(carrying[1:], timeout=PATIENCE)
    assert (len(failing.letters), len(well.letters)) == (FAILURES_IN_ROW + 1, FAILURES_IN_ROW + 9)
    failing.gate.set()
    await asyncio.gather(*carrying)
    assert {office.row(message)["state"] for message in messages} == {"delivered"}


async def test_a_letter_that_does_not_open_tells_nothing_of_the_route(office: PostOffice) -> None:
    failing = Postman(*[TryLater("503")] * 9, name="a")
    routing = sms(failing, Postman(name="b"))
    for _ in range(FAILURES_IN_ROW):
        await send(office, routing, await office.post(PHONE))
    await send(office, routing, await office.post(PHONE, b"no letter"))
    await send(office, routing, await office.post(PHONE))
    assert len(failing.letters) == FAILURES_IN_ROW  # it is still left alone


async def test_a_resend_prefers_another_route_than_the_code_before(office: PostOffice) -> None:
    first, second = Postman(name="a"), Postman(name="b")
    routing = sms(first, second)
    message = await office.post(PHONE)
    await send(office, routing, message)
    again = await office.post_again(message)
    await send(office, routing, again)
    assert ([x.id for x in first.letters], [x.id for x in second.letters]) == (
        [message.id], [again.id],
    )  # fmt: skip


# ── what is not sent ──────────────────────────────────────────────────────────────────
async def test_nothing_is_sent_to_a_mailbox_that_wants_nothing(office: PostOffice) -> None:
    postman = Postman()
    routing = routing_of(email=[postman])
    why = "there is no such mailbox"
    async with office.storage.transaction() as tx:
        await tx.suppress(Suppression("ada@example.com", office.clock(), "postmark", why))
    message = await office.post("Ada@Example.com")
    await send(office, routing, message)
    assert postman.letters == []
    [step] = await office.timeline(message)
    assert (step.state, step.route) == ("failed", "")
    assert why in step.why
    async with office.storage.transaction() as tx:
        await tx.unsuppress("ada@example.com")
    await send(office, routing, await office.post("Ada@Example.com"))
    assert len(postman.letters) == 1


async def test_a_country_that_no_route_serves_is_named(office: PostOffice) -> None:
    british = Route("a", "sms", Postman(), frozenset({"GB"}))
    message = await office.post(PHONE)
    await send(office, Routing({"sms": [british]}), message)
    assert office.row(message)["last_error"] == "there is no provider for the channel sms to US"


async def test_a_test_address_goes_by_no_route(office: PostOffice) -> None:
    postman = Postman()
    message = await office.post(TEST_PHONE)
    await send(office, sms(postman), message)
    assert (postman.letters, await told(office, message)) == ([], [("delivered", "")])


@pytest.mark.parametrize("fault", ["expired", "another key", "unreadable"])
async def test_a_letter_that_cannot_be_sent_says_why_in_its_timeline(
    office: PostOffice, fault: str
) -> None:
    message = await office.post(PHONE, b"no letter" if fault == "unreadable" else None)
    if fault == "expired":
        office.clock.pass_by(CODE_LIVES_FOR)
    if fault == "another key":
        office.lose_key()
    postman = Postman()
    await send(office, sms(postman), message)
    last = (await office.timeline(message))[-1]
    assert (last.state, last.route, postman.letters) == ("failed", "", [])
    assert last.why == office.row(message)["last_error"] != ""


# ── what is withheld ──────────────────────────────────────────────────────────────────
class Counting:
    """A storage that writes down which statements are run, in which units."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self.statements: list[str] = []

    def transaction(self) -> Any:
        return _CountingUnit(self._storage.transaction(), self.statements)

    def reading(self) -> Any:
        return _CountingUnit(self._storage.reading(), self.statements)


class _CountingUnit:
    def __init__(self, unit: Any, statements: list[str]) -> None:
        self._unit, self._statements = unit, statements

    async def __aenter__(self) -> Any:
        self._statements.append("begin")
        self._tx = await self._unit.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._unit.__aexit__(*error)

    def __getattr__(self, name: str) -> Any:
        self._statements.append(name)
        return getattr(self._tx, name)


@pytest.mark.parametrize("is_immediate", [True, False])
async def test_what_is_withheld_does_the_same_statements_as_what_is_sent(
    office: PostOffice, is_immediate: bool
) -> None:
    """What is left out would show in the time of somebody's next answer."""
    postman, done = Postman(immediate=is_immediate, name="a"), []
    storage = office.storage
    for payload in (pack(CODE, "Acme", None), pack_withheld(CODE, "Acme", None)):
        message = await office.post(PHONE, payload)
        counting = office.storage = Counting(storage)  # type: ignore[assignment]
        await send(office, sms(postman, Postman(name="b")), message)
        office.storage = storage
        done.append((counting.statements, [s for s, _ in await told(office, message)]))
    (sent, of_sent), (withheld, of_withheld) = done
    assert sent == withheld
    assert [s.replace("delivered", "withheld") for s in of_sent] == of_withheld
    assert len(postman.letters) == 1


async def test_a_mail_in_the_place_of_a_text_message_does_the_same_statements(
    office: PostOffice,
) -> None:
    """Its owner is told of a sign-up by mail where a stranger would get a text message."""
    postman, done = Postman(name="a"), []
    routing = routing_of(sms=[postman, Postman(name="b")], email=[postman])
    storage = office.storage
    for to in (PHONE, "ada@example.com"):
        message = await office.post(to)
        counting = office.storage = Counting(storage)  # type: ignore[assignment]
        await send(office, routing, message)
        office.storage = storage
        done.append(counting.statements)
    assert done[0] == done[1]


async def test_what_is_withheld_keeps_no_route_from_being_tried(office: PostOffice) -> None:
    """Else whoever asks for codes to numbers that nobody has could keep a route closed."""
    failing = Postman(*[TryLater("503")] * FAILURES_IN_ROW, name="a")
    routing = sms(failing, Postman(name="b"))
    for _ in range(FAILURES_IN_ROW):
        await send(office, routing, await office.post(PHONE))
    office.clock.pass_by(FIRST_REST)
    assert FIRST_REST < TRIAL_WITHIN
    await send(office, routing, await office.post(PHONE, pack_withheld(CODE, "Acme", None)))
    await send(office, routing, await office.post(PHONE))
    assert len(failing.letters) == FAILURES_IN_ROW + 1


# ── couriers that die ─────────────────────────────────────────────────────────────────
async def test_a_send_that_was_cut_short_is_marked_when_it_is_taken_over(
    office: PostOffice,
) -> None:
    postman = Postman(name="a")
    postman.gate.clear()
    routing = sms(postman)
    message = await office.post(PHONE)
    dying = asyncio.create_task(send(office, routing, message))
    await postman.came()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    postman.gate.set()
    office.clock.pass_by(LEASE_FOR)
    await send(office, routing, message)
    assert await told(office, message) == [
        ("sending", "a"), ("unknown", "a"), ("sending", "a"), ("delivered", "a"),
    ]  # fmt: skip
    assert [step.maybe for step in await office.timeline(message)] == [False, True, False, False]


async def test_a_lease_that_ended_before_any_route_had_it_is_no_maybe(office: PostOffice) -> None:
    message = await office.post(PHONE)
    async with office.storage.transaction() as tx:
        await tx.lease_message(message.id, office.clock(), office.clock())
    await send(office, sms(Postman(name="a")), message)
    assert await told(office, message) == [("sending", "a"), ("delivered", "a")]


async def test_a_letter_that_two_couriers_sent_says_so(office: PostOffice) -> None:
    slow, quick = Postman(name="a"), Postman(name="b")
    slow.gate.clear()
    message = await office.post(PHONE)
    late = asyncio.create_task(send(office, sms(slow), message))
    await slow.came()
    office.clock.pass_by(LEASE_FOR)
    await send(office, sms(quick), message)
    slow.gate.set()
    await late
    last = (await office.timeline(message))[-1]
    assert (last.state, last.route, last.maybe) == (State.DELIVERED, "a", True)
    assert office.row(message)["route"] == "b"


# ── what is written down ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("refusal", [TryLater, TryAnother, Never])
async def test_no_step_holds_the_code_or_the_recipient(
    office: PostOffice, refusal: type[Exception]
) -> None:
    quoting = [f"spam: {CODE} is your Acme code for {PHONE}", "7-3-1 904"]
    providers = [Postman(refusal(why), name=f"r{n}") for n, why in enumerate(quoting)]
    message = await office.post(PHONE)
    await send(office, sms(*providers), message)
    steps = await office.timeline(message)
    written = f"{steps} {office.log.lines} {office.row(message)['last_error']}"
    assert CODE not in written and "731" not in written
    assert PHONE not in written
    assert any(step.why for step in steps)
