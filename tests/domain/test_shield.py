"""Whom the shield refuses, whom never, and what it forgets."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.limits import DAY, MINUTE, SECOND
from doorcode.domain.shield import (
    HALF_LIFE,
    Evidence,
    Policy,
    Ruling,
    Sending,
    Tally,
    after_sending,
    after_verifying,
    rule,
    subjects_of,
)

NOON = 1_790_000_000_000
OPEN = Policy(countries=None, money_per_country=10**12)
CENT = 10_000


def sending(to: str = "+14155552671", **changes: object) -> Sending:
    usual = Sending(to, "US", "203.0.113.9", "client_1", False, NOON, CENT)
    return replace(usual, **changes)  # type: ignore[arg-type]


class Memory:
    """The tallies between two sendings."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}

    def rule(self, one: Sending, policy: Policy = OPEN, **evidence: object) -> Ruling:
        return rule(one, Evidence(self.tallies, **evidence), policy)  # type: ignore[arg-type]

    def send(self, one: Sending, *, typed: bool = False, after: int = 20 * SECOND) -> None:
        self.save(after_sending(one, self.tallies))
        if typed:
            found = after_verifying(subjects_of(one), self.tallies, one.at, one.at + after)
            self.save(found)

    def save(self, tallies: list[Tally]) -> None:
        self.tallies.update((tally.subject, tally) for tally in tallies)

    def passed(self, them: list[Sending]) -> int:
        """How many of them got through; none is typed."""
        through = 0
        for one in them:
            if self.rule(one).failed is None:
                self.send(one)
                through += 1
        return through


def block(count: int, **changes: object) -> list[Sending]:
    """Codes to one block of numbers, from another address and browser each time."""
    return [
        sending(
            f"+1415555{2000 + index}",
            network=f"{20 + index % 200}.{index % 250}.7.9",
            client_id=f"b{index}",
            at=NOON + index * MINUTE,
            **changes,
        )
        for index in range(count)
    ]


# ── what holds in every mode ──────────────────────────────────────────────────────────
def test_the_first_code_of_a_stranger_is_sent() -> None:
    assert Memory().rule(sending(), Policy()).failed is None


@pytest.mark.parametrize(
    ("one", "bucket"),
    [
        (sending("+447400123456", country="GB"), "shield.country"),
        (sending("+88213300655", country=""), "shield.country"),
        (sending("+18005550199"), "shield.type"),
        (sending(price=25_000_001), "shield.money"),
    ],
)
def test_lists_types_and_money_hold_for_everybody(one: Sending, bucket: str) -> None:
    for known in (False, True):
        ruling = Memory().rule(replace(one, is_known=known), Policy())
        assert ruling.failed is not None
        assert ruling.failed.bucket == bucket
        assert ruling.is_static


def test_the_money_of_a_day_is_spent_to_the_last_cent() -> None:
    memory, policy = Memory(), Policy(money_per_country=100 * CENT)
    assert memory.rule(sending(), policy, money_spent=99 * CENT).failed is None
    failed = memory.rule(sending(), policy, money_spent=99 * CENT + 1).failed
    assert failed is not None
    assert (failed.used, failed.limit) == (100 * CENT + 1, 100 * CENT)


def test_a_paused_country_is_closed_to_strangers_only() -> None:
    memory = Memory()
    failed = memory.rule(sending(), is_paused=True).failed
    assert failed is not None
    assert failed.bucket == "shield.paused"
    assert memory.rule(sending(is_known=True), is_paused=True).failed is None


# ── attacks ───────────────────────────────────────────────────────────────────────────
def test_a_block_of_numbers_is_closed_after_some_codes_that_nobody_types() -> None:
    memory = Memory()
    assert memory.passed(block(500)) <= 12
    failed = memory.rule(block(501)[-1]).failed
    assert failed is not None
    assert failed.bucket == "shield.block"
    assert failed.used > failed.limit
    assert "were typed" in failed.why


def test_one_address_is_closed_wherever_its_codes_go() -> None:
    far = [
        sending(
            f"+1{201 + 7 * index}555{1000 + 13 * index}", client_id="", at=NOON + index * MINUTE
        )
        for index in range(100)
    ]
    assert Memory().passed(far) <= 20


def test_another_slash_64_each_time_is_one_neighbour() -> None:
    rotating = [
        sending(
            f"+1{201 + 7 * index}555{1000 + 13 * index}",
            network=f"2001:db8:7:{index:x}::/64",
            client_id="",
            at=NOON + index * MINUTE,
        )
        for index in range(100)
    ]
    assert Memory().passed(rotating) <= 20


@pytest.mark.parametrize(
    ("network", "client_id", "most"),
    [
        ("{}.3.7.9", "b{}", 3),
        ("{}.3.7.9", "", 3),
        ("{}.3.7.9", "the same", 7),
        ("203.0.113.9", "b{}", 7),
        ("", "", 7),
    ],
)
def test_one_number_is_asked_for_seven_times_by_who_did_before_and_thrice_by_others(
    network: str, client_id: str, most: int
) -> None:
    loop = [
        sending(network=network.format(i), client_id=client_id.format(i), at=NOON + i * MINUTE)
        for i in range(20, 80)
    ]
    assert Memory().passed(loop) == most


def abroad(to: str, country: str, count: int) -> list[Sending]:
    """Codes to all of a country, from another address each time."""
    return [
        sending(
            f"{to}{index * 7_919_317 % 100_000_000:08d}",
            country=country,
            client_id="",
            network=f"{20 + index}.{sum(country.encode())}.7.9",
            at=NOON + (5 + index) * MINUTE,
        )
        for index in range(count)
    ]


def test_the_more_strange_countries_are_attacked_the_sooner_the_next_is_closed() -> None:
    memory = Memory()
    for index in range(20):
        memory.send(sending(f"+1{201 + 7 * index}5552671", client_id=""), typed=True)
    places = [("+880", "BD"), ("+234", "NG"), ("+225", "CI"), ("+252", "SO"), ("+967", "YE")]
    passed = [memory.passed(abroad(to, country, 60)) for to, country in places]
    assert passed[0] <= 15
    assert passed[-1] < passed[0] / 2
    person = sending("+12125551234", network="198.51.100.7", client_id="p", at=NOON + 80 * MINUTE)
    assert memory.rule(person).failed is None


def test_before_anybody_typed_a_code_a_country_is_closed_later() -> None:
    settled, empty = Memory(), Memory()
    for index in range(20):
        settled.send(sending(f"+1{201 + 7 * index}5552671", client_id=""), typed=True)
    codes = [
        replace(one, to=f"+{880 + i}{one.to[4:]}") for i, one in enumerate(abroad("", "BD", 40))
    ]
    assert settled.passed(codes) <= 15
    assert empty.passed(codes) > 20


def test_an_address_that_its_first_codes_closed_is_tried_again_when_people_come() -> None:
    memory = Memory()
    for index in range(30):  # people live in the country
        memory.send(sending(f"+1{201 + 7 * index}5552671", network="", client_id=""), typed=True)

    def at_the_office(index: int, hours: float) -> Sending:
        to, at = f"+1{203 + 7 * index}{3_552_671 + index}", NOON + int(hours * 60) * MINUTE
        return sending(to, network="198.51.100.7", client_id="", at=at)

    unlucky = [at_the_office(index, index / 20) for index in range(20)]
    closed_after = memory.passed(unlucky)
    assert closed_after < 20
    assert memory.rule(at_the_office(21, 2)).failed is not None
    later = [at_the_office(22 + index, 30 + index) for index in range(12)]
    refused = 0
    for one in later:
        if memory.rule(one).failed is None:
            memory.send(one, typed=True)
        else:
            refused += 1
    assert refused < 12


def test_a_country_where_many_type_has_a_say_in_the_world_for_as_long_as_they_do() -> None:
    memory = Memory()
    for index in range(200):
        at = NOON + index * DAY // 4
        memory.send(sending(f"+1{201 + index}5552671", client_id="", at=at), typed=True)
    assert memory.tallies["world"].typed >= 4


def test_half_of_the_codes_typed_is_not_enough() -> None:
    memory, through = Memory(), 0
    for index, one in enumerate(block(1500)):
        if memory.rule(one).failed is None:
            memory.send(one, typed=index % 2 == 0)
            through += 1
    assert through < 300


@pytest.mark.parametrize(("begin", "pauses"), [(2 * DAY, True), (0, False)])
def test_an_attack_on_a_country_where_nobody_types_pauses_it_but_not_on_the_first_day(
    begin: int, pauses: bool
) -> None:
    memory, paused = Memory(), False
    for index in range(4):
        memory.send(sending(f"+1{201 + 7 * index}5552671"), typed=True)
    for index in range(1200):
        one = sending(
            f"+880{index % 90 + 10}{index * 7919 % 10**7:07d}", country="BD", price=20 * CENT,
            network=f"{20 + index % 200}.{index % 250}.7.9", client_id="",
            at=NOON + begin + index * MINUTE,
        )  # fmt: skip
        ruling = memory.rule(one)
        paused = paused or ruling.pause
        if ruling.failed is None:
            memory.send(one)
    assert paused == pauses


# ── people ────────────────────────────────────────────────────────────────────────────
def test_a_country_where_people_type_is_never_paused() -> None:
    memory = Memory()
    for index, one in enumerate(block(40)):
        far = replace(one, to=f"+1{201 + 7 * index}5552671")
        memory.send(far, typed=True)
    for one in block(3000, price=100 * CENT):
        assert not memory.rule(one).pause
        memory.send(one)


def test_an_office_of_people_of_whom_some_fail_is_let_in() -> None:
    memory = Memory()
    for index in range(300):
        one = sending(
            f"+1415{5550000 + 17 * index}", client_id=f"p{index}", at=NOON + index * MINUTE
        )
        assert memory.rule(one).failed is None
        memory.send(one, typed=index % 5 != 0)


def test_an_attack_on_a_block_leaves_the_rest_of_the_country_open() -> None:
    memory = Memory()
    memory.passed(block(500))
    person = sending("+12125551234", network="198.51.100.7", client_id="p", at=NOON + 600 * MINUTE)
    assert memory.rule(person).failed is None


def test_who_asks_again_is_not_judged_by_their_own_first_code() -> None:
    memory = Memory()
    before = memory.rule(sending()).checks[-1].used
    memory.send(sending())
    again = memory.rule(sending(at=NOON + 40 * SECOND)).checks[-1].used
    assert again == pytest.approx(before, abs=0.02)


def test_a_number_that_was_typed_lately_is_let_through_a_closed_block() -> None:
    memory = Memory()
    mine = sending("+14155552999", network="198.51.100.7", client_id="old")
    memory.send(mine, typed=True)
    memory.passed(block(500))
    back = replace(mine, client_id="new", at=NOON + 501 * MINUTE)
    assert memory.rule(back).failed is None
    stranger = replace(back, to="+14155552998", network="192.0.2.7")
    assert memory.rule(stranger).failed is not None


counts = st.floats(0, 10_000)
tallies = st.builds(Tally, st.just("x"), st.integers(NOON - DAY, NOON), counts, counts, counts)


@given(st.lists(tallies, min_size=12, max_size=12))
def test_a_known_client_is_refused_by_nothing_adaptive(found: list[Tally]) -> None:
    names = subjects_of(sending())
    memory = {name: replace(tally, subject=name) for name, tally in zip(names, found, strict=True)}
    ruling = rule(sending(is_known=True), Evidence(memory, is_paused=True), OPEN)
    assert ruling.failed is None
    assert not ruling.pause


@given(st.lists(tallies, min_size=12, max_size=12))
def test_every_refusal_can_be_explained_and_is_finite(found: list[Tally]) -> None:
    names = subjects_of(sending())
    memory = {name: replace(tally, subject=name) for name, tally in zip(names, found, strict=True)}
    ruling = rule(sending(), Evidence(memory), OPEN)
    for check in ruling.checks:
        assert check.why
        assert check.used == check.used < float("inf")
        assert check.holds or check.used > check.limit or check.bucket == "shield.paused"


@given(st.integers(1, 30), st.integers(0, 29))
def test_a_typed_code_never_makes_it_worse_for_the_next(count: int, which: int) -> None:
    untouched, helped = Memory(), Memory()
    for index, one in enumerate(block(count)):
        untouched.send(one)
        helped.send(one, typed=index == which)
    coming = replace(block(count + 1)[-1], at=NOON + count * MINUTE)
    worse = untouched.rule(coming).checks[-1].used
    better = helped.rule(coming).checks[-1].used
    assert better <= worse + 1e-9


@given(st.integers(0, 40))
def test_one_more_untyped_code_never_helps_its_block(count: int) -> None:
    memory = Memory()
    coming = replace(block(100)[-1], at=NOON + DAY)
    for one in block(count):
        memory.send(one)
    before = memory.rule(coming).checks[-1].used
    memory.send(block(count + 1)[-1])
    assert memory.rule(coming).checks[-1].used >= before - 1e-9


@given(st.integers(1, 40))
def test_everything_is_forgotten(count: int) -> None:
    memory = Memory()
    for one in block(count):
        memory.send(one)
    later = replace(block(count + 1)[-1], at=NOON + 20 * HALF_LIFE)
    assert memory.rule(later).failed is None


# ── the tallies ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("network", ["", "203.0.113.9", "2001:db8:7:1::/64"])
@pytest.mark.parametrize("to", ["+14155552671", "+447400123456", "+6861234", "+88213300655"])
def test_there_are_at_most_twelve_subjects_and_each_is_saved_once(to: str, network: str) -> None:
    one = sending(to, network=network)
    names = subjects_of(one)
    assert len(names) == len(set(names)) <= 12
    saved = [tally.subject for tally in after_sending(one, {})]
    assert len(saved) == len(set(saved))
    assert set(saved) <= set(names)


def test_the_subjects_kept_with_a_sending_are_enough_to_count_its_verification() -> None:
    memory = Memory()
    memory.send(sending(), typed=True)
    untyped = {name: tally.untyped for name, tally in memory.tallies.items()}
    assert untyped == pytest.approx(dict.fromkeys(untyped, 0.0), abs=0.001)
    assert all(tally.typed > 0.99 for tally in memory.tallies.values())


def test_a_tally_survives_json() -> None:
    (first, *_) = after_sending(sending(), {})
    assert msgspec.json.decode(msgspec.json.encode(first), type=Tally) == first
