"""Signing up: start · change · send a code · try a code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain import errors
from doorcode.domain.addresses import Address, Kind, Malformed, Strategy, parse
from doorcode.domain.client import Client
from doorcode.domain.errors import PARAM_MISSING, Refusal, Refused
from doorcode.domain.instance import Instance
from doorcode.domain.limits import ATTEMPT_LIVES_FOR
from doorcode.domain.message import Message
from doorcode.domain.sign_up import Profile, SignUp, Status
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Verification
from doorcode.flows import client as clients
from doorcode.flows import codes, session
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller, Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Conflict, Transaction

FORMATS = {Kind.PHONE: errors.PHONE_FORMAT, Kind.EMAIL: errors.EMAIL_FORMAT}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed: the addresses by kind, as text, and the rest of the form.

    `strategy` asks for a code in the same request.
    """

    texts: dict[Kind, str]
    profile: Profile
    strategy: Strategy | None = None


async def start(deps: Deps, caller: Caller, wanted: Wanted) -> Answer[SignUp]:
    """Begin to sign up.

    Whether it succeeds or not, what this client had under way is over: a page that
    ignores the failure and asks for a code must not have it sent to the earlier number.
    """
    try:
        return await _start(deps, caller, wanted)
    except Refused:  # which took back the retirement with the rest
        await clients.retire(deps, caller)
        raise


async def _start(deps: Deps, caller: Caller, wanted: Wanted) -> Answer[SignUp]:
    async with deps.storage.transaction() as tx:
        client = await clients.current(tx, caller)
        if client:
            client = await clients.retire_attempts(tx, client)
        try:
            addresses = await _addresses(deps, tx, client, wanted)
        except Refused as refused:
            return Answer(refusal=refused.refusal)
        client, token = await clients.ensure(deps, tx, caller)
        now = deps.now()
        sign_up = SignUp(
            id=new_id("sua", now),
            client_id=client.id,
            status=Status.MISSING,
            created_at=now,
            abandon_at=now + ATTEMPT_LIVES_FOR,
            phone=addresses.get(Kind.PHONE),
            email=addresses.get(Kind.EMAIL),
            profile=wanted.profile,
        )
        await tx.add_sign_up(sign_up)
        client = replace(client, sign_up_id=sign_up.id)
        await tx.save_client(client)
        answer = await _go_on(deps, tx, client, sign_up, wanted.strategy)
    await codes.post(deps, answer.message)
    return replace(answer.answer, client_token=answer.answer.client_token or token)


async def get(deps: Deps, caller: Caller, sign_up_id: str) -> Answer[SignUp]:
    """An attempt of the client that asks."""
    async with deps.storage.reading() as tx:
        client, sign_up = await _own(deps, tx, caller, sign_up_id)
        return Answer(sign_up, await clients.view(tx, client, deps.now()))


async def change(deps: Deps, caller: Caller, sign_up_id: str, wanted: Wanted) -> Answer[SignUp]:
    """Change what was given. An address that changes must be verified anew."""
    async with deps.storage.transaction() as tx:
        client, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        given = {kind: _read(deps.instance, kind, text) for kind, text in wanted.texts.items()}
        for address in given.values():
            await _expect_free(tx, address)
        sign_up = replace(
            sign_up,
            phone=given.get(Kind.PHONE, sign_up.phone),
            email=given.get(Kind.EMAIL, sign_up.email),
            profile=wanted.profile,
        )
        await tx.save_sign_up(sign_up)
        outcome = await _go_on(deps, tx, client, sign_up, wanted.strategy)
    await codes.post(deps, outcome.message)
    return outcome.answer


async def send_code(
    deps: Deps, caller: Caller, sign_up_id: str, strategy: Strategy
) -> Answer[SignUp]:
    """Send a code to the address given; again, to send another."""
    async with deps.storage.transaction() as tx:
        client, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        sign_up, message = await _send(deps, tx, sign_up, strategy)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_up, shown)


async def try_code(
    deps: Deps, caller: Caller, sign_up_id: str, strategy: Strategy, typed: str
) -> Answer[SignUp]:
    """Try a code. The last one that is needed makes the account and signs it in."""
    async with deps.storage.transaction() as tx:
        _, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        tried = await codes.count(deps, tx, sign_up.verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        client, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        verification = await codes.consume(deps, tx, tried)
        sign_up = _with(sign_up, verification)
        outcome = await _go_on(deps, tx, client, sign_up, None)
    return outcome.answer


# ── parts ─────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Outcome:
    answer: Answer[SignUp]
    message: Message | None = None


async def _addresses(
    deps: Deps, tx: Transaction, client: Client | None, wanted: Wanted
) -> dict[Kind, Address]:
    if client and deps.instance.single_session and await tx.live_sessions(client.id, deps.now()):
        raise Refused(errors.SESSION_EXISTS)
    if not wanted.texts:
        raise Refused(PARAM_MISSING.about(wanted.strategy.kind if wanted.strategy else Kind.PHONE))
    addresses = {kind: _read(deps.instance, kind, text) for kind, text in wanted.texts.items()}
    for address in addresses.values():
        await _expect_free(tx, address)
    if wanted.strategy and wanted.strategy.kind not in addresses:
        raise Refused(PARAM_MISSING.about(wanted.strategy.kind))
    return addresses


def _read(instance: Instance, kind: Kind, text: str) -> Address:
    if not instance.attribute(kind).enabled:
        raise Refused(errors.PARAM_UNKNOWN.about(kind))
    try:
        return parse(kind, text, test_mode=instance.test_mode)
    except Malformed:
        raise Refused(FORMATS[kind].about(kind)) from None


async def _expect_free(tx: Transaction, address: Address) -> None:
    if await tx.user_by_address(address):
        raise Refused(errors.IDENTIFIER_TAKEN.about(address.kind))


async def _go_on(
    deps: Deps, tx: Transaction, client: Client, sign_up: SignUp, strategy: Strategy | None
) -> _Outcome:
    """Complete the sign-up where nothing is missing; send a code where one is asked for."""
    if sign_up.can_complete(deps.instance):
        return _Outcome(await _complete(deps, tx, client, sign_up))
    message = None
    if strategy:
        sign_up, message = await _send(deps, tx, sign_up, strategy)
    shown = await clients.view(tx, client, deps.now())
    return _Outcome(Answer(sign_up, shown), message)


async def _send(
    deps: Deps, tx: Transaction, sign_up: SignUp, strategy: Strategy
) -> tuple[SignUp, Message]:
    address = sign_up.address_to_verify(strategy)
    attempt = codes.Attempt(sign_up.id, sign_up.abandon_at, sign_up.profile.locale)
    verification, message = await codes.send(deps, tx, attempt, address)
    return _with(sign_up, verification), message


async def _complete(deps: Deps, tx: Transaction, client: Client, sign_up: SignUp) -> Answer[SignUp]:
    refusal = await _give_up_if_claimed(tx, sign_up)
    if refusal:
        return Answer(refusal=refusal)
    user = _new_user(sign_up, deps.now())
    try:
        await tx.add_user(user)
    except Conflict:  # claimed between the look and the write, on another machine
        raise Refused(errors.IDENTIFIER_CLAIMED) from None
    client, started, token = await session.start(deps, tx, client, user)
    sign_up = replace(
        sign_up,
        status=Status.COMPLETE,
        created_user_id=user.id,
        created_session_id=started.id,
    )
    await tx.save_sign_up(sign_up)
    strategy = sign_up.verifications[-1].strategy if sign_up.verifications else None
    client = replace(client, sign_in_id=None, last_strategy=strategy)
    await tx.save_client(client)
    shown = await clients.view(tx, client, deps.now())
    return Answer(sign_up, shown, user, client_token=token)


async def _give_up_if_claimed(tx: Transaction, sign_up: SignUp) -> Refusal | None:
    """Somebody else may have verified the address first. The used code stays used."""
    for address in sign_up.addresses:
        if await tx.user_by_address(address):
            await tx.save_sign_up(replace(sign_up, status=Status.ABANDONED))
            return errors.IDENTIFIER_CLAIMED
    return None


def _new_user(sign_up: SignUp, now: int) -> User:
    user_id = new_id("user", now)
    owned = [
        OwnedAddress(
            id=new_id("idn", now),
            user_id=user_id,
            address=address,
            verified_at=now if sign_up.is_verified(address.kind) else None,
            created_at=now,
            updated_at=now,
        )
        for address in sign_up.addresses
    ]
    ids = {one.address.kind: one.id for one in owned}
    return User(
        id=user_id,
        profile=sign_up.profile,
        addresses=tuple(owned),
        created_at=now,
        updated_at=now,
        last_sign_in_at=now,
        last_active_at=now,
        primary_phone_id=ids.get(Kind.PHONE),
        primary_email_id=ids.get(Kind.EMAIL),
    )


def _with(sign_up: SignUp, verification: Verification) -> SignUp:
    place = verification.address
    others = tuple(one for one in sign_up.verifications if not one.address.is_same_as(place))
    return replace(sign_up, verifications=(*others, verification))


async def _own(
    deps: Deps, tx: Transaction, caller: Caller, sign_up_id: str
) -> tuple[Client, SignUp]:
    """The attempt, if it is the client's newest. Any other is not found, whose ever it is."""
    client = await clients.current(tx, caller)
    if client is None or client.sign_up_id != sign_up_id:
        raise Refused(errors.NOT_FOUND)
    sign_up = await tx.sign_up(sign_up_id)
    if sign_up is None or sign_up.client_id != client.id:
        raise Refused(errors.NOT_FOUND)
    return client, sign_up


async def _own_open(
    deps: Deps, tx: Transaction, caller: Caller, sign_up_id: str
) -> tuple[Client, SignUp]:
    client, sign_up = await _own(deps, tx, caller, sign_up_id)
    sign_up.expect_open(deps.now())
    return client, sign_up
