"""What a user's type checker must accept and refuse; read by mypy, never run.

A line that must be refused carries an ignore: mypy in strict mode complains of one without cause.
"""

from __future__ import annotations

from typing import assert_type

from doorcode.client import AsyncClient, Client, Problem, Result, User


def blocking(client: Client) -> None:
    assert_type(client.sign_up.create(phone_number="+14155552671"), Result)
    assert_type(client.sign_up.verifications.verify_phone_code(code="424242"), Result)
    assert_type(client.sign_in.phone_code.send_code(phone_number="+14155552671"), Result)
    assert_type(client.get_token(), str | None)
    assert_type(client.user, User | None)
    assert_type(client.sign_up.errors.fields.phone_number, Problem | None)
    assert_type(client.sign_in.errors.fields.identifier, Problem | None)
    client.sign_up.finalize(navigate=lambda session: print(session.id))


async def awaiting(client: AsyncClient) -> None:
    assert_type(await client.sign_up.create(email_address="ada@example.com"), Result)
    assert_type(await client.sign_up.email_code.verify_code(code="424242"), Result)
    assert_type(await client.sign_in.email_code.send_code(), Result)
    assert_type(await client.get_token(skip_cache=True), str | None)
    assert_type(await client.load(), Result)
    assert_type(await client.sign_out(), Result)


async def mistaken(client: Client, waiting: AsyncClient) -> None:
    client.sign_up.create(phoneNumber="+14155552671")  # type: ignore[call-arg]
    client.sign_up.create(phone_number=14155552671)  # type: ignore[arg-type]
    client.sign_up.verifications.verify_phone_code()  # type: ignore[call-arg]
    client.sign_in.phone_code.send_code(email_address="ada@example.com")  # type: ignore[call-arg]
    waiting.sign_up.create(phone_number="+14155552671")  # type: ignore[unused-coroutine]
    print(client.sign_in.errors.fields.phone_number)  # type: ignore[attr-defined]
    (await waiting.get_token()).upper()  # type: ignore[union-attr]
