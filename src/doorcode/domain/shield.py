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

from doorcode.domain.limits import DAY, HOUR, MINUTE, SECOND
from doorcode.domain.phone_numbers import calling_code, unwanted

# ── the constants: chosen by bench/pumping.py, told in docs/shield.md ──────────────────
HALF_LIFE = 3 * DAY  # of every count
FRESH_HALF_LIFE = MINUTE  # how soon an untyped code counts whole
FRESH_COUNTS = 0.5  # what it counts until then
FRESH_SPARED = 5.0  # but no more than so many are taken off

LIMIT = 0.44  # the share of codes expected to stay untyped over which none is sent
USUAL = 0.15  # that share before anything is known
TOLERATED = 0.4  # codes untyped for each one typed that surprise nobody
LEAST_PRIOR, MOST_PRIOR = 0.05, 0.22  # what a country where people type can say of a stranger
MOST_PRIOR_OF_STRANGERS = 0.43  # and one where nobody does
LIVED_IN = 0.02  # codes typed for each untyped: from there on, people live in a country
HOME, HOME_SHARE = 20.0, 0.1  # codes typed, in all and for each untyped: many people live there
MOST_OF_AREA = 0.3  # what a million numbers there or more can say of a smaller block
ASIDE = 0.3  # the worst neighbourhood counts whole, the other two this much

# How many codes the word of the larger neighbourhood is worth in the smaller one.
MASS_OF_WORLD, MASS_OF_COUNTRY = 20.0, 25.0
BLOCKS = (7, 6, 5, 4, 3)  # digits dropped at the end, from the area to a thousand numbers
SMALL_BLOCKS = 3  # how many of these are none that many people of a country share
MASSES_OF_BLOCKS = (30.0, 18.0, 12.0, 9.0, 8.0)
MASSES_WHERE_NOBODY_LIVES = (14.0, 10.0, 9.0, 9.0, 8.0)
MASSES_OF_NETWORKS = (9.0, 8.0, 10.0)  # IPv4: /16, /24, /32; IPv6: /32, /48, /64
MASSES_OF_CLIENT = (6.0,)
PATIENCE = 0.2  # and worth more with each code typed around the smaller one
VOICES_OF_COUNTRY = 5.0  # a country with more codes typed says nothing of others

UNTYPED_PER_NUMBER = 7.0
UNTYPED_BY_OTHERS = 3.0  # the same for an address and a browser that never asked before
COUNTED = 0.5  # a number with more untyped was counted in its neighbourhoods
SETTLED = 2.0  # codes typed anywhere: from there on, there are people to compare with
UNTYPED_BEFORE = 60.0  # codes untyped that close a country before
CLOSED_BEFORE = 12.0  # and more than a country has that was closed after that
FIRST = HOUR  # of an instance, when its people's own country is first asked for
PROBE_BEFORE, TWICE_BEFORE = 45 * SECOND, 12.0  # a closed country is tried again after this,
PROBE, TWICE = HOUR, 2.0  # and after twice as long with so many more untyped
PROBE_OF_NETWORK, CLOSED = 30 * MINUTE, 3.0  # an address with more untyped is tried again

PAUSE_AFTER = 8.0  # codes untyped and none typed, after the instance's first day
PAUSE_MONEY = 1_000_000  # millionths of a US dollar

STATIC = frozenset({"shield.country", "shield.type", "shield.money", "shield.paused"})


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
    since: int = 0  # when it was first counted


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
    """Whether this code should be sent, and why not.

    A client that signed in to this number before is asked nothing that others could spoil:
    else whoever sends codes to strangers' numbers would shut them out.
    """
    checks = _static(sending, evidence, policy)
    if sending.is_known:
        return Ruling(tuple(checks))
    book = _Book(evidence.tallies, sending.at)
    places = _Places.of(sending)
    country = book.of(places.country)
    paused = f"codes to {sending.country} are paused until an operator resumes them"
    checks.append(_check("paused", float(evidence.is_paused), 0.0, paused))
    number = book.of(places.number)
    if number.untyped >= COUNTED:
        # Who asks again is not judged by their own first code.
        for tally in _count(places, book, number, 1.0, (-1.0, 0.0, -1.0)):
            book.read[tally.subject] = tally
    checks.append(_number(number, places, book))
    if number.typed < COUNTED:
        checks += [_area(places, book), _neighbours(places, book)]
    is_attack = country.untyped - country.fresh >= PAUSE_AFTER and country.typed < 1
    is_costly = country.untyped * sending.price >= PAUSE_MONEY
    may_pause = not _is_first_day(places, book) and not _is_of_first_day(places, book)
    return Ruling(tuple(checks), is_attack and is_costly and may_pause)


def _is_early(places: _Places, book: _Book) -> bool:
    """Whether the instance has no people to compare with.

    Then untyped codes prove little, and whoever attacks it first would close the country of
    all its people.
    """
    return book.of(places.world).typed < SETTLED


def _is_first_day(places: _Places, book: _Book) -> bool:
    return _is_early(places, book) or book.now - book.of(places.world).since < DAY


def _is_of_first_day(places: _Places, book: _Book) -> bool:
    """Whether people were there from the start: a country that bots closed on the first day is
    tried again, where only an operator would open one that is paused.
    """
    return book.of(places.country).since < book.of(places.world).since + DAY


def _check(name: str, used: float, limit: float, why: str) -> Check:
    return Check(f"shield.{name}", used <= limit, used, limit, why)


def _static(sending: Sending, evidence: Evidence, policy: Policy) -> list[Check]:
    is_closed = policy.countries is not None and sending.country not in policy.countries
    kind = unwanted(sending.to, voip=policy.refuse_voip)
    money = float(evidence.money_spent + sending.price)
    place = sending.country or "no country"
    return [
        _check("country", float(is_closed), 0.0, f"{place} is not on the list of countries"),
        _check("type", float(kind is not None), 0.0, f"the number is {kind or 'a usual one'}"),
        _check("money", money, policy.money_per_country, f"the day's money for {place} is spent"),
    ]


def _number(number: Tally, places: _Places, book: _Book) -> Check:
    """Who waits for a code asks again from where they asked, a bot from anywhere."""
    askers = (*places.networks[-1:], *places.client)
    is_new = bool(places.networks) and not any(name in book.tallies for name in askers)
    limit = (UNTYPED_BY_OTHERS if is_new else UNTYPED_PER_NUMBER) + number.typed
    why = f"{number.untyped:.0f} codes to this number lately were never typed"
    return _check("number", number.untyped + 1, limit, why)


def _area(places: _Places, book: _Book) -> Check:
    """A country in which hardly any code is typed, to numbers all over it.

    It is tried again after a while, so that an attack on the first day does not close it
    for the people who come on the second.
    """
    country, is_early = book.of(places.country), _is_early(places, book)
    # Closed when hardly anybody had come: it may be where all the people live.
    is_first = country.since < book.of(places.world).since + FIRST
    was_early = is_first and country.untyped > CLOSED_BEFORE
    wait, twice = (PROBE_BEFORE, TWICE_BEFORE) if is_early or was_early else (PROBE, TWICE)
    last = book.tallies.get(places.country)
    quiet = book.now - last.at if last else DAY
    is_tried = quiet > wait * 2 ** min(20.0, country.untyped / twice)
    is_new = is_early and country.untyped < UNTYPED_BEFORE
    share = _share_of_country(places, book)
    why = f"of codes to all of {places.country[8:]}, {_counts(country)}"
    return Check(
        "shield.area",
        share <= LIMIT or is_new or is_tried or _is_lived_in(country),
        share,
        LIMIT,
        why,
    )


def _neighbours(places: _Places, book: _Book) -> Check:
    """The share to expect of this code, from its block, its network and its browser."""
    lived_in = _is_lived_in(book.of(places.country))
    most = MOST_PRIOR if lived_in else MOST_PRIOR_OF_STRANGERS
    prior = min(max(_share_of_country(places, book), LEAST_PRIOR), most)
    masses = MASSES_OF_BLOCKS if lived_in else MASSES_WHERE_NOBODY_LIVES
    chains = {
        "block": (places.blocks, masses),
        "network": (places.networks, MASSES_OF_NETWORKS),
        "client": (places.client, MASSES_OF_CLIENT),
    }
    most_of_area = MOST_OF_AREA if _is_home(book.of(places.country)) else 1.0
    # In logits, independent signs add up; these are not independent, hence ASIDE.
    moves = {
        name: max(-1.0, _logit(_share_of_chain(*chain, prior, most_of_area, book)) - _logit(prior))
        for name, chain in chains.items()
    }
    worst = max(moves, key=lambda name: moves[name])
    rest = sum(moves.values()) - moves[worst]
    logit = _logit(prior) + moves[worst] + (ASIDE * rest if rest > 0 else rest)
    told = [book.of(name) for name in chains[worst][0]]
    loudest = max(told, key=lambda tally: tally.untyped - tally.typed, default=None)
    why = f"of codes to {loudest.subject}, {_counts(loudest)}" if loudest else ""
    used = 1 / (1 + math.exp(-logit))
    is_tried = worst == "network" and any(_is_tried(name, book) for name in places.networks[-1:])
    return Check(f"shield.{worst}", used <= LIMIT or is_tried, used, LIMIT, why)


def _is_tried(network: str, book: _Book) -> bool:
    """Whether an address closed by its own codes may show that people came to it since."""
    last, untyped = book.tallies.get(network), book.of(network).untyped
    wait = PROBE_OF_NETWORK * 2 ** min(20.0, untyped / TWICE)
    return last is not None and untyped >= CLOSED and book.now - last.at > wait


def _is_home(country: Tally) -> bool:
    return country.typed >= max(HOME, HOME_SHARE * country.untyped)


def _is_lived_in(country: Tally) -> bool:
    return country.typed >= max(0.5, LIVED_IN * country.untyped)


def _counts(tally: Tally) -> str:
    return f"{tally.typed:.0f} were typed lately and {tally.untyped:.0f} were not"


# ── shares ────────────────────────────────────────────────────────────────────────────
def _share_of_country(places: _Places, book: _Book) -> float:
    world = _share(book.of(places.world), USUAL, MASS_OF_WORLD)
    return _share(book.of(places.country), min(world, MOST_PRIOR_OF_STRANGERS), MASS_OF_COUNTRY)


def _share_of_chain(
    names: Sequence[str], masses: Sequence[float], prior: float, most: float, book: _Book
) -> float:
    """The share expected in the smallest of these places, seen from the largest on."""
    share = prior
    masses = masses[len(masses) - len(names) :]
    patience = 0.0
    for index, (name, mass) in enumerate(zip(names, masses, strict=True)):
        tally = book.of(name)
        if index + 1 < len(names):
            tally = _without(tally, book.of(names[index + 1]))
        share = _share(tally, share, mass + patience)
        if len(names) - index > SMALL_BLOCKS:
            share = min(share, most)
        patience = PATIENCE * tally.typed
    return share


def _without(tally: Tally, child: Tally) -> Tally:
    """The neighbourhood without what its child told it."""
    usual = min(child.untyped, TOLERATED * child.typed)
    excess = child.untyped - usual
    told = usual + min(excess, math.log1p(1.72 * excess))  # 1 + 1/2 + 1/3 + …, its voices
    part = told / child.untyped if child.untyped else 1.0
    return replace(
        tally,
        untyped=max(0.0, tally.untyped - told),
        typed=max(0.0, tally.typed - part * child.typed),
        fresh=max(0.0, tally.fresh - part * child.fresh),
    )


def _share(tally: Tally, prior: float, mass: float) -> float:
    spared = min(FRESH_SPARED, (1 - FRESH_COUNTS) * min(tally.fresh, tally.untyped))
    untyped = tally.untyped - spared
    return (untyped + mass * prior) / (untyped + tally.typed + mass)


def _voice(untyped: float, typed: float) -> float:
    """What one more code of a neighbourhood counts in the one around it."""
    return 1 / (1 + max(0.0, untyped - TOLERATED * typed))


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
            self.read[name] = _aged(
                self.tallies.get(name) or Tally(name, self.now, since=self.now), self.now
            )
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
        tally.since,
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
            # The same there and back: as if this code had neither been sent nor typed.
            weight *= _voice(min(before.untyped, after.untyped), before.typed)
        return weight

    world, known = book.of(places.world), book.of(places.country).typed
    climb(places.client, weight)
    # Codes asked for by a network that gave itself away say little of the numbers.
    outward = climb((places.country, *places.blocks), climb(places.networks, weight))
    if known < VOICES_OF_COUNTRY:
        climb((places.world,), outward)
    elif change[1] and world.typed < VOICES_OF_COUNTRY:
        counted.append(replace(world, typed=VOICES_OF_COUNTRY))
    return counted


def _plus(tally: Tally, weight: float, change: tuple[float, float, float]) -> Tally:
    untyped, typed, fresh = change
    return replace(
        tally,
        untyped=max(0.0, tally.untyped + weight * untyped),
        typed=tally.typed + weight * typed,
        fresh=max(0.0, tally.fresh + weight * fresh),
    )
