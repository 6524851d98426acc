"""When a challenge is asked for, and by which key it is shown."""

from __future__ import annotations

import pytest

from doorcode.domain.bot_protection import BotProtection, Mode, Widget


@pytest.mark.parametrize(
    ("mode", "can_ask", "always"),
    [(Mode.OFF, False, False), (Mode.WHEN_ASKED, True, False), (Mode.ALWAYS, True, True)],
)
def test_a_limit_can_ask_wherever_it_is_not_off(mode: Mode, can_ask: bool, always: bool) -> None:
    protection = BotProtection(mode, "key")
    assert (protection.can_ask, protection.is_always_asked) == (can_ask, always)


def test_nobody_is_asked_by_default() -> None:
    assert not BotProtection().can_ask


@pytest.mark.parametrize(
    ("invisible", "widget", "shown"),
    [
        ("", Widget.SMART, ("a", "a")),
        ("b", Widget.SMART, ("b", "a")),
        ("b", Widget.INVISIBLE, ("b", "b")),
        ("", Widget.INVISIBLE, ("a", "a")),
    ],
)
def test_one_key_does_for_both_widgets(
    invisible: str, widget: Widget, shown: tuple[str, str]
) -> None:
    protection = BotProtection(Mode.ALWAYS, "a", invisible, widget)
    assert (protection.invisible_key, protection.page_key) == shown
