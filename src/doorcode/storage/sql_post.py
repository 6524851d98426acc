"""The part of the storage interface that is about messages: the outbox, timelines, receipts.

See `interface.Transaction` for what each method promises, `sql.py` for the rest.
"""

from __future__ import annotations

from doorcode.domain.breaker import Conversion
from doorcode.domain.message import Message, Posted, State, Step, Suppression
from doorcode.storage import rows
from doorcode.storage.rows import Row
from doorcode.storage.sql_accounts import Statements


def _posted(row: Row) -> Posted:
    return Posted(row[0], row[1], row[2], row[3], State(row[4]), *row[5:])


def _step(row: Row) -> Step:
    message_id, at, state, route, ref, code, why, maybe, price = row
    return Step(message_id, at, state, route, ref, code, why, bool(maybe), price)


class PostStatements:
    """Messages, over statements of `queries.sql`."""

    _sql: Statements

    # ── outbox ────────────────────────────────────────────────────────────────────────
    async def add_message(self, message: Message) -> None:
        await self._sql.run(
            "add_message",
            id=message.id,
            verification_id=message.verification_id,
            channel=str(message.channel),
            recipient=message.recipient,
            is_test=int(message.is_test),
            sealed=message.sealed,
            created_at=message.created_at,
            expires_at=message.expires_at,
        )

    async def lease_messages(self, now: int, until: int, most: int) -> list[Message]:
        due = await self._sql.rows("lease_messages", now=now, until=until, most=most)
        return sorted((rows.to_message(row) for row in due), key=lambda message: message.created_at)

    async def lease_message(self, message_id: str, now: int, until: int) -> Message | None:
        found = await self._sql.rows("lease_message", id=message_id, now=now, until=until)
        return rows.to_message(found[0]) if found else None

    async def message_taken(self, message: Message, step: Step, country: str) -> bool:
        taken = await self._sql.run(
            "message_taken",
            id=message.id,
            state=step.state,
            route=step.route,
            country=country,
            price=step.price,
            now=step.at,
        )
        return taken == 1

    async def message_deferred(self, message: Message, retry_at: int, why: str) -> None:
        lease = {"id": message.id, "attempts": message.attempts}
        await self._sql.run("message_deferred", **lease, retry_at=retry_at, why=why)

    async def message_failed(self, message: Message, why: str) -> None:
        lease = {"id": message.id, "attempts": message.attempts}
        await self._sql.run("message_failed", **lease, why=why)

    async def next_message_at(self) -> int | None:
        found = await self._sql.rows("next_message_at")
        return found[0][0] if found else None

    # ── timelines ─────────────────────────────────────────────────────────────────────
    async def add_step(self, step: Step) -> None:
        await self._sql.run(
            "add_step",
            message_id=step.message_id,
            at=step.at,
            state=str(step.state),
            route=step.route,
            ref=step.ref,
            code=step.code,
            why=step.why,
            maybe=int(step.maybe),
            price=step.price,
        )

    async def steps(self, message_id: str) -> list[Step]:
        return [_step(row) for row in await self._sql.rows("steps", message_id=message_id)]

    async def last_route(self, message: Message) -> str:
        found = await self._sql.rows(
            "last_route", id=message.id, verification_id=message.verification_id
        )
        return str(found[0][0]) if found else ""

    async def message_by_ref(self, route: str, ref: str) -> str | None:
        found = await self._sql.rows("message_by_ref", route=route, ref=ref)
        return found[0][0] if found else None

    async def advance_message(
        self, posted: Posted, state: State, at: int, price: int | None
    ) -> bool:
        advanced = await self._sql.run(
            "advance_message",
            id=posted.id,
            known=str(posted.state),
            state=str(state),
            at=at,
            price=price,
        )
        return advanced == 1

    # ── looking back ──────────────────────────────────────────────────────────────────
    async def posted(self, message_id: str) -> Posted | None:
        found = await self._sql.rows("posted", id=message_id)
        return _posted(found[0]) if found else None

    async def posted_to(self, recipient: str | None, most: int) -> list[Posted]:
        if recipient is None:
            found = await self._sql.rows("posted_lately", most=most)
        else:
            found = await self._sql.rows("posted_to", recipient=recipient, most=most)
        return [_posted(row) for row in found]

    async def posted_since(self, since: int, until: int) -> list[Posted]:
        found = await self._sql.rows("posted_since", since=since, until=until)
        return [_posted(row) for row in found]

    async def conversions(self, since: int, until: int) -> dict[tuple[str, str], Conversion]:
        found = await self._sql.rows("conversions", since=since, until=until)
        return {(row[0], row[1]): Conversion(row[2], row[3]) for row in found}

    # ── suppressions ──────────────────────────────────────────────────────────────────
    async def suppress(self, suppression: Suppression) -> None:
        await self._sql.run(
            "suppress",
            address=suppression.address,
            at=suppression.at,
            route=suppression.route,
            why=suppression.why,
        )

    async def suppression(self, address: str) -> Suppression | None:
        found = await self._sql.rows("suppression", address=address)
        return Suppression(*found[0]) if found else None

    async def suppressions(self, most: int) -> list[Suppression]:
        return [Suppression(*row) for row in await self._sql.rows("suppressions", most=most)]

    async def unsuppress(self, address: str) -> bool:
        return await self._sql.run("unsuppress", address=address) == 1
