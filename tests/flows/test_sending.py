"""How many codes are sent, to whom, and for how much."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Channel, Kind, parse_identifier
from doorcode.domain.bot_protection import BotProtection, Mode
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Shield, ShieldMode
from doorcode.domain.send import Pause
from doorcode.domain.session import Device
from doorcode.domain.shield import Policy, subjects_of
from doorcode.flows import client, codes, me_addresses, sending, sign_in, sign_up
from doorcode.flows.deps import Caller

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World, started

BRITON, JAMAICAN, TOLL_FREE = "+447400123456", "+18765551234", "+18002345678"
ALL = Policy(countries=None)
DEVICE = Device(ip_address="203.0.113.7")


def asks(world: World, to: str = ADA, caller: Caller | None = None) -> Any:
    """Somebody who begins to sign up and asks for a code at once."""
    strategy = EMAIL if "@" in to else PHONE
    wanted = sign_up.Wanted({strategy.kind: to}, strategy=strategy)
    return sign_up.start(world.deps, caller or Caller(), wanted)


async def refusal_of(story: Any) -> Refusal | None:
    try:
        answer = await story
    except Refused as refused:
        return refused.refusal
    return answer.refusal  # type: ignore[no-any-return]


async def code_of(story: Any) -> str | None:
    refusal = await refusal_of(story)
    return refusal.code if refusal else None


async def buckets(world: World) -> list[tuple[str, str]]:
    async with world.deps.storage.reading() as tx:
        return [(one.event.bucket, one.event.outcome) for one in await tx.events(0, 100)]


def sent(world: World, to: str) -> int:
    return sum(one.to == to for one in world.post.announced)


# ── the budget of an identifier ───────────────────────────────────────────────────────
@pytest.mark.parametrize("to", [ADA, ADA_MAIL])
async def test_six_codes_in_ten_minutes_whoever_asks(world: World, to: str) -> None:
    said = [await code_of(asks(world, to)) for _ in range(8)]
    assert said == [None] * 6 + ["verification_code_rate_limit_exceeded"] * 2
    assert sent(world, to) == 6
    assert await buckets(world) == [(limits.SENDS_SHORT, "refused")]


async def test_the_seventh_waits_until_the_first_is_ten_minutes_old(world: World) -> None:
    for _ in range(6):
        await asks(world, ADA_MAIL)
        world.clock.forward(limits.MINUTE)
    refusal = await refusal_of(asks(world, ADA_MAIL))
    assert refusal is not None
    assert refusal.retry_after == 4 * 60
    world.clock.forward(4 * limits.MINUTE - 1)
    assert await code_of(asks(world, ADA_MAIL)) is not None
    world.clock.forward(1)
    assert await code_of(asks(world, ADA_MAIL)) is None


async def test_twenty_codes_a_day(world: World) -> None:
    said = []
    for _ in range(22):
        said.append(await code_of(asks(world, ADA_MAIL)))
        world.clock.forward(10 * limits.MINUTE)
    assert said == [None] * 20 + ["verification_code_rate_limit_exceeded"] * 2
    world.clock.forward(limits.DAY - 22 * 10 * limits.MINUTE)
    assert await code_of(asks(world, ADA_MAIL)) is None


async def test_of_many_at_once_no_more_than_six_are_sent(world: World) -> None:
    said = await asyncio.gather(*(code_of(asks(world, ADA_MAIL)) for _ in range(40)))
    assert said.count(None) == 6
    assert sent(world, ADA_MAIL) == 6


async def test_a_sign_up_followed_at_once_by_a_sign_in_works(world: World) -> None:
    await world.account()
    caller, attempt = await world.asked_to_sign_in()
    answer = await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
    assert answer.refusal is None


async def test_strangers_keep_no_known_device_from_its_code(world: World) -> None:
    world.switch(shield=Shield(ShieldMode.RECORD))
    ada, _ = await world.account()
    await client.sign_out(world.deps, ada)
    while await code_of(sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA, PHONE))) is None:
        pass
    assert await code_of(sign_in.start(world.deps, ada, sign_in.Wanted(ADA, PHONE))) is None


async def test_a_test_identifier_is_sent_nothing_and_pays_nothing(world: World) -> None:
    said = [await code_of(asks(world, "+14155550100")) for _ in range(10)]
    assert said == [None] * 10
    assert world.count("sends") == 0


async def test_one_click_sends_one_code(world: World) -> None:
    """A form sent twice, a component mounted twice: two codes seconds apart are paid twice."""
    caller, attempt = await world.signing_up()
    ask = [sign_up.send_code(world.deps, caller, attempt.id, PHONE) for _ in range(3)]
    answers = await asyncio.gather(*ask)
    assert [one.refusal for one in answers] == [None] * 3
    assert sent(world, ADA) == 1
    world.clock.forward(limits.SAME_CLICK)
    again = sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert await code_of(again) == "verification_code_too_many_requests"
    world.clock.forward(limits.RESEND_AFTER - limits.SAME_CLICK)
    await sign_up.send_code(world.deps, caller, attempt.id, PHONE)
    assert sent(world, ADA) == 2


# ── countries and sorts of numbers ────────────────────────────────────────────────────
@pytest.mark.parametrize("mode", list(ShieldMode))
async def test_a_country_off_the_list_is_refused_in_each_mode(
    world: World, mode: ShieldMode
) -> None:
    world.switch(shield=Shield(mode))
    refusal = await refusal_of(asks(world, BRITON))
    assert refusal is not None
    assert (refusal.code, refusal.param) == ("unsupported_country_code", "phone_number")
    assert refusal.meta == {"alpha2": "GB", "country_code": "44"}
    assert world.count("sign_ups") == 0


async def test_a_country_is_told_by_the_number_not_by_its_calling_code(world: World) -> None:
    refusal = await refusal_of(asks(world, JAMAICAN))
    assert refusal is not None
    assert refusal.meta == {"alpha2": "JM", "country_code": "1"}


async def test_a_listed_country_is_sent_to(world: World) -> None:
    world.switch(shield=Shield(policy=Policy(countries=frozenset({"GB"}))))
    assert await code_of(asks(world, BRITON)) is None
    assert await code_of(asks(world, ADA)) == "unsupported_country_code"


async def test_a_toll_free_number_is_refused(world: World) -> None:
    assert await code_of(asks(world, TOLL_FREE)) == "not_allowed_access"


@pytest.mark.parametrize(("number", "bucket"), [(BRITON, limits.COUNTRY), (TOLL_FREE, limits.TYPE)])
async def test_a_number_that_is_refused_before_any_code_is_written_down(
    world: World, number: str, bucket: str
) -> None:
    """A sign-up that is not begun answers by a value, so nothing is taken back with it."""
    caller = Caller(device=Device(ip_address="203.0.113.7"))
    for _ in range(3):
        assert await code_of(asks(world, number, caller))
    async with world.deps.storage.reading() as tx:
        [written] = await tx.events(0, 100)
    event = written.event
    assert (event.bucket, event.network) == (bucket, "203.0.113.7")
    assert event.subject == f"phone_number:{number}"


async def test_no_number_of_another_country_is_added_to_an_account(world: World) -> None:
    caller, _ = await world.account()
    added = me_addresses.add(world.deps, caller, None, Kind.PHONE, BRITON)
    assert await code_of(added) == "unsupported_country_code"
    assert await buckets(world) == [(limits.COUNTRY, "refused")]


async def test_a_country_closed_since_the_sign_up_is_sent_nothing(world: World) -> None:
    world.switch(shield=Shield(policy=ALL))
    await world.account(BRITON)
    world.switch(shield=Shield())
    caller, attempt = await world.signing_in(BRITON)
    asked = sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(PHONE))
    assert await code_of(asked) == "unsupported_country_code"
    assert (limits.COUNTRY, "refused") in await buckets(world)


# ── the shield ────────────────────────────────────────────────────────────────────────
def pumped(number: int) -> str:
    return f"+4474001{number:05d}"


async def pump(world: World, times: int) -> list[str | None]:
    """Codes to one block of numbers, none of them ever typed."""
    caller = Caller(device=Device(ip_address="203.0.113.7"))
    said = []
    for number in range(times):
        said.append(await code_of(asks(world, pumped(number), caller)))
        world.clock.forward(limits.MINUTE)
    return said


@pytest.mark.parametrize(
    ("mode", "refused_as"), [(ShieldMode.DENY, "action_blocked"), (ShieldMode.RECORD, None)]
)
async def test_a_block_that_nobody_answers_from_is_refused_or_recorded(
    world: World, mode: ShieldMode, refused_as: str | None
) -> None:
    world.switch(shield=Shield(mode, ALL))
    said = await pump(world, 40)
    assert said[0] is None
    assert said[-1] in (refused_as, "unsupported_country_code" if refused_as else None)
    outcomes = {outcome for bucket, outcome in await buckets(world) if bucket.startswith("shield.")}
    assert outcomes == {"refused" if refused_as else "recorded"}


async def test_in_challenge_mode_a_person_goes_on(world: World) -> None:
    asked = BotProtection(Mode.WHEN_ASKED, "1x00", has_secret=True)
    world.switch(shield=Shield(ShieldMode.CHALLENGE, ALL), bot_protection=asked)
    said = await pump(world, 40)
    assert said[-1] == "requires_captcha"
    human = Caller(device=Device(ip_address="203.0.113.7"), is_human=True)
    assert await code_of(asks(world, pumped(77), human)) is None
    tested = replace(human, is_testing=True)
    assert await code_of(asks(world, pumped(78), tested)) == "requires_captcha"


async def test_a_challenge_that_was_solved_before_counts_for_one_message(world: World) -> None:
    asked = BotProtection(Mode.WHEN_ASKED, "1x00", has_secret=True)
    world.switch(shield=Shield(ShieldMode.CHALLENGE, ALL), bot_protection=asked)
    await pump(world, 40)
    browser = await client.remember_human(world.deps, Caller(device=DEVICE))
    for number, answer in ((77, None), (78, "requires_captcha")):
        caller = await client.find(world.deps, browser.client_token, None)
        assert await code_of(asks(world, pumped(number), replace(caller, device=DEVICE))) == answer


async def test_all_known_devices_of_an_identifier_share_one_budget(world: World) -> None:
    """Whoever owns a number types its codes, each in a new browser, to have more sent to it."""
    ada, _ = await world.account()
    await client.sign_out(world.deps, ada)
    known = [ada]
    for _ in range(3):
        caller, attempt = await world.asked_to_sign_in()
        await sign_in.try_code(world.deps, caller, attempt.id, PHONE, world.code)
        await client.sign_out(world.deps, caller)
        known.append(caller)
    said = [
        await code_of(sign_in.start(world.deps, one, sign_in.Wanted(ADA, PHONE)))
        for one in known * 2
    ]
    assert (
        said == [None] * limits.SENDS_PER_10_MINUTES + ["verification_code_rate_limit_exceeded"] * 2
    )


async def test_codes_that_are_typed_weigh_nothing(world: World) -> None:
    world.switch(shield=Shield(ShieldMode.DENY, ALL))
    for number in range(30):
        await world.account(pumped(number))
        world.clock.forward(limits.MINUTE)
    rows = world.rows("SELECT count(*) FROM sends WHERE verified_at IS NOT NULL")
    assert rows == [(30,)]


async def test_a_known_device_is_refused_by_nothing_that_adapts(world: World) -> None:
    world.switch(shield=Shield(ShieldMode.DENY, ALL))
    owner, _ = await world.account(pumped(99))
    await client.sign_out(world.deps, owner)
    await pump(world, 40)
    asked = sign_in.start(world.deps, owner, sign_in.Wanted(pumped(99), PHONE))
    assert await code_of(asked) is None


async def test_a_paused_country_is_sent_nothing_but_to_known_devices(world: World) -> None:
    owner, _ = await world.account()
    await client.sign_out(world.deps, owner)
    async with world.deps.storage.transaction() as tx:
        assert await tx.add_pause(Pause("US", world.clock(), "looks like an attack"))
    assert await code_of(asks(world, BEA)) == "unsupported_country_code"
    assert await code_of(sign_in.start(world.deps, owner, sign_in.Wanted(ADA, PHONE))) is None
    async with world.deps.storage.transaction() as tx:
        assert await tx.delete_pause("US")
    assert await code_of(asks(world, BEA)) is None


# ── money ─────────────────────────────────────────────────────────────────────────────
async def test_a_country_costs_no_more_than_its_money_on_a_day(world: World) -> None:
    async with world.deps.storage.reading() as tx:
        address = parse_identifier(ADA, test_mode=True)
        weighed = await sending.weigh(
            world.deps, tx, Caller(), address, Channel.SMS, known=False, segments=1
        )
    price = weighed.sending.price
    assert price > 0
    three = Policy(money_per_country=3 * price)
    world.switch(shield=Shield(ShieldMode.RECORD, three))
    numbers = [f"+1415555{n}" for n in range(2671, 2677)]
    said = await asyncio.gather(*(code_of(asks(world, to)) for to in numbers))
    assert said.count(None) == 3
    assert set(said) == {None, "unsupported_country_code"}
    refusal = await refusal_of(asks(world, "+14155552690"))
    assert refusal is not None
    until_tomorrow = -(-(limits.DAY - world.clock() % limits.DAY) // limits.SECOND)
    assert refusal.retry_after == until_tomorrow
    assert world.rows("SELECT spent FROM money WHERE country = 'US'") == [(3 * price,)]
    world.clock.forward(limits.DAY)
    assert await code_of(asks(world, "+14155552680")) is None


async def test_all_countries_together_cost_no_more_than_the_instance_may(world: World) -> None:
    policy = Policy(countries=frozenset({"US", "GB"}))
    world.switch(shield=Shield(policy=policy))
    await asks(world, ADA)
    [(spent,)] = world.rows("SELECT spent FROM money WHERE country = '*'")
    world.switch(shield=Shield(policy=policy, money_in_all=spent))
    assert await code_of(asks(world, BRITON)) == "sms_send_error"
    assert await code_of(asks(world, ADA_MAIL)) is None  # mail costs nothing
    assert (limits.MONEY_IN_ALL, "refused") in await buckets(world)
    assert world.rows("SELECT count(*) FROM money") == [(2,)]


async def test_what_reaches_the_inbox_costs_nothing(world: World) -> None:
    world.post.free = {"sms"}
    world.switch(shield=Shield(policy=Policy(money_per_country=1)))
    assert await code_of(asks(world)) is None
    assert world.count("money") == 0


@pytest.mark.parametrize(
    ("channel", "rows"), [(Channel.SMS, 0), (Channel.WHATSAPP, 2)], ids=["sms", "whatsapp"]
)
async def test_a_code_costs_what_its_own_channel_costs(
    world: World, channel: Channel, rows: int
) -> None:
    world.post.free = {"sms"}
    await world.account()
    world.switch(channels=(Channel.SMS, Channel.WHATSAPP))
    wanted = sign_in.Wanted(ADA, PHONE, channel=channel)
    assert await code_of(sign_in.start(world.deps, Caller(), wanted)) is None
    assert world.post.announced[-1].channel == channel
    assert world.count("money") == rows  # of the country, and of all


async def test_a_refused_code_is_not_paid_for(world: World) -> None:
    for _ in range(8):
        await code_of(asks(world))
    spent = world.rows("SELECT spent FROM money WHERE country = 'US'")[0][0]
    prices = world.rows("SELECT sum(price), count(*) FROM sends")
    assert prices[0][0] == spent
    assert prices[0][1] == sent(world, ADA)


async def test_a_code_keeps_the_names_of_its_neighbourhoods_in_their_order(world: World) -> None:
    caller = Caller(device=Device(ip_address="203.0.113.9"))
    await asks(world, caller=caller)
    address = parse_identifier(ADA, test_mode=True)
    async with world.deps.storage.transaction() as tx:
        weighed = await sending.weigh(
            world.deps, tx, caller, address, Channel.SMS, known=False, segments=1
        )
    ((kept,),) = world.rows("SELECT tallies FROM sends")
    names = [name for name in json.loads(kept) if not name.startswith("client:")]
    assert names == list(subjects_of(weighed.sending))


# ── what it costs ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("to", [ADA, ADA_MAIL])
async def test_all_tallies_of_a_message_are_one_reading_and_one_writing(
    world: World, to: str
) -> None:
    by_phone = int(to == ADA)
    with world.statements() as run:
        caller, begun = started(await asks(world, to))
    assert [run.count(name) for name in ("tallies", "save_tally", "add_send")] == [
        by_phone, by_phone, 1,
    ]  # fmt: skip
    with world.statements() as run:
        await sign_up.try_code(
            world.deps, caller, begun.id, PHONE if by_phone else EMAIL, world.code
        )
    assert [run.count(name) for name in ("tallies", "save_tally", "verify_sends")] == [
        by_phone, by_phone, 1,
    ]  # fmt: skip
    assert world.count("tallies") >= 8 * by_phone  # of the number, its blocks, its country, …


# ── asking changes nothing ────────────────────────────────────────────────────────────
async def test_weighing_a_message_counts_nothing(world: World) -> None:
    before = {table: world.count(table) for table in ("sends", "tallies", "money", "events")}
    address = parse_identifier(ADA, test_mode=True)
    async with world.deps.storage.transaction() as tx:
        await sending.weigh(world.deps, tx, Caller(), address, Channel.SMS, known=False, segments=1)
    assert {table: world.count(table) for table in before} == before


def test_the_codes_of_a_refused_send_are_in_the_catalogue() -> None:
    assert errors.SENDS_SPENT.status == 429
    assert codes.Decoy().notice is None
