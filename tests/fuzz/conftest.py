"""A whole server with its pages, as `doorcode dev` makes it."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.web.house import House, Plan, open_house

from doorcode.domain.instance import UsernameAttribute
from doorcode.web.app import App
from doorcode.web.pages import routes


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[House]:
    plan = Plan(
        trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),),
        instance={"username": UsernameAttribute(used_for_sign_up=True), "native_api": True},
    )
    async with open_house(tmp_path, plan) as house:
        house.allow_many_codes()
        house.app = App(house.door, [*house.routes, *routes(house.door, house.inbox, None)])
        yield house
