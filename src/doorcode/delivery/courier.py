"""Empties the outbox: takes a message, sends it, notes what became of it.

    queued ──lease──▶ under way ──sent──▶ delivered, the code erased
       ▲                 │   ╲
       └──backed off─────┘    ╲──refused, too often, too late──▶ failed, the code erased

A lease and a note are each a unit of their own, and the sending lies between them: no
unit waits for a network. What is taken is committed as taken before anybody sees the
letter, so two couriers send one letter. A courier that dies leaves a lease behind, and
when it ends the message is due again: a letter may be sent twice, but none is lost.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from doorcode.delivery.interface import (
    Letter,
    Log,
    Never,
    NotSent,
    Provider,
    Sealer,
    Storage,
    TryLater,
    Withheld,
)
from doorcode.delivery.render import Unreadable, render
from doorcode.domain.addresses import Malformed, mask, parse_identifier
from doorcode.domain.limits import CODE_DIGITS, SECOND
from doorcode.domain.message import Message

AT_ONCE = 8
MOST_ATTEMPTS = 8
LEASE_FOR = 60 * SECOND
# Shorter than the lease: a provider that outlasts it would have the letter sent by the
# next courier as well.
SEND_WITHIN = 45 * SECOND
FIRST_RETRY_AFTER = 2 * SECOND
LAST_RETRY_AFTER = 60 * SECOND
LOOK_AFTER = 30 * SECOND  # whatever was announced: another server may have died meanwhile
LOOK_AFTER_TROUBLE = 1 * SECOND
STOP_WITHIN = 10 * SECOND
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


class Courier:
    """Sends what is in the outbox, each message by the route of its channel.

    A message for a test address goes to `test_route`. Without one it counts as delivered
    though no provider saw it: nobody has that number, or another person has.
    """

    def __init__(
        self,
        storage: Storage,
        sealer: Sealer,
        routes: Mapping[str, Provider],
        test_route: Provider | None,
        now: Callable[[], int],
        log: Log,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._storage = storage
        self._sealer = sealer
        self._routes = routes
        self._test_route = test_route
        self._now = now
        self._log = log
        self._jitter = jitter
        self._wake = asyncio.Event()
        self._taking = asyncio.Lock()  # held by the loop from a lease until it is in _carrying
        self._carrying: dict[str, asyncio.Task[None]] = {}  # what the loop took
        self._tasks: set[asyncio.Task[None]] = set()  # these, and what was announced
        self._stopping = False

    def can_send(self, channel: str, is_test: bool) -> bool:
        """Whether a message of this sort would go anywhere."""
        return is_test or channel in self._routes

    def is_free(self, channel: str) -> bool:
        """Whether nobody pays for what this channel carries: it reaches the inbox only."""
        route = self._routes.get(channel)
        return route is None or route.immediate

    async def announce(self, message_id: str, channel: str, is_test: bool) -> None:
        """Say that a message was committed.

        Where its provider is immediate, this returns after the message was handed over.
        Otherwise it returns at once: the time of an answer tells nobody whether a letter
        went out. It never raises; the message is in the outbox and will be found there.
        """
        route = self._route(channel, is_test)
        if route is None or not route.immediate:
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
    async def _look(self) -> int:
        """Take what is due; how long there is nothing more to do."""
        try:
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
            for message in messages:
                self._carry_in_background(message)

    async def _until_next(self) -> int:
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

    def _carry_in_background(self, message: Message) -> None:
        def put_down(done: asyncio.Task[None]) -> None:
            if self._carrying.get(message.id) is done:
                del self._carrying[message.id]
            self.wake()

        task = self._start(self._carry(message))
        self._carrying[message.id] = task
        task.add_done_callback(put_down)

    async def _deliver_now(self, message_id: str) -> None:
        try:
            now = self._now()
            async with self._storage.transaction() as tx:
                message = await tx.lease_message(message_id, now, now + LEASE_FOR)
            if message is None:
                await self._carried_by_loop(message_id)
            else:
                await self._carry(message)
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

    # ── sending ───────────────────────────────────────────────────────────────────────
    async def _carry(self, message: Message) -> None:
        """Send a message that was taken and note the outcome. Never raises."""
        outcome = await self._outcome(message)
        try:
            await self._note(message, outcome)
        except Exception as error:  # noqa: BLE001 - the lease brings it back
            # It stays taken, and is due again when the lease ends.
            self._report("message_not_noted", message, error=type(error).__name__)

    async def _outcome(self, message: Message) -> NotSent | None:
        """Why it was not sent, or None where it was."""
        try:
            async with asyncio.timeout(SEND_WITHIN / SECOND):
                await self._send(message)
        except NotSent as refusal:
            return refusal
        except TimeoutError:
            return TryLater("the provider took too long")
        except Exception as error:  # noqa: BLE001 - a provider may raise anything
            # Its text is not kept: it may quote the letter.
            return TryLater(f"unexpected {type(error).__name__}")
        return None

    async def _send(self, message: Message) -> None:
        if self._now() >= message.expires_at:
            raise Never("the code expired before it was sent")
        if message.attempts > MOST_ATTEMPTS:
            raise Never("every attempt was cut short")  # each time the courier died
        if message.is_test and self._test_route is None:
            return
        route = self._route(message.channel, message.is_test)
        if route is None:
            raise Never(f"there is no provider for the channel {message.channel}")
        await route.send(self._open(message))

    def _route(self, channel: str, is_test: bool) -> Provider | None:
        return self._test_route if is_test else self._routes.get(channel)

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
    async def _note(self, message: Message, outcome: NotSent | None) -> None:
        if outcome is None or isinstance(outcome, Withheld):
            await self._note_delivery(message, is_withheld=outcome is not None)
            return
        why = _harmless(outcome.why, message)
        retry_at = self._now() + retry_after(message.attempts, self._jitter())
        if isinstance(outcome, Never):
            await self._give_up(message, why)
        elif message.attempts >= MOST_ATTEMPTS:
            await self._give_up(message, f"{why} (attempt {message.attempts}, the last)")
        elif retry_at >= message.expires_at:
            await self._give_up(message, f"{why} (the code expires before the next attempt)")
        else:
            await self._put_off(message, retry_at, why)

    async def _note_delivery(self, message: Message, *, is_withheld: bool) -> None:
        async with self._storage.transaction() as tx:
            await tx.message_delivered(message.id, self._now(), is_withheld=is_withheld)
        event = "message_withheld" if is_withheld else "message_delivered"
        self._log.info(event, **_fields(message))

    async def _put_off(self, message: Message, retry_at: int, why: str) -> None:
        async with self._storage.transaction() as tx:
            await tx.message_deferred(message, retry_at, why)
        self._report("message_deferred", message, why=why, retry_in=retry_at - self._now())
        self.wake()

    async def _give_up(self, message: Message, why: str) -> None:
        async with self._storage.transaction() as tx:
            await tx.message_failed(message, why)
        self._report("message_failed", message, why=why)

    def _report(self, event: str, message: Message, **fields: Any) -> None:
        self._log.warning(event, **_fields(message), **fields)


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


def _harmless(why: str, message: Message) -> str:
    """A reason without the code, the ticket and the recipient.

    A provider's refusal may quote the letter that it refuses. The reason is kept in the
    database and in the log, where neither may be read.
    """
    masked = _masked(message.recipient)
    recipient = re.compile(re.escape(message.recipient), re.IGNORECASE)
    without = _LINK_LIKE.sub("……", recipient.sub(lambda _: masked, why))
    return _CODE_LIKE.sub("······", without)[:WHY_CHARACTERS]
