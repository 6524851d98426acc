"""The turns of signing keys: published before they sign, and for as long as their tokens live."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.key_rotation import FORMER_STAYS_FOR, PUBLISHED_BEFORE, KeyState, arrange
from doorcode.domain.limits import MINUTE, SECOND, TOKEN_LIVES_FOR_SECONDS

NOW = 1_700_000_000_000
LATER = NOW + PUBLISHED_BEFORE


def test_one_key_signs() -> None:
    assert arrange({"a": NOW}, NOW) == {"a": KeyState.CURRENT}


def test_a_new_key_is_published_and_waits() -> None:
    keys = {"a": NOW, "b": LATER}
    for now in (NOW, LATER - 1):
        assert list(arrange(keys, now).items()) == [("a", KeyState.CURRENT), ("b", KeyState.NEXT)]


def test_the_former_key_stays_until_its_tokens_are_over() -> None:
    keys = {"a": NOW, "b": LATER}
    for now in (LATER, LATER + FORMER_STAYS_FOR - 1):
        after = list(arrange(keys, now).items())
        assert after == [("b", KeyState.CURRENT), ("a", KeyState.RETIRING)]
    assert arrange(keys, LATER + FORMER_STAYS_FOR) == {"b": KeyState.CURRENT}


def test_each_former_key_goes_after_its_own_successor_came() -> None:
    keys = {"a": NOW, "b": LATER, "c": LATER + MINUTE}
    assert arrange(keys, LATER + MINUTE) == {
        "a": KeyState.RETIRING,
        "b": KeyState.RETIRING,
        "c": KeyState.CURRENT,
    }
    assert "a" not in arrange(keys, LATER + FORMER_STAYS_FOR)
    assert "b" in arrange(keys, LATER + FORMER_STAYS_FOR)


def test_somebody_signs_when_the_clock_was_set_back() -> None:
    keys = {"b": LATER, "a": NOW}
    before = arrange(keys, NOW - 1)
    assert list(before.items()) == [("a", KeyState.CURRENT), ("b", KeyState.NEXT)]


def test_a_wait_outlasts_every_cache_and_a_stay_every_token() -> None:
    assert PUBLISHED_BEFORE > 2 * 300 * SECOND  # a shared cache, then the verifier's own
    assert FORMER_STAYS_FOR > (TOKEN_LIVES_FOR_SECONDS + 30) * SECOND


times = st.integers(NOW - 20 * MINUTE, NOW + 20 * MINUTE)


@given(keys=st.dictionaries(st.text("abcdef", min_size=1, max_size=2), times, min_size=1), at=times)
def test_whatever_the_times_are_one_key_signs_and_its_tokens_can_be_checked(
    keys: dict[str, int], at: int
) -> None:
    now = arrange(keys, at)
    signer = next(iter(now))
    assert [key for key, state in now.items() if state is KeyState.CURRENT] == [signer]
    # What it signed at that moment is checked by its id for as long as it lives.
    until = at + TOKEN_LIVES_FOR_SECONDS * SECOND
    assert signer in arrange(keys, until)
    # Nobody waits whose time came, and nobody is left out whose time comes.
    for key, begins in keys.items():
        assert (now.get(key) is KeyState.NEXT) == (begins > at and key != signer)
