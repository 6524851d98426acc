"""Whether anything tells somebody outside which identifiers have an account.

Whole conversations are held about a known and an unknown identifier of equal length, and
compared: status, headers in their order, body. Ids, times and the identifier itself are
taken out first, and headers that differ between two equal requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median

from doorcode.selfcheck.deployment import STRATEGIES
from doorcode.selfcheck.guesses import CODE_MOST
from doorcode.selfcheck.people import People, wrong_codes
from doorcode.selfcheck.prober import Answer, Visitor
from doorcode.selfcheck.report import Row, Verdict

TOLERANCE = 0.10  # of the usual time: what a busy machine adds and takes by itself
NOISES = 2  # times what the halves differ by: less than that is chance
SAMPLES = 100

ANSWERS = "Known and unknown: the same status, headers and body"
EFFECTS = "Known and unknown: the same effects afterwards"
TIME = "Known and unknown: the same time"
OFF = "not checked: enumeration protection is off"

_MADE = re.compile(
    r"(?P<id>\b[a-z]{2,}_[0-9A-Za-z]{20,}\b)"
    r"|(?P<trace>\b[0-9a-f]{32}\b)"
    r"|(?P<time>\b1[0-9]{12}\b)"
    r'|(?P<left>(?<="lockout_expires_in_seconds": )[0-9]+)'
)
_TOLD = {"id": "<id>", "trace": "<trace>", "time": "<time>", "left": "<seconds>"}


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange: what was done, and the answer without what must differ."""

    done: str
    answer: str
    said: str


async def told_apart(people: People) -> list[Row]:
    """By answers or effects; nothing is tried where the deployment does not promise it."""
    if not people.deployment.strict:
        return [Row(name, OFF, Verdict.NOT_RUN) for name in (ANSWERS, EFFECTS)]
    answers, effects = [], []
    for story in (_sign_in, _sign_up):
        account = await people.somebody()
        known = await story(people, account.identifier)
        unknown = await story(people, people.fresh())
        answers += outcomes(known.first, unknown.first)
        answers += wordings(known.whole, unknown.whole)
        effects += outcomes(known.later, unknown.later)
    return [
        _compared(ANSWERS, "three conversations each to sign in and up", answers),
        _compared(EFFECTS, f"two more clients, until {2 * CODE_MOST} codes were wrong", effects),
    ]


# ── conversations ─────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Told:
    """What was said to the first who asked about an identifier, and to those who came later."""

    first: list[Step]
    later: list[Step]

    @property
    def whole(self) -> list[Step]:
        """All that was said."""
        return self.first + self.later


async def _sign_in(people: People, identifier: str) -> Told:
    async def talk(visitor: Visitor, steps: Steps) -> None:
        started = await visitor.start(identifier)
        steps.add("starting to sign in", started)
        steps.add("asking for a code", await visitor.send_code(started.id, people.strategy))
        for code in wrong_codes(CODE_MOST):
            typed = await visitor.type_code(started.id, people.strategy, code)
            steps.add("a wrong code", typed)

    return await _told(people, [identifier], talk)


async def _sign_up(people: People, identifier: str) -> Told:
    form = people.form(identifier)

    async def talk(visitor: Visitor, steps: Steps) -> None:
        started = await visitor.start_sign_up(form)
        steps.add("starting to sign up", started)
        sent = await visitor.send_sign_up_code(started.id, people.strategy)
        steps.add("asking for a code", sent)
        for code in wrong_codes(CODE_MOST):
            typed = await visitor.type_sign_up_code(started.id, people.strategy, code)
            steps.add("a wrong code", typed)

    drawn = [form[name] for name in (*STRATEGIES, "username") if name in form]
    return await _told(people, drawn, talk)


async def _told(
    people: People, drawn: list[str], talk: Callable[[Visitor, Steps], Awaitable[None]]
) -> Told:
    """One visitor's conversation; then two more, the last of whom should meet the lock."""
    answers, effects = Steps(people, drawn), Steps(people, drawn)
    first = people.visitor()
    await talk(first, answers)
    answers.add("the client afterwards", await first.ask("GET", "/v1/client"))
    for _ in range(2):
        await talk(people.visitor(), effects)
    return Told(answers.taken, effects.taken)


class Steps:
    """A conversation, without what must differ; `drawn` is what the check has made up for it."""

    def __init__(self, people: People, drawn: list[str]) -> None:
        self._noise, self._drawn = people.deployment.noise, drawn
        self.taken: list[Step] = []

    def add(self, done: str, answer: Answer) -> None:
        """Take an exchange down."""
        plain = comparable(answer, self._drawn, self._noise)
        self.taken.append(Step(done, plain, answer.said))


def comparable(answer: Answer, drawn: list[str], noise: frozenset[str]) -> str:
    """An answer as text, without ids, times and what was drawn by chance."""
    lines = [f"{answer.status}"]
    for name, value in answer.headers:
        if name == "set-cookie":
            cookie, _, rest = value.partition("=")
            value = f"{cookie}=<value>;{rest.partition(';')[2]}"
        elif name in noise or name == "retry-after":
            value = "<varies>"
        lines.append(f"{name}: {value}")
    lines.append(json.dumps(answer.body, ensure_ascii=False))
    text = "\n".join(lines)
    for number, word in enumerate(drawn):
        text = text.replace(word, f"<drawn {number}>")
    return _MADE.sub(lambda found: _TOLD[found.lastgroup or ""], text)


def outcomes(known: list[Step], unknown: list[Step]) -> list[str]:
    """Where one is granted what the other is refused, or refused otherwise."""
    return [
        f"{one.done}: {one.said} and {other.said}"
        for one, other in zip(known, unknown, strict=True)
        if one.said != other.said
    ]


def wordings(known: list[Step], unknown: list[Step]) -> list[str]:
    """Where the same is said in other words."""
    return [
        f"{one.done}: {one.said}, another {_place(one.answer, other.answer)}"
        for one, other in zip(known, unknown, strict=True)
        if one.said == other.said and one.answer != other.answer
    ]


def _place(one: str, other: str) -> str:
    """What differs first; the last line is the body, those before it are the headers."""
    *head, _ = one.splitlines()
    *other_head, _ = other.splitlines()
    if head == other_head:
        return "body"
    pairs = zip_longest(head, other_head, fillvalue="")
    return next((a or b).partition(":")[0] for a, b in pairs if a != b)


def _compared(guarantee: str, what: str, found: list[str]) -> Row:
    if not found:
        return Row(guarantee, f"{what}: no difference", Verdict.HOLDS)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return Row(guarantee, f"{what}: {found[0]}{more}", Verdict.FAILS)


# ── time ──────────────────────────────────────────────────────────────────────────────
async def timed_apart(people: People, samples: int) -> list[Row]:
    """Starting to sign in and up with a code asked for in the same request, interleaved."""
    if not people.deployment.strict:
        return [Row(TIME, OFF, Verdict.NOT_RUN)]
    account = await people.somebody()

    async def sign_in(visitor: Visitor, identifier: str) -> Answer:
        return await visitor.start(identifier, strategy=people.strategy)

    async def sign_up(visitor: Visitor, identifier: str) -> Answer:
        return await visitor.start_sign_up(people.form(identifier) | {"strategy": people.strategy})

    told, verdicts = [], set[Verdict]()
    for name, story in (("sign-in", sign_in), ("sign-up", sign_up)):
        known, unknown = await _times(people, account.identifier, samples, story)
        verdict, medians = weigh(known, unknown)
        verdicts.add(verdict)
        told.append(f"{name} {medians}")
    tried = f"medians of {samples} pairs of requests: {', '.join(told)}; "
    tried += f"{TOLERANCE:.0%} is tolerated"
    worst = next(v for v in (Verdict.FAILS, Verdict.STOPPED, Verdict.HOLDS) if v in verdicts)
    return [Row(TIME, tried, worst)]


def weigh(known: list[float], unknown: list[float]) -> tuple[Verdict, str]:
    """Whether the pairs lie apart, and by more than the halves of them do by chance.

    Pair by pair: what slows a machine or a network down for a while slows down both.
    """
    usual = median([*known, *unknown])
    differences = [one - other for one, other in zip(known, unknown, strict=True)]
    apart, noise = abs(median(differences)) / usual, _noise(differences) / usual
    told = f"{1000 * median(known):.2f} and {1000 * median(unknown):.2f} ms "
    told += f"(pairs {apart:.0%} apart, noise {noise:.0%})"
    if apart <= TOLERANCE:
        return Verdict.HOLDS, told
    return (Verdict.FAILS if apart > NOISES * noise else Verdict.STOPPED), told


def _noise(differences: list[float]) -> float:
    """Two and two by turns: each half has as many pairs that the known one began."""
    halves: tuple[list[float], list[float]] = [], []
    for number, difference in enumerate(differences):
        halves[number // 2 % 2].append(difference)
    return abs(median(halves[0]) - median(halves[1])) if halves[1] else 0.0


async def _times(
    people: People,
    known: str,
    samples: int,
    story: Callable[[Visitor, str], Awaitable[Answer]],
) -> tuple[list[float], list[float]]:
    """Half the pairs begin with the known one, so that what follows what favours neither."""
    sides = [(people.visitor(), known, list[float]()), (people.visitor(), people.fresh(), [])]
    for number in range(samples + 1):
        for visitor, identifier, times in sides if number % 2 else reversed(sides):
            answer = (await story(visitor, identifier)).expect_ok("a timed request")
            if number:  # the first request makes the client
                times.append(answer.seconds)
    return sides[0][2], sides[1][2]
