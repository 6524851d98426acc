"""A letter's whole way: a real server, a gateway over HTTP, its signed receipts, the timeline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.laboratory.gateway import SECRET, TOKEN, GatewayDouble, signed
from tests.laboratory.server import Laboratory

from doorcode import cli
from doorcode.server import open_server
from doorcode.settings import development

ADA = "+14155552671"


@asynccontextmanager
async def house(path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, GatewayDouble]]:
    gateway = GatewayDouble()
    async with Laboratory() as lab:
        lab.mount("/gateway", gateway)
        route = {
            "provider": "http",
            "url": f"{lab.url}/gateway/send",
            "headers": {"authorization": f"Bearer {TOKEN}"},
            "json": {"to": "{{ to }}", "text": "{{ body }}"},
            "receipts": {"secret": SECRET},
        }
        environ = {"DOORCODE_SETTINGS": json.dumps({"delivery": {"sms": [route]}})}
        async with open_server(development(environ, data=str(path))) as server:
            transport = httpx.ASGITransport(server.app)
            async with httpx.AsyncClient(transport=transport, base_url=URL) as browser:
                yield browser, gateway


URL = "http://localhost:8787"


async def asked(browser: httpx.AsyncClient, gateway: GatewayDouble) -> str:
    """Somebody asks for a code; the id of the letter that the gateway took."""
    begun = await browser.post(
        "/v1/client/sign_ups?_is_native=1", data={"phone_number": ADA, "strategy": "phone_code"}
    )
    token = {"authorization": begun.headers["authorization"]}
    attempt = begun.json()["response"]["id"]
    await browser.post(
        f"/v1/client/sign_ups/{attempt}/prepare_verification?_is_native=1",
        data={"strategy": "phone_code"},
        headers=token,
    )
    for _ in range(500):
        if gateway.taken:
            return gateway.taken[0].ref
        await pause()
    raise AssertionError("no letter came to the gateway")


async def pause() -> None:
    await asyncio.sleep(0.01)


async def tell(browser: httpx.AsyncClient, body: Any, **changes: str) -> int:
    call = signed(f"{URL}/v1/receipts/http", body, **changes)
    answer = await browser.post("/v1/receipts/http", content=call.body, headers=dict(call.headers))
    return answer.status_code


def timeline(path: Path, message: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert cli.main(["messages", "show", message, "--json", "--data", str(path)]) == 0
    return json.loads(capsys.readouterr().out)


def states(told: Any) -> list[str]:
    return [step["state"] for step in told["steps"]]


async def test_a_letter_is_followed_from_the_outbox_to_the_phone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(tmp_path) as (browser, gateway):
        message = await asked(browser, gateway)
        for body in ({"id": message, "state": "sent"}, {"id": message, "state": "delivered"}) * 2:
            assert await settled(browser, body) == 204
    told = await in_thread(timeline, tmp_path, message, capsys)
    assert (told["state"], told["route"], told["country"]) == ("delivered", "http", "US")
    assert states(told) == ["sending", "accepted", "sent", "delivered"]
    assert ADA not in json.dumps(told)


async def test_receipts_in_any_order_take_nothing_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(tmp_path) as (browser, gateway):
        message = await asked(browser, gateway)
        for state in ("delivered", "failed", "sent"):
            assert await settled(browser, {"id": message, "state": state}) == 204
    assert (await in_thread(timeline, tmp_path, message, capsys))["state"] == "delivered"


async def test_what_nobody_signed_is_refused_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(tmp_path) as (browser, gateway):
        message = await asked(browser, gateway)
        forged = {"id": message, "state": "delivered"}
        assert await tell(browser, forged, secret="another-secret-of-theirs") == 403
        by_proxy = {"x-forwarded-for": "203.0.113.7"}  # of the loopback, which development trusts
        unsigned = await browser.post("/v1/receipts/http", json=forged, headers=by_proxy)
        assert unsigned.status_code == 403
        assert (await browser.post("/v1/receipts/nobody", json=forged)).status_code == 404
        assert await tell(browser, {"id": "msg_of_nobody", "state": "sent"}) == 404
    assert "delivered" not in states(await in_thread(timeline, tmp_path, message, capsys))
    await in_thread(audit, tmp_path)
    written = capsys.readouterr().out
    assert "receipt.refused" in written
    assert "203.0.113.7" in written


async def settled(browser: httpx.AsyncClient, body: Any) -> int:
    """The answer to a receipt, once the courier has noted that the letter was taken."""
    for _ in range(200):
        status = await tell(browser, body)
        if status != 404:
            return status
        await pause()
    return 404


def audit(path: Path) -> None:
    assert cli.main(["audit", "--data", str(path)]) == 0


async def in_thread(work: Any, *values: Any) -> Any:
    """A command runs an event loop of its own."""
    return await asyncio.to_thread(work, *values)
