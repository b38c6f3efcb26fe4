"""One PDF page as it is laid out: text turned upright for reading, and the way back to fractions of the page image."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.ingest.pdf.boxes import Box
from tools.ingest.pdf.document import mupdf, page_calls
from tools.ingest.pdf.fractions import bars_in, folded, touched
from tools.ingest.pdf.layout import Row, find_gutter, fragment, in_reading_order, merge_rows
from tools.ingest.pdf.legibility import Legibility
from tools.ingest.pdf.tables import Word, has_rules
from tools.ingest.pdf.words import words_of

# Vectors come with the text in one pass over the page and cost nothing to speak of.
FLAGS = mupdf.TEXT_PRESERVE_WHITESPACE | mupdf.TEXT_MEDIABOX_CLIP | mupdf.TEXT_COLLECT_VECTORS
MAX_VECTORS = 4000
"""Of a page; maps and plots have more, and nothing is learnt from them."""


@dataclass(slots=True)
class Geometry:
    """Reading coordinates in points, origin top left, most lines running to the right; and the way to the page as shown."""

    width: float
    height: float
    shown_width: float
    shown_height: float
    to_shown: Any = None
    """Matrix from reading coordinates to the page as shown; None when they are the same."""

    def fractions(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """The box in fractions of the page image, 0 to 1."""
        if self.to_shown is not None:
            x0, y0, x1, y1 = mupdf.Rect(x0, y0, x1, y1) * self.to_shown
        width, height = self.shown_width or 1.0, self.shown_height or 1.0
        if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
            x0, x1 = min(width, max(0.0, x0)), min(width, max(0.0, x1))
            y0, y1 = min(height, max(0.0, y0)), min(height, max(0.0, y1))
        # To five digits; `round` to digits is four times as slow, and every line comes here.
        return (
            int(x0 / width * 1e5 + 0.5) / 1e5,
            int(y0 / height * 1e5 + 0.5) / 1e5,
            int(x1 / width * 1e5 + 0.5) / 1e5,
            int(y1 / height * 1e5 + 0.5) / 1e5,
        )


@dataclass(slots=True)
class Draft:
    """What a page prints, before anything is known of the document."""

    pieces: list[Row]
    geometry: Geometry
    vectors: list[Box]
    legibility: Legibility
    words: list[Word] = field(default_factory=list)
    """Only of pages with ruled tables."""


@dataclass(slots=True)
class Sheet:
    """Rows in reading order with the page that they came from."""

    rows: list[Row]
    geometry: Geometry
    vectors: list[Box]
    words: list[Word] = field(default_factory=list)
    gutter: float | None = None


def read_page(page: Any) -> Draft:
    """Text of a page. MuPDF's coordinates ignore the page's rotation, and text may be turned against either.

    Raises PageDamaged.
    """
    with page_calls():
        content: dict[str, Any] = page.get_textpage(flags=FLAGS).extractDICT()
    lines = [line for block in content["blocks"] if block["type"] == 0 for line in block["lines"]]
    geometry, upright = _geometry(page, lines)
    if upright is not None:
        _turn(content, upright)
    vectors = [block["bbox"] for block in content["blocks"] if block["type"] == 3][:MAX_VECTORS]
    raw: list[str] = []
    pieces = _pieces(content, geometry, vectors if upright is None else [], raw)
    legibility = Legibility.of(raw)
    words = words_of(line for line in lines if _is_kept(line, geometry)) if has_rules(vectors, pieces) else []
    return Draft(pieces, geometry, vectors, legibility, words)


def _pieces(content: dict[str, Any], geometry: Geometry, vectors: Sequence[Box], raw: list[str]) -> list[Row]:
    """The runs of the page's lines; where vectors are fraction bars, with the fractions folded in.

    What the lines say in the file, before it is cleaned, goes to `raw`.
    """
    lines: list[tuple[int, dict[str, Any]]] = []
    for number, block in enumerate(content["blocks"]):
        lines += [(number, line) for line in block.get("lines", ()) if _is_kept(line, geometry)]
    bars = bars_in(vectors, geometry.width)
    near = touched([line for _, line in lines], bars) if bars else set()
    fractions = folded([(index, *lines[index]) for index in sorted(near)], bars) if near else {}
    pieces: list[Row] = []
    for index, (number, line) in enumerate(lines):
        if fractions and index in near:
            pieces += fractions.get(index, ())
        else:
            piece = fragment(line, number, raw)
            if piece is not None:
                pieces.append(piece)
    return pieces


def sheet(draft: Draft, fixed: frozenset[str]) -> Sheet:
    """The page's rows; `fixed` are the fixed-width fonts of the document."""
    for piece in draft.pieces:
        if piece.font in fixed:
            piece.mono = 1.0
    gutter = find_gutter(draft.pieces, draft.geometry.width)
    rows = in_reading_order(merge_rows(draft.pieces, gutter), gutter)
    return Sheet(rows, draft.geometry, draft.vectors, draft.words, gutter)


def _geometry(page: Any, lines: Sequence[dict[str, Any]]) -> tuple[Geometry, Any]:
    """Of the page, and the matrix that turns its text upright, None when most of it is."""
    with page_calls():
        shown, rotation = page.rect, page.rotation
    turned = rotation in (90, 270)
    width, height = (shown.height, shown.width) if turned else (shown.width, shown.height)
    upright = _upright_matrix(lines, width, height)
    geometry = Geometry(width, height, shown.width, shown.height)
    if upright is not None:
        if upright.a == 0:
            geometry.width, geometry.height = height, width
        geometry.to_shown = ~upright * page.rotation_matrix
    elif rotation:
        geometry.to_shown = page.rotation_matrix
    return geometry, upright


def _upright_matrix(lines: Sequence[dict[str, Any]], width: float, height: float) -> Any:
    """The matrix that makes most lines run to the right, None when they do."""
    if all(line["dir"] == (1.0, 0.0) for line in lines):
        return None
    counts = {"right": 0, "left": 0, "up": 0, "down": 0}
    for line in lines:
        x, y = line["dir"]
        if abs(x) >= abs(y):
            counts["right" if x >= 0 else "left"] += 1
        else:
            counts["down" if y > 0 else "up"] += 1
    direction = max(counts, key=lambda name: counts[name])
    matrices = {
        "left": (-1, 0, 0, -1, width, height),
        "up": (0, 1, -1, 0, height, 0),
        "down": (0, -1, 1, 0, 0, width),
    }
    return mupdf.Matrix(*matrices[direction]) if direction in matrices else None


def _turn(content: dict[str, Any], matrix: Any) -> None:
    for block in content["blocks"]:
        block["bbox"] = tuple(mupdf.Rect(block["bbox"]) * matrix)
        for line in block.get("lines", ()):
            line["bbox"] = tuple(mupdf.Rect(line["bbox"]) * matrix)
            x, y = line["dir"]
            line["dir"] = (x * matrix.a + y * matrix.c, x * matrix.b + y * matrix.d)
            for span in line["spans"]:
                span["origin"] = tuple(mupdf.Point(span["origin"]) * matrix)


def _is_kept(line: dict[str, Any], geometry: Geometry) -> bool:
    """Sideways notes (an archive's stamp, labels of axes) and text outside the shown page are left out."""
    x0, y0, x1, y1 = line["bbox"]
    upright: bool = abs(line["dir"][1]) < 0.3
    return upright and 0 <= x0 + x1 <= 2 * geometry.width and 0 <= y0 + y1 <= 2 * geometry.height
