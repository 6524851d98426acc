"""Whole requests, byte for byte: each gets one answer that is none of a failure."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st
from tests.web.bare import Answer, Headers, ask
from tests.web.house import EMAIL, FORM, PHONE, Browser, House, later

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
QUERIES = [
    b"_method=PATCH", b"_method=DELETE", b"_is_native=1", b"__clerk_db_jwt=dvb_x",
    b"to=+1&live=off",
    b"redirect_url=http%3A%2F%2Flocalhost%3A3000%2F&format=nonce", b"__clerk_ticket=sit_1.abc",
    b"limit=10&offset=0&order_by=-created_at&status=pending&query=a", b"nonce=a", b"token=a", b"",
    b"__clerk_testing_token=1800000000.abc", b"__clerk_hs_reason=dev-browser-missing",
]  # fmt: skip
HEADS = [
    (b"origin", [b"http://localhost:3000", b"http://localhost:8787"]),
    (b"cookie", [b"__client=TOKEN", b"__client=TOKEN; __client_uat=0", b"__doorcode_inbox=a"]),
    (b"authorization", [b"Bearer abc", b"Basic abc", b"Bearer"]),
    (b"accept-language", [b"de-CH, en;q=0.8", b"*"]),
    (b"x-forwarded-for", [b"203.0.113.7", b"10.0.0.1, [2001:db8::1]:443"]),
    (b"user-agent", [b"Mozilla/5.0 (iPhone) Safari/604.1"]),
    (b"range", [b"bytes=0-9"]),
    (b"content-type", [FORM.encode()] * 3 + [b"multipart/form-data; boundary=edge"]),
]
FORMS = [
    {"phone_number": PHONE, "strategy": "phone_code", "locale": "en"},
    {"identifier": EMAIL, "strategy": "email_code"},
    {"code": "424242", "strategy": "phone_code"},
    {"first_name": "Ada", "username": "ada_l", "unsafe_metadata": '{"a": [1, null]}'},
    {"__clerk_ticket": "inv_1.abc", "ticket": "GB-1.abc"},
]


OPERATIONS = [
    (method, path.replace("*", "sess_01J00000000000000000000000")) for method, path in ROUTES
]
METHODS = st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW"])


def mostly(valid: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Spoilt in one of three: were all, few would come past the first reader."""
    return st.one_of(valid, valid, spoilt(valid))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes, Headers]:
    """A method, a target and the head fields; TOKEN stands for a signed-in person's."""
    ours = st.sampled_from(OPERATIONS)
    shown = st.tuples(st.sampled_from(["GET", "POST"]), st.sampled_from([*PAGES, *OTHERS]))
    method, name = draw(st.one_of(ours, ours, shown, st.tuples(METHODS, ours.map(lambda o: o[1]))))
    path = draw(mostly(st.just(name.encode())))
    query = draw(st.just(b"") | mostly(st.sampled_from(QUERIES)) | BYTES)
    target = b"/" + quote(path.lstrip(b"/"), safe="/@:*._-").encode()
    if query:
        target += b"?" + query.replace(b"#", b"")
    fields = [(b"host", b"localhost")]
    for field, values in HEADS:
        if draw(st.booleans()):
            fields.append((field, draw(mostly(st.sampled_from(values)))))
    return method, target, fields


def sent_by(token: str | None, fields: Headers) -> Headers:
    """The head as a server lets it through: without line breaks and zero bytes."""
    mine = (token or "").encode()
    return [(k, v.replace(b"TOKEN", mine).translate(None, b"\r\n\x00")) for k, v in fields]


PICTURE = b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\nGIF89a\r\n--edge--\r\n'
WHOLE = [*(urlencode(form).encode() for form in FORMS), PICTURE]
BODIES = mostly(st.sampled_from(WHOLE)) | BYTES


def expect_one_sound_answer(answer: Answer) -> None:
    assert 200 <= answer.status < 500, answer
    for name, value in answer.headers:
        assert not set(name + value) & set(b"\r\n\x00"), answer.headers
    if answer.status >= 400 and not answer.header("content-type").startswith("text/html"):
        assert not [byte for byte in answer.body if byte < 32], answer.body


async def token_of_somebody(server: House) -> str:
    """The cookie of somebody who is signed in: whoever was before, unless they went away."""
    browser = _KNOWN.get(server.secret_key)
    if browser is None or (await browser.get("/v1/me")).status_code != 200:
        server.clock.advance(later(60))
        browser = _KNOWN[server.secret_key] = server.browser()
        await browser.sign_up(f"p{server.clock.now}@example.com")
    assert browser.token is not None
    return browser.token


_KNOWN: dict[str, Browser] = {}


def grown(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The tables that hold more than before, but those where a refusal is written down."""
    return {name for name in after if after[name] > before[name]} - {"events", "guesses"}


@fewer(1)
@given(requests(), BODIES)
async def test_any_request_is_answered_and_a_refused_one_leaves_nothing(
    server: House, request: tuple[str, bytes, Headers], body: bytes
) -> None:
    method, target, fields = request
    token = await token_of_somebody(server)
    before = server.rows()
    answer = await ask(server.app, target, sent_by(token, fields), method=method, body=(body,))
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
@given(spoilt(st.just(b"__client=TOKEN")))
async def test_no_spoilt_cookie_is_anybody(server: House, cookie: bytes) -> None:
    token = await token_of_somebody(server)
    fields = sent_by(token, [(b"host", b"localhost"), (b"cookie", cookie)])
    answer = await ask(server.app, b"/v1/me", fields)
    expect_one_sound_answer(answer)
    sent = [pair.strip().partition(b"=") for pair in fields[1][1].split(b";")]
    genuine = token.encode() in [
        value.strip(b'"') for name, _, value in sent if name == b"__client"
    ]
    assert (answer.status == 200) == genuine
