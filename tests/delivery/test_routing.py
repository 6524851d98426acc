"""Which way a letter goes: the operator's order, health, countries, resends, the ladder."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from doorcode.delivery.interface import (
    Never,
    NotSent,
    TryAnother,
    TryElsewhere,
    TryLater,
    Withheld,
)
from doorcode.delivery.routing import Health, Route, Routing
from doorcode.domain.breaker import FAILURES_IN_ROW, FIRST_REST, Conversion

from .conftest import NOON, Postman

A, B, C = (Route(name, "sms", Postman(name=name)) for name in "abc")
LADDER = ("sms", "whatsapp", "voice")


def names(routes: list[Route]) -> list[str]:
    return [route.name for route in routes]


def fail(routing: Routing, route: Route, now: int = NOON, times: int = FAILURES_IN_ROW) -> None:
    for _ in range(times):
        routing.trying(route, now)
        routing.note(route, TryLater("503"), now)


@pytest.fixture
def routing() -> Routing:
    return Routing({"sms": [A, B, C]})


# ── the order ─────────────────────────────────────────────────────────────────────────
def test_the_operators_order_counts_while_all_are_well(routing: Routing) -> None:
    assert names(routing.ways("sms", "US", NOON)) == ["a", "b", "c"]
    assert routing.ways("email", "", NOON) == []


def test_a_route_that_fails_is_the_last_one_left(routing: Routing) -> None:
    fail(routing, A)
    assert names(routing.ways("sms", "US", NOON)) == ["b", "c", "a"]
    fail(routing, B)
    assert names(routing.ways("sms", "US", NOON)) == ["c", "a", "b"]


def test_a_route_that_was_left_alone_is_tried_by_one_letter(routing: Routing) -> None:
    fail(routing, A)
    later = NOON + FIRST_REST
    assert names(routing.ways("sms", "US", later)) == ["a", "b", "c"]
    routing.trying(A, later)
    assert names(routing.ways("sms", "US", later)) == ["b", "c", "a"]
    routing.note(A, None, later)
    assert names(routing.ways("sms", "US", later)) == ["a", "b", "c"]


def test_a_letter_that_was_none_leaves_the_trial_to_the_next(routing: Routing) -> None:
    fail(routing, A)
    later = NOON + FIRST_REST
    routing.trying(A, later)
    routing.untried(A)
    assert names(routing.ways("sms", "US", later)) == ["a", "b", "c"]


def test_a_resend_goes_by_another_route_than_the_code_before(routing: Routing) -> None:
    assert names(routing.ways("sms", "US", NOON, avoid="a")) == ["b", "c", "a"]
    fail(routing, B)
    fail(routing, C)
    # Better the one whose code did not arrive than those that take nothing.
    assert names(routing.ways("sms", "US", NOON, avoid="a")) == ["a", "b", "c"]


def test_a_route_serves_its_countries_and_no_others() -> None:
    british = Route("british", "sms", Postman(), frozenset({"GB"}))
    routing = Routing({"sms": [british, A]})
    assert names(routing.ways("sms", "GB", NOON)) == ["british", "a"]
    assert names(routing.ways("sms", "US", NOON)) == ["a"]
    assert Routing({"sms": [british]}).ways("sms", "US", NOON) == []


# ── what is learnt ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("refusal", "times"),
    [(TryLater("503"), FAILURES_IN_ROW), (TryAnother("its key is wrong"), 1)],
)
def test_a_route_that_takes_nothing_is_left_alone_and_that_is_said_once(
    routing: Routing, refusal: NotSent, times: int
) -> None:
    said = [routing.note(A, refusal, NOON) for _ in range(times + 3)]
    assert said == [False] * (times - 1) + [True] + [False] * 3


@pytest.mark.parametrize("refusal", [Never("no such number"), TryElsewhere("not to there")])
def test_nobody_closes_a_route_by_asking_for_codes_to_wrong_numbers(
    routing: Routing, refusal: NotSent
) -> None:
    assert not any(routing.note(A, refusal, NOON) for _ in range(100))
    assert names(routing.ways("sms", "US", NOON)) == ["a", "b", "c"]


def test_what_is_withheld_is_no_outcome() -> None:
    assert not issubclass(Withheld, Never | TryLater | TryAnother)


def test_health_outlives_a_change_of_the_settings() -> None:
    health = Health()
    fail(Routing({"sms": [A, B]}, health=health), A)
    assert names(Routing({"sms": [A, B, C]}, health=health).ways("sms", "US", NOON)) == [
        "b", "c", "a",
    ]  # fmt: skip


# ── codes that nobody types ───────────────────────────────────────────────────────────
def test_a_route_whose_codes_nobody_types_goes_behind_the_others(routing: Routing) -> None:
    typed: Mapping[tuple[str, str], Conversion] = {
        ("sms", "a"): Conversion(50, 5),
        ("sms", "b"): Conversion(50, 40),
    }
    routing.note_conversions(typed)
    assert names(routing.ways("sms", "US", NOON)) == ["b", "c", "a"]
    fail(routing, B)  # it takes nothing at all: worse than codes that few type
    assert names(routing.ways("sms", "US", NOON)) == ["c", "a", "b"]


def test_a_route_is_compared_with_those_of_its_own_channel() -> None:
    mail = Route("smtp", "email", Postman())
    routing = Routing({"sms": [A, B], "email": [mail]})
    routing.note_conversions(
        {("sms", "a"): Conversion(50, 20), ("email", "smtp"): Conversion(900, 900)}
    )
    assert names(routing.ways("sms", "US", NOON)) == ["a", "b"]


# ── the ladder ────────────────────────────────────────────────────────────────────────
def test_the_ladder_leads_on_after_all_routes_of_a_channel() -> None:
    chat, call = Route("chat", "whatsapp", Postman()), Route("call", "voice", Postman())
    routing = Routing({"sms": [A, B], "whatsapp": [chat], "voice": [call]}, LADDER)
    assert names(routing.ways("sms", "US", NOON)) == ["a", "b", "chat", "call"]
    assert names(routing.ways("whatsapp", "US", NOON)) == ["chat", "call"]
    fail(routing, A)
    fail(routing, B)
    assert names(routing.ways("sms", "US", NOON)) == ["chat", "call", "a", "b"]


def test_mail_stands_in_for_nothing() -> None:
    routing = Routing({"email": [Route("smtp", "email", Postman())]}, LADDER)
    assert routing.ways("sms", "US", NOON) == []
    assert routing.channels("email") == ["email"]


# ── looking ───────────────────────────────────────────────────────────────────────────
def test_there_is_a_choice_where_there_are_two_ways() -> None:
    chat = Route("chat", "whatsapp", Postman())
    assert Routing({"sms": [A, B]}).has_choice("sms")
    assert not Routing({"sms": [A], "whatsapp": [chat]}).has_choice("sms")
    assert Routing({"sms": [A], "whatsapp": [chat]}, LADDER).has_choice("sms")
    assert not Routing({}).has_choice("sms")


def test_a_route_is_found_by_its_name(routing: Routing) -> None:
    assert routing.named("b") is B
    assert routing.named("z") is None
    assert names(list(Routing({"sms": [A, B], "whatsapp": [A]}).all())) == ["a", "b"]
