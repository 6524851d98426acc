"""Counting guesses, before anything is compared.

Each identifier has one budget for everybody, and one more for each of the last devices that
signed in to it. With one budget alone, ten wrong codes from anywhere would keep its owner
out (CVE-2024-1722); here a stranger's guesses spend what strangers have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.event import Event
from doorcode.domain.instance import Instance
from doorcode.flows.deps import Caller, Deps, Grounds
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Budget:
    """How many wrong guesses are left to whom.

    `subject` is the name under which they are counted, `about` what is guessed at.
    """

    bucket: str
    about: str
    subject: str
    most: int
    window: int

    def refusal(self, seconds: int) -> Refusal:
        """What is said where nothing is left for so long."""
        if self.bucket == limits.NETWORK_GUESSES:
            return replace(errors.TOO_MANY_REQUESTS, retry_after=seconds)
        meta = {"lockout_expires_in_seconds": seconds}
        return replace(errors.USER_LOCKED, retry_after=seconds, meta=meta)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many guesses everybody else has left at a person, and for how long there are none."""

    left: int
    opens_in_seconds: int | None = None


async def budgets_for(
    deps: Grounds, tx: Transaction, caller: Caller, address: Address
) -> tuple[Budget, ...]:
    """What a guess at the code of an address is counted against."""
    known = bool(caller.client_id) and await tx.is_known_device(caller.client_id or "", address)
    return budgets(deps.instance, caller, address.name, known=known)


async def budgets_of_person(
    deps: Deps, tx: Transaction, caller: Caller, user_id: str
) -> tuple[Budget, ...]:
    """What a guess at a person's backup codes is counted against."""
    known = bool(caller.client_id) and await tx.has_been_here(caller.client_id or "", user_id)
    name = f"backup_codes:{user_id}"
    own, *others = budgets(deps.instance, caller, name, known=known)
    return (own if known else replace(own, bucket=limits.BACKUP_GUESSES), *others)


def budgets(instance: Instance, caller: Caller, name: str, *, known: bool) -> tuple[Budget, ...]:
    """The budget of a known device alone, or those of everybody else: identifier and network.

    For IPv6 that is a /64, and the /48 around it: one guess from each of its networks at each
    of many identifiers would pass all other budgets.
    """
    most, window = instance.lockout.attempts, instance.lockout.window
    if known:
        subject = f"{name}@{caller.client_id}"
        return (Budget(limits.DEVICE_GUESSES, name, subject, most, window),)
    own = Budget(limits.GUESSES, name, name, most, window)
    around = {caller.network: 1, caller.site: limits.SITE_TIMES}
    networks = [
        Budget(
            limits.NETWORK_GUESSES,
            name,
            f"network:{network}",
            limits.GUESSES_PER_NETWORK * times,
            limits.GUESS_WINDOW,
        )
        for network, times in around.items()
        if network
    ]
    return own, *networks


def is_known(against: tuple[Budget, ...]) -> bool:
    """Whether these are the budgets of a device that signed in before."""
    return against[0].bucket == limits.DEVICE_GUESSES


async def spend(
    deps: Deps, tx: Transaction, caller: Caller, against: tuple[Budget, ...]
) -> tuple[str, ...]:
    """Count a guess against each budget, or refuse it; the ids by which a right one is taken
    back."""
    now = deps.now()
    spent = []
    for budget in against:
        guess_id = new_id("gss", now)
        since = now - budget.window
        if not await tx.spend_guess(guess_id, budget.subject, budget.most, since, now):
            raise await _refused(deps, tx, caller, budget)
        spent.append(guess_id)
    return tuple(spent)


async def expect_left(
    deps: Grounds, tx: Transaction, caller: Caller, against: tuple[Budget, ...]
) -> None:
    """Refuse where a budget is used up: no code is sent that cannot be tried."""
    for budget in against:
        if await wait_for(deps, tx, budget):
            raise await _refused(deps, tx, caller, budget)


async def refund(tx: Transaction, guess_ids: tuple[str, ...]) -> None:
    """Take a guess back: it was right. What was wrong before stays counted."""
    for guess_id in guess_ids:
        await tx.refund_guess(guess_id)


async def wait_for(deps: Grounds, tx: Transaction, budget: Budget) -> int:
    """Whole seconds until a budget holds a guess again; 0 where it does now."""
    now = deps.now()
    made_at = await tx.nth_latest_guess(budget.subject, budget.most, now - budget.window)
    if made_at is None:
        return 0
    return _whole_seconds(made_at + budget.window - now)


async def standing_of(deps: Deps, tx: Transaction, user_id: str) -> Standing:
    """How far everybody else has come, at the worst of a person's addresses."""
    most, window, now = deps.instance.lockout.attempts, deps.instance.lockout.window, deps.now()
    made = (await tx.guesses_at_user(user_id, now - window)).values()
    # The lock is over when the last but `most` falls out of the window.
    ends = [times[-most] + window for times in made if len(times) >= most]
    if ends:
        return Standing(0, _whole_seconds(max(ends) - now))
    return Standing(most - max(map(len, made), default=0))


def _whole_seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // limits.SECOND))


async def _refused(deps: Grounds, tx: Transaction, caller: Caller, budget: Budget) -> Refused:
    seconds = await wait_for(deps, tx, budget) or 1
    event = Event(
        "limit.refused",
        "refused",
        bucket=budget.bucket,
        subject=budget.about,
        network=caller.network,
        client_id=caller.client_id or "",
        details={"opens_in_seconds": seconds},
    )
    return Refused(budget.refusal(seconds), event)
