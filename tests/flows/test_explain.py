"""An explanation says what the sending of a code does, and changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import parse_identifier
from doorcode.domain.errors import Refused
from doorcode.domain.event import Event
from doorcode.domain.instance import Shield, ShieldMode
from doorcode.domain.limit_table import LIMITS
from doorcode.domain.send import Pause
from doorcode.domain.session import Device
from doorcode.domain.shield import Policy, Tally
from doorcode.flows import sign_in, sign_up
from doorcode.flows.deps import Caller
from doorcode.flows.explain import Explanation, Standing, explain
from doorcode.flows.sending import ALL_COUNTRIES

from .world import ADA, ADA_MAIL, EMAIL, PHONE, World

BRITON, PREMIUM = "+447400123456", "+19002345678"
HERE = Caller(device=Device(ip_address="203.0.113.7"))
TEST_NUMBER = "+14155550100"
Setup = Callable[[World], Awaitable[None]]


async def explained(world: World, to: str = ADA, caller: Caller = HERE) -> Explanation:
    address = parse_identifier(to, test_mode=world.deps.instance.test_mode)
    async with world.deps.storage.reading() as tx:
        return await explain(world.deps, tx, caller, address)


async def ask(world: World, to: str) -> list[Event]:
    """Somebody signs up and asks for a code; what is observed of it."""
    seen: list[Event] = []
    world.deps = replace(world.deps, observe=seen.append)
    strategy = EMAIL if "@" in to else PHONE
    wanted = sign_up.Wanted({strategy.kind: to}, strategy=strategy)
    with suppress(Refused):
        await sign_up.start(world.deps, HERE, wanted)
    return seen


def standing(found: Explanation, bucket: str) -> Standing:
    return next(one for one in found.standings if one.bucket == bucket)


# ── what uses a limit up ──────────────────────────────────────────────────────────────
async def wrong_codes(world: World) -> None:
    async with world.deps.storage.transaction() as tx:
        for number in range(10):
            subject = parse_identifier(ADA_MAIL, test_mode=True).name
            assert await tx.spend_guess(f"gss_{number}", subject, 10, 0, world.clock())


async def wrong_codes_from_here(world: World) -> None:
    async with world.deps.storage.transaction() as tx:
        for number in range(100):
            assert await tx.spend_guess(
                f"gss_{number}", "network:203.0.113.7", 100, 0, world.clock()
            )


async def six_codes(world: World) -> None:
    for _ in range(6):
        await ask(world, ADA_MAIL)


async def twenty_codes(world: World) -> None:
    for _ in range(20):
        await ask(world, ADA_MAIL)
        world.clock.forward(10 * limits.MINUTE)


async def no_money(world: World) -> None:
    async with world.deps.storage.transaction() as tx:
        day = world.clock() // limits.DAY
        assert await tx.spend_money("US", day, 24_999_999, 25_000_000)


async def no_money_in_all(world: World) -> None:
    async with world.deps.storage.transaction() as tx:
        day = world.clock() // limits.DAY
        assert await tx.spend_money(ALL_COUNTRIES, day, 99_999_999, 100_000_000)


async def paused(world: World) -> None:
    async with world.deps.storage.transaction() as tx:
        await tx.add_pause(Pause("US", world.clock(), "too many"))


async def untyped_codes(world: World) -> None:
    world.write(
        "INSERT INTO tallies VALUES (?, ?, ?)",
        f"number:{ADA}",
        world.clock(),
        b'{"subject": "number:+14155552671", "at": %d, "untyped": 9.0}' % world.clock(),
    )


async def a_bad_neighbourhood(world: World) -> None:
    async with world.deps.storage.transaction() as tx:
        bad = [Tally(f"block:{ADA[:-n]}", world.clock(), untyped=60.0) for n in (7, 6, 5, 4, 3)]
        await tx.save_tallies(bad)


async def nothing(world: World) -> None:
    """The limit is used up as it is."""


REFUSALS: dict[str, tuple[Setup, str]] = {
    limits.GUESSES: (wrong_codes, ADA_MAIL),
    limits.NETWORK_GUESSES: (wrong_codes_from_here, ADA_MAIL),
    limits.SENDS_SHORT: (six_codes, ADA_MAIL),
    limits.SENDS_LONG: (twenty_codes, ADA_MAIL),
    limits.COUNTRY: (nothing, BRITON),
    limits.TYPE: (nothing, PREMIUM),
    limits.MONEY: (no_money, ADA),
    limits.MONEY_IN_ALL: (no_money_in_all, ADA),
    limits.PAUSED: (paused, ADA),
    "shield.number": (untyped_codes, ADA),
    "shield.block": (a_bad_neighbourhood, ADA),
}


@pytest.mark.parametrize("bucket", REFUSALS)
async def test_it_names_the_bucket_by_which_the_code_is_refused(world: World, bucket: str) -> None:
    prepare, to = REFUSALS[bucket]
    await prepare(world)
    found = await explained(world, to)
    [event] = await ask(world, to)
    assert event.outcome == found.verdict.outcome == "refused"
    assert found.verdict.standing is not None
    assert (event.bucket, found.verdict.standing.bucket) == (bucket, bucket)
    assert not found.verdict.standing.holds
    opens_in = event.details.get("opens_in_seconds")
    assert opens_in is None or opens_in == found.verdict.standing.opens_in
    assert bucket in {one.bucket for one in LIMITS}


async def test_what_is_open_is_sent(world: World) -> None:
    for to in (ADA, ADA_MAIL, TEST_NUMBER):
        found = await explained(world, to)
        assert found.verdict.outcome == "sent"
        assert all(one.holds for one in found.standings)
        assert await ask(world, to) == []


@pytest.mark.parametrize("mode", list(ShieldMode))
async def test_it_says_what_the_mode_makes_of_an_attack(world: World, mode: ShieldMode) -> None:
    world.switch(shield=Shield(mode))
    await untyped_codes(world)
    found = await explained(world)
    [event] = await ask(world, ADA)
    assert found.verdict.outcome == event.outcome
    assert found.verdict.standing is not None
    assert found.verdict.standing.bucket == event.bucket == "shield.number"


async def test_a_code_that_nobody_carries_is_refused_before_any_limit(world: World) -> None:
    world.post.channels = {"email"}
    found = await explained(world)
    assert (found.verdict.outcome, found.verdict.standing) == ("refused", None)
    assert "cannot be sent" in found.verdict.why


async def test_a_test_identifier_outside_test_mode_is_told_of_as_any_other(world: World) -> None:
    world.switch(test_mode=False)
    found = await explained(world, "ada+clerk_test@example.com")
    assert not found.address.is_test


# ── the figures ───────────────────────────────────────────────────────────────────────
async def test_each_limit_says_what_is_used_of_it_and_when_it_opens(world: World) -> None:
    for _ in range(2):
        await ask(world, ADA_MAIL)
        world.clock.forward(limits.MINUTE)
    found = await explained(world, ADA_MAIL)
    short = standing(found, limits.SENDS_SHORT)
    assert (short.used, short.most, short.opens_in) == (2, 6, 0)
    await six_codes(world)
    short = standing(await explained(world, ADA_MAIL), limits.SENDS_SHORT)
    assert (short.used, short.most, short.opens_in) == (6, 6, 8 * 60)


async def test_it_says_whose_the_address_is_and_what_a_text_costs(world: World) -> None:
    assert (await explained(world)).owner is None
    _, answer = await world.account()
    found = await explained(world)
    assert found.owner is not None
    assert answer.user is not None
    assert found.owner.id == answer.user.id
    assert (found.country, found.segments, found.price) == ("US", 1, 8_000)
    assert standing(found, limits.MONEY).used == 16_000  # the one that was sent, and the next


async def test_money_opens_at_the_next_utc_midnight(world: World) -> None:
    await no_money(world)
    opens_in = standing(await explained(world), limits.MONEY).opens_in
    assert opens_in is not None
    assert (world.clock() + opens_in * limits.SECOND) % limits.DAY < limits.SECOND


async def test_asking_changes_nothing(world: World) -> None:
    await wrong_codes(world)
    await a_bad_neighbourhood(world)
    world.switch(shield=Shield(ShieldMode.RECORD, Policy(countries=None)))
    seen: list[Event] = []
    world.deps = replace(world.deps, observe=seen.append)
    tables = ("events", "sends", "tallies", "guesses", "money", "pauses", "outbox")
    before = [world.rows(f"SELECT * FROM {table}") for table in tables]
    for to in (ADA, ADA_MAIL, BRITON):
        await explained(world, to)
    assert [world.rows(f"SELECT * FROM {table}") for table in tables] == before
    assert seen == []


async def test_a_known_device_is_not_what_it_tells_of(world: World) -> None:
    """It has codes of its own; what is told is what everybody else has left."""
    await world.account(None, ADA_MAIL)
    await wrong_codes(world)
    found = await explained(world, ADA_MAIL)
    assert found.verdict.standing is not None
    assert found.verdict.standing.bucket == limits.GUESSES
    world.switch(single_session=False)
    wanted = sign_in.Wanted(ADA_MAIL, EMAIL)
    with pytest.raises(Refused):
        await sign_in.start(world.deps, HERE, wanted)
