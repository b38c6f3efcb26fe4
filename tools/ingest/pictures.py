"""Pictures that lie in documents as files of their own: their captions, their words, and bytes that a browser shows."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools.ingest.cleaning import one_line
from tools.ingest.segments import ContentType, FoundFigure, Segment
from tools.ingest.signatures import picture as picture_type

MIN_SIDE = 40
"""Pixels. Smaller pictures are bullets, lines and counters."""
MAX_PIXELS = 50_000_000
MAX_BYTES = 3_000_000
"""Larger ones are made smaller before they are kept."""
KEPT_SIDE = 2000
_AS_THEY_ARE = ("image/png", "image/jpeg")

_PHRASES = (
    "Description automatically generated",
    "AI-generated content may be incorrect.",
    "Automatisch generierte Beschreibung",
)
_GENERATED = re.compile(
    r"\.(?:png|jpe?g|gif|emf|wmf|svg|tiff?|bmp|webp)$|^(?:image|picture|grafik|bild|imagen?)? ?\d*$", re.I
)

LABEL = re.compile(
    r"(?:(?:fig(?:ure|\.)?|abb(?:ildung|\.)?|figura|диаграмма|рис(?:унок|\.)?|diagram|scheme|chart|plate|image|photo|bild)"
    r"\s*(?:[A-Z]?\d+(?:[.\-–]\d+)*[a-z]?|[IVX]+)\b)|(?:图|圖|図|그림)\s*\d+(?:[.\-]\d+)*",
    re.I,
)
"""What a text calls a picture: "Figure 3", "Abb. 2.1"."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a document names it."""

    source: str
    """Where its bytes are: a part of the container, or a data: URL."""
    alt: str = ""
    """Its author's description."""
    caption: str = ""
    """Where the format ties one to it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture where it stands: beside this character of the segment's text."""

    picture: Picture
    position: int


def figures_in(
    parts: Iterable[tuple[Segment, Sequence[Placed]]], bytes_of: Callable[[Picture], bytes | None]
) -> Iterator[FoundFigure]:
    """The figures of a document's segments with their pictures, numbered; what cannot be had is left out."""
    ordinal = 0
    for segment, pictures in parts:
        taken: set[int] = set()
        for placed in pictures:
            data = bytes_of(placed.picture)
            figure = _figure(data, placed, segment, ordinal, taken) if data else None
            if figure:
                yield figure
                ordinal += 1


def _figure(
    data: bytes, placed: Placed, segment: Segment, ordinal: int, taken: set[int]
) -> FoundFigure | None:
    """The figure of a picture; None when it is not worth keeping.

    `taken` notes the blocks of this segment that are captions of earlier pictures.
    """
    shown = _shown(data)
    if shown is None:
        return None
    picture, position = placed.picture, placed.position
    caption = one_line(picture.caption) or _caption_beside(segment, position, taken)
    label = LABEL.match(caption) if caption else None
    return FoundFigure(
        ordinal=ordinal,
        segment=segment.ordinal,
        kind="photo" if shown[1] == "image/jpeg" else "figure",
        image=shown[0],
        media_type=shown[1],
        label=one_line(label.group()) if label else None,
        caption=caption or described(picture.alt),
        position=min(position, len(segment.text)),
    )


def described(alt: str) -> str | None:
    """An author's description; names of files and the standing phrases of programs are none."""
    text = one_line(alt)
    for phrase in _PHRASES:
        text = text.removesuffix(phrase).rstrip()
    return None if _GENERATED.search(text) else text


def _caption_beside(segment: Segment, position: int, taken: set[int]) -> str | None:
    """The caption right below the picture, else the one right above it that belongs to no other."""
    blocks = segment.blocks
    at = next((index for index, block in enumerate(blocks) if block.end > position), len(blocks))
    here = [index for index in (at, at + 1) if index < len(blocks)]
    below = [index for index in here if blocks[index].type is ContentType.CAPTION][:1]
    if not below and at > 0 and at - 1 not in taken and blocks[at - 1].type is ContentType.CAPTION:
        below = [at - 1]
    for index in below:
        text = one_line(segment.text[blocks[index].start : blocks[index].end])
        if not re.match(r"tab(?:le|elle|\.)", text, re.I):
            taken.add(index)
            return text
    return None


def _shown(data: bytes) -> tuple[bytes, str] | None:
    """PNG or JPEG bytes and their media type; None for what is too small, too large or no picture that can be drawn."""
    # Pillow is heavy and only needed where a document has pictures.
    from PIL import Image  # noqa: PLC0415

    kind = picture_type(data)
    if kind is None:
        return None
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if min(width, height) < MIN_SIDE or width * height > MAX_PIXELS:
                return None
            if kind in _AS_THEY_ARE and len(data) <= MAX_BYTES:
                image.verify()
                return data, kind
            return _redrawn(image)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None


def _redrawn(image: Any) -> tuple[bytes, str]:
    photo = image.format == "JPEG"
    image.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
    drawn = image.convert("RGB" if photo or image.mode in ("CMYK", "YCbCr", "LAB") else "RGBA")
    drawn.thumbnail((KEPT_SIDE, KEPT_SIDE))
    out = io.BytesIO()
    drawn.save(out, "JPEG" if photo else "PNG")
    return out.getvalue(), "image/jpeg" if photo else "image/png"


def lines_in(data: bytes, threads: int) -> list[str]:
    """Words recognised in a picture, a paragraph a string; empty when there are none or it cannot be drawn."""
    # Pillow, NumPy and the recogniser are heavy; most documents need none of them.
    import numpy as np  # noqa: PLC0415
    from PIL import Image, ImageOps  # noqa: PLC0415

    from tools.ingest.ocr import recognise  # noqa: PLC0415

    if picture_type(data) is None:
        return []
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS or min(image.size) < MIN_SIDE:
                return []
            image.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            upright.thumbnail((KEPT_SIDE, KEPT_SIDE))
            page = Image.new("RGB", upright.size, "white")
            page.paste(upright, mask=upright.getchannel("A"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return []
    return _paragraphs(recognise(np.asarray(page), threads))


def _paragraphs(lines: Sequence[Any]) -> list[str]:
    """Lines joined where they follow each other closely."""
    joined: list[str] = []
    for before, line in pairwise([None, *lines]):
        gap = line.y0 - before.y1 if before is not None else None
        if gap is not None and gap < 0.6 * (line.y1 - line.y0):
            joined[-1] += f"\n{line.text}"
        else:
            joined.append(line.text)
    return joined
