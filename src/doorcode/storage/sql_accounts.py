"""The half of the storage interface that is about accounts: users, sessions, tickets.

See `interface.Transaction` for what each method promises, `sql.py` for the other half.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from doorcode.domain.addresses import Address
from doorcode.domain.reverification import Reverification
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.ticket import Listing, Ticket, TicketStatus, WaitlistEntry, WaitlistStatus
from doorcode.domain.user import OwnedAddress, User
from doorcode.storage import rows
from doorcode.storage.rows import Row


class Statements(Protocol):
    """How an engine runs a statement of `queries.sql`."""

    async def rows(self, name: str, **values: Any) -> list[Row]:
        """All rows that it returns, in the order of its columns."""

    async def run(self, name: str, **values: Any) -> int:
        """How many rows it changed."""

    async def run_each(self, name: str, values: list[dict[str, Any]]) -> None:
        """The same once for each of several values."""


class AccountStatements:
    """What is done with accounts, over statements of `queries.sql`."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def _one(self, name: str, **values: Any) -> Row | None:
        found = await self._sql.rows(name, **values)
        return found[0] if found else None

    # ── users ─────────────────────────────────────────────────────────────────────────
    async def add_user(self, user: User) -> None:
        await self._sql.run("add_user", **rows.user_values(user))
        for owned in user.addresses:
            await self._sql.run("add_address", **rows.owned_values(owned))

    async def user(self, user_id: str) -> User | None:
        return await self._user(user_id, pending=True)

    async def _user(self, user_id: str, *, pending: bool) -> User | None:
        row = await self._one("user", id=user_id)
        if row is None:
            return None
        found = await self._sql.rows("addresses_of_user", user_id=user_id)
        owned = [await self._with_verification(rows.to_owned_address(one)) for one in found]
        if pending and row[14]:
            found = await self._sql.rows("pending_addresses_of_user", user_id=user_id)
            owned += [await self._with_verification(rows.to_pending_address(one)) for one in found]
        return rows.to_user(row, tuple(owned))

    async def _with_verification(self, owned: OwnedAddress) -> OwnedAddress:
        if owned.is_verified:
            return owned
        asked = await self._one(
            "verification_of",
            attempt_id=owned.id,
            address_kind=str(owned.address.kind),
            address_value=owned.address.value,
        )
        return replace(owned, verification=rows.to_verification(asked) if asked else None)

    async def lock_user(self, user_id: str) -> User | None:
        return await self.user(user_id)

    async def user_by_address(self, address: Address, *, evenly: bool = False) -> User | None:
        place = {"kind": str(address.kind), "value": address.value}
        if evenly:
            row = await self._one("user_id_by_address_or_any", **place)
        else:
            row = await self._one("user_id_by_address", **place)
        user = await self._user(row[0], pending=not evenly) if row else None
        return user if row and row[1] else None

    async def lock_mailbox(self, mailbox: str) -> list[OwnedAddress]:
        found = await self._sql.rows("addresses_of_mailbox", base=mailbox)
        return [rows.to_owned_address(one) for one in found]

    async def user_by_username(self, value: str) -> User | None:
        row = await self._one("user_id_by_username", value=value)
        return await self.user(row[0]) if row else None

    async def user_signed_in(self, user_id: str, now: int) -> None:
        await self._sql.run("user_signed_in", id=user_id, now=now)

    async def save_user(self, user: User) -> None:
        await self._sql.run("save_user", **rows.user_values(user))

    async def delete_user(self, user_id: str) -> bool:
        await self._sql.run("delete_messages_of_user", id=user_id)
        return await self._sql.run("delete_user", id=user_id) == 1

    # ── addresses of an account ───────────────────────────────────────────────────────
    async def add_pending_address(self, owned: OwnedAddress) -> None:
        values = rows.owned_values(owned)
        for name in ("verified_at", "strategy", "reserved", "is_default", "base"):
            del values[name]
        await self._sql.run("add_pending_address", **values)

    async def claim_address(self, owned: OwnedAddress) -> None:
        # One that came with a sign-up which asked for no proof is theirs already.
        claimed = await self._sql.run("delete_pending_address", id=owned.id)
        await self._sql.run(
            "add_address" if claimed else "save_address", **rows.owned_values(owned)
        )

    async def release_addresses(self, user_id: str) -> None:
        await self._sql.run("release_addresses", user_id=user_id)
        await self._sql.run("delete_unproved_addresses", user_id=user_id)

    async def save_address(self, owned: OwnedAddress) -> None:
        await self._sql.run("save_address", **rows.owned_values(owned))

    async def delete_address(self, address_id: str) -> bool:
        deleted = await self._sql.run("delete_address", id=address_id)
        return deleted + await self._sql.run("delete_pending_address", id=address_id) == 1

    # ── backup codes and pictures ─────────────────────────────────────────────────────
    async def replace_backup_codes(self, user_id: str, digests: list[bytes]) -> None:
        await self._sql.run("delete_backup_codes", user_id=user_id)
        for digest in digests:
            await self._sql.run("add_backup_code", user_id=user_id, digest=digest)

    async def use_backup_code(self, user_id: str, digest: bytes, now: int) -> bool:
        used = await self._sql.run("use_backup_code", user_id=user_id, digest=digest, now=now)
        return used == 1

    async def set_image(self, user_id: str, image: tuple[str, str, bytes] | None, now: int) -> None:
        await self._sql.run("delete_images", user_id=user_id)
        await self._sql.run("set_image", id=user_id, image_id=image[0] if image else None, now=now)
        if image:
            image_id, kind, content = image
            await self._sql.run(
                "add_image", id=image_id, user_id=user_id, type=kind, bytes=content, now=now
            )

    async def image(self, image_id: str) -> tuple[str, bytes] | None:
        row = await self._one("image", id=image_id)
        return (row[0], row[1]) if row else None

    # ── sessions ──────────────────────────────────────────────────────────────────────
    async def add_session(self, session: Session) -> None:
        await self._sql.run("add_session", **rows.session_values(session))

    async def session(self, session_id: str) -> Session | None:
        row = await self._one("session", id=session_id)
        return rows.to_session(row) if row else None

    async def live_sessions(self, client_id: str, now: int) -> list[Session]:
        found = await self._sql.rows("live_sessions", client_id=client_id, now=now)
        return [rows.to_session(row) for row in found]

    async def sessions_of_user(self, user_id: str, now: int) -> list[Session]:
        found = await self._sql.rows("sessions_of_user", user_id=user_id, now=now)
        return [rows.to_session(row) for row in found]

    async def end_session(self, session_id: str, status: SessionStatus, now: int) -> bool:
        return await self._sql.run("end_session", id=session_id, status=str(status), now=now) == 1

    async def end_sessions_of_user(self, user_id: str, status: SessionStatus, now: int) -> int:
        return await self._sql.run(
            "end_sessions_of_user", user_id=user_id, status=str(status), now=now
        )

    async def touch_session(self, session_id: str, now: int) -> None:
        await self._sql.run("touch_session", id=session_id, now=now)

    async def activate_session(self, session_id: str, now: int) -> bool:
        return await self._sql.run("activate_session", id=session_id, now=now) == 1

    async def save_factor_times(self, session: Session) -> None:
        await self._sql.run(
            "save_factor_times",
            id=session.id,
            first_factor_at=session.first_factor_at,
            second_factor_at=session.second_factor_at,
            now=session.updated_at,
        )

    # ── reverifications ───────────────────────────────────────────────────────────────
    async def save_reverification(self, one: Reverification) -> None:
        await self._sql.run("save_reverification", **rows.reverification_values(one))

    async def reverification(self, session_id: str) -> Reverification | None:
        row = await self._one("reverification", session_id=session_id)
        if row is None:
            return None
        asked = [await self._one("verification", id=one) if one else None for one in row[4:6]]
        first, second = (rows.to_verification(one) if one else None for one in asked)
        return rows.to_reverification(row, first, second)

    # ── tickets and the waitlist ──────────────────────────────────────────────────────
    async def add_ticket(self, ticket: Ticket) -> None:
        await self._sql.run("add_ticket", **rows.ticket_values(ticket))

    async def ticket(self, ticket_id: str) -> Ticket | None:
        row = await self._one("ticket", id=ticket_id)
        return rows.to_ticket(row) if row else None

    async def settle_ticket(self, ticket_id: str, status: TicketStatus, now: int) -> bool:
        return await self._sql.run("settle_ticket", id=ticket_id, status=str(status), now=now) == 1

    async def invitations(self, wanted: Listing, now: int) -> tuple[list[Ticket], int]:
        chosen = {"status": wanted.status, "now": now, **_searched(wanted)}
        found = await self._sql.rows("invitations", **chosen, **_page(wanted))
        count = await self._one("count_invitations", **chosen)
        return [rows.to_ticket(row) for row in found], count[0] if count else 0

    async def tickets_of_email(self, email: Address) -> list[Ticket]:
        found = await self._sql.rows("tickets_of_email", email_value=email.value)
        return [rows.to_ticket(row) for row in found]

    async def add_waitlist_entry(self, entry: WaitlistEntry) -> None:
        await self._sql.run(
            "add_waitlist_entry",
            id=entry.id,
            email_value=entry.email.value,
            email_spelling=entry.email.spelling,
            status=str(entry.status),
            created_at=entry.created_at,
            updated_at=entry.updated_at,
        )

    async def save_waitlist_entry(self, entry: WaitlistEntry, was: WaitlistStatus) -> bool:
        saved = await self._sql.run(
            "save_waitlist_entry",
            id=entry.id,
            was=str(was),
            status=str(entry.status),
            invitation_id=entry.invitation_id,
            updated_at=entry.updated_at,
        )
        return saved == 1

    async def delete_waitlist_entry(self, entry_id: str) -> bool:
        return await self._sql.run("delete_waitlist_entry", id=entry_id) == 1

    async def waitlist_entry(self, entry_id: str) -> WaitlistEntry | None:
        row = await self._one("waitlist_entry", id=entry_id)
        return rows.to_waitlist_entry(row) if row else None

    async def waitlist_entry_of(self, email: Address) -> WaitlistEntry | None:
        row = await self._one("waitlist_entry_of", email_value=email.value)
        return rows.to_waitlist_entry(row) if row else None

    async def count_waitlist_entries(self) -> int:
        row = await self._one("count_waitlist")
        return row[0] if row else 0

    async def waitlist_entries(self, wanted: Listing) -> tuple[list[WaitlistEntry], int]:
        chosen = {"status": wanted.status, **_searched(wanted)}
        found = await self._sql.rows("waitlist_entries", **chosen, **_page(wanted))
        count = await self._one("count_waitlist_entries", **chosen)
        return [rows.to_waitlist_entry(row) for row in found], count[0] if count else 0


def _searched(wanted: Listing) -> dict[str, Any]:
    """The text as an id, and as a pattern of LIKE in which it stands for itself."""
    text = wanted.text
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return {"text": wanted.text, "pattern": f"%{text.lower()}%"}


def _page(wanted: Listing) -> dict[str, Any]:
    sign = "-" if wanted.descending else "+"
    return {"order": sign + wanted.order, "most": wanted.most, "skip": wanted.skip}
