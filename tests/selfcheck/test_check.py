"""The whole check, against servers that keep their promises."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from tests.web.house import House

from doorcode.selfcheck import codes, enumeration, guesses
from doorcode.selfcheck.check import Options, estimate
from doorcode.selfcheck.deployment import Deployment
from doorcode.selfcheck.report import Verdict

from .conftest import STRICT, Build, check, failed, of
from .fronts import MAIL, Front, Timed

STRICT_ROWS = {enumeration.ANSWERS, enumeration.EFFECTS, enumeration.TIME}


async def test_every_row_that_ran_holds_on_a_good_server(house: House) -> None:
    report = await check(Front(house))
    not_run = {*STRICT_ROWS, codes.NOT_EXPIRED, guesses.OPERATOR_SEES}
    assert of(report, Verdict.NOT_RUN) == not_run
    assert len(of(report, Verdict.HOLDS)) == len(report.rows) - len(not_run)
    assert report.exit_status == 0


async def test_every_row_holds_on_a_strict_server_that_is_asked_everything(strict: House) -> None:
    report = await check(Timed(strict), slow=True, secret_key=strict.secret_key)
    assert [row for row in report.rows if row.verdict is not Verdict.HOLDS] == []


async def test_the_accounts_are_deleted_at_the_end(house: House) -> None:
    report = await check(Front(house))
    assert report.left_over == ()
    assert house.rows("users", "sessions") == {"users": 0, "sessions": 0}


async def test_accounts_that_cannot_be_deleted_are_named(build: Build) -> None:
    house = await build(instance={"delete_self": False})
    report = await check(Front(house))
    assert house.rows("users")["users"] == len(report.left_over) > 0
    assert all("+clerk_test@" in identifier for identifier in report.left_over)


async def test_nobody_but_test_identifiers_is_named(strict: House) -> None:
    front = Timed(strict)
    await check(front)
    forms = [dict(parse_qsl(request.content.decode())) for request in front.seen]
    named = {form[name] for form in forms for name in ("identifier", MAIL) if name in form}
    assert len(named) > 10
    assert [one for one in named if not one.endswith("+clerk_test@example.com")] == []


async def test_the_limits_per_network_address_are_waited_for(build: Build) -> None:
    house = await build(limits=True)
    began, said = house.clock.now, list[str]()
    report = await check(Front(house), said=said)
    assert failed(report) == set()
    assert of(report, Verdict.STOPPED) == set()
    minutes = (house.clock.now - began) / 60_000
    assert said[0].startswith(f"This takes about {minutes:.0f} minutes.")


async def test_with_the_secret_key_no_limit_per_network_address_is_met(build: Build) -> None:
    house = await build(limits=True, instance=STRICT)
    began, front = house.clock.now, Timed(house)
    report = await check(front, secret_key=house.secret_key)
    assert (failed(report), of(report, Verdict.STOPPED)) == (set(), set())
    assert house.clock.now - began == 20 * len(front.seen)  # nothing was waited for
    limited = [r for r in front.seen if r.url.path.startswith("/v1/client/")]
    (token,) = {r.url.params.get("__clerk_testing_token") for r in limited}
    assert house.door.testing_tokens.is_valid(token, house.clock.now)
    told = [r.url.path for r in front.seen if "authorization" in r.headers]
    assert {path.split("/")[2] for path in told} == {"testing_tokens", "users"}


async def test_an_answer_that_no_promise_is_about_stops_its_row_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoList(Front):
        async def answer(self, request, form):  # type: ignore[no-untyped-def]
            if request.url.path == "/v1/me/sessions/active":
                request.url = request.url.copy_with(path="/v1/nowhere")
            return await self.pass_on(request)

    report = await check(NoList(house))
    assert of(report, Verdict.STOPPED) == {codes.ONE_SESSION}
    assert failed(report) == set()


@pytest.mark.parametrize(
    ("strict", "slow", "held_back", "said"),
    [
        (False, False, False, "about 1 minute."),
        (False, True, False, "about 10 minutes."),
        (True, False, False, "about 1 minute."),
        (True, False, True, "about 22 minutes."),
    ],
)
def test_how_long_it_takes_is_said_before(
    strict: bool, slow: bool, held_back: bool, said: str
) -> None:
    deployment = Deployment((), (), strict=strict, noise=frozenset())
    assert said in estimate(deployment, Options(slow=slow), held_back=held_back)
