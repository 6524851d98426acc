"""How many codes an identifier is sent."""

from __future__ import annotations

from doorcode.domain import limits
from doorcode.domain.send import SendBudget


def test_the_budget_is_the_promised_one() -> None:
    budget = SendBudget()
    assert (budget.short, budget.short_window) == (6, 10 * limits.MINUTE)
    assert (budget.long, budget.long_window) == (20, limits.DAY)


def test_a_sign_up_followed_by_a_sign_in_with_a_resend_each_fits() -> None:
    assert SendBudget().short >= 4
