"""What could let a reader in never gets through, whatever stands around it."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorcode.domain.addresses import Address, Channel, Kind, mask
from doorcode.domain.limits import CODE_DIGITS
from doorcode.security import api_keys, master_key
from doorcode.security.codes import BACKUP_ALPHABET, BACKUP_CHARACTERS
from doorcode.security.random_ids import new_id, new_token
from doorcode.security.redaction import MASK, redact, redact_event
from doorcode.security.tickets import Tickets
from doorcode.security.tokens import SigningKey, Tokens, generate_key, key_id

NOW = 1_700_000_000_000
TICKETS = Tickets(master_key.parse(master_key.generate()), "ins_1")
TOKENS = Tokens([SigningKey.load("ins_1", generate_key())], "https://auth.example.com")

around = st.text(max_size=30)
digits = st.text("0123456789", min_size=CODE_DIGITS, max_size=CODE_DIGITS)
phones = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
emails = st.emails().filter(lambda text: "/@" not in text)  # which is taken for a path
urlsafe = st.binary(min_size=32, max_size=32).map(
    lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
)
tickets = st.integers(0, 2**40).map(lambda at: TICKETS.text(new_id("sit", at)))
jwts = urlsafe.map(lambda text: TOKENS.sign_handshake([text]))
secret_keys = st.binary(min_size=32, max_size=32).map(lambda raw: "sk_live_" + raw.hex())
master_keys = st.binary(min_size=32, max_size=32).map(lambda raw: base64.b64encode(raw).decode())
glued = st.one_of(digits, phones, jwts, secret_keys, master_keys)


@given(around, glued, around)
@example("code", "123456", "x")
@example("\\n", "000000", "")
def test_what_cannot_be_anything_else_is_found_in_any_surroundings(
    before: str, secret: str, after: str
) -> None:
    left = redact(before + secret + after)
    assert secret not in left or secret in before + after


# Ends where another character begins: inside of a longer word it would be another token.
gaps = st.sampled_from(["", " ", "\n", '"', "=", "(", "/", "\t", "'"])


@given(around, gaps, st.one_of(urlsafe, tickets, emails), gaps, around)
def test_tokens_and_addresses_are_found_between_other_words(
    before: str, left: str, secret: str, right: str, after: str
) -> None:
    assert secret not in redact(f"{before} {left}{secret}{right} {after}")


@given(around, gaps, st.text(BACKUP_ALPHABET, min_size=10, max_size=10), gaps, around)
def test_backup_codes_are_found_between_other_words(
    before: str, left: str, code: str, right: str, after: str
) -> None:
    assert len(code) == BACKUP_CHARACTERS
    assert code not in redact(f"{before} {left}{code}{right} {after}").replace(before, "")
    assert code not in redact(repr({"codes": [f"{left}{code}{right}"]}))


@given(st.one_of(glued, urlsafe, tickets, emails))
def test_no_value_of_an_event_lets_it_through(secret: str) -> None:
    values: list[Any] = [
        secret,
        f"code {secret}",
        secret.encode(),
        {"code": secret},
        [(secret,)],
        ValueError(f"bad: {secret}"),
        SimpleNamespace(code=secret),
        {secret: 1},
    ]
    for value in values:
        event = redact_event(None, "info", {"event": "sent", "value": value})
        assert secret not in repr(event)
        assert event["event"] == "sent"


@given(st.integers(10**5, 10**15))
def test_a_number_is_masked_as_its_digits_are(number: int) -> None:
    assert redact_event(None, "info", {"code": number}) == {"code": MASK}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("your code is 123 456.", f"your code is {MASK}."),
        ("call +1 (415) 555-2671", f"call {MASK}"),
        ("call (415) 555.2671 now", f"call {MASK} now"),
        ("code: 123456", f"code: {MASK}"),  # full width
        ("to Ada.L+x@example.com, late", f"to {MASK}, late"),
        ("/v1/users?email=a%40b.example&x=1", f"/v1/users?{MASK}&{MASK}"),
        ("/sign-up?__clerk_ticket=short#top", f"/sign-up?{MASK}"),
        ("smtp://ann:pass@mail.example:587", f"smtp://ann:{MASK}"),
        ("key 0123456789abcdefghjk is", f"key {MASK}abcdefghjk is"),
        ("backup 0a1b2c3d4e used", f"backup {MASK} used"),
        ("call +1.415.555.267 or 415.555.2671", f"call {MASK} or {MASK}"),
        ("203.0.113.256, 203.0.113.7.8", f"{MASK}, {MASK}"),  # no client address
    ],
)
def test_what_is_left_of_a_text(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "message_delivered",
        "settings changed",
        "storage is unavailable",
        "the mail server refused the recipient: 550 5.1.1",
        "database is locked (5)",
        'File "/srv/.venv/lib/python3.11/site-packages/doorcode/web/app.py", line 93, in _failed',
        "delete_expired_verifications_of_attempt",
        "/npm/@clerk/ui/dist/ui.browser.js",
        "/v1/client/sign_ups/*/attempt_verification",
        f"/v1/client/sign_ins/{new_id('sia', NOW)}/attempt_first_factor",
        f"message {new_id('msg', NOW)}.",
        key_id("ins_1", generate_key()),
        mask(Address(Kind.EMAIL, "ada@example.com", "ada@example.com")),
        mask(Address(Kind.PHONE, "+14155552671", "+14155552671")),
        str(Channel.WHATSAPP),
        "network='203.0.113.7'",
        "2001:db8:0:7::/64",
    ],
)
def test_what_an_operator_looks_for_stays(text: str) -> None:
    assert redact(text) == text
    assert redact_event(None, "info", {"event": text}) == {"event": text}


def test_small_numbers_and_the_like_stay_what_they_are() -> None:
    event = {"event": "sent", "attempt": 3, "late": True, "why": None, "ids": ("a", "b")}
    assert redact_event(None, "info", dict(event)) == event


def test_what_is_made_by_the_server_itself_is_found() -> None:
    for secret in (new_token(), api_keys.secret_key(), master_key.generate()):
        assert secret[8:] not in redact(f"got {secret} there")
