"""Pictures as material: every format and mode, upright, within limits, and what is broken."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.ingest.photos import ENGLISH, Pixels, as_file, typed_page, whiteboard
from tools.ingest.image_files import ImageFileReader, render_image
from tools.ingest.images import CUT_OFF, ImageExtractor
from tools.ingest.opening import open_document
from tools.ingest.segments import ContentType, Reading, Refusal, Segment

SMALL = typed_page(ENGLISH[:1], width=340, dpi=100)
HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture lies in a file of that Exif orientation."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "JPEG2000", "HEIF", "AVIF")


def read(path: Path) -> list[Segment]:
    document = ImageExtractor(path, Reading())
    try:
        return list(document.segments())
    finally:
        document.close()


def pixels_of(path: Path, most_pixels: int = 10_000_000) -> Pixels:
    file = ImageFileReader(path)
    try:
        return np.asarray(file.page(0, most_pixels)[0])
    finally:
        file.close()


def refusal(path: Path) -> str:
    with pytest.raises(Refusal) as caught:
        read(path)
    return caught.value.code


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_known_by_content_and_decoded(tmp_path: Path, kind: str) -> None:
    path = kept(tmp_path / "picture", as_file(SMALL, kind))
    document = open_document(path, "notes.txt")
    assert document.info.media_type.startswith("image/")
    assert document.info.segment_count == 1
    document.close()
    assert np.abs(pixels_of(path).astype(int) - SMALL).mean() < 6


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "I", "F", "LAB", "YCbCr"])
def test_each_mode_looks_the_same(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(SMALL)
    if mode in ("I;16", "I", "F"):
        grey = np.asarray(image.convert("L"))
        types = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
        image = Image.fromarray(grey.astype(types[mode]) * 257)
    elif mode == "LAB":
        from PIL import ImageCms  # noqa: PLC0415

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        changed = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert changed is not None
        image = changed
    else:
        image = image.convert(mode)
    path = tmp_path / "picture.tiff"
    image.save(path)
    assert np.abs(pixels_of(path).astype(int) - SMALL).mean() < 8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(SMALL).convert("L")
    clear = Image.new("RGBA", image.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=image.point(lambda value: 255 - value))
    path = tmp_path / "picture.png"
    if mode == "PA":
        clear.quantize(16).save(path)
    else:
        clear.convert(mode).save(path)
    assert np.abs(pixels_of(path).astype(int) - SMALL).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_photos_stand_upright_whichever_way_the_camera_was_held(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    held = Image.fromarray(SMALL)
    if orientation in HELD:
        held = held.transpose(HELD[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo"
    held.save(path, kind, exif=exif)
    seen = pixels_of(path)
    assert seen.shape == SMALL.shape
    assert np.abs(seen.astype(int) - SMALL).mean() < 6


def test_a_turned_heic_photo_is_read_with_boxes_of_the_upright_picture(tmp_path: Path) -> None:
    page = typed_page(("Light reactions", *ENGLISH), width=420)
    held = np.rot90(page)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = kept(tmp_path / "photo.heic", as_file(np.ascontiguousarray(held), "HEIF", exif=exif.tobytes()))
    (segment,) = read(path)
    assert jiwer.cer("Light reactions " + " ".join(ENGLISH), " ".join(segment.text.split())) < 0.02
    assert [segment.text[line.start : line.end] for line in segment.lines][1] == ENGLISH[0]
    for number, line in enumerate(segment.lines):
        assert line.y0 < (number + 1.3) / 7 < line.y1
        assert line.x0 == pytest.approx(30 / 420, abs=0.02)


def test_headings_and_paragraphs_are_told_by_size_and_space(tmp_path: Path) -> None:
    heading = typed_page(("Plants and light",), size=26, width=420)
    page = np.vstack([heading, typed_page(ENGLISH, width=420), typed_page(ENGLISH[:2], width=420)])
    (segment,) = read(kept(tmp_path / "scan.png", as_file(page, "PNG")))
    assert [(block.type, block.level) for block in segment.blocks] == [
        (ContentType.HEADING, 1),
        (ContentType.TEXT, 0),
        (ContentType.TEXT, 0),
    ]


def test_a_slanting_photo_of_a_board_keeps_its_order(tmp_path: Path) -> None:
    (segment,) = read(kept(tmp_path / "board.jpg", as_file(whiteboard(ENGLISH), "JPEG", quality=60)))
    assert jiwer.cer(" ".join(ENGLISH), " ".join(segment.text.split())) < 0.03


def test_each_page_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    pages = [Image.fromarray(typed_page((f"Sheet {number}",), width=200)) for number in (1, 2, 3)]
    path = tmp_path / "fax.tif"
    pages[0].convert("1").save(path, save_all=True, append_images=pages[1:])
    document = ImageExtractor(path, Reading())
    assert document.info.segment_count == 3
    found = list(document.segments(1, skip=[1]))
    document.close()
    assert [(page.number, page.text) for page in found] == [(2, ""), (3, "Sheet 3")]
    assert found[0].notice


def test_an_animation_is_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(typed_page((f"Frame {number}",), width=200)) for number in (1, 2)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert [segment.text for segment in read(path)] == ["Frame 1"]


def test_a_picture_without_words_says_so(tmp_path: Path) -> None:
    sky = np.linspace(90, 200, 300 * 400 * 3).reshape(300, 400, 3).astype(np.uint8)
    path = kept(tmp_path / "sky.jpg", as_file(sky, "JPEG"))
    with pytest.raises(Refusal, match="No text could be found in this picture"):
        read(path)


# --- what must not be decoded, and what cannot be -----------------------------------------------------------------


def png_header(width: int, height: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(bytes(1 << 20), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", rows) + part(b"IEND", b"")


def jpeg_of_size(width: int, height: int) -> bytes:
    data = bytearray(as_file(SMALL, "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        png_header(100_000, 100_000),
        png_header(60_000, 10),
        png_header(8000, 8000),
        jpeg_of_size(65_000, 65_000),
    ],
)
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path, data: bytes) -> None:
    path = kept(tmp_path / "bomb.png", data)
    with pytest.raises(Refusal) as caught:
        ImageFileReader(path)
    assert caught.value.code == "too_large"
    with pytest.raises(Refusal):
        render_image(path, 1, 400)


def test_a_later_page_of_a_tiff_may_not_be_too_large_either(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    first, second = Image.fromarray(SMALL), Image.new("1", (9000, 9000))
    first.save(path, save_all=True, append_images=[second])
    assert refusal(path) == "too_large"


def test_large_photos_are_made_smaller_while_they_are_decoded(tmp_path: Path) -> None:
    path = kept(tmp_path / "large.jpg", as_file(np.full((3000, 4000, 3), 200, np.uint8), "JPEG"))
    assert pixels_of(path, 1_000_000).shape == (750, 1000, 3)
    path = kept(tmp_path / "large.png", as_file(np.full((3000, 4000, 3), 200, np.uint8), "PNG"))
    assert pixels_of(path, 1_000_000).shape == (750, 1000, 3)


def test_a_photo_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    page = np.vstack([typed_page(ENGLISH[:2], width=420), typed_page(ENGLISH[2:], width=420)])
    data = as_file(page, "JPEG")
    (segment,) = read(kept(tmp_path / "cut.jpg", data[: len(data) * 6 // 10]))
    assert ENGLISH[0] in segment.text
    assert ENGLISH[3] not in segment.text
    assert segment.notice == CUT_OFF


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_which_only_the_head_is_there_is_refused(tmp_path: Path, kind: str) -> None:
    data = as_file(SMALL, kind)
    assert refusal(kept(tmp_path / "cut", data[: len(data) // 20])) == "corrupt"


@given(kind=st.sampled_from(FORMATS), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_decoded_or_refused(
    kind: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = np.random.default_rng(seed)
    data = bytearray(as_file(SMALL[:40, :60], kind))
    for _ in range(int(chance.integers(1, 12))):
        data[int(chance.integers(len(data)))] = int(chance.integers(256))
    path = kept(tmp_path_factory.getbasetemp() / f"damaged-{kind}", bytes(data))
    with contextlib.suppress(Refusal):
        assert pixels_of(path).ndim == 3


def test_the_picture_of_a_page_is_upright_and_as_wide_as_asked(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.ascontiguousarray(np.rot90(SMALL))).save(path, exif=exif)
    shown = Image.open(io.BytesIO(render_image(path, 1, 200)))
    assert (shown.format, shown.width) == ("PNG", 200)
    assert shown.height == pytest.approx(200 * SMALL.shape[0] / SMALL.shape[1], abs=1)
    with pytest.raises(IndexError):
        render_image(path, 2, 200)
