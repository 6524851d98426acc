"""Signing up: start · change · send a code · try a code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.delivery.render import Notice
from doorcode.domain import account, errors
from doorcode.domain.addresses import Channel, Kind, Strategy
from doorcode.domain.client import Client
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.limits import ATTEMPT_LIVES_FOR, DAY
from doorcode.domain.message import Message
from doorcode.domain.sign_in import TICKET
from doorcode.domain.sign_up import (
    SignUp,
    Status,
    expect_allowed,
    expect_public,
    username_value,
)
from doorcode.domain.ticket import Ticket
from doorcode.domain.user import AppData, OwnedAddress, User
from doorcode.domain.verification import Verification
from doorcode.flows import audit, codes, mailbox, notices, session, sign_up_form
from doorcode.flows import client as clients
from doorcode.flows import ticket as tickets
from doorcode.flows.client import Answer
from doorcode.flows.codes import Decoy
from doorcode.flows.deps import Caller, Deps
from doorcode.flows.sign_up_form import Wanted
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Conflict, Transaction

__all__ = ["Wanted", "change", "get", "send_code", "start", "try_code"]


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
    async with audit.unit(deps) as tx:
        client = await clients.current(tx, caller)
        proved = await sign_up_form.transferable(deps, tx, client) if wanted.transfer else None
        if client:
            client = await clients.retire_attempts(tx, client)
        try:
            await _expect_signed_out(deps, tx, client)
            draft = await sign_up_form.draft(deps, tx, caller, wanted, proved)
        except Refused as refused:
            await audit.note(deps, tx, refused.event)
            return Answer(refusal=refused.refusal)
        client, token = await clients.ensure(deps, tx, caller)
        sign_up = await _keep(tx, draft, client, proved)
        client = replace(client, sign_up_id=sign_up.id)
        await tx.save_client(client)
        answer = await _go_on(deps, tx, caller, client, sign_up, wanted)
    await codes.post(deps, answer.message)
    return replace(answer.answer, client_token=answer.answer.client_token or token)


async def get(deps: Deps, caller: Caller, sign_up_id: str) -> Answer[SignUp]:
    """An attempt of the client that asks."""
    async with deps.storage.reading() as tx:
        client, sign_up = await _own(deps, tx, caller, sign_up_id)
        return Answer(sign_up, await clients.view(tx, client, deps.now()))


async def change(deps: Deps, caller: Caller, sign_up_id: str, wanted: Wanted) -> Answer[SignUp]:
    """Change what was given. An address that changes must be verified anew."""
    async with audit.unit(deps) as tx:
        client, sign_up = await _own(deps, tx, caller, sign_up_id)
        if sign_up.status is Status.COMPLETE:
            raise Refused(errors.ACTION_INVALID)  # there is an account now, to be changed by `/me`
        sign_up.expect_open(deps.now())
        if wanted.ticket and deps.tickets.read(wanted.ticket) is None:
            raise Refused(errors.TICKET_INVALID)
        if wanted.ticket and deps.tickets.read(wanted.ticket) != sign_up.ticket_id:
            raise Refused(errors.PARAM_CONFLICT.about("ticket"))
        if sign_up.ticket_id:
            wanted = sign_up_form.as_invited(deps.instance, wanted, sign_up.email)
        invited = sign_up.ticket_id is not None
        given = await sign_up_form.addresses_of(deps, tx, caller, wanted, invited=invited)
        sign_up = replace(
            sign_up,
            abandon_at=deps.now() + ATTEMPT_LIVES_FOR,
            phone=given.get(Kind.PHONE, sign_up.phone),
            email=given.get(Kind.EMAIL, sign_up.email),
            profile=await sign_up_form.profile_of(deps, tx, wanted, sign_up.profile),
        )
        await tx.save_sign_up(sign_up)
        outcome = await _go_on(deps, tx, caller, client, sign_up, wanted)
    await codes.post(deps, outcome.message)
    return outcome.answer


async def send_code(
    deps: Deps,
    caller: Caller,
    sign_up_id: str,
    strategy: Strategy,
    channel: Channel | None = None,
) -> Answer[SignUp]:
    """Send a code to the address given; again, to send another."""
    async with audit.unit(deps) as tx:
        client, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        sign_up = replace(sign_up, abandon_at=deps.now() + ATTEMPT_LIVES_FOR)
        await tx.save_sign_up(sign_up)
        sign_up, message = await _send(deps, tx, caller, sign_up, strategy, channel)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_up, shown)


async def try_code(
    deps: Deps, caller: Caller, sign_up_id: str, strategy: Strategy, typed: str
) -> Answer[SignUp]:
    """Try a code. The last one that is needed makes the account and signs it in."""
    async with audit.unit(deps) as tx:
        _, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        tried = await codes.count(deps, tx, caller, sign_up.verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        client, sign_up = await _own_open(deps, tx, caller, sign_up_id)
        verification = await codes.consume(deps, tx, tried)
        sign_up = _with(sign_up, verification)
        outcome = await _go_on(deps, tx, caller, client, sign_up, Wanted())
    return outcome.answer


# ── parts ─────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Outcome:
    answer: Answer[SignUp]
    message: Message | None = None


async def _expect_signed_out(deps: Deps, tx: Transaction, client: Client | None) -> None:
    if client is None or not deps.instance.single_session:
        return
    if await clients.live_sessions(tx, client, deps.now()):
        raise Refused(errors.SESSION_EXISTS)


async def _keep(
    tx: Transaction, draft: SignUp, client: Client, proved: Verification | None
) -> SignUp:
    """Remember an attempt, with what is proved already by a transfer or by its ticket."""
    sign_up = replace(draft, client_id=client.id)
    await tx.add_sign_up(sign_up)
    # A transfer makes no proof younger. One by ticket serves this attempt alone: whoever holds
    # a copy of a used invitation must not follow its owner in by transferring back.
    given = [(proved.address, proved.expires_at)] if proved else []
    if sign_up.ticket_id and sign_up.email:
        given.append((sign_up.email, sign_up.created_at))
    for address, until in given:
        verification = codes.proved(sign_up.id, address, sign_up.created_at)
        verification = replace(verification, expires_at=until)
        await tx.add_verification(verification, delete_at=sign_up.abandon_at + DAY)
        sign_up = _with(sign_up, verification)
    return sign_up


async def _go_on(
    deps: Deps, tx: Transaction, caller: Caller, client: Client, sign_up: SignUp, wanted: Wanted
) -> _Outcome:
    """Complete the sign-up where nothing is missing; send a code where one is asked for."""
    if sign_up.can_complete(deps.instance):
        return _Outcome(await _complete(deps, tx, caller, client, sign_up))
    message = None
    if wanted.strategy:
        mine = replace(caller, client_id=client.id)
        strategy, channel = wanted.strategy, wanted.channel
        sign_up, message = await _send(deps, tx, mine, sign_up, strategy, channel)
    shown = await clients.view(tx, client, deps.now())
    return _Outcome(Answer(sign_up, shown), message)


async def _send(
    deps: Deps,
    tx: Transaction,
    caller: Caller,
    sign_up: SignUp,
    strategy: Strategy,
    channel: Channel | None,
) -> tuple[SignUp, Message | None]:
    address = sign_up.address_to_verify(strategy)
    owner = await tx.user_by_address(address, evenly=True) if deps.instance.is_strict else None
    decoy = None
    if owner:  # the page goes on as for anybody; who has the address is told, and nobody else
        mailbox = address if address.kind is Kind.EMAIL else notices.mailbox_of(deps, owner)
        decoy = Decoy(Notice.HAS_ACCOUNT if mailbox else None, mailbox)
    until, locale = sign_up.abandon_at, sign_up.profile.locale
    attempt = codes.Attempt(sign_up.id, until, caller, locale, channel, decoy)
    verification, message = await codes.send(deps, tx, attempt, address)
    return _with(sign_up, verification), message


async def _complete(
    deps: Deps, tx: Transaction, caller: Caller, client: Client, sign_up: SignUp
) -> Answer[SignUp]:
    refusal = await _give_up_if_claimed(deps, tx, sign_up)
    if refusal:
        return Answer(refusal=refusal)
    ticket = await tx.ticket(sign_up.ticket_id) if sign_up.ticket_id else None
    if ticket:
        await tickets.use(deps, tx, ticket)
    else:  # the door may have been closed since the attempt began
        expect_public(deps.instance)
        for address in sign_up.addresses:
            expect_allowed(address, deps.instance)
    user = await _add_user(tx, _new_user(sign_up, ticket, deps.now()))
    client, started, token = await session.start(deps, tx, client, user, device=caller.device)
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


async def _add_user(tx: Transaction, user: User) -> User:
    """Remember the account. What it has not proved beside what it has is only claimed."""
    try:
        await tx.add_user(user)
    except Conflict:  # claimed between the look and the write, on another machine
        raise Refused(errors.IDENTIFIER_CLAIMED) from None
    if len({one.is_verified for one in user.addresses}) < 2:
        return user
    await tx.release_addresses(user.id)
    return await tx.user(user.id) or user


async def _give_up_if_claimed(deps: Deps, tx: Transaction, sign_up: SignUp) -> Refusal | None:
    """Somebody else may have verified the address first. The used code stays used."""
    for address in sign_up.addresses:
        refusal = None
        if await tx.user_by_address(address):
            refusal = errors.IDENTIFIER_CLAIMED
        elif not sign_up.ticket_id:  # whoever was invited was invited by that very address
            refusal = await mailbox.refusal_of(deps, tx, address)
        if refusal:
            await tx.save_sign_up(replace(sign_up, status=Status.ABANDONED))
            return refusal
    username = sign_up.profile.username
    if username and await tx.user_by_username(username_value(username)):
        # A name can be chosen again; the proved addresses stay proved.
        await tx.save_sign_up(replace(sign_up, profile=replace(sign_up.profile, username=None)))
        return errors.IDENTIFIER_TAKEN.about("username")
    return None


def _new_user(sign_up: SignUp, ticket: Ticket | None, now: int) -> User:
    user_id = new_id("user", now)
    owned = [
        OwnedAddress(
            id=new_id("idn", now),
            user_id=user_id,
            address=address,
            verified_at=now if sign_up.is_verified(address.kind) else None,
            created_at=now,
            updated_at=now,
            strategy=TICKET if ticket and address.kind is Kind.EMAIL else None,
        )
        for address in sign_up.addresses
    ]
    ids = {one.address.kind: one.id for one in owned}
    user = User(
        id=user_id,
        profile=sign_up.profile,
        addresses=tuple(owned),
        created_at=now,
        updated_at=now,
        last_sign_in_at=now,
        last_active_at=now,
        primary_phone_id=ids.get(Kind.PHONE),
        primary_email_id=ids.get(Kind.EMAIL),
        app_data=AppData(public_metadata=ticket.data.public_metadata if ticket else {}),
    )
    return account.settled(user)


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
