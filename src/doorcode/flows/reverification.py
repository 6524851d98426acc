"""Proving again who one is: start · send a code · try a code, twice where both are asked for.

A session that is open may be in other hands than those that opened it: a browser left
alone, a stolen cookie. What cannot be undone asks for a fresh proof (`expect_recent`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Strategy
from doorcode.domain.client import Client
from doorcode.domain.errors import Refused
from doorcode.domain.reverification import (
    Level,
    Reverification,
    after_first_proof,
    after_second_proof,
    factors_of,
    first_step,
    is_recent,
    possible_level,
)
from doorcode.domain.session import Session
from doorcode.domain.sign_in import BACKUP_CODE, Factor, choose_factor
from doorcode.domain.user import User
from doorcode.flows import audit, backup_codes, codes, guesses, session
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.codes import CountedTry
from doorcode.flows.deps import Caller, Deps
from doorcode.flows.sign_in import Wish
from doorcode.flows.whom import expect_usable
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """A reverification, and the session that it is of."""

    one: Reverification
    session: Session


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who asks, what is under way, and what may prove them at this step."""

    client: Client
    session: Session
    user: User
    one: Reverification
    factors: tuple[Factor, ...]


def expect_recent(deps: Deps, session: Session, user: User) -> None:
    """Refuse where the person's strongest factor was not proved within ten minutes.

    Nothing is refused where the instance does not ask for it. The SDKs know the refusal by
    its code alone; they ask for the second factor, and `start` says what there is.
    """
    if not deps.instance.reverification:
        return
    if not is_recent(session, user, deps.instance, deps.now()):
        raise Refused(errors.REVERIFICATION_REQUIRED)


async def start(deps: Deps, caller: Caller, session_id: str, asked: Level) -> Answer[Standing]:
    """Begin to prove oneself again. An earlier beginning, and its codes, are worth nothing."""
    now = deps.now()
    async with deps.storage.transaction() as tx:
        client, found, user = await _own(deps, tx, caller, session_id)
        earlier = await tx.reverification(found.id)
        if earlier:
            await tx.retire_attempt(earlier.id)
        level = possible_level(asked, user, deps.instance)
        one = Reverification(
            id=new_id("srv", now),
            session_id=found.id,
            level=level,
            status=first_step(level),
            created_at=now,
            expires_at=now + limits.REVERIFICATION_LIVES_FOR,
        )
        await tx.save_reverification(one)
        shown = await clients.view(tx, client, now)
    return Answer(Standing(one, found), shown, user)


async def send_first_code(
    deps: Deps, caller: Caller, session_id: str, wish: Wish
) -> Answer[Standing]:
    """Send a first code; again, to send another."""
    return await _send(deps, caller, session_id, wish, second=False)


async def send_second_code(
    deps: Deps, caller: Caller, session_id: str, wish: Wish
) -> Answer[Standing]:
    """Send a second code, by another channel than the first; again, to send another."""
    return await _send(deps, caller, session_id, wish, second=True)


async def try_first_code(
    deps: Deps, caller: Caller, session_id: str, strategy: Strategy, typed: str
) -> Answer[Standing]:
    """Try a first code. The right one is all, or leads to the second step."""
    async with audit.unit(deps) as tx:
        scene = await _scene(deps, tx, caller, session_id)
        tried = await codes.count(deps, tx, caller, scene.one.verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        scene = await _same_scene(deps, tx, caller, session_id, tried)
        scene.one.expect_first_factor()
        _expect_factor(scene, tried.verification.address)
        one = scene.one.after_first(await codes.consume(deps, tx, tried))
        has_second = scene.user.has_second_factor(deps.instance)
        proved = after_first_proof(scene.session, deps.now(), has_second=has_second)
        return await _settle(deps, tx, scene, one, proved)


async def try_second_code(
    deps: Deps, caller: Caller, session_id: str, strategy: Strategy, typed: str
) -> Answer[Standing]:
    """Try a second code."""
    async with audit.unit(deps) as tx:
        scene = await _scene(deps, tx, caller, session_id)
        tried = await codes.count(deps, tx, caller, scene.one.second_verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        scene = await _same_scene(deps, tx, caller, session_id, tried)
        scene.one.expect_second_factor()
        _expect_factor(scene, tried.verification.address)
        one = scene.one.after_second(await codes.consume(deps, tx, tried))
        proved = after_second_proof(scene.session, deps.now())
        return await _settle(deps, tx, scene, one, proved)


async def try_backup_code(
    deps: Deps, caller: Caller, session_id: str, typed: str
) -> Answer[Standing]:
    """Try one of the codes that were written down, as a second factor. Each works once.

    The guess is counted and committed before anything is compared, together with those made
    at sign-in: with ten codes outstanding, free guesses would find one.
    """
    async with audit.unit(deps) as tx:
        scene = await _scene(deps, tx, caller, session_id)
        _expect_backup_codes(scene)
        against = await guesses.budgets_of_person(deps, tx, caller, scene.user.id)
        guess_ids = await guesses.spend(deps, tx, caller, against)
    async with deps.storage.transaction() as tx:
        scene = await _scene(deps, tx, caller, session_id)
        _expect_backup_codes(scene)
        if not await backup_codes.use(deps, tx, scene.user.id, typed):
            return Answer(refusal=errors.CODE_INCORRECT)
        await guesses.refund(tx, guess_ids)
        user = replace(scene.user, backup_codes=scene.user.backup_codes - 1)
        proved = after_second_proof(scene.session, deps.now())
        one = scene.one.after_second(None)
        return await _settle(deps, tx, replace(scene, user=user), one, proved)


# ── parts ─────────────────────────────────────────────────────────────────────────────
async def _send(
    deps: Deps, caller: Caller, session_id: str, wish: Wish, *, second: bool
) -> Answer[Standing]:
    async with audit.unit(deps) as tx:
        scene = await _scene(deps, tx, caller, session_id)
        if second:
            scene.one.expect_second_factor()
        else:
            scene.one.expect_first_factor()
        if second and all(one.strategy != wish.strategy for one in scene.factors):
            raise Refused(errors.NO_SECOND_FACTORS)
        factor = choose_factor(list(scene.factors), wish.strategy, wish.address_id)
        if factor.address is None:
            raise Refused(errors.STRATEGY_FOR_USER)
        one = replace(scene.one, expires_at=deps.now() + limits.REVERIFICATION_LIVES_FOR)
        locale = wish.locale or scene.user.profile.locale
        attempt = codes.Attempt(one.id, one.expires_at, caller, locale, wish.channel)
        sent, message = await codes.send(deps, tx, attempt, factor.address)
        one = replace(one, second=sent) if second else replace(one, first=sent)
        await tx.save_reverification(one)
        shown = await clients.view(tx, scene.client, deps.now())
    await codes.post(deps, message)
    return Answer(Standing(one, scene.session), shown, scene.user)


async def _settle(
    deps: Deps, tx: Transaction, scene: _Scene, one: Reverification, proved: Session
) -> Answer[Standing]:
    """Keep what was proved. The next token of the session says so, by its `fva` claim.

    The cookie is replaced, as at a sign-in: whoever holds a copy of it waits for its owner
    to prove themselves, and would share that proof.
    """
    await tx.save_factor_times(proved)
    one = replace(one, expires_at=deps.now() + limits.REVERIFICATION_LIVES_FOR)
    await tx.save_reverification(one)
    token = await clients.rotate(deps, tx, scene.client)
    shown = await clients.view(tx, scene.client, deps.now())
    return Answer(Standing(one, proved), shown, scene.user, client_token=token)


async def _own(
    deps: Deps, tx: Transaction, caller: Caller, session_id: str
) -> tuple[Client, Session, User]:
    client, found = await session.own_live(deps, tx, caller, session_id)
    return client, found, expect_usable(await tx.user(found.user_id))


async def _scene(deps: Deps, tx: Transaction, caller: Caller, session_id: str) -> _Scene:
    """What is under way in a live session of the client that asks, or `Refused`."""
    client, found, user = await _own(deps, tx, caller, session_id)
    one = await tx.reverification(found.id)
    if one is None or deps.now() >= one.expires_at:
        raise Refused(errors.REVERIFICATION_MISSING)
    return _Scene(client, found, user, one, tuple(factors_of(one, user, deps.instance)))


async def _same_scene(
    deps: Deps, tx: Transaction, caller: Caller, session_id: str, tried: CountedTry
) -> _Scene:
    """The same reverification, after the try was compared: another may have replaced it."""
    scene = await _scene(deps, tx, caller, session_id)
    if scene.one.id != tried.verification.attempt_id:
        raise Refused(errors.REVERIFICATION_MISSING)
    return scene


def _expect_factor(scene: _Scene, address: Address) -> None:
    """An address may have left the account, or changed its use, since the code was sent."""
    if not any(one.address and one.address.is_same_as(address) for one in scene.factors):
        raise Refused(errors.USER_GONE)


def _expect_backup_codes(scene: _Scene) -> None:
    scene.one.expect_second_factor()
    if all(factor.strategy != BACKUP_CODE for factor in scene.factors):
        raise Refused(errors.NO_SECOND_FACTORS)
