"""Pages that must be looked at: text recognition where a page has no text, or a text layer that says something else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tools.ingest.ocr import OcrLine, Picture, recognise
from tools.ingest.pdf.document import mupdf, page_calls
from tools.ingest.pdf.layout import Row
from tools.ingest.pdf.legibility import MOST_ODD_WORDS, Legibility
from tools.ingest.pdf.recognised_rows import BOX_TO_SIZE, in_reading_order, same_sizes
from tools.ingest.pdf.sheet import Draft, Geometry, Sheet

_DPI = 150
_MAX_PIXELS = 4_000_000
"""An A3 page at that resolution. Larger pages are drawn smaller."""
_NO_TEXT = 10
"""Characters: fewer are a stamp or a page number."""
_SPARSE = 100
_LEAST_SCORE = 0.5
_MANY_SHAPES = 60
"""Vectors: letters that were turned into outlines are many."""
_EDGE = 0.12


def needs_recognition(page: Any, draft: Draft) -> bool:
    """Whether the page must be looked at, cheap for pages with good text."""
    text = draft.legibility
    if text.characters < _NO_TEXT:
        return len(draft.vectors) >= _MANY_SHAPES or _pictured(page) > 0.04
    if text.is_garbage:
        return True
    if text.characters < _SPARSE and _is_marginal(draft):
        return _pictured(page) > 0.6
    # Formulas and code look like bad recognition too; only a scan can have that.
    with page_calls():
        may_be_scan = bool(page.get_images())
    return may_be_scan and text.odd_words > MOST_ODD_WORDS and _pictured(page) > 0.6


def recognised(page: Any, draft: Draft, threads: int) -> Sheet | None:
    """The page as text recognition reads it; None when the text layer says it better."""
    picture, scale = _drawn(page)
    lines = _lines_of(picture, threads)
    geometry = Geometry(page.rect.width, page.rect.height, page.rect.width, page.rect.height)
    if _is_sideways(lines):
        lines = _lines_of(np.ascontiguousarray(np.rot90(picture, -1)), threads)
        geometry.width, geometry.height = geometry.height, geometry.width
        # A quarter turn clockwise put (x, y) to (height - y, x).
        geometry.to_shown = mupdf.Matrix(0, -1, 1, 0, 0, picture.shape[0] / scale)
    read = Legibility.of(line.text for line in lines)
    if not _is_better(read, draft.legibility):
        return None
    rows = [_row(line, scale, number) for number, line in enumerate(lines)]
    if not draft.legibility.is_garbage and draft.legibility.characters < _SPARSE:
        rows = _beside(rows, _shown(draft))
    return _sheet(rows, geometry)


def _is_better(read: Legibility, layer: Legibility) -> bool:
    if layer.characters < _SPARSE or layer.unmapped > 0.5:
        return True
    if read.characters < 0.3 * layer.characters or read.is_garbage:
        return False
    return layer.is_garbage or read.odd_words < layer.odd_words


def _sheet(rows: list[Row], geometry: Geometry) -> Sheet:
    ordered, gutter = in_reading_order(same_sizes(rows, 0.8, 1.2), geometry.width)
    return Sheet(ordered, geometry, [], [], gutter)


def _lines_of(picture: Picture, threads: int) -> list[OcrLine]:
    return [line for line in recognise(picture, threads) if line.score >= _LEAST_SCORE and line.text.strip()]


def _drawn(page: Any) -> tuple[Picture, float]:
    """RGB of the page as shown, and pixels a point."""
    width, height = max(1.0, page.rect.width), max(1.0, page.rect.height)
    scale = min(_DPI / 72, (_MAX_PIXELS / (width * height)) ** 0.5)
    with page_calls():
        pixmap = page.get_pixmap(matrix=mupdf.Matrix(scale, scale), alpha=False, colorspace=mupdf.csRGB)
    # `samples` is a copy; `samples_mv` would point into a pixmap that is gone when this returns.
    picture: Picture = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
    return picture, scale


def _pictured(page: Any) -> float:
    """Share of the page that its largest picture covers."""
    with page_calls():
        shown, pictures = page.rect * page.derotation_matrix, page.get_image_info()
    whole = shown.width * shown.height
    boxes = [mupdf.Rect(picture["bbox"]) & shown for picture in pictures]
    return max((box.width * box.height / whole for box in boxes if not box.is_empty), default=0.0)


def _is_marginal(draft: Draft) -> bool:
    """All text stands at the edge: the stamp of a scanner, a page number."""
    height = draft.geometry.height
    return all(row.y1 < _EDGE * height or row.y0 > (1 - _EDGE) * height for row in draft.pieces)


def _is_sideways(lines: Sequence[OcrLine]) -> bool:
    """Most of the text stands in tall boxes."""
    long = [line for line in lines if len(line.text) >= 4] or list(lines)
    return len(long) >= 3 and sum(line.y1 - line.y0 > 1.5 * (line.x1 - line.x0) for line in long) > 0.6 * len(
        long
    )


def _row(line: OcrLine, scale: float, number: int) -> Row:
    x0, y0, x1, y1 = (value / scale for value in (line.x0, line.y0, line.x1, line.y1))
    height = line.height / scale
    text = " ".join(line.text.split())
    return Row(text, x0, y0, x1, y1, BOX_TO_SIZE * height, 0, 0, 0, number, y1 - 0.2 * height)


def _shown(draft: Draft) -> list[Row]:
    """The rows of the text layer in coordinates of the page as shown."""
    geometry = draft.geometry
    found = []
    for row in draft.pieces:
        x0, y0, x1, y1 = geometry.fractions(row.x0, row.y0, row.x1, row.y1)
        width, height = geometry.shown_width, geometry.shown_height
        found.append(replace(row, x0=x0 * width, y0=y0 * height, x1=x1 * width, y1=y1 * height))
    return found


def _beside(rows: list[Row], known: list[Row]) -> list[Row]:
    """What was recognised besides the few words of the text layer, and these."""
    return known + [row for row in rows if not any(_overlap(row, other) for other in known)]


def _overlap(a: Row, b: Row) -> bool:
    across = min(a.x1, b.x1) - max(a.x0, b.x0)
    down = min(a.y1, b.y1) - max(a.y0, b.y0)
    return across > 0.3 * min(a.x1 - a.x0, b.x1 - b.x0) and down > 0.3 * min(a.height, b.height)
