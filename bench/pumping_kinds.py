"""Bots, by the kinds that telling victims published: what they vary, and what they cannot.

Who is paid by the message needs numbers that pay: ranges that they own or share. So a bot
changes addresses, browsers, pace and countries at will, and the ranges only at a price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bench.pumping_people import DAY, Draw, digits, ipv4, ipv4_in, numbers_in
from bench.pumping_replay import Event

# Where such traffic goes by the reports of operators and providers.
DEAR = {
    "UZ": "+99890", "TJ": "+99292", "KG": "+99655", "AZ": "+99450", "BD": "+88017", "LK": "+9477",
    "PK": "+92300", "ID": "+62812", "KH": "+85512", "MM": "+9592", "NG": "+234803", "GH": "+23324",
    "SN": "+22177", "ML": "+22376", "TN": "+21620", "DZ": "+21355", "SY": "+96393", "IQ": "+96477",
    "JO": "+96279", "PS": "+97059", "CU": "+535", "HT": "+5093", "SO": "+25261", "GN": "+22462",
    "BY": "+37529", "GE": "+9955", "AM": "+37477", "MG": "+26132", "SL": "+23276", "ZW": "+26377",
}  # fmt: skip
LENGTHS = {"CU": 11, "KH": 12, "MM": 12, "TN": 12, "ML": 12, "SL": 12, "LK": 12, "HT": 12,
           "SO": 12, "AM": 12, "PK": 13, "BD": 14, "UZ": 13, "NG": 14, "GN": 13}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: where it goes, from where, how fast and how long."""

    kind: str
    number: Draw
    address: Draw
    sends: int
    begin: float  # seconds
    span: float
    client: Draw
    typed: float = 0.0
    again: int = 1  # how often one number is asked for


def traffic(rng: Random, attack: Attack) -> Iterator[Event]:
    """All that it does, in no order."""
    at = attack.begin
    for _ in range(attack.sends // attack.again):
        number = attack.number(rng)
        for _ in range(attack.again):
            at += rng.expovariate(attack.sends / attack.span)
            client, address = attack.client(rng), attack.address(rng)

            def event(is_send: bool, at: float, client=client, address=address, number=number):
                return Event(int(at * 1000), is_send, number, address, client, False, attack.kind)

            yield event(True, at)
            if rng.random() < attack.typed:
                yield event(False, at + rng.uniform(3, 60))


def fresh(rng: Random) -> str:
    """A new browser each time."""
    return f"b-{digits(rng, 10)}"


def dear(country: str) -> Draw:
    """Numbers of a dear country."""
    return numbers_in(DEAR[country], length=LENGTHS.get(country, 13))


def premium() -> Draw:
    """Premium rate and satellite numbers."""
    return any_of([
        numbers_in("+1900", "+1976", length=12),
        numbers_in("+44909", length=13),
        numbers_in("+88213", length=13),
        numbers_in("+8816", length=12),
    ])  # fmt: skip


def one(value: str) -> Draw:
    """Always the same."""
    return lambda _: value


def pool(rng: Random, count: int, draw: Draw = ipv4) -> Draw:
    """One of some."""
    them = [draw(rng) for _ in range(count)]
    return lambda rng: rng.choice(them)


def ranges(rng: Random, home: Draw, count: int, free: int) -> Draw:
    """Numbers in some ranges of a country, with so many free digits each."""
    sample = [home(rng) for _ in range(count)]
    return numbers_in(*(number[:-free] for number in sample), length=len(sample[0]))


def in_a_row(start: str) -> Draw:
    """One number after the other."""
    value = int(start[1:]) - 1

    def draw(_: Random) -> str:
        nonlocal value
        value += 1
        return f"+{value}"

    return draw


def ipv6_in(prefix: str, groups: int) -> Draw:
    """Another /64 each time, under one prefix."""
    return lambda rng: prefix + "".join(f"{rng.randint(0, 65535):x}:" for _ in range(groups)) + ":1"


def any_of(draws: list[Draw]) -> Draw:
    """One of them each time."""
    return lambda rng: rng.choice(draws)(rng)


def attacks(rng: Random, home: Draw, days: float, scale: float = 1.0) -> list[Attack]:
    """One of each kind; `home` draws numbers of the country where the people are."""
    small = rng.choice(list(DEAR))
    abroad = any_of([dear(country) for country in rng.sample(list(DEAR), 20)])

    def attack(kind, number, address, sends, client=fresh, typed=0.0, again=1, slow=False):
        begin = 0.0 if rng.random() < 0.3 else rng.uniform(0, days * 0.7) * DAY
        longest = days * DAY - begin
        span = longest if slow else min(longest, rng.choice([0.05, 0.3, 1, 6, 24]) * 3600)
        return Attack(kind, number, address, int(sends * scale), begin, span, client, typed, again)

    def place() -> Draw:
        return home if rng.random() < 0.5 else dear(rng.choice(list(DEAR)))

    prefix = f"2a0{rng.randint(1, 9)}:{rng.randint(256, 4095):x}:"
    return [
        attack("one address, one block", ranges(rng, place(), 1, 4), one(ipv4(rng)), 2000,
               client=one(fresh(rng))),
        attack("proxies, one block", ranges(rng, place(), 1, rng.choice([3, 4, 5, 6])), ipv4, 3000),
        attack("proxies, blocks", ranges(rng, place(), rng.randint(5, 40), rng.choice([3, 4])),
               ipv4, 6000),
        attack("proxies, small country", dear(small), ipv4, 3000),
        attack("proxies, countries", abroad, ipv4, 6000),
        attack("IPv6 rotation, /48", place(), ipv6_in(prefix + "7:", 1), 2000),
        attack("IPv6 rotation, /32", ranges(rng, place(), 10, 4), ipv6_in(prefix, 2), 3000),
        attack("one address, countries", abroad, one(ipv4(rng)), 2000),
        attack("pool, anywhere", place(), pool(rng, rng.randint(20, 150)), 5000),
        attack("premium", premium(), ipv4, 1000),
        attack("drip", ranges(rng, place(), rng.randint(1, 12), rng.choice([3, 4, 5])), ipv4, 1000,
               slow=True),
        attack("drip, one address", place(), pool(rng, rng.randint(1, 6)), 800, slow=True),
        attack("resend loop", pool(rng, rng.randint(5, 30), place()), ipv4, 3000,
               client=rng.choice([fresh, one(fresh(rng))])),
        attack("resend loop, patient", place(), ipv4_in(f"45.{rng.randint(1, 250)}"), 2000,
               again=19, slow=True),
        attack("in a row", in_a_row(place()(rng)), ipv4, 2500),
        attack("typing 20 %", ranges(rng, place(), rng.randint(1, 10), 4), ipv4, 3000, typed=0.2),
        attack("typing 50 %", ranges(rng, place(), rng.randint(1, 4), 4), pool(rng, 50), 4000,
               typed=0.5),
    ]  # fmt: skip


def spray(rng: Random, home: Draw, days: float, sends: int) -> Attack:
    """Numbers from all over the people's country, another address each time: nothing in a
    single message tells it from a person's first."""
    return Attack("spray", home, ipv4, sends, days * 0.4 * DAY, 12 * 3600, fresh)
