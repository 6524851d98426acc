"""A person's way through the pages, and everything that goes wrong on it."""

from __future__ import annotations

import pytest

from doorcode.domain.limits import CODE_LIVES_FOR, RESEND_AFTER

from ..house import EMAIL, OTHER_PHONE, PHONE, Plan
from .conftest import Document, Person, Site, SiteBuilder

WAYS = pytest.mark.parametrize("way", ["/sign-up", "/sign-in"])
ADDRESSES = pytest.mark.parametrize("to", [PHONE, EMAIL])


@pytest.fixture
async def member(site: Site) -> Person:
    """Somebody with an account by PHONE, signed out."""
    one = site.person()
    await one.enter("/sign-up", PHONE)
    await one.post("/sign-out")
    return one


@ADDRESSES
async def test_sign_up_sign_out_and_sign_in(site: Site, person: Person, to: str) -> None:
    started = await person.post("/sign-up", identifier=to)
    assert (started.status_code, started.headers["location"]) == (303, "/sign-up")
    before = person.token

    page = await person.see("/sign-up")
    assert to in page.text
    code = page.field("code")
    assert (code["autocomplete"], code["inputmode"]) == ("one-time-code", "numeric")

    done = await person.post("/sign-up/code", code=site.house.code(to))
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert person.token != before  # a cookie planted earlier opens nothing
    assert person.http.cookies.get("__client_uat") not in (None, "0")
    assert to in (await person.see("/")).text

    out = await person.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert person.http.cookies.get("__client_uat") == "0"
    assert "Nobody is signed in" in (await person.see("/")).text

    done = await person.enter("/sign-in", to)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "You are signed in" in (await person.see("/")).text


@pytest.mark.parametrize(
    "shape", ["{0}{1}{2} {3}{4}{5}", " {0}{1}{2}-{3}{4}{5} ", "{0}{1} {2}{3} {4}{5}"]
)
async def test_code_may_be_typed_with_gaps(site: Site, person: Person, shape: str) -> None:
    await person.post("/sign-up", identifier=PHONE)
    typed = shape.format(*site.house.code())
    assert len(typed) <= int((await person.see("/sign-up")).field("code")["maxlength"] or 0)
    assert (await person.post("/sign-up/code", code=typed)).headers["location"] == "/"


@WAYS
async def test_wrong_code_is_told_beside_the_field(site: Site, member: Person, way: str) -> None:
    to = PHONE if way == "/sign-in" else OTHER_PHONE
    await member.post(way, identifier=to)
    answer = await member.post(f"{way}/code", code=site.house.wrong(to))
    page = Document(answer.text)
    assert answer.status_code == 422
    assert page.text.startswith("Error: Enter the code")
    field = page.field("code")
    assert field["aria-invalid"] == "true"
    assert "code-error" in (field["aria-describedby"] or "").split()
    assert {"class": "error", "id": "code-error", "role": "alert"} in page.all("p")
    assert "That code is not right" in page.text
    assert "value" not in field
    assert (await member.post(f"{way}/code", code=site.house.code(to))).status_code == 303


async def test_no_code_is_asked_for_after_five_wrong_ones(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    wrong = site.house.wrong()
    answers = [await person.post("/sign-up/code", code=wrong) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [400]
    for text in (answers[-1].text, (await person.get("/sign-up")).text):
        assert "Too many wrong codes" in text
        assert not Document(text).has_field("code")
    assert (await person.post("/sign-up/resend")).status_code == 303
    assert (await person.see("/sign-up")).has_field("code")
    assert (await person.post("/sign-up/code", code=site.house.code())).status_code == 303


async def test_address_is_locked_after_ten_wrong_codes(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    for _ in range(2):
        for _ in range(5):
            await person.post("/sign-up/code", code=site.house.wrong())
        locked = await person.post("/sign-up/resend")
    assert locked.status_code == 403
    assert "Try again in 60 minutes" in locked.text
    assert locked.headers["retry-after"] == "3600"


async def test_expired_code_asks_for_a_new_one(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    site.house.clock.advance(CODE_LIVES_FOR)
    page = await person.see("/sign-up")
    assert "This code has expired" in page.text
    assert not page.has_field("code")
    late = await person.post("/sign-up/code", code=site.house.code())
    assert late.status_code == 400


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter your phone number or e-mail address."),
        ("   ", "Enter your phone number or e-mail address."),
        ("415 555 2671", "start with + and the country code"),
        ("0014155552671", "start with + and the country code"),
        ("+1 415 555 2671 x5", "start with + and the country code"),
        ("+" + "1" * 400, "country code"),
        ("ada@", "e-mail address"),
        ("ada", "country code"),
        ("a\x00da@example.com", "Enter your phone number or e-mail address."),
        ("x" * 3000, "too long"),
    ],
)
@WAYS
async def test_malformed_address(person: Person, way: str, typed: str, words: str) -> None:
    answer = await person.post(way, identifier=typed)
    page = Document(answer.text)
    assert answer.status_code == 422
    assert words in page.text
    assert page.text.startswith("Error: ")
    assert page.field("identifier")["aria-invalid"] == "true"
    assert "identifier-error" in (page.field("identifier")["aria-describedby"] or "")
    assert "autofocus" in page.field("identifier")


async def test_what_was_typed_is_kept(person: Person) -> None:
    answer = await person.post("/sign-up", identifier="ada@nowhere")
    assert Document(answer.text).field("identifier")["value"] == "ada@nowhere"


async def test_unknown_account_leads_to_sign_up(site: Site, person: Person) -> None:
    target = "?redirect_url=%2Fsign-in"
    answer = await person.post(f"/sign-in{target}", identifier=PHONE)
    assert answer.status_code == 422
    assert "There is no account with this address." in answer.text
    links = [link.get("href") for link in Document(answer.text).all("a")]
    assert links.count(f"/sign-up{target}") == 2
    assert not site.house.letters(PHONE)


async def test_taken_address_leads_to_sign_in(site: Site, member: Person) -> None:
    answer = await member.post("/sign-up", identifier=PHONE)
    assert answer.status_code == 422
    assert "There is an account with this address already." in answer.text
    assert "Sign in instead" in Document(answer.text).text
    assert len(site.house.letters(PHONE)) == 1


async def test_new_code_has_to_wait(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    site.house.clock.advance(RESEND_AFTER // 3)
    early = await person.post("/sign-up/resend")
    assert early.status_code == 429
    assert early.headers["retry-after"] == "20"
    assert "ask for another in 20 seconds" in early.text
    assert "Error" not in early.text
    assert Document(early.text).field("code").get("aria-invalid") is None
    assert len(site.house.letters(PHONE)) == 1

    site.house.clock.advance(RESEND_AFTER)
    again = await person.post("/sign-up/resend")
    assert (again.status_code, again.headers["location"]) == (303, "/sign-up")
    _, earlier = site.house.letters(PHONE)
    assert (await person.post("/sign-up/code", code=earlier)).headers["location"] == "/"


@WAYS
async def test_looking_sends_nothing(site: Site, member: Person, way: str) -> None:
    to = PHONE if way == "/sign-in" else OTHER_PHONE
    sent = len(site.house.letters(to))
    await member.post(way, identifier=to)
    for path in (way, way, f"{way}?x=1"):
        assert (await member.see(path)).has_field("code")
    for step in ("code", "resend", "restart"):
        gone = await member.get(f"{way}/{step}")
        assert (gone.status_code, gone.headers["location"]) == (303, way)
    assert (await member.see(way)).has_field("code")
    assert len(site.house.letters(to)) == sent + 1


@WAYS
async def test_start_over_with_another_address(site: Site, member: Person, way: str) -> None:
    to = PHONE if way == "/sign-in" else OTHER_PHONE
    await member.post(way, identifier=to)
    code = site.house.code(to)
    over = await member.post(f"{way}/restart")
    assert (over.status_code, over.headers["location"]) == (303, way)
    assert (await member.see(way)).has_field("identifier")
    late = await member.post(f"{way}/code", code=code)
    assert (late.status_code, late.headers["location"]) == (303, way)
    assert "Nobody is signed in" in (await member.see("/")).text


async def test_form_sent_twice_signs_in_once(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    code = site.house.code()
    await person.post("/sign-up/code", code=code)
    twice = await person.post("/sign-up/code", code=code)
    assert (twice.status_code, twice.headers["location"]) == (303, "/sign-up")
    assert (await person.get("/sign-up")).headers["location"] == "/"


async def test_attempt_of_another_browser_is_nobodys(site: Site, person: Person) -> None:
    await person.post("/sign-up", identifier=PHONE)
    stranger = site.person()
    answer = await stranger.post("/sign-up/code", code=site.house.code())
    assert answer.headers["location"] == "/sign-up"
    assert stranger.token is None
    assert PHONE not in (await stranger.get("/sign-up")).text


@WAYS
async def test_who_is_signed_in_is_sent_on(person: Person, way: str) -> None:
    await person.enter("/sign-up", PHONE)
    assert (await person.get(way)).headers["location"] == "/"
    onward = f"{way}?redirect_url=http%3A%2F%2Flocalhost%3A3000%2Fa"
    assert (await person.get(onward)).headers["location"] == "http://localhost:3000/a"
    assert (await person.post(way, identifier=OTHER_PHONE)).headers["location"] == "/"


async def test_a_code_that_went_elsewhere_than_what_was_typed_is_masked(site: Site) -> None:
    person = site.person()
    form = {"phone_number": PHONE, "email_address": EMAIL, "strategy": "phone_code"}
    await person.http.post("/v1/client/sign_ups", data=form)
    sign_up = (await person.get("/v1/client")).json()["response"]["sign_up"]["id"]
    path = f"/v1/client/sign_ups/{sign_up}"
    for strategy, to in (("phone_code", PHONE), ("email_code", EMAIL)):
        if strategy == "email_code":
            await person.http.post(f"{path}/prepare_verification", data={"strategy": strategy})
        form = {"strategy": strategy, "code": site.house.code(to)}
        await person.http.post(f"{path}/attempt_verification", data=form)
    await person.post("/sign-out")
    form = {"identifier": PHONE, "strategy": "email_code"}
    await person.http.post("/v1/client/sign_ins", data=form)
    page = await person.see("/sign-in")
    assert "a*****@example.com" in page.text
    assert "Ada" not in page.text


async def test_too_many_requests_are_told_kindly(build_site: SiteBuilder) -> None:
    site = await build_site(Plan(limits=True))
    person = site.person()
    answers = [await person.post("/sign-in", identifier="+14155552670") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "10"
    assert "Wait 10 seconds" in answers[-1].text
    assert Document(answers[-1].text).field("identifier")["value"] == "+14155552670"

    await person.post("/sign-up", identifier=PHONE)
    wrong = site.house.wrong()
    tried = [await person.post("/sign-up/code", code=wrong) for _ in range(4)]
    assert [answer.status_code for answer in tried] == [422] * 3 + [429]
    assert Document(tried[-1].text).has_field("code")
