"""The parts of the texts: which there are, and what can be filled into them."""

from __future__ import annotations

from pathlib import Path

from doorcode.domain.texts import MOST_SEGMENTS, PARTS, Texts


def test_whatever_a_part_needs_can_be_filled_in() -> None:
    for name, part in PARTS.items():
        assert part.needed <= part.names, name


def test_the_code_stands_where_it_is_looked_for_and_nowhere_else() -> None:
    assert {name for name, part in PARTS.items() if "code" in part.names} == {"sms", "subject"}
    assert {name for name, part in PARTS.items() if "code" in part.needed} == {"sms", "subject"}


def test_nobody_has_to_choose_anything() -> None:
    assert Texts() == Texts("en", True, {})


def test_the_docs_hold_the_table_of_all_parts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "texts.md").read_text("utf-8")
    for name, part in PARTS.items():
        names = " ".join(f"`{one}`" for one in sorted(part.names))
        needed = " ".join(f"`{one}`" for one in sorted(part.needed))
        most = f"{MOST_SEGMENTS} segments" if name == "sms" else f"{part.most} characters"
        assert f"| `{name}` | {names} | {f'{needed} ' if needed else ''}| {most} |\n" in page
