"""The whole check, row by row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from doorcode.selfcheck import codes, enumeration, guesses
from doorcode.selfcheck.deployment import Deployment, look_at
from doorcode.selfcheck.people import People
from doorcode.selfcheck.prober import Prober
from doorcode.selfcheck.refusals import Stopped
from doorcode.selfcheck.report import Report, Row, Verdict

Say = Callable[[str], None]
Trial = Callable[[People], Awaitable[list[Row]]]

# Minutes that the limits per network address take (three codes typed in ten seconds).
HELD_BACK, STRICT_HELD_BACK = 6, 3
SECONDS_A_SAMPLE = 4 * 10 / 5  # known and unknown, to sign in and up: five in ten seconds


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator asks for. `slow` waits for a code to expire."""

    slow: bool = False
    samples: int = enumeration.SAMPLES


async def run(
    prober: Prober, url: str, time: str, version: str, options: Options, say: Say
) -> Report:
    """Try every guarantee; `CannotRun` where the deployment cannot be checked."""
    await prober.ask_for_testing_token()
    deployment = await look_at(prober)
    people = People(prober, deployment)
    try:
        say(estimate(deployment, options, held_back=prober.is_held_back))
        await people.choose_kind()
        rows = [row async for row in _rows(people, options, say)]
    finally:
        await people.tidy_up()
    return Report(url, time, version, tuple(rows), tuple(people.left_over))


def estimate(deployment: Deployment, options: Options, *, held_back: bool) -> str:
    """How long it takes, and what would make it shorter."""
    minutes = 1.0
    if held_back:
        minutes = HELD_BACK
        if deployment.strict:
            minutes += STRICT_HELD_BACK + options.samples * SECONDS_A_SAMPLE / 60
    if options.slow:
        minutes = max(minutes, codes.LIVES_FOR / 60)
    text = f"This takes about {minutes:.0f} minute{'s' * (round(minutes) != 1)}."
    if held_back:
        text += " The limits per network address are kept; a secret key may shorten it."
    return text


def _trials(options: Options) -> list[tuple[Trial, tuple[str, ...]]]:
    """What is tried, in order, and the rows that come of it."""
    timed_apart = partial(enumeration.timed_apart, samples=options.samples)
    strangers = (guesses.KNOWN_ENTERS, guesses.NEW_WAITS, guesses.OPERATOR_SEES)
    return [
        (guesses.by_all, (guesses.BY_ALL,)),
        (guesses.by_known, (guesses.BY_KNOWN,)),
        (codes.one_session, (codes.ONE_SESSION,)),
        (codes.other_attempt, (codes.OTHER_ATTEMPT,)),
        (codes.other_client, (codes.OTHER_CLIENT,)),
        (codes.other_channel, (codes.OTHER_CHANNEL,)),
        (codes.other_instance, (codes.OTHER_INSTANCE,)),
        (guesses.by_strangers, strangers),
        (enumeration.told_apart, (enumeration.ANSWERS, enumeration.EFFECTS)),
        (timed_apart, (enumeration.TIME,)),
    ]


async def _rows(people: People, options: Options, say: Say) -> AsyncIterator[Row]:
    # Sent first, so that it expires while the rest is tried.
    expiry = await _begin_expiry(people) if options.slow else None
    for trial, guarantees in _trials(options):
        # At once: an account can be deleted without another code while its proof is fresh.
        await people.tidy_up(but=expiry.account if expiry else None)
        for row in await _tried(trial(people), guarantees):
            say(f"{row.verdict:13} {row.guarantee}")
            yield row
    if expiry is None:
        yield Row(codes.NOT_EXPIRED, "waits for ten minutes (--slow)", Verdict.NOT_RUN)
        return
    for row in await _tried(expiry.row(), (codes.NOT_EXPIRED,)):
        say(f"{row.verdict:13} {row.guarantee}")
        yield row


async def _begin_expiry(people: People) -> codes.Expiry:
    account = await people.somebody()
    return codes.Expiry(people.prober, account, await people.asked(account.identifier))


async def _tried(trial: Awaitable[list[Row]], guarantees: tuple[str, ...]) -> list[Row]:
    try:
        return await trial
    except Stopped as stopped:
        return [Row(name, str(stopped), Verdict.STOPPED) for name in guarantees]
