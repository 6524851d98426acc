"""The door for app servers: secret keys, accounts, public keys."""

from __future__ import annotations

import pytest

from doorcode import instance_keys

from .conftest import Builder
from .house import EMAIL, INSTANCE, PAGE, PHONE, Browser, House, refusal

WRONG_KEY = (401, "clerk_key_invalid", None)
SEND = {"identifier": PHONE, "strategy": "phone_code"}
GUARDED = ["/v1/jwks", "/v1/users/user_x", "/v1/clients/handshake_payload?nonce=x"]


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk_live_wrong",
        "Basic {secret}",
        "{secret}",
        "Bearer {secret}x",
        "Bearer {all_but_its_last_digit}",
        "Bearer {with_another_last_digit}",
        "Bearer {half_of_it}",
        "Bearer é",
        "Bearer pk_live_x",
    ],
)
async def test_without_the_secret_key_nothing_is_told(
    house: House, path: str, authorization: str | None
) -> None:
    secret = house.secret_key
    text = (authorization or "").format(
        secret=secret,
        all_but_its_last_digit=secret[:-1],
        with_another_last_digit=secret[:-1] + ("0" if secret[-1] != "0" else "1"),
        half_of_it=secret[: len(secret) // 2] + "0" * (len(secret) - len(secret) // 2),
    )
    headers = {} if authorization is None else {b"authorization": text.encode()}
    answer = await house.browser(None).get(path, headers=headers)
    assert refusal(answer) == WRONG_KEY


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_secret_key_opens(house: House, scheme: str) -> None:
    answer = await house.backend("/v1/jwks", authorization=f"{scheme} {house.secret_key}")
    assert answer.status_code == 200


async def test_each_of_several_secret_keys_opens_and_no_mixture_of_them(house: House) -> None:
    async with house.storage.transaction() as tx:
        made = [await instance_keys.add_secret_key(tx, INSTANCE, house.clock.now) for _ in "ab"]
    for secret in (*made, house.secret_key):
        answer = await house.backend("/v1/jwks", authorization=f"Bearer {secret}")
        assert answer.status_code == 200
    mixed = made[0][:40] + made[1][40:]
    answer = await house.backend("/v1/jwks", authorization=f"Bearer {mixed}")
    assert refusal(answer) == WRONG_KEY


async def test_only_a_digest_of_the_secret_key_is_kept(house: House) -> None:
    for file in house.database.parent.iterdir():
        assert house.secret_key.encode() not in file.read_bytes()


async def test_a_page_that_holds_the_secret_key_is_refused(house: House) -> None:
    answer = await house.backend("/v1/jwks", origin=PAGE)
    assert refusal(answer) == (400, "origin_authorization_headers_conflict", None)
    assert "access-control-allow-origin" not in answer.headers


async def test_every_answer_is_json_without_a_charset(house: House, browser: Browser) -> None:
    """With one, the SDK takes the document for text."""
    user = (await browser.sign_up()).json()["response"]["created_user_id"]
    answers = [
        await house.backend("/v1/jwks"),
        await house.backend(f"/v1/users/{user}"),
        await house.backend("/v1/users/nobody"),
        await house.backend("/v1/nothing"),
        await house.browser(None).get("/v1/jwks"),
        await house.browser(None).get("/.well-known/jwks.json"),
    ]
    assert [one.headers["content-type"] for one in answers] == ["application/json"] * 6


async def test_the_public_keys_are_those_that_tokens_need(house: House) -> None:
    document = (await house.backend("/v1/jwks")).json()
    (key,) = document["keys"]
    assert (key["kty"], key["use"], key["alg"], key["e"]) == ("RSA", "sig", "RS256", "AQAB")
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    assert len(key["n"]) == 342  # 2048 bits


async def test_the_public_keys_are_for_anybody(house: House) -> None:
    answer = await house.browser(None).get("/.well-known/jwks.json")
    assert answer.json() == (await house.backend("/v1/jwks")).json()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "max-age" in answer.headers["cache-control"]


async def test_an_account_is_told_to_the_app_s_server(house: House, browser: Browser) -> None:
    shown = (await browser.sign_up(EMAIL, first_name="Ada")).json()
    user = shown["client"]["sessions"][0]["user"]
    answer = await house.backend(f"/v1/users/{user['id']}")
    told = {"private_metadata": {}, "verification_attempts_remaining": 10}
    assert answer.json() == {**user, **told}
    assert answer.headers["cache-control"] == "no-store"


async def test_an_app_s_server_sees_whom_strangers_have_locked(
    house: House, browser: Browser
) -> None:
    user = (await browser.sign_up()).json()["response"]["created_user_id"]
    await guess(house, 4)
    assert await lock(house, user) == (False, None, 6)
    house.clock.advance(59_000)
    await guess(house, 6)
    assert await lock(house, user) == (True, 3_600 - 59, 0)
    stranger = await house.browser().post("/v1/client/sign_ins", SEND)
    assert stranger.json()["errors"][0]["meta"]["lockout_expires_in_seconds"] == 3_600 - 59
    house.clock.advance((3_600 - 59) * 1_000 - 1)
    assert await lock(house, user) == (True, 1, 0)
    house.clock.advance(1)
    assert await lock(house, user) == (False, None, 4)


async def guess(house: House, times: int) -> None:
    """Wrong codes of strangers, as many as a code allows to each of them."""
    for first in range(0, times, 5):
        stranger = house.browser()
        sign_in = await stranger.start_sign_in(PHONE, strategy="phone_code")
        for _ in range(min(5, times - first)):
            assert refusal(await stranger.attempt_sign_in(sign_in, house.wrong()))


async def lock(house: House, user: str) -> tuple[bool, int | None, int]:
    """What the operator is shown."""
    told = (await house.backend(f"/v1/users/{user}")).json()
    assert (await house.backend(f"/v1/users/{user}")).json() == told  # to ask costs no guess
    return (
        told["locked"],
        told["lockout_expires_in_seconds"],
        told["verification_attempts_remaining"],
    )


@pytest.mark.parametrize("user", ["user_nobody", "%00", "%ff", "é", "'", "a" * 3000])
async def test_an_unknown_account_is_not_there(house: House, user: str) -> None:
    answer = await house.backend(f"/v1/users/{user}")
    assert refusal(answer) == (404, "resource_not_found", None)


async def test_a_testing_token_is_made_for_an_hour(house: House) -> None:
    answer = await house.ask("POST", "/v1/testing_tokens")
    document = answer.json()
    assert document == {
        "object": "testing_token",
        "token": document["token"],
        "expires_at": house.clock.now // 1000 + 3600,
    }
    assert house.door.testing_tokens.is_valid(document["token"], house.clock.now)


@pytest.mark.parametrize(("test_mode", "status"), [(True, 200), (False, 400)])
async def test_in_production_there_are_testing_tokens_in_test_mode_only(
    build: Builder, test_mode: bool, status: int
) -> None:
    house = await build(development=False, test_mode=test_mode)
    answer = await house.ask("POST", "/v1/testing_tokens")
    assert answer.status_code == status
    if status == 400:
        assert refusal(answer) == (400, "request_invalid_for_environment", None)
        assert "DOORCODE_TEST_MODE" in answer.json()["errors"][0]["long_message"]


async def test_only_the_apps_server_gets_a_testing_token(house: House) -> None:
    answer = await house.browser(None).post("/v1/testing_tokens")
    assert refusal(answer) == WRONG_KEY


async def test_health_is_told_to_anybody(house: House) -> None:
    answer = await house.browser(None).get("/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_health_is_told_from_storage(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: object) -> bool:
        return False

    monkeypatch.setattr(type(house.storage), "is_ready", away)
    answer = await house.browser(None).get("/v1/health")
    assert refusal(answer) == (503, "service_unavailable", None)


async def test_a_session_opens_no_door_for_app_servers(house: House, browser: Browser) -> None:
    answer = (await browser.sign_up(PHONE)).json()
    session = answer["client"]["sessions"][0]
    jwt = session["last_active_token"]["jwt"]
    asked = await house.backend(f"/v1/users/{session['user']['id']}", authorization=f"Bearer {jwt}")
    assert refusal(asked) == WRONG_KEY
