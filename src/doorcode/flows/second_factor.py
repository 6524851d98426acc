"""The second step of signing in: send a code · try a code, or use up a backup code."""

from __future__ import annotations

from dataclasses import replace

from doorcode.domain import errors
from doorcode.domain.addresses import Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.sign_in import BACKUP_CODE, SignIn, choose_factor, factors_of_step
from doorcode.domain.user import User
from doorcode.flows import audit, backup_codes, codes, guesses
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller, Deps
from doorcode.flows.sign_in import Wish, finish, own_open, send_to
from doorcode.flows.whom import expect_usable


async def send_code(deps: Deps, caller: Caller, sign_in_id: str, wish: Wish) -> Answer[SignIn]:
    """Send a second code, by another channel than the first; again, to send another."""
    async with audit.unit(deps) as tx:
        client, sign_in, user = await own_open(deps, tx, caller, sign_in_id)
        sign_in.expect_second_factor()
        user = expect_usable(user)
        factors = factors_of_step(sign_in, user, deps.instance)
        if all(factor.strategy != wish.strategy for factor in factors):
            raise Refused(errors.NO_SECOND_FACTORS)
        factor = choose_factor(factors, wish.strategy, wish.address_id)
        verification, message = await send_to(deps, tx, caller, sign_in, user, factor, wish)
        sign_in = replace(sign_in, second=verification)
        await tx.save_sign_in(sign_in)
        shown = await clients.view(tx, client, deps.now())
    await codes.post(deps, message)
    return Answer(sign_in, shown, user)


async def try_code(
    deps: Deps, caller: Caller, sign_in_id: str, strategy: Strategy, typed: str
) -> Answer[SignIn]:
    """Try a second code. The right one signs the person in."""
    async with audit.unit(deps) as tx:
        _, sign_in, _ = await own_open(deps, tx, caller, sign_in_id)
        tried = await codes.count(deps, tx, caller, sign_in.second_verification_to_try(strategy))
    refusal = await codes.compare(deps, tried, typed)
    if refusal:
        return Answer(refusal=refusal)
    async with deps.storage.transaction() as tx:
        client, sign_in, user = await own_open(deps, tx, caller, sign_in_id)
        verification = await codes.consume(deps, tx, tried)
        user = expect_usable(user)
        factors = factors_of_step(sign_in, user, deps.instance)
        if not any(one.address and one.address.is_same_as(verification.address) for one in factors):
            # It left the account since, or is no second step any more: the phone was lost.
            raise Refused(errors.USER_GONE)
        sign_in = replace(sign_in, second=verification)
        return await finish(deps, tx, caller, client, sign_in, user, second_factor=True)


async def try_backup_code(
    deps: Deps, caller: Caller, sign_in_id: str, typed: str
) -> Answer[SignIn]:
    """Try one of the codes that were written down. Each works once.

    The guess is counted and committed before anything is compared, for all attempts of
    all clients together: with ten codes outstanding, free guesses would find one.
    """
    async with audit.unit(deps) as tx:
        _, sign_in, user = await own_open(deps, tx, caller, sign_in_id)
        sign_in.expect_second_factor()
        user = _expect_backup_codes(deps, sign_in, user)
        against = await guesses.budgets_of_person(deps, tx, caller, user.id)
        guess_ids = await guesses.spend(deps, tx, caller, against)
    async with deps.storage.transaction() as tx:
        client, sign_in, user = await own_open(deps, tx, caller, sign_in_id)
        sign_in.expect_second_factor()
        user = expect_usable(user)
        if not await backup_codes.use(deps, tx, user.id, typed):
            return Answer(refusal=errors.CODE_INCORRECT)
        await guesses.refund(tx, guess_ids)
        user = replace(user, backup_codes=user.backup_codes - 1)
        return await finish(deps, tx, caller, client, sign_in, user, second_factor=True)


def _expect_backup_codes(deps: Deps, sign_in: SignIn, user: User | None) -> User:
    user = expect_usable(user)
    factors = factors_of_step(sign_in, user, deps.instance)
    if all(factor.strategy != BACKUP_CODE for factor in factors):
        raise Refused(errors.NO_SECOND_FACTORS)
    return user
