"""The first page asks for what the instance takes, and for nothing else."""

from __future__ import annotations

import pytest

from doorcode.domain.instance import Attribute, SignUpMode, UsernameAttribute

from ..house import EMAIL, PHONE, Plan
from .conftest import SiteBuilder

OFF = Attribute(used_for_sign_up=False, used_for_sign_in=False)
NAMES = UsernameAttribute(used_for_sign_up=True, used_for_sign_in=True)
WAYS = pytest.mark.parametrize("way", ["/sign-up", "/sign-in"])


@WAYS
@pytest.mark.parametrize(
    ("instance", "label", "hint"),
    [
        ({}, "Phone number or e-mail address", True),
        ({"phone": OFF}, "E-mail address", False),
        ({"email": OFF}, "Phone number", True),
    ],
)
async def test_the_form_names_what_it_takes(
    build_site: SiteBuilder, way: str, instance: dict[str, object], label: str, hint: bool
) -> None:
    person = (await build_site(Plan(instance=instance))).person()
    page = await person.see(way)
    assert f" {label} " in f" {page.text} "
    assert ("start with +" in page.text) is hint


@WAYS
async def test_what_is_off_is_not_asked_for_in_the_error_either(
    build_site: SiteBuilder, way: str
) -> None:
    person = (await build_site(Plan(instance={"phone": OFF}))).person()
    for typed in (PHONE, "nonsense", ""):
        answer = await person.post(way, identifier=typed)
        assert answer.status_code == 422
        assert "Enter your e-mail address." in answer.text
        assert "phone" not in answer.text.lower()


async def test_a_username_signs_in_where_that_is_set(build_site: SiteBuilder) -> None:
    site = await build_site(Plan(instance={"username": NAMES}))
    browser = site.house.browser()
    await browser.sign_up(EMAIL, username="ada_l")
    person = site.person()
    assert "Phone number, e-mail address or username" in (await person.see("/sign-in")).text
    begun = await person.post("/sign-in", identifier="Ada_L")
    assert (begun.status_code, begun.headers["location"]) == (303, "/sign-in")
    page = await person.see("/sign-in")
    assert "a*****@example.com" in page.text
    assert EMAIL not in page.text  # who knows a name must not learn the address
    done = await person.post("/sign-in/code", code=site.house.code(EMAIL))
    assert (done.status_code, done.headers["location"]) == (303, "/")
    nobody = await site.person().post("/sign-in", identifier="nobody_here")
    assert "There is no account" in nobody.text


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (SignUpMode.RESTRICTED, "you need an invitation"),
        (SignUpMode.WAITLIST, "Join the waitlist"),
    ],
)
async def test_a_closed_door_says_so_before_anything_is_typed(
    build_site: SiteBuilder, mode: SignUpMode, words: str
) -> None:
    urls = {"waitlist_url": "https://example.com/waitlist"}
    site = await build_site(Plan(instance={"mode": mode, "urls": urls}))
    page = await site.person().see("/sign-up")
    assert words in page.text
    assert not page.has_field("identifier")
    links = [one.get("href") for one in page.all("a")]
    assert (urls["waitlist_url"] in links) is (mode is SignUpMode.WAITLIST)
    assert (await site.person().see("/sign-in")).has_field("identifier")
