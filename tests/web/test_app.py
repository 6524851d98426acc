"""The whole application: what becomes of errors, floods and other protocols."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import structlog

from doorcode.storage.interface import Unavailable
from doorcode.web.frontend_api import clients

from .bare import ask
from .conftest import Builder
from .house import PAGE, PHONE, PRODUCTION, Browser, House, Plan, refusal

SECRET = "the-secret-in-a-stack-trace"


@pytest.fixture
def broken(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make every unit of work raise an error."""

    def breaks(error: Exception) -> None:
        def raises(*_: Any) -> Any:
            raise error

        monkeypatch.setattr(type(house.storage), "reading", raises)
        monkeypatch.setattr(type(house.storage), "transaction", raises)

    return breaks


async def _both(house: House, browser: Browser) -> list[Any]:
    browser.http.cookies.set("__client", "x", domain="localhost.local")
    return [await browser.get("/v1/client"), await house.backend("/v1/users/u")]


async def test_an_error_of_ours_is_told_without_its_text(
    house: House, browser: Browser, broken: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(RuntimeError(SECRET))
    for answer in await _both(house, browser):
        assert refusal(answer) == (500, "internal_clerk_error", None)
        assert SECRET not in answer.text
        assert "Traceback" not in answer.text


async def test_an_error_of_ours_leaves_a_line_with_its_path_and_its_trace(
    house: House, browser: Browser, broken: Any
) -> None:
    broken(RuntimeError(SECRET))
    with structlog.testing.capture_logs() as lines:
        await _both(house, browser)
    errors = [one for one in lines if one["log_level"] == "error"]
    assert [one["path"] for one in errors] == ["/v1/client", "/v1/users/u"]
    assert all(one["exc_info"] for one in errors)


async def test_a_page_can_read_an_error_of_ours(browser: Browser, broken: Any) -> None:
    broken(RuntimeError(SECRET))
    answer = await browser.post("/v1/client/sign_ups", {"phone_number": PHONE})
    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == PAGE


async def test_a_database_that_is_away_is_told_as_such(
    house: House, browser: Browser, broken: Any
) -> None:
    broken(Unavailable("gone"))
    for answer in await _both(house, browser):
        assert refusal(answer) == (503, "service_unavailable", None)


async def test_an_error_leaves_nothing_half_written(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(type(house.door.deps.sealer), "seal", fails)
    before = house.rows()
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    answer = await browser.post("/v1/client/sign_ups", form)
    assert answer.status_code == 500
    assert house.rows() == before
    assert browser.token is None


async def test_the_server_answers_on_after_an_error(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> Any:
        raise RuntimeError(SECRET)

    with monkeypatch.context() as patched:
        patched.setattr(clients.story, "show", fails)
        assert (await browser.get("/v1/client")).status_code == 500
    assert (await browser.get("/v1/client")).status_code == 200


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/users", "/v1/jwks/x"])
async def test_a_path_that_is_nobody_s_is_told_in_the_envelope(browser: Browser, path: str) -> None:
    assert refusal(await browser.get(path)) == (404, "resource_not_found", None)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/nothing", 404),
        (b"/v1/nothing", 404),
        (b"/npm/@clerk/clerk-js@6/dist/clerk.js", 404),
        (b"/v1/images/avatar_placeholder/x.svg", 404),
        (b"/v1/client", 200),
    ],
)
async def test_a_query_that_is_no_text_is_answered_like_any_other(
    house: House, path: bytes, status: int
) -> None:
    assert (await ask(house.app, path + b"?\xff")).status == status
    assert (await ask(house.app, path + b"?%ff")).status == status


@pytest.mark.parametrize("path", ["/v1/jwks", "/v1/health", "/.well-known/jwks.json"])
async def test_a_wrong_method_is_told_in_the_envelope(house: House, path: str) -> None:
    answer = await house.browser(None).post(path)
    assert refusal(answer) == (405, "method_not_allowed", None)


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_other_protocols_are_left_alone(house: House, kind: str) -> None:
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    await house.app({"type": kind, "path": "/v1/client"}, receive, send)
    assert sent == []


async def test_no_answer_redirects_a_trailing_slash(house: House) -> None:
    """A redirect would leave the path of the proxy in front."""
    answer = await house.browser(None).get("/v1/health/")
    assert not answer.is_redirect


# ── headers of every answer ───────────────────────────────────────────────────────────
PATHS = [
    ("GET", "/v1/client"),
    ("GET", "/v1/environment"),
    ("GET", "/v1/client/sign_ups/none"),
    ("OPTIONS", "/v1/client"),
    ("GET", "/v1/users/none"),
    ("GET", "/v1/health"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/v1/nowhere"),
    ("GET", "/nowhere"),
]
HSTS = "strict-transport-security"


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_no_answer_may_be_taken_for_another_type(
    browser: Browser, method: str, path: str
) -> None:
    answer = await browser.http.request(method, path)
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert HSTS not in answer.headers  # in development it would bind all of localhost


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_an_https_server_is_asked_by_https_alone(
    build: Builder, method: str, path: str
) -> None:
    house = await build(PRODUCTION)
    answer = await house.browser(None).http.request(method, path)
    assert answer.headers.get_list(HSTS) == ["max-age=31536000"]


async def test_a_plain_server_and_one_for_development_do_not_ask_for_https(build: Builder) -> None:
    for plan in (replace(PRODUCTION, url="http://auth.example.com"), Plan(url="https://localhost")):
        house = await build(plan)
        answer = await house.browser(None).get("/v1/environment")
        assert answer.status_code == 200
        assert HSTS not in answer.headers
