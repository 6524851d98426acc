"""The parts of the texts: which there are, and what can be filled into them."""

from __future__ import annotations

from doorcode.domain.texts import PARTS, Texts


def test_whatever_a_part_needs_can_be_filled_in() -> None:
    for name, part in PARTS.items():
        assert part.needed <= part.names, name


def test_the_code_stands_where_it_is_looked_for_and_nowhere_else() -> None:
    assert {name for name, part in PARTS.items() if "code" in part.names} == {"sms", "subject"}
    assert {name for name, part in PARTS.items() if "code" in part.needed} == {"sms", "subject"}


def test_nobody_has_to_choose_anything() -> None:
    assert Texts() == Texts("en", True, {})
