"""The pages of the second step, and of what is missing at sign-up."""

from __future__ import annotations

import sqlite3

import pytest

from doorcode.domain.instance import Attribute, NameAttribute, UsernameAttribute
from doorcode.domain.limits import RESEND_AFTER
from doorcode.flows import backup_codes

from ..house import EMAIL, OTHER_PHONE, PHONE, Plan
from .conftest import Person, Site, SiteBuilder

TWO_STEPS = Plan(instance={"phone": Attribute(used_for_second_factor=True), "backup_codes": True})
SECOND_MAIL = "second@example.com"


async def member(site: Site) -> Person:
    """Somebody with both addresses, whose number is reserved for the second step."""
    browser = site.house.browser()
    sign_up = await browser.start_sign_up(
        phone_number=PHONE, email_address=EMAIL, strategy="phone_code"
    )
    await browser.attempt_sign_up(sign_up, site.house.code(PHONE))
    await browser.prepare_sign_up(sign_up, "email_code")
    answer = await browser.attempt_sign_up(sign_up, site.house.code(EMAIL), "email_code")
    user_id = answer.json()["response"]["created_user_id"]
    connection = sqlite3.connect(site.house.database)
    with connection:
        connection.execute(
            "UPDATE addresses SET reserved_for_second_factor = 1 WHERE value = ?", [PHONE]
        )
    connection.close()
    digest = backup_codes.digest_backup_code(site.house.door.deps, user_id, "backup-me")
    async with site.house.storage.transaction() as tx:
        await tx.replace_backup_codes(user_id, [digest])
    return site.person()


async def test_two_codes_sign_in(build_site: SiteBuilder) -> None:
    site = await build_site(TWO_STEPS)
    person = await member(site)
    first = await person.enter("/sign-in", EMAIL)
    assert (first.status_code, first.headers["location"]) == (303, "/sign-in")
    page = await person.see("/sign-in")
    assert "Step two of two. A text message with a code was sent to +1********71" in page.text
    assert PHONE not in page.text
    done = await person.post("/sign-in/code", code=site.house.code(PHONE))
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "You are signed in" in (await person.see("/")).text


async def test_a_wrong_second_code_is_said_so(build_site: SiteBuilder) -> None:
    site = await build_site(TWO_STEPS)
    person = await member(site)
    await person.enter("/sign-in", EMAIL)
    answer = await person.post("/sign-in/code", code=site.house.wrong(PHONE))
    assert answer.status_code == 422
    assert "That code is not right" in answer.text


async def test_a_backup_code_signs_in(build_site: SiteBuilder) -> None:
    site = await build_site(TWO_STEPS)
    person = await member(site)
    await person.enter("/sign-in", EMAIL)
    wrong = await person.post("/sign-in/backup", code="backup-you")
    assert wrong.status_code == 422
    assert "That code is not right" in wrong.text
    assert "<details" in wrong.text
    assert " open>" in wrong.text
    done = await person.post("/sign-in/backup", code="Backup Me")
    assert (done.status_code, done.headers["location"]) == (303, "/")


async def test_another_second_code_can_be_sent(build_site: SiteBuilder) -> None:
    site = await build_site(TWO_STEPS)
    person = await member(site)
    await person.enter("/sign-in", EMAIL)
    sent = len(site.house.letters(PHONE))
    site.house.clock.now += RESEND_AFTER
    assert (await person.post("/sign-in/resend")).status_code == 303
    assert len(site.house.letters(PHONE)) == sent + 1


async def test_a_second_step_given_up_meanwhile_sends_nothing(build_site: SiteBuilder) -> None:
    site = await build_site(TWO_STEPS)
    person = await member(site)
    await person.enter("/sign-in", EMAIL)
    connection = sqlite3.connect(site.house.database)
    with connection:
        connection.execute("UPDATE addresses SET reserved_for_second_factor = 0")
    connection.close()
    sent = len(site.house.letters(PHONE))
    site.house.clock.now += RESEND_AFTER
    answer = await person.post("/sign-in/resend")
    assert answer.status_code == 400
    assert len(site.house.letters(PHONE)) == sent


async def test_the_backup_page_is_for_those_at_the_second_step(site: Site) -> None:
    person = site.person()
    answer = await person.post("/sign-in/backup", code="backup-me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


# ── what is missing ───────────────────────────────────────────────────────────────────
ASKING = Plan(
    instance={
        "phone": Attribute(required=True),
        "email": Attribute(required=True),
        "first_name": NameAttribute(used_for_sign_up=True, required=True),
        "username": UsernameAttribute(used_for_sign_up=True, required=True),
        "legal_consent": True,
        "urls": {"terms_url": "https://example.com/terms"},
    }
)
DETAILS = {"email_address": EMAIL, "first_name": "Ada", "username": "ada_l"}


async def test_what_is_missing_is_asked_for_and_finishes_the_sign_up(
    build_site: SiteBuilder,
) -> None:
    site = await build_site(ASKING)
    person = site.person()
    first = await person.enter("/sign-up", PHONE)
    assert (first.status_code, first.headers["location"]) == (303, "/sign-up")
    page = await person.see("/sign-up")
    assert [one["name"] for one in page.all("input")] == [
        "email_address",
        "username",
        "first_name",
        "legal_accepted",
    ]
    told = await person.post("/sign-up/details", **DETAILS, legal_accepted="true")
    assert (told.status_code, told.headers["location"]) == (303, "/sign-up")
    assert EMAIL in (await person.see("/sign-up")).text
    done = await person.post("/sign-up/code", code=site.house.code(EMAIL))
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "Ada" in (await person.see("/")).text


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"legal_accepted": ""}, 422, "Accept the terms to go on."),
        ({"first_name": ""}, 422, "Enter your first name."),
        ({"email_address": "nonsense"}, 422, "The e-mail address must be"),
        ({"email_address": SECOND_MAIL}, 422, "There is an account with this address"),
        ({"username": "a"}, 422, "4 to 64 characters"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    build_site: SiteBuilder, change: dict[str, str], status: int, words: str
) -> None:
    site = await build_site(ASKING)
    other = await site.house.browser().start_sign_up(
        phone_number=OTHER_PHONE,
        email_address=SECOND_MAIL,
        first_name="Bea",
        username="bea_k",
        legal_accepted="true",
    )
    assert other
    async with site.house.storage.transaction() as tx:
        found = await tx.sign_up(other)
    assert found is not None
    if change.get("email_address") == SECOND_MAIL:
        connection = sqlite3.connect(site.house.database)
        with connection:
            connection.execute(
                "INSERT INTO users (id, profile, created_at, updated_at) VALUES ('u', '{}', 1, 1)"
            )
            connection.execute(
                "INSERT INTO addresses (id, user_id, kind, value, spelling, is_test, verified_at,"
                " created_at, updated_at) VALUES ('i', 'u', 'email_address', ?, ?, 0, 1, 1, 1)",
                [SECOND_MAIL, SECOND_MAIL],
            )
        connection.close()
    person = site.person()
    await person.enter("/sign-up", PHONE)
    form = {**DETAILS, "legal_accepted": "true", **change}
    answer = await person.post("/sign-up/details", **form)
    assert answer.status_code == status
    assert words in answer.text
    if "first_name" not in change:
        assert 'value="Ada"' in answer.text  # what was right need not be typed again


async def test_only_what_is_missing_is_taken(build_site: SiteBuilder) -> None:
    """A page elsewhere must not exchange the number that was proved."""
    site = await build_site(ASKING)
    person = site.person()
    await person.enter("/sign-up", PHONE)
    form = {**DETAILS, "legal_accepted": "true", "phone_number": OTHER_PHONE}
    await person.post("/sign-up/details", **form)
    assert site.house.letters(OTHER_PHONE) == []
    done = await person.post("/sign-up/code", code=site.house.code(EMAIL))
    assert done.headers["location"] == "/"
