"""Only an answer that Cloudflare vouches for passes, from a page of ours and for this purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from tests.cloudflare import SECRET, Cloudflare, open_cloudflare

from doorcode.security.turnstile import Turnstile

ADDRESS = "192.0.2.7"
HOSTS = frozenset({"localhost", "app.example.com"})


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    with open_cloudflare() as opened:
        yield opened


@pytest.fixture
def turnstile(cloudflare: Cloudflare) -> Turnstile:
    return Turnstile(SECRET, cloudflare.url, HOSTS)


async def test_a_solved_challenge_passes_and_is_checked_with_the_visitors_address(
    cloudflare: Cloudflare, turnstile: Turnstile
) -> None:
    token = cloudflare.answer("signup")
    assert await turnstile.passes(token, ADDRESS, "signup")
    assert cloudflare.asked == [{"secret": SECRET, "response": token, "remoteip": ADDRESS}]


async def test_an_answer_counts_once(cloudflare: Cloudflare, turnstile: Turnstile) -> None:
    token = cloudflare.answer()
    assert await turnstile.passes(token, ADDRESS, "signup")
    assert not await turnstile.passes(token, ADDRESS, "signup")


async def test_a_made_up_answer_does_not_pass(turnstile: Turnstile) -> None:
    with capture_logs() as logs:
        assert not await turnstile.passes("made up", ADDRESS, "signup")
    assert logs == []  # a bot must not fill the log


async def test_a_challenge_is_for_one_purpose(cloudflare: Cloudflare, turnstile: Turnstile) -> None:
    assert not await turnstile.passes(cloudflare.answer("signin"), ADDRESS, "signup")
    # A page of the app's own may start its widget without naming any.
    assert await turnstile.passes(cloudflare.answer(""), ADDRESS, "signup")


@pytest.mark.parametrize(
    ("hostname", "passes"),
    [("app.example.com", True), ("evil.example", False), ("x.app.example.com", False), ("", False)],
)
async def test_a_challenge_is_solved_on_a_page_of_ours(
    cloudflare: Cloudflare, turnstile: Turnstile, hostname: str, passes: bool
) -> None:
    """The site key is public: others could let their visitors solve challenges for us."""
    cloudflare.hostname = hostname
    assert await turnstile.passes(cloudflare.answer(), ADDRESS, "signup") is passes


async def test_in_development_the_page_may_be_anybodys(cloudflare: Cloudflare) -> None:
    """Cloudflare's keys for tests name example.com."""
    cloudflare.hostname = "example.com"
    turnstile = Turnstile(SECRET, cloudflare.url, None)
    assert await turnstile.passes(cloudflare.answer(), ADDRESS, "signup")


@pytest.mark.parametrize("trouble", ["500", "page", "hang", "drip", "bytes", "deep"])
async def test_nobody_passes_while_cloudflare_gives_no_answer_and_the_log_says_so(
    cloudflare: Cloudflare, trouble: str
) -> None:
    cloudflare.trouble = trouble
    turnstile = Turnstile(SECRET, cloudflare.url, HOSTS, seconds=0.2)
    token = cloudflare.answer()
    with capture_logs() as logs:
        assert not await turnstile.passes(token, ADDRESS, "signup")
    [line] = logs
    assert (line["event"], line["log_level"]) == ("bot check unreachable, nobody passes", "error")
    assert SECRET not in str(line) and token not in str(line)


async def test_nobody_passes_where_nobody_listens() -> None:
    with capture_logs() as logs:
        closed = Turnstile(SECRET, "http://127.0.0.1:9/", HOSTS)
        assert not await closed.passes("pass..1", ADDRESS, "signup")
    assert len(logs) == 1 and logs[0]["why"]


async def test_a_wrong_secret_is_the_operators_to_mend(cloudflare: Cloudflare) -> None:
    turnstile = Turnstile("0xwrong", cloudflare.url, HOSTS)
    with capture_logs() as logs:
        assert not await turnstile.passes(cloudflare.answer(), ADDRESS, "signup")
    assert [line["why"] for line in logs] == [["invalid-input-secret"]]
