"""Codes nobody foresees, and digests that are good for one place only."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Kind
from doorcode.domain.verification import Code, Status, Verdict, Verification, judge
from doorcode.security.codes import Codes
from doorcode.security.master_key import MasterKey

PHONE = Address(Kind.PHONE, "+14155552671", "+14155552671")
OLD, NEW = b"o" * 32, b"n" * 32
CODES = Codes(MasterKey({1: OLD}), "ins_1")
SENT = Verification("ver_1", "sua_1", PHONE, "sms", Status.UNVERIFIED, 0, 0, 1)
DIGEST = CODES.digest(SENT, "123456")


def test_a_code_is_six_ascii_digits() -> None:
    codes = [CODES.make(PHONE) for _ in range(2_000)]
    assert {len(code) for code in codes} == {limits.CODE_DIGITS}
    assert all(code.isascii() and code.isdigit() for code in codes)


def test_every_digit_comes_at_every_place() -> None:
    codes = [CODES.make(PHONE) for _ in range(2_000)]
    for place in range(limits.CODE_DIGITS):
        count = Counter(code[place] for code in codes)
        # 200 expected, deviation 13.4: outside of this once in 10^12 runs
        assert len(count) == 10
        assert all(100 < times < 300 for times in count.values())


def test_codes_do_not_repeat_soon() -> None:
    assert len({CODES.make(PHONE) for _ in range(100)}) > 90


def test_the_code_of_a_test_address_is_known() -> None:
    assert CODES.make(replace(PHONE, is_test=True)) == "424242"


def test_a_digest_is_the_same_each_time_and_tells_its_key() -> None:
    assert CODES.digest(SENT, "123456") == DIGEST
    assert (DIGEST[0], len(DIGEST[1])) == (1, 32)
    assert CODES.digests(SENT, "123456") == dict([DIGEST])


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(SENT, id="ver_2"),
        replace(SENT, attempt_id="sua_2"),
        replace(SENT, channel="voice"),
        replace(SENT, address=replace(PHONE, value="+14155552672")),
        replace(SENT, address=replace(PHONE, kind=Kind.EMAIL)),
        # the same letters, cut at another place
        replace(SENT, attempt_id="sua_1ver", id="_1"),
    ],
    ids=["verification", "attempt", "channel", "address", "kind", "cut"],
)
def test_a_digest_matches_nowhere_else(elsewhere: Verification) -> None:
    assert CODES.digest(elsewhere, "123456") != DIGEST


@pytest.mark.parametrize("typed", ["123457", "12345", "1234567", " 123456", "１２３４５６", ""])
def test_another_text_has_another_digest(typed: str) -> None:
    assert CODES.digest(SENT, typed) != DIGEST


def test_another_instance_or_key_has_another_digest() -> None:
    others = [Codes(MasterKey({1: OLD}), "ins_2"), Codes(MasterKey({1: NEW}), "ins_1")]
    assert DIGEST not in [codes.digest(SENT, "123456") for codes in others]


def test_what_happens_to_a_verification_leaves_its_digests_alone() -> None:
    tried = replace(SENT, status=Status.FAILED, attempts=5, sent_at=9, expires_at=10)
    respelled = replace(tried, address=replace(PHONE, spelling="+1 415 555 2671"))
    assert CODES.digest(respelled, "123456") == DIGEST


def test_a_code_sent_before_a_rotation_can_still_be_typed() -> None:
    rotated = Codes(MasterKey({1: OLD, 2: NEW}), "ins_1")
    sent = [Code(DIGEST[1], DIGEST[0], expires_at=1)]
    assert judge(rotated.digests(SENT, "123456"), sent, 1, now=0) is Verdict.RIGHT
    assert judge(rotated.digests(SENT, "123457"), sent, 1, now=0) is Verdict.WRONG
    assert rotated.digest(SENT, "123456")[0] == 2


def test_a_code_whose_key_was_taken_away_cannot_be_typed() -> None:
    rotated = Codes(MasterKey({2: OLD}), "ins_1")
    sent = [Code(DIGEST[1], DIGEST[0], expires_at=1)]
    assert judge(rotated.digests(SENT, "123456"), sent, 1, now=0) is Verdict.WRONG


# ── backup codes ──────────────────────────────────────────────────────────────────────
def test_a_backup_code_outlives_a_change_of_the_key() -> None:
    before = MasterKey({1: b"a" * 32})
    after = MasterKey({1: b"a" * 32, 2: b"b" * 32})
    [kept] = Codes(before, "ins_1").backup_digests("user_1", "code")
    found = Codes(after, "ins_1").backup_digests("user_1", "code")
    assert kept in found[1:]
    assert kept not in Codes(after, "ins_1").backup_digests("user_2", "code")
    assert kept not in Codes(after, "ins_2").backup_digests("user_1", "code")
