"""The routes of a running server: made of its settings, and made anew when these change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorcode.delivery.inbox import Inbox
from doorcode.delivery.interface import TryLater
from doorcode.domain.breaker import FAILURES_IN_ROW
from doorcode.domain.instance import Instance
from doorcode.domain.routes import Delivery
from doorcode.live_routes import LiveRoutes, expect_plausible, expect_usable
from doorcode.settings import BadSettings, Settings, development

HTTP = {"provider": "http", "url": "https://sms.example.com/send"}
TWILIO = {"provider": "twilio", "account_sid": "env:SID", "auth_token": "env:TOKEN", "from": "+1"}
SID = "AC" + "0" * 32
MAIL = {"DOORCODE_SMTP_URL": "smtp://localhost", "DOORCODE_MAIL_FROM": "a@example.com"}
LADDER = ("sms", "whatsapp")


def live(delivery: Delivery, settings: Settings | None = None, **environ: str) -> LiveRoutes:
    settings = settings or development({})
    inbox = Inbox(development=True) if settings.development else None
    return LiveRoutes(settings, inbox, delivery, environ)


def names(routes: LiveRoutes) -> dict[str, list[str]]:
    channels = ("sms", "whatsapp", "voice", "email")
    return {one: [route.name for route in routes.routing().of(one)] for one in channels}


# ── what carries what ─────────────────────────────────────────────────────────────────
def test_in_development_the_inbox_carries_what_no_route_does() -> None:
    assert names(live(Delivery())) == {
        "sms": ["inbox"], "whatsapp": ["inbox"], "voice": [], "email": ["inbox"],
    }  # fmt: skip
    assert names(live(Delivery(sms=(HTTP,))))["sms"] == ["http"]


def test_a_mail_server_carries_mail_until_a_route_does() -> None:
    assert names(live(Delivery(), development(MAIL)))["email"] == ["smtp"]
    assert names(live(Delivery(email=(HTTP,)), development(MAIL)))["email"] == ["http-email"]


def test_in_production_nothing_carries_what_is_not_set() -> None:
    served = replace(development({}), development=False)
    assert set(map(tuple, names(live(Delivery(), served)).values())) == {()}


# ── changes ───────────────────────────────────────────────────────────────────────────
def test_a_change_counts_from_the_next_letter_on() -> None:
    routes, now = live(Delivery(sms=(HTTP,))), Delivery(sms=(HTTP,))
    routes.current = lambda: now
    before = routes.routing()
    now = Delivery(sms=(HTTP, {**HTTP, "name": "second"}), ladder=LADDER)
    assert names(routes)["sms"] == ["http", "second"]
    assert routes.routing().channels("sms") == list(LADDER)
    assert [route.name for route in before.of("sms")] == ["http"]  # who has it goes on with it


def test_routes_are_not_made_anew_while_nothing_changes() -> None:
    routes = live(Delivery(sms=(HTTP,)))
    assert routes.routing() is routes.routing()


def test_a_route_that_is_left_alone_stays_so_over_a_change() -> None:
    routes, now = live(Delivery(sms=(HTTP,))), Delivery(sms=(HTTP, {**HTTP, "name": "second"}))
    [failing] = routes.routing().of("sms")
    for _ in range(FAILURES_IN_ROW):
        routes.routing().note(failing, TryLater("503"), 1_000)
    routes.current = lambda: now
    assert [one.name for one in routes.routing().ways("sms", "US", 1_000)] == ["second", "http"]


def test_a_secret_comes_from_the_environment_of_the_server() -> None:
    routes = live(Delivery(sms=(TWILIO,)), SID=SID, TOKEN="hunter2")
    assert names(routes)["sms"] == ["twilio"]
    assert "hunter2" not in repr(routes.routing().of("sms"))


# ── what makes no routes ──────────────────────────────────────────────────────────────
BAD: list[tuple[dict[str, Any], str]] = [
    ({"sms": ({"provider": "pigeon"},)}, "delivery.sms: .*no provider 'pigeon'"),
    ({"sms": ({"provider": "http"},)}, "delivery.sms: .*url"),
    ({"email": ({**TWILIO},)}, "delivery.email: .*carries sms, whatsapp"),
    ({"sms": ({**HTTP, "methud": "GET"},)}, "methud"),
    ({"sms": ({**HTTP, "method": "FETCH"},)}, "method is 'FETCH'"),
    ({"sms": ({**HTTP, "headers": {"authorization": "env:T"}, "method": "FETCH"},)}, "FETCH"),
    ({"sms": ({**TWILIO, "tokn": "env:T"},)}, "tokn"),
    ({"sms": ({**TWILIO, "auth_token": 7},)}, "auth_token"),
    (
        {"sms": ({**HTTP, "name": "mine"},), "whatsapp": ({**HTTP, "name": "mine"},)},
        "two routes are named mine",
    ),
]


@pytest.mark.parametrize(("channels", "why"), BAD)
def test_what_makes_no_routes_is_refused_by_server_and_command(
    channels: dict[str, Any], why: str
) -> None:
    environ = {"SID": SID, "TOKEN": "hunter2", "T": "t"}
    with pytest.raises(BadSettings, match=why):
        expect_usable(environ, Instance(id="ins_1", delivery=Delivery(**channels)))
    with pytest.raises(BadSettings, match=why):
        expect_plausible(Delivery(**channels))


def test_a_server_needs_every_variable_that_its_routes_name() -> None:
    instance = Instance(id="ins_1", delivery=Delivery(sms=(TWILIO,)))
    with pytest.raises(BadSettings, match="variable TOKEN is not set"):
        expect_usable({"SID": SID}, instance)
    expect_usable({"SID": SID, "TOKEN": "hunter2"}, instance)


@pytest.mark.parametrize(
    "route",
    [
        TWILIO,
        {"provider": "http", "url": "env:GATEWAY"},
        {"provider": "telnyx", "api_key": "env:K", "from": "+15550100", "public_key": "env:P"},
    ],
)
def test_a_command_knows_nothing_of_the_servers_variables(route: dict[str, Any]) -> None:
    """They are in the environment of the server, seldom in that of the command."""
    expect_plausible(Delivery(sms=(route,)))


def test_every_setting_that_is_wrong_is_named() -> None:
    wrong = ({"provider": "pigeon"},)
    with pytest.raises(BadSettings) as raised:
        expect_usable({}, Instance(id="ins_1", delivery=Delivery(sms=wrong, email=wrong)))
    assert [problem.split(":")[0] for problem in raised.value.problems] == [
        "delivery.sms", "delivery.email",
    ]  # fmt: skip
