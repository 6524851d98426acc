"""The lists of what is not here."""

from __future__ import annotations

import pytest

from ..conftest import Builder
from ..house import Browser, Plan, refusal

LISTS = pytest.mark.parametrize("listed", ["memberships", "invitations", "suggestions"])


@LISTS
async def test_the_lists_are_empty_where_components_ask_for_them(
    build: Builder, listed: str
) -> None:
    browser = (await build(Plan(instance={"organizations": True}))).browser()
    await browser.sign_up()
    answer = await browser.get(f"/v1/me/organization_{listed}")
    assert answer.json()["response"] == {"data": [], "total_count": 0}


@LISTS
async def test_without_organizations_there_are_no_lists(browser: Browser, listed: str) -> None:
    path = f"/v1/me/organization_{listed}"
    assert refusal(await browser.get(path)) == (401, "signed_out", None)
    await browser.sign_up()
    assert refusal(await browser.get(path)) == (404, "resource_not_found", None)
