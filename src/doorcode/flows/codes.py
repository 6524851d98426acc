"""Sending a code, and trying one: the same for a sign-up and a sign-in.

The order is the defence. A try is counted and committed; then the code is compared, in
constant time; then the verification is moved by one conditional write; then whatever it
opens is opened. Counting after comparing, or in the same unit, lets parallel guesses be
compared before any of them is counted; a roll-back would give the guess back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from doorcode.delivery.render import Notice, pack, pack_notice, pack_withheld
from doorcode.delivery.sms import sms_segments
from doorcode.delivery.words import voice_for
from doorcode.domain import errors, limits
from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.instance import Instance
from doorcode.domain.message import Message
from doorcode.domain.verification import Code, Status, Verdict, Verification, judge, refusal_for
from doorcode.flows import guesses, sending
from doorcode.flows.deps import Caller, Deps, Grounds
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class Decoy:
    """There is no code to send, and nobody may notice.

    A notice goes in its place to the same address, or to the mailbox `to`; or nothing does.
    """

    notice: Notice | None = None
    to: Address | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a code is asked for and by whom, until when, in which language, by which channel.

    The id is that of a sign-up, a sign-in, a claimed address or a reverification.
    """

    id: str
    abandon_at: int
    caller: Caller
    locale: str | None = None
    channel: Channel | None = None
    decoy: Decoy | None = None


@dataclass(frozen=True, slots=True)
class CountedTry:
    """A try that has been counted: its number, and what it may be compared with."""

    verification: Verification
    number: int
    guess_ids: tuple[str, ...]
    codes: tuple[Code, ...]


async def send(
    deps: Deps, tx: Transaction, attempt: Attempt, address: Address
) -> tuple[Verification, Message | None]:
    """Make a code and put it in the outbox, in the unit under way.

    There is no message where the same click has sent one a moment ago. With a decoy all is
    written and counted alike, but no code is made that anybody could type.
    """
    caller = attempt.caller
    channel = attempt.channel or deps.instance.channel_to(address)
    expect_way(deps, channel, address)
    against = await guesses.budgets_for(deps, tx, caller, address)
    await guesses.expect_left(deps, tx, caller, against)
    verification, is_sent = await _verification_for(deps, tx, attempt, address, channel)
    if is_sent:
        return verification, None
    code = deps.codes.make(address)
    message = _message(deps, attempt, verification, address, code)
    if not address.is_test:
        segments = segments_of(deps.instance, caller, attempt.locale, channel)
        about = sending.About(caller, address, channel, verification.id, message.id, segments)
        await sending.spend(deps, tx, about, known=guesses.is_known(against))
    version, digest = deps.codes.digest(verification, code)
    if attempt.decoy:
        version, digest = deps.codes.decoy()
    kept = Code(digest, version, verification.expires_at)
    await tx.add_code(verification.id, kept, keep=limits.CODES_ALIVE)
    await tx.add_message(message)
    return verification, message


async def post(deps: Deps, message: Message | None) -> None:
    """Hand a committed message to the courier.

    Where nobody may learn whether there is an account, no answer waits for a delivery.
    """
    if message and deps.instance.is_strict:
        deps.post.wake()
    elif message:
        await deps.post.announce(message.id, message.channel, message.is_test)


async def count(
    deps: Deps, tx: Transaction, caller: Caller, verification: Verification
) -> CountedTry:
    """Count a try against the verification and against the address, or refuse it."""
    now = deps.now()
    _expect_not_stale(deps, verification.address)
    refusal = verification.why_not_try(now)
    if refusal:
        raise Refused(refusal)
    against = await guesses.budgets_for(deps, tx, caller, verification.address)
    guess_ids = await guesses.spend(deps, tx, caller, against)
    most = limits.TRIES_PER_VERIFICATION
    number = await tx.count_try(verification.id, most, now)
    if number is None:
        raise Refused(errors.VERIFICATION_FAILED)
    return CountedTry(verification, number, guess_ids, tuple(await tx.codes(verification.id)))


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
    await guesses.refund(tx, tried.guess_ids)
    await sending.note_verified(deps, tx, verification.id)
    return replace(verification, status=status, attempts=tried.number)


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


def segments_of(instance: Instance, caller: Caller, locale: str | None, channel: Channel) -> int:
    """How many messages a code is paid for as: those of the very text that will be sent."""
    if channel is not Channel.SMS:
        return 1
    words = voice_for(instance.texts, locale, *caller.languages).words
    return sms_segments(words["sms"], instance.name, instance.host_for(caller.page))


def expect_way(deps: Grounds, channel: Channel, address: Address) -> None:
    """Refuse what nobody would carry, or what counts no more."""
    _expect_not_stale(deps, address)
    if not deps.post.can_send(channel, address.is_test):
        by_phone = address.kind is Kind.PHONE
        raise Refused(errors.SMS_UNDELIVERABLE if by_phone else errors.EMAIL_UNDELIVERABLE)


# ── parts ─────────────────────────────────────────────────────────────────────────────
def _expect_not_stale(deps: Grounds, address: Address) -> None:
    """A test account outlives test mode in the database; its well-known code must not."""
    if address.is_test and not deps.instance.test_mode:
        raise Refused(errors.STRATEGY_FOR_USER)


async def _verification_for(
    deps: Deps, tx: Transaction, attempt: Attempt, address: Address, channel: Channel
) -> tuple[Verification, bool]:
    """The verification that a new code joins, or a fresh one; and whether it was sent already.

    Asked for twice by one click (a form sent twice, a component mounted twice), it is the
    one of the first time, as it is: two codes seconds apart are paid twice and confuse.
    """
    now = deps.now()
    earlier = await tx.verification_of(attempt.id, address)
    if earlier and earlier.can_be_sent_again(now):
        if earlier.is_same_click(channel, now):
            return earlier, True
        wait = earlier.wait_before_resend(now)
        if wait:
            raise Refused(replace(errors.RESEND_TOO_SOON, retry_after=wait))
        expires_at = now + limits.CODE_LIVES_FOR
        joined = replace(earlier, channel=channel, sent_at=now, expires_at=expires_at)
        await tx.extend(joined)
        return joined, False
    return await _fresh_verification(tx, attempt, address, channel, now), False


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


def _message(
    deps: Deps, attempt: Attempt, verification: Verification, address: Address, code: str
) -> Message:
    """The letter with the code, or whatever goes in its place.

    Mail goes to the spelling given now; the verification may have begun with another.
    """
    now, decoy, channel = verification.sent_at, attempt.decoy, verification.channel
    name, host = deps.instance.name, deps.instance.host_for(attempt.caller.page)
    voice = voice_for(deps.instance.texts, attempt.locale, *attempt.caller.languages)
    if decoy and decoy.notice:
        plain = pack_notice(decoy.notice, name, voice=voice)
    elif decoy:
        plain = pack_withheld("0" * limits.CODE_DIGITS, name, voice.language, host, voice.own)
    else:
        plain = pack(code, name, voice.language, host, voice.own)
    if decoy and decoy.to:
        address, channel = decoy.to, decoy.to.channel
    message_id = new_id("msg", now)
    return Message(
        id=message_id,
        verification_id=verification.id,
        channel=channel,
        recipient=address.spelling,
        is_test=address.is_test,
        sealed=deps.sealer.seal(f"outbox/{message_id}", plain),
        created_at=now,
        expires_at=verification.expires_at,
    )
