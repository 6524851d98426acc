"""What cannot be checked is said in a sentence, before anything has been tried."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.web.house import House, Plan, open_house

from doorcode.domain.instance import SignUpMode
from doorcode.selfcheck.deployment import look_at
from doorcode.selfcheck.prober import Prober
from doorcode.selfcheck.refusals import CannotRun

from .conftest import check, prober_of
from .fronts import Front


async def refusal(front: Front, **options: Any) -> str:
    with pytest.raises(CannotRun) as refused:
        await check(front, **options)
    assert {request.url.path for request in front.seen} <= {"/v1/environment"}
    return str(refused.value)


async def test_without_test_mode_nothing_is_tried(build: Any) -> None:
    told = await refusal(Front(await build(test_mode=False)))
    assert told.endswith("turn it on for the time of the check: DOORCODE_TEST_MODE=on.")


async def test_where_nobody_can_sign_up_nothing_is_tried(build: Any) -> None:
    house = await build(instance={"mode": SignUpMode.RESTRICTED})
    assert "doorcode settings set sign_up_mode=public" in await refusal(Front(house))


async def test_an_origin_that_may_not_call_is_said(build: Any) -> None:
    house = await build(origins=frozenset({"https://app.example.com"}), loopback=False)
    assert "--origin" in await refusal(Front(house), origin="https://evil.example.com")


async def test_a_host_that_is_not_answered_to_is_said(build: Any) -> None:
    house = await build(hosts=frozenset({"auth.example.com"}))
    assert "host_invalid" in await refusal(Front(house))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Welcome</html>"),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"auth_config": {}, "user_settings": None}),
        httpx.Response(302, headers={"location": "https://elsewhere.example.com"}),
    ],
)
async def test_another_server_is_not_taken_for_a_doorcode(answer: httpx.Response) -> None:
    http = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: answer), base_url="https://x.example.com"
    )
    with pytest.raises(CannotRun, match="no Doorcode"):
        await look_at(Prober(http))


async def test_strict_mode_is_seen(house: House, strict: House) -> None:
    assert (await look_at(prober_of(Front(house)))).strict is False
    assert (await look_at(prober_of(Front(strict)))).strict is True


async def test_headers_that_change_by_themselves_are_noise(house: House) -> None:
    class Behind(Front):
        async def answer(self, request: httpx.Request, form: dict[str, str]) -> httpx.Response:
            answer = await self.pass_on(request)
            answer.headers["x-request-id"] = f"{len(self.seen)}"
            answer.headers["x-served-by"] = "edge"
            return answer

    assert (await look_at(prober_of(Behind(house)))).noise == {"date", "x-request-id"}


async def test_what_a_sign_up_must_hold_is_known(tmp_path: Any) -> None:
    plan = Plan(instance={"legal_consent": True})
    async with open_house(tmp_path, plan) as house:
        seen = await look_at(prober_of(Front(house)))
    assert "legal_accepted" in seen.required
    assert seen.kinds == ("email_address", "phone_number")
