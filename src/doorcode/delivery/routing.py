"""Which way a letter goes: by the routes of its channel in order, the well ones first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from doorcode.delivery.interface import Never, NotSent, Provider, TryAnother, TryElsewhere
from doorcode.domain.breaker import Breaker, Conversion, has_fallen


@dataclass(frozen=True, slots=True)
class Route:
    """A way by which letters go: a provider with its settings, perhaps for some countries only.

    `name` is one of a kind; receipts and timelines tell the route by it.
    """

    name: str
    channel: str
    provider: Provider
    countries: frozenset[str] = frozenset()

    def serves(self, country: str) -> bool:
        """Whether letters to a country (ISO 3166-1, empty for mail) may go this way."""
        return not self.countries or country in self.countries


@dataclass(slots=True)
class Health:
    """What the routes were like lately. It outlives a change of the settings."""

    breakers: dict[str, Breaker] = field(default_factory=dict)
    conversions: Mapping[tuple[str, str], Conversion] = field(default_factory=dict)

    def breaker(self, name: str) -> Breaker:
        """The breaker of a route."""
        return self.breakers.get(name, Breaker())


class Routing:
    """The routes by channel, and the channels that may stand in for one another.

    `ladder` is an order of channels ("sms", "whatsapp", "voice"): a letter whose channel
    stands in it goes on to the later ones when no route of its own takes it.
    """

    def __init__(
        self,
        routes: Mapping[str, Sequence[Route]],
        ladder: Sequence[str] = (),
        health: Health | None = None,
    ) -> None:
        self._routes = routes
        self._ladder = ladder
        self._health = health or Health()

    def of(self, channel: str) -> Sequence[Route]:
        """The routes of a channel, in the operator's order."""
        return self._routes.get(channel, ())

    def named(self, name: str) -> Route | None:
        """The route of this name."""
        return next((route for route in self.all() if route.name == name), None)

    def all(self) -> Iterable[Route]:
        """Every route once, channel by channel."""
        seen: dict[str, Route] = {}
        for routes in self._routes.values():
            for route in routes:
                seen.setdefault(route.name, route)
        return seen.values()

    def channels(self, channel: str) -> list[str]:
        """The channel and those that stand in for it."""
        if channel not in self._ladder:
            return [channel]
        return list(self._ladder[self._ladder.index(channel) :])

    def has_choice(self, channel: str) -> bool:
        """Whether there is more than one way."""
        return sum(len(self.of(one)) for one in self.channels(channel)) > 1

    def ways(self, channel: str, country: str, now: int, avoid: str = "") -> list[Route]:
        """The routes for a letter, the one to try first at the head.

        Behind the well ones come those whose codes nobody types, then those of the channels
        that stand in, and last whatever fails: a letter that nobody else takes may still try
        that. A resend goes by another route than the code that did not arrive.
        """
        found = [
            (
                self._health.breaker(route.name).is_open(now),
                rung,
                self._has_fallen(route),
                route.name == avoid,
                number,
                route,
            )
            for rung, one in enumerate(self.channels(channel))
            for number, route in enumerate(self.of(one))
            if route.serves(country)
        ]
        return [way[-1] for way in sorted(found, key=lambda way: way[:-1])]

    def trying(self, route: Route, now: int) -> None:
        """A letter goes to a route; where that was left alone, no other follows for now."""
        self._health.breakers[route.name] = self._health.breaker(route.name).trying(now)

    def untried(self, route: Route) -> None:
        """The letter was none to be sent, and tells nothing of the route."""
        self._health.breakers[route.name] = self._health.breaker(route.name).untried()

    def note(self, route: Route, refusal: NotSent | None, now: int) -> bool:
        """What became of it; whether the route is left alone from now on."""
        before = self._health.breaker(route.name)
        if refusal is None or isinstance(refusal, Never | TryElsewhere):
            after = before.worked()
        else:
            after = before.failed(now, for_good=isinstance(refusal, TryAnother))
        self._health.breakers[route.name] = after
        return before.opened_at is None and after.opened_at is not None

    def note_conversions(self, conversions: Mapping[tuple[str, str], Conversion]) -> None:
        """How many codes of each channel and route were typed."""
        self._health.conversions = conversions

    def _has_fallen(self, route: Route) -> bool:
        own, others = Conversion(0, 0), Conversion(0, 0)
        for (channel, name), one in self._health.conversions.items():
            if name == route.name:
                own = Conversion(own.taken + one.taken, own.typed + one.typed)
            elif channel == route.channel:
                others = Conversion(others.taken + one.taken, others.typed + one.typed)
        return has_fallen(own, others)
