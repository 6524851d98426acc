"""A picture is taken out of a form or a base64 text, whole, once, and within its size."""

from __future__ import annotations

from base64 import b64encode, encodebytes

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.errors import Refused
from doorcode.security.images import IMAGE_BYTES
from doorcode.web import uploads
from doorcode.web.uploads import UPLOAD_BYTES, read_image_upload

FORM = "multipart/form-data; boundary=edge"
BASE64 = "application/octet-stream"
PICTURE = b"\x89PNG\r\n\x1a\n\0\xff--edge\r\n--edg"
MISSING = (422, "form_param_missing", "file")
TWICE = (422, "form_param_duplicate", "file")
NOT_BASE64 = (422, "form_param_format_invalid", "file")
UNREADABLE = (400, "request_body_invalid", None)
LARGE = (413, "image_too_large", None)
OTHER = (415, "unsupported_content_type", None)


def part(body: bytes, *heads: str) -> bytes:
    lines = heads or ('Content-Disposition: form-data; name="file"; filename="a.png"',)
    return b"--edge\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--edge--\r\n"


def named(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"'


def refused(content_type: str, body: bytes) -> tuple[int, str, str | None]:
    with pytest.raises(Refused) as caught:
        read_image_upload(content_type, body)
    refusal = caught.value.refusal
    return refusal.status, refusal.code, refusal.param


# ── forms ─────────────────────────────────────────────────────────────────────────────
def test_the_file_of_a_form_is_read() -> None:
    assert read_image_upload(FORM, form(part(PICTURE))) == PICTURE


@given(st.binary(min_size=1, max_size=3000))
def test_a_form_that_an_http_client_makes_is_read(picture: bytes) -> None:
    request = httpx.Request("POST", "http://x", files={"file": ("ä.png", picture, "image/png")})
    assert read_image_upload(request.headers["content-type"], request.read()) == picture


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="edge"',
        "Multipart/Form-Data; charset=utf-8; Boundary=edge",
        "multipart/form-data;boundary=edge",
    ],
)
def test_a_content_type_may_be_spelt_in_several_ways(content_type: str) -> None:
    assert read_image_upload(content_type, form(part(PICTURE))) == PICTURE


@pytest.mark.parametrize(
    "head",
    [
        'content-disposition: form-data; name="file"',
        "CONTENT-DISPOSITION: form-data; filename=x; name=file",
        'Content-Disposition: form-data; filename="; name=\\"other\\""; name="file"',
    ],
)
def test_a_head_may_be_spelt_in_several_ways(head: str) -> None:
    assert read_image_upload(FORM, form(part(PICTURE, head))) == PICTURE


def test_the_declared_type_and_name_are_passed_over() -> None:
    heads = (named("file") + '; filename="../../etc/passwd"', "Content-Type: text/html")
    assert read_image_upload(FORM, form(part(PICTURE, *heads))) == PICTURE


def test_other_fields_are_passed_over() -> None:
    body = form(part(b"1", named("a")), part(PICTURE), part(b"2", named("b")))
    assert read_image_upload(FORM, body) == PICTURE


@pytest.mark.parametrize(
    "body",
    [form(), form(part(b"")), form(part(PICTURE, named("other"))), form(part(PICTURE, named("")))],
    ids=["no part", "an empty file", "another field", "no name"],
)
def test_a_form_without_the_file_is_refused(body: bytes) -> None:
    assert refused(FORM, body) == MISSING


def test_two_files_are_refused() -> None:
    assert refused(FORM, form(part(PICTURE), part(b"other"))) == TWICE


@pytest.mark.parametrize(
    "heads",
    [
        ("Content-Type: image/png",),
        (named("file"), named("other")),
        (named("other"), named("file")),
        (*(f"X-{n}: 1" for n in range(50)), named("file")),
        (named("file"), "X: " + "a" * 10_000),
    ],
    ids=["no name", "two names", "two names again", "many", "long"],
)
def test_a_part_with_an_odd_head_is_refused(heads: tuple[str, ...]) -> None:
    assert refused(FORM, form(part(PICTURE, *heads))) == UNREADABLE


def test_a_part_that_is_no_form_data_has_no_name() -> None:
    head = 'Content-Disposition: attachment; name="file"'
    assert refused(FORM, form(part(PICTURE, head))) == MISSING


def test_many_parts_are_refused() -> None:
    few = [part(b"1", named(f"n{n}")) for n in range(uploads.PARTS - 1)]
    assert read_image_upload(FORM, form(*few, part(PICTURE))) == PICTURE
    assert refused(FORM, form(*few, part(b"1", named("more")), part(PICTURE))) == UNREADABLE


def test_a_form_that_was_cut_short_is_refused() -> None:
    whole = form(part(PICTURE))
    complete = len(whole) - len(b"\r\n")
    for length in range(complete):
        assert refused(FORM, whole[:length]) == UNREADABLE, length
    assert read_image_upload(FORM, whole[:complete]) == PICTURE


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/form-data; boundary=ed\x00ge",
        'multipart/form-data; boundary="edge "',
    ],
)
def test_a_form_without_a_proper_boundary_is_refused(content_type: str) -> None:
    assert refused(content_type, form(part(PICTURE))) == UNREADABLE


def outcome(body: bytes) -> int:
    """200 for a form that was read, or else the status of the refusal."""
    try:
        return 200 if read_image_upload(FORM, body) else 500
    except Refused as refused:
        return refused.refusal.status


@given(st.binary(max_size=300))
def test_whatever_a_form_holds_it_is_read_or_refused(inside: bytes) -> None:
    bodies = [inside, form(b"--edge\r\n" + inside), form(part(inside))]
    assert {outcome(body) for body in bodies} <= {200, 400, 422}


# ── texts ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "text",
    [
        b64encode(PICTURE),
        b"data:image/png;base64," + b64encode(PICTURE),
        b"DATA:;BASE64," + b64encode(PICTURE),
        b"data:text/html;charset=utf-8;base64," + b64encode(PICTURE),
    ],
)
def test_a_base64_text_is_read(text: bytes) -> None:
    assert read_image_upload(BASE64, text) == PICTURE


def test_a_base64_text_may_be_broken_into_lines() -> None:
    text = encodebytes(PICTURE * 10)
    assert text.count(b"\n") > 1
    assert read_image_upload(BASE64, text + b"\r\n") == PICTURE * 10


@pytest.mark.parametrize(
    "text",
    [
        PICTURE,
        b"data:image/png," + PICTURE,
        b"!!!!",
        b64encode(PICTURE)[:-3],
        b64encode(PICTURE) + b"!",
        b"data:image/png;base64,data:image/png;base64," + b64encode(PICTURE),
        "data:image/png;base64,ä".encode(),
    ],
)
def test_what_is_no_base64_is_refused(text: bytes) -> None:
    assert refused(BASE64, text) == NOT_BASE64


@pytest.mark.parametrize("text", [b"", b" \r\n", b"data:image/png;base64,"])
def test_an_empty_text_is_no_file(text: bytes) -> None:
    assert refused(BASE64, text) == MISSING


# ── sizes and types ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("content_type", [FORM, BASE64])
def test_two_megabytes_are_read_and_not_one_byte_more(content_type: str) -> None:
    def sent(length: int) -> bytes:
        return form(part(bytes(length))) if content_type == FORM else b64encode(bytes(length))

    assert len(read_image_upload(content_type, sent(IMAGE_BYTES))) == IMAGE_BYTES
    assert refused(content_type, sent(IMAGE_BYTES + 1)) == LARGE
    assert len(sent(IMAGE_BYTES)) < UPLOAD_BYTES


def test_a_body_over_the_limit_is_refused_unread() -> None:
    assert refused("text/plain", bytes(UPLOAD_BYTES + 1)) == LARGE


@pytest.mark.parametrize(
    "content_type",
    ["", "image/png", "application/json", "application/x-www-form-urlencoded", "multipart/mixed"],
)
def test_another_content_type_is_refused(content_type: str) -> None:
    assert refused(content_type, PICTURE) == OTHER


@pytest.mark.parametrize("content_type", ["", "application/x-www-form-urlencoded"])
def test_nothing_at_all_is_no_file(content_type: str) -> None:
    assert refused(content_type, b"") == MISSING


def test_a_form_that_is_none_writes_nothing_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refused(FORM, b"rubbish") == UNREADABLE
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
