"""What a receipt adds to what is known: receipts come late, twice and in any order."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.message import State, advances

TOLD = [State.ACCEPTED, State.SENT, State.EXPIRED, State.FAILED, State.UNDELIVERED, State.DELIVERED]
ENDS = {State.EXPIRED, State.FAILED, State.UNDELIVERED}
OURS = {State.QUEUED, State.CANCELLED, State.WITHHELD}


def after(told: list[State], state: State = State.ACCEPTED) -> State:
    for one in told:
        if advances(state, one):
            state = one
    return state


@pytest.mark.parametrize("told", list(permutations([State.ACCEPTED, State.SENT, State.DELIVERED])))
def test_a_letter_that_arrived_has_arrived_in_whatever_order_it_is_told(
    told: tuple[State, ...],
) -> None:
    assert after(list(told)) is State.DELIVERED


@given(st.lists(st.sampled_from(TOLD)))
def test_what_is_known_at_the_end_is_the_most_that_was_told(told: list[State]) -> None:
    known = after(told)
    if State.DELIVERED in told:
        assert known is State.DELIVERED
    elif ENDS & set(told):
        assert known is next(one for one in told if one in ENDS)  # the first reason stays
    else:
        assert known is (State.SENT if State.SENT in told else State.ACCEPTED)


@given(st.lists(st.sampled_from(TOLD)), st.sampled_from(TOLD))
def test_a_receipt_told_twice_counts_once(told: list[State], twice: State) -> None:
    known = after([*told, twice])
    assert not advances(known, twice)
    assert after([*told, twice, twice]) is known


@pytest.mark.parametrize("state", OURS)
@pytest.mark.parametrize("told", list(State))
def test_no_receipt_moves_what_was_not_sent(state: State, told: State) -> None:
    """A forged receipt, or one of another message, must not show what was withheld as sent."""
    assert not advances(state, told)


@pytest.mark.parametrize("state", TOLD)
@pytest.mark.parametrize("told", OURS)
def test_no_receipt_says_what_only_we_can_say(state: State, told: State) -> None:
    assert not advances(state, told)
