"""Empties the outbox: takes a message, sends it, notes what became of it.

    queued ──lease──▶ under way ──taken──▶ accepted, the code erased
       ▲               │  ▲  ╲
       │               └──┘   ╲──refused, too often, too late──▶ failed, the code erased
       └──backed off── the next route

A lease and a note are each a unit of their own, and the sending lies between them: no
unit waits for a network. What is taken is committed as taken, with the route it goes by,
before anybody sees the letter, so two couriers send one letter. A courier that dies leaves
a lease behind, and when it ends the message is due again: a letter may be sent twice, but
none is lost, and its timeline says that it may have been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from doorcode.delivery.carrier import Carrier, Trip
from doorcode.delivery.interface import Log, Provider, Sealer, Storage
from doorcode.delivery.routing import Routing
from doorcode.domain.breaker import CONVERSION_SETTLES, CONVERSION_WINDOW
from doorcode.domain.limits import MINUTE, SECOND

AT_ONCE = 100
LEASE_FOR = 60 * SECOND
COUNT_EVERY = MINUTE  # how many codes of each route were typed
LOOK_AFTER = 30 * SECOND  # whatever was announced: another server may have died meanwhile
LOOK_AFTER_TROUBLE = 1 * SECOND
LOOK_WHILE_STOPPED = 1 * SECOND  # nobody says when it goes on
STOP_WITHIN = 10 * SECOND


class Courier:
    """Sends what is in the outbox, each message by the routes of its channel.

    A message for a test address goes to `test_route`. Without one it counts as delivered
    though no provider saw it: nobody has that number, or another person has.
    `routing` is asked anew for each message, and `is_stopped` before any is taken: both
    may change while the server runs.
    """

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
        is_stopped: Callable[[], bool] = lambda: False,
        callback_url: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._storage = storage
        self._routing = routing
        self._has_inbox = test_route is not None
        self._now = now
        self._log = log
        self._is_stopped = is_stopped
        self._carrier = Carrier(
            storage,
            sealer,
            routing,
            test_route,
            now,
            log,
            deferred=self.wake,
            jitter=jitter,
            callback_url=callback_url,
        )
        self._counted_at: int | None = None
        self._wake = asyncio.Event()
        self._taking = asyncio.Lock()  # held by the loop from a lease until it is in _carrying
        self._carrying: dict[str, asyncio.Task[None]] = {}  # what the loop took
        self._tasks: set[asyncio.Task[None]] = set()  # these, and what was announced
        self._stopping = False

    def can_send(self, channel: str, is_test: bool) -> bool:
        """Whether a message of this sort would go anywhere."""
        routing = self._routing()
        return is_test or any(routing.of(one) for one in routing.channels(channel))

    def is_free(self, channel: str) -> bool:
        """Whether nobody pays for what this channel carries: it reaches the inbox only."""
        routing = self._routing()
        ways = [route for one in routing.channels(channel) for route in routing.of(one)]
        return all(route.provider.immediate for route in ways)

    async def announce(self, message_id: str, channel: str, is_test: bool) -> None:
        """Say that a message was committed.

        Where its provider is immediate, this returns after the message was handed over.
        Otherwise it returns at once: the time of an answer tells nobody whether a letter
        went out. It never raises; the message is in the outbox and will be found there.
        """
        if self._is_stopped() or not self._is_immediate(channel, is_test):
            self.wake()
            return
        # A browser that goes away must not leave the message taken and unsent.
        await asyncio.shield(self._start(self._deliver_now(message_id)))

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    async def run(self) -> None:
        """Empty the outbox until `stop`. No error ends it: nobody could sign in any more."""
        while not self._stopping:
            self._wake.clear()
            await self._sleep(await self._look())

    async def stop(self) -> None:
        """Take nothing more, and let what is under way finish, within reason.

        What does not finish keeps its lease, and is sent by whoever comes next.
        """
        self._stopping = True
        self.wake()
        async with self._taking:
            pass  # what the loop is just taking is among the tasks from here on
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN / SECOND)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    # ── taking ────────────────────────────────────────────────────────────────────────
    def _is_immediate(self, channel: str, is_test: bool) -> bool:
        if is_test:
            return self._has_inbox
        routes = self._routing().of(channel)
        return bool(routes) and routes[0].provider.immediate

    async def _look(self) -> int:
        """Take what is due; how long there is nothing more to do."""
        try:
            await self._count_typed()
            await self._take_due()
            return await self._until_next()
        except Exception as error:  # noqa: BLE001 - the loop never dies
            self._log.warning("outbox_unreachable", error=type(error).__name__)
            return LOOK_AFTER_TROUBLE

    async def _take_due(self) -> None:
        async with self._taking:
            # No more than can be sent at once: what waits here would outlive its lease.
            free = AT_ONCE - len(self._carrying)
            if self._stopping or free <= 0 or await self._until_next() > 0:
                return
            now = self._now()
            async with self._storage.transaction() as tx:
                messages = await tx.lease_messages(now, now + LEASE_FOR, free)
                trips = [await self._carrier.plan(tx, message) for message in messages]
            for trip in trips:
                self._carry_in_background(trip)

    async def _until_next(self) -> int:
        if self._is_stopped():
            return LOOK_WHILE_STOPPED
        if len(self._carrying) >= AT_ONCE:
            return LOOK_AFTER  # the first of them to finish wakes the loop
        async with self._storage.reading() as tx:
            next_at = await tx.next_message_at()
        if next_at is None:
            return LOOK_AFTER
        return min(LOOK_AFTER, max(0, next_at - self._now()))

    async def _sleep(self, milliseconds: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(milliseconds / SECOND):
                await self._wake.wait()

    def _carry_in_background(self, trip: Trip) -> None:
        def put_down(done: asyncio.Task[None]) -> None:
            if self._carrying.get(trip.message.id) is done:
                del self._carrying[trip.message.id]
            self.wake()

        task = self._start(self._carrier.carry(trip))
        self._carrying[trip.message.id] = task
        task.add_done_callback(put_down)

    async def _deliver_now(self, message_id: str) -> None:
        try:
            now = self._now()
            trip = None
            async with self._storage.transaction() as tx:
                message = await tx.lease_message(message_id, now, now + LEASE_FOR)
                if message:
                    trip = await self._carrier.plan(tx, message)
            if trip is None:
                await self._carried_by_loop(message_id)
            else:
                await self._carrier.carry(trip)
        except Exception as error:  # noqa: BLE001 - announcing never fails
            self._log.warning("outbox_unreachable", message=message_id, error=type(error).__name__)
            self.wake()

    async def _carried_by_loop(self, message_id: str) -> None:
        """Wait for the loop where it was quicker to take the message."""
        async with self._taking:
            task = self._carrying.get(message_id)
        if task is not None:
            await asyncio.wait([task])

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _count_typed(self) -> None:
        """See which routes' codes are typed, once in a while."""
        now, routing = self._now(), self._routing()
        if self._counted_at is not None and now < self._counted_at + COUNT_EVERY:
            return
        self._counted_at = now
        if any(routing.has_choice(route.channel) for route in routing.all()):
            async with self._storage.reading() as tx:
                since, until = now - CONVERSION_WINDOW, now - CONVERSION_SETTLES
                routing.note_conversions(await tx.conversions(since, until))
