"""In which language people are written to, to which page a code is bound, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.delivery.interface import Letter
from doorcode.delivery.render import render
from doorcode.delivery.words import SHIPPED
from doorcode.domain.addresses import Channel, Kind, parse_identifier
from doorcode.domain.instance import Enumeration, Shield, ShieldMode
from doorcode.domain.limits import HOUR
from doorcode.domain.message import Message
from doorcode.domain.prices import price_of
from doorcode.domain.segments import segments
from doorcode.domain.shield import Policy
from doorcode.domain.texts import Texts
from doorcode.flows import invitation, sign_in, sign_up
from doorcode.flows.deps import Caller
from doorcode.flows.explain import explain

from .world import ADA, ADA_MAIL, BEA, EMAIL, PHONE, World, started

APP, SHOP = "https://app.example.com", "https://shop.example.com"


@pytest.fixture(autouse=True)
def apps(world: World) -> None:
    world.switch(name="Acme", origins=(APP, SHOP), url="https://auth.example.com")


def letter(world: World) -> Letter:
    """The newest letter, as a courier would render it."""
    query = "SELECT id, channel, recipient, sealed FROM outbox ORDER BY created_at, rowid"
    message_id, channel, recipient, sealed = world.rows(query)[-1]
    payload = world.deps.sealer.open(f"outbox/{message_id}", sealed)
    return render(Message(message_id, "", channel, recipient, False, sealed, 0, 0), payload)


async def asked(
    world: World, to: str = ADA, locale: str | None = None, page: str | None = None
) -> Letter:
    kind = Kind.EMAIL if "@" in to else Kind.PHONE
    strategy = EMAIL if "@" in to else PHONE
    wanted = sign_up.Wanted({kind: to}, {"locale": locale} if locale else {}, strategy)
    started(await sign_up.start(world.deps, Caller(page=page), wanted))
    return letter(world)


def begins_as(language: str, heading: str = "heading") -> str:
    return SHIPPED[language][heading]


# ── the language ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("locale", "language"),
    [("de-AT", "de"), ("zh-TW", "zh-Hant"), ("tlh", "en"), (None, "en")],
)
async def test_a_sign_up_is_written_to_in_its_language(
    world: World, locale: str | None, language: str
) -> None:
    assert begins_as(language) in (await asked(world, ADA_MAIL, locale)).text


async def test_who_names_no_language_is_written_to_in_the_instances(world: World) -> None:
    world.switch(texts=Texts(default_language="pl"))
    assert begins_as("pl") in (await asked(world, ADA_MAIL)).text
    assert begins_as("fr") in (await asked(world, "bea@example.com", "fr-CA")).text


async def test_a_sign_in_keeps_the_language_it_was_begun_in(world: World) -> None:
    await world.account(None, ADA_MAIL)
    caller, attempt = started(
        await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA_MAIL, locale="tr-TR"))
    )
    await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(EMAIL))
    assert begins_as("tr") in letter(world).text


async def test_a_code_asked_for_in_another_language_is_written_in_that_one(world: World) -> None:
    await world.account(None, ADA_MAIL)
    caller, attempt = started(
        await sign_in.start(world.deps, Caller(), sign_in.Wanted(ADA_MAIL, locale="tr"))
    )
    await sign_in.send_code(world.deps, caller, attempt.id, sign_in.Wish(EMAIL, locale="nl"))
    assert begins_as("nl") in letter(world).text


async def test_a_sign_in_without_a_language_has_that_of_the_account(world: World) -> None:
    await asked(world, ADA_MAIL, "sv")
    attempt = world.rows("SELECT id, client_id FROM sign_ups")[0]
    await sign_up.try_code(world.deps, Caller(attempt[1]), attempt[0], EMAIL, world.code)
    await world.asked_to_sign_in(ADA_MAIL)
    assert begins_as("sv") in letter(world).text


async def test_where_nobody_may_learn_of_an_account_its_language_shows_in_nothing(
    world: World,
) -> None:
    await asked(world, ADA, "ru", "https://accounts.a-rather-long-name.example.com")
    attempt = world.rows("SELECT id, client_id FROM sign_ups")[0]
    await sign_up.try_code(world.deps, Caller(attempt[1]), attempt[0], PHONE, world.code)
    world.clock.forward(HOUR)
    world.switch(enumeration=Enumeration.STRICT)
    world.write("DELETE FROM sends")
    page = Caller(page="https://accounts.a-rather-long-name.example.com")
    for whose in (ADA, BEA):
        await sign_in.start(world.deps, page, sign_in.Wanted(whose, PHONE))
    assert world.rows("SELECT price FROM sends") == [(price_of("US", {}),)] * 2


async def test_a_page_that_names_no_language_is_written_to_in_the_browsers(world: World) -> None:
    wanted = sign_up.Wanted({Kind.EMAIL: ADA_MAIL}, strategy=EMAIL)
    await sign_up.start(world.deps, Caller(languages=("tlh", "hi-IN", "de")), wanted)
    assert begins_as("hi") in letter(world).text


async def test_an_invitation_is_written_in_the_instances_language(world: World) -> None:
    world.switch(texts=Texts(default_language="it"))
    await invitation.create(world.deps, [invitation.Wanted(ADA_MAIL)])
    assert begins_as("it", "invitation_sentence") in letter(world).text


async def test_where_nobody_may_learn_of_an_account_the_letter_is_in_the_same_language(
    world: World,
) -> None:
    await world.account(None, ADA_MAIL)
    world.switch(enumeration=Enumeration.STRICT)
    assert begins_as("da", "has_account_sentence") in (await asked(world, ADA_MAIL, "da")).text


async def test_own_words_count_from_the_next_letter_on(world: World) -> None:
    assert begins_as("de") in (await asked(world, ADA_MAIL, "de")).text
    world.switch(texts=Texts(own={"de": {"heading": "Na, wer sagt's denn:"}}))
    assert "Na, wer sagt's denn:" in (await asked(world, "bea@example.com", "de")).text


# ── the page ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("page", "host"),
    [
        (SHOP, "shop.example.com"),
        ("https://auth.example.com", "auth.example.com"),  # a page of our own
        (None, "app.example.com"),  # a program: the app that was named first
        ("http://plain.example.com", "app.example.com"),  # what is bound is bound by https
        ("http://localhost:3000", "localhost"),
    ],
)
async def test_a_code_is_bound_to_the_page_that_asks(
    world: World, page: str | None, host: str
) -> None:
    sent = await asked(world, ADA, page=page)
    assert sent.text.endswith(f"\n@{host} #{sent.code}")


async def test_a_code_is_bound_to_nothing_where_that_is_switched_off(world: World) -> None:
    world.switch(texts=Texts(origin_line=False))
    assert "@" not in (await asked(world, ADA, page=SHOP)).text


# ── the price ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize("host", ["a.co", "accounts.a-rather-long-name.example.com"])
async def test_a_code_is_paid_for_as_the_text_that_is_sent(
    world: World, language: str, host: str
) -> None:
    world.switch(name="Fahrradwerkstatt Müller")
    sent = await asked(world, ADA, language, f"https://{host}")
    [(price,)] = world.rows("SELECT price FROM sends")
    assert price == price_of("US", {}) * segments(sent.text)
    assert segments(sent.text) in (1, 2)


async def test_an_own_text_of_two_segments_costs_twice(world: World) -> None:
    world.switch(texts=Texts(own={"de": {"sms": "{{ code }} " + "ж" * 60}}))
    assert segments((await asked(world, ADA, "de")).text) == 2
    assert world.rows("SELECT price FROM sends") == [(2 * price_of("US", {}),)]


async def test_what_does_not_travel_in_segments_is_paid_for_once(world: World) -> None:
    channels = (Channel.WHATSAPP,)
    world.switch(channels=channels, texts=Texts(own={"en": {"sms": "{{ code }}" + "ж" * 99}}))
    sent = await asked(world, ADA)
    assert (sent.channel, segments(sent.text)) == ("whatsapp", 2)
    assert world.rows("SELECT price FROM sends") == [(price_of("US", {}),)]


async def test_an_explanation_counts_the_text_in_the_accounts_language(world: World) -> None:
    world.switch(
        origins=("https://accounts.a-rather-long-name.example.com",),
        shield=Shield(ShieldMode.RECORD, Policy()),
    )
    sent = await asked(world, ADA, "ru")
    attempt = world.rows("SELECT id, client_id FROM sign_ups")[0]
    await sign_up.try_code(world.deps, Caller(attempt[1]), attempt[0], PHONE, world.code)
    grounds = Grounds(world)
    async with world.deps.storage.reading() as tx:
        hers = await explain(grounds, tx, Caller(), parse_identifier(ADA, test_mode=True))
        nobodys = await explain(grounds, tx, Caller(), parse_identifier(BEA, test_mode=True))
    assert (hers.language, hers.segments) == ("ru", segments(sent.text)) == ("ru", 2)
    assert (nobodys.language, nobodys.segments) == ("en", 1)
    assert hers.price == 2 * nobodys.price


class Grounds:
    """What a decision rests on, as a command has it."""

    def __init__(self, world: World) -> None:
        self.instance = replace(world.deps.instance)
        self.post = world.deps.post
        self.now = world.clock
