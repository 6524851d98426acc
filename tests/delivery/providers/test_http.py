"""A gateway by a template: what is filled in where, what nobody can add to it, and receipts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.laboratory.gateway import SECRET, TOKEN, GatewayDouble, signed
from tests.laboratory.server import Laboratory, sent_twice
from tests.laboratory.wire import Call, Reply, Request

from doorcode.delivery.interface import (
    Foreign,
    Letter,
    Never,
    NotSent,
    Receipt,
    State,
    TryAnother,
    TryElsewhere,
    TryLater,
)
from doorcode.delivery.providers.http import Http
from doorcode.delivery.providers.options import BadOptions
from doorcode.delivery.providers.transport import Transport

from .contract import CODE, RECEIPTS_URL, TO, heard, refused
from .contract import lab as lab
from .contract import transport as transport
from .test_twilio import Recorder, letter

NASTY = 'a"b\\c\r\nX-Evil: 1&to=+999#?é\x00🚪'


class Mirror:
    """A gateway that only listens."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.heard: list[Request] = []

    def handle(self, request: Request) -> Reply:
        self.heard.append(request)
        return Reply(204)

    def refuse_credentials(self) -> Reply:
        return Reply(401)

    throttle = refuse_credentials

    def report(self, taken: Any, state: str, code: str = "") -> list[Call]:
        return []


async def heard_of(
    lab: Laboratory, transport: Transport, of: Letter, path: str = "/send", **options: Any
) -> Request:
    mirror = Mirror()
    url = lab.mount("/gateway", mirror) + path
    await Http({"url": url, **options}, transport).send(of)
    return mirror.heard[0]


# ── what is filled in ─────────────────────────────────────────────────────────────────
async def test_json_is_filled_in_at_every_depth(lab: Laboratory, transport: Transport) -> None:
    template = {
        "messages": [{"to": ["{{ to }}"], "text": "{{ body }}", "ttl": 600, "urgent": True}],
        "ref": "{{ channel }}/{{ id }}",
        "code": "{{ code }}",
        "back": "{{ callback_url }}",
    }
    request = await heard_of(lab, transport, letter(), json=template)
    assert request.json == {
        "messages": [
            {"to": [TO], "text": f"Your Acme code is {CODE}.", "ttl": 600, "urgent": True}
        ],
        "ref": "sms/msg_1",
        "code": CODE,
        "back": RECEIPTS_URL,
    }
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")


async def test_a_form_is_filled_in(lab: Laboratory, transport: Transport) -> None:
    request = await heard_of(lab, transport, letter(), form={"to": "{{ to }}", "m": "{{ body }}"})
    assert request.form == {"to": TO, "m": f"Your Acme code is {CODE}."}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_text_is_filled_in(lab: Laboratory, transport: Transport) -> None:
    request = await heard_of(lab, transport, letter(text="é"), text="{{ to }}:{{ body }}")
    assert request.body.decode() == f"{TO}:é"
    assert request.headers["content-type"] == "text/plain; charset=utf-8"


async def test_an_address_is_filled_in(lab: Laboratory, transport: Transport) -> None:
    path = "/{{ channel }}/send?to={{ to }}&text={{ body }}"
    request = await heard_of(lab, transport, letter(), path, method="GET")
    assert request.method == "GET" and request.body == b""
    assert request.path == "/sms/send"
    assert parse_qs(request.target.partition("?")[2]) == {
        "to": [TO],
        "text": [f"Your Acme code is {CODE}."],
    }


async def test_a_filter_in_an_address_sees_the_value_and_not_its_quotes(
    lab: Laboratory, transport: Transport
) -> None:
    path = "/x?a={{ to | replace('+', '') }}&b={{ body | urlencode }}"
    request = await heard_of(lab, transport, letter(text="a b"), path)
    assert request.target == f"/x?a={TO[1:]}&b=a%20b"


async def test_a_body_can_be_quoted_for_a_form_within_it(
    lab: Laboratory, transport: Transport
) -> None:
    request = await heard_of(lab, transport, letter(text="a&b"), text="m={{ body | urlencode }}")
    assert request.body == b"m=a%26b"


async def test_headers_are_filled_in(lab: Laboratory, transport: Transport) -> None:
    headers = {"X-To": "{{ to }}", "Content-Type": "application/x-acme", "Authorization": "B {{7}}"}
    request = await heard_of(lab, transport, letter(), headers=headers, text="{{ body }}")
    assert request.headers["x-to"] == TO
    assert request.headers["content-type"] == "application/x-acme"
    assert request.headers["authorization"] == "B 7"


async def test_a_letter_has_one_key_however_often_it_is_handed_over(
    lab: Laboratory, transport: Transport
) -> None:
    double = GatewayDouble()
    options = {
        "url": lab.mount("/gateway", double) + "/send",
        "headers": {"authorization": f"Bearer {TOKEN}"},
        "json": {"to": "{{ to }}", "text": "{{ body }}"},
    }
    for _ in range(2):
        await Http(options, transport).send(letter())
    assert [one.headers["idempotency-key"] for one in double.requests] == ["msg_1", "msg_1"]
    assert sent_twice(double) == []


async def test_the_key_can_be_written_by_the_template(
    lab: Laboratory, transport: Transport
) -> None:
    headers = {"idempotency-KEY": "k-{{ id }}"}
    request = await heard_of(lab, transport, letter(), headers=headers)
    assert request.headers["idempotency-key"] == "k-msg_1"


# ── what nobody can add ───────────────────────────────────────────────────────────────
async def test_no_value_leaves_its_place_in_json(lab: Laboratory, transport: Transport) -> None:
    request = await heard_of(lab, transport, letter(text=NASTY), json={"text": "{{ body }}"})
    assert request.json == {"text": NASTY}


async def test_no_value_leaves_its_place_in_a_form(lab: Laboratory, transport: Transport) -> None:
    form = {"text": "{{ body }}", "to": "{{ to }}"}
    request = await heard_of(lab, transport, letter(text=NASTY), form=form)
    assert request.form == {"text": NASTY, "to": TO}


async def test_no_value_leaves_its_place_in_an_address(
    lab: Laboratory, transport: Transport
) -> None:
    path = "/send/{{ body }}/x?text={{ body }}&to={{ to }}"
    request = await heard_of(lab, transport, letter(text="../" + NASTY), path)
    assert request.path.startswith("/send/..%2Fa%22b") and request.path.endswith("/x")
    query = parse_qs(request.target.partition("?")[2])
    assert query == {"text": ["../" + NASTY], "to": [TO]}


async def test_no_value_leaves_its_place_in_a_header(lab: Laboratory, transport: Transport) -> None:
    request = await heard_of(lab, transport, letter(text=NASTY), headers={"x-text": "{{ body }}"})
    assert "x-evil" not in request.headers
    assert request.headers["x-text"] == 'a"b\\c X-Evil: 1&to=+999#?%C3%A9 %F0%9F%9A%AA'


async def test_what_a_letter_says_is_no_template(lab: Laboratory, transport: Transport) -> None:
    said = "{{ 7 * 7 }} {% for x in y %} {{ code }}"
    request = await heard_of(lab, transport, letter(text=said), json={"text": "{{ body }}"})
    assert request.json == {"text": said}


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "a b", "", "é"])
def test_some_headers_are_not_the_operators(name: str) -> None:
    with pytest.raises(BadOptions, match="cannot be set"):
        Http({"url": "https://a.example", "headers": {name: "x"}}, Recorder())


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ to.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(to) }}{{ to.__class__ }}",
        "{{ self.__init__ }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ lipsum.__globals__ }}",
        "{{ config }}",
        "{{ range(10) }}",
        "{{ 1 / 0 }}",
        "{{ to + 1 }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ unknown }}",
        "{{ to",
        "{% if %}",
    ],
)
def test_a_template_reaches_nothing_but_the_letter(template: str) -> None:
    with pytest.raises(BadOptions, match="template of json.text cannot be filled in"):
        Http({"url": "https://a.example", "json": {"text": template}}, Recorder())


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"headers": {"authorization": "Bearer hunter2 {{ tok"}}, "headers.authorization"),
        ({"headers": {"authorization": "{{ 'hunter2' + 1 }}"}}, "headers.authorization"),
        ({"form": {"key": "hunter2{% x %}"}}, "form.key"),
        ({"form": {"key": "{{ to hunter2 }}"}}, "form.key"),
        ({"url": "https://a.example/hunter2/{{ }}"}, "url"),
        ({"text": "hunter2 {{ nothing }}"}, "text"),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_not_shown(
    options: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadOptions, match=f"template of {place} ") as raised:
        Http({"url": "https://a.example"} | options, Recorder())
    assert "hunter2" not in str(raised.value)


def test_a_wrong_name_in_a_template_is_named() -> None:
    with pytest.raises(BadOptions, match=r"'phone' is undefined\); it may name to, body"):
        Http({"url": "https://a.example", "json": ["{{ phone }}"]}, Recorder())


async def test_a_letter_that_does_not_fit_the_template_goes_elsewhere() -> None:
    http = Http({"url": "https://a.example", "text": "{{ link[0] }} {{ body }}"}, Recorder())
    refusal = await refused(http, letter())
    assert type(refusal) is TryElsewhere
    assert CODE not in refusal.why


# ── the answer ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("status", "sort"),
    [
        (301, TryAnother),
        (400, Never),
        (401, TryAnother),
        (402, TryAnother),
        (403, TryAnother),
        (404, TryAnother),
        (408, TryLater),
        (410, Never),
        (422, Never),
        (429, TryLater),
        (500, TryLater),
        (503, TryLater),
    ],
)
async def test_each_status_says_whether_to_go_on(
    status: int, sort: type[NotSent], lab: Laboratory, transport: Transport
) -> None:
    double = GatewayDouble()
    double.status = status
    options = {
        "url": lab.mount("/gateway", double) + "/send",
        "headers": {"authorization": f"Bearer {TOKEN}"},
        "text": "{{ body }}",
    }
    refusal = await refused(Http(options, transport), letter())
    assert (type(refusal), refusal.code) == (sort, str(status))
    assert refusal.why == f"the gateway answered {status}"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_each_2xx_is_taken(status: int) -> None:
    taken = await Http({"url": "https://a.example"}, Recorder(status)).send(letter())
    assert (taken.ref, taken.state) == ("", State.ACCEPTED)


# ── receipts ──────────────────────────────────────────────────────────────────────────
def gateway(**options: Any) -> Http:
    given: dict[str, Any] = {"url": "https://a.example", "receipts": {"secret": SECRET}}
    return Http(given | options, Recorder(200))


async def test_a_letter_is_told_of_by_our_own_name_for_it() -> None:
    taken = await gateway().send(letter())
    call = signed(RECEIPTS_URL, {"id": taken.ref, "state": "delivered"})
    assert gateway().receipts(heard(call)) == [Receipt("msg_1", State.DELIVERED)]


@pytest.mark.parametrize(
    "state", ["accepted", "sent", "delivered", "undelivered", "failed", "expired"]
)
def test_each_state_can_be_told(state: str) -> None:
    call = signed(RECEIPTS_URL, {"id": "msg_1", "state": state, "code": 7, "why": "full"})
    assert gateway().receipts(heard(call)) == [Receipt("msg_1", State(state), code="7", why="full")]


@pytest.mark.parametrize(
    "body", [{"id": "msg_1", "state": "queued"}, {"state": "sent"}, {"id": 1.5}, [], "x", None]
)
def test_what_tells_of_no_letter_is_no_receipt(body: Any) -> None:
    assert gateway().receipts(heard(signed(RECEIPTS_URL, body))) == []


def test_a_signature_is_hexadecimal_with_or_without_its_name() -> None:
    call = signed(RECEIPTS_URL, {"id": "msg_1", "state": "sent"})
    bare = call.headers["doorcode-signature"].removeprefix("sha256=").upper()
    assert gateway().receipts(heard(call, headers={"doorcode-signature": bare}))


def test_a_signature_by_another_secret_is_foreign() -> None:
    call = signed(RECEIPTS_URL, {"id": "msg_1", "state": "sent"}, secret="another")
    with pytest.raises(Foreign, match="signature"):
        gateway().receipts(heard(call))


def test_without_a_secret_no_receipt_is_believed() -> None:
    call = signed(RECEIPTS_URL, {"id": "msg_1", "state": "sent"}, secret="")
    with pytest.raises(Foreign, match="set receipts"):
        gateway(receipts=None).receipts(heard(call))
