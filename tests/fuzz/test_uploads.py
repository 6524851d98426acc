"""Pictures in forms: whatever is wrong with the form, it is one picture whole, or a refusal."""

from __future__ import annotations

from base64 import b64encode

import httpx
from hypothesis import given
from hypothesis import strategies as st

from doorcode.domain.errors import Refused
from doorcode.web.uploads import read_image_upload

from .spoiling import TEXTS, spoilt, spoilt_text

BOUNDARY = "edge"
KIND = f"multipart/form-data; boundary={BOUNDARY}"
STATUSES = {400, 413, 415, 422}
PICTURES = st.binary(min_size=1, max_size=60)
KINDS = st.sampled_from(
    [
        KIND,
        f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"',
        f"multipart/form-data; boundary*=utf-8''{BOUNDARY}",
        "multipart/form-data; boundary*0=ed; boundary*1=ge",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ]
)
HEADS = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="file"; filename="a.png"',
        b"content-disposition: form-data; name=file; filename*=utf-8''%e4.png",
        b'Content-Disposition: form-data; name="other"',
        b"Content-Type: image/png",
        b'Content-Disposition: form-data; name="fi\\"le"',
        b"X: \xff",
    ]
)


@st.composite
def form(draw: st.DrawFn) -> bytes:
    """A form with up to six parts, which have up to three heads each."""
    lines: list[bytes] = []
    for _ in range(draw(st.integers(0, 6))):
        lines += [b"--edge", *draw(st.lists(HEADS, max_size=3)), b"", draw(PICTURES)]
    return b"\r\n".join([*lines, b"--edge--", b""])


def outcome(kind: str, body: bytes) -> bytes | int:
    try:
        return read_image_upload(kind, body)
    except Refused as refused:
        return refused.refusal.status


@given(KINDS, spoilt(form()))
def test_a_spoilt_form_is_a_picture_or_refused(kind: str, body: bytes) -> None:
    found = outcome(kind, body)
    assert found in STATUSES if isinstance(found, int) else 0 < len(found) <= len(body)


@given(spoilt_text(KINDS) | TEXTS, form())
def test_a_spoilt_content_type_is_read_or_refused(kind: str, body: bytes) -> None:
    found = outcome(kind.encode("utf-8").decode("latin-1"), body)
    assert isinstance(found, bytes) or found in STATUSES


@given(PICTURES, st.text("aAzZ09'()+_,-./:=?", min_size=1, max_size=70))
def test_any_boundary_that_is_allowed_is_understood(picture: bytes, boundary: str) -> None:
    if boundary.encode() in picture:
        return
    files = {"file": ("a.png", picture, "image/png")}
    kind = f'multipart/form-data; boundary="{boundary}"'
    request = httpx.Request("POST", "http://x", files=files, headers={"content-type": kind})
    assert outcome(kind, request.read()) == picture


@given(spoilt(PICTURES.map(lambda picture: b"data:image/png;base64," + b64encode(picture))))
def test_a_spoilt_base64_is_a_picture_or_refused(body: bytes) -> None:
    found = outcome("application/octet-stream", body)
    assert found == 422 if isinstance(found, int) else 0 < len(found) < len(body)
