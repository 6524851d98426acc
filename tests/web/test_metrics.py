"""Numbers for an operator, and no address in any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from doorcode.domain.event import Event
from doorcode.domain.send import Pause
from doorcode.web import metrics
from doorcode.web.app import App
from doorcode.web.metrics import Metrics

from .house import House, open_house, refusal

REFUSED = Event("limit.refused", "refused", "guesses.network", "phone_number:+1", "203.0.113.7")
DECIDED = Event(
    "shield.decided", "refused", "shield.area", "phone_number:+44", details={"country": "GB"}
)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Each number by its name and its labels' values, without the times of creation."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def read(house: House, counted: Metrics, secret: str = "") -> httpx.Response:
    app = App(house.door, metrics.routes(house.door, counted))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=house.plan.url
    ) as client:
        bearer = {"authorization": f"Bearer {secret or house.secret_key}"}
        return await client.get("/metrics", headers=bearer)


async def test_refusals_and_decisions_are_counted_by_their_labels(house: House) -> None:
    counted = Metrics()
    for event in (REFUSED, REFUSED, DECIDED, Event("key.created", "done")):
        counted.count(event)
    answer = await read(house, counted)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples(answer.text) == {
        ("doorcode_limit_refusals_total", "guesses.network"): 2,
        ("doorcode_shield_decisions_total", "shield.area", "GB", "refused"): 1,
        ("doorcode_countries_paused",): 0,
    }


def test_callbacks_that_nobody_signed_are_counted_by_their_route() -> None:
    counted = Metrics()
    for _ in range(2):
        counted.count(Event("receipt.refused", "refused", "receipts", "twilio"))
    assert 'doorcode_receipts_refused_total{route="twilio"} 2.0' in counted.text(0).decode()


async def test_no_label_names_anybody(house: House) -> None:
    counted = Metrics()
    counted.count(REFUSED)
    counted.count(Event("shield.decided", "refused", "shield.type", "phone_number:+881"))
    text = (await read(house, counted)).text
    assert "phone_number" not in text
    assert "203.0.113" not in text
    assert 'country="none"' in text


async def test_a_country_paused_by_another_process_is_seen(house: House) -> None:
    counted = Metrics()
    async with house.storage.transaction() as tx:
        await tx.add_pause(Pause("GB", 1, "why"))
    assert samples((await read(house, counted)).text)[("doorcode_countries_paused",)] == 1
    async with house.storage.transaction() as tx:
        await tx.delete_pause("GB")
    assert samples((await read(house, counted)).text)[("doorcode_countries_paused",)] == 0


async def test_they_are_told_to_nobody_without_the_secret_key(house: House) -> None:
    answer = await read(house, Metrics(), secret="sk_live_wrong")
    assert refusal(answer)[:2] == (401, "clerk_key_invalid")


def test_two_servers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.count(REFUSED)
    assert ("doorcode_limit_refusals_total", "guesses.network") in samples(one.text(0).decode())
    assert samples(other.text(0).decode()) == {("doorcode_countries_paused",): 0}
