"""Signing in: start · send a code · try a code, once more where two steps are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.delivery.render import Notice
from doorcode.domain import account, errors
from doorcode.domain.addresses import Address, Channel, Kind, Strategy
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.limits import ATTEMPT_LIVES_FOR
from doorcode.domain.message import Message
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_in import (
    TICKET,
    Factor,
    SignIn,
    Status,
    choose_factor,
    first_factors,
    next_step,
)
from doorcode.domain.ticket import TicketKind
from doorcode.domain.user import User
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.domain.verification import Verification
from doorcode.flows import audit, codes, session, whom
from doorcode.flows import client as clients
from doorcode.flows import ticket as tickets
from doorcode.flows.client import Answer
from doorcode.flows.codes import CountedTry, Decoy
from doorcode.flows.deps import Caller, Deps
from doorcode.flows.whom import Wanted, Whom, expect_usable
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction

__all__ = ["Wanted", "Wish", "get", "send_code", "start", "try_code"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which way of proving oneself is asked for: a strategy, and perhaps which address."""

    strategy: Strategy
    address_id: str | None = None
    locale: str | None = None
    channel: Channel | None = None


async def start(deps: Deps, caller: Caller, wanted: Wanted) -> Answer[SignIn]:
    """Begin to sign in. Whether it succeeds or not, what was under way is over."""
    try:
        return await _start(deps, caller, wanted)
    except Refused:  # which took back the retirement with the rest
        await clients.retire(deps, caller)
        raise


async def _start(deps: Deps, caller: Caller, wanted: Wanted) -> Answer[SignIn]:
    message = None
    async with audit.unit(deps) as tx:
        client = await clients.current(tx, caller)
        proved = await whom.transferable(deps, tx, client) if wanted.transfer else None
        if client:
            client = await clients.retire_attempts(tx, client)
        try:
            found = await whom.find(deps, tx, client, wanted, proved)
        except Refused as refused:
            return Answer(refusal=refused.refusal)
        client, token = await clients.ensure(deps, tx, caller)
        sign_in = _new_sign_in(client, found, wanted, deps.now())
        await tx.add_sign_in(sign_in)
        client = replace(client, sign_in_id=sign_in.id)
        await tx.save_client(client)
        if found.user and (found.proved or found.ticket_id):
            return await _enter(deps, tx, caller, client, sign_in, found)
        if wanted.strategy and sign_in.status is Status.NEEDS_FIRST_FACTOR:
            wish = Wish(wanted.strategy, channel=wanted.channel)
            mine = replace(caller, client_id=client.id)
            sign_in, message = await _send(deps, tx, mine, sign_in, found.user, wish)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_in, shown, found.user, client_token=token)


async def get(deps: Deps, caller: Caller, sign_in_id: str) -> Answer[SignIn]:
    """An attempt of the client that asks."""
    async with deps.storage.reading() as tx:
        client, sign_in, user = await _own(deps, tx, caller, sign_in_id)
        return Answer(sign_in, await clients.view(tx, client, deps.now()), user)


async def send_code(deps: Deps, caller: Caller, sign_in_id: str, wish: Wish) -> Answer[SignIn]:
    """Send a code to one of the account's addresses; again, to send another."""
    async with audit.unit(deps) as tx:
        client, sign_in, user = await own_open(deps, tx, caller, sign_in_id)
        sign_in.expect_first_factor()
        if not sign_in.is_neutral(deps.instance):
            expect_usable(user)
        sign_in, message = await _send(deps, tx, caller, sign_in, user, wish)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_in, shown, user)


async def try_code(
    deps: Deps, caller: Caller, sign_in_id: str, strategy: Strategy, typed: str
) -> Answer[SignIn]:
    """Try a code. The right one signs the person in, or leads to the second step."""
    async with audit.unit(deps) as tx:
        _, sign_in, _ = await own_open(deps, tx, caller, sign_in_id)
        tried = await codes.count(deps, tx, caller, sign_in.verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        client, sign_in, user = await own_open(deps, tx, caller, sign_in_id)
        if (
            user is None and sign_in.user_id is None
        ):  # whether there is an account is looked up after the code, not before
            user = await tx.user_by_address(tried.verification.address)
            if user is None and sign_in.sign_up_if_missing:
                return await _offer_transfer(deps, tx, client, sign_in, tried)
            sign_in = replace(sign_in, user_id=user.id if user else None)
        verification = await codes.consume(deps, tx, tried)
        user = _expect_owner(deps, user, verification.address)
        sign_in = replace(sign_in, first=verification, first_strategy=strategy)
        return await _step(deps, tx, caller, client, sign_in, user)


# ── parts ─────────────────────────────────────────────────────────────────────────────
def _new_sign_in(client: Client, found: Whom, wanted: Wanted, now: int) -> SignIn:
    known = found.user is not None or (found.is_neutral and found.address is not None)
    return SignIn(
        id=new_id("sia", now),
        client_id=client.id,
        status=Status.NEEDS_FIRST_FACTOR if known else Status.NEEDS_IDENTIFIER,
        created_at=now,
        abandon_at=now + ATTEMPT_LIVES_FOR,
        identifier=found.address,
        user_id=found.user.id if found.user else None,
        username=found.username,
        sign_up_if_missing=wanted.sign_up_if_missing,
    )


async def _send(
    deps: Deps, tx: Transaction, caller: Caller, sign_in: SignIn, user: User | None, wish: Wish
) -> tuple[SignIn, Message | None]:
    if not deps.instance.attribute(wish.strategy.kind).used_for_sign_in:
        raise Refused(errors.PARAM_DISABLED.about("strategy"))
    factors = first_factors(sign_in, user, deps.instance)
    if sign_in.sign_up_if_missing and all(one.strategy != wish.strategy for one in factors):
        raise Refused(errors.SIGN_UP_IF_MISSING_STRATEGY)
    factor = choose_factor(factors, wish.strategy, wish.address_id)
    decoy = None
    if sign_in.is_strict(deps.instance):
        user, factor, decoy = await _owner_or_decoy(deps, tx, factor)
    verification, message = await send_to(
        deps, tx, caller, sign_in, user, factor, wish, decoy=decoy
    )
    sign_in = replace(sign_in, first=verification)
    await tx.save_sign_in(sign_in)
    return sign_in, message


async def _owner_or_decoy(
    deps: Deps, tx: Transaction, factor: Factor
) -> tuple[User | None, Factor, Decoy | None]:
    """Who has the address that was typed; or the decoy for an address that signs nobody in.

    To a mailbox goes a word that there is no account. To a phone goes nothing: a stranger's
    text messages cost money, and are what a bot is after.
    """
    assert factor.address is not None  # noqa: S101 - it is the one that was typed
    user = await tx.user_by_address(factor.address, evenly=True)
    if user and user.signs_in_by(factor.address, deps.instance):
        owned = next(one for one in user.addresses if one.address.is_same_as(factor.address))
        return user, replace(factor, address=owned.address), None
    by_mail = factor.address.kind is Kind.EMAIL
    return None, factor, Decoy(Notice.NO_ACCOUNT if by_mail else None)


async def send_to(
    deps: Deps,
    tx: Transaction,
    caller: Caller,
    sign_in: SignIn,
    user: User | None,
    factor: Factor,
    wish: Wish,
    *,
    decoy: Decoy | None = None,
) -> tuple[Verification, Message | None]:
    """Send a code to a factor's address, in the unit under way."""
    if factor.address is None:
        raise Refused(errors.STRATEGY_FOR_USER)
    # Mail goes to the spelling that was verified, not to what was typed this time.
    locale = wish.locale or (user.profile.locale if user else None)
    until = sign_in.abandon_at
    attempt = codes.Attempt(sign_in.id, until, caller, locale, wish.channel, decoy)
    return await codes.send(deps, tx, attempt, factor.address)


async def _offer_transfer(
    deps: Deps, tx: Transaction, client: Client, sign_in: SignIn, tried: CountedTry
) -> Answer[SignIn]:
    """The code was right and nobody has the address: a sign-up may take the proof over."""
    verification = await codes.consume(deps, tx, tried, VerificationStatus.TRANSFERABLE)
    sign_in = replace(sign_in, first=verification)
    await tx.save_sign_in(sign_in)
    shown = await clients.view(tx, client, deps.now())
    return Answer(sign_in, shown, refusal=errors.SIGN_UP_IF_MISSING_TRANSFER)


async def _enter(
    deps: Deps, tx: Transaction, caller: Caller, client: Client, sign_in: SignIn, found: Whom
) -> Answer[SignIn]:
    """Let somebody in by a ticket, or by what a sign-up has proved."""
    user = found.user
    assert user is not None  # noqa: S101 - the caller has looked
    if found.ticket_id:
        ticket = await tx.ticket(found.ticket_id)
        assert ticket is not None  # noqa: S101 - it was found in this unit
        await tickets.use(deps, tx, ticket)
        if ticket.kind is TicketKind.SIGN_IN_TOKEN:
            # The app's server vouches for the person; it has asked for no second step.
            sign_in = replace(sign_in, first_strategy=TICKET)
            return await finish(deps, tx, caller, client, sign_in, user)
    # An invitation proves the mailbox that it was sent to, as a code does, and no more: the
    # second step may have been set up long after it.
    address = found.proved.address if found.proved else found.address
    assert address is not None  # noqa: S101 - an invitation names one
    verification = codes.proved(sign_in.id, address, deps.now())
    await tx.add_verification(verification, delete_at=sign_in.abandon_at)
    sign_in = replace(sign_in, first=verification, first_strategy=verification.strategy)
    return await _step(deps, tx, caller, client, sign_in, user)


async def _step(
    deps: Deps, tx: Transaction, caller: Caller, client: Client, sign_in: SignIn, user: User
) -> Answer[SignIn]:
    """The first step is done: sign the person in, or ask for the second."""
    known = await tx.has_been_here(client.id, user.id)
    if sign_in.first:
        user = await _proved(deps, tx, user, sign_in.first.address, known_client=known)
    status = next_step(sign_in, user, deps.instance, known_client=known)
    if status is Status.COMPLETE:
        return await finish(deps, tx, caller, client, sign_in, user)
    sign_in = replace(sign_in, status=status)
    await tx.save_sign_in(sign_in)
    return Answer(sign_in, await clients.view(tx, client, deps.now()), user)


async def _proved(
    deps: Deps, tx: Transaction, user: User, address: Address, *, known_client: bool
) -> User:
    """The account with an address proved that its sign-up asked no proof of.

    Somebody else may have signed up by it, and wait in a session of that account until its
    owner comes and fills it (account pre-hijacking). Their sessions end here, and in a browser
    other than theirs the account begins anew under its id: a name, a picture, a ticket or a
    backup code of theirs would be taken for the owner's.
    """
    owned = next((one for one in user.addresses if one.address.is_same_as(address)), None)
    if owned is None or owned.is_verified:
        return user
    now = deps.now()
    owned = replace(owned, verified_at=now, updated_at=now, verification=None)
    if not known_client:
        for one in user.addresses:
            await tx.retire_attempt(one.id)
        await tx.delete_user(user.id)
        await tx.add_user(account.handed_over(user, owned))
        return await tx.user(user.id) or user
    await tx.claim_address(owned)
    await tx.release_addresses(user.id)
    await tx.end_sessions_of_user(user.id, SessionStatus.REVOKED, now)
    # Nor may an address of theirs stay the first choice: the app would write to it.
    await tx.save_user(replace(account.with_address(user, owned), updated_at=now))
    return await tx.user(user.id) or user


async def finish(
    deps: Deps,
    tx: Transaction,
    caller: Caller,
    client: Client,
    sign_in: SignIn,
    user: User,
    *,
    second_factor: bool = False,
) -> Answer[SignIn]:
    """Sign the person in, in the unit under way."""
    client, started, token = await session.start(
        deps, tx, client, user, device=caller.device, second_factor=second_factor
    )
    sign_in = replace(sign_in, status=Status.COMPLETE, created_session_id=started.id)
    await tx.save_sign_in(sign_in)
    client = replace(client, sign_up_id=None, last_strategy=sign_in.first_strategy)
    await tx.save_client(client)
    shown = await clients.view(tx, client, deps.now())
    return Answer(sign_in, shown, user, client_token=token)


def _expect_owner(deps: Deps, user: User | None, address: Address) -> User:
    """An account may have been deleted, banned, or lost the address since the code was sent.

    So may the address its use: one that is reserved for the second step is no first factor,
    nor is it in an attempt that asks for a code before it looks for an account.
    """
    if user is None or not user.signs_in_by(address, deps.instance):
        raise Refused(errors.USER_GONE)
    return expect_usable(user)


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


async def own_open(
    deps: Deps, tx: Transaction, caller: Caller, sign_in_id: str
) -> tuple[Client, SignIn, User | None]:
    """An attempt that can be gone on with, held with its client until the unit ends."""
    client, sign_in, user = await _own(deps, tx, caller, sign_in_id)
    sign_in.expect_open(deps.now())
    return client, sign_in, user
