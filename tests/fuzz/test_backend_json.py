"""JSON bodies and lists of the Backend API: taken, or refused by the name of a field."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from tests.web.bare import Answer, ask
from tests.web.house import House

from .spoiling import BYTES, NASTY_TEXTS, TEXTS, fewer, spoilt

ID = "inv_01J00000000000000000000000"
PATHS = [
    "/v1/invitations", "/v1/invitations/bulk", f"/v1/invitations/{ID}/revoke", "/v1/sign_in_tokens",
    "/v1/waitlist_entries", "/v1/waitlist_entries/bulk", "/v1/testing_tokens",
    f"/v1/waitlist_entries/{ID}/invite",
]  # fmt: skip
NAMES = [
    "email_address", "public_metadata", "redirect_url", "notify", "ignore_existing", "user_id",
    "expires_in_days", "expires_in_seconds", "template_slug", "org_id",
]  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | TEXTS
    | st.sampled_from([2**53, 2**63 - 1, 2**63, -(2**63), 10**300, 1e308, -0.0])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MAILS = st.integers(0, 10**9).map("p{}@example.com".format) | TEXTS
OBJECTS = st.fixed_dictionaries(
    {"email_address": MAILS},
    optional=dict.fromkeys(NAMES[1:], JSON),
) | st.dictionaries(st.sampled_from(NAMES) | TEXTS, JSON, max_size=4)
# Half of a character can be written in JSON, though no text holds it.
HALVES = [rb'{"email_address":"\ud800@example.com"}', rb'{"public_metadata":{"\udc00":"\ud83d"}}']
BODIES = (
    spoilt((OBJECTS | st.lists(OBJECTS, max_size=3)).map(json.dumps).map(str.encode))
    | JSON.map(json.dumps).map(str.encode)
    | st.sampled_from(HALVES)
    | BYTES
)


async def send(server: House, method: str, target: str, body: bytes = b"") -> Answer:
    head = [
        (b"host", b"localhost"),
        (b"authorization", f"Bearer {server.secret_key}".encode()),
        (b"content-type", b"application/json"),
    ]
    return await ask(server.app, target.encode(), head, method=method, body=(body[:9], body[9:]))


@fewer(1)
@given(st.sampled_from(PATHS), BODIES)
async def test_a_body_is_taken_or_refused_and_leaves_nothing(
    server: House, path: str, body: bytes
) -> None:
    before = server.rows()
    answer = await send(server, "POST", path, body)
    assert answer.status == 200 or 400 <= answer.status < 500, answer
    told: Any = json.loads(answer.body)
    assert not [byte for byte in answer.body if byte < 32]
    if answer.status >= 400:
        assert [*told["errors"][0]["code"]]
        after = server.rows()
        assert {name for name in after if after[name] != before[name]} <= {"events"}
    listed = await send(server, "GET", "/v1/invitations?limit=500")
    assert listed.status == 200, "what was taken cannot be shown again"


QUERY = st.dictionaries(
    st.sampled_from(["status", "query", "order_by", "limit", "offset", "paginated"]),
    st.sampled_from(["pending", "-created_at", "+email_address", "10", "0", "true", *NASTY_TEXTS]),
)


@fewer(2)
@given(
    st.sampled_from(["/v1/invitations", "/v1/waitlist_entries"]),
    QUERY | BYTES.map(lambda b: {b: b}),
)
async def test_a_list_is_shown_or_its_query_refused(server: House, path: str, query: Any) -> None:
    answer = await send(server, "GET", f"{path}?{urlencode(query)}")
    assert answer.status == 200 or 400 <= answer.status < 500, answer
    json.loads(answer.body)


@fewer(4)
@given(spoilt(st.just(b"SCHEME SECRET")), st.sampled_from([b"Bearer", b"bearer", b"Basic"]))
async def test_no_spoilt_secret_opens_anything(server: House, field: bytes, scheme: bytes) -> None:
    secret = server.secret_key.encode()
    sent = field.replace(b"SCHEME", scheme).replace(b"SECRET", secret).translate(None, b"\r\n\x00")
    head = [(b"host", b"localhost"), (b"authorization", sent)]
    answer = await ask(server.app, b"/v1/invitations", head)
    word, _, rest = sent.decode("latin-1").partition(" ")
    genuine = word.lower() == "bearer" and rest.strip() == server.secret_key
    assert answer.status == (200 if genuine else 401)
