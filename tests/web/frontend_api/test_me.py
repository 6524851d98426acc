"""`/v1/me` over the wire: what a person may say of themselves, and what nobody may."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from doorcode.domain.instance import Attribute, NameAttribute, UsernameAttribute
from doorcode.security.images import IMAGE_BYTES

from ..conftest import Builder
from ..house import (
    EMAIL,
    OTHER_PHONE,
    PAGE,
    PHONE,
    PRODUCTION,
    Browser,
    House,
    later,
    refusal,
    set_cookies,
)

NOT_FOUND = (404, "resource_not_found", None)
SIGNED_OUT = (401, "signed_out", None)
REVERIFY = (403, "session_reverification_required", None)
NAMED = UsernameAttribute(used_for_sign_up=True)


@pytest.fixture
async def ada(browser: Browser) -> Browser:
    """A browser in which Ada is signed in."""
    await browser.sign_up(first_name="Ada", last_name="L")
    return browser


async def me(browser: Browser) -> Any:
    return (await browser.get("/v1/me")).json()["response"]


async def patch(browser: Browser, form: Any = None, path: str = "/v1/me") -> Any:
    answer = await browser.override("PATCH", path, form)
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]


def png(size: int = 64) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (size, size), "blue").save(buffer, "PNG")
    return buffer.getvalue()


# ── the profile ───────────────────────────────────────────────────────────────────────
async def test_names_are_changed_and_blank_ones_emptied(ada: Browser) -> None:
    shown = await patch(ada, {"first_name": "Bea", "last_name": ""})
    assert (shown["first_name"], shown["last_name"]) == ("Bea", None)
    assert await me(ada) == shown


async def test_the_answer_brings_the_changed_client(ada: Browser) -> None:
    answer = (await ada.override("PATCH", "/v1/me", {"first_name": "Bea"})).json()
    assert answer["client"]["sessions"][0]["user"] == answer["response"]
    assert answer["response"]["object"] == "user"


async def test_nothing_given_changes_nothing(ada: Browser) -> None:
    before = await me(ada)
    assert await patch(ada) == before


async def test_the_session_that_is_named_is_meant(build: Builder) -> None:
    house = await build(instance={"single_session": False})
    browser = house.browser()
    for to in (PHONE, OTHER_PHONE):
        await browser.sign_up(to)
        house.clock.advance(later(1))
    first, second = (await browser.client())["sessions"]
    path = f"/v1/me?_method=PATCH&_clerk_session_id={first['id']}"
    shown = (await browser.post(path, {"first_name": "Ada"})).json()["response"]
    assert shown["id"] == first["user"]["id"] != second["user"]["id"]
    assert (await me(browser))["first_name"] is None  # the last active one is the other
    wrong = await browser.post("/v1/me?_method=PATCH&_clerk_session_id=sess_none", {})
    assert refusal(wrong) == (401, "authentication_invalid", None)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"first_name": "x" * 129}, (422, "form_param_max_length_exceeded", "first_name")),
        ({"username": "ada_1"}, (422, "form_param_unknown", "username")),
        (
            {"primary_phone_number_id": "idn_none"},
            (422, "form_resource_not_found", "primary_phone_number_id"),
        ),
        (
            {"primary_email_address_id": "idn_none"},
            (422, "form_resource_not_found", "primary_email_address_id"),
        ),
        ({"unsafe_metadata": "[]"}, (422, "form_param_type_invalid", "unsafe_metadata")),
        ({"unsafe_metadata": "{"}, (422, "form_param_format_invalid", "unsafe_metadata")),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    ada: Browser, form: dict[str, str], why: tuple[int, str, str]
) -> None:
    before = await me(ada)
    assert refusal(await ada.override("PATCH", "/v1/me", {**form, "last_name": "X"})) == why
    assert await me(ada) == before


async def test_usernames(build: Builder) -> None:
    house = await build(instance={"username": NAMED})
    ada, bea = house.browser(), house.browser()
    await ada.sign_up(PHONE)
    await bea.sign_up(OTHER_PHONE)
    assert (await patch(ada, {"username": "Ada_1"}))["username"] == "Ada_1"
    for name, code in (
        ("ADA_1", "form_identifier_exists"),
        ("x", "form_username_invalid_length"),
        ("a b c d", "form_username_invalid_character"),
        ("123456", "form_username_needs_non_number_char"),
    ):
        answer = await bea.override("PATCH", "/v1/me", {"username": name})
        assert refusal(answer) == (422, code, "username")
    assert (await patch(ada, {"username": ""}))["username"] is None
    assert (await patch(bea, {"username": "ADA_1"}))["username"] == "ADA_1"


async def test_what_is_immutable_or_required_stays(build: Builder) -> None:
    fixed = NameAttribute(used_for_sign_up=True, immutable=True)
    needed = NameAttribute(used_for_sign_up=True, required=True)
    house = await build(instance={"first_name": fixed, "last_name": needed})
    ada = house.browser()
    await ada.sign_up(first_name="Ada", last_name="L")
    answer = await ada.override("PATCH", "/v1/me", {"first_name": "Eve"})
    assert refusal(answer) == (403, "immutable_attribute_modification_not_allowed", "first_name")
    answer = await ada.override("PATCH", "/v1/me", {"last_name": ""})
    assert refusal(answer) == (422, "form_param_missing", "last_name")


async def test_an_unproved_address_cannot_be_primary(ada: Browser) -> None:
    added = await ada.post("/v1/me/phone_numbers/", {"phone_number": OTHER_PHONE})
    form = {"primary_phone_number_id": added.json()["response"]["id"]}
    answer = await ada.override("PATCH", "/v1/me", form)
    assert refusal(answer) == (422, "form_verification_needed", "primary_phone_number_id")


# ── metadata ──────────────────────────────────────────────────────────────────────────
async def test_metadata_is_replaced_here_and_merged_there(ada: Browser) -> None:
    first = {"unsafe_metadata": json.dumps({"a": {"b": 1, "c": [2]}, "d": None})}
    assert (await patch(ada, first))["unsafe_metadata"] == {"a": {"b": 1, "c": [2]}, "d": None}
    change = {"unsafe_metadata": json.dumps({"a": {"b": None, "e": 3}, "f": "ü"})}
    merged = await patch(ada, change, "/v1/me/metadata")
    assert merged["unsafe_metadata"] == {"a": {"c": [2], "e": 3}, "d": None, "f": "ü"}
    assert (await patch(ada, {"unsafe_metadata": '{"g": 1}'}))["unsafe_metadata"] == {"g": 1}


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/metadata"])
async def test_null_takes_all_of_it_away(ada: Browser, path: str) -> None:
    await patch(ada, {"unsafe_metadata": '{"a": 1}'})
    assert (await patch(ada, {"unsafe_metadata": ""}, path))["unsafe_metadata"] == {}


async def test_a_patch_needs_metadata(ada: Browser) -> None:
    answer = await ada.override("PATCH", "/v1/me/metadata", {"public_metadata": "{}"})
    assert refusal(answer) == (422, "form_param_missing", "unsafe_metadata")


async def test_metadata_cannot_grow_patch_by_patch(ada: Browser) -> None:
    for name in ("a", "b"):
        form = {"unsafe_metadata": json.dumps({name: "x" * 5_000})}
        answer = await ada.override("PATCH", "/v1/me/metadata", form)
    assert refusal(answer) == (422, "form_param_max_length_exceeded", "unsafe_metadata")


# ── what nobody may say ───────────────────────────────────────────────────────────────
MAY_CHANGE = {"first_name", "last_name", "username", "unsafe_metadata"}
MAY_CHANGE_BY_CHOICE = {"primary_email_address_id", "primary_phone_number_id"}
EVIL = {
    "id": "user_evil",
    "object": "admin",
    "public_metadata": '{"role": "admin"}',
    "private_metadata": '{"role": "admin"}',
    "external_id": "evil",
    "banned": "true",
    "locked": "true",
    "created_at": "1",
    "updated_at": "1",
    "last_sign_in_at": "1",
    "legal_accepted_at": "1",
    "mfa_enabled_at": "1",
    "two_factor_enabled": "true",
    "email_addresses": '[{"email_address": "evil@example.com"}]',
    "verification[status]": "verified",
    "image_url": "javascript:alert(1)",
    "image_id": "img_1",
    "user_id": "user_other",
    "status": "active",
}


async def test_no_other_field_of_the_account_can_be_set(ada: Browser, house: House) -> None:
    before = await me(ada)
    fields = set(before) - MAY_CHANGE - MAY_CHANGE_BY_CHOICE
    assert len(fields) > 30
    form = {**dict.fromkeys(fields, "1"), **EVIL}
    house.clock.advance(later(5))
    after = await patch(ada, {**form, "first_name": "Bea"})
    told = (await house.backend(f"/v1/users/{before['id']}")).json()
    picture = after["image_url"]
    changed = {"first_name": "Bea", "image_url": picture, "profile_image_url": picture}
    assert after == {**before, **changed, "updated_at": house.clock.now}
    assert after["image_url"].startswith("http://localhost:8787/v1/images/avatar_placeholder/")
    assert told["private_metadata"] == {}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    form=st.dictionaries(
        st.sampled_from([*EVIL, "locale", "profile", "primary_web3_wallet_id", "deleted"]),
        st.sampled_from(["", "1", "true", "null", "{}", '{"a": 1}', "verified", "user_1"]),
    )
)
async def test_no_mix_of_such_fields_changes_anything(ada: Browser, form: dict[str, str]) -> None:
    before = await me(ada)
    assert await patch(ada, form) == before
    if "unsafe_metadata" not in form:
        answer = await ada.override("PATCH", "/v1/me/metadata", form)
        assert refusal(answer) == (422, "form_param_missing", "unsafe_metadata")


# ── the end of an account ─────────────────────────────────────────────────────────────
async def test_a_deleted_account_signs_its_browser_out(ada: Browser, house: House) -> None:
    user = await me(ada)
    answer = await ada.override("DELETE", "/v1/me")
    document = answer.json()
    assert document["response"] == {"object": "user", "id": user["id"], "deleted": True}
    assert document["client"]["sessions"] == []
    assert set_cookies(answer)["__client_uat"].startswith("0;")
    assert refusal(await ada.get("/v1/me")) == SIGNED_OUT
    assert (await house.backend(f"/v1/users/{user['id']}")).status_code == 404


async def test_an_account_cannot_be_deleted_where_that_is_off(build: Builder) -> None:
    browser = (await build(instance={"delete_self": False})).browser()
    await browser.sign_up()
    assert refusal(await browser.override("DELETE", "/v1/me")) == (
        403, "user_delete_self_not_enabled", None,
    )  # fmt: skip
    assert (await me(browser))["delete_self_enabled"] is False


# ── sessions ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("path", ["/v1/me/sessions", "/v1/me/sessions/active", "/v1/me/sessions/"])
async def test_sessions_on_all_clients_are_listed_without_their_tokens(
    ada: Browser, house: House, path: str
) -> None:
    other = house.browser()
    house.clock.advance(later(1))
    await other.sign_in()
    await house.someone(OTHER_PHONE)
    listed = (await ada.get(path)).json()
    ids = [(await one.client())["sessions"][0]["id"] for one in (ada, other)]
    assert [one["id"] for one in listed] == ids
    assert [(one["last_active_token"], one["user"]) for one in listed] == [(None, None)] * 2
    assert "eyJ" not in json.dumps(listed)


async def test_a_session_elsewhere_can_be_revoked(ada: Browser, house: House) -> None:
    other = house.browser()
    await other.sign_in()
    target = (await other.client())["sessions"][0]["id"]
    answer = (await ada.post(f"/v1/me/sessions/{target}/revoke")).json()
    assert (answer["response"]["id"], answer["response"]["status"]) == (target, "revoked")
    assert len(answer["client"]["sessions"]) == 1
    assert refusal(await other.get("/v1/me")) == SIGNED_OUT
    again = await ada.post(f"/v1/me/sessions/{target}/revoke")
    assert refusal(again) == (400, "invalid_action_for_session", None)


async def test_ones_own_session_can_be_revoked(ada: Browser) -> None:
    own = (await ada.client())["sessions"][0]["id"]
    answer = await ada.post(f"/v1/me/sessions/{own}/revoke")
    assert answer.json()["client"]["sessions"] == []
    assert set_cookies(answer)["__client_uat"].startswith("0;")
    assert refusal(await ada.get("/v1/me")) == SIGNED_OUT


async def test_somebody_elses_session_is_not_there(ada: Browser, house: House) -> None:
    bea = house.browser()
    await bea.sign_up(OTHER_PHONE)
    target = (await bea.client())["sessions"][0]["id"]
    for one in (target, "sess_none"):
        assert refusal(await ada.post(f"/v1/me/sessions/{one}/revoke")) == NOT_FOUND
    assert (await me(bea))["id"]


# ── the picture ───────────────────────────────────────────────────────────────────────
async def test_a_picture_is_shown_from_our_own_address(ada: Browser, house: House) -> None:
    answer = await ada.post("/v1/me/profile_image", files={"file": ("x.png", png(), "image/png")})
    image = answer.json()["response"]
    shown = (await ada.client())["sessions"][0]["user"]
    assert image["object"] == "image"
    assert shown["image_url"] == image["public_url"]
    assert shown["has_image"] is True
    assert image["public_url"].startswith("http://localhost:8787/v1/images/img_")
    served = await house.browser(None).get(image["public_url"])
    assert (served.status_code, served.headers["content-type"]) == (200, "image/webp")
    assert served.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_may_come_as_base64(ada: Browser) -> None:
    text = b"data:image/png;base64," + base64.b64encode(png())
    answer = await ada.post_raw("/v1/me/profile_image", text, "application/octet-stream")
    assert answer.status_code == 200
    assert (await me(ada))["has_image"] is True


async def test_a_picture_can_be_taken_away(ada: Browser) -> None:
    await ada.post("/v1/me/profile_image", files={"file": ("x.png", png(), "image/png")})
    image = await me(ada)
    answer = await ada.override("DELETE", "/v1/me/profile_image")
    assert answer.json()["response"]["deleted"] is True
    assert (await ada.get(image["image_url"])).status_code == 404
    assert (await me(ada))["has_image"] is False
    again = await ada.override("DELETE", "/v1/me/profile_image")
    assert refusal(again) == (404, "image_not_found", None)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", (400, "request_body_invalid")),
        ("x.png", b"\x89PNG\r\n\x1a\n" + b"x" * 100, (400, "request_body_invalid")),
        ("x.html", b"<script>alert(1)</script>", (400, "request_body_invalid")),
    ],
)
async def test_what_is_no_picture_is_refused(
    ada: Browser, name: str, data: bytes, why: tuple[int, str]
) -> None:
    answer = await ada.post("/v1/me/profile_image", files={"file": (name, data, "image/png")})
    assert refusal(answer)[:2] == why
    assert (await me(ada))["has_image"] is False


async def test_a_picture_has_a_size(ada: Browser, house: House) -> None:
    upload = {"file": ("x.png", png() + b"\0" * IMAGE_BYTES, "image/png")}
    assert (await ada.post("/v1/me/profile_image", files=upload)).status_code == 413
    large = {"file": ("x.png", b"\0" * 100_000, "image/png")}
    # Of a browser that we do not know no more is read than of a form.
    stranger = await house.browser().post("/v1/me/profile_image", files=large)
    assert refusal(stranger) == (413, "request_body_too_large", None)
    assert refusal(await ada.post("/v1/me/profile_image", files=large))[0] == 400
    elsewhere = await ada.post("/v1/me/phone_numbers", files=large)
    assert refusal(elsewhere) == (413, "request_body_too_large", None)


# ── who asks ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me"),
        ("PATCH", "/v1/me"),
        ("DELETE", "/v1/me"),
        ("PATCH", "/v1/me/metadata"),
        ("DELETE", "/v1/me/profile_image"),
        ("GET", "/v1/me/sessions"),
        ("GET", "/v1/me/sessions/active"),
        ("POST", "/v1/me/sessions/sess_1/revoke"),
        ("POST", "/v1/me/backup_codes/"),
    ],
)
async def test_strangers_are_signed_out(browser: Browser, method: str, path: str) -> None:
    form = {"unsafe_metadata": "{}"} if method == "PATCH" else None
    answer = await browser.http.request(method, path, data=form)
    assert refusal(answer) == SIGNED_OUT


async def test_a_page_of_another_origin_changes_nothing(build: Builder) -> None:
    house = await build(PRODUCTION, test_mode=True)
    stranger = house.browser("https://evil.example")
    for method in ("PATCH", "DELETE"):
        answer = await stranger.override(method, "/v1/me")
        assert refusal(answer) == (400, "origin_invalid", None)
    assert PAGE not in house.plan.origins


async def test_a_session_that_waits_reads_and_finishes_its_task_only(build: Builder) -> None:
    house = await build(
        instance={"mfa_required": True, "phone": Attribute(used_for_second_factor=True)}
    )
    browser = house.browser()
    await browser.sign_up(EMAIL)
    assert (await browser.client())["sessions"][0]["tasks"] == [{"key": "setup-mfa"}]
    assert (await me(browser))["email_addresses"]
    for method, path in (
        ("PATCH", "/v1/me"),
        ("DELETE", "/v1/me"),
        ("POST", "/v1/me/backup_codes"),
    ):
        answer = await browser.override(method, path)
        assert refusal(answer) == (400, "invalid_action_for_session", None)


# ── fresh proof ───────────────────────────────────────────────────────────────────────
async def test_what_cannot_be_undone_asks_for_a_fresh_proof(build: Builder) -> None:
    house = await build(instance={"reverification": True, "username": NAMED})
    browser, other = house.browser(), house.browser()
    await browser.sign_up()
    await other.sign_in()
    target = (await other.client())["sessions"][0]["id"]
    house.clock.advance(later(11 * 60))

    async def tried() -> list[httpx.Response]:
        return [
            await browser.override("PATCH", "/v1/me", {"username": "ada_1"}),
            await browser.post(f"/v1/me/sessions/{target}/revoke"),
            await browser.override("DELETE", "/v1/me"),
        ]

    assert [refusal(one) for one in await tried()] == [REVERIFY] * 3
    assert (await patch(browser, {"first_name": "Ada"}))["first_name"] == "Ada"
