"""The storage interface, written once over `queries.sql`.

An engine brings a `Statements`: it runs a named statement and returns its rows. Rows
become the values of `domain/` here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from typing import Any, Protocol

import msgspec

from doorcode.domain.addresses import Address, Kind
from doorcode.domain.client import Client, DevBrowser
from doorcode.domain.message import Message
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_in import Status as SignInStatus
from doorcode.domain.sign_up import Profile, SignUp
from doorcode.domain.sign_up import Status as SignUpStatus
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Code, Verification
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.storage.interface import SealedKey

Row = Sequence[Any]
_profiles = msgspec.json.Decoder(Profile)
_to_json = msgspec.json.Encoder().encode

CLEANING = (
    "expire_messages",
    "delete_old_messages",
    "delete_expired_codes",
    "delete_expired_verifications",
    "delete_expired_sign_ups",
    "delete_expired_sign_ins",
    "delete_old_guesses",
    "delete_expired_handshakes",
    "delete_expired_dev_browsers",
    "delete_old_sessions",
    "delete_idle_clients",
)


class Statements(Protocol):
    """How an engine runs a statement of `queries.sql`."""

    async def rows(self, name: str, **values: Any) -> list[Row]:
        """All rows that it returns, in the order of its columns."""

    async def run(self, name: str, **values: Any) -> int:
        """How many rows it changed."""


def load_queries() -> dict[str, str]:
    """The statements of `queries.sql` by name."""
    text = resources.files("doorcode.storage").joinpath("queries.sql").read_text("utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    names, bodies = parts[::2], parts[1::2]
    return {
        name: re.sub(r"^--.*\n", "", body, flags=re.MULTILINE).strip().rstrip(";")
        for name, body in zip(names, bodies, strict=True)
    }


class SqlTransaction:
    """A unit of work over statements (see `interface.Transaction` for what each promises)."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def _one(self, name: str, **values: Any) -> Row | None:
        rows = await self._sql.rows(name, **values)
        return rows[0] if rows else None

    # ── clients ───────────────────────────────────────────────────────────────────────
    async def add_client(self, client: Client, digest: bytes) -> None:
        await self._sql.run("add_client", digest=digest, **_client_values(client))

    async def client_by_digest(self, digest: bytes) -> Client | None:
        row = await self._one("client_by_digest", digest=digest)
        return Client(*row) if row else None

    async def lock_client(self, client_id: str) -> Client | None:
        row = await self._one("client", id=client_id)
        return Client(*row) if row else None

    async def save_client(self, client: Client) -> None:
        await self._sql.run("save_client", **_client_values(client))

    async def rotate_client(self, client_id: str, digest: bytes) -> None:
        await self._sql.run("rotate_client", id=client_id, digest=digest)

    async def delete_client(self, client_id: str) -> None:
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
        await self._sql.run("add_sign_up", **_sign_up_values(sign_up))

    async def sign_up(self, sign_up_id: str) -> SignUp | None:
        row = await self._one("sign_up", id=sign_up_id)
        if row is None:
            return None
        verifications = await self._sql.rows("verifications_of_attempt", attempt_id=sign_up_id)
        return _sign_up(row, tuple(_verification(one) for one in verifications))

    async def save_sign_up(self, sign_up: SignUp) -> None:
        await self._sql.run("save_sign_up", **_sign_up_values(sign_up))

    async def add_sign_in(self, sign_in: SignIn) -> None:
        await self._sql.run("add_sign_in", **_sign_in_values(sign_in))

    async def sign_in(self, sign_in_id: str) -> SignIn | None:
        row = await self._one("sign_in", id=sign_in_id)
        if row is None:
            return None
        found = await self._one("verification", id=row[10]) if row[10] else None
        return _sign_in(row, _verification(found) if found else None)

    async def save_sign_in(self, sign_in: SignIn) -> None:
        await self._sql.run("save_sign_in", **_sign_in_values(sign_in))

    # ── verifications and codes ───────────────────────────────────────────────────────
    async def add_verification(self, verification: Verification, delete_at: int) -> None:
        earlier = await self.verification_of(verification.attempt_id, verification.address)
        if earlier:
            await self._sql.run("delete_codes", verification_id=earlier.id)
            await self._sql.run(
                "cancel_messages", attempt_id=earlier.attempt_id, verification_id=earlier.id
            )
            await self._sql.run("delete_verification_of", **_place(earlier))
        await self._sql.run(
            "add_verification",
            **_place(verification),
            id=verification.id,
            address_spelling=verification.address.spelling,
            address_is_test=int(verification.address.is_test),
            channel=verification.channel,
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
        return _verification(row) if row else None

    async def count_try(self, verification_id: str, most: int, now: int) -> int | None:
        row = await self._one("count_try", id=verification_id, most=most, now=now)
        return row[0] if row else None

    async def settle(self, verification_id: str, status: VerificationStatus) -> bool:
        if not await self._sql.run("settle", id=verification_id, status=str(status)):
            return False
        await self._sql.run("delete_codes", verification_id=verification_id)
        return True

    async def extend(self, verification_id: str, sent_at: int, expires_at: int) -> None:
        await self._sql.run("extend", id=verification_id, sent_at=sent_at, expires_at=expires_at)

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
        rows = await self._sql.rows("codes", verification_id=verification_id)
        return [Code(*row) for row in rows]

    async def retire_attempt(self, attempt_id: str) -> None:
        await self._sql.run("cancel_messages_of_attempt", attempt_id=attempt_id)
        await self._sql.run("delete_codes_of_attempt", attempt_id=attempt_id)
        await self._sql.run("delete_verifications_of_attempt", attempt_id=attempt_id)

    # ── guesses ───────────────────────────────────────────────────────────────────────
    async def spend_guess(
        self, guess_id: str, address: Address, most: int, since: int, now: int
    ) -> bool:
        spent = await self._sql.run(
            "spend_guess", id=guess_id, address=_name(address), most=most, since=since, now=now
        )
        return spent == 1

    async def refund_guess(self, guess_id: str) -> None:
        await self._sql.run("refund_guess", id=guess_id)

    async def nth_latest_guess(self, address: Address, nth: int, since: int) -> int | None:
        row = await self._one("nth_latest_guess", address=_name(address), nth=nth, since=since)
        return row[0] if row else None

    # ── users ─────────────────────────────────────────────────────────────────────────
    async def add_user(self, user: User) -> None:
        await self._sql.run(
            "add_user",
            id=user.id,
            profile=_to_json(user.profile),
            created_at=user.created_at,
            updated_at=user.updated_at,
            last_sign_in_at=user.last_sign_in_at,
            last_active_at=user.last_active_at,
            primary_phone_id=user.primary_phone_id,
            primary_email_id=user.primary_email_id,
            banned=int(user.banned),
        )
        for owned in user.addresses:
            await self._sql.run("add_address", **_owned_values(owned))

    async def user(self, user_id: str) -> User | None:
        row = await self._one("user", id=user_id)
        if row is None:
            return None
        owned = await self._sql.rows("addresses_of_user", user_id=user_id)
        return _user(row, tuple(_owned_address(one) for one in owned))

    async def user_by_address(self, address: Address) -> User | None:
        row = await self._one("user_id_by_address", kind=str(address.kind), value=address.value)
        return await self.user(row[0]) if row else None

    async def user_signed_in(self, user_id: str, now: int) -> None:
        await self._sql.run("user_signed_in", id=user_id, now=now)

    # ── sessions ──────────────────────────────────────────────────────────────────────
    async def add_session(self, session: Session) -> None:
        await self._sql.run(
            "add_session",
            id=session.id,
            client_id=session.client_id,
            user_id=session.user_id,
            status=str(session.status),
            created_at=session.created_at,
            updated_at=session.updated_at,
            last_active_at=session.last_active_at,
            expire_at=session.expire_at,
            abandon_at=session.abandon_at,
        )

    async def session(self, session_id: str) -> Session | None:
        row = await self._one("session", id=session_id)
        return _session(row) if row else None

    async def live_sessions(self, client_id: str, now: int) -> list[Session]:
        rows = await self._sql.rows("live_sessions", client_id=client_id, now=now)
        return [_session(row) for row in rows]

    async def end_session(self, session_id: str, status: SessionStatus, now: int) -> bool:
        return await self._sql.run("end_session", id=session_id, status=str(status), now=now) == 1

    async def touch_session(self, session_id: str, now: int) -> None:
        await self._sql.run("touch_session", id=session_id, now=now)

    # ── outbox ────────────────────────────────────────────────────────────────────────
    async def add_message(self, message: Message) -> None:
        await self._sql.run(
            "add_message",
            id=message.id,
            verification_id=message.verification_id,
            channel=message.channel,
            recipient=message.recipient,
            is_test=int(message.is_test),
            sealed=message.sealed,
            created_at=message.created_at,
            expires_at=message.expires_at,
        )

    async def lease_messages(self, now: int, until: int, most: int) -> list[Message]:
        rows = await self._sql.rows("lease_messages", now=now, until=until, most=most)
        return sorted((_message(row) for row in rows), key=lambda message: message.created_at)

    async def lease_message(self, message_id: str, now: int, until: int) -> Message | None:
        row = await self._one("lease_message", id=message_id, now=now, until=until)
        return _message(row) if row else None

    async def message_delivered(self, message_id: str, now: int) -> bool:
        return await self._sql.run("message_delivered", id=message_id, now=now) == 1

    async def message_deferred(self, message: Message, retry_at: int, why: str) -> None:
        lease = {"id": message.id, "attempts": message.attempts}
        await self._sql.run("message_deferred", **lease, retry_at=retry_at, why=why)

    async def message_failed(self, message: Message, why: str) -> None:
        lease = {"id": message.id, "attempts": message.attempts}
        await self._sql.run("message_failed", **lease, why=why)

    async def next_message_at(self) -> int | None:
        row = await self._one("next_message_at")
        return row[0] if row else None

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
            "save_signing_key", id=key.id, sealed=key.sealed, created_at=key.created_at
        )

    async def add_secret_key(self, digest: bytes, hint: str, now: int) -> None:
        await self._sql.run("add_secret_key", digest=digest, hint=hint, created_at=now)

    async def has_secret_key(self, digest: bytes) -> bool:
        return await self._one("has_secret_key", digest=digest) is not None

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
        return sum([await self._sql.run(name, now=now, most=most) for name in CLEANING])


# ── values into columns ───────────────────────────────────────────────────────────────
def _name(address: Address) -> str:
    return f"{address.kind}:{address.value}"


def _place(verification: Verification) -> dict[str, Any]:
    return {
        "attempt_id": verification.attempt_id,
        "address_kind": str(verification.address.kind),
        "address_value": verification.address.value,
    }


def _client_values(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
        "sign_up_id": client.sign_up_id,
        "sign_in_id": client.sign_in_id,
        "last_active_session_id": client.last_active_session_id,
        "last_strategy": client.last_strategy,
    }


def _sign_up_values(sign_up: SignUp) -> dict[str, Any]:
    phone, email = sign_up.phone, sign_up.email
    return {
        "id": sign_up.id,
        "client_id": sign_up.client_id,
        "status": str(sign_up.status),
        "created_at": sign_up.created_at,
        "abandon_at": sign_up.abandon_at,
        "phone_value": phone.value if phone else None,
        "phone_is_test": int(phone is not None and phone.is_test),
        "email_value": email.value if email else None,
        "email_spelling": email.spelling if email else None,
        "email_is_test": int(email is not None and email.is_test),
        "profile": _to_json(sign_up.profile),
        "created_user_id": sign_up.created_user_id,
        "created_session_id": sign_up.created_session_id,
    }


def _sign_in_values(sign_in: SignIn) -> dict[str, Any]:
    typed = sign_in.identifier
    return {
        "id": sign_in.id,
        "client_id": sign_in.client_id,
        "status": str(sign_in.status),
        "created_at": sign_in.created_at,
        "abandon_at": sign_in.abandon_at,
        "identifier_kind": str(typed.kind) if typed else None,
        "identifier_value": typed.value if typed else None,
        "identifier_spelling": typed.spelling if typed else None,
        "identifier_is_test": int(typed is not None and typed.is_test),
        "user_id": sign_in.user_id,
        "verification_id": sign_in.verification.id if sign_in.verification else None,
        "created_session_id": sign_in.created_session_id,
    }


def _owned_values(owned: OwnedAddress) -> dict[str, Any]:
    return {
        "id": owned.id,
        "user_id": owned.user_id,
        "kind": str(owned.address.kind),
        "value": owned.address.value,
        "spelling": owned.address.spelling,
        "is_test": int(owned.address.is_test),
        "verified_at": owned.verified_at,
        "created_at": owned.created_at,
        "updated_at": owned.updated_at,
    }


# ── columns into values ───────────────────────────────────────────────────────────────
def _address(kind: str, value: str, spelling: str, is_test: int) -> Address:
    return Address(Kind(kind), value, spelling, bool(is_test))


def _sign_up(row: Row, verifications: tuple[Verification, ...]) -> SignUp:
    phone = Address(Kind.PHONE, row[5], row[5], bool(row[6])) if row[5] else None
    email = Address(Kind.EMAIL, row[7], row[8], bool(row[9])) if row[7] else None
    return SignUp(
        id=row[0],
        client_id=row[1],
        status=SignUpStatus(row[2]),
        created_at=row[3],
        abandon_at=row[4],
        phone=phone,
        email=email,
        profile=_profiles.decode(row[10]),
        verifications=verifications,
        created_user_id=row[11],
        created_session_id=row[12],
    )


def _sign_in(row: Row, verification: Verification | None) -> SignIn:
    return SignIn(
        id=row[0],
        client_id=row[1],
        status=SignInStatus(row[2]),
        created_at=row[3],
        abandon_at=row[4],
        identifier=_address(*row[5:9]) if row[5] else None,
        user_id=row[9],
        verification=verification,
        created_session_id=row[11],
    )


def _verification(row: Row) -> Verification:
    return Verification(
        id=row[0],
        attempt_id=row[1],
        address=_address(*row[2:6]),
        channel=row[6],
        status=VerificationStatus(row[7]),
        attempts=row[8],
        sent_at=row[9],
        expires_at=row[10],
    )


def _user(row: Row, addresses: tuple[OwnedAddress, ...]) -> User:
    return User(
        id=row[0],
        profile=_profiles.decode(row[1]),
        addresses=addresses,
        created_at=row[2],
        updated_at=row[3],
        last_sign_in_at=row[4],
        last_active_at=row[5],
        primary_phone_id=row[6],
        primary_email_id=row[7],
        banned=bool(row[8]),
    )


def _owned_address(row: Row) -> OwnedAddress:
    return OwnedAddress(row[0], row[1], _address(*row[2:6]), row[6], row[7], row[8])


def _session(row: Row) -> Session:
    return Session(row[0], row[1], row[2], SessionStatus(row[3]), *row[4:9])


def _message(row: Row) -> Message:
    return Message(row[0], row[1], row[2], row[3], bool(row[4]), *row[5:9])
