"""The addresses of a person's own account: add · prove · use for the second step · remove."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain import account, errors
from doorcode.domain.addresses import Address, Channel, Kind, Malformed, Strategy, parse
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.domain.limits import ATTEMPT_LIVES_FOR, UNVERIFIED_ADDRESSES
from doorcode.domain.session import Status
from doorcode.domain.sign_up import expect_allowed
from doorcode.domain.user import OwnedAddress, User
from doorcode.flows import audit, backup_codes, codes, mailbox, sending
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.codes import CountedTry, Decoy
from doorcode.flows.deps import Caller, Deps
from doorcode.flows.me import Me, enter
from doorcode.flows.reverification import expect_recent
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Conflict, Transaction

CLAIMED = replace(
    errors.IDENTIFIER_CLAIMED,
    long_message="Somebody else has verified this address meanwhile. Use another one.",
)


@dataclass(frozen=True, slots=True)
class Changed:
    """An address as it is now, with backup codes where these were just made."""

    owned: OwnedAddress
    backup_codes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Which of the person's addresses is meant; one of another kind is not found."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Way:
    """How an address is to be proved, and by which channel where that is said."""

    strategy: Strategy
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What an address is to be used for; None where that stays as it is."""

    reserved: bool | None = None
    default: bool | None = None


# ── adding ────────────────────────────────────────────────────────────────────────────
async def add(
    deps: Deps, caller: Caller, session_id: str | None, kind: Kind, text: str
) -> Answer[Changed]:
    """Note that an address is theirs, as the person says. It counts for nothing until proved.

    Said twice of the same address, it is one.
    """
    async with audit.unit(deps) as tx:
        me = await enter(deps, tx, caller, session_id, pending=True)
        _expect_addable(deps.instance, me, kind)
        address = _read(deps.instance, caller, kind, text)
        expect_recent(deps, me.session, me.user)
        given = next((one for one in me.user.addresses if one.address.is_same_as(address)), None)
        if given and not given.is_verified:
            return await _answer(deps, tx, me, given.id)
        if not deps.instance.is_strict:
            await _expect_free(deps, tx, me.user, address)
        if sum(not one.is_verified for one in me.user.addresses) >= UNVERIFIED_ADDRESSES:
            raise Refused(errors.TOO_MANY_UNVERIFIED)
        now = deps.now()
        owned = OwnedAddress(new_id("idn", now), me.user.id, address, None, now, now)
        await tx.add_pending_address(owned)
        return await _answer(deps, tx, me, owned.id)


async def _expect_free(deps: Deps, tx: Transaction, user: User, address: Address) -> None:
    if await tx.user_by_address(address):
        raise Refused(errors.IDENTIFIER_TAKEN.about(address.kind))
    await mailbox.expect_free(deps, tx, address, user.id)


def _expect_addable(instance: Instance, me: Me, kind: Kind) -> None:
    attribute = instance.attribute(kind)
    if not attribute.enabled:
        raise Refused(errors.PARAM_UNKNOWN.about(kind))
    # Who is asked to set up a second factor must be able to.
    if attribute.immutable and me.session.status is not Status.PENDING:
        raise Refused(errors.ATTRIBUTE_IMMUTABLE.about(kind))


def _read(instance: Instance, caller: Caller, kind: Kind, text: str) -> Address:
    try:
        address = parse(kind, text, test_mode=instance.test_mode)
    except Malformed:
        raise Refused(errors.ADDRESS_FORMATS[kind].about(kind)) from None
    expect_allowed(address, instance, adding=True)
    sending.expect_number(instance, caller, address)
    return address


# ── proving ───────────────────────────────────────────────────────────────────────────
async def send_code(
    deps: Deps, caller: Caller, session_id: str | None, target: Target, way: Way
) -> Answer[Changed]:
    """Send a code to an address that the person says is theirs; again, to send another."""
    if way.strategy.kind is not target.kind:
        raise Refused(errors.PARAM_VALUE.about("strategy"))
    async with audit.unit(deps) as tx:
        me = await enter(deps, tx, caller, session_id, pending=True)
        owned = _own(me.user, target)
        if owned.is_verified:
            raise Refused(errors.VERIFICATION_DONE)
        decoy = await _decoy(deps, tx, me.user, owned.address)
        until, locale = deps.now() + ATTEMPT_LIVES_FOR, me.user.profile.locale
        attempt = codes.Attempt(owned.id, until, caller, locale, way.channel, decoy)
        _, message = await codes.send(deps, tx, attempt, owned.address)
        answer = await _answer(deps, tx, me, owned.id)
    await codes.post(deps, message)
    return answer


async def _decoy(deps: Deps, tx: Transaction, user: User, address: Address) -> Decoy | None:
    """Refuse an address that somebody else has; in strict mode send nothing and say nothing."""
    owner = await tx.user_by_address(address, evenly=deps.instance.is_strict)
    if owner and owner.id == user.id:
        return None  # what is theirs since the sign-up is no newcomer
    if owner is None:
        expect_allowed(address, deps.instance, adding=True)
        if not deps.instance.is_strict:
            await mailbox.expect_free(deps, tx, address, user.id)
        return None
    if deps.instance.is_strict:
        return Decoy()
    raise Refused(errors.IDENTIFIER_TAKEN.about(address.kind))


async def try_code(
    deps: Deps, caller: Caller, session_id: str | None, target: Target, typed: str
) -> Answer[Changed]:
    """Try a code. The right one makes the address theirs, unless somebody was first."""
    async with audit.unit(deps) as tx:
        me = await enter(deps, tx, caller, session_id, pending=True)
        owned = _own(me.user, target)
        if owned.is_verified:
            raise Refused(errors.VERIFICATION_DONE)
        if owned.verification is None:
            raise Refused(errors.VERIFICATION_MISSING)
        tried = await codes.count(deps, tx, caller, owned.verification)
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id, pending=True)
        return await _claim(deps, tx, me, _own(me.user, target), tried)


async def _claim(
    deps: Deps, tx: Transaction, me: Me, owned: OwnedAddress, tried: CountedTry
) -> Answer[Changed]:
    await codes.consume(deps, tx, tried)
    owner = await tx.user_by_address(owned.address)
    refusal = CLAIMED if owner and owner.id != me.user.id else None
    if owner is None:
        expect_allowed(owned.address, deps.instance, adding=True)
        refusal = await mailbox.refusal_of(deps, tx, owned.address, me.user.id)
    if refusal:
        await tx.delete_address(owned.id)
        return Answer(refusal=refusal)
    now = deps.now()
    owned = replace(owned, verified_at=now, updated_at=now, verification=None)
    try:
        await tx.claim_address(owned)
    except Conflict:  # claimed between the look and the write, on another machine
        raise Refused(CLAIMED) from None
    await tx.release_addresses(me.user.id)
    await _save(deps, tx, me.user, account.with_address(me.user, owned))
    return await _answer(deps, tx, me, owned.id)


# ── the second step ───────────────────────────────────────────────────────────────────
async def use_for_second_step(
    deps: Deps, caller: Caller, session_id: str | None, phone_id: str, wanted: SecondStep
) -> Answer[Changed]:
    """Reserve a phone for the second step, or give it back, or make it the default one.

    The first that is reserved brings backup codes along where the instance has them.
    """
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id, pending=True)
        owned = _own(me.user, Target(Kind.PHONE, phone_id))
        after = account.with_second_step(
            me.user, owned, deps.instance, reserved=wanted.reserved, default=wanted.default
        )
        if after != me.user:
            expect_recent(deps, me.session, me.user)
        await _save(deps, tx, me.user, after)
        made = None
        set_up = after.has_second_factor(deps.instance) > me.user.has_second_factor(deps.instance)
        if set_up and deps.instance.backup_codes:
            made = await backup_codes.issue(deps, tx, me.user.id)
        return await _answer(deps, tx, me, owned.id, made)


async def renew_backup_codes(
    deps: Deps, caller: Caller, session_id: str | None
) -> Answer[tuple[str, ...]]:
    """Make other backup codes; the earlier ones are worth nothing from now on."""
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        if not deps.instance.backup_codes or not account.has_two_steps(me.user, deps.instance):
            raise Refused(errors.BACKUP_CODES_UNAVAILABLE)
        expect_recent(deps, me.session, me.user)
        made = await backup_codes.issue(deps, tx, me.user.id)
        await tx.save_user(replace(me.user, updated_at=deps.now()))
        return Answer(made, await clients.view(tx, me.client, deps.now()), me.user)


# ── removing ──────────────────────────────────────────────────────────────────────────
async def remove(deps: Deps, caller: Caller, session_id: str | None, target: Target) -> Answer[str]:
    """Take an address off the account, where the person can still get in without it."""
    async with deps.storage.transaction() as tx:
        me = await enter(deps, tx, caller, session_id)
        owned = _own(me.user, target)
        after = account.without(me.user, owned, deps.instance)
        expect_recent(deps, me.session, me.user)
        await tx.retire_attempt(owned.id)
        await tx.delete_address(owned.id)
        await _save(deps, tx, me.user, after)
        return Answer(owned.id, await clients.view(tx, me.client, deps.now()))


# ── parts ─────────────────────────────────────────────────────────────────────────────
def _own(user: User, target: Target) -> OwnedAddress:
    owned = user.owned(target.id)
    if owned is None or owned.address.kind is not target.kind:
        raise Refused(errors.NOT_FOUND)
    return owned


async def _save(deps: Deps, tx: Transaction, before: User, after: User) -> None:
    """Save what differs, and what follows where two steps were set up or given up."""
    now, instance = deps.now(), deps.instance
    for owned in after.addresses:
        earlier = before.owned(owned.id)
        if earlier and earlier.is_verified and earlier != owned:
            await tx.save_address(replace(owned, updated_at=now))
    had, has = (one.has_second_factor(instance) for one in (before, after))
    if has and not had:
        after = replace(after, mfa_enabled_at=now)
    if had and not has:
        after = replace(after, mfa_disabled_at=now)
        await tx.replace_backup_codes(after.id, [])
    await tx.save_user(replace(after, updated_at=now))


async def _answer(
    deps: Deps, tx: Transaction, me: Me, address_id: str, made: tuple[str, ...] | None = None
) -> Answer[Changed]:
    """The address as it is now, with the client around it."""
    user = await tx.user(me.user.id)
    owned = user.owned(address_id) if user else None
    if user is None or owned is None:
        raise Refused(errors.NOT_FOUND)
    client = await _finish_task(deps, tx, me, user)
    return Answer(Changed(owned, made), await clients.view(tx, client, deps.now()), user)


async def _finish_task(deps: Deps, tx: Transaction, me: Me, user: User) -> Client:
    """Let the session in where the second factor that it waited for is set up now.

    The person's other sessions that have proved one factor only are over, those that wait
    included: there are two from now on, and a thief of the first has no other way left.
    """
    instance, now = deps.instance, deps.now()
    if account.has_two_steps(me.user, instance) or not account.has_two_steps(user, instance):
        return me.client
    for session in await tx.sessions_of_user(user.id, now):
        if session.second_factor_at is None and session.id != me.session.id:
            await tx.end_session(session.id, Status.REVOKED, now)
    if not await tx.activate_session(me.session.id, now):
        return me.client
    await tx.add_device(me.client.id, user.id, now)
    client = replace(me.client, updated_at=now)  # tokens that say "pending" are not given again
    await tx.save_client(client)
    return client
