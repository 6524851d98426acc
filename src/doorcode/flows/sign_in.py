"""Signing in: start · send a code · try a code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Malformed, Strategy, parse_identifier
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.limits import ATTEMPT_LIVES_FOR
from doorcode.domain.message import Message
from doorcode.domain.sign_in import SignIn, Status, choose_factor, first_factors
from doorcode.domain.user import User
from doorcode.flows import client as clients
from doorcode.flows import codes, session
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller, Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed. Without an identifier, the client's attempt is merely reset.

    `strategy` asks for a code in the same request.
    """

    identifier: str | None
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """Which way of proving oneself is asked for: a strategy, and perhaps which address."""

    strategy: Strategy
    address_id: str | None = None
    locale: str | None = None


async def start(deps: Deps, caller: Caller, wanted: Wanted) -> Answer[SignIn]:
    """Begin to sign in. Whether it succeeds or not, what was under way is over."""
    try:
        return await _start(deps, caller, wanted)
    except Refused:  # which took back the retirement with the rest
        await clients.retire(deps, caller)
        raise


async def _start(deps: Deps, caller: Caller, wanted: Wanted) -> Answer[SignIn]:
    message = None
    async with deps.storage.transaction() as tx:
        client = await clients.current(tx, caller)
        if client:
            client = await clients.retire_attempts(tx, client)
        try:
            address, user = await _account(deps, tx, client, wanted)
        except Refused as refused:
            return Answer(refusal=refused.refusal)
        client, token = await clients.ensure(deps, tx, caller)
        sign_in = _new_sign_in(client, address, user, deps.now())
        await tx.add_sign_in(sign_in)
        client = replace(client, sign_in_id=sign_in.id)
        await tx.save_client(client)
        if user and wanted.strategy:
            factor = Factor(wanted.strategy)
            sign_in, message = await _send(deps, tx, sign_in, user, factor)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_in, shown, user, client_token=token)


async def get(deps: Deps, caller: Caller, sign_in_id: str) -> Answer[SignIn]:
    """An attempt of the client that asks."""
    async with deps.storage.reading() as tx:
        client, sign_in, user = await _own(deps, tx, caller, sign_in_id)
        return Answer(sign_in, await clients.view(tx, client, deps.now()), user)


async def send_code(deps: Deps, caller: Caller, sign_in_id: str, factor: Factor) -> Answer[SignIn]:
    """Send a code to one of the account's addresses; again, to send another."""
    async with deps.storage.transaction() as tx:
        client, sign_in, user = await _own_open(deps, tx, caller, sign_in_id)
        sign_in.expect_first_factor()
        if user is None:
            raise Refused(errors.USER_GONE)
        if user.banned:
            raise Refused(errors.USER_BANNED)
        sign_in, message = await _send(deps, tx, sign_in, user, factor)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_in, shown, user)


async def try_code(
    deps: Deps, caller: Caller, sign_in_id: str, strategy: Strategy, typed: str
) -> Answer[SignIn]:
    """Try a code. The right one signs the person in."""
    async with deps.storage.transaction() as tx:
        _, sign_in, _ = await _own_open(deps, tx, caller, sign_in_id)
        tried = await codes.count(deps, tx, sign_in.verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        client, sign_in, user = await _own_open(deps, tx, caller, sign_in_id)
        verification = await codes.consume(deps, tx, tried)
        _expect_owner(user, verification.address)
        assert user is not None  # noqa: S101 - _expect_owner has refused
        client, started, token = await session.start(deps, tx, client, user)
        sign_in = replace(
            sign_in,
            status=Status.COMPLETE,
            verification=verification,
            created_session_id=started.id,
        )
        await tx.save_sign_in(sign_in)
        client = replace(client, sign_up_id=None, last_strategy=strategy)
        await tx.save_client(client)
        shown = await clients.view(tx, client, deps.now())
    return Answer(sign_in, shown, user, client_token=token)


# ── parts ─────────────────────────────────────────────────────────────────────────────
async def _account(
    deps: Deps, tx: Transaction, client: Client | None, wanted: Wanted
) -> tuple[Address | None, User | None]:
    if client and deps.instance.single_session and await tx.live_sessions(client.id, deps.now()):
        raise Refused(errors.SESSION_EXISTS)
    if wanted.identifier is None:
        return None, None
    address = _read(deps, wanted.identifier)
    user = await tx.user_by_address(address)
    if user is None:
        raise Refused(errors.IDENTIFIER_UNKNOWN)
    if user.banned:
        raise Refused(errors.USER_BANNED)
    return address, user


def _read(deps: Deps, text: str) -> Address:
    try:
        address = parse_identifier(text, test_mode=deps.instance.test_mode)
    except Malformed:
        raise Refused(errors.IDENTIFIER_FORMAT.about("identifier")) from None
    if address.kind not in deps.instance.identifiers:
        raise Refused(errors.IDENTIFIER_FORMAT.about("identifier"))
    return address


def _new_sign_in(client: Client, address: Address | None, user: User | None, now: int) -> SignIn:
    return SignIn(
        id=new_id("sia", now),
        client_id=client.id,
        status=Status.NEEDS_FIRST_FACTOR if user else Status.NEEDS_IDENTIFIER,
        created_at=now,
        abandon_at=now + ATTEMPT_LIVES_FOR,
        identifier=address,
        user_id=user.id if user else None,
    )


async def _send(
    deps: Deps, tx: Transaction, sign_in: SignIn, user: User, wanted: Factor
) -> tuple[SignIn, Message]:
    factors = first_factors(sign_in, user, deps.instance)
    factor = choose_factor(factors, wanted.strategy, wanted.address_id)
    # Mail goes to the spelling that was verified, not to what was typed this time.
    attempt = codes.Attempt(sign_in.id, sign_in.abandon_at, wanted.locale or user.profile.locale)
    verification, message = await codes.send(deps, tx, attempt, factor.address.address)
    sign_in = replace(sign_in, verification=verification)
    await tx.save_sign_in(sign_in)
    return sign_in, message


def _expect_owner(user: User | None, address: Address) -> None:
    """An account may have been deleted, banned, or lost the address since the code was sent."""
    if user is None or all(owned.address.value != address.value for owned in user.addresses):
        raise Refused(errors.USER_GONE)
    if user.banned:
        raise Refused(errors.USER_BANNED)


async def _own(
    deps: Deps, tx: Transaction, caller: Caller, sign_in_id: str
) -> tuple[Client, SignIn, User | None]:
    """The attempt, if it is the client's newest. Any other is not found, whose ever it is."""
    client = await clients.current(tx, caller)
    if client is None or client.sign_in_id != sign_in_id:
        raise Refused(errors.NOT_FOUND)
    sign_in = await tx.sign_in(sign_in_id)
    if sign_in is None or sign_in.client_id != client.id:
        raise Refused(errors.NOT_FOUND)
    user = await tx.user(sign_in.user_id) if sign_in.user_id else None
    return client, sign_in, user


async def _own_open(
    deps: Deps, tx: Transaction, caller: Caller, sign_in_id: str
) -> tuple[Client, SignIn, User | None]:
    client, sign_in, user = await _own(deps, tx, caller, sign_in_id)
    sign_in.expect_open(deps.now())
    return client, sign_in, user
