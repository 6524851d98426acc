"""Whatever opens something: no text but the one that was made does, bit for bit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.client.token_maker import CLAIMS, HEADER, NOW, TokenMaker, b64

from doorcode.client import Claims, TokenError, verify_token
from doorcode.domain.send import Pause
from doorcode.security import master_key
from doorcode.security.sealing import CannotOpen, Sealer
from doorcode.security.testing_tokens import TestingTokens
from doorcode.security.tickets import Tickets

from .spoiling import TEXTS, spoilt, spoilt_text

MASTER = master_key.parse(master_key.generate())
TICKETS = Tickets(MASTER, "ins_1")
TESTING = TestingTokens(MASTER, "ins_1")
SEALER = Sealer(MASTER, "ins_1")
TICKET = TICKETS.text("sit_01J00000000000000000000000")
RESUME = TICKETS.resume_text(Pause("GB", 1_800_000_000_000, "why"))
TOKEN, _ = TESTING.make(1_800_000_000_000)
SEAL = SEALER.seal("otp/msg_1", b"123456")
MAKER = TokenMaker()
JWT = MAKER.token()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(spoilt_text(st.sampled_from([TICKET, RESUME, TOKEN])) | TEXTS)
def test_no_other_text_is_a_ticket(text: str) -> None:
    assert (TICKETS.read(text) is not None) == (text == TICKET)
    assert (TICKETS.read_resume(text) is not None) == (text == RESUME)


@given(spoilt_text(st.sampled_from([TICKET, RESUME, TOKEN])) | TEXTS, st.integers(0, 2**62))
def test_no_other_text_is_a_testing_token(text: str, now: int) -> None:
    assert text == TOKEN or not TESTING.is_valid(text, now)


@given(spoilt(st.just(SEAL)) | st.binary(max_size=60))
def test_no_other_bytes_are_a_seal(sealed: bytes) -> None:
    assume(sealed != SEAL)
    with pytest.raises(CannotOpen):
        SEALER.open("otp/msg_1", sealed)


@given(spoilt_text(st.just(JWT)))
def test_no_other_text_is_a_session_token(text: str) -> None:
    assume(text != JWT)
    with pytest.raises(TokenError):
        verify_token(text, MAKER.jwks, now=NOW)


@given(st.dictionaries(st.sampled_from([*CLAIMS, "fva"]), JSON, max_size=4))
def test_whatever_was_signed_is_understood_or_refused(changes: dict[str, Any]) -> None:
    try:
        claims = verify_token(MAKER.token(**changes), MAKER.jwks, now=NOW)
    except TokenError:
        return
    assert isinstance(claims, Claims)
    assert isinstance(claims.user_id, str)
    assert claims.user_id


@given(st.dictionaries(st.sampled_from([*HEADER, "crit", "jwk", "x5u", "b64"]), JSON, max_size=4))
def test_whatever_the_header_says_the_key_stays_the_server_s(header: dict[str, Any]) -> None:
    thief = TokenMaker.__new__(TokenMaker)
    thief.kid, thief.key = MAKER.kid, OTHER.key
    with pytest.raises(TokenError):
        verify_token(thief.token(header), MAKER.jwks, now=NOW)


@given(spoilt(st.sampled_from([json.dumps(CLAIMS).encode(), b'{"sub":"a","sub":"b"}'])))
def test_signed_bytes_that_are_no_claims_are_refused(payload: bytes) -> None:
    token = MAKER.sign(f"{b64(json.dumps(HEADER).encode())}.{b64(payload)}")
    try:
        told = verify_token(token, MAKER.jwks, now=NOW)
    except TokenError:
        return
    assert told.raw == json.loads(payload)


OTHER = TokenMaker()
KEYS = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.just(MAKER.jwk[name]) for name in ("kty", "use", "alg", "kid", "n", "e")
    },
)


@given(st.fixed_dictionaries({}, optional={"keys": JSON | st.lists(KEYS | JSON, max_size=3)}))
def test_whatever_the_key_document_holds_no_stranger_s_token_is_taken(document: Any) -> None:
    stranger = OTHER.token()
    with pytest.raises(TokenError):
        verify_token(stranger, document, now=NOW)
