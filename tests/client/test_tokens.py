"""Checking session tokens: what is good passes, everything else has its own code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt as pyjwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorcode.client import (
    AsyncJwksCache,
    Claims,
    JwksCache,
    TokenError,
    TokenRules,
    verify_token,
    verify_token_async,
)

from .token_maker import CLAIMS, HEADER, ISSUER, NOW, TokenMaker, b64

MAKER = TokenMaker()
GOOD = MAKER.token()


def code_of(token: str, jwks: dict[str, Any] | None = None, **rules: Any) -> str:
    """Return the code with which a token is refused."""
    with pytest.raises(TokenError) as caught:
        verify_token(token, jwks or MAKER.jwks, **({"now": NOW} | rules))
    return caught.value.code


def test_good_token_tells_its_claims() -> None:
    claims = verify_token(GOOD, MAKER.jwks, now=NOW)
    assert claims == Claims(
        user_id="user_1",
        session_id="sess_1",
        issuer=ISSUER,
        authorized_party="https://app.example.com",
        status="active",
        expires_at=datetime.fromtimestamp(NOW + 60, UTC),
        issued_at=datetime.fromtimestamp(NOW, UTC),
        raw=CLAIMS,
    )


def test_factor_ages_are_told() -> None:
    claims = verify_token(MAKER.token(fva=[3, -1]), MAKER.jwks, now=NOW)
    assert claims.factor_verification_age == (3, -1)


def test_all_rules_together_pass() -> None:
    parties = ["https://app.example.com"]
    verify_token(GOOD, MAKER.jwks, now=NOW, issuer=ISSUER, authorized_parties=parties)


def test_present_time_is_the_default() -> None:
    with pytest.raises(TokenError):
        verify_token(MAKER.token(exp=1), MAKER.jwks)
    assert verify_token(MAKER.token(exp=9e9, iat=0, nbf=0), MAKER.jwks).user_id == "user_1"


def test_another_library_signs_the_same_way() -> None:
    token = pyjwt.encode(CLAIMS, MAKER.key, "RS256", headers={"kid": "key_1"})
    assert verify_token(token, MAKER.jwks, now=NOW).user_id == "user_1"


@pytest.mark.parametrize(
    ("claim", "value", "skew", "code"),
    [
        ("exp", NOW - 5, 5, "token-expired"),
        ("exp", NOW, 0, "token-expired"),
        ("nbf", NOW + 6, 5, "token-not-active-yet"),
        ("iat", NOW + 6, 5, "token-iat-in-the-future"),
        ("exp", ..., 5, "token-invalid"),
        ("exp", "9999999999", 5, "token-invalid"),
        ("exp", True, 5, "token-invalid"),
        ("exp", None, 5, "token-invalid"),
        ("exp", 1e300, 5, "token-invalid"),
        ("iat", "x", 5, "token-invalid"),
        ("nbf", [], 5, "token-invalid"),
        ("sub", ..., 5, "token-invalid"),
        ("sub", "", 5, "token-invalid"),
        ("sub", 7, 5, "token-invalid"),
        ("sid", 7, 5, "token-invalid"),
        ("fva", 0, 5, "token-invalid"),
        ("fva", [0], 5, "token-invalid"),
        ("fva", [0, True], 5, "token-invalid"),
        ("fva", ["0", -1], 5, "token-invalid"),
    ],
)
def test_bad_claim_has_its_code(claim: str, value: object, skew: float, code: str) -> None:
    assert code_of(MAKER.token(**{claim: value}), clock_skew=skew) == code


def test_number_beyond_every_clock_has_its_code() -> None:
    assert code_of(MAKER.token(exp=10**400)) == "token-invalid"
    assert code_of(MAKER.token(iat=10**400)) == "token-iat-in-the-future"
    assert code_of(MAKER.token(nbf=10**400)) == "token-not-active-yet"


@pytest.mark.parametrize(("claim", "value"), [("exp", NOW - 4), ("nbf", NOW + 5), ("iat", NOW + 5)])
def test_clock_skew_forgives_a_little(claim: str, value: int) -> None:
    verify_token(MAKER.token(**{claim: value}), MAKER.jwks, now=NOW)


@pytest.mark.parametrize("claim", ["iat", "nbf", "sid", "iss", "azp", "sts"])
def test_claim_that_may_be_absent_is_absent(claim: str) -> None:
    assert claim not in verify_token(MAKER.token(**{claim: ...}), MAKER.jwks, now=NOW).raw


def test_person_who_has_a_task_left_is_not_let_in() -> None:
    """They have proved one factor, where two are asked of everybody."""
    token = MAKER.token(sts="pending")
    assert code_of(token) == code_of(token, allow_pending=False) == "token-session-pending"
    assert verify_token(token, MAKER.jwks, now=NOW, allow_pending=True).status == "pending"


def test_expired_token_is_expired_before_it_is_pending() -> None:
    assert code_of(MAKER.token(sts="pending", exp=NOW - 60)) == "token-expired"


@pytest.mark.parametrize("issuer", [..., "https://auth.example.com/", "HTTPS://AUTH.EXAMPLE.COM"])
def test_other_issuer_is_refused(issuer: object) -> None:
    assert code_of(MAKER.token(iss=issuer), issuer=ISSUER) == "token-invalid-issuer"


@pytest.mark.parametrize("party", [..., "https://app.example.com.evil.example", ""])
def test_other_party_is_refused(party: object) -> None:
    token = MAKER.token(azp=party)
    parties = {"https://app.example.com"}
    assert code_of(token, authorized_parties=parties) == "token-invalid-authorized-parties"


def test_none_among_the_parties_admits_a_token_without_one() -> None:
    parties = ["https://app.example.com", None]
    verify_token(MAKER.token(azp=...), MAKER.jwks, now=NOW, authorized_parties=parties)


def test_empty_parties_admit_nobody() -> None:
    assert code_of(GOOD, authorized_parties=[]) == "token-invalid-authorized-parties"


def test_parties_as_one_text_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="collection"):
        verify_token(GOOD, MAKER.jwks, now=NOW, authorized_parties="https://app.example.com")


def test_misspelled_rule_is_a_mistake() -> None:
    rules: Any = {"authorised_parties": []}
    with pytest.raises(TypeError):
        verify_token(GOOD, MAKER.jwks, **rules)


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS384", "PS256", "ES256", "", ..., 1])
def test_other_algorithm_is_refused(alg: object) -> None:
    assert code_of(MAKER.token({"alg": alg})) == "token-invalid-algorithm"


def test_unsigned_token_is_refused() -> None:
    header, claims = (b64(json.dumps(part).encode()) for part in (HEADER, CLAIMS))
    assert code_of(f"{header}.{claims}.") == "token-invalid-signature"


def test_public_key_used_as_a_password_is_refused() -> None:
    # The classic confusion: an HMAC made with the public key, told to be RS256.
    signed = GOOD.rpartition(".")[0]
    fake = hmac.new(MAKER.jwk["n"].encode(), signed.encode(), hashlib.sha256).digest()
    assert code_of(f"{signed}.{b64(fake)}") == "token-invalid-signature"


@pytest.mark.parametrize(
    "header", [{"typ": "at+jwt"}, {"typ": None}, {"crit": ["x"]}, {"crit": []}]
)
def test_other_kind_of_token_is_refused(header: dict[str, Any]) -> None:
    assert code_of(MAKER.token(header)) == "token-invalid"


def test_absent_type_is_a_session_token() -> None:
    verify_token(MAKER.token({"typ": ...}), MAKER.jwks, now=NOW)


@pytest.mark.parametrize("kid", [..., "", None, 1])
def test_token_without_key_id_is_refused(kid: object) -> None:
    assert code_of(MAKER.token({"kid": kid})) == "token-invalid"


def test_unknown_key_id_is_refused() -> None:
    assert code_of(MAKER.token({"kid": "key_2"})) == "jwk-kid-mismatch"
    assert code_of(GOOD, {"keys": []}) == "jwk-kid-mismatch"


def test_key_in_the_header_is_ignored() -> None:
    thief = TokenMaker()
    assert code_of(thief.token({"jwk": thief.jwk})) == "token-invalid-signature"


def test_claims_are_not_read_before_the_signature() -> None:
    header = b64(json.dumps(HEADER).encode())
    assert code_of(f"{header}.{b64(b'not json')}.AAAA") == "token-invalid-signature"
    assert code_of(MAKER.sign(f"{header}.{b64(b'not json')}")) == "token-invalid"


@given(index=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 6))
@settings(max_examples=300, deadline=None)
def test_any_bit_flipped_is_refused(index: int, bit: int) -> None:
    raw = bytearray(GOOD.encode())
    raw[index] ^= 1 << bit
    assert code_of(raw.decode())


@given(index=st.integers(0, 255), bit=st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_any_bit_of_the_signature_flipped_is_refused(index: int, bit: int) -> None:
    signed, _, text = GOOD.rpartition(".")
    signature = bytearray(base64.urlsafe_b64decode(text + "=="))
    signature[index] ^= 1 << bit
    assert code_of(f"{signed}.{b64(bytes(signature))}") == "token-invalid-signature"


@given(claims=st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=9) | st.none()))
@settings(max_examples=100, deadline=None)
def test_every_claim_comes_back_as_it_was(claims: dict[str, Any]) -> None:
    whole = CLAIMS | {f"x_{name}": value for name, value in claims.items()}
    assert verify_token(MAKER.token(**whole), MAKER.jwks, now=NOW).raw == whole


@given(text=st.text(alphabet="eyJ.-_AQ=+/{ 9ä\n", max_size=60))
@settings(max_examples=300, deadline=None)
def test_nonsense_is_refused_without_a_crash(text: str) -> None:
    assert code_of(text) == "token-invalid"


def serve_keys(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=MAKER.jwks)


async def test_keys_are_fetched_by_both_caches() -> None:
    rules = TokenRules(now=NOW, issuer=ISSUER)
    transport = httpx.MockTransport(serve_keys)
    keys = JwksCache("http://h", http_client=httpx.Client(transport=transport))
    assert verify_token(GOOD, keys, **rules).user_id == "user_1"
    async_keys = AsyncJwksCache("http://h", http_client=httpx.AsyncClient(transport=transport))
    assert (await verify_token_async(GOOD, async_keys, **rules)).user_id == "user_1"


async def test_async_check_refuses_too() -> None:
    transport = httpx.MockTransport(serve_keys)
    keys = AsyncJwksCache("http://h", http_client=httpx.AsyncClient(transport=transport))
    with pytest.raises(TokenError):
        await verify_token_async(GOOD[:-4], keys, now=NOW)
