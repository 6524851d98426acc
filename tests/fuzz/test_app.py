"""Whole requests, byte for byte: each gets one answer that is none of a failure."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st
from tests.web.bare import Answer, ask
from tests.web.house import EMAIL, FORM, PHONE, House

from doorcode.web.frontend_api.routes import ROUTES

from .spoiling import BYTES, TEXTS, fewer, spoilt

PAGES = [
    "/", "/sign-up", "/sign-up/code", "/sign-up/details", "/sign-in", "/sign-in/resend",
    "/sign-in/backup", "/sign-in/restart", "/ticket", "/shield/resume", "/sign-out", "/inbox",
    "/inbox/messages", "/static/page.css",
]  # fmt: skip
OTHERS = [
    "/v1/jwks", "/.well-known/jwks.json", "/v1/health", "/v1/users/user_1", "/v1/handshake_payload",
    "/v1/images/img_1", "/v1/images/avatar_placeholder/A-0.svg", "/npm/@clerk/clerk-js@6/dist/a.js",
    "/v1/invitations", "/v1/waitlist_entries",
]  # fmt: skip
PATHS = [path.replace("*", "sess_01J00000000000000000000000") for _, path in ROUTES]
QUERIES = [
    b"_method=PATCH", b"_method=DELETE", b"_is_native=1", b"__clerk_db_jwt=dvb_x",
    b"to=+1&live=off",
    b"redirect_url=http%3A%2F%2Flocalhost%3A3000%2F&format=nonce", b"__clerk_ticket=sit_1.abc",
    b"limit=10&offset=0&order_by=-created_at&status=pending&query=a", b"nonce=a", b"token=a", b"",
    b"__clerk_testing_token=1800000000.abc", b"__clerk_hs_reason=dev-browser-missing",
]  # fmt: skip
HEADS = [
    (b"origin", [b"http://localhost:3000", b"https://evil.example", b"null"]),
    (b"cookie", [b"__client=abc; __client_uat=0", b"__doorcode_inbox=a"]),
    (b"authorization", [b"Bearer abc", b"Basic abc", b"Bearer"]),
    (b"accept-language", [b"de-CH, en;q=0.8", b"*"]),
    (b"x-forwarded-for", [b"203.0.113.7", b"10.0.0.1, [2001:db8::1]:443"]),
    (b"user-agent", [b"Mozilla/5.0 (iPhone) Safari/604.1"]),
    (b"range", [b"bytes=0-9"]),
    (b"content-type", [FORM.encode(), b"multipart/form-data; boundary=edge", b"application/json"]),
]
FORMS = [
    {"phone_number": PHONE, "strategy": "phone_code", "locale": "en"},
    {"identifier": EMAIL, "strategy": "email_code"},
    {"code": "424242", "strategy": "phone_code"},
    {"first_name": "Ada", "username": "ada_l", "unsafe_metadata": '{"a": [1, null]}'},
    {"__clerk_ticket": "inv_1.abc", "ticket": "GB-1.abc"},
]


@st.composite
def targets(draw: st.DrawFn) -> bytes:
    path = draw(spoilt(st.sampled_from([*PATHS, *PAGES, *OTHERS]).map(str.encode)))
    query = draw(spoilt(st.sampled_from(QUERIES)) | BYTES)
    plain = b"/" + quote(path.lstrip(b"/"), safe="/@:*._-").encode()  # a server refuses other bytes
    return plain + (b"?" + query.replace(b"#", b"") if query else b"")


@st.composite
def heads(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    names = draw(st.lists(st.sampled_from(range(len(HEADS))), max_size=4, unique=True))
    fields = [(HEADS[n][0], draw(spoilt(st.sampled_from(HEADS[n][1])))) for n in names]
    # A server lets neither of these through.
    clean = [(name, value.translate(None, b"\r\n\x00")) for name, value in fields]
    return [(b"host", b"localhost"), *clean]


BODIES = spoilt(st.sampled_from(FORMS).map(lambda form: urlencode(form).encode())) | BYTES
METHODS = st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "POST", "POST", "PATCH", "DELETE"])


def expect_one_sound_answer(answer: Answer) -> None:
    assert 200 <= answer.status < 500, answer
    for name, value in answer.headers:
        assert not set(name + value) & set(b"\r\n\x00"), answer.headers
    if answer.status >= 400 and not answer.header("content-type").startswith("text/html"):
        assert not [byte for byte in answer.body if byte < 32], answer.body


def grown(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The tables that hold more than before, but those where a refusal is written down."""
    return {name for name in after if after[name] > before[name]} - {"events", "guesses"}


@fewer(1)
@given(METHODS, targets(), heads(), BODIES)
async def test_any_request_is_answered_and_a_refused_one_leaves_nothing(
    server: House, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    before = server.rows()
    answer = await ask(server.app, target, headers, method=method, body=(body,))
    expect_one_sound_answer(answer)
    if answer.status >= 400:
        assert grown(before, server.rows()) == set()


PAGE_FORMS = st.dictionaries(
    st.sampled_from(["identifier", "code", "channel", "username", "first_name", "legal_accepted"]),
    st.sampled_from([PHONE, EMAIL, "424242", "ada_l"]) | TEXTS,
    max_size=3,
)


@fewer(2)
@given(st.lists(st.tuples(st.sampled_from(PAGES), PAGE_FORMS), min_size=1, max_size=4))
async def test_no_form_makes_a_page_fail(
    server: House, visits: list[tuple[str, dict[str, str]]]
) -> None:
    client = server.browser(server.plan.url).http
    client.base_url = server.plan.url
    for path, form in visits:
        answer = await client.post(path, data=form, headers={"content-type": FORM})
        assert answer.status_code < 500, answer.text
        shown = answer.text.replace("\n", "").replace("\t", "").replace("\r", "")
        assert not [c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160], (path, form)
        assert "<script>" not in answer.text


@fewer(4)
@given(spoilt(st.just(b"__client=TOKEN")), METHODS)
async def test_no_spoilt_cookie_is_anybody(server: House, cookie: bytes, method: str) -> None:
    browser = server.browser()
    await browser.get("/v1/client")
    if browser.token is None:
        server.clock.advance(60_000)
        await browser.sign_up(f"p{server.clock.now}@example.com")
    token = (browser.token or "").encode()
    field = cookie.replace(b"TOKEN", token).translate(None, b"\r\n\x00")
    head = [(b"host", b"localhost"), (b"origin", b"http://localhost:3000"), (b"cookie", field)]
    answer = await ask(server.app, b"/v1/me", head)
    expect_one_sound_answer(answer)
    sent = [pair.strip().partition(b"=") for pair in field.split(b";")]
    genuine = token in [value.strip(b'"') for name, _, value in sent if name == b"__client"]
    assert (answer.status == 200) == genuine
