"""People who sign up and in, as far as a shield can see them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from bench.pumping_replay import Event

DAY = 24 * 3600.0

# Prefixes of mobile ranges, and how many digits follow them.
MOBILE = {
    "US": [(f"+1{area}", 7) for area in (201, 206, 212, 213, 310, 312, 404, 415, 512, 617, 702,
                                         713, 718, 773, 818, 917, 303, 305, 408, 469)],
    "CA": [("+1416", 7), ("+1604", 7), ("+1514", 7), ("+1403", 7)],
    "GB": [("+4474", 8), ("+4477", 8), ("+4478", 8), ("+4479", 8)],
    "DE": [("+49151", 8), ("+49160", 7), ("+49171", 7), ("+49176", 8)],
    "FR": [("+336", 8), ("+337", 8)],
    "IN": [("+9198", 8), ("+9170", 8), ("+9188", 8)],
    "BR": [("+55119", 8), ("+55219", 8), ("+55319", 8)],
    "NZ": [("+6421", 7), ("+6427", 7)],
}  # fmt: skip

Draw = Callable[[Random], str]


def digits(rng: Random, count: int) -> str:
    """So many random digits."""
    return "".join(rng.choice("0123456789") for _ in range(count))


def numbers_of(country: str) -> Draw:
    """Numbers from all over a country."""

    def draw(rng: Random) -> str:
        prefix, count = rng.choice(MOBILE[country])
        if country in ("US", "CA"):  # an exchange begins with 2 to 9
            return prefix + rng.choice("23456789") + digits(rng, count - 1)
        return prefix + digits(rng, count)

    return draw


def numbers_in(*prefixes: str, length: int = 12) -> Draw:
    """Numbers that begin so."""

    def draw(rng: Random) -> str:
        prefix = rng.choice(prefixes)
        return prefix + digits(rng, length - len(prefix))

    return draw


def ipv4(rng: Random) -> str:
    """An address from anywhere."""
    return (
        f"{rng.randint(1, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
    )


def ipv4_in(*prefixes: str) -> Draw:
    """Addresses that begin so."""

    def draw(rng: Random) -> str:
        parts = rng.choice(prefixes).split(".")
        return ".".join([*parts, *(str(rng.randint(1, 254)) for _ in range(4 - len(parts)))])

    return draw


def ipv6(rng: Random) -> str:
    """An address of a subscriber with a /64, at one of some providers."""
    provider, site = rng.randint(0x400, 0x440), rng.randint(0, 0xFFFF)
    return f"2001:{provider:x}:{site:x}:{rng.randint(0, 255):x}::{rng.randint(1, 99):x}"


def ipv4_or_6(rng: Random) -> str:
    """Either."""
    return ipv6(rng) if rng.random() < 0.4 else ipv4(rng)


@dataclass(frozen=True, slots=True)
class Population:
    """Who comes. Shares are between 0 and 1."""

    people: int = 1500
    days: float = 4.0
    numbers: tuple[tuple[Draw, float], ...] = ((numbers_of("US"), 1.0),)
    address: Draw = ipv4_or_6
    failing: float = 0.1  # never type any code of this visit
    resending: float = 0.12  # ask again before they type
    in_offices: float = 0.25
    office_size: int = 40
    visits: float = 1.5
    new_browser: float = 0.3
    fresh_clients: bool = False
    moving: float = 0.1  # ask again from another address


def traffic(rng: Random, who: Population) -> Iterator[Event]:
    """All that they do, in no order."""
    offices = [
        who.address(rng) for _ in range(max(1, int(who.people * who.in_offices / who.office_size)))
    ]
    draws, weights = zip(*who.numbers, strict=True)
    for person in range(who.people):
        number = rng.choices(draws, weights)[0](rng)
        home = rng.choice(offices) if rng.random() < who.in_offices else who.address(rng)
        client = f"p{person}-{digits(rng, 6)}"
        at = _when(rng, who.days)
        for visit in range(max(1, round(rng.expovariate(1 / who.visits)))):
            if visit:
                at += rng.uniform(0.2, 2) * DAY
                if rng.random() < who.new_browser:
                    client = f"p{person}-{digits(rng, 6)}"
            if at > who.days * DAY:
                break
            yield from _visit(rng, who, number, home, client, at)


def _when(rng: Random, days: float) -> float:
    """A moment, by day rather than by night."""
    while True:
        at = rng.uniform(0, days * DAY)
        if rng.random() < 0.55 - 0.45 * math.cos(2 * math.pi * (at % DAY) / DAY):
            return at


def _visit(
    rng: Random, who: Population, number: str, home: str, client: str, at: float
) -> Iterator[Event]:
    def event(is_send: bool, at: float, client: str) -> Event:
        return Event(int(at * 1000), is_send, number, home, client, True, "person")

    yield event(True, at, client)
    fails = rng.random() < who.failing
    patience = 4
    while patience and rng.random() < (0.45 if fails else who.resending):
        patience -= 1
        at += rng.uniform(31, 120)
        if who.fresh_clients:
            client = f"{client}.{digits(rng, 3)}"
        if rng.random() < who.moving:
            home = who.address(rng)
        yield event(True, at, client)
    if not fails:
        yield event(False, at + min(540, rng.lognormvariate(3.0, 0.8)), client)
