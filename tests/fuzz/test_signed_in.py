"""Forms to what a signed-in person owns: past the ids, so that every field's reader is met."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from tests.web.house import FORM, Browser, House, later

from doorcode.web.frontend_api.routes import ROUTES

from .spoiling import TEXTS, fewer, spoilt
from .test_app import grown

# What stands for `*`, by what stands before it.
OWNED = {
    "sessions": "session",
    "email_addresses": "email",
    "phone_numbers": "phone",
    "sign_ups": "sign_up",
    "sign_ins": "sign_in",
}
OPERATIONS = sorted(
    (method, path) for method, path in ROUTES if "*" in path or path.startswith("/v1/me")
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "strategy", "code", "level", "phone_number", "email_address", "phone_number_id",
            "email_address_id", "identifier", "channel", "first_name", "username", "locale",
            "unsafe_metadata", "primary_phone_number_id", "reserved_for_second_factor",
            "default_second_factor", "active_organization_id", "organization_id", "legal_accepted",
        ]
    ),
    st.sampled_from(
        [
            "phone_code", "email_code", "backup_code", "424242", "first_factor", "multi_factor",
            "true", "false", "+14155550123", "bea+clerk_test@example.com", "sms", "en", "{}",
            "EMAIL", "PHONE",
        ]
    ) | TEXTS,
    max_size=4,
)  # fmt: skip
BODIES = FIELDS.map(urlencode).map(str.encode)


async def newcomer(server: House) -> tuple[Browser, dict[str, str]]:
    """Somebody who is signed in, and the id of one of each that they own."""
    server.clock.advance(later(60))
    browser = server.browser()
    document = (await browser.sign_up(f"p{server.clock.now}@example.com")).json()
    [session] = document["client"]["sessions"]
    phone = f"+1415{5552000 + server.clock.now // 60_000 % 7_000}"
    added = await browser.post("/v1/me/phone_numbers", {"phone_number": phone})
    return browser, {
        "session": session["id"],
        "email": session["user"]["email_addresses"][0]["id"],
        "phone": added.json()["response"]["id"],
        "sign_up": document["response"]["id"],
        "sign_in": "sia_01J00000000000000000000000",
    }


def named(path: str, ids: dict[str, str]) -> str:
    """The path of what they own."""
    before, star, after = path.partition("*")
    return f"{before}{ids[OWNED[before.strip('/').split('/')[-1]]]}{after}" if star else path


@fewer(2)
@given(
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS), st.one_of(BODIES, BODIES, spoilt(BODIES))),
        min_size=1,
        max_size=6,
    )
)
async def test_no_form_to_what_is_ones_own_fails_and_a_refused_one_leaves_nothing(
    server: House, visits: list[tuple[tuple[str, str], bytes]]
) -> None:
    browser, ids = await newcomer(server)
    for (method, path), body in visits:
        sent = body.replace(b"=EMAIL", f"={ids['email']}".encode())
        before = server.rows()
        answer = await ask(browser, method, named(path, ids), sent)
        assert answer.status_code < 500, (method, path, sent, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["errors"][0]["code"]
            assert grown(before, server.rows()) == set(), (method, path, sent, answer.text)
    assert (await browser.get("/v1/client")).status_code == 200


async def ask(browser: Browser, method: str, path: str, body: bytes) -> Any:
    if method == "GET":
        return await browser.get(path)
    query = {} if method == "POST" else {"_method": method}
    return await browser.http.post(path, content=body, params=query, headers={"content-type": FORM})
