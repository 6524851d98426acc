"""In strict mode nothing tells who has an account: no answer, and nothing that was done.

Whole conversations are held with two servers that differ in one thing, whether somebody has
the identifier, and compared: status, headers, body, the rows that were written, the statements run.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import httpx
import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Kind, parse_identifier
from doorcode.domain.instance import Attribute, Enumeration, Shield, ShieldMode, SignUpMode
from doorcode.domain.limits import DAY, HOUR, MINUTE, SECOND
from doorcode.domain.prices import price_of
from doorcode.domain.shield import Policy
from doorcode.domain.user import User
from doorcode.storage import sqlite
from doorcode.storage.interface import Transaction

from .conftest import Builder
from .street import EMAIL, PHONE, SIGN_INS, SIGN_UPS, Street, Visitor

MEMBER = "+16502530001"  # far from PHONE
INSTANCE = {"phone": Attribute(used_for_second_factor=True), "backup_codes": True}
TO = pytest.mark.parametrize("to", [PHONE, EMAIL])
_MADE = re.compile(
    r"(?P<id>\b[a-z]{2,}_(?:[0-9A-Z]{20,}|[0-9a-f]{26})\b)|(?P<trace>\b[0-9a-f]{32}\b)|(?P<time>\b1[0-9]{12}\b)"
    r"|(?P<jwt>\beyJ[\w-]+\.[\w-]+\.[\w-]+)|(?P<colour>(?<=avatar_placeholder/)[\w-]+)"
)


@dataclass(frozen=True)
class Told:
    """All that can be seen from outside, and what was written meanwhile."""

    answers: list[str]
    rows: dict[str, int]
    statements: Counter[str]
    neighbourhoods: set[str]
    letters: Counter[str]


class Talk:
    """A conversation about one identifier, by as many visitors as it takes."""

    def __init__(self, street: Street, to: str, member: Visitor) -> None:
        self.street, self.to, self.member = street, to, member
        self.answers: list[str] = []

    async def take(self, asked: Awaitable[httpx.Response]) -> httpx.Response:
        """Write an answer down, without what is made anew for each."""
        answer = await asked
        await self.street.delivered()  # or the next attempt would cancel what waits, or would not
        lines = [str(answer.status_code)]
        for name, value in answer.headers.multi_items():
            if name == "set-cookie" and value.startswith("__client="):
                value = "__client=<token>;" + value.partition(";")[2]
            if name == "content-length" and "avatar_placeholder" in answer.text:
                value = "<varies>"  # one's own picture has a colour by one's own id
            if name != "date":
                lines.append(f"{name}: {value}")
        text = "\n".join([*lines, answer.text])
        self.answers.append(_MADE.sub(lambda found: f"<{found.lastgroup}>", text))
        return answer

    def wait(self, milliseconds: int) -> None:
        self.street.house.clock.advance(milliseconds)


# ── the conversations ─────────────────────────────────────────────────────────────────
async def by_api(talk: Talk, way: str, **more: str) -> None:
    """Start, ask for codes too soon and often, guess until it is locked, and ask again."""
    first = talk.street.visitor()
    form = {**_form(way, talk.to), **more}
    strategy = "email_code" if "@" in talk.to else "phone_code"
    started = await talk.take(first.post(way, form))
    attempt = f"{way}/{started.json()['response']['id']}"
    prepare = "prepare_first_factor" if way == SIGN_INS else "prepare_verification"
    answer = "attempt_first_factor" if way == SIGN_INS else "attempt_verification"
    await talk.take(first.get(attempt))
    for wait in (0, 0, 5 * SECOND, limits.RESEND_AFTER):
        talk.wait(wait)
        await talk.take(first.post(f"{attempt}/{prepare}", {"strategy": strategy}))
    for code in range(limits.TRIES_PER_VERIFICATION + 1):
        wrong = {"strategy": strategy, "code": f"{code:06}x"}
        await talk.take(first.post(f"{attempt}/{answer}", wrong))
    await _try_the_rest(talk, first, way, attempt)
    talk.wait(limits.RESEND_AFTER)
    await talk.take(first.post(f"{attempt}/{prepare}", {"strategy": strategy}))
    await talk.take(first.get("/v1/client"))
    for _ in range(2):
        await _guess_anew(talk, way, {**form, "strategy": strategy}, answer)
    talk.wait(HOUR)
    for _ in range(limits.SENDS_PER_10_MINUTES + 2):
        await talk.take(talk.street.visitor().post(way, {**form, "strategy": strategy}))
    for _ in range(limits.SENDS_PER_DAY):
        talk.wait(3 * MINUTE)
        await talk.take(talk.street.visitor().post(way, {**form, "strategy": strategy}))


async def by_neutral_sign_in(talk: Talk, way: str) -> None:
    """The sign-in that becomes a sign-up where there is no account."""
    await by_api(talk, way, sign_up_if_missing="true")


async def _try_the_rest(talk: Talk, visitor: Visitor, way: str, attempt: str) -> None:
    """What is not to be had before the first code: another address, the second step, a transfer."""
    other = "phone_code" if "@" in talk.to else "email_code"
    if way == SIGN_UPS:
        await talk.take(visitor.override("PATCH", attempt, {"first_name": "Ada"}))
        await talk.take(visitor.post(f"{attempt}/prepare_verification", {"strategy": other}))
        await talk.take(talk.street.visitor().post(SIGN_INS, {"transfer": "true"}))
        return
    for step in ("first", "second"):
        form = {"strategy": other, "code": "424242"}
        await talk.take(visitor.post(f"{attempt}/prepare_{step}_factor", form))
        await talk.take(visitor.post(f"{attempt}/attempt_{step}_factor", form))
    backup = {"strategy": "backup_code", "code": "x"}
    await talk.take(visitor.post(f"{attempt}/attempt_second_factor", backup))


async def _guess_anew(talk: Talk, way: str, form: dict[str, str], answer: str) -> None:
    other = talk.street.visitor()
    started = await talk.take(other.post(way, form))
    if started.status_code != 200:
        return
    attempt = started.json()["response"]["id"]
    for code in range(limits.TRIES_PER_VERIFICATION):
        wrong = {"strategy": form["strategy"], "code": f"{code:06}x"}
        await talk.take(other.post(f"{way}/{attempt}/{answer}", wrong))


def _form(way: str, to: str) -> dict[str, str]:
    if way == SIGN_INS:
        return {"identifier": to}
    return {"email_address" if "@" in to else "phone_number": to}


async def by_pages(talk: Talk, way: str) -> None:
    """The same without a script: the hosted pages."""
    path = "/sign-in" if way == SIGN_INS else "/sign-up"
    person = talk.street.visitor(page=talk.street.house.plan.url)
    await talk.take(person.get(path))
    await talk.take(person.post(path, {"identifier": talk.to}))
    await talk.take(person.get(path))
    for wait in (0, limits.RESEND_AFTER):
        talk.wait(wait)
        await talk.take(person.post(f"{path}/resend", {"to": ""}))
    for code in range(limits.TRIES_PER_VERIFICATION + 1):
        await talk.take(person.post(f"{path}/code", {"code": f"{code:06}x"}))
    await talk.take(person.get(path))
    await talk.take(person.post(f"{path}/restart", {"x": "x"}))
    for _ in range(limits.SENDS_PER_10_MINUTES):
        await talk.take(person.post(path, {"identifier": talk.to}))
        await talk.take(person.get(path))


async def by_waitlist(talk: Talk, way: str) -> None:
    """Ask to be let in, where nobody may come by themselves."""
    deps = talk.street.house.door.deps
    deps.instance = replace(deps.instance, mode=SignUpMode.WAITLIST)
    for _ in range(3):
        await talk.take(talk.street.visitor().post("/v1/waitlist", {"email_address": talk.to}))
    for way in (SIGN_UPS, SIGN_INS):
        await talk.take(talk.street.visitor().post(way, _form(way, talk.to)))


async def by_profile(talk: Talk, way: str) -> None:
    """Somebody who is signed in says that the address is theirs too."""
    person = talk.member
    path = "/v1/me/email_addresses" if "@" in talk.to else "/v1/me/phone_numbers"
    strategy = "email_code" if "@" in talk.to else "phone_code"
    added = await talk.take(person.post(path, _form(SIGN_UPS, talk.to)))
    one = f"{path}/{added.json()['response']['id']}"
    for wait in (0, 5 * SECOND, limits.RESEND_AFTER):
        talk.wait(wait)
        form = {"strategy": strategy}
        await talk.take(person.post(f"{one}/prepare_verification", form))
    for code in range(limits.TRIES_PER_VERIFICATION + 1):
        wrong = {"code": f"{code:06}x"}
        await talk.take(person.post(f"{one}/attempt_verification", wrong))
    await talk.take(person.get(path))
    await talk.take(person.override("DELETE", one))


# ── who is there ──────────────────────────────────────────────────────────────────────
OWN = "own@example.com"


async def nobody(street: Street, to: str) -> None:
    """Nobody has the identifier."""


async def somebody(street: Street, to: str) -> None:
    await street.visitor().sign_up(to)


async def next_door(street: Street, to: str) -> None:
    """Nobody has the identifier, but somebody has one like it."""
    await somebody(street, f"{to[:-3]}999")


async def gone(street: Street, to: str) -> None:
    """Somebody had it once."""
    browser = street.visitor()
    await browser.sign_up(to)
    assert (await browser.override("DELETE", "/v1/me")).status_code == 200


async def banned(street: Street, to: str) -> None:
    await somebody(street, to)
    async with street.house.storage.transaction() as tx:
        await tx.save_user(replace(await _owner(tx, to), banned=True))


async def with_mailbox(street: Street, to: str) -> None:
    """Somebody who has a phone and a mailbox, and signs in by both."""
    await sign_up_by_both(street, *((PHONE, to) if "@" in to else (to, OWN)))


async def sign_up_by_both(street: Street, *places: str) -> Visitor:
    browser = street.visitor()
    attempt = await browser.start_sign_up(phone_number=places[0], email_address=places[1])
    for at, strategy in zip(places, ("phone_code", "email_code"), strict=True):
        await browser.prepare_sign_up(attempt, strategy)
        await street.delivered()
        await browser.attempt_sign_up(attempt, street.house.code(at), strategy)
    return browser


async def reserved(street: Street, to: str) -> None:
    """The phone is for the second step, and signs nobody in; the mailbox is for the first."""
    await with_mailbox(street, to)
    async with street.house.storage.transaction() as tx:
        [phone] = (await _owner(tx, to)).of_kind(Kind.PHONE)
        await tx.save_address(replace(phone, reserved_for_second_factor=True))


async def _owner(tx: Transaction, to: str) -> User:
    owner = await tx.user_by_address(parse_identifier(to, test_mode=False))
    assert owner is not None
    return owner


Scene = Callable[[Street, str], Awaitable[None]]
Conversation = Callable[[Talk, str], Awaitable[None]]


async def hold(
    build: Builder,
    scene: Scene,
    conversation: Conversation,
    way: str,
    to: str,
    enumeration: Enumeration = Enumeration.STRICT,
) -> Told:
    """What is told of an identifier where this is how things are."""
    street = await build(instance=INSTANCE)
    await scene(street, to)
    member = await sign_up_by_both(street, MEMBER, "member@example.com")
    street.house.clock.advance(DAY + HOUR)  # the codes sent to its owner count no more
    switch(street, enumeration=enumeration)
    before, heard = street.house.rows(), len(street.house.inbox.messages())
    since = street.house.clock.now
    talk = Talk(street, to, member)
    with counted_statements() as statements:
        await conversation(talk, way)
        await street.delivered()
    after = street.house.rows()
    written = {table: after[table] - before[table] for table in after}
    del written["tallies"]  # a row for each neighbourhood, however often it is written
    letters = street.house.inbox.messages()
    new = letters[: len(letters) - heard]
    return Told(
        talk.answers,
        written,
        statements,
        _neighbourhoods(street, since),
        Counter(f"{one.to} {bool(one.code)}" for one in new),
    )


@contextmanager
def counted_statements() -> Iterator[Counter[str]]:
    """How often each statement is run, but for those by which the courier looks for work."""
    counted: Counter[str] = Counter()
    execute = sqlite._Statements._execute

    def note(statements: Any, name: str, values: Any) -> Any:
        if name not in ("next_message_at", "lease_messages"):
            counted[name] += 1
        return execute(statements, name, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite._Statements, "_execute", note)
        yield counted


def switch(street: Street, **changes: Any) -> None:
    """Change what is asked of people, while the server runs."""
    deps = street.house.door.deps
    deps.instance = replace(deps.instance, **changes)


def _neighbourhoods(street: Street, since: int) -> set[str]:
    """What the shield has counted in; clients have names that are made anew."""
    with closing(sqlite3.connect(street.house.database)) as connection:
        names = connection.execute("SELECT subject FROM tallies WHERE at >= ?", [since])
        return {name for (name,) in names if not name.startswith("client:")}


# ── strict ────────────────────────────────────────────────────────────────────────────
SCENES = (somebody, banned, with_mailbox, reserved, gone)
CONVERSATIONS = pytest.mark.parametrize(
    ("conversation", "way"),
    [
        (by_api, SIGN_INS),
        (by_api, SIGN_UPS),
        (by_neutral_sign_in, SIGN_INS),
        (by_pages, SIGN_INS),
        (by_pages, SIGN_UPS),
        (by_profile, ""),
    ],
)


def differences(one: Told, other: Told) -> list[tuple[str, str]]:
    """Where two conversations part, and the words around it."""
    found = []
    for a, b in zip_longest(one.answers, other.answers, fillvalue=""):
        if a != b:
            at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
            found.append((a[max(0, at - 40) : at + 40], b[max(0, at - 40) : at + 40]))
    return found


@TO
@CONVERSATIONS
async def test_nothing_that_is_answered_or_done_tells_who_has_an_account(
    build: Builder, to: str, conversation: Conversation, way: str
) -> None:
    unknown = await hold(build, nobody, conversation, way, to)
    assert len(unknown.answers) > 10
    for scene in SCENES:
        known = await hold(build, scene, conversation, way, to)
        assert differences(known, unknown) == [], scene
        assert known.rows == unknown.rows, scene
        assert known.statements == unknown.statements, scene
        assert known.neighbourhoods == unknown.neighbourhoods, scene


async def test_nor_does_the_waitlist(build: Builder) -> None:
    known = await hold(build, somebody, by_waitlist, "", EMAIL)
    unknown = await hold(build, nobody, by_waitlist, "", EMAIL)
    assert differences(known, unknown) == []
    assert known.rows == unknown.rows


@TO
@CONVERSATIONS
async def test_with_protection_off_the_same_conversation_tells(
    build: Builder, conversation: Conversation, way: str, to: str
) -> None:
    """Or the test above could not fail. Two unknown identifiers are alike even then."""
    if conversation is by_neutral_sign_in:
        pytest.skip("it tells nothing in any mode: that is what it is for")
    first = _as_far_as_it_goes(conversation)
    known, unknown, other = [
        await hold(build, scene, first, way, to, Enumeration.OFF)
        for scene in (somebody, nobody, nobody)
    ]
    assert differences(known, unknown) != []
    assert differences(unknown, other) == []


def _as_far_as_it_goes(conversation: Conversation) -> Conversation:
    """A conversation up to where one of the two cannot go on."""

    async def talk(taken: Talk, way: str) -> None:
        with suppress(KeyError, TypeError):
            await conversation(taken, way)

    return talk


# ── what others do meanwhile ──────────────────────────────────────────────────────────
async def under_attack(talk: Talk, way: str) -> None:
    """The numbers around it are being pumped, so the shield is asked how far it trusts this one."""
    switch(talk.street, shield=Shield(ShieldMode.DENY))
    for number in range(100):
        form = {"phone_number": f"{talk.to[:-3]}{number:03}", "strategy": "phone_code"}
        await talk.street.visitor().post(SIGN_UPS, form)
    talk.wait(10 * MINUTE)
    form = {**_form(way, talk.to), "strategy": "phone_code"}
    for _ in range(limits.SENDS_PER_DAY):
        await talk.take(talk.street.visitor().post(way, form))
        talk.wait(3 * MINUTE)


async def with_no_money_left(talk: Talk, way: str) -> None:
    """The day's money is spent, that of the country or that of all."""
    talk.street.house.courier.is_free = lambda channel: False  # type: ignore[method-assign]
    form = {**_form(way, talk.to), "strategy": "phone_code"}
    cents = price_of("US", {})
    for country, everywhere in ((cents, 10 * cents), (10 * cents, cents)):
        policy = Policy(money_per_country=country)
        shield = Shield(ShieldMode.RECORD, policy, money_in_all=everywhere)
        switch(talk.street, shield=shield)
        await talk.street.visitor().begin(SIGN_UPS, f"{talk.to[:-3]}000")
        for _ in range(2):
            await talk.take(talk.street.visitor().post(way, form))
        talk.wait(DAY)


@pytest.mark.parametrize("way", [SIGN_INS, SIGN_UPS])
@pytest.mark.parametrize("conversation", [under_attack, with_no_money_left])
async def test_no_limit_that_others_have_used_up_tells(
    build: Builder, conversation: Conversation, way: str
) -> None:
    known = await hold(build, somebody, conversation, way, PHONE)
    unknown = await hold(build, next_door, conversation, way, PHONE)
    assert differences(known, unknown) == []
    assert known.rows == unknown.rows
    refused = [one for one in known.answers if not one.startswith("200")]
    assert refused, "the limit was never met"


# ── what is sent ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("scene", "way", "to", "expected"),
    [
        (somebody, SIGN_INS, PHONE, {f"{PHONE} True"}),
        (nobody, SIGN_INS, PHONE, set()),
        (somebody, SIGN_INS, EMAIL, {f"{EMAIL} True"}),
        (nobody, SIGN_INS, EMAIL, {f"{EMAIL} False"}),
        (reserved, SIGN_INS, PHONE, set()),
        (nobody, SIGN_UPS, PHONE, {f"{PHONE} True"}),
        (somebody, SIGN_UPS, PHONE, set()),
        (with_mailbox, SIGN_UPS, PHONE, {f"{OWN} False"}),
        (nobody, SIGN_UPS, EMAIL, {f"{EMAIL} True"}),
        (somebody, SIGN_UPS, EMAIL, {f"{EMAIL} False"}),
    ],
)
async def test_only_whoever_reads_the_mailbox_or_the_phone_learns_it(
    build: Builder, scene: Scene, way: str, to: str, expected: set[str]
) -> None:
    """No text message goes to a stranger's phone; a mailbox is told that there is no account."""
    told = await hold(build, scene, by_api, way, to)
    assert set(told.letters) == expected


async def test_who_is_banned_learns_it_after_the_right_code_and_nobody_else(
    build: Builder,
) -> None:
    street = await build(instance=INSTANCE)
    await banned(street, PHONE)
    street.house.clock.advance(DAY + HOUR)
    switch(street, enumeration=Enumeration.STRICT)
    visitor = street.visitor()
    attempt = await visitor.begin(SIGN_INS)
    await street.delivered()
    answer = await visitor.attempt(SIGN_INS, attempt, street.house.code())
    assert answer.json()["errors"][0]["code"] == "user_banned"
