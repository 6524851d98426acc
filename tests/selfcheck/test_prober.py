"""The wire as the check speaks it, against answers that a test writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.web.house import House

from doorcode.selfcheck.prober import REFUSALS_TAKEN, Answer, Prober
from doorcode.selfcheck.refusals import CannotRun, Stopped
from doorcode.selfcheck.report import Verdict

from .conftest import check, prober_of
from .fronts import Front, Timed

Handler = Callable[[httpx.Request], httpx.Response]


def prober(handler: Handler, url: str = "https://auth.example.com", **options: Any) -> Prober:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url=url)
    made = Prober(http, clock=lambda: sum(waited), sleep=sleep, **options)
    made.waited = waited  # type: ignore[attr-defined]
    return made


def broken(error: Exception) -> Handler:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    return fail


# ── what does not answer ──────────────────────────────────────────────────────────────
async def test_a_certificate_that_nobody_trusts_is_said() -> None:
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")
    with pytest.raises(CannotRun, match=r"TLS with auth\.example\.com failed: .*SSL_CERT_FILE"):
        await prober(broken(error)).visitor().ask("GET", "/v1/environment")


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
async def test_a_server_that_does_not_answer_is_said(error: Exception) -> None:
    with pytest.raises(CannotRun, match="does not answer"):
        await prober(broken(error)).visitor().ask("GET", "/v1/environment")


# ── the limits per network address ────────────────────────────────────────────────────
async def test_retry_after_is_waited_for() -> None:
    answers = [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200, json={})]
    asked = prober(lambda _: answers.pop(0))
    assert (await asked.visitor().ask("GET", "/v1/client")).ok
    assert asked.waited == [7]  # type: ignore[attr-defined]


@pytest.mark.parametrize("told", ["9" * 5_000, "soon", ""])
async def test_a_retry_after_that_is_no_time_is_waited_for_a_little(told: str) -> None:
    refused = httpx.Response(429, headers={"retry-after": told})
    answers = [refused, httpx.Response(200, json={})]
    asked = prober(lambda _: answers.pop(0))
    assert (await asked.visitor().ask("GET", "/v1/client")).ok
    assert asked.waited == [10]  # type: ignore[attr-defined]
    assert Answer(403, (("retry-after", told),), None, 0.0).locked_for is None
    for meta in ({"lockout_expires_in_seconds": told}, [told], told):
        assert Answer(403, (), {"errors": [{"meta": meta}]}, 0.0).locked_for is None


async def test_a_server_that_refuses_for_ever_is_given_up() -> None:
    asked = prober(lambda _: httpx.Response(429, headers={"retry-after": "60"}))
    with pytest.raises(CannotRun, match="limits per address"):
        await asked.visitor().ask("GET", "/v1/client")
    assert asked.waited == [60] * REFUSALS_TAKEN  # type: ignore[attr-defined]


async def test_a_refusal_for_most_of_an_hour_is_not_waited_out() -> None:
    asked = prober(lambda _: httpx.Response(429, headers={"retry-after": "2401"}))
    with pytest.raises(Stopped, match="41 min left"):
        await asked.visitor().ask("GET", "/v1/client")
    assert asked.waited == []  # type: ignore[attr-defined]


async def test_a_second_strict_check_within_the_hour_says_what_it_waits_for(strict: House) -> None:
    """Wrong codes count by the network too, and a testing token passes for none of them."""
    reports = [await check(Timed(strict), secret_key=strict.secret_key) for _ in range(2)]
    assert [report.count(Verdict.FAILS) for report in reports] == [0, 0]
    assert reports[0].count(Verdict.STOPPED) == 0
    stopped = [row.tried for row in reports[1].rows if row.verdict is Verdict.STOPPED]
    assert stopped
    assert all("60 min left" in tried for tried in stopped)
    with pytest.raises(CannotRun, match="60 min left"):
        await check(Timed(strict), secret_key=strict.secret_key)


async def test_codes_are_typed_by_threes_once_the_server_has_refused(build: Any) -> None:
    house = await build(limits=True)
    front = Front(house)
    visitor = prober_of(front).visitor()
    for _ in range(9):
        assert (await visitor.type_code("sia_x", "phone_code", "000000")).status == 404
    assert len(front.seen) == 10  # one more than was asked: the first that was refused


# ── the secret key ────────────────────────────────────────────────────────────────────
async def test_the_secret_key_is_not_sent_over_http_to_another_machine() -> None:
    seen: list[httpx.Request] = []
    asked = prober(
        lambda r: seen.append(r) or httpx.Response(200), "http://a.example.com", secret_key="sk"
    )  # type: ignore[func-returns-value]
    with pytest.raises(CannotRun, match="not sent"):
        await asked.ask_for_testing_token()
    assert seen == []


async def test_the_secret_key_of_another_server_is_said(house: House) -> None:
    with pytest.raises(CannotRun, match="secret key is not one of this server"):
        await check(Front(house), secret_key="sk_test_another")


async def test_a_server_without_testing_tokens_is_checked_at_its_pace() -> None:
    asked = prober(lambda _: httpx.Response(404, json={}), secret_key="sk")
    await asked.ask_for_testing_token()
    assert asked.is_held_back


# ── answers and cookies ───────────────────────────────────────────────────────────────
async def test_the_cookie_is_sent_back_until_it_is_replaced_or_taken() -> None:
    sent: list[str | None] = []
    given = iter(
        ["__client=a; Path=/; Secure", "__client_uat=1; Path=/", "__client=; Max-Age=0", ""]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": next(given)}, json={})

    visitor = prober(answer).visitor()
    for _ in range(4):
        await visitor.ask("GET", "/v1/client")
    assert sent == [None, "__client=a", "__client=a", None]


async def test_what_is_no_get_travels_as_a_post_that_says_what_it_means() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    await prober(answer, origin="https://app.example.com").visitor().ask("DELETE", "/v1/me")
    [request] = seen
    assert (request.method, request.url.params["_method"]) == ("POST", "DELETE")
    assert request.headers["origin"] == "https://app.example.com"


@pytest.mark.parametrize(
    "body", ["", [], {}, {"errors": []}, {"errors": ["x"]}, {"errors": [{}]}, {"response": None}]
)
def test_an_answer_of_any_shape_is_read(body: Any) -> None:
    answer = Answer(500, (), body, 0.0)
    assert (answer.code, answer.id, answer.locked_for, answer.said) == ("", "", None, "500")
    with pytest.raises(Stopped, match="a step was answered with 500"):
        answer.expect_ok("a step")


def test_the_end_of_a_lock_is_read_from_the_body_or_the_header() -> None:
    meta = {"errors": [{"code": "user_locked", "meta": {"lockout_expires_in_seconds": 12}}]}
    assert Answer(403, (("retry-after", "99"),), meta, 0.0).locked_for == 12
    assert Answer(403, (("retry-after", "99"),), {"errors": [{}]}, 0.0).locked_for == 99
