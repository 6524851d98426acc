"""The right code: for one session, while it lives, and for what it was sent for alone."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.web.house import OTHER_PHONE, Plan

from doorcode.domain import limits
from doorcode.domain.addresses import Channel
from doorcode.domain.limits import SECOND
from doorcode.security import master_key
from doorcode.security.random_ids import digest

from .conftest import Builder
from .street import PHONE, SIGN_INS, SIGN_UPS, Engine, Street, Visitor, open_street, said

WAYS = pytest.mark.parametrize("way", [SIGN_INS, SIGN_UPS])
WRONG = {"form_code_incorrect": 1}


def sessions(street: Street) -> int:
    return street.house.rows("sessions")["sessions"]


async def begun(street: Street, way: str) -> tuple[Visitor, str]:
    """Somebody to whom a code was sent; where they sign in, they have an account."""
    if way == SIGN_INS:
        await street.visitor().sign_up()
    visitor = street.visitor()
    return visitor, await visitor.begin(way)


# ── once ──────────────────────────────────────────────────────────────────────────────
@WAYS
async def test_two_hundred_right_codes_at_once_make_one_session(street: Street, way: str) -> None:
    owner, attempt = await begun(street, way)
    before, code, token = sessions(street), street.house.code(), owner.token
    assert token
    copies = [owner.with_token(token) for _ in range(200)]
    tries = (one.attempt(way, attempt, code) for one in copies)
    answers = Counter(said(await asyncio.gather(*tries)))
    assert answers["ok"] == 1
    assert sessions(street) == before + 1
    assert street.house.rows("users")["users"] == 1


@WAYS
async def test_a_right_code_is_worth_nothing_the_second_time(street: Street, way: str) -> None:
    owner, attempt = await begun(street, way)
    code = street.house.code()
    assert said([await owner.attempt(way, attempt, code)]) == {"ok": 1}
    before = sessions(street)
    assert "ok" not in said([await owner.attempt(way, attempt, code)])
    await owner.sign_out()
    again = await owner.begin(SIGN_INS)
    if street.house.code() != code:
        assert said([await owner.attempt(SIGN_INS, again, code)]) == WRONG
    assert sessions(street) == before


# ── in time ───────────────────────────────────────────────────────────────────────────
@WAYS
@pytest.mark.parametrize(("seconds", "expected"), [(-1, "ok"), (0, "verification_expired")])
async def test_a_code_counts_until_its_last_second(
    street: Street, way: str, seconds: int, expected: str
) -> None:
    owner, attempt = await begun(street, way)
    street.house.clock.advance(limits.CODE_LIVES_FOR + seconds * SECOND)
    before = sessions(street)
    assert said([await owner.attempt(way, attempt, street.house.code())]) == {expected: 1}
    assert sessions(street) == before + (expected == "ok")


@WAYS
async def test_another_code_does_not_prolong_the_first(street: Street, way: str) -> None:
    owner, attempt = await begun(street, way)
    first = street.house.code()
    street.house.clock.advance(limits.CODE_LIVES_FOR - SECOND)
    resend = owner.prepare_sign_in if way == SIGN_INS else owner.prepare_sign_up
    assert (await resend(attempt)).status_code == 200
    street.house.clock.advance(SECOND)
    if street.house.code() != first:
        assert said([await owner.attempt(way, attempt, first)]) == WRONG
    assert said([await owner.attempt(way, attempt, street.house.code())]) == {"ok": 1}


# ── for nothing else ──────────────────────────────────────────────────────────────────
async def test_a_code_is_for_its_attempt(street: Street) -> None:
    await street.visitor().sign_up()
    street.house.clock.advance(1)
    victim, thief = street.visitor(), street.visitor()
    await victim.begin(SIGN_INS)
    sent = street.house.code()
    street.house.clock.advance(1)
    attempt = await thief.begin(SIGN_INS)
    if street.house.code() != sent:
        assert said([await thief.attempt(SIGN_INS, attempt, sent)]) == WRONG


async def test_a_code_is_for_its_client(street: Street) -> None:
    """Who knows the attempt's id and the code, but has not the cookie, has nothing."""
    owner, attempt = await begun(street, SIGN_INS)
    thief = street.visitor()
    await thief.begin(SIGN_INS, OTHER_PHONE, sign_up_if_missing="true")
    answer = await thief.attempt(SIGN_INS, attempt, street.house.code())
    assert said([answer]) == {"resource_not_found": 1}
    nobody = await street.visitor().attempt(SIGN_INS, attempt, street.house.code())
    assert said([nobody]) == {"resource_not_found": 1}
    assert said([await owner.attempt(SIGN_INS, attempt, street.house.code())]) == {"ok": 1}


async def test_a_code_is_for_its_identifier(street: Street) -> None:
    """One's own right code must not prove a stranger's number in the same attempt."""
    thief = street.visitor()
    attempt = await thief.start_sign_up(phone_number=OTHER_PHONE, strategy="phone_code")
    own = street.house.code(OTHER_PHONE)
    await thief.override("PATCH", f"{SIGN_UPS}/{attempt}", {"phone_number": PHONE})
    await thief.prepare_sign_up(attempt)
    if street.house.code(PHONE) != own:
        assert said([await thief.attempt(SIGN_UPS, attempt, own)]) == WRONG


async def test_a_sign_up_s_code_signs_nobody_in_and_the_other_way_round(street: Street) -> None:
    visitor = street.visitor()
    up = await visitor.begin(SIGN_UPS)
    sent = street.house.code()
    other = await visitor.attempt(SIGN_INS, up, sent)
    assert said([other]) == {"resource_not_found": 1}


async def test_a_code_is_for_its_channel(build: Builder) -> None:
    """Whoever reads somebody's text messages has not read their WhatsApp."""
    street = await build(instance={"channels": (Channel.SMS, Channel.WHATSAPP)})
    visitor = street.visitor()
    attempt = await visitor.begin(SIGN_UPS)
    by_text = street.house.code()
    street.house.clock.advance(limits.RESEND_AFTER)
    form = {"strategy": "phone_code", "channel": "whatsapp"}
    await visitor.post(f"{SIGN_UPS}/{attempt}/prepare_verification", form)
    newest = street.house.inbox.messages(PHONE)[0]
    assert newest.channel == "whatsapp"
    if newest.code != by_text:
        assert said([await visitor.attempt(SIGN_UPS, attempt, by_text)]) == WRONG
    assert said([await visitor.attempt(SIGN_UPS, attempt, newest.code)]) == {"ok": 1}


@pytest.mark.parametrize(("name", "expected"), [("ins_TEST", {"ok": 1}), ("ins_OTHER", WRONG)])
async def test_a_code_is_for_its_instance(
    tmp_path: Path, engine: Engine, name: str, expected: Any
) -> None:
    """The same master key and a copied database: with another id, no code of the first fits."""
    master = master_key.parse(master_key.generate())
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    async with open_street(here, Plan(master=master), engine) as street:
        visitor = street.visitor()
        attempt = await visitor.begin(SIGN_UPS)
        code, token = street.house.code(), visitor.token
    assert token
    _copy(here, there)
    with sqlite3.connect(there / "doorcode.db") as connection:
        # A thief who writes to the copy makes its client known there; the code is not his to make.
        connection.execute("UPDATE clients SET digest = ?", [digest(name, "client", token)])
    connection.close()
    async with open_street(there, Plan(id=name, master=master), engine) as other:
        answer = await other.visitor().with_token(token).attempt(SIGN_UPS, attempt, code)
        assert said([answer]) == expected


async def test_a_digest_that_is_copied_to_another_row_fits_no_code_there(street: Street) -> None:
    """Whoever can write to the database, but has no master key, moves his own code's digest."""
    await street.visitor().sign_up()
    street.house.clock.advance(1)
    thief, other = street.visitor(), street.visitor()
    await other.begin(SIGN_INS, OTHER_PHONE, sign_up_if_missing="true")
    own = street.house.code(OTHER_PHONE)
    attempt = await thief.begin(SIGN_INS)
    if street.house.code() == own:
        pytest.skip("two codes were equal by chance")
    with sqlite3.connect(street.house.database) as connection:
        connection.execute(
            "UPDATE codes SET digest = (SELECT c.digest FROM codes c JOIN verifications v "
            "ON v.id = c.verification_id WHERE v.address_value = ?)",
            [OTHER_PHONE],
        )
    connection.close()
    assert said([await thief.attempt(SIGN_INS, attempt, own)]) == WRONG


def _copy(here: Path, there: Path) -> None:
    for file in here.iterdir():
        shutil.copy(file, there / file.name)
