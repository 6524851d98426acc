"""An upload becomes a new picture of its middle, or `NotAnImage`; nothing else of it is left."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from doorcode.security import images
from doorcode.security.images import NotAnImage, Reason, rewrite

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 30), (30, 30, 220), (250, 250, 250)
FORMATS = ["PNG", "JPEG", "WEBP"]
TAIL = b"<html><script>alert(1)</script></html>"


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    written = BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def plain(width: int = 40, height: int = 30, colour: tuple[int, ...] = RED) -> Image.Image:
    return Image.new("RGBA" if len(colour) == 4 else "RGB", (width, height), colour)


def detailed(width: int = 64, height: int = 48) -> Image.Image:
    """A picture in which no two corners are alike."""
    across = Image.linear_gradient("L").resize((width, height))
    around = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", [across, around, across.rotate(180)])


def quarters(size: int = 80) -> Image.Image:
    """Red and green above, blue and white below."""
    picture, half = plain(size, size), size // 2
    for colour, place in [(GREEN, (half, 0)), (BLUE, (0, half)), (WHITE, (half, half))]:
        picture.paste(colour, (*place, place[0] + half, place[1] + half))
    return picture


def read(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def corners(data: bytes) -> list[str]:
    """The colours of the four corners, as names, row by row."""
    picture = read(data).convert("RGB")
    near, far = picture.width // 8, picture.width * 7 // 8
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}

    def name(place: tuple[int, int]) -> str:
        seen = picture.getpixel(place)
        assert isinstance(seen, tuple)
        return min(names, key=lambda one: sum(abs(a - b) for a, b in zip(seen, names[one])))  # noqa: B905

    return [name(place) for place in [(near, near), (far, near), (near, far), (far, far)]]


def reason(data: bytes) -> Reason:
    with pytest.raises(NotAnImage) as refusal:
        rewrite(data)
    assert str(refusal.value) == refusal.value.reason
    return refusal.value.reason


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return images.PNG_SIGNATURE + body + chunk(b"IEND", b"")


def jpeg_of_size(width: int, height: int) -> bytes:
    data = bytearray(encode(plain(8, 8), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_of_size(kind: bytes, width: int, height: int) -> bytes:
    w, h = width - 1, height - 1
    if kind == b"VP8X":
        body = bytes(4) + w.to_bytes(3, "little") + h.to_bytes(3, "little")
    elif kind == b"VP8L":
        body = b"\x2f" + (w | h << 14).to_bytes(4, "little") + bytes(21)
    else:
        body = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(20)
    parts = b"WEBP" + kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


VALID = {kind: encode(detailed(), kind) for kind in FORMATS}
VALID["progressive"] = encode(detailed(), "JPEG", progressive=True)
VALID["lossless"] = encode(detailed(), "WEBP", lossless=True)


# ── what is accepted ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", VALID)
def test_a_picture_is_written_anew_as_a_square_webp(kind: str) -> None:
    written = read(rewrite(VALID[kind]))
    assert (written.format, written.size, written.mode) == ("WEBP", (48, 48), "RGB")
    assert Image.MIME["WEBP"] == images.CONTENT_TYPE


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("width", "height"), [(2000, 900), (900, 2000), (513, 512)])
def test_a_large_picture_is_scaled_down(kind: str, width: int, height: int) -> None:
    assert read(rewrite(encode(plain(width, height), kind))).size == (512, 512)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 3000), (3000, 1), (511, 600)])
def test_a_small_picture_is_not_scaled_up(width: int, height: int) -> None:
    side = min(width, height)
    assert read(rewrite(encode(plain(width, height), "PNG"))).size == (side, side)


def test_the_middle_is_kept() -> None:
    wide = plain(300, 100, BLUE)
    wide.paste(quarters(100), (100, 0))
    assert corners(rewrite(encode(wide, "PNG"))) == ["red", "green", "blue", "white"]


def test_what_is_see_through_stays_so() -> None:
    written = read(rewrite(encode(plain(64, 64, (*RED, 0)), "PNG")))
    assert written.mode == "RGBA"
    assert written.getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    level = 40_000 if mode == "I;16" else 1 if mode == "1" else 156
    picture = quarters(64).convert("P") if mode == "P" else Image.new(mode, (64, 64), level)
    written = read(rewrite(encode(picture, "PNG"))).convert("L")
    assert written.size == (64, 64)
    if mode in ("L", "I;16"):
        # Sixteen bits of grey are brought down to eight, not clipped to white.
        assert written.getpixel((32, 32)) == pytest.approx(156, abs=2)


def test_a_see_through_colour_of_a_palette_is_see_through() -> None:
    picture = quarters(64).convert("P")
    written = read(rewrite(encode(picture, "PNG", transparency=picture.getpixel((0, 0)))))
    alpha = written.getchannel("A")
    assert (alpha.getpixel((8, 8)), alpha.getpixel((56, 56))) == (0, 255)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_every_kind_of_jpeg_is_read(mode: str) -> None:
    written = read(rewrite(encode(quarters(64).convert(mode), "JPEG")))
    assert (written.size, written.mode) == ((64, 64), "RGB")


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_first_picture_of_an_animation_is_kept(kind: str) -> None:
    film = encode(
        plain(), kind, save_all=True, append_images=[plain(colour=BLUE)], default_image=False
    )
    written = rewrite(film)
    assert corners(written) == ["red"] * 4
    assert not getattr(read(written), "is_animated", False)


def test_the_first_picture_of_a_stereo_photograph_is_kept() -> None:
    pair = encode(plain(), "MPO", save_all=True, append_images=[plain(colour=BLUE)])
    assert corners(rewrite(pair)) == ["red"] * 4


# ── what is left behind ───────────────────────────────────────────────────────────────
TURNED = {
    1: ["red", "green", "blue", "white"],
    2: ["green", "red", "white", "blue"],
    3: ["white", "blue", "green", "red"],
    4: ["blue", "white", "red", "green"],
    5: ["red", "blue", "green", "white"],
    6: ["blue", "red", "white", "green"],
    7: ["white", "green", "blue", "red"],
    8: ["green", "white", "red", "blue"],
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", TURNED)
def test_the_orientation_is_applied(kind: str, orientation: int) -> None:
    notes = Image.Exif()
    notes[images.ORIENTATION] = orientation
    written = rewrite(encode(quarters(), kind, exif=notes))
    assert corners(written) == TURNED[orientation]
    assert dict(read(written).getexif()) == {}


def test_a_large_photograph_is_turned_too() -> None:
    # It is decoded at a smaller scale.
    notes = Image.Exif()
    notes[images.ORIENTATION] = 6
    written = rewrite(encode(quarters(3000), "JPEG", exif=notes))
    assert (corners(written), read(written).size) == (TURNED[6], (512, 512))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_is_passed_over(orientation: int) -> None:
    notes = Image.Exif()
    notes[images.ORIENTATION] = orientation
    written = rewrite(encode(quarters(), "JPEG", exif=notes))
    assert corners(written) == TURNED[1]


WORD = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x03\0\0\0up\0\0\0\0\0\0"  # orientation: "up"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "notes", [b"Exif\0\0", b"Exif\0\0rubbish", b"Exif\0\0II*\0\xff\xff\xff\xff", WORD]
)
def test_broken_notes_do_not_spoil_a_picture(notes: bytes) -> None:
    assert corners(rewrite(encode(quarters(), "JPEG", exif=notes))) == TURNED[1]


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_but_pixels_is_written(kind: str) -> None:
    notes = Image.Exif()
    notes[0x010E] = "SECRET description"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET comment")
    more = {"PNG": {"pnginfo": text}, "JPEG": {"comment": b"SECRET"}, "WEBP": {"xmp": b"SECRET"}}
    data = encode(detailed(), kind, exif=notes, icc_profile=profile, **more[kind])
    assert b"SECRET" in data
    written = rewrite(data)
    assert b"SECRET" not in written
    assert webp_chunks(written) == [b"VP8 "]


def webp_chunks(data: bytes) -> list[bytes]:
    kinds, position = [], 12
    while position < len(data):
        kinds.append(data[position : position + 4])
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + length + length % 2
    return kinds


@pytest.mark.parametrize("kind", VALID)
def test_what_is_hung_on_a_picture_is_lost(kind: str) -> None:
    assert rewrite(VALID[kind] + TAIL) == rewrite(VALID[kind])


def test_a_page_inside_a_picture_is_lost() -> None:
    data = encode(detailed(), "JPEG", comment=TAIL)
    assert TAIL in data
    assert rewrite(data) == rewrite(VALID["JPEG"])


def test_what_was_written_can_be_rewritten() -> None:
    assert read(rewrite(rewrite(VALID["PNG"]))).size == (48, 48)


# ── what is refused ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "JPEG2000", "PDF"])
def test_no_other_format_is_accepted(kind: str) -> None:
    assert reason(encode(plain(), kind)) is Reason.FORMAT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"\xff\xd8",
        b"RIFF\x04\0\0\0WAVE",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<?xml version='1.0'?><svg/>",
        TAIL,
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"GIF89a/*" + VALID["PNG"],
        b" " + VALID["PNG"],
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert reason(data) is Reason.FORMAT


@pytest.mark.parametrize("kind", VALID)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_picture_that_was_cut_short_is_refused(kind: str, part: float) -> None:
    data = VALID[kind]
    assert reason(data[: int(len(data) * part)]) is Reason.DAMAGED


def test_a_png_that_was_altered_is_refused() -> None:
    data = bytearray(VALID["PNG"])
    data[data.index(b"IDAT") + 20] ^= 1
    assert reason(bytes(data)) is Reason.DAMAGED


def test_two_megabytes_are_read_and_not_one_byte_more() -> None:
    data = VALID["JPEG"]
    full = data + bytes(images.IMAGE_BYTES - len(data))
    assert rewrite(full) == rewrite(data)
    assert reason(full + b"\0") is Reason.TOO_LARGE


BOMBS = {
    "png": png_of_size(50_000, 50_000),
    "png just over": png_of_size(4097, 4096),
    "png of one row": png_of_size(16_384, 1),
    "jpeg": jpeg_of_size(65_000, 65_000),
    "jpeg just over": jpeg_of_size(5001, 5000),
    "webp canvas": webp_of_size(b"VP8X", 1 << 24, 200),
    "webp lossless": webp_of_size(b"VP8L", 16_384, 16_384),
    "webp lossy": webp_of_size(b"VP8 ", 16_383, 16_383),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_by_its_header(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(images, "_square", explode)
    assert reason(BOMBS[bomb]) is Reason.TOO_LARGE


@pytest.mark.parametrize("kind", [b"VP8X", b"VP8L", b"VP8 "])
def test_a_webp_is_measured_before_pillow_sees_it(
    kind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise AssertionError("the decoder was set up")

    monkeypatch.setattr(images.Image, "open", explode)
    assert reason(webp_of_size(kind, 16_000, 16_000)) is Reason.TOO_LARGE


def test_a_second_size_in_a_jpeg_is_seen() -> None:
    small, huge = encode(plain(8, 8), "JPEG"), jpeg_of_size(60_000, 60_000)
    at = small.index(b"\xff\xda")
    frame = huge[huge.index(b"\xff\xc0") : huge.index(b"\xff\xc4")]
    assert reason(small[:at] + frame + small[at:]) is Reason.TOO_LARGE


def test_a_picture_without_a_size_is_refused() -> None:
    assert reason(png_of_size(0, 8)) is Reason.DAMAGED


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    data = encode(plain(), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    assert reason(data[:-2] + last * 50 + data[-2:]) is Reason.DAMAGED


def test_a_jpeg_of_very_many_segments_is_refused() -> None:
    data = VALID["JPEG"]
    assert reason(data[:2] + b"\xff\xe5\0\2" * 10_000 + data[2:]) is Reason.DAMAGED


def test_a_png_of_very_many_pieces_is_refused() -> None:
    data = VALID["PNG"]
    assert reason(data[:-12] + chunk(b"IDAT", b"") * 10_000 + data[-12:]) is Reason.DAMAGED


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt", b"abCd"])
def test_packed_notes_in_a_png_are_not_unpacked(kind: bytes) -> None:
    bomb = chunk(kind, b"a\0\0" + zlib.compress(bytes(1_000_000))) * 100
    data = VALID["PNG"]
    assert rewrite(data[:33] + bomb + data[33:]) == rewrite(data)


@pytest.mark.parametrize("kind", [b"IHDR", b"eXIf"])
def test_a_png_that_says_a_thing_twice_is_refused(kind: bytes) -> None:
    body = VALID["PNG"][16:29] if kind == b"IHDR" else b"II*\0"
    data = VALID["PNG"]
    assert reason(data[:33] + chunk(kind, body) * 2 + data[33:]) is Reason.DAMAGED


# ── whatever comes ────────────────────────────────────────────────────────────────────
def is_picture_or_refused(data: bytes) -> bool:
    """True for a picture, False for `NotAnImage`; any other exception fails the test."""
    try:
        written = rewrite(data)
    except NotAnImage:
        return False
    return webp_chunks(written)[0] in (b"VP8 ", b"VP8X", b"VP8L")


@given(st.binary(max_size=500))
def test_random_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    assert not is_picture_or_refused(data)


@given(
    st.sampled_from([images.PNG_SIGNATURE, b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP"]),
    st.binary(max_size=500),
)
def test_random_bytes_under_a_true_signature_are_refused(head: bytes, data: bytes) -> None:
    assert not is_picture_or_refused(head + data)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(VALID)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
    st.binary(max_size=20),
)
def test_a_mutated_picture_is_a_picture_or_refused(
    kind: str, changes: list[tuple[float, int]], cut: float, inserted: bytes
) -> None:
    data = bytearray(VALID[kind])
    for place, value in changes:
        data[int(place * len(data))] = value
    at = int(cut * len(data))
    data[at:at] = inserted
    outcome = is_picture_or_refused(bytes(data))
    if not changes and not inserted:
        assert outcome
