"""What is sealed opens under the same key, for the same row, unaltered, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.security.master_key import MasterKey
from doorcode.security.sealing import CannotOpen, Sealer

OLD = MasterKey({1: b"o" * 32})
ROTATED = MasterKey({1: b"o" * 32, 2: b"n" * 32})
SEALER = Sealer(OLD, "ins_1")
LABEL = "outbox/msg_1"
SEALED = SEALER.seal(LABEL, b"424242")


@given(st.binary(max_size=200), st.text(max_size=20).filter(lambda text: text.isascii()))
def test_what_is_sealed_can_be_opened(plain: bytes, label: str) -> None:
    assert SEALER.open(label, SEALER.seal(label, plain)) == plain


def test_the_seal_does_not_show_what_it_holds() -> None:
    assert b"424242" not in SEALED


def test_no_two_seals_are_alike() -> None:
    seals = {SEALER.seal(LABEL, b"424242") for _ in range(100)}
    assert len({seal[2:14] for seal in seals}) == 100


@pytest.mark.parametrize("label", ["outbox/msg_2", "key/msg_1", "outbox/msg_1 ", ""])
def test_a_seal_that_was_moved_does_not_open(label: str) -> None:
    with pytest.raises(CannotOpen):
        SEALER.open(label, SEALED)


def test_one_flipped_bit_closes_it() -> None:
    for bit in range(len(SEALED) * 8):
        flipped = bytearray(SEALED)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            SEALER.open(LABEL, bytes(flipped))


def test_a_seal_that_was_cut_short_does_not_open() -> None:
    for length in range(len(SEALED)):
        with pytest.raises(CannotOpen):
            SEALER.open(LABEL, SEALED[:length])


@pytest.mark.parametrize(
    "other",
    [
        Sealer(MasterKey({1: b"x" * 32}), "ins_1"),
        Sealer(MasterKey({2: b"o" * 32}), "ins_1"),
        Sealer(OLD, "ins_2"),
    ],
    ids=["another key", "another version", "another instance"],
)
def test_nobody_else_opens_it(other: Sealer) -> None:
    with pytest.raises(CannotOpen):
        other.open(LABEL, SEALED)


def test_a_rotated_key_opens_old_seals_and_makes_new_ones() -> None:
    rotated = Sealer(ROTATED, "ins_1")
    fresh = rotated.seal(LABEL, b"424242")
    assert rotated.open(LABEL, SEALED) == rotated.open(LABEL, fresh) == b"424242"
    assert (rotated.is_newest(SEALED), rotated.is_newest(fresh)) == (False, True)
    with pytest.raises(CannotOpen):
        SEALER.open(LABEL, fresh)


def test_the_refusal_says_which_row_and_nothing_else() -> None:
    with pytest.raises(CannotOpen) as refusal:
        SEALER.open("outbox/msg_2", SEALED)
    assert str(refusal.value) == "outbox/msg_2"
