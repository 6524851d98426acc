"""Session tokens, as an app's server checks them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doorcode.domain import limits
from doorcode.domain.session import Session, Status
from doorcode.security import tokens
from doorcode.security.tokens import SigningKey, Tokens, generate_key, key_id

NOW = 1_700_000_000_123
SECONDS = NOW // 1_000
ISSUER = "https://auth.example"
ORIGIN = "https://app.example"
SESSION = Session(
    "sess_1", "client_1", "user_1", Status.ACTIVE, NOW - 90_000, NOW, NOW, NOW + 1, NOW + 1
)
DERS = [generate_key(), generate_key()]
KEYS = [SigningKey.load(f"ins_{number}", der) for number, der in enumerate(DERS)]


@pytest.fixture
def mint() -> Tokens:
    return Tokens(KEYS, ISSUER)


def claims_of(mint: Tokens, token: str) -> dict[str, Any]:
    """What PyJWT makes of it, with the published keys and no look at the clock."""
    keys = jwt.PyJWKSet.from_json(mint.jwks.decode())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return dict(jwt.decode(token, key, algorithms=["RS256"], options={"verify_exp": False}))


def test_a_token_says_who_and_until_when(mint: Tokens) -> None:
    claims = claims_of(mint, mint.mint(SESSION, ORIGIN, NOW))
    assert len(claims.pop("jti")) == 20
    assert claims == {
        "azp": ORIGIN,
        "exp": SECONDS + 60,
        "fva": [1, -1],
        "iat": SECONDS,
        "iss": ISSUER,
        "nbf": SECONDS - 10,
        "sid": "sess_1",
        "sts": "active",
        "sub": "user_1",
        "v": 2,
    }


def test_a_program_gets_a_token_without_an_origin(mint: Tokens) -> None:
    assert "azp" not in claims_of(mint, mint.mint(SESSION, None, NOW))


def test_the_header_is_what_the_sdks_look_for(mint: Tokens) -> None:
    header = jwt.get_unverified_header(mint.mint(SESSION, ORIGIN, NOW))
    assert header == {"alg": "RS256", "cat": "cl_B7d4PD111AAA", "kid": "ins_0", "typ": "JWT"}


def test_an_altered_token_is_refused(mint: Tokens) -> None:
    head, body, signature = mint.mint(SESSION, ORIGIN, NOW).split(".")
    other = mint.mint(replace(SESSION, id="sess_2"), ORIGIN, NOW).split(".")[1]
    assert claims_of(mint, f"{head}.{body}.{signature}")["sid"] == "sess_1"
    with pytest.raises(jwt.InvalidSignatureError):
        claims_of(mint, f"{head}.{other}.{signature}")


def test_the_first_key_signs_and_all_are_published(mint: Tokens) -> None:
    published = msgspec.json.decode(mint.jwks)["keys"]
    assert [key["kid"] for key in published] == ["ins_0", "ins_1"]
    rotated = Tokens(KEYS[::-1], ISSUER)
    assert jwt.get_unverified_header(rotated.mint(SESSION, None, NOW))["kid"] == "ins_1"
    assert claims_of(rotated, mint.mint(SESSION, None, NOW))["sid"] == "sess_1"


def test_a_published_key_is_the_public_half_of_an_rsa_2048_key(mint: Tokens) -> None:
    for key in msgspec.json.decode(mint.jwks)["keys"]:
        assert key.keys() == {"use", "kty", "kid", "alg", "n", "e"}
        assert (key["use"], key["kty"], key["alg"], key["e"]) == ("sig", "RSA", "RS256", "AQAB")
        assert jwt.PyJWK(key).key.key_size == 2048


# ── giving a token out again ──────────────────────────────────────────────────────────
def test_a_token_is_given_again_for_five_seconds(mint: Tokens) -> None:
    at = SECONDS * 1_000
    first = mint.mint(SESSION, ORIGIN, at)
    assert mint.mint(SESSION, ORIGIN, at + 4_999) == first
    assert mint.mint(SESSION, ORIGIN, at + 5_000) != first


@pytest.mark.parametrize(
    ("session", "origin"),
    [
        (replace(SESSION, id="sess_2"), ORIGIN),
        (SESSION, "https://other.example"),
        (SESSION, None),
    ],
)
def test_a_token_is_given_to_nobody_else(
    mint: Tokens, session: Session, origin: str | None
) -> None:
    first = mint.mint(SESSION, ORIGIN, NOW)
    claims = claims_of(mint, mint.mint(session, origin, NOW))
    assert (claims["sid"], claims.get("azp")) == (session.id, origin)
    assert mint.mint(SESSION, ORIGIN, NOW) == first


def test_a_token_from_before_a_change_is_not_given_again(mint: Tokens) -> None:
    first = mint.mint(SESSION, ORIGIN, NOW)
    assert mint.mint(SESSION, ORIGIN, NOW + 1_000, not_before=NOW) == first
    second = mint.mint(SESSION, ORIGIN, NOW + 1_000, not_before=NOW + 1_000)
    assert second != first
    assert claims_of(mint, second)["iat"] * 1_000 >= NOW + 1_000 - 999


def test_a_token_from_the_future_is_not_given_again(mint: Tokens) -> None:
    first = mint.mint(SESSION, ORIGIN, NOW)
    earlier = mint.mint(SESSION, ORIGIN, NOW - 10_000)  # the clock was set back
    assert claims_of(mint, earlier)["exp"] == SECONDS + 50
    assert earlier != first


def test_a_token_can_be_asked_for_anew(mint: Tokens) -> None:
    first = mint.mint(SESSION, ORIGIN, NOW)
    second = mint.mint_anew(SESSION, ORIGIN, NOW)
    assert claims_of(mint, second)["jti"] != claims_of(mint, first)["jti"]
    assert mint.mint(SESSION, ORIGIN, NOW) == second


def test_the_oldest_token_is_forgotten_first(mint: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "TOKENS_KEPT", 2)
    sessions = [replace(SESSION, id=f"sess_{number}") for number in range(3)]
    first = [mint.mint(session, ORIGIN, NOW) for session in sessions]
    assert mint.mint(sessions[2], ORIGIN, NOW) == first[2]
    assert mint.mint(sessions[0], ORIGIN, NOW) != first[0]


# ── keys and handshakes ───────────────────────────────────────────────────────────────
def test_a_handshake_is_signed_and_is_no_session_token(mint: Tokens) -> None:
    token = mint.sign_handshake(["__session=abc; Path=/"])
    assert claims_of(mint, token) == {"handshake": ["__session=abc; Path=/"]}
    assert "cat" not in jwt.get_unverified_header(token)


def test_a_key_id_is_that_of_the_key_and_its_instance() -> None:
    ids = {key_id(instance, der) for instance in ("ins_1", "ins_2") for der in DERS}
    assert len(ids) == 4
    assert key_id("ins_1", DERS[0]) == key_id("ins_1", DERS[0])
    assert all(id_.startswith("ins_") and len(id_) == 31 for id_ in ids)


def test_a_key_of_another_sort_is_refused() -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(TypeError):
        SigningKey.load("ins_1", elliptic)


def test_a_token_lives_as_long_as_was_promised() -> None:
    assert limits.TOKEN_LIVES_FOR_SECONDS == 60 > tokens.REUSE_FOR_SECONDS
