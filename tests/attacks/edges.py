"""Every limit in time, and how to stand at its edge: what is tried a second before, and after.

A setup brings a server to where the limit holds. It returns when the limit ends, on the
server's clock, and a question whose answer is True for as long as it holds.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.web.house import OTHER_PHONE

from doorcode.client.errors import TokenError
from doorcode.client.tokens import verify_token
from doorcode.domain import limits
from doorcode.domain.addresses import Kind, parse
from doorcode.domain.bot_protection import BotProtection, Mode
from doorcode.domain.event import Event
from doorcode.domain.instance import Attribute, Enumeration, Shield, ShieldMode
from doorcode.domain.limits import DAY, MINUTE, SECOND, Rate
from doorcode.domain.prices import price_of
from doorcode.domain.shield import HALF_LIFE, UNTYPED_PER_NUMBER, Policy
from doorcode.flows import alerts, backup_codes, pauses

from .street import EMAIL, PHONE, SIGN_INS, SIGN_UPS, Street, Visitor, said

Probe = Callable[[], Awaitable[bool]]
Setup = Callable[[Street], Awaitable[tuple[int, Probe]]]


@dataclass(frozen=True)
class Edge:
    """A limit, and the server that it is tried on."""

    setup: Setup
    changes: dict[str, Any] = field(default_factory=dict)


async def refused(answer: Awaitable[Any], code: str) -> bool:
    """Whether an answer is this refusal; any other refusal is a mistake of the test."""
    [word] = said([await answer])
    assert word in ("ok", code), word
    return word == code


# ── codes ─────────────────────────────────────────────────────────────────────────────
async def code_lives(street: Street) -> tuple[int, Probe]:
    visitor = street.visitor()
    attempt, at = await visitor.begin(SIGN_UPS), street.house.clock.now

    async def holds() -> bool:
        answer = visitor.attempt(SIGN_UPS, attempt, street.house.code())
        return not await refused(answer, "verification_expired")

    return at + limits.CODE_LIVES_FOR, holds


async def resend_waits(street: Street) -> tuple[int, Probe]:
    visitor = street.visitor()
    attempt, at = await visitor.begin(SIGN_UPS), street.house.clock.now
    too_soon = "verification_code_too_many_requests"
    return at + limits.RESEND_AFTER, lambda: refused(visitor.prepare_sign_up(attempt), too_soon)


async def click_is_one(street: Street) -> tuple[int, Probe]:
    visitor = street.visitor()
    attempt, at = await visitor.begin(SIGN_UPS), street.house.clock.now
    too_soon = "verification_code_too_many_requests"

    async def holds() -> bool:
        answered = not await refused(visitor.prepare_sign_up(attempt), too_soon)
        assert len(street.house.letters(PHONE)) == 1
        return answered

    return at + limits.SAME_CLICK, holds


# ── guesses ───────────────────────────────────────────────────────────────────────────
async def waste(street: Street, visitor: Visitor, to: str, many: int) -> None:
    """Guess wrongly, at no more than four codes each, so that none of them is settled."""
    while many > 0:
        attempt = await visitor.begin(SIGN_INS, to, sign_up_if_missing="true")
        for _ in range(min(4, many)):
            await visitor.attempt(SIGN_INS, attempt, "x", to)
        many -= 4


async def guesses_of_strangers(street: Street) -> tuple[int, Probe]:
    street.house.allow_many_codes()
    at = street.house.clock.now
    await waste(street, street.visitor(), PHONE, limits.GUESSES_PER_ADDRESS)
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    return at + limits.GUESS_WINDOW, lambda: refused(
        street.visitor().post(SIGN_UPS, form), "user_locked"
    )


async def guesses_of_a_device(street: Street) -> tuple[int, Probe]:
    owner = street.visitor()
    await owner.sign_up()
    await owner.sign_out()
    street.house.allow_many_codes()
    at = street.house.clock.now
    await waste(street, owner, PHONE, limits.GUESSES_PER_ADDRESS)
    form = {"identifier": PHONE, "strategy": "phone_code"}
    return at + limits.GUESS_WINDOW, lambda: refused(owner.post(SIGN_INS, form), "user_locked")


async def guesses_of_a_network(street: Street) -> tuple[int, Probe]:
    street.house.allow_many_codes()
    at = street.house.clock.now
    for number in range(limits.GUESSES_PER_NETWORK // 4):
        await waste(street, street.visitor(), f"person{number}@example.com", 4)
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    return at + limits.GUESS_WINDOW, lambda: refused(
        street.visitor().post(SIGN_UPS, form), "too_many_requests"
    )


async def two_steps(street: Street) -> str:
    """Somebody whose phone is for the second step, with a backup code; their id."""
    browser = street.visitor()
    attempt = await browser.start_sign_up(phone_number=PHONE, email_address=EMAIL)
    for to, strategy in ((PHONE, "phone_code"), (EMAIL, "email_code")):
        await browser.prepare_sign_up(attempt, strategy)
        answer = await browser.attempt_sign_up(attempt, street.house.code(to), strategy)
    with sqlite3.connect(street.house.database) as connection:
        connection.execute(
            "UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", [PHONE]
        )
    connection.close()
    user_id = str(answer.json()["response"]["created_user_id"])
    digest = backup_codes.digest_backup_code(street.house.door.deps, user_id, "backup-me")
    async with street.house.storage.transaction() as tx:
        await tx.replace_backup_codes(user_id, [digest])
    return user_id


async def guesses_of_backup_codes(street: Street) -> tuple[int, Probe]:
    await two_steps(street)
    street.house.clock.advance(MINUTE)
    thief = street.visitor()
    attempt = await thief.begin(SIGN_INS, EMAIL)
    await thief.attempt(SIGN_INS, attempt, street.house.code(EMAIL), EMAIL)
    path, at = f"{SIGN_INS}/{attempt}/attempt_second_factor", street.house.clock.now
    form = {"strategy": "backup_code", "code": "0000000000"}
    for _ in range(limits.GUESSES_PER_ADDRESS):
        assert said([await thief.post(path, form)]) == {"form_code_incorrect": 1}

    async def holds() -> bool:
        [word] = said([await thief.post(path, form)])
        assert word in ("user_locked", "form_code_incorrect")
        return word == "user_locked"

    return at + limits.GUESS_WINDOW, holds


# ── codes sent, and money ─────────────────────────────────────────────────────────────
async def send(street: Street, many: int) -> None:
    for _ in range(many):
        await street.visitor().begin(SIGN_UPS)


def one_more_code(street: Street) -> Probe:
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    spent = "verification_code_rate_limit_exceeded"
    return lambda: refused(street.visitor().post(SIGN_UPS, form), spent)


async def sends_in_ten_minutes(street: Street) -> tuple[int, Probe]:
    at = street.house.clock.now
    await send(street, limits.SENDS_PER_10_MINUTES)
    return at + 10 * MINUTE, one_more_code(street)


async def sends_in_a_day(street: Street) -> tuple[int, Probe]:
    at = street.house.clock.now
    for _ in range(limits.SENDS_PER_DAY // 5):
        await send(street, 5)
        street.house.clock.advance(11 * MINUTE)
    return at + DAY, one_more_code(street)


def money_until_midnight(refusal: str) -> Setup:
    """The inbox costs nothing, so for this it is said to be a telephone company."""

    async def setup(street: Street) -> tuple[int, Probe]:
        street.house.courier.is_free = lambda channel: False  # type: ignore[method-assign]
        await send(street, 1)
        form = {"phone_number": OTHER_PHONE, "strategy": "phone_code"}
        midnight = (street.house.clock.now // DAY + 1) * DAY
        return midnight, lambda: refused(street.visitor().post(SIGN_UPS, form), refusal)

    return setup


async def codes_to_a_number_fade(street: Street) -> tuple[int, Probe]:
    """It opens once a half-life has made room for one code more."""
    street.house.allow_many_codes()
    at, most = street.house.clock.now, int(UNTYPED_PER_NUMBER)
    await send(street, most)
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    opens_after = HALF_LIFE * math.log2(most / (most - 1))
    return at + round(opens_after), lambda: refused(
        street.visitor().post(SIGN_UPS, form), "action_blocked"
    )


A_MESSAGE = price_of("US", {})
ONE_MESSAGE = Shield(ShieldMode.RECORD, Policy(money_per_country=A_MESSAGE))
ONE_MESSAGE_IN_ALL = Shield(ShieldMode.RECORD, money_in_all=A_MESSAGE)


async def resume_link_lives(street: Street) -> tuple[int, Probe]:
    deps = street.house.door.deps
    async with street.house.storage.transaction() as tx:
        await pauses.pause(deps, tx, "GB", "an attack")
        pause = await tx.pause("GB")
    assert pause is not None
    query = {alerts.RESUME_TICKET: deps.tickets.resume_text(pause)}

    async def holds() -> bool:
        answer = await street.visitor().get(alerts.RESUME_PATH, params=query)
        assert answer.status_code in (200, 404), answer.text
        return answer.status_code == 200

    return pause.at + limits.RESUME_LINK_LIVES_FOR, holds


# ── lifetimes ─────────────────────────────────────────────────────────────────────────
async def attempt_lives(street: Street) -> tuple[int, Probe]:
    visitor, at = street.visitor(), street.house.clock.now
    attempt = await visitor.start_sign_in(PHONE, sign_up_if_missing="true")

    async def holds() -> bool:
        return not await refused(visitor.prepare_sign_in(attempt), "resource_not_found")

    return at + limits.ATTEMPT_LIVES_FOR, holds


async def signed_in(street: Street) -> tuple[Visitor, str]:
    visitor = street.visitor()
    entered = await visitor.sign_up()
    return visitor, str(entered.json()["response"]["created_session_id"])


async def reverification_lives(street: Street) -> tuple[int, Probe]:
    visitor, session = await signed_in(street)
    path = f"/v1/client/sessions/{session}/verify"
    at = street.house.clock.now
    assert (await visitor.post(path, {"level": "first_factor"})).status_code == 200
    number = (await visitor.get("/v1/me/phone_numbers")).json()[0]["id"]
    form = {"strategy": "phone_code", "phone_number_id": number}

    async def holds() -> bool:
        answer = await visitor.post(f"{path}/prepare_first_factor", form)
        return answer.status_code == 200

    return at + limits.REVERIFICATION_LIVES_FOR, holds


async def proof_counts(street: Street) -> tuple[int, Probe]:
    visitor, _ = await signed_in(street)
    at = street.house.clock.now
    form = {"email_address": EMAIL}

    async def holds() -> bool:
        answer = await visitor.post("/v1/me/email_addresses", form)
        assert answer.status_code in (200, 422, 403)
        return answer.status_code == 200

    return at + limits.PROOF_COUNTS_FOR, holds


async def session_lives(street: Street) -> tuple[int, Probe]:
    visitor, session = await signed_in(street)

    async def holds() -> bool:
        return (await visitor.post(f"/v1/client/sessions/{session}/tokens")).status_code == 200

    return street.house.clock.now + limits.SESSION_LIVES_FOR, holds


async def token_lives(street: Street) -> tuple[int, Probe]:
    visitor, session = await signed_in(street)
    made = await visitor.post(f"/v1/client/sessions/{session}/tokens")
    keys = (await visitor.get("/.well-known/jwks.json")).json()

    async def holds() -> bool:
        now = street.house.clock.now / SECOND
        try:
            verify_token(made.json()["jwt"], keys, now=now, clock_skew=0)
        except TokenError:
            return False
        return True

    return street.house.clock.now + limits.TOKEN_LIVES_FOR_SECONDS * SECOND, holds


async def handshake_lives(street: Street) -> tuple[int, Probe]:
    query = {"redirect_url": "http://localhost:3000/", "format": "nonce"}
    answer = await street.visitor().get("/v1/client/handshake", params=query)
    lines = answer.headers.get_list("set-cookie")
    [nonce] = [line.partition("=")[2] for line in lines if line.startswith("__clerk_handshake_non")]
    path = f"/v1/clients/handshake_payload?nonce={nonce.partition(';')[0]}"

    async def holds() -> bool:
        return (await street.house.backend(path)).status_code == 200

    return street.house.clock.now + limits.HANDSHAKE_LIVES_FOR, holds


async def testing_token_lives(street: Street) -> tuple[int, Probe]:
    made = (await street.house.ask("POST", "/v1/testing_tokens")).json()
    query = {"__clerk_testing_token": made["token"]}

    async def holds() -> bool:
        many = limits.CREATE_SIGN_IN.times + 1
        answers = [await street.visitor().post(SIGN_INS, params=query) for _ in range(many)]
        return set(said(answers)) == {"ok"}

    return street.house.clock.now + limits.TESTING_TOKEN_LIVES_FOR, holds


class Passing:
    """Takes everybody for a person."""

    async def passes(self, token: str, address: str, action: str) -> bool:
        return True


async def human_stays(street: Street) -> tuple[int, Probe]:
    visitor = street.visitor()
    passed = await visitor.post("/v1/client/verify", {"captcha_token": "x"})
    assert passed.status_code == 200
    form = {"phone_number": PHONE}

    async def holds() -> bool:
        return not await refused(visitor.post(SIGN_UPS, form), "captcha_missing_token")

    return street.house.clock.now + limits.HUMAN_FOR, holds


async def dev_browser_lives(street: Street) -> tuple[int, Probe]:
    token = (await street.visitor().post("/v1/dev_browser")).json()["id"]

    async def holds() -> bool:
        query = {"__clerk_db_jwt": token}
        return (await street.visitor().get("/v1/client", params=query)).status_code == 200

    return street.house.clock.now + limits.DEV_BROWSER_LIVES_FOR, holds


# ── what is kept ──────────────────────────────────────────────────────────────────────
async def device_is_known(street: Street) -> tuple[int, Probe]:
    visitor, _ = await signed_in(street)
    client, at = (await visitor.client())["id"], street.house.clock.now
    address = parse(Kind.PHONE, PHONE, test_mode=False)

    async def holds() -> bool:
        async with street.house.storage.transaction() as tx:
            await tx.delete_expired(street.house.clock.now, 100)
            return bool(await tx.is_known_device(client, address))

    return at + limits.DEVICE_KNOWN_FOR, holds


async def event_is_kept(street: Street) -> tuple[int, Probe]:
    at = street.house.clock.now
    async with street.house.storage.transaction() as tx:
        await tx.add_event("evt_1", Event("limit.refused", "refused"), at)

    async def holds() -> bool:
        async with street.house.storage.transaction() as tx:
            await tx.delete_expired(street.house.clock.now, 100)
            return bool(await tx.events(0, 1))

    return at + limits.EVENTS_KEPT_FOR, holds


# ── requests of one client address ────────────────────────────────────────────────────
VERIFY = "/v1/client/sessions/sess_1/verify"
SPENT_BY: dict[Rate, tuple[str, dict[str, str] | None]] = {  # by GET where there is no form
    limits.CREATE_SIGN_UP: (SIGN_UPS, {}),
    limits.CREATE_SIGN_IN: (SIGN_INS, {}),
    limits.ATTEMPT_SIGN_UP: (f"{SIGN_UPS}/sua_1/attempt_verification", {}),
    limits.ATTEMPT_SIGN_IN: (f"{SIGN_INS}/sia_1/attempt_first_factor", {}),
    limits.SEND_CODE: (f"{SIGN_INS}/sia_1/prepare_first_factor", {}),
    limits.CREATE_CLIENT: ("/v1/client", {}),
    limits.CHECK_CHALLENGE: ("/v1/client/verify", {"captcha_token": "x"}),
    limits.JOIN_WAITLIST: ("/v1/waitlist", {}),
    limits.ADD_ADDRESS: ("/v1/me/email_addresses", {}),
    limits.ATTEMPT_ADDRESS: ("/v1/me/email_addresses/idn_1/attempt_verification", {}),
    limits.SET_IMAGE: ("/v1/me/profile_image", {}),
    limits.START_REVERIFICATION: (VERIFY, {}),
    limits.ATTEMPT_REVERIFICATION: (f"{VERIFY}/attempt_first_factor", {}),
    limits.HANDSHAKE: ("/v1/client/handshake", None),
    limits.NAME_BROWSER: ("/v1/dev_browser", {}),
    limits.TOUCH_SESSION: ("/v1/client/sessions/sess_1/touch", {}),
    limits.FRESH_TOKEN: ("/v1/client/sessions/sess_1/tokens?debug=skip_cache", {}),
}


def rate(limit: Rate) -> Setup:
    """The requests that a rate counts are counted whatever becomes of them."""

    async def setup(street: Street) -> tuple[int, Probe]:
        path, form = SPENT_BY[limit]

        async def holds() -> bool:
            asks = street.visitor()
            answer = await (asks.get(path) if form is None else asks.post(path, form))
            return "too_many_requests" in said([answer])

        for _ in range(limit.times):
            assert not await holds()

        return street.house.clock.now + limit.window, holds

    return setup


async def told_apart(street: Street) -> tuple[int, Probe]:
    at = street.house.clock.now
    form = {"identifier": PHONE}
    for number in range(limits.TOLD_APART.times):
        if number % limits.CREATE_SIGN_IN.times == 0 and number:
            street.house.clock.advance(limits.CREATE_SIGN_IN.window)
        answer = await street.visitor().post(SIGN_INS, form)
        assert said([answer]) == {"form_identifier_not_found": 1}

    async def holds() -> bool:
        return "too_many_requests" in said([await street.visitor().post(SIGN_INS, form)])

    return at + limits.TOLD_APART.window, holds


# ── the table ─────────────────────────────────────────────────────────────────────────
TWO_STEPS = {"phone": Attribute(used_for_second_factor=True), "backup_codes": True}
ASKED = BotProtection(Mode.ALWAYS, "key", has_secret=True)
HUMAN = {"instance": {"bot_protection": ASKED}, "bot_check": Passing()}
EDGES: dict[str, Edge] = {
    "CODE_LIVES_FOR": Edge(code_lives),
    "RESEND_AFTER": Edge(resend_waits),
    limits.RESENDS: Edge(resend_waits),
    "SAME_CLICK": Edge(click_is_one),
    "GUESS_WINDOW": Edge(guesses_of_strangers),
    limits.GUESSES: Edge(guesses_of_strangers),
    limits.DEVICE_GUESSES: Edge(guesses_of_a_device),
    limits.BACKUP_GUESSES: Edge(guesses_of_backup_codes, {"instance": TWO_STEPS}),
    limits.NETWORK_GUESSES: Edge(guesses_of_a_network),
    limits.SENDS_SHORT: Edge(sends_in_ten_minutes),
    limits.SENDS_LONG: Edge(sends_in_a_day),
    limits.MONEY: Edge(
        money_until_midnight("unsupported_country_code"), {"instance": {"shield": ONE_MESSAGE}}
    ),
    limits.MONEY_IN_ALL: Edge(
        money_until_midnight("sms_send_error"), {"instance": {"shield": ONE_MESSAGE_IN_ALL}}
    ),
    "shield.number": Edge(codes_to_a_number_fade, {"instance": {"shield": Shield()}}),
    "RESUME_LINK_LIVES_FOR": Edge(resume_link_lives),
    "ATTEMPT_LIVES_FOR": Edge(attempt_lives),
    "REVERIFICATION_LIVES_FOR": Edge(reverification_lives, {"instance": {"reverification": True}}),
    "PROOF_COUNTS_FOR": Edge(proof_counts, {"instance": {"reverification": True}}),
    "SESSION_LIVES_FOR": Edge(session_lives),
    "TOKEN_LIVES_FOR_SECONDS": Edge(token_lives),
    "HANDSHAKE_LIVES_FOR": Edge(handshake_lives),
    "TESTING_TOKEN_LIVES_FOR": Edge(testing_token_lives, {"limits": True}),
    "HUMAN_FOR": Edge(human_stays, HUMAN),
    "DEV_BROWSER_LIVES_FOR": Edge(dev_browser_lives),
    "DEVICE_KNOWN_FOR": Edge(device_is_known),
    "EVENTS_KEPT_FOR": Edge(event_is_kept),
    limits.TOLD_APART.name: Edge(
        told_apart, {"limits": True, "instance": {"enumeration": Enumeration.BULK}}
    ),
    **{one.name: Edge(rate(one), {"limits": True}) for one in SPENT_BY},
    limits.CHECK_CHALLENGE.name: Edge(rate(limits.CHECK_CHALLENGE), {"limits": True, **HUMAN}),
}
FORGOTTEN = (
    "a share of several counts that fade: no one moment opens it; tests/domain/test_shield.py"
)
# What has no edge in time, and why.
TIMELESS = {
    "SECOND": "a unit",
    "MINUTE": "a unit",
    "HOUR": "a unit",
    "DAY": "a unit",
    "CODE_DIGITS": "a length",
    "CODES_ALIVE": "a number; tests/flows/test_codes.py",
    "TRIES_PER_VERIFICATION": "a number; test_guessing.py",
    limits.TRIES: "a number for as long as the verification lives; test_guessing.py",
    "GUESSES_PER_ADDRESS": "a number; its window is GUESS_WINDOW",
    "GUESSES_PER_NETWORK": "a number; its window is GUESS_WINDOW",
    "SITE_TIMES": "a number; test_addresses.py",
    "KNOWN_DEVICES": "a number; tests/storage/conformance_limits.py",
    "SENDS_PER_10_MINUTES": f"a number; its window is {limits.SENDS_SHORT}",
    "SENDS_PER_DAY": f"a number; its window is {limits.SENDS_LONG}",
    "CLIENT_LIVES_FOR": "the browser holds it: Max-Age of a cookie; tests/web/test_cookies.py",
    "BODY_BYTES": "a size",
    "FIELD_CHARACTERS": "a length",
    "METADATA_BYTES": "a size",
    "UNVERIFIED_ADDRESSES": "a number",
    "BACKUP_CODES": "a number",
    limits.COUNTRY: "a list",
    limits.TYPE: "a list",
    limits.PAUSED: "until an operator ends it",
    "shield.block": FORGOTTEN,
    "shield.network": FORGOTTEN,
    "shield.client": FORGOTTEN,
    "shield.area": FORGOTTEN,
}
