"""Apps without a browser: the token in a header, no cookies, and a switch to forbid them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .conftest import Builder
from .house import PAGE, PHONE, House, Plan, refusal

NATIVE = Plan(instance={"native_api": True})
ASK = {"_is_native": "1"}


class Phone:
    """An app on a phone: it keeps the header that it was last given."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.token = ""

    async def ask(self, method: str, path: str, form: Any = None) -> httpx.Response:
        http = self.house.browser(page="").http
        headers = {"authorization": self.token} if self.token else {}
        answer = await http.request(method, path, params=ASK, data=form, headers=headers)
        self.token = answer.headers.get("authorization", self.token)
        assert "set-cookie" not in answer.headers
        return answer


@pytest.fixture
async def phone(build: Builder) -> Phone:
    return Phone(await build(NATIVE))


async def test_a_phone_signs_up_without_cookies(phone: Phone) -> None:
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    begun = (await phone.ask("POST", "/v1/client/sign_ups", form)).json()["response"]
    first = phone.token
    code = {"strategy": "phone_code", "code": phone.house.code()}
    path = f"/v1/client/sign_ups/{begun['id']}/attempt_verification"
    done = await phone.ask("POST", path, code)
    assert done.json()["response"]["status"] == "complete"
    assert phone.token not in ("", first)  # a token that was known before opens nothing
    me = await phone.ask("GET", "/v1/me")
    assert me.json()["response"]["phone_numbers"][0]["phone_number"] == PHONE


async def test_a_phone_that_proves_itself_again_is_given_another_token(phone: Phone) -> None:
    form = {"phone_number": PHONE, "strategy": "phone_code"}
    begun = (await phone.ask("POST", "/v1/client/sign_ups", form)).json()["response"]
    path = f"/v1/client/sign_ups/{begun['id']}/attempt_verification"
    code = {"strategy": "phone_code", "code": phone.house.code()}
    done = (await phone.ask("POST", path, code)).json()["response"]
    before, path = phone.token, f"/v1/client/sessions/{done['created_session_id']}"
    await phone.ask("POST", f"{path}/verify", {"level": "first_factor"})
    prepare = f"{path}/verify/prepare_first_factor"
    await phone.ask("POST", prepare, {"strategy": "phone_code"})
    code["code"] = phone.house.code()
    proved = await phone.ask("POST", f"{path}/verify/attempt_first_factor", code)
    assert proved.json()["response"]["status"] == "complete", proved.text
    assert phone.token not in ("", before)
    assert (await phone.ask("POST", f"{path}/tokens")).status_code == 200
    phone.token = before
    assert refusal(await phone.ask("POST", f"{path}/tokens")) == (401, "signed_out", None)


async def test_without_its_token_a_phone_is_nobody(phone: Phone) -> None:
    assert refusal(await phone.ask("GET", "/v1/me")) == (401, "signed_out", None)
    assert (await phone.ask("GET", "/v1/client")).json()["response"] is None


async def test_cookies_do_not_count_where_the_header_should(build: Builder) -> None:
    """A page that adds `_is_native` to a request must not ride on the visitor's cookie."""
    house = await build(NATIVE)
    browser = house.browser()
    await browser.sign_up()
    answer = await browser.get("/v1/me", params=ASK)
    assert refusal(answer) == (401, "signed_out", None)


async def test_a_page_cannot_pass_for_a_phone(build: Builder) -> None:
    house = await build(NATIVE)
    browser = house.browser()
    await browser.sign_up()
    stolen = {"authorization": browser.token or ""}
    answer = await house.browser(PAGE).get("/v1/me", params=ASK, headers=stolen)
    assert refusal(answer) == (400, "origin_authorization_headers_conflict", None)


async def test_phones_are_refused_where_that_is_set(build: Builder) -> None:
    house = await build(Plan(instance={"native_api": False}))
    answer = await house.browser(page="").get("/v1/client", params=ASK)
    assert refusal(answer) == (400, "native_api_disabled", None)
