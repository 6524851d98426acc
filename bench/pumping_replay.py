"""Plays traffic to the real shield on a virtual clock, and counts what got through.

The shield sees a number, an address and a client, as the server would show them to it; who
is a person is known to the count only.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from doorcode.domain.limits import (
    CODE_LIVES_FOR,
    DAY,
    MINUTE,
    SENDS_PER_10_MINUTES,
    SENDS_PER_DAY,
)
from doorcode.domain.phone_numbers import country_of
from doorcode.domain.prices import price_of
from doorcode.domain.shield import (
    Evidence,
    Policy,
    Sending,
    Tally,
    after_sending,
    after_verifying,
    rule,
    subjects_of,
)

UNLIMITED = 10**15

_Sent = tuple[tuple[str, ...], int]  # the subjects of a code, and when it was sent


@dataclass(frozen=True, slots=True)
class Event:
    """Somebody asks for a code, or types one. `kind` is for the report: what sort of bot."""

    at: int  # milliseconds
    is_send: bool
    to: str
    ip: str
    client: str
    is_person: bool
    kind: str = "bot"


@dataclass(slots=True)
class Outcome:
    """What happened, in messages, people and millionths of a dollar."""

    cost_attack: Counter[str] = field(default_factory=Counter)
    cost_lost: Counter[str] = field(default_factory=Counter)
    bot_sends: Counter[str] = field(default_factory=Counter)
    bot_sent: Counter[str] = field(default_factory=Counter)
    refused_by: Counter[str] = field(default_factory=Counter)
    people_refused_by: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    people_sends: int = 0
    people_sends_refused: int = 0
    paused: set[str] = field(default_factory=set)


class Desk:
    """What the server keeps between two requests, in memory."""

    def __init__(self, policy: Policy, *, is_on: bool = True, all_types: bool = False) -> None:
        self.policy = policy
        self.is_on = is_on
        self.all_types = all_types  # premium, toll-free and the like are sent to as well
        self.outcome = Outcome()
        self._tallies: dict[str, Tally] = {}
        self._money: Counter[tuple[str, int]] = Counter()
        self._sent_to: defaultdict[str, deque[int]] = defaultdict(deque)
        self._pending: defaultdict[str, dict[str, list[_Sent]]] = defaultdict(dict)
        self._known: set[tuple[str, str]] = set()

    def play(self, events: Iterable[Event]) -> Outcome:
        """The outcome of events that come in the order of their times."""
        for event in events:
            if event.is_send:
                self._ask(event)
            else:
                self._type(event)
        return self.outcome

    def _ask(self, event: Event) -> None:
        sending = Sending(
            event.to,
            country_of(event.to),
            network_of(event.ip),
            event.client,
            (event.client, event.to) in self._known,
            event.at,
            price_of(country_of(event.to), {}),
        )
        refusal = self._refusal(sending) if self.is_on else None
        self._note(event, sending.price, refusal)
        if refusal is not None:
            return
        self._sent_to[_budget(sending)].append(event.at)
        self._money[sending.country, event.at // DAY] += sending.price
        self._save(after_sending(sending, self._tallies))
        # A code asked for again joins the verification of the first while that one lives.
        pending = self._pending[event.to]
        earlier = pending.pop(event.client, [])
        if earlier and earlier[-1][1] <= event.at - CODE_LIVES_FOR:
            earlier = []
        pending[event.client] = [*earlier, (subjects_of(sending), event.at)]

    def _type(self, event: Event) -> None:
        """A code is typed by the client that asked for it; one unnamed typed the last."""
        pending = self._pending[event.to]
        client = event.client or next(reversed(pending), "")
        if client not in pending:
            return
        for subjects, sent_at in pending.pop(client):
            self._save(after_verifying(subjects, self._tallies, sent_at, event.at))
        self._known.add((client, event.to))

    def _save(self, tallies: Iterable[Tally]) -> None:
        self._tallies.update((tally.subject, tally) for tally in tallies)

    def _refusal(self, sending: Sending) -> str | None:
        times = self._sent_to[_budget(sending)]
        while times and times[0] <= sending.at - DAY:
            times.popleft()
        lately = sum(at > sending.at - 10 * MINUTE for at in times)
        if len(times) >= SENDS_PER_DAY or lately >= SENDS_PER_10_MINUTES:
            return "sends of the number"
        evidence = Evidence(
            self._tallies,
            self._money[sending.country, sending.at // DAY],
            sending.country in self.outcome.paused,
        )
        ruling = rule(sending, evidence, self.policy)
        if ruling.pause:
            self.outcome.paused.add(sending.country)
        asked = [c for c in ruling.checks if not (self.all_types and c.bucket == "shield.type")]
        return next((check.bucket for check in asked if not check.holds), None)

    def _note(self, event: Event, price: int, refusal: str | None) -> None:
        outcome = self.outcome
        if event.is_person:
            outcome.people.add(event.to)
            outcome.people_sends += 1
            if refusal is not None:
                outcome.refused.add(event.to)
                outcome.people_sends_refused += 1
                outcome.people_refused_by[refusal] += 1
            return
        outcome.cost_attack[event.kind] += price
        outcome.bot_sends[event.kind] += 1
        if refusal is None:
            outcome.cost_lost[event.kind] += price
            outcome.bot_sent[event.kind] += 1
        else:
            outcome.refused_by[refusal] += 1


def _budget(sending: Sending) -> str:
    """A client that signed in to the number before has codes of its own, as in the server."""
    return f"{sending.to}@known" if sending.is_known else sending.to


def network_of(ip: str) -> str:
    """The address as the server counts it: an IPv4 address, an IPv6 /64, "" for none."""
    if not ip:
        return ""
    address = ip_address(ip)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))
