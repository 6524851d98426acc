"""The script of what goes wrong: the same seed, the same faults."""

from __future__ import annotations

from collections import Counter

from .faults import Fault, Faults
from .wire import Call

HALF_OF_ALL = {Fault.LOST: 0.2, Fault.LATE: 0.2, Fault.DOWN: 0.1}
CALLS = [Call("POST", f"https://us.example/{number}", {}, b"") for number in range(50)]
TELLING = {Fault.TOLD_TWICE: 0.3, Fault.TOLD_LATE: 0.3, Fault.NOT_TOLD: 0.2}


def drawn(faults: Faults, times: int = 1000) -> list[Fault | None]:
    return [faults.draw() for _ in range(times)]


def test_one_seed_is_one_script() -> None:
    assert drawn(Faults(7, HALF_OF_ALL)) == drawn(Faults(7, HALF_OF_ALL))
    assert drawn(Faults(7, HALF_OF_ALL)) != drawn(Faults(8, HALF_OF_ALL))


def test_each_fault_comes_as_often_as_its_rate_says() -> None:
    found = Counter(drawn(Faults(1, HALF_OF_ALL), 10_000))
    assert {fault: round(times, -3) for fault, times in found.items()} == {
        Fault.LOST: 2000,
        Fault.LATE: 2000,
        Fault.DOWN: 1000,
        None: 5000,
    }


def test_nothing_goes_wrong_without_a_rate() -> None:
    assert set(drawn(Faults(1))) == {None}
    assert set(drawn(Faults(1, {Fault.TOLD_TWICE: 1}))) == {None}


def test_a_fault_can_be_laid_down_for_the_next_request() -> None:
    faults = Faults()
    faults.next(Fault.LOST, None, Fault.TRICKLE)
    assert drawn(faults, 4) == [Fault.LOST, None, Fault.TRICKLE, None]


def test_an_outage_lasts_as_long_as_the_clock_says() -> None:
    now = [0]
    faults = Faults(now=lambda: now[0])
    faults.outage(1000, 3000)
    seen = []
    for at in (0, 999, 1000, 2999, 3000):
        now[0] = at
        seen.append(faults.draw())
    assert seen == [None, None, Fault.DOWN, Fault.DOWN, None]


def test_callbacks_come_twice_out_of_order_and_not_at_all() -> None:
    told = Faults(7, TELLING).scatter(CALLS)
    times = Counter(one.call.url for one in told)
    order = [CALLS.index(one.call) for one in told]
    assert max(times.values()) == 2
    assert 0 < len(CALLS) - len(times) < 25
    assert order != sorted(order)
    assert all(one.after >= 0 for one in told)


def test_one_seed_scatters_callbacks_one_way() -> None:
    assert Faults(7, TELLING).scatter(CALLS) == Faults(7, TELLING).scatter(CALLS)


def test_callbacks_change_nothing_of_what_requests_meet() -> None:
    busy, quiet = Faults(7, HALF_OF_ALL | TELLING), Faults(7, HALF_OF_ALL | TELLING)
    busy.scatter(CALLS)
    assert drawn(busy) == drawn(quiet)


def test_without_rates_callbacks_come_once_and_in_order() -> None:
    assert [one.call for one in Faults(7).scatter(CALLS)] == CALLS
