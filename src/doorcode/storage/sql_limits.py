"""The part of the storage interface that is about limits: guesses, codes, money, the audit log.

See `interface.Transaction` for what each method promises, `sql.py` for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from doorcode.domain.addresses import Address
from doorcode.domain.event import Event, Recorded
from doorcode.domain.limits import KNOWN_DEVICES
from doorcode.domain.send import Pause, Send, SendBudget
from doorcode.domain.shield import Tally
from doorcode.storage.rows import Row
from doorcode.storage.sql_accounts import Statements

_to_json = msgspec.json.Encoder().encode
_tally = msgspec.json.Decoder(Tally).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_details = msgspec.json.Decoder(dict).decode


def _recorded(row: Row) -> Recorded:
    event_id, at, name, outcome, bucket, subject, network, client_id, user_id, details = row
    event = Event(name, outcome, bucket, subject, network, client_id, user_id, _details(details))
    return Recorded(event_id, at, event)


class LimitStatements:
    """What is counted, over statements of `queries.sql`."""

    _sql: Statements

    # ── guesses ───────────────────────────────────────────────────────────────────────
    async def spend_guess(
        self, guess_id: str, subject: str, most: int, since: int, now: int
    ) -> bool:
        spent = await self._sql.run(
            "spend_guess", id=guess_id, address=subject, most=most, since=since, now=now
        )
        return spent == 1

    async def refund_guess(self, guess_id: str) -> None:
        await self._sql.run("refund_guess", id=guess_id)

    async def nth_latest_guess(self, subject: str, nth: int, since: int) -> int | None:
        found = await self._sql.rows("nth_latest_guess", address=subject, nth=nth, since=since)
        return found[0][0] if found else None

    async def guesses_at_user(self, user_id: str, since: int) -> dict[str, list[int]]:
        made: dict[str, list[int]] = {}
        for subject, made_at in await self._sql.rows(
            "guesses_at_user", user_id=user_id, since=since
        ):
            made.setdefault(subject, []).append(made_at)
        return made

    async def count_guesses(self, subject: str, since: int) -> int:
        found = await self._sql.rows("count_guesses", address=subject, since=since)
        return int(found[0][0])

    # ── codes sent ────────────────────────────────────────────────────────────────────
    async def add_send(self, send: Send, budget: SendBudget) -> bool:
        added = await self._sql.run(
            "add_send",
            id=send.id,
            subject=send.subject,
            verification_id=send.verification_id,
            now=send.at,
            price=send.price,
            tallies=_to_json(send.tallies),
            short_since=send.at - budget.short_window,
            short_most=budget.short,
            long_since=send.at - budget.long_window,
            long_most=budget.long,
        )
        return added == 1

    async def nth_latest_send(self, subject: str, nth: int, since: int) -> int | None:
        found = await self._sql.rows("nth_latest_send", subject=subject, nth=nth, since=since)
        return found[0][0] if found else None

    async def count_sends(self, subject: str, since: int) -> int:
        found = await self._sql.rows("count_sends", subject=subject, since=since)
        return int(found[0][0])

    async def verify_sends(
        self, verification_id: str, now: int
    ) -> list[tuple[int, tuple[str, ...]]]:
        found = await self._sql.rows("verify_sends", verification_id=verification_id, now=now)
        return [(row[0], _names(row[1])) for row in found]

    async def tallies(self, subjects: Iterable[str]) -> dict[str, Tally]:
        found = {}
        for subject in subjects:
            for row in await self._sql.rows("tally", subject=subject):
                found[subject] = _tally(row[0])
        return found

    async def save_tallies(self, tallies: Iterable[Tally]) -> None:
        for one in tallies:
            await self._sql.run("save_tally", subject=one.subject, at=one.at, data=_to_json(one))

    async def money_spent(self, country: str, day: int) -> int:
        found = await self._sql.rows("money_spent", country=country, day=day)
        return int(found[0][0]) if found else 0

    async def money_of_day(self, day: int) -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in await self._sql.rows("money_of_day", day=day)]

    async def spend_money(self, country: str, day: int, price: int, most: int) -> bool:
        spent = await self._sql.run("spend_money", country=country, day=day, price=price, most=most)
        return spent == 1

    # ── countries that are paused ─────────────────────────────────────────────────────
    async def pause(self, country: str) -> Pause | None:
        found = await self._sql.rows("pause", country=country)
        return Pause(*found[0]) if found else None

    async def pauses(self) -> list[Pause]:
        return [Pause(*row) for row in await self._sql.rows("pauses")]

    async def add_pause(self, pause: Pause) -> bool:
        added = await self._sql.run("add_pause", country=pause.country, now=pause.at, why=pause.why)
        return added == 1

    async def delete_pause(self, country: str) -> bool:
        return await self._sql.run("delete_pause", country=country) == 1

    # ── the audit log ─────────────────────────────────────────────────────────────────
    async def add_event(self, event_id: str, event: Event, now: int) -> None:
        await self._sql.run(
            "add_event",
            id=event_id,
            at=now,
            event=event.name,
            outcome=event.outcome,
            bucket=event.bucket,
            subject=event.subject,
            network=event.network,
            client_id=event.client_id,
            user_id=event.user_id,
            details=_to_json(event.details),
        )

    async def events(
        self, since: int, most: int, *, subject: str = "", name: str = ""
    ) -> list[Recorded]:
        found = await self._sql.rows("events", since=since, most=most, subject=subject, event=name)
        return [_recorded(row) for row in found]

    # ── devices ───────────────────────────────────────────────────────────────────────
    async def add_device(self, client_id: str, user_id: str, now: int) -> None:
        await self._sql.run("add_device", client_id=client_id, user_id=user_id, now=now)

    async def is_known_device(self, client_id: str, address: Address) -> bool:
        found = await self._sql.rows(
            "is_known_device",
            client_id=client_id,
            kind=str(address.kind),
            value=address.value,
            most=KNOWN_DEVICES,
        )
        return bool(found)

    async def has_been_here(self, client_id: str, user_id: str) -> bool:
        found = await self._sql.rows(
            "has_been_here", client_id=client_id, user_id=user_id, most=KNOWN_DEVICES
        )
        return bool(found)
