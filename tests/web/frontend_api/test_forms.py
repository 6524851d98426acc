"""Bad input: what is malformed is refused by its name, and nothing is half-written."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorcode.domain.addresses import Channel, Kind, Strategy
from doorcode.domain.errors import Refused
from doorcode.domain.instance import Instance
from doorcode.web.frontend_api import forms

from ..house import FORM, PHONE, Browser, House, refusal

SIGN_UPS = "/v1/client/sign_ups"
PLUS = b"%2B14155552671"


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"phone_number=" + PLUS + b"&phone_number=" + PLUS, FORM,
         (422, "form_param_duplicate", "phone_number")),
        (b"phone_number=&phone_number=" + PLUS, FORM,
         (422, "form_param_duplicate", "phone_number")),
        (b"phone%5Fnumber=1&phone_number=" + PLUS, FORM,
         (422, "form_param_duplicate", "phone_number")),
        (b"phone_number=" + b"1" * 2001, FORM,
         (422, "form_param_max_length_exceeded", "phone_number")),
        (b"phone_number=" + b"1" * 321, FORM,
         (422, "form_param_max_length_exceeded", "phone_number")),
        (b"email_address=" + b"a" * 321, FORM,
         (422, "form_param_max_length_exceeded", "email_address")),
        (b"phone_number=" + PLUS + b"%00", FORM,
         (422, "form_param_format_invalid", "phone_number")),
        (b"phone_number=" + PLUS + b"\x00", FORM,
         (422, "form_param_format_invalid", "phone_number")),
        (b"phone_number=%ff", FORM, (422, "form_param_format_invalid", "phone_number")),
        (b"phone_number=\xff", FORM, (422, "form_param_format_invalid", "phone_number")),
        (b"phone_number=%ed%a0%80", FORM, (422, "form_param_format_invalid", "phone_number")),
        (b"%ff=1", FORM, (422, "form_param_format_invalid", "body")),
        (b"a%00b=1", FORM, (422, "form_param_format_invalid", "body")),
        (b"first_name=%00&phone_number=" + PLUS, FORM,
         (422, "form_param_format_invalid", "first_name")),
        (b"unsafe_metadata=" + b"x" * 8193 + b"&phone_number=" + PLUS, FORM,
         (422, "form_param_max_length_exceeded", "unsafe_metadata")),
        (b"unsafe_metadata=nope&phone_number=" + PLUS, FORM,
         (422, "form_param_format_invalid", "unsafe_metadata")),
        (b'unsafe_metadata="a"&phone_number=' + PLUS, FORM,
         (422, "form_param_type_invalid", "unsafe_metadata")),
        (b"unsafe_metadata=null&phone_number=" + PLUS, FORM,
         (422, "form_param_type_invalid", "unsafe_metadata")),
        (b"phone_number=" + PLUS, "application/json", (415, "unsupported_content_type", None)),
        (b"phone_number=" + PLUS, "text/plain", (415, "unsupported_content_type", None)),
        (b"phone_number=" + PLUS, None, (415, "unsupported_content_type", None)),
        (b"phone_number=" + PLUS, "multipart/form-data; boundary=x",
         (415, "unsupported_content_type", None)),
        (b"a=" + b"b" * (64 * 1024), FORM, (413, "request_body_too_large", None)),
        (b"phone_number=%2B1415%", FORM, (422, "form_param_format_invalid", "phone_number")),
        (b"&&&=&", FORM, (422, "form_param_missing", "phone_number")),
    ],
)  # fmt: skip
async def test_a_malformed_create_is_refused_and_leaves_nothing_behind(
    browser: Browser,
    house: House,
    body: bytes,
    kind: str | None,
    expected: tuple[int, str, str | None],
) -> None:
    before = house.rows()
    answer = await browser.post_raw(SIGN_UPS, body, kind)
    assert refusal(answer) == expected
    assert house.rows() == before
    assert browser.token is None


async def test_a_form_of_exactly_64_kib_is_read(browser: Browser) -> None:
    body = b"phone_number=" + PLUS
    body += b"&" * (64 * 1024 - len(body))
    assert (await browser.post_raw(SIGN_UPS, body)).status_code == 200


async def test_a_form_may_name_its_charset(browser: Browser) -> None:
    kind = "Application/X-WWW-Form-Urlencoded; charset=UTF-8"
    assert (await browser.post_raw(SIGN_UPS, b"phone_number=" + PLUS, kind)).status_code == 200


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("depth", [50, 200, 400, 900, 1300, 4000])
async def test_deep_metadata_is_kept_or_refused_and_never_fails(
    browser: Browser, opening: str, depth: int
) -> None:
    closing = "}" if opening.startswith("{") else "]"
    text = '{"deep":' + opening * depth + "1" + closing * depth + "}"
    form = {"phone_number": PHONE, "unsafe_metadata": text}
    answer = await browser.post(SIGN_UPS, form)
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert refusal(answer)[2] == "unsafe_metadata"
    assert (await browser.get("/v1/client")).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        '{"a": 123456789012345678901234567890123456789012345678901234567890}',
        '{"a": 1e308}',
        '{"a": 1e999}',
        '{"a": NaN}',
        '{"a": -0.0}',
        '{"a": 1, "a": 2}',
        '{"": null}',
        '\ufeff{"a": 1}',
        '{"a": "' + "é" * 4000 + '"}',
    ],
)
async def test_strange_metadata_is_kept_or_refused_and_never_fails(
    browser: Browser, text: str
) -> None:
    answer = await browser.post(SIGN_UPS, {"phone_number": PHONE, "unsafe_metadata": text})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        kept = (await browser.client())["sign_up"]["unsafe_metadata"]
        assert kept == answer.json()["response"]["unsafe_metadata"]


async def test_an_update_that_fails_changes_nothing(browser: Browser, house: House) -> None:
    sign_up = await browser.start_sign_up(phone_number=PHONE, first_name="Ada")
    before = (await browser.client(), house.rows())
    form = {"first_name": "Eve", "email_address": "nonsense"}
    answer = await browser.override("PATCH", f"{SIGN_UPS}/{sign_up}", form)
    assert refusal(answer) == (422, "form_param_format_invalid", "email_address")
    assert (await browser.client(), house.rows()) == before


# ── anything at all ───────────────────────────────────────────────────────────────────
_NAMES = st.sampled_from(
    [
        "phone_number", "email_address", "identifier", "strategy", "code", "channel", "locale",
        "first_name", "unsafe_metadata", "phone_number_id", "email_address_id", "transfer", "",
    ]
)  # fmt: skip
_PLAUSIBLE = st.sampled_from(
    [PHONE, "+14155550123", "ada@example.com", "phone_code", "email_code", "424242", "sms", "{}"]
)
_VALUES = st.one_of(
    _PLAUSIBLE,
    st.text(max_size=40),
    st.text(st.characters(exclude_categories=[]), max_size=20).map(
        lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1")
    ),
    st.sampled_from(["+1" + "0" * 400, "a" * 400 + "@b.c", "@", "+", "a@[127.0.0.1]", "ａ@ｂ.ｃ"]),
)
_FORMS = st.dictionaries(_NAMES, _VALUES, max_size=5)
_STEPS = st.sampled_from(
    [
        SIGN_UPS,
        "/v1/client/sign_ins",
        SIGN_UPS + "/{up}/prepare_verification",
        SIGN_UPS + "/{up}/attempt_verification",
        "/v1/client/sign_ins/{in}/prepare_first_factor",
        "/v1/client/sign_ins/{in}/attempt_first_factor",
    ]
)
_REPEATED = settings(
    max_examples=settings.default.max_examples * 6 // 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _is_answer(status: int) -> bool:
    return status == 200 or 400 <= status < 500


@_REPEATED
@given(visits=st.lists(st.tuples(_STEPS, _FORMS), min_size=1, max_size=4))
async def test_no_form_makes_the_server_fail(
    house: House, visits: list[tuple[str, dict[str, str]]]
) -> None:
    browser = house.browser()
    for step, form in visits:
        client = await browser.client() or {}
        up = (client.get("sign_up") or {}).get("id", "none")
        in_ = (client.get("sign_in") or {}).get("id", "none")
        answer = await browser.post(step.replace("{up}", up).replace("{in}", in_), form)
        assert _is_answer(answer.status_code), (step, form, answer.text)
        if answer.status_code != 200:
            refusal(answer)


@_REPEATED
@given(body=st.binary(max_size=200), kind=st.sampled_from([FORM, FORM, "text/plain", "\x00", ""]))
async def test_no_bytes_make_the_server_fail(house: House, body: bytes, kind: str) -> None:
    answer = await house.browser().post_raw(SIGN_UPS, body, kind)
    assert _is_answer(answer.status_code), answer.text


# ── the readers themselves ────────────────────────────────────────────────────────────
def test_an_identifier_may_be_left_out_but_not_left_blank() -> None:
    assert forms.identifier({}, b"") is None
    with pytest.raises(Refused) as refused:
        forms.identifier({}, b"identifier=")
    assert refused.value.refusal.param == "identifier"


def test_addresses_are_taken_by_kind() -> None:
    form = {"phone_number": "1", "email_address": "2", "code": "3"}
    assert forms.addresses(form) == {Kind.PHONE: "1", Kind.EMAIL: "2"}


def test_a_profile_holds_what_was_given_and_nothing_else() -> None:
    form = {"last_name": "L", "legal_accepted_at": "1", "public_metadata": "{}", "id": "user_1"}
    assert forms.profile(form) == {"last_name": "L"}
    form = {"username": "ada", "locale": "en", "unsafe_metadata": '{"a":1}'}
    assert forms.profile(form) == {**form, "unsafe_metadata": {"a": 1}}


@pytest.mark.parametrize("path", ["/v1/client/sign_ups", "/v1/client/sign_ins"])
async def test_a_password_is_refused_rather_than_dropped(house: House, path: str) -> None:
    form = {"phone_number": PHONE, "identifier": PHONE, "password": "secret"}
    answer = await house.browser().post(path, form)
    assert refusal(answer) == (422, "form_param_unknown", "password")


def test_an_address_may_be_of_either_sort() -> None:
    either = "email_address_or_phone_number"
    assert forms.addresses({either: "a@b.example"}) == {Kind.EMAIL: "a@b.example"}
    assert forms.addresses({either: "+1"}) == {Kind.PHONE: "+1"}
    with pytest.raises(Refused) as refused:
        forms.addresses({either: "+1", "phone_number": "+2"})
    assert refused.value.refusal.code == "form_conditional_param_disallowed"


@pytest.mark.parametrize("text", ["yes", "1", "True", "on"])
def test_a_switch_is_true_or_false(text: str) -> None:
    given = [forms.switch(form, "transfer") for form in ({}, {"transfer": "true"})]
    assert given == [None, True]
    with pytest.raises(Refused) as refused:
        forms.switch({"transfer": text}, "transfer")
    assert refused.value.refusal.param == "transfer"


def test_the_strategy_of_a_ticket_needs_one() -> None:
    assert forms.ticket({"strategy": "ticket", "ticket": "t"}) == "t"
    assert forms.strategy({"strategy": "ticket", "ticket": "t"}) is None
    with pytest.raises(Refused) as refused:
        forms.ticket({"strategy": "ticket"})
    assert refused.value.refusal.param == "ticket"


@pytest.mark.parametrize("tag", ["en", "en-US", "zh-Hant-TW", "sr-Latn-RS", "es-419"])
def test_a_language_tag_is_taken(tag: str) -> None:
    assert forms.locale({"locale": tag}) == tag


@pytest.mark.parametrize("tag", ["e", "en_US", "en-", "-en", "en-\n", "١٢", "en-" + "a" * 9])
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(Refused) as refused:
        forms.locale({"locale": tag})
    assert refused.value.refusal.param == "locale"


def test_a_strategy_is_read_with_its_channel() -> None:
    form = {"strategy": "phone_code", "channel": "sms"}
    assert forms.strategy(form) is Strategy.PHONE_CODE
    assert forms.strategy({}) is None
    assert forms.channel(form, Instance("ins_1")) is Channel.SMS
    assert forms.channel({"strategy": "phone_code"}, Instance("ins_1")) is None


def test_a_channel_that_is_off_is_refused() -> None:
    form = {"strategy": "phone_code", "channel": "whatsapp"}
    both = Instance("ins_1", channels=(Channel.SMS, Channel.WHATSAPP))
    assert forms.channel(form, both) is Channel.WHATSAPP
    for text in ("whatsapp", "email", "carrier-pigeon"):
        with pytest.raises(Refused) as refused:
            forms.channel({**form, "channel": text}, Instance("ins_1"))
        assert refused.value.refusal.param == "channel"


def test_a_typed_code_loses_its_spaces_and_hyphens() -> None:
    assert forms.code({"code": "12 34-56"}) == "123456"
