"""Picture files, decoded upright within bounds of memory, whatever they claim to be."""

import contextlib
import io
import math
import struct
import warnings
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, ImageFile

from tools.ingest.segments import Refusal

# The limits below decide; Pillow would warn on standard error above half of its own.
Image.MAX_IMAGE_PIXELS = 100_000_000
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
pillow_heif.register_heif_opener()

MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "JPEG2000": "image/jp2",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
"""By Pillow's names of formats; it is asked for no others."""
MAX_PIXELS = 50_000_000
"""Decoding takes four bytes for each."""
MAX_JPEG_PIXELS = 200_000_000
"""A JPEG is decoded at a half, a quarter or an eighth; one that is progressive must be held whole."""
MAX_SIDE = 50_000
MAX_PAGES = 1000
MAX_WIDTH = 2000
MAX_SHOWN_PIXELS = 12_000_000

_ORIENTATION = 0x0112
# Exif 2.32, tag Orientation: what turns the picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow and its plugins throw at damaged files.
_BROKEN = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    RuntimeError,
    OverflowError,
    struct.error,
)


class ImageFileReader:
    """One open picture file. Not for use from several threads at a time."""

    def __init__(self, path: Path) -> None:
        """Reads the header only. Raises Refusal: corrupt, too_large."""
        self._path = path
        self._image = self._open()
        try:
            self.media_type = MEDIA_TYPES[self._format]
            self._check_size()
            # Animations show one thing: their first frame. Only the pages of a TIFF are pages.
            self.pages = int(getattr(self._image, "n_frames", 1)) if self._format == "TIFF" else 1
        except _BROKEN as error:
            self.close()
            raise corrupt() from error
        except Refusal:
            self.close()
            raise
        if self.pages > MAX_PAGES:
            self.close()
            raise Refusal("too_large", f"This picture file has more than {MAX_PAGES} pages. Split it.")

    def page(self, number: int, most_pixels: int) -> tuple[Image.Image, bool]:
        """Page `number` (from 0) upright in RGB with at most `most_pixels`, and whether the file ends before it does.

        Raises Refusal: corrupt, too_large.
        """
        try:
            self._go_to(number, most_pixels)
            self._image.load()
            cut_off = False
        except _BROKEN:
            cut_off = True
        if cut_off:
            self._load_what_is_there(number, most_pixels)
        try:
            return self._upright(most_pixels), cut_off
        except _BROKEN as error:
            raise corrupt() from error

    def close(self) -> None:
        self._image.close()

    def _open(self) -> Image.Image:
        try:
            return Image.open(self._path, formats=tuple(MEDIA_TYPES))
        except Image.DecompressionBombError as error:
            raise _too_large() from error
        except _BROKEN as error:
            raise corrupt() from error

    @property
    def _format(self) -> str:
        """Pillow calls a JPEG with further pictures behind it MPO."""
        found = self._image.format or ""
        return "JPEG" if found == "MPO" else found

    def _check_size(self) -> None:
        width, height = self._image.size
        by_parts = self._format == "JPEG" and not self._image.info.get("progressive")
        if max(width, height) > MAX_SIDE or width * height > (MAX_JPEG_PIXELS if by_parts else MAX_PIXELS):
            raise _too_large(width, height)

    def _go_to(self, number: int, most_pixels: int) -> None:
        if number != 0 or self._image.tell() != 0:
            self._seek(number)
        factor = _factor(self._image, most_pixels)
        if factor > 1:
            self._image.draft(None, (self._image.width // factor, self._image.height // factor))

    def _seek(self, number: int) -> None:
        try:
            self._image.seek(number)
        except Image.DecompressionBombError as error:
            raise _too_large() from error
        self._check_size()

    def _load_what_is_there(self, number: int, most_pixels: int) -> None:
        self._image.close()
        self._image = self._open()
        # Pillow offers no other switch; nobody else decodes pictures in this process meanwhile.
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            self._go_to(number, most_pixels)
            self._image.load()
        except _BROKEN as error:
            raise corrupt() from error
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False

    def _upright(self, most_pixels: int) -> Image.Image:
        image = _in_eight_bits(self._image)
        factor = _factor(image, most_pixels)
        if factor > 1:
            image = image.reduce(factor)
        turn = _TURNS.get(_orientation(self._image))
        image = _on_white(image)
        return image.transpose(turn) if turn is not None else image


def render_image(path: Path, number: int, width_px: int) -> bytes:
    """PNG of page `number` (from 1) of a picture file, `width_px` wide (64 to 2000; less for very tall ones), upright.

    Raises IndexError when the file has no such page, Refusal when it cannot be read.
    """
    file = ImageFileReader(path)
    try:
        if not 1 <= number <= file.pages:
            raise IndexError(f"page {number} of {file.pages}")
        image, _ = file.page(number - 1, MAX_SHOWN_PIXELS)
    finally:
        file.close()
    width = max(64, min(width_px, MAX_WIDTH))
    width = min(width, max(1, math.isqrt(MAX_SHOWN_PIXELS * image.width // image.height)))
    height = max(1, round(image.height * width / image.width))
    shown = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    shown.save(out, "PNG", compress_level=4)
    return out.getvalue()


def corrupt() -> Refusal:
    return Refusal("corrupt", "This picture is damaged and cannot be read. Try to open it and save it again.")


def _too_large(width: int = 0, height: int = 0) -> Refusal:
    what = f"This picture has {width} × {height} pixels" if width else "This picture has too many pixels"
    return Refusal("too_large", f"{what}, more than can be read. Save it smaller and upload it again.")


def _factor(image: Image.Image, most_pixels: int) -> int:
    """By which both sides must be divided."""
    return max(1, math.ceil(math.sqrt(image.width * image.height / most_pixels)))


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be made smaller: L, RGB, CMYK or one with transparency."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):
        return _stretched(image)
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in ("L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA")
    return image


def _stretched(image: Image.Image) -> Image.Image:
    """Numbers without a known range (32 bit), from the least as black to the greatest as white."""
    extrema: Any = image.getextrema()
    low, high = extrema
    scale = 255 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda value: value * scale + -low * scale).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    page = Image.new("RGB", image.size, "white")
    seen = image.convert("RGBA")
    page.paste(seen, mask=seen.getchannel("A"))
    return page


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(*_BROKEN):
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1
