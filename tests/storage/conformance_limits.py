"""What every engine must do with what is counted: guesses, codes sent, money, pauses, the audit
log, devices that are known. Imported by an engine's test module as `conformance.py` is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Kind
from doorcode.domain.event import Event, Recorded
from doorcode.domain.send import Pause, Send, SendBudget
from doorcode.domain.shield import Tally
from doorcode.storage.interface import Conflict, Storage, Transaction

from . import examples as an
from .conformance import HOUR_AGO, at_once
from .examples import EMAIL, LATER, NOW, PHONE, TEST_PHONE

__all__ = [
    "TestCleaningOfLimits",
    "TestDevices",
    "TestEvents",
    "TestGuesses",
    "TestMoney",
    "TestPauses",
    "TestRacesForLimits",
    "TestSends",
    "TestTallies",
]

DAY = 19_675  # of money: days since the epoch
EVENT = Event(
    "limit.refused",
    "refused",
    bucket="guesses",
    subject=EMAIL.name,
    network="203.0.113.7",
    client_id="client_1",
    user_id="user_1",
    details={"opens_in_seconds": 60, "ü": ["a", None, 1.5]},
)


def a_send(number: int = 0, **changes: object) -> Send:
    one = Send(f"msg_{number}", PHONE.name, "ver_1", NOW + number)
    return replace(one, **changes)  # type: ignore[arg-type]


async def add_sends(storage: Storage, *sends: Send, budget: SendBudget | None = None) -> list[bool]:
    async with storage.transaction() as tx:
        return [await tx.add_send(one, budget or SendBudget(100, 100)) for one in sends]


async def log(storage: Storage, *events: tuple[str, int, Event]) -> None:
    async with storage.transaction() as tx:
        for event_id, at, event in events:
            await tx.add_event(event_id, event, at)


async def logged(storage: Storage, since: int = 0, most: int = 100, **wanted: str) -> list[str]:
    async with storage.reading() as tx:
        return [one.id for one in await tx.events(since, most, **wanted)]


async def fails(storage: Storage, story: Callable[[Transaction], Awaitable[object]]) -> None:
    """A unit that does something and is taken back."""
    with pytest.raises(ZeroDivisionError):
        async with storage.transaction() as tx:
            await story(tx)
            raise ZeroDivisionError


class TestGuesses:
    async def test_guesses_run_out_and_come_back(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            spent = [
                await tx.spend_guess(f"g{n}", EMAIL.name, 3, HOUR_AGO, NOW + n) for n in range(5)
            ]
            assert spent == [True, True, True, False, False]
            assert not await tx.spend_guess(
                "g5", EMAIL.name, 3, since=NOW - 1, now=NOW + limits.HOUR
            )
            assert await tx.spend_guess("g6", EMAIL.name, 3, since=NOW, now=NOW + limits.HOUR)

    async def test_each_address_has_its_own(self, storage: Storage) -> None:
        twin = replace(EMAIL, kind=Kind.PHONE)
        async with storage.transaction() as tx:
            assert await tx.spend_guess("g1", EMAIL.name, 1, HOUR_AGO, NOW)
            assert await tx.spend_guess("g2", PHONE.name, 1, HOUR_AGO, NOW)
            assert await tx.spend_guess("g3", twin.name, 1, HOUR_AGO, NOW)
            respelled = replace(EMAIL, spelling="ADA@example.com")
            assert not await tx.spend_guess("g4", respelled.name, 1, HOUR_AGO, NOW)

    async def test_a_right_guess_is_given_back(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.spend_guess("g1", EMAIL.name, 1, HOUR_AGO, NOW)
            await tx.refund_guess("g1")
            await tx.refund_guess("g9")
            assert await tx.spend_guess("g2", EMAIL.name, 1, HOUR_AGO, NOW)

    async def test_the_nth_latest_guess_tells_when_the_next_is_free(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for n in range(3):
                await tx.spend_guess(f"g{n}", EMAIL.name, 10, HOUR_AGO, NOW + n)
            found = [await tx.nth_latest_guess(EMAIL.name, nth, HOUR_AGO) for nth in (1, 2, 3, 4)]
            assert found == [NOW + 2, NOW + 1, NOW, None]
            assert await tx.nth_latest_guess(EMAIL.name, 3, since=NOW) is None
            assert await tx.nth_latest_guess(PHONE.name, 1, HOUR_AGO) is None

    async def test_the_guesses_of_a_window_are_counted(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for n in range(3):
                await tx.spend_guess(f"g{n}", EMAIL.name, 10, HOUR_AGO, NOW + n)
            found = [await tx.count_guesses(EMAIL.name, NOW + n) for n in (-1, 0, 1, 2)]
            assert found == [3, 2, 1, 0]
            assert await tx.count_guesses(PHONE.name, HOUR_AGO) == 0

    async def test_guesses_at_a_person_are_those_at_what_is_theirs(self, storage: Storage) -> None:
        claimed = an.owned(id="idn_3", address=TEST_PHONE, verified_at=None)
        async with storage.transaction() as tx:
            addresses = (an.owned(), an.owned(id="idn_2", address=PHONE))
            await tx.add_user(an.user(addresses=addresses))
            await tx.add_pending_address(claimed)
            for n, subject in enumerate(
                (EMAIL.name, PHONE.name, EMAIL.name, f"{EMAIL.name}@client_1", TEST_PHONE.name)
            ):
                await tx.spend_guess(f"g{n}", subject, 10, HOUR_AGO, NOW + 4 - n)
            found = await tx.guesses_at_user("user_1", NOW - 1)
            assert found == {EMAIL.name: [NOW + 2, NOW + 4], PHONE.name: [NOW + 3]}
            assert await tx.guesses_at_user("user_1", NOW + 3) == {EMAIL.name: [NOW + 4]}
            assert await tx.guesses_at_user("user_2", HOUR_AGO) == {}


class TestSends:
    async def test_codes_run_out_in_the_short_window_and_come_back(self, storage: Storage) -> None:
        budget = SendBudget(short=2, long=100)
        sent = await add_sends(storage, *(a_send(n) for n in range(3)), budget=budget)
        assert sent == [True, True, False]
        freed = NOW + budget.short_window
        early = a_send(3, at=freed - 1)
        assert await add_sends(storage, early, replace(early, at=freed), budget=budget) == [
            False,
            True,
        ]

    async def test_codes_run_out_in_the_long_window_and_come_back(self, storage: Storage) -> None:
        budget = SendBudget(short=100, long=2)
        sent = await add_sends(storage, *(a_send(n) for n in range(3)), budget=budget)
        assert sent == [True, True, False]
        freed = NOW + budget.long_window
        early = a_send(3, at=freed - 1)
        assert await add_sends(storage, early, replace(early, at=freed), budget=budget) == [
            False,
            True,
        ]

    async def test_each_subject_has_its_own(self, storage: Storage) -> None:
        one = SendBudget(1, 1)
        others = [a_send(1, subject=EMAIL.name), a_send(2, subject=f"{PHONE.name}@client_1")]
        assert await add_sends(storage, a_send(), *others, budget=one) == [True] * 3

    async def test_a_code_is_counted_once_by_its_message(self, storage: Storage) -> None:
        assert await add_sends(storage, a_send()) == [True]
        with pytest.raises(Conflict):
            await add_sends(storage, a_send())
        async with storage.reading() as tx:
            assert await tx.count_sends(PHONE.name, 0) == 1

    async def test_a_code_that_is_taken_back_costs_nothing(self, storage: Storage) -> None:
        await fails(storage, lambda tx: tx.add_send(a_send(), SendBudget(1, 1)))
        assert await add_sends(storage, a_send(), budget=SendBudget(1, 1)) == [True]

    async def test_the_nth_latest_code_tells_when_the_next_is_free(self, storage: Storage) -> None:
        await add_sends(storage, *(a_send(n) for n in range(3)))
        async with storage.reading() as tx:
            found = [await tx.nth_latest_send(PHONE.name, nth, HOUR_AGO) for nth in (1, 2, 3, 4)]
            assert found == [NOW + 2, NOW + 1, NOW, None]
            assert await tx.nth_latest_send(PHONE.name, 3, since=NOW) is None
            assert await tx.nth_latest_send(EMAIL.name, 1, HOUR_AGO) is None

    async def test_the_codes_of_a_window_are_counted(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for n in range(3):
                await tx.add_send(Send(f"msg_{n}", EMAIL.name, "ver_1", NOW + n), SendBudget())
            found = [await tx.count_sends(EMAIL.name, NOW + n) for n in (-1, 0, 1, 2)]
            assert found == [3, 2, 1, 0]
            assert await tx.count_sends(PHONE.name, HOUR_AGO) == 0

    async def test_a_verified_code_gives_back_once_what_it_was_counted_against(
        self, storage: Storage
    ) -> None:
        names = ("world", "block:+1415555", "ü")
        other = a_send(9, verification_id="ver_2", tallies=("other",))
        await add_sends(storage, a_send(0, tallies=names), a_send(1), other)
        async with storage.transaction() as tx:
            assert sorted(await tx.verify_sends("ver_1", LATER)) == [(NOW, names), (NOW + 1, ())]
            assert await tx.verify_sends("ver_1", LATER) == []
            assert await tx.verify_sends("ver_3", LATER) == []
        await add_sends(storage, a_send(2))
        async with storage.transaction() as tx:
            assert await tx.verify_sends("ver_1", LATER) == [(NOW + 2, ())]
            assert await tx.verify_sends("ver_2", LATER) == [(NOW + 9, ("other",))]

    async def test_a_verified_code_still_counts_as_sent(self, storage: Storage) -> None:
        await add_sends(storage, a_send())
        async with storage.transaction() as tx:
            await tx.verify_sends("ver_1", LATER)
            assert not await tx.add_send(a_send(1), SendBudget(1, 1))


class TestTallies:
    async def test_what_is_counted_under_any_number_of_names_comes_back(
        self, storage: Storage
    ) -> None:
        counted = {f"block:{n}": Tally(f"block:{n}", NOW + n) for n in range(30)}
        async with storage.transaction() as tx:
            await tx.save_tallies(counted.values())
            for names in ([], [*counted][:1], [*counted][:12], [*counted][5:18], [*counted]):
                found = await tx.tallies(["world", *names, "number:+1"])
                assert found == {name: counted[name] for name in names}

    async def test_what_is_counted_later_takes_the_place_of_it(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.save_tallies([])
            await tx.save_tallies([Tally("world", NOW), Tally("number:+1", NOW)])
            await tx.save_tallies([Tally("world", LATER)])
            found = await tx.tallies(["world", "number:+1"])
            assert {name: tally.at for name, tally in found.items()} == {
                "world": LATER,
                "number:+1": NOW,
            }


class TestMoney:
    async def test_the_money_of_a_day_is_told_the_most_first(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for country, day, price in (("US", 7, 8), ("GB", 7, 45), ("US", 7, 8), ("FR", 8, 75)):
                assert await tx.spend_money(country, day, price, 100)
            assert await tx.money_of_day(7) == [("GB", 45), ("US", 16)]
            assert await tx.money_of_day(9) == []

    async def test_a_price_is_taken_to_the_last_bit_and_no_further(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            assert await tx.money_spent("GB", DAY) == 0
            assert not await tx.spend_money("GB", DAY, 101, 100)
            assert await tx.spend_money("GB", DAY, 60, 100)
            assert not await tx.spend_money("GB", DAY, 41, 100)
            assert await tx.money_spent("GB", DAY) == 60
            assert await tx.spend_money("GB", DAY, 40, 100)
            assert not await tx.spend_money("GB", DAY, 1, 100)
            assert await tx.money_spent("GB", DAY) == 100

    async def test_each_country_and_day_has_its_own(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for country, day in (("GB", DAY), ("FR", DAY), ("GB", DAY + 1)):
                assert await tx.spend_money(country, day, 100, 100)

    async def test_what_costs_nothing_can_be_sent_when_all_is_spent(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            assert await tx.spend_money("GB", DAY, 100, 100)
            assert await tx.spend_money("GB", DAY, 0, 100)
            assert await tx.spend_money("FR", DAY, 0, 0)
            assert await tx.money_of_day(DAY) == [("GB", 100)]

    async def test_a_limit_that_was_lowered_takes_nothing_more(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            assert await tx.spend_money("GB", DAY, 100, 100)
            assert not await tx.spend_money("GB", DAY, 1, 50)
            assert await tx.money_spent("GB", DAY) == 100

    async def test_money_that_is_taken_back_was_not_spent(self, storage: Storage) -> None:
        await fails(storage, lambda tx: tx.spend_money("GB", DAY, 100, 100))
        async with storage.reading() as tx:
            assert await tx.money_spent("GB", DAY) == 0


class TestPauses:
    async def test_a_pause_comes_back_as_it_was(self, storage: Storage) -> None:
        pause = Pause("GB", NOW, "pumped, says Zoë")
        async with storage.transaction() as tx:
            assert await tx.pause("GB") is None
            assert await tx.pauses() == []
            assert await tx.add_pause(pause)
            assert await tx.pause("GB") == pause
            assert await tx.pause("FR") is None

    async def test_who_pauses_again_changes_nothing(self, storage: Storage) -> None:
        first = Pause("GB", NOW, "first")
        async with storage.transaction() as tx:
            assert await tx.add_pause(first)
            assert not await tx.add_pause(Pause("GB", LATER, "second"))
            assert await tx.pauses() == [first]

    async def test_who_resumes_again_changes_nothing(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_pause(Pause("GB", NOW, "why"))
            await tx.add_pause(Pause("FR", NOW, "why"))
            assert await tx.delete_pause("GB")
            assert not await tx.delete_pause("GB")
            assert [one.country for one in await tx.pauses()] == ["FR"]
            again = Pause("GB", LATER, "again")
            assert await tx.add_pause(again)
            assert await tx.pause("GB") == again

    async def test_they_are_listed_in_the_order_of_their_beginning(self, storage: Storage) -> None:
        times = {"GB": LATER, "ES": NOW, "FR": NOW, "DE": NOW + 1}
        async with storage.transaction() as tx:
            for country, at in times.items():
                await tx.add_pause(Pause(country, at, "why"))
            assert [one.country for one in await tx.pauses()] == ["ES", "FR", "DE", "GB"]


class TestEvents:
    async def test_a_line_is_kept_whole(self, storage: Storage) -> None:
        await log(storage, ("evt_1", NOW, EVENT), ("evt_2", LATER, Event("server.started", "done")))
        async with storage.reading() as tx:
            found = await tx.events(0, 10)
        assert found == [
            Recorded("evt_2", LATER, Event("server.started", "done")),
            Recorded("evt_1", NOW, EVENT),
        ]

    async def test_a_line_cannot_be_written_over(self, storage: Storage) -> None:
        await log(storage, ("evt_1", NOW, EVENT))
        with pytest.raises(Conflict):
            await log(storage, ("evt_1", LATER, replace(EVENT, subject="somebody else")))
        async with storage.reading() as tx:
            assert await tx.events(0, 10) == [Recorded("evt_1", NOW, EVENT)]

    async def test_a_unit_that_raises_leaves_no_line(self, storage: Storage) -> None:
        await fails(storage, lambda tx: tx.add_event("evt_1", EVENT, NOW))
        assert await logged(storage) == []

    async def test_the_newest_come_first_as_many_as_are_asked_for(self, storage: Storage) -> None:
        times = {"evt_1": NOW, "evt_3": LATER, "evt_2": LATER, "evt_4": NOW + 1}
        await log(storage, *((name, at, EVENT) for name, at in times.items()))
        assert await logged(storage) == ["evt_2", "evt_3", "evt_4", "evt_1"]
        assert await logged(storage, most=2) == ["evt_2", "evt_3"]
        assert await logged(storage, most=0) == []
        assert await logged(storage, since=NOW + 1) == ["evt_2", "evt_3", "evt_4"]
        assert await logged(storage, since=LATER + 1) == []

    async def test_they_are_found_by_subject_and_by_name(self, storage: Storage) -> None:
        await log(
            storage,
            ("evt_1", NOW, EVENT),
            ("evt_2", NOW, replace(EVENT, name="code.sent")),
            ("evt_3", NOW, replace(EVENT, subject=PHONE.name)),
        )
        assert await logged(storage, subject=EMAIL.name) == ["evt_2", "evt_1"]
        assert await logged(storage, name="limit.refused") == ["evt_3", "evt_1"]
        assert await logged(storage, subject=EMAIL.name, name="limit.refused") == ["evt_1"]
        assert (
            await logged(storage, subject="%") == await logged(storage, name="limit_refused") == []
        )

    async def test_those_of_one_moment_come_newest_first_too(self, storage: Storage) -> None:
        # Their ids are drawn by chance within a moment.
        ids = ["evt_2", "evt_9", "evt_1", "evt_5"]
        async with storage.transaction() as tx:
            for event_id in ids:
                await tx.add_event(event_id, Event("setting.changed", "done"), NOW)
            await tx.add_event("evt_0", Event("setting.changed", "done"), LATER)
            found = [one.id for one in await tx.events(0, 10)]
        assert found == ["evt_0", *reversed(ids)]


class TestDevices:
    async def test_a_device_is_known_by_a_proved_address_of_whoever_signed_in_on_it(
        self, storage: Storage
    ) -> None:
        claimed = an.owned(id="idn_2", address=PHONE, verified_at=None)
        async with storage.transaction() as tx:
            await tx.add_user(an.user(addresses=(an.owned(), claimed)))
            await tx.add_device("client_1", "user_1", NOW)
            assert await tx.is_known_device("client_1", EMAIL)
            assert not await tx.is_known_device("client_2", EMAIL)
            assert not await tx.is_known_device("client_1", replace(EMAIL, kind=Kind.PHONE))
            assert not await tx.is_known_device("client_1", PHONE)
            assert await tx.has_been_here("client_1", "user_1")
            assert not await tx.has_been_here("client_2", "user_1")
            assert not await tx.has_been_here("client_1", "user_2")

    async def test_the_last_few_are_known(self, storage: Storage) -> None:
        most = limits.KNOWN_DEVICES
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            for number in range(most):
                await tx.add_device(f"client_{number}", "user_1", NOW + number)
            await tx.add_device("client_0", "user_1", LATER)  # seen again: now the newest
            await tx.add_device("another", "user_1", LATER + 1)
            for name, is_known in (("client_0", True), ("another", True), ("client_1", False)):
                assert await tx.is_known_device(name, EMAIL) is is_known
                assert await tx.has_been_here(name, "user_1") is is_known

    async def test_a_deleted_client_is_known_no_more(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            await tx.add_client(an.client(), b"digest")
            await tx.add_device("client_1", "user_1", NOW)
            await tx.delete_client("client_1")
            assert not await tx.is_known_device("client_1", EMAIL)


class TestRacesForLimits:
    async def test_of_fifty_guesses_ten_are_granted(self, storage: Storage) -> None:
        granted = await at_once(
            storage, 50, lambda tx, n: tx.spend_guess(f"g{n}", EMAIL.name, 10, HOUR_AGO, NOW)
        )
        assert granted.count(True) == limits.GUESSES_PER_ADDRESS == 10

    async def test_of_fifty_codes_as_many_go_out_as_either_window_has_left(
        self, storage: Storage
    ) -> None:
        for subject, budget in (("short", SendBudget(3, 100)), ("long", SendBudget(100, 7))):

            async def send(tx: Transaction, n: int, to: str = subject, by=budget) -> bool:
                return await tx.add_send(a_send(n, id=f"{to}{n}", subject=to, at=NOW), by)

            granted = await at_once(storage, 50, send)
            assert granted.count(True) == min(budget.short, budget.long)
            async with storage.reading() as tx:
                assert await tx.count_sends(subject, 0) == granted.count(True)

    async def test_a_budget_is_spent_by_those_alone_who_are_kept(self, storage: Storage) -> None:
        async def guess(n: int) -> bool:
            async with storage.transaction() as tx:
                granted = await tx.spend_guess(f"g{n}", EMAIL.name, 10, HOUR_AGO, NOW)
                if n % 2:
                    raise ZeroDivisionError
                return granted

        outcomes = await asyncio.gather(*(guess(n) for n in range(50)), return_exceptions=True)
        assert outcomes.count(True) == 10
        async with storage.reading() as tx:
            assert await tx.count_guesses(EMAIL.name, 0) == 10

    async def test_money_adds_up_and_never_over_the_limit(self, storage: Storage) -> None:
        prices = [n % 9 + 1 for n in range(60)]
        granted = await at_once(
            storage, 60, lambda tx, n: tx.spend_money("GB", DAY, prices[n], 100)
        )
        spent = sum(price for price, took in zip(prices, granted, strict=True) if took)
        async with storage.reading() as tx:
            assert await tx.money_spent("GB", DAY) == spent
        refused = [price for price, took in zip(prices, granted, strict=True) if not took]
        assert 100 - min(refused) < spent <= 100

    async def test_a_code_pays_back_once(self, storage: Storage) -> None:
        await add_sends(storage, *(a_send(n, tallies=(f"block:{n}",)) for n in range(3)))
        noted = await at_once(storage, 20, lambda tx, n: tx.verify_sends("ver_1", LATER + n))
        paid = [one for codes in noted for one in codes]
        assert sorted(paid) == [(NOW + n, (f"block:{n}",)) for n in range(3)]

    async def test_what_is_counted_at_once_is_all_counted(self, storage: Storage) -> None:
        async def count_one(tx: Transaction, _: int) -> None:
            found = (await tx.tallies(["world"])).get("world", Tally("world", NOW))
            await tx.save_tallies([replace(found, untyped=found.untyped + 1)])

        await at_once(storage, 50, count_one)
        async with storage.reading() as tx:
            assert (await tx.tallies(["world"]))["world"].untyped == 50

    async def test_one_pauses_and_one_resumes(self, storage: Storage) -> None:
        paused = await at_once(
            storage, 20, lambda tx, n: tx.add_pause(Pause("GB", NOW + n, f"by {n}"))
        )
        assert paused.count(True) == 1
        winner = paused.index(True)
        async with storage.reading() as tx:
            assert await tx.pause("GB") == Pause("GB", NOW + winner, f"by {winner}")
        resumed = await at_once(storage, 20, lambda tx, _: tx.delete_pause("GB"))
        assert resumed.count(True) == 1

    async def test_of_pauses_and_resumes_at_once_the_last_to_succeed_counts(
        self, storage: Storage
    ) -> None:
        order: list[bool] = []  # the outcomes in the order of the units: True for a pause

        async def switch(tx: Transaction, n: int) -> None:
            if n % 3:
                done = await tx.add_pause(Pause("GB", NOW, "why"))
            else:
                done = await tx.delete_pause("GB")
            if done:
                order.append(bool(n % 3))

        await at_once(storage, 30, switch)
        assert order == [n % 2 == 0 for n in range(len(order))]  # by turns, a pause first
        async with storage.reading() as tx:
            assert (await tx.pause("GB") is not None) is order[-1]

    async def test_no_line_of_the_log_is_lost(self, storage: Storage) -> None:
        await at_once(storage, 50, lambda tx, n: tx.add_event(f"evt_{n:02}", EVENT, NOW))
        assert await logged(storage) == [f"evt_{n:02}" for n in reversed(range(50))]


# ── cleaning ──────────────────────────────────────────────────────────────────────────
async def add_known_device(tx: Transaction) -> None:
    await tx.add_user(an.user())
    await tx.add_device("client_1", "user_1", NOW)


Arrange = Callable[[Transaction], Awaitable[object]]
Find = Callable[[Transaction], Awaitable[object]]


async def add_event(tx: Transaction) -> None:
    await tx.add_event("evt_1", EVENT, NOW)


FADING: list[tuple[str, int, Arrange, Find]] = [
    (
        "send",
        2 * limits.DAY,
        lambda tx: tx.add_send(a_send(), SendBudget()),
        lambda tx: tx.count_sends(PHONE.name, 0),
    ),
    (
        "tally",
        60 * limits.DAY,
        lambda tx: tx.save_tallies([Tally("world", NOW)]),
        lambda tx: tx.tallies(["world"]),
    ),
    ("event", 90 * limits.DAY, add_event, lambda tx: tx.events(0, 1)),
    (
        "device",
        400 * limits.DAY,
        add_known_device,
        lambda tx: tx.is_known_device("client_1", EMAIL),
    ),
]


class TestCleaningOfLimits:
    @pytest.mark.parametrize(
        ("lives_for", "arrange", "find"),
        [one[1:] for one in FADING],
        ids=[one[0] for one in FADING],
    )
    async def test_it_goes_on_the_millisecond(
        self, storage: Storage, lives_for: int, arrange: Arrange, find: Find
    ) -> None:
        async with storage.transaction() as tx:
            await arrange(tx)
            assert await tx.delete_expired(NOW + lives_for - 1, most=10) == 0
            assert await find(tx)
            assert await tx.delete_expired(NOW + lives_for, most=10) == 1
            assert not await find(tx)

    async def test_money_is_remembered_for_a_month(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.spend_money("GB", DAY, 1, 1)
            await tx.delete_expired((DAY + 32) * limits.DAY - 1, most=10)
            assert await tx.money_spent("GB", DAY) == 1
            await tx.delete_expired((DAY + 32) * limits.DAY, most=10)
            assert await tx.money_spent("GB", DAY) == 0

    async def test_a_pause_does_not_end_by_itself(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_pause(Pause("GB", NOW, "why"))
            await tx.delete_expired(NOW + 9_999 * limits.DAY, most=10)
            assert await tx.pause("GB")
