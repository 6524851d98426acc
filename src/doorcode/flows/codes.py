"""Sending a code, and trying one: the same for a sign-up and a sign-in.

The order is the defence. A try is counted and committed; then the code is compared, in
constant time; then the verification is moved by one conditional write; then whatever it
opens is opened. Counting after comparing, or in the same unit, lets parallel guesses be
compared before any of them is counted; a roll-back would give the guess back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.delivery.render import pack
from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.message import Message
from doorcode.domain.verification import Code, Status, Verdict, Verification, judge, refusal_for
from doorcode.flows.deps import Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a code is asked for, until when, in which language, and by which channel.

    The id is that of a sign-up, a sign-in, a claimed address or a reverification.
    """

    id: str
    abandon_at: int
    locale: str | None = None
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class CountedTry:
    """A try that has been counted: its number, and what it may be compared with."""

    verification: Verification
    number: int
    guess_id: str
    codes: tuple[Code, ...]


async def send(
    deps: Deps, tx: Transaction, attempt: Attempt, address: Address
) -> tuple[Verification, Message]:
    """Make a code and put it in the outbox, in the unit under way."""
    now = deps.now()
    _expect_not_stale(deps, address)
    channel = attempt.channel or deps.instance.channel_to(address)
    _expect_route(deps, channel, address)
    await _expect_guesses_left(tx, address.name, now)
    verification = await _verification_for(tx, attempt, address, channel, now)
    code = deps.codes.make(address)
    version, digest = deps.codes.digest(verification, code)
    kept = Code(digest, version, verification.expires_at)
    await tx.add_code(verification.id, kept, keep=limits.CODES_ALIVE)
    plain = pack(code, deps.instance.name, attempt.locale)
    # Mail goes to the spelling given now; the verification may have begun with another.
    message = _message(deps, verification, address, plain)
    await tx.add_message(message)
    return verification, message


async def post(deps: Deps, message: Message | None) -> None:
    """Hand a committed message to the courier."""
    if message:
        await deps.post.announce(message.id, message.channel, message.is_test)


async def count(deps: Deps, tx: Transaction, verification: Verification) -> CountedTry:
    """Count a try against the verification and against the address, or refuse it."""
    now = deps.now()
    _expect_not_stale(deps, verification.address)
    refusal = verification.why_not_try(now)
    if refusal:
        raise Refused(refusal)
    guess_id = await spend_guess(tx, verification.address.name, now)
    most = limits.TRIES_PER_VERIFICATION
    number = await tx.count_try(verification.id, most, now)
    if number is None:
        raise Refused(errors.VERIFICATION_FAILED)
    return CountedTry(verification, number, guess_id, tuple(await tx.codes(verification.id)))


async def compare(deps: Deps, tried: CountedTry, typed: str) -> Refusal | None:
    """Compare a counted try; None where it is right. The count has been committed."""
    digests = deps.codes.digests(tried.verification, typed)
    verdict = judge(digests, tried.codes, tried.number, deps.now())
    if verdict is Verdict.RIGHT:
        return None
    if verdict is Verdict.LAST_WRONG:
        async with deps.storage.transaction() as tx:
            await tx.settle(tried.verification.id, Status.FAILED)
    return refusal_for(verdict)


async def consume(
    deps: Deps, tx: Transaction, tried: CountedTry, status: Status = Status.VERIFIED
) -> Verification:
    """Use the code up, in the unit that opens what it opens; or refuse.

    Of two right codes at once, one moves the verification and the other is told that it
    was verified already.
    """
    verification = tried.verification
    if not await tx.settle(verification.id, status):
        now = await tx.verification_of(verification.attempt_id, verification.address)
        refusal = now.why_not_try(deps.now()) if now else None
        raise Refused(refusal or errors.VERIFICATION_DONE)
    await tx.refund_guess(tried.guess_id)
    return replace(verification, status=status, attempts=tried.number)


async def spend_guess(tx: Transaction, subject: str, now: int) -> str:
    """Count a guess at `subject`, or refuse it; the id by which a right one is taken back."""
    guess_id = new_id("gss", now)
    most, since = limits.GUESSES_PER_ADDRESS, now - limits.GUESS_WINDOW
    if not await tx.spend_guess(guess_id, subject, most, since, now):
        await _expect_guesses_left(tx, subject, now)
        raise Refused(errors.USER_LOCKED)
    return guess_id


def proved(attempt_id: str, address: Address, now: int) -> Verification:
    """A verification of what was proved elsewhere: by another attempt, or by a ticket."""
    return Verification(
        id=new_id("ver", now),
        attempt_id=attempt_id,
        address=address,
        channel=address.channel,
        status=Status.VERIFIED,
        attempts=0,
        sent_at=now,
        expires_at=now + limits.CODE_LIVES_FOR,
    )


# ── parts ─────────────────────────────────────────────────────────────────────────────
def _expect_not_stale(deps: Deps, address: Address) -> None:
    """A test account outlives test mode in the database; its well-known code must not."""
    if address.is_test and not deps.instance.test_mode:
        raise Refused(errors.STRATEGY_FOR_USER)


def _expect_route(deps: Deps, channel: Channel, address: Address) -> None:
    if not deps.post.can_send(channel, address.is_test):
        by_phone = address.kind is Kind.PHONE
        raise Refused(errors.SMS_UNDELIVERABLE if by_phone else errors.EMAIL_UNDELIVERABLE)


async def _verification_for(
    tx: Transaction, attempt: Attempt, address: Address, channel: Channel, now: int
) -> Verification:
    """The verification that a new code joins; a fresh one where there is none to join."""
    earlier = await tx.verification_of(attempt.id, address)
    if earlier and earlier.can_be_sent_again(now):
        wait = earlier.wait_before_resend(now)
        if wait:
            raise Refused(replace(errors.RESEND_TOO_SOON, retry_after=wait))
        expires_at = now + limits.CODE_LIVES_FOR
        joined = replace(earlier, channel=channel, sent_at=now, expires_at=expires_at)
        await tx.extend(joined)
        return joined
    return await _fresh_verification(tx, attempt, address, channel, now)


async def _fresh_verification(
    tx: Transaction, attempt: Attempt, address: Address, channel: Channel, now: int
) -> Verification:
    verification = Verification(
        id=new_id("ver", now),
        attempt_id=attempt.id,
        address=address,
        channel=channel,
        status=Status.UNVERIFIED,
        attempts=0,
        sent_at=now,
        expires_at=now + limits.CODE_LIVES_FOR,
    )
    await tx.add_verification(verification, delete_at=attempt.abandon_at + limits.DAY)
    return verification


def _message(deps: Deps, verification: Verification, address: Address, plain: bytes) -> Message:
    now = verification.sent_at
    message_id = new_id("msg", now)
    return Message(
        id=message_id,
        verification_id=verification.id,
        channel=verification.channel,
        recipient=address.spelling,
        is_test=verification.address.is_test,
        sealed=deps.sealer.seal(f"outbox/{message_id}", plain),
        created_at=now,
        expires_at=verification.expires_at,
    )


async def _expect_guesses_left(tx: Transaction, subject: str, now: int) -> None:
    """Refuse where an address has used up its guesses: no code is sent that cannot be tried."""
    most, since = limits.GUESSES_PER_ADDRESS, now - limits.GUESS_WINDOW
    made_at = await tx.nth_latest_guess(subject, most, since)
    if made_at is not None:
        left = -(-(made_at + limits.GUESS_WINDOW - now) // limits.SECOND)
        meta = {"lockout_expires_in_seconds": left}
        raise Refused(replace(errors.USER_LOCKED, retry_after=left, meta=meta))
