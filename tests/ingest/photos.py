"""Pictures of pages for tests and the benchmark: drawn by MuPDF, then treated as cameras and scanners do."""

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pymupdf
from numpy.typing import NDArray
from PIL import Image

pillow_heif.register_heif_opener()
_mupdf: Any = pymupdf  # its annotations cover only a part

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB."""

ENGLISH = (
    "Photosynthesis turns light into chemical energy.",
    "Chlorophyll absorbs red and blue light best,",
    "so leaves look green. The rate depends on light,",
    "carbon dioxide and temperature (see page 57).",
)
GERMAN = (
    "Die Größe der Fläche wächst täglich über Maß hinaus.",
    "Während der Prüfung müssen Schüler ruhig bleiben,",
    "äußerte der Präsident für 1848 Bürger in Köln.",
    "Überlegt, ob Öl, Ärger und Übermut nützlich sind.",
)


def typed_page(
    lines: Sequence[str], *, size: float = 12, dpi: int = 150, width: float = 420, font: str = "helv"
) -> Pixels:
    """Lines in one of MuPDF's own fonts on a page that is `width` points wide; a line is 1.5 sizes high."""
    page = _mupdf.open().new_page(width=width, height=(len(lines) + 2) * 1.5 * size)
    for number, line in enumerate(lines):
        page.insert_text((30, (number + 1.5) * 1.5 * size), line, fontsize=size, fontname=font)
    return drawn(page, dpi)


def drawn(page: Any, dpi: int) -> Pixels:
    pixmap = page.get_pixmap(dpi=dpi, alpha=False)
    pixels: Pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
    return pixels


def whiteboard(lines: Sequence[str], *, seed: int = 1) -> Pixels:
    """Coloured writing on a board, photographed from the side: slanting, half in shadow, with glare, blur and noise."""
    chance = np.random.default_rng(seed)
    wrapped = [part for line in lines for part in textwrap.wrap(line, 44)]
    page = _mupdf.open().new_page(width=960, height=720)
    inks = ((0.05, 0.05, 0.1), (0.05, 0.1, 0.45), (0.5, 0.05, 0.05), (0.02, 0.3, 0.1))
    for number, line in enumerate(wrapped[:14]):
        page.insert_text((70, 90 + 44 * number), line, fontsize=28, color=inks[number % 4])
    board = drawn(page, 108)
    height, width = board.shape[:2]
    corners = np.array(((0, 0), (1, 0), (1, 1), (0, 1)), np.float32) * np.array((width, height), np.float32)
    seen = np.array(((0.10, 0.12), (0.93, 0.03), (0.98, 0.95), (0.04, 0.86)), np.float32)
    seen *= np.array((width, height), np.float32)
    slanting = cv2.warpPerspective(
        board, cv2.getPerspectiveTransform(corners, seen), (width, height), borderValue=(90, 80, 70)
    )
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shadow = 0.45 + 0.55 / (1 + np.exp((0.55 * width - 0.9 * x - 0.5 * y) / (0.06 * width)))
    glare = 1 + 0.35 * np.exp(
        -(((x - 0.7 * width) / (0.12 * width)) ** 2) - ((y - 0.3 * height) / (0.15 * height)) ** 2
    )
    photo = slanting * (0.8 * shadow * glare)[..., None]
    photo = cv2.GaussianBlur(photo, (0, 0), 1.2) + chance.normal(0, 9, photo.shape)
    return np.asarray(np.clip(photo, 0, 255), np.uint8)


def as_file(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """The picture as a file of Pillow's format `kind`."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()
