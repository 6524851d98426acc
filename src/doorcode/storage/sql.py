"""The storage interface, written once over `queries.sql`.

An engine brings a `Statements`: it runs a named statement and returns its rows. Rows
become the values of `domain/` here and nowhere else.
"""

from __future__ import annotations

import re
from importlib import resources

from doorcode.domain.addresses import Address
from doorcode.domain.client import Client, DevBrowser
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_up import SignUp
from doorcode.domain.verification import Code, Verification
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.storage import rows
from doorcode.storage.interface import SealedKey
from doorcode.storage.sql_accounts import AccountStatements
from doorcode.storage.sql_limits import LimitStatements
from doorcode.storage.sql_post import PostStatements

CLEANING = (
    "expire_messages",
    "delete_old_messages",
    "delete_old_steps",
    "delete_expired_codes",
    "delete_expired_verifications",
    "delete_expired_sign_ups",
    "delete_expired_sign_ins",
    "delete_old_guesses",
    "delete_old_sends",
    "delete_old_tallies",
    "delete_old_devices",
    "delete_old_events",
    "delete_expired_handshakes",
    "delete_expired_dev_browsers",
    "delete_old_sessions",
    "delete_expired_reverifications",
    "delete_old_tickets",
    "delete_old_waitlist_entries",
    "delete_former_signing_keys",
    "delete_idle_clients",
)


def load_queries() -> dict[str, str]:
    """The statements of `queries.sql` by name."""
    text = resources.files("doorcode.storage").joinpath("queries.sql").read_text("utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    names, bodies = parts[::2], parts[1::2]
    return {
        name: re.sub(r"^--.*\n", "", body, flags=re.MULTILINE).strip().rstrip(";")
        for name, body in zip(names, bodies, strict=True)
    }


class SqlTransaction(AccountStatements, LimitStatements, PostStatements):
    """A unit of work over statements (see `interface.Transaction` for what each promises)."""

    # ── clients ───────────────────────────────────────────────────────────────────────
    async def add_client(self, client: Client, digest: bytes) -> None:
        await self._sql.run("add_client", digest=digest, **rows.client_values(client))

    async def client_by_digest(self, digest: bytes) -> Client | None:
        row = await self._one("client_by_digest", digest=digest)
        return Client(*row) if row else None

    async def lock_client(self, client_id: str) -> Client | None:
        row = await self._one("client", id=client_id)
        return Client(*row) if row else None

    async def save_client(self, client: Client) -> None:
        await self._sql.run("save_client", **rows.client_values(client))

    async def remember_human(self, client_id: str, until: int) -> None:
        await self._sql.run("remember_human", id=client_id, until=until)

    async def use_human(self, client_id: str, now: int) -> bool:
        return await self._sql.run("use_human", id=client_id, now=now) == 1

    async def rotate_client(self, client_id: str, digest: bytes) -> None:
        await self._sql.run("rotate_client", id=client_id, digest=digest)

    async def delete_client(self, client_id: str) -> None:
        await self._sql.run("delete_devices_of_client", id=client_id)
        await self._sql.run("delete_client", id=client_id)

    async def add_dev_browser(self, digest: bytes, browser: DevBrowser) -> None:
        await self._sql.run(
            "add_dev_browser",
            digest=digest,
            client_id=browser.client_id,
            expires_at=browser.expires_at,
        )

    async def dev_browser(self, digest: bytes) -> DevBrowser | None:
        row = await self._one("dev_browser", digest=digest)
        return DevBrowser(*row) if row else None

    async def attach_dev_browser(self, digest: bytes, client_id: str) -> None:
        await self._sql.run("attach_dev_browser", digest=digest, client_id=client_id)

    # ── attempts ──────────────────────────────────────────────────────────────────────
    async def add_sign_up(self, sign_up: SignUp) -> None:
        await self._sql.run("add_sign_up", **rows.sign_up_values(sign_up))

    async def sign_up(self, sign_up_id: str) -> SignUp | None:
        row = await self._one("sign_up", id=sign_up_id)
        if row is None:
            return None
        verifications = await self._sql.rows("verifications_of_attempt", attempt_id=sign_up_id)
        return rows.to_sign_up(row, tuple(rows.to_verification(one) for one in verifications))

    async def save_sign_up(self, sign_up: SignUp) -> None:
        await self._sql.run("save_sign_up", **rows.sign_up_values(sign_up))

    async def add_sign_in(self, sign_in: SignIn) -> None:
        await self._sql.run("add_sign_in", **rows.sign_in_values(sign_in))

    async def sign_in(self, sign_in_id: str) -> SignIn | None:
        row = await self._one("sign_in", id=sign_in_id)
        if row is None:
            return None
        return rows.to_sign_in(
            row, await self.verification_by_id(row[10]), await self.verification_by_id(row[12])
        )

    async def save_sign_in(self, sign_in: SignIn) -> None:
        await self._sql.run("save_sign_in", **rows.sign_in_values(sign_in))

    # ── verifications and codes ───────────────────────────────────────────────────────
    async def verification_by_id(self, verification_id: str | None) -> Verification | None:
        if verification_id is None:
            return None
        row = await self._one("verification", id=verification_id)
        return rows.to_verification(row) if row else None

    async def add_verification(self, verification: Verification, delete_at: int) -> None:
        earlier = await self.verification_of(verification.attempt_id, verification.address)
        if earlier:
            await self._sql.run("delete_codes", verification_id=earlier.id)
            await self._sql.run(
                "cancel_messages", attempt_id=earlier.attempt_id, verification_id=earlier.id
            )
            await self._sql.run("delete_verification_of", **rows.place(earlier))
        await self._sql.run(
            "add_verification",
            **rows.place(verification),
            id=verification.id,
            address_spelling=verification.address.spelling,
            address_is_test=int(verification.address.is_test),
            channel=str(verification.channel),
            status=str(verification.status),
            attempts=verification.attempts,
            sent_at=verification.sent_at,
            expires_at=verification.expires_at,
            delete_at=delete_at,
        )

    async def verification_of(self, attempt_id: str, address: Address) -> Verification | None:
        row = await self._one(
            "verification_of",
            attempt_id=attempt_id,
            address_kind=str(address.kind),
            address_value=address.value,
        )
        return rows.to_verification(row) if row else None

    async def count_try(self, verification_id: str, most: int, now: int) -> int | None:
        row = await self._one("count_try", id=verification_id, most=most, now=now)
        return row[0] if row else None

    async def settle(self, verification_id: str, status: VerificationStatus) -> bool:
        if not await self._sql.run("settle", id=verification_id, status=str(status)):
            return False
        await self._sql.run("delete_codes", verification_id=verification_id)
        return True

    async def extend(self, verification: Verification) -> None:
        await self._sql.run(
            "extend",
            id=verification.id,
            channel=str(verification.channel),
            sent_at=verification.sent_at,
            expires_at=verification.expires_at,
        )

    async def add_code(self, verification_id: str, code: Code, keep: int) -> None:
        await self._sql.run(
            "add_code",
            verification_id=verification_id,
            digest=code.digest,
            key_version=code.key_version,
            expires_at=code.expires_at,
        )
        await self._sql.run("trim_codes", verification_id=verification_id, keep=keep)

    async def codes(self, verification_id: str) -> list[Code]:
        found = await self._sql.rows("codes", verification_id=verification_id)
        return [Code(*row) for row in found]

    async def retire_attempt(self, attempt_id: str) -> None:
        await self._sql.run("cancel_messages_of_attempt", attempt_id=attempt_id)
        await self._sql.run("delete_codes_of_attempt", attempt_id=attempt_id)
        await self._sql.run("delete_verifications_of_attempt", attempt_id=attempt_id)

    # ── keys and settings of the instance ─────────────────────────────────────────────
    async def setting(self, name: str) -> bytes | None:
        row = await self._one("setting", setting=name)
        return row[0] if row else None

    async def save_setting(self, name: str, value: bytes) -> None:
        await self._sql.run("save_setting", setting=name, value=value)

    async def signing_keys(self) -> list[SealedKey]:
        return [SealedKey(*row) for row in await self._sql.rows("signing_keys")]

    async def save_signing_key(self, key: SealedKey) -> None:
        await self._sql.run(
            "save_signing_key",
            id=key.id,
            sealed=key.sealed,
            created_at=key.created_at,
            signs_from=key.signs_from,
        )

    async def delete_signing_key(self, key_id: str) -> None:
        await self._sql.run("delete_signing_key", id=key_id)

    async def add_secret_key(self, digest: bytes, hint: str, now: int) -> None:
        await self._sql.run("add_secret_key", digest=digest, hint=hint, created_at=now)

    async def secret_key_digests(self) -> list[bytes]:
        return [row[0] for row in await self._sql.rows("secret_key_digests")]

    async def secret_keys(self) -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in await self._sql.rows("secret_keys")]

    async def revoke_secret_key(self, hint: str) -> bool:
        return await self._sql.run("revoke_secret_key", hint=hint) == 1

    # ── handshakes ────────────────────────────────────────────────────────────────────
    async def add_handshake(self, digest: bytes, sealed: bytes, expires_at: int) -> None:
        await self._sql.run("add_handshake", digest=digest, sealed=sealed, expires_at=expires_at)

    async def handshake(self, digest: bytes, now: int) -> bytes | None:
        row = await self._one("handshake", digest=digest, now=now)
        return row[0] if row else None

    # ── cleaning ──────────────────────────────────────────────────────────────────────
    async def delete_expired(self, now: int, most: int) -> int:
        await self._sql.run("delete_old_money", now=now)  # a row for each country and day
        return sum([await self._sql.run(name, now=now, most=most) for name in CLEANING])
