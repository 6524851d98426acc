"""SMS pumping: who has codes sent that nobody types, to be paid for the traffic.

A thief owns ranges of numbers, or shares the fee of the operator who does, and asks for
codes to them. Such codes are never typed (or some, to look like people), so what gives
him away is the share that stays untyped among the neighbours of a number, of a network
address and of a browser. One message says nothing; a dozen to one block of numbers do.

Each neighbourhood has a `Tally`, forgotten exponentially. A neighbourhood of which little
is known is judged by the larger one around it: the block by the area, the area by the
country, the country by the world. A block speaks to its area with a few voices only,
however many codes went there, so an attack on some blocks does not close the country.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import IPv6Address, ip_network

from doorcode.domain.limits import DAY, MINUTE
from doorcode.domain.phone_numbers import calling_code, unwanted

# ── the constants: measured with bench/pumping.py, told in docs/shield.md ─────────────
HALF_LIFE = 3 * DAY  # of every count
FRESH_HALF_LIFE = MINUTE  # how soon a code that nobody typed yet is held against the sender
FRESH_COUNTS = 0.5  # what a code of this moment counts before that

LIMIT = 0.47  # the share of codes untyped over which a send is refused
USUAL = 0.15  # what is expected before anything is known
TOLERATED = 0.4  # codes untyped for each typed, among people
MASS_OF_WORLD = 10.0
MASS_OF_COUNTRY = 40.0
MASSES_OF_BLOCKS = (20.0, 14.0, 10.0, 8.0, 8.0)
MASSES_OF_NETWORKS = (14.0, 10.0, 10.0)
MASSES_OF_CLIENT = (6.0,)
LEAST_PRIOR, MOST_PRIOR = 0.05, 0.22
MOST_PRIOR_OF_STRANGERS = 0.4
VOICES = 1.5
VOICES_OF_COUNTRY = 10.0
LIVED_IN = 0.1
ASIDE = 0.3
PROBE = 3 * MINUTE

UNTYPED_PER_NUMBER = 6.0
COUNTED = 0.5  # a number with more than this untyped was counted in its neighbourhoods
BLOCKS = (7, 6, 5, 4, 3)  # digits dropped at the end, from the area to the block

PAUSE_AFTER = 30.0  # codes untyped, none typed
PAUSE_MONEY = 1_000_000


@dataclass(frozen=True, slots=True)
class Sending:
    """A code about to travel by SMS or WhatsApp."""

    to: str
    country: str  # ISO 3166-1 alpha-2, "" for none
    network: str  # an IPv4 address or an IPv6 /64, "" unknown
    client_id: str  # "" for a new browser
    is_known: bool  # this client has signed in to this number before
    at: int
    price: int  # millionths of a US dollar, for all segments


@dataclass(frozen=True, slots=True)
class Tally:
    """What is remembered of one neighbourhood, as of `at`."""

    subject: str
    at: int
    untyped: float = 0.0
    typed: float = 0.0
    fresh: float = 0.0  # the part of `untyped` that may still be typed


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator sets."""

    countries: frozenset[str] | None = frozenset({"US", "CA"})  # None: all
    refuse_voip: bool = True
    money_per_country: int = 25_000_000  # millionths of a US dollar, for a UTC day


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when a code is asked for; `money_spent` in its country, this UTC day."""

    tallies: Mapping[str, Tally]
    money_spent: int = 0
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    bucket: str
    holds: bool
    used: float
    limit: float
    why: str


STATIC = frozenset({"shield.country", "shield.type", "shield.money", "shield.paused"})


@dataclass(frozen=True, slots=True)
class Ruling:
    """All questions; `pause`: the country should be closed until an operator opens it."""

    checks: tuple[Check, ...]
    pause: bool = False

    @property
    def failed(self) -> Check | None:
        """The first that does not hold."""
        return next((check for check in self.checks if not check.holds), None)

    @property
    def is_static(self) -> bool:
        """Whether it failed by what holds in every mode."""
        return self.failed is not None and self.failed.bucket in STATIC


# ── subjects ──────────────────────────────────────────────────────────────────────────
def subjects_of(sending: Sending) -> tuple[str, ...]:
    """The names of the tallies to load: at most twelve."""
    places = _Places.of(sending)
    return tuple(places)


@dataclass(frozen=True, slots=True)
class _Places:
    """A sending's neighbourhoods, each list from the large to the small."""

    world: str
    country: str
    blocks: tuple[str, ...]
    number: str
    networks: tuple[str, ...]
    client: tuple[str, ...]

    @classmethod
    def of(cls, sending: Sending) -> _Places:
        least = len(calling_code(sending.to)) + 1
        cut = [len(sending.to) - dropped for dropped in BLOCKS]
        return cls(
            "world",
            f"country:{sending.country}",
            tuple(f"block:{sending.to[:end]}" for end in cut if end >= least),
            f"number:{sending.to}",
            tuple(f"network:{name}" for name in _networks(sending.network)),
            (f"client:{sending.client_id}",) if sending.client_id else (),
        )

    @classmethod
    def read(cls, subjects: Sequence[str]) -> _Places:
        def kind(name: str) -> tuple[str, ...]:
            return tuple(one for one in subjects if one.startswith(f"{name}:"))

        return cls(
            "world",
            kind("country")[0],
            kind("block"),
            kind("number")[0],
            kind("network"),
            kind("client"),
        )

    def __iter__(self) -> Iterator[str]:
        yield from (self.world, self.country, *self.blocks, self.number)
        yield from (*self.networks, *self.client)


@lru_cache(maxsize=4096)
def _networks(network: str) -> tuple[str, ...]:
    if not network:
        return ()
    if ":" not in network:
        parts = network.split(".")
        return (".".join(parts[:2]), ".".join(parts[:3]), network)
    address = IPv6Address(network.partition("/")[0])
    return tuple(str(ip_network((address, bits), strict=False)) for bits in (32, 48, 64))


# ── the ruling ────────────────────────────────────────────────────────────────────────
def rule(sending: Sending, evidence: Evidence, policy: Policy) -> Ruling:
    """Whether this code should be sent, and why not."""
    checks = _static(sending, evidence, policy)
    if sending.is_known:
        return Ruling(tuple(checks))
    book = _Book(evidence.tallies, sending.at)
    places = _Places.of(sending)
    checks.append(
        Check(
            "shield.paused",
            not evidence.is_paused,
            float(evidence.is_paused),
            0.0,
            f"codes to {sending.country} are paused until an operator resumes them",
        )
    )
    checks += _adaptive(places, book)
    country = book.of(places.country)
    pause = (
        country.untyped >= PAUSE_AFTER
        and country.typed < 1
        and country.untyped * sending.price >= PAUSE_MONEY
    )
    return Ruling(tuple(checks), pause)


def _static(sending: Sending, evidence: Evidence, policy: Policy) -> list[Check]:
    is_open = policy.countries is None or sending.country in policy.countries
    kind = unwanted(sending.to, voip=policy.refuse_voip)
    money = evidence.money_spent + sending.price
    place = sending.country or "no country"
    return [
        Check(
            "shield.country",
            is_open,
            0.0 if is_open else 1.0,
            0.0,
            f"{place} is not among the countries that codes are sent to",
        ),
        Check("shield.type", kind is None, float(kind is not None), 0.0, f"the number is {kind}"),
        Check(
            "shield.money",
            money <= policy.money_per_country,
            float(money),
            float(policy.money_per_country),
            f"the day's money for {place} is spent",
        ),
    ]


def _adaptive(places: _Places, book: _Book) -> list[Check]:
    number = book.of(places.number)
    budget = UNTYPED_PER_NUMBER + number.typed
    if number.untyped >= COUNTED:
        # Who asks again is not judged by their own first code.
        for tally in _count(places, book, number, 1.0, (-1.0, 0.0, -1.0)):
            book.read[tally.subject] = tally
    nation = book.of(places.country)
    world = _share(book.of(places.world), USUAL, MASS_OF_WORLD)
    country = _share(nation, world, MASS_OF_COUNTRY)
    last = book.tallies.get(places.country)
    quiet = book.now - last.at if last else DAY
    is_lived_in = nation.typed >= max(1.0, LIVED_IN * nation.untyped)
    is_probe = quiet > PROBE * 2 ** min(20.0, nation.untyped / 12 - 2)
    most = MOST_PRIOR if is_lived_in else MOST_PRIOR_OF_STRANGERS
    prior = min(max(country, LEAST_PRIOR), most)
    block = _chain(places.blocks, MASSES_OF_BLOCKS, prior, book)
    network = _chain(places.networks, MASSES_OF_NETWORKS, prior, book)
    client = _chain(places.client, MASSES_OF_CLIENT, prior, book)
    base = _logit(prior)
    moves = [max(-1.0, _logit(one) - base) for one in (block, network, client)]
    worst_move = max(moves)
    rest = sum(moves) - worst_move
    share = 1 / (1 + math.exp(-(base + worst_move + (ASIDE if rest > 0 else 1.0) * rest)))
    worst = max(zip(moves, ("block", "network", "client"), strict=True))
    name = worst[1]
    if number.typed >= COUNTED:
        share = 0.0
    return [
        Check("shield.area", number.typed >= COUNTED or is_lived_in or is_probe or country <= LIMIT, country, LIMIT, "nobody types in this country"),
        Check(
            "shield.number",
            number.untyped < budget,
            number.untyped,
            budget,
            "codes to this number lately, and none was typed",
        ),
        Check(
            f"shield.{name}",
            share <= LIMIT,
            share,
            LIMIT,
            f"too many codes to numbers near this one are never typed ({name})",
        ),
    ]


def _chain(names: Sequence[str], masses: Sequence[float], prior: float, book: _Book) -> float:
    """The share expected in the smallest of these places, seen from the largest on."""
    share = prior
    masses = masses[len(masses) - len(names) :]
    for index, (name, mass) in enumerate(zip(names, masses, strict=True)):
        tally = book.of(name)
        if index + 1 < len(names):
            tally = _without(tally, book.of(names[index + 1]))
        share = _share(tally, share, mass)
    return share


def _without(tally: Tally, child: Tally) -> Tally:
    """The neighbourhood without what its child told it."""
    usual = min(child.untyped, TOLERATED * child.typed)
    excess = child.untyped - usual
    told = usual + VOICES * math.log1p(excess / VOICES)
    part = told / child.untyped if child.untyped else 0.0
    return replace(
        tally,
        untyped=max(0.0, tally.untyped - told),
        typed=max(0.0, tally.typed - child.typed),
        fresh=max(0.0, tally.fresh - part * child.fresh),
    )


def _share(tally: Tally, prior: float, mass: float) -> float:
    untyped = max(0.0, tally.untyped - (1 - FRESH_COUNTS) * min(tally.fresh, tally.untyped))
    return (untyped + mass * prior) / (untyped + tally.typed + mass)


def _voice(tally: Tally) -> float:
    """What one more untyped code of a neighbourhood counts in the one around it."""
    excess = max(0.0, tally.untyped - TOLERATED * tally.typed)
    return VOICES / (VOICES + excess)


def _logit(share: float) -> float:
    share = min(0.999, max(0.001, share))
    return math.log(share / (1 - share))


# ── counting ──────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Book:
    """The tallies as of `now`."""

    tallies: Mapping[str, Tally]
    now: int
    read: dict[str, Tally] = field(default_factory=dict)

    def of(self, name: str) -> Tally:
        if name not in self.read:
            self.read[name] = _aged(self.tallies.get(name) or Tally(name, self.now), self.now)
        return self.read[name]


def _aged(tally: Tally, now: int) -> Tally:
    age = max(0, now - tally.at)
    kept, fresh = 0.5 ** (age / HALF_LIFE), 0.5 ** (age / FRESH_HALF_LIFE)
    return Tally(
        tally.subject,
        max(now, tally.at),
        tally.untyped * kept,
        tally.typed * kept,
        tally.fresh * fresh,
    )


def after_sending(sending: Sending, tallies: Mapping[str, Tally]) -> list[Tally]:
    """What to save when the code is really sent."""
    book = _Book(tallies, sending.at)
    places = _Places.of(sending)
    number = book.of(places.number)
    # A second code to the same number says nothing new of its neighbours, a fifth does.
    weight = 1.0 if number.untyped < COUNTED else 0.5 if number.untyped > 3.5 else 0.0
    return _count(places, book, replace(number, untyped=number.untyped + 1), weight, (1, 0, 1))


def after_verifying(
    subjects: Sequence[str], tallies: Mapping[str, Tally], sent_at: int, at: int
) -> list[Tally]:
    """What to save when a code was typed; `subjects` are those of its sending."""
    book = _Book(tallies, at)
    places = _Places.read(subjects)
    number = book.of(places.number)
    was_counted = float(number.untyped >= COUNTED)
    fresh = 0.5 ** (max(0, at - sent_at) / FRESH_HALF_LIFE)
    typed = max(0.0, 1 - number.typed)
    known = replace(number, untyped=0.0, typed=number.typed + typed)
    return _count(places, book, known, 1.0, (-was_counted, typed, -was_counted * fresh))


def _count(
    places: _Places,
    book: _Book,
    number: Tally,
    weight: float,
    change: tuple[float, float, float],
) -> list[Tally]:
    counted = [number]

    def climb(names: Sequence[str], weight: float) -> float:
        for name in reversed(names):
            before, after = book.of(name), _plus(book.of(name), weight, change)
            counted.append(after)
            weight *= _voice(before if change[0] > 0 else after)  # the same there and back
        return weight

    climb(places.client, weight)
    outward = climb(places.blocks, weight) * climb(places.networks, weight)
    country = book.of(places.country)
    counted.append(_plus(country, outward, change))
    if country.typed < VOICES_OF_COUNTRY:
        counted.append(_plus(book.of(places.world), outward * _voice(country), change))
    return counted


def _plus(tally: Tally, weight: float, change: tuple[float, float, float]) -> Tally:
    untyped, typed, fresh = change
    return replace(
        tally,
        untyped=max(0.0, tally.untyped + weight * untyped),
        typed=tally.typed + typed,
        fresh=max(0.0, tally.fresh + weight * fresh),
    )
