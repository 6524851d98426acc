"""A message's way: by which routes it may go, from one to the next, and what is noted of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from doorcode.delivery.interface import (
    Letter,
    Log,
    Never,
    NotSent,
    Outbox,
    Provider,
    Sealer,
    Storage,
    Taken,
    TryLater,
    Withheld,
)
from doorcode.delivery.render import Unreadable, render
from doorcode.delivery.routing import Route, Routing
from doorcode.domain.addresses import Malformed, mask, parse_identifier
from doorcode.domain.limits import CODE_DIGITS, SECOND
from doorcode.domain.message import Message, State, Step
from doorcode.domain.phone_numbers import country_of

MOST_ATTEMPTS = 15  # with what lies between them, as long as a code lives
# Shorter than a lease: a provider that outlasts it would have the letter sent by the
# next courier as well.
SEND_WITHIN = 45 * SECOND
PASS_ON_AFTER = 4 * SECOND  # a route that hangs, where another could carry the letter
FIRST_RETRY_AFTER = 2 * SECOND
LAST_RETRY_AFTER = 60 * SECOND
WHY_CHARACTERS = 200

_CODE_LIKE = re.compile(rf"\d(?:[\s-]?\d){{{CODE_DIGITS - 1},}}")
# To the end: a mail is quoted with line breaks in it, in the middle of a link as well.
_LINK_LIKE = re.compile(r"(tickets/accept|ticket=|inv_).*", re.IGNORECASE | re.DOTALL)


def retry_after(attempt: int, jitter: float) -> int:
    """Milliseconds until the try after the `attempt`th; `jitter`, from 0 to 1, shortens it.

    Without it, all that failed together when a server went down would come back together.
    """
    full = min(LAST_RETRY_AFTER, FIRST_RETRY_AFTER * 2 ** (attempt - 1))
    return int(full * (1 - jitter / 4))


@dataclass(frozen=True, slots=True)
class Trip:
    """A message that was taken, the ways it may go, or why it goes none."""

    message: Message
    ways: tuple[Route, ...] = ()
    refusal: NotSent | None = None


class Carrier:
    """Plans the way of a message, goes it, and writes down each step."""

    def __init__(
        self,
        storage: Storage,
        sealer: Sealer,
        routing: Callable[[], Routing],
        test_route: Provider | None,
        now: Callable[[], int],
        log: Log,
        *,
        jitter: Callable[[], float],
        deferred: Callable[[], None],
        callback_url: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._storage = storage
        self._sealer = sealer
        self._routing = routing
        self._test_route = Route("inbox", "", test_route) if test_route else None
        self._now = now
        self._log = log
        self._deferred = deferred
        self._jitter = jitter
        self._callback_url = callback_url

    # ── planning, in the unit that takes the message ──────────────────────────────────
    async def plan(self, tx: Outbox, message: Message) -> Trip:
        """Choose the ways, and write down by which the letter goes first."""
        if message.attempts > 1:
            await self._note_interruption(tx, message)
        refusal = await self._why_not(tx, message)
        if refusal:
            return Trip(message, refusal=refusal)
        if message.is_test:
            return Trip(message, (self._test_route,) if self._test_route else ())
        routing, avoid = self._routing(), await tx.last_route(message)
        ways = routing.ways(message.channel, country_to(message), self._now(), avoid)
        if not ways:
            why = f"there is no provider for the channel {message.channel}"
            if country_to(message):
                why += f" to {country_to(message)}"
            return Trip(message, refusal=Never(why))
        # From here on: of a hundred that are planned together, one tries a route that failed.
        routing.trying(ways[0], self._now())
        if not ways[0].provider.immediate:
            await tx.add_step(self._step(message, "sending", ways[0]))
        return Trip(message, tuple(ways))

    async def _note_interruption(self, tx: Outbox, message: Message) -> None:
        """Mark a letter that may be on its way already: nobody noted what the route said."""
        steps = await tx.steps(message.id)
        if steps and steps[-1].state == "sending":
            why = "the courier stopped before it knew; it may have been sent, and is sent again"
            step = Step(message.id, self._now(), "unknown", steps[-1].route, why=why, maybe=True)
            await tx.add_step(step)

    async def _why_not(self, tx: Outbox, message: Message) -> NotSent | None:
        if self._now() >= message.expires_at:
            return Never("the code expired before it was sent")
        if message.attempts > MOST_ATTEMPTS:
            return Never("every attempt was cut short")  # each time the courier died
        # For a number as well, which is never there: in strict mode a mail takes the place of
        # a text message, and whatever is read for the one alone tells them apart by its time.
        suppressed = await tx.suppression(message.recipient.lower())
        if suppressed and not message.is_test:
            return Never(f"nothing is sent to this mailbox any more: {suppressed.why}")
        return None

    # ── sending ───────────────────────────────────────────────────────────────────────
    async def carry(self, trip: Trip) -> None:
        """Send a message that was taken and note the outcome. Never raises."""
        try:
            await self._travel(trip)
        except Exception as error:  # noqa: BLE001 - the lease brings it back
            # It stays taken, and is due again when the lease ends.
            self._report("message_not_noted", trip.message, error=type(error).__name__)

    async def _travel(self, trip: Trip) -> None:
        """Go from route to route until one takes the letter, or says that nobody can."""
        message = trip.message
        if trip.refusal:
            await self._note_refusal(message, trip.refusal, None)
            return
        if not trip.ways:  # for a test address, where there is no inbox
            await self._note_taken(message, Taken(state=State.DELIVERED), None)
            return
        try:
            letter = self._open(message)
        except Withheld:
            # The same statements as for a letter: what is left out here shows in the time
            # of somebody's next answer.
            self._routing().untried(trip.ways[0])
            await self._note_taken(message, Taken(state=State.WITHHELD), trip.ways[0])
            return
        except Never as refusal:
            self._routing().untried(trip.ways[0])
            await self._note_refusal(message, refusal, None)
            return
        until = self._now() + SEND_WITHIN
        for number, route in enumerate(trip.ways, start=1):
            rest = trip.ways[number:]
            within = min(until - self._now(), PASS_ON_AFTER if rest else SEND_WITHIN)
            outcome = await self._hand_over(message, letter, route, within)
            if isinstance(outcome, Taken):
                await self._note_taken(message, outcome, route)
                return
            has_time = until - self._now() > PASS_ON_AFTER
            if isinstance(outcome, Never) or not rest or not has_time:
                await self._note_refusal(message, outcome, route)
                return
            await self._pass_on(message, outcome, route, rest[0])

    async def _hand_over(
        self, message: Message, letter: Letter, route: Route, within: int
    ) -> Taken | NotSent:
        """What a route made of a letter, within so many milliseconds."""
        routing = self._routing()
        routing.trying(route, self._now())
        channel = route.channel or letter.channel
        url = self._callback_url(route.name)
        outcome: Taken | NotSent
        try:
            async with asyncio.timeout(within / SECOND):
                outcome = await route.provider.send(
                    replace(letter, channel=channel, callback_url=url, at=self._now())
                )
        except NotSent as refusal:
            outcome = refusal
        except TimeoutError:
            outcome = TryLater("the provider took too long", maybe=True)
        except Exception as error:  # noqa: BLE001 - a provider may raise anything
            # Its text is not kept: it may quote the letter.
            outcome = TryLater(f"unexpected {type(error).__name__}", maybe=True)
        refused = outcome if isinstance(outcome, NotSent) else None
        if routing.note(route, refused, self._now()):
            self._log.warning("route_left_alone", route=route.name, why=_harmless(refused, message))
        return outcome

    def _open(self, message: Message) -> Letter:
        if message.sealed is None:
            raise Never("the code was erased before it was sent")
        try:
            payload = self._sealer.open(f"outbox/{message.id}", message.sealed)
        except Exception:  # noqa: BLE001 - whatever a sealer raises
            # Another key, another row, or altered: it will open no better in a minute.
            raise Never("the seal does not open; was the master key changed?") from None
        try:
            return render(message, payload)
        except Unreadable:
            raise Never("the sealed payload cannot be read") from None

    # ── noting ────────────────────────────────────────────────────────────────────────
    async def _note_taken(self, message: Message, taken: Taken, route: Route | None) -> None:
        step = self._step(message, taken.state, route, ref=taken.ref or None, price=taken.price)
        async with self._storage.transaction() as tx:
            if not await tx.message_taken(message, step, country_to(message)):
                # Another courier took it over, and both were sent, or it was given up meanwhile.
                why = "it was taken, too, after it had been given to somebody else"
                step = replace(step, why=why, maybe=True)
            await tx.add_step(step)
        self._log.info(f"message_{taken.state}", **_fields(message), **_by(route))

    async def _pass_on(self, message: Message, refusal: NotSent, route: Route, to: Route) -> None:
        async with self._storage.transaction() as tx:
            await tx.add_step(self._refused("passed_on", message, refusal, route))
            if not to.provider.immediate:
                await tx.add_step(self._step(message, "sending", to))
        why = _harmless(refusal, message)
        self._report("message_passed_on", message, why=why, **_by(route), to_route=to.name)

    async def _note_refusal(self, message: Message, refusal: NotSent, route: Route | None) -> None:
        why = _harmless(refusal, message)
        retry_at = self._now() + retry_after(message.attempts, self._jitter())
        if isinstance(refusal, Never):
            await self._give_up(message, refusal, route, why)
        elif message.attempts >= MOST_ATTEMPTS:
            why += f" (attempt {message.attempts}, the last)"
            await self._give_up(message, refusal, route, why)
        elif retry_at >= message.expires_at:
            why += " (the code expires before the next attempt)"
            await self._give_up(message, refusal, route, why)
        else:
            await self._put_off(message, refusal, route, retry_at)

    async def _put_off(
        self, message: Message, refusal: NotSent, route: Route | None, retry_at: int
    ) -> None:
        why = _harmless(refusal, message)
        async with self._storage.transaction() as tx:
            await tx.add_step(self._refused("deferred", message, refusal, route))
            await tx.message_deferred(message, retry_at, why)
        wait = retry_at - self._now()
        self._report("message_deferred", message, why=why, retry_in=wait, **_by(route))
        self._deferred()

    async def _give_up(
        self, message: Message, refusal: NotSent, route: Route | None, why: str
    ) -> None:
        async with self._storage.transaction() as tx:
            step = self._refused(State.FAILED, message, refusal, route)
            await tx.add_step(replace(step, why=why))
            await tx.message_failed(message, why)
        self._report("message_failed", message, why=why, **_by(route))

    def _refused(self, state: str, message: Message, refusal: NotSent, route: Route | None) -> Step:
        step = self._step(message, state, route)
        why = _harmless(refusal, message)
        return replace(step, why=why, code=refusal.code[:40], maybe=refusal.maybe)

    def _step(
        self,
        message: Message,
        state: str,
        route: Route | None,
        ref: str | None = None,
        price: int | None = None,
    ) -> Step:
        name = route.name if route else ""
        return Step(message.id, self._now(), state, name, ref=ref, price=price)

    def _report(self, event: str, message: Message, **fields: Any) -> None:
        self._log.warning(event, **_fields(message), **fields)


def country_to(message: Message) -> str:
    """The country of a number (ISO 3166-1); empty for mail."""
    return "" if message.channel == "email" else country_of(message.recipient)


def _by(route: Route | None) -> dict[str, str]:
    return {"route": route.name} if route else {}


def _fields(message: Message) -> dict[str, Any]:
    return {
        "message": message.id,
        "channel": message.channel,
        "attempt": message.attempts,
        "to": _masked(message.recipient),
    }


def _masked(recipient: str) -> str:
    try:
        return mask(parse_identifier(recipient, test_mode=True))
    except Malformed:
        return "*****"


def _harmless(refusal: NotSent | None, message: Message) -> str:
    """A reason without the code, the ticket and the recipient.

    A provider's refusal may quote the letter that it refuses. The reason is kept in the
    database and in the log, where neither may be read.
    """
    why = refusal.why if refusal else ""
    masked = _masked(message.recipient)
    recipient = re.compile(re.escape(message.recipient), re.IGNORECASE)
    without = _LINK_LIKE.sub("……", recipient.sub(lambda _: masked, why))
    return _CODE_LIKE.sub("······", without)[:WHY_CHARACTERS]
