"""What every engine must do with guesses, codes sent, money, pauses and the audit log.
See `conformance.py`.

from .conformance_limits import *
"""

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
from .conformance import at_once
from .examples import EMAIL, LATER, NEXT_DAY, NOW, PHONE, TEST_PHONE

__all__ = [
    "TestCleaningOfLimits",
    "TestDevices",
    "TestEvents",
    "TestGuesses",
    "TestLimitRaces",
    "TestMoney",
    "TestPauses",
    "TestSends",
    "TestTallies",
]

HOUR_AGO = NOW - limits.HOUR
TEN_MINUTES = SendBudget.short_window
SHORT, LONG = SendBudget().short, SendBudget().long
CHANGED = Event("setting.changed", "done")
REFUSED = Event(
    "limit.refused",
    "refused",
    bucket="guesses.network",
    subject=EMAIL.name,
    network="192.0.2.0/24",
    client_id="client_1",
    user_id="user_1",
    details={"plan": ["a", 1, None], "ü": True},
)


def a_send(name: str, at: int = NOW, subject: str = PHONE.name, **more: object) -> Send:
    return replace(Send(name, subject, "ver_1", at), **more)  # type: ignore[arg-type]


async def send_at(tx: Transaction, *times: int, budget: SendBudget | None = None) -> list[bool]:
    """Which of the codes that are asked for at these times are granted."""
    return [await tx.add_send(a_send(f"msg_{at}", at), budget or SendBudget()) for at in times]


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
    async def test_the_codes_of_a_window_are_counted(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for n in range(3):
                await tx.add_send(Send(f"msg_{n}", EMAIL.name, "ver_1", NOW + n), SendBudget())
            found = [await tx.count_sends(EMAIL.name, NOW + n) for n in (-1, 0, 1, 2)]
            assert found == [3, 2, 1, 0]
            assert await tx.count_sends(PHONE.name, HOUR_AGO) == 0

    async def test_the_short_window_is_full_until_its_first_code_leaves_it(
        self, storage: Storage
    ) -> None:
        times = [NOW + n for n in range(SHORT + 1)]
        leaves = NOW + TEN_MINUTES
        async with storage.transaction() as tx:
            assert await send_at(tx, *times) == [True] * SHORT + [False]
            assert await send_at(tx, leaves - 1, leaves) == [False, True]

    async def test_the_long_window_is_full_until_its_first_code_leaves_it(
        self, storage: Storage
    ) -> None:
        apart = TEN_MINUTES // (SHORT - 1)  # the short window never holds too many
        times = [NOW + n * apart for n in range(LONG + 1)]
        async with storage.transaction() as tx:
            assert await send_at(tx, *times) == [True] * LONG + [False]
            assert await send_at(tx, NEXT_DAY - 1, NEXT_DAY) == [False, True]

    async def test_a_code_that_is_refused_takes_nothing(self, storage: Storage) -> None:
        nothing = SendBudget(short=0, long=9), SendBudget(short=9, long=0)
        async with storage.transaction() as tx:
            for budget in nothing:
                assert await send_at(tx, NOW, budget=budget) == [False]
            assert await tx.count_sends(PHONE.name, HOUR_AGO) == 0
            assert await tx.verify_sends("ver_1", LATER) == []

    async def test_each_subject_has_codes_of_its_own(self, storage: Storage) -> None:
        one = SendBudget(1, 1)
        known = f"{PHONE.name}@client_1"
        async with storage.transaction() as tx:
            for number, subject in enumerate((PHONE.name, EMAIL.name, known)):
                assert await tx.add_send(a_send(f"a{number}", subject=subject), one)
                assert not await tx.add_send(a_send(f"b{number}", subject=subject), one)

    async def test_the_nth_latest_code_tells_when_the_next_is_free(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await send_at(tx, NOW, NOW + 1, NOW + 2)
            found = [await tx.nth_latest_send(PHONE.name, nth, HOUR_AGO) for nth in (1, 2, 3, 4)]
            assert found == [NOW + 2, NOW + 1, NOW, None]
            assert await tx.nth_latest_send(PHONE.name, 3, since=NOW) is None
            assert await tx.nth_latest_send(EMAIL.name, 1, HOUR_AGO) is None

    async def test_what_was_counted_for_a_verification_is_told_once(self, storage: Storage) -> None:
        names = ("world", "country:GB", "block:+44 ü")
        async with storage.transaction() as tx:
            await tx.add_send(a_send("msg_1", tallies=names), SendBudget())
            await tx.add_send(a_send("msg_2", NOW + 1), SendBudget())
            await tx.add_send(a_send("msg_3", verification_id="ver_2"), SendBudget())
            told = await tx.verify_sends("ver_1", LATER)
            assert sorted(told) == [(NOW, names), (NOW + 1, ())]
            assert await tx.verify_sends("ver_1", LATER) == []
            await tx.add_send(a_send("msg_4", NOW + 2), SendBudget())
            assert await tx.verify_sends("ver_1", LATER) == [(NOW + 2, ())]
            assert await tx.count_sends(PHONE.name, HOUR_AGO) == 4  # it was sent all the same


class TestMoney:
    async def test_the_money_of_a_day_is_told_the_most_first(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for country, day, price in (("US", 7, 8), ("GB", 7, 45), ("US", 7, 8), ("FR", 8, 75)):
                assert await tx.spend_money(country, day, price, 100)
            assert await tx.money_of_day(7) == [("GB", 45), ("US", 16)]
            assert await tx.money_of_day(9) == []

    async def test_what_was_never_spent_is_nothing(self, storage: Storage) -> None:
        async with storage.reading() as tx:
            assert await tx.money_spent("GB", 7) == 0

    async def test_the_last_millionth_is_spent_and_not_one_more(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            assert not await tx.spend_money("GB", 7, 101, 100)
            assert await tx.money_spent("GB", 7) == 0
            assert await tx.spend_money("GB", 7, 60, 100)
            assert not await tx.spend_money("GB", 7, 41, 100)
            assert await tx.spend_money("GB", 7, 40, 100)
            assert not await tx.spend_money("GB", 7, 1, 100)
            assert await tx.money_spent("GB", 7) == 100

    async def test_each_country_and_day_has_money_of_its_own(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for country, day in (("GB", 7), ("GB", 8), ("US", 7), ("", 7)):
                assert await tx.spend_money(country, day, 100, 100)
                assert not await tx.spend_money(country, day, 1, 100)

    async def test_a_smaller_allowance_holds_from_then_on(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            assert await tx.spend_money("GB", 7, 60, 100)
            assert not await tx.spend_money("GB", 7, 1, 50)
            assert await tx.money_spent("GB", 7) == 60


class TestPauses:
    async def test_the_first_pause_stands_until_it_is_ended(self, storage: Storage) -> None:
        first, again = Pause("GB", NOW, "nobody types"), Pause("GB", LATER, "by hand")
        async with storage.transaction() as tx:
            assert await tx.pause("GB") is None
            assert await tx.add_pause(first)
            assert not await tx.add_pause(again)
            assert await tx.pause("GB") == first
            assert await tx.pause("US") is None
            assert await tx.delete_pause("GB")
            assert not await tx.delete_pause("GB")
            assert await tx.pause("GB") is None
            assert await tx.add_pause(again)
            assert await tx.pause("GB") == again

    async def test_they_come_in_the_order_of_their_making(self, storage: Storage) -> None:
        late, second, first = Pause("AA", LATER, ""), Pause("GB", NOW, "é"), Pause("FR", NOW, "")
        async with storage.transaction() as tx:
            assert await tx.pauses() == []
            for pause in (late, second, first):
                await tx.add_pause(pause)
            assert await tx.pauses() == [first, second, late]


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


class TestEvents:
    async def test_those_of_one_moment_come_newest_first_too(self, storage: Storage) -> None:
        # Their ids are drawn by chance within a moment.
        ids = ["evt_2", "evt_9", "evt_1", "evt_5"]
        async with storage.transaction() as tx:
            for event_id in ids:
                await tx.add_event(event_id, Event("setting.changed", "done"), NOW)
            await tx.add_event("evt_0", Event("setting.changed", "done"), LATER)
            found = [one.id for one in await tx.events(0, 10)]
        assert found == ["evt_0", *reversed(ids)]

    async def test_a_line_comes_back_as_it_was_written(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_event("evt_1", REFUSED, NOW)
            await tx.add_event("evt_2", CHANGED, LATER)
            found = await tx.events(NOW, 10)
        assert found == [Recorded("evt_2", LATER, CHANGED), Recorded("evt_1", NOW, REFUSED)]

    async def test_a_line_cannot_be_written_over(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_event("evt_1", REFUSED, NOW)
        with pytest.raises(Conflict):
            async with storage.transaction() as tx:
                await tx.add_event("evt_1", CHANGED, LATER)
        async with storage.reading() as tx:
            assert await tx.events(0, 10) == [Recorded("evt_1", NOW, REFUSED)]

    async def test_a_page_is_the_newest_of_what_was_asked_for(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for number in range(7):
                event = replace(CHANGED, subject=f"setting_{number % 2}")
                await tx.add_event(f"evt_{number}", event, NOW + number)
            everything = await tx.events(0, 100)
            assert [one.id for one in everything] == [f"evt_{n}" for n in reversed(range(7))]
            for most in range(8):
                assert await tx.events(0, most) == everything[:most]
            assert await tx.events(NOW + 5, 100) == everything[:2]
            assert await tx.events(NOW + 7, 100) == []
            of_one = await tx.events(0, 2, subject="setting_1")
            assert [one.id for one in of_one] == ["evt_5", "evt_3"]

    async def test_lines_are_found_by_name_and_by_whole_subject(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_event("evt_1", REFUSED, NOW)
            await tx.add_event("evt_2", CHANGED, NOW)
            await tx.add_event("evt_3", replace(CHANGED, subject=EMAIL.name), NOW)
            by_name = await tx.events(0, 10, name="setting.changed")
            assert [one.id for one in by_name] == ["evt_3", "evt_2"]
            both = await tx.events(0, 10, subject=EMAIL.name, name="setting.changed")
            assert [one.id for one in both] == ["evt_3"]
            for part in (EMAIL.name[:-1], EMAIL.name.upper(), "%"):
                assert await tx.events(0, 10, subject=part) == []


class TestDevices:
    async def test_the_last_few_on_which_somebody_signed_in_are_known(
        self, storage: Storage
    ) -> None:
        names = [f"client_{n}" for n in range(limits.KNOWN_DEVICES + 2)]
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            for number, name in enumerate(names):
                await tx.add_device(name, "user_1", NOW + number)
            assert await self.known(tx, names) == names[2:]
            await tx.add_device(names[0], "user_1", LATER)
            assert await self.known(tx, names) == [names[0], *names[3:]]
            await tx.delete_client(names[-1])
            assert await self.known(tx, names) == [names[0], *names[2:-1]]

    async def test_a_device_is_known_by_what_its_person_has_proved(self, storage: Storage) -> None:
        unproved = an.owned(id="idn_2", address=PHONE, verified_at=None)
        async with storage.transaction() as tx:
            await tx.add_user(an.user(addresses=(an.owned(), unproved)))
            await tx.add_pending_address(an.owned(id="idn_3", address=TEST_PHONE, verified_at=None))
            await tx.add_device("client_1", "user_1", NOW)
            for address in (EMAIL, replace(EMAIL, spelling="ADA@example.com")):
                assert await tx.is_known_device("client_1", address)
            for address in (PHONE, TEST_PHONE, replace(EMAIL, kind=Kind.PHONE)):
                assert not await tx.is_known_device("client_1", address)

    async def known(self, tx: Transaction, names: list[str]) -> list[str]:
        found = [name for name in names if await tx.is_known_device(name, EMAIL)]
        assert found == [name for name in names if await tx.has_been_here(name, "user_1")]
        return found


# ── races ─────────────────────────────────────────────────────────────────────────────
class TestLimitRaces:
    async def test_a_budget_of_guesses_is_spent_to_the_last(self, storage: Storage) -> None:
        """Some are right and given back, in the unit that spent them: nothing is lost or won."""

        async def guess(tx: Transaction, number: int) -> bool:
            granted = await tx.spend_guess(f"g{number}", EMAIL.name, 10, HOUR_AGO, NOW)
            if granted and number % 3 == 0:
                await tx.refund_guess(f"g{number}")
            return granted and number % 3 != 0

        kept = await at_once(storage, 60, guess)
        async with storage.reading() as tx:
            assert await tx.count_guesses(EMAIL.name, HOUR_AGO) == kept.count(True) == 10

    async def test_a_guess_of_a_unit_that_raises_is_not_spent(self, storage: Storage) -> None:
        async def guess(number: int) -> None:
            async with storage.transaction() as tx:
                if await tx.spend_guess(f"g{number}", EMAIL.name, 10, HOUR_AGO, NOW):
                    raise ZeroDivisionError

        ends = await asyncio.gather(*map(guess, range(30)), return_exceptions=True)
        assert [type(end) for end in ends] == [ZeroDivisionError] * 30
        async with storage.reading() as tx:
            assert await tx.count_guesses(EMAIL.name, HOUR_AGO) == 0

    async def test_of_fifty_codes_as_many_are_sent_as_there_are(self, storage: Storage) -> None:
        granted = await at_once(
            storage, 50, lambda tx, n: tx.add_send(a_send(f"msg_{n}"), SendBudget())
        )
        assert granted.count(True) == SHORT
        async with storage.reading() as tx:
            assert await tx.count_sends(PHONE.name, HOUR_AGO) == SHORT

    async def test_what_a_code_was_counted_against_is_given_back_by_one(
        self, storage: Storage
    ) -> None:
        async with storage.transaction() as tx:
            await tx.add_send(a_send("msg_1", tallies=("world",)), SendBudget())
        told = await at_once(storage, 20, lambda tx, _: tx.verify_sends("ver_1", LATER))
        assert [one for one in told if one] == [[(NOW, ("world",))]]

    async def test_money_adds_up_and_never_beyond_the_most(self, storage: Storage) -> None:
        most = 1_000
        prices = [7 + number % 50 for number in range(80)]
        assert sum(prices) > most
        spent = await at_once(storage, 80, lambda tx, n: tx.spend_money("GB", 7, prices[n], most))
        taken = sum(price for price, granted in zip(prices, spent, strict=True) if granted)
        async with storage.reading() as tx:
            assert await tx.money_spent("GB", 7) == taken
        refused = [price for price, granted in zip(prices, spent, strict=True) if not granted]
        assert taken <= most < taken + min(refused)

    async def test_no_count_of_a_tally_is_lost(self, storage: Storage) -> None:
        async def count(tx: Transaction, number: int) -> None:
            names = ["world", f"country:{number % 3}"]
            found = await tx.tallies(names)
            await asyncio.sleep(0)  # others try to read what this one is about to write
            before = [found.get(name, Tally(name, NOW)) for name in names]
            await tx.save_tallies([replace(one, untyped=one.untyped + 1) for one in before])

        await at_once(storage, 60, count)
        async with storage.reading() as tx:
            found = await tx.tallies(["world", "country:0", "country:1", "country:2"])
        assert {name: tally.untyped for name, tally in found.items()} == {
            "world": 60, "country:0": 20, "country:1": 20, "country:2": 20,
        }  # fmt: skip

    async def test_a_country_is_paused_by_one_and_let_go_by_one(self, storage: Storage) -> None:
        paused = await at_once(storage, 20, lambda tx, n: tx.add_pause(Pause("GB", NOW, str(n))))
        assert paused.count(True) == 1
        async with storage.reading() as tx:
            assert await tx.pauses() == [Pause("GB", NOW, str(paused.index(True)))]
        let_go = await at_once(storage, 20, lambda tx, _: tx.delete_pause("GB"))
        assert let_go.count(True) == 1

    async def test_no_line_is_lost_but_those_of_units_that_raise(self, storage: Storage) -> None:
        async def write(number: int) -> None:
            async with storage.transaction() as tx:
                await tx.add_event(f"evt_{number}", CHANGED, NOW)
                if number % 5 == 0:
                    raise ZeroDivisionError

        await asyncio.gather(*map(write, range(50)), return_exceptions=True)
        async with storage.reading() as tx:
            found = {one.id for one in await tx.events(0, 100)}
        assert found == {f"evt_{number}" for number in range(50) if number % 5}


# ── cleaning ──────────────────────────────────────────────────────────────────────────
Arrange = Callable[[Transaction], Awaitable[object]]
Find = Callable[[Transaction], Awaitable[object]]

EXPIRING: dict[str, tuple[int, Arrange, Find]] = {
    "send": (
        NOW + 2 * limits.DAY,
        lambda tx: tx.add_send(a_send("msg_1"), SendBudget()),
        lambda tx: tx.count_sends(PHONE.name, 0),
    ),
    "tally": (
        NOW + 60 * limits.DAY,
        lambda tx: tx.save_tallies([Tally("world", NOW)]),
        lambda tx: tx.tallies(["world"]),
    ),
    "event": (
        NOW + limits.EVENTS_KEPT_FOR,
        lambda tx: tx.add_event("evt_1", CHANGED, NOW),
        lambda tx: tx.events(0, 1),
    ),
}


class TestCleaningOfLimits:
    @pytest.mark.parametrize(("limit", "arrange", "find"), EXPIRING.values(), ids=EXPIRING)
    async def test_it_goes_on_the_millisecond(
        self, storage: Storage, limit: int, arrange: Arrange, find: Find
    ) -> None:
        async with storage.transaction() as tx:
            await arrange(tx)
            assert await tx.delete_expired(limit - 1, most=10) == 0
            assert await find(tx)
            assert await tx.delete_expired(limit, most=10) == 1
            assert not await find(tx)

    async def test_money_is_looked_back_on_for_a_month(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.spend_money("GB", 100, 5, 10)
            await tx.delete_expired(131 * limits.DAY, most=10)
            assert await tx.money_spent("GB", 100) == 5
            await tx.delete_expired(132 * limits.DAY, most=10)
            assert await tx.money_spent("GB", 100) == 0

    async def test_a_pause_never_ends_by_itself(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_pause(Pause("GB", NOW, "nobody types"))
            await tx.delete_expired(NOW + 999 * limits.DAY, most=10)
            assert await tx.pause("GB")
