"""What a person does, in one call: for tests that are about what comes after it."""

from __future__ import annotations

import itertools
from typing import Any

from ..conftest import AnyClient, settle
from .server import RealServer

# The 555 exchange belongs to nobody; 0100 to 0199 are test numbers, which these are not.
_numbers = itertools.count(2000)


def new_phone_number() -> str:
    """Return a number that nobody has used."""
    return f"+1415555{next(_numbers)}"


def new_email_address() -> str:
    """Return an address that nobody has used."""
    return f"ada.{next(_numbers)}@example.com"


async def sign_up(
    client: AnyClient,
    server: RealServer,
    *,
    phone_number: str | None = None,
    email_address: str | None = None,
    **fields: Any,
) -> None:
    """Sign up with these addresses, and be signed in."""
    given = {"phone_number": phone_number, "email_address": email_address, **fields}
    await done(client.sign_up.create(**given))
    verifications = client.sign_up.verifications
    if phone_number is not None:
        await done(verifications.send_phone_code())
        await done(verifications.verify_phone_code(code=server.code(phone_number)))
    if email_address is not None:
        await done(verifications.send_email_code())
        await done(verifications.verify_email_code(code=server.code(email_address)))
    await done(client.sign_up.finalize())


async def prove_phone_number(client: AnyClient, server: RealServer, number: str) -> None:
    """Give the first proof of a sign-in by a code to a phone."""
    await done(client.sign_in.phone_code.send_code(phone_number=number))
    await done(client.sign_in.phone_code.verify_code(code=server.code(number)))


async def prove_email_address(client: AnyClient, server: RealServer, address: str) -> None:
    """Give the first proof of a sign-in by a code to a mailbox."""
    await done(client.sign_in.email_code.send_code(email_address=address))
    await done(client.sign_in.email_code.verify_code(code=server.code(address)))


async def done(outcome: Any) -> None:
    """Wait for a call that must not fail."""
    (await settle(outcome)).raise_for_error()


async def made(outcome: Any) -> Any:
    """Return what a call gives, whose type depends on the client."""
    return await settle(outcome)


async def refused(outcome: Any) -> str:
    """Return the code of the error by which a call must fail."""
    result = await settle(outcome)
    assert result.error is not None, "the call went well"
    return str(result.error.code)
