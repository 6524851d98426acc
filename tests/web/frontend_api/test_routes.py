"""Every URL of the Frontend API: which there are, and what is said of others."""

from __future__ import annotations

import pytest

from doorcode.web.frontend_api.routes import ROUTES, owns

from ..house import PHONE, Browser, refusal

NOT_FOUND = (404, "resource_not_found", None)
NOT_ALLOWED = (405, "method_not_allowed", None)


@pytest.mark.parametrize(
    "path",
    ["/v1/client", "/v1/client/", "/v1/client/x", "/v1/me", "/v1/me/", "/v1/environment",
     "/v1/dev_browser"],
)  # fmt: skip
def test_the_frontend_api_owns_its_paths(path: str) -> None:
    assert owns(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/clients/handshake_payload", "/v1/users/u", "/v1/jwks", "/v1/health",
     "/v1/meow", "/v1/environment/x", "/inbox", "/npm/@clerk/ui@1/dist/x.js"],
)  # fmt: skip
def test_the_frontend_api_owns_nothing_else(path: str) -> None:
    assert not owns(path)


@pytest.mark.parametrize(
    ("method", "path"), [(method, path.replace("*", "none")) for method, path in ROUTES]
)
async def test_every_route_answers_a_browser_that_was_never_here(
    browser: Browser, method: str, path: str
) -> None:
    answer = await (browser.get(path) if method == "GET" else browser.override(method, path))
    assert answer.status_code < 500
    assert answer.status_code != 405
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path"), [(method, path.replace("*", "none")) for method, path in ROUTES]
)
async def test_every_route_answers_with_a_trailing_slash_as_without(
    browser: Browser, method: str, path: str
) -> None:
    with_slash, without = [
        await (browser.get(one) if method == "GET" else browser.override(method, one))
        for one in (f"{path}/", path)
    ]
    assert with_slash.status_code == without.status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/me"),
        ("DELETE", "/v1/environment"),
        ("GET", "/v1/dev_browser"),
        ("GET", "/v1/client/sign_ups"),
        ("DELETE", "/v1/client/sign_ups/x"),
        ("GET", "/v1/client/sign_ups/x/prepare_verification"),
        ("PUT", "/v1/client/sign_ins/x/attempt_first_factor"),
        ("GET", "/v1/client/sessions/x/tokens"),
        ("POST", "/v1/client/handshake"),
        ("TRACE", "/v1/client"),
        ("PROPFIND", "/v1/client"),
        ("get", "/v1/client/sessions"),
    ],
)
async def test_another_method_is_not_allowed(browser: Browser, method: str, path: str) -> None:
    answer = await browser.http.request(method, path)
    assert refusal(answer) == NOT_ALLOWED


@pytest.mark.parametrize(
    "path",
    [
        "/v1/client/nothing",
        "/v1/client/sign_ups/x/nothing",
        "/v1/client/sign_ups/x/prepare_verification/more",
        "/v1/client/sign_ins/x/prepare_verification",
        "/v1/client/sign_ups//prepare_verification",
        "/v1/me/nothing",
        "/v1/me/email_addresses/x/nothing",
        "/v1/me/phone_numbers/x/prepare_verification/more",
        "/v1/me/sessions/x",
        "/v1/me/passkeys",
        "/v1/client/sign_ups/%2e%2e/%00",
        "/v1/client/sign_ups/*",
        "/v1/client/sessions/" + "a" * 3000 + "/touch",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_path_or_id_is_not_there(browser: Browser, method: str, path: str) -> None:
    await browser.start_sign_up(phone_number=PHONE)
    form = {"strategy": "phone_code", "code": "123456"} if method == "POST" else None
    answer = await browser.http.request(method, path, data=form)
    assert refusal(answer) in (NOT_FOUND, NOT_ALLOWED)


@pytest.mark.parametrize("sign_up", ["x", "%00", "%ff", "a b", "'; DROP TABLE users;--", "é", "*"])
async def test_a_strange_id_is_not_there(browser: Browser, sign_up: str) -> None:
    await browser.start_sign_up(phone_number=PHONE)
    assert refusal(await browser.get(f"/v1/client/sign_ups/{sign_up}")) == NOT_FOUND


async def test_patch_and_delete_work_as_methods_of_their_own_too(browser: Browser) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE)
    path = f"/v1/client/sign_ups/{sign_up}"
    answer = await browser.http.patch(path, data={"first_name": "Eve"})
    assert answer.json()["response"]["first_name"] == "Eve"
    assert (await browser.http.delete("/v1/client/sessions")).status_code == 200


async def test_the_sdks_version_and_retry_parameters_are_ignored(browser: Browser) -> None:
    query = {"__clerk_api_version": "1999-01-01", "_clerk_js_version": "x", "_clerk_retry": "3"}
    assert (await browser.get("/v1/client", params=query)).status_code == 200
