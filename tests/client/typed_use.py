"""What a user's type checker must accept and refuse; read by mypy, never run.

A line that must be refused carries an ignore: mypy in strict mode complains of one without cause.
"""

from __future__ import annotations

from typing import assert_type

from doorcode.client import (
    AsyncClient,
    AsyncDriver,
    BackupCodes,
    Client,
    EmailAddress,
    PhoneNumber,
    Problem,
    Result,
    Session,
    SessionVerification,
    SessionWithActivities,
    SyncDriver,
    User,
)


def blocking(client: Client) -> None:
    assert_type(client.sign_up.create(phone_number="+14155552671"), Result)
    assert_type(client.sign_up.verifications.verify_phone_code(code="424242"), Result)
    assert_type(client.sign_in.phone_code.send_code(phone_number="+14155552671"), Result)
    assert_type(client.get_token(), str | None)
    assert_type(client.user, User[SyncDriver] | None)
    assert_type(client.sessions, tuple[Session[SyncDriver], ...])
    assert_type(client.set_active(client.sessions[0]), Result)
    assert_type(client.sign_in.mfa.send_phone_code(), Result)
    assert_type(client.sign_in.existing_session, Session[SyncDriver] | None)
    assert_type(client.waitlist.join(email_address="ada@example.com"), Result)
    assert_type(client.waitlist.errors.fields.email_address, Problem | None)
    assert_type(client.sign_up.errors.fields.phone_number, Problem | None)
    assert_type(client.sign_in.errors.fields.identifier, Problem | None)
    client.sign_up.finalize(navigate=lambda session: print(session.id))


def acting(user: User[SyncDriver], session: Session[SyncDriver]) -> None:
    user.update(first_name="Ada", last_name=None, unsafe_metadata={"plan": "free"})
    user.delete()
    assert_type(user.create_phone_number(phone_number="+14155552671"), PhoneNumber[SyncDriver])
    assert_type(user.primary_email_address, EmailAddress[SyncDriver] | None)
    assert_type(user.create_backup_code(), BackupCodes)
    assert_type(user.get_sessions(), tuple[SessionWithActivities[SyncDriver], ...])
    user.phone_numbers[0].set_reserved_for_second_factor(reserved=True)
    assert_type(session.get_token(), str | None)
    assert_type(session.start_verification(level="second_factor"), SessionVerification)


async def acting_and_awaiting(user: User[AsyncDriver], session: Session[AsyncDriver]) -> None:
    await user.update(first_name="Ada")
    phone = await user.create_phone_number(phone_number="+14155552671")
    assert_type(phone, PhoneNumber[AsyncDriver])
    await phone.attempt_verification(code="424242")
    assert_type(await user.get_sessions(), tuple[SessionWithActivities[AsyncDriver], ...])
    assert_type(await session.start_verification(level="first_factor"), SessionVerification)
    user.delete()  # type: ignore[unused-coroutine]
    await user.update(firstName="Ada")  # type: ignore[call-arg]
    await session.start_verification(level="third")  # type: ignore[arg-type]
    phone.phone_number = "+14155552672"  # type: ignore[misc]


async def awaiting(client: AsyncClient) -> None:
    assert_type(await client.sign_up.create(email_address="ada@example.com"), Result)
    assert_type(await client.sign_up.email_code.verify_code(code="424242"), Result)
    assert_type(await client.sign_in.email_code.send_code(), Result)
    assert_type(await client.get_token(skip_cache=True), str | None)
    assert_type(await client.load(), Result)
    assert_type(await client.sign_out(), Result)
    assert_type(await client.sign_in.create(ticket="text"), Result)
    assert_type(await client.sign_in.mfa.verify_backup_code(code="abcd"), Result)
    assert_type(await client.set_active(None), Result)
    assert_type(client.user, User[AsyncDriver] | None)


async def mistaken(client: Client, waiting: AsyncClient) -> None:
    client.sign_up.create(phoneNumber="+14155552671")  # type: ignore[call-arg]
    client.sign_up.create(phone_number=14155552671)  # type: ignore[arg-type]
    client.sign_up.update(transfer=True)  # type: ignore[call-arg]
    client.sign_in.phone_code.send_code(channel="pigeon")  # type: ignore[arg-type]
    client.sign_up.verifications.verify_phone_code()  # type: ignore[call-arg]
    client.sign_in.phone_code.send_code(email_address="ada@example.com")  # type: ignore[call-arg]
    waiting.sign_up.create(phone_number="+14155552671")  # type: ignore[unused-coroutine]
    print(client.sign_in.errors.fields.phone_number)  # type: ignore[attr-defined]
    (await waiting.get_token()).upper()  # type: ignore[union-attr]
