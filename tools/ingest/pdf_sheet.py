"""One PDF page as it is laid out: text turned upright for reading, and the way back to fractions of the page image."""

from dataclasses import dataclass
from typing import Any

import pymupdf

from tools.ingest.pdf_layout import Row, find_gutter, fragments, in_reading_order, merge_rows

_mupdf: Any = pymupdf  # its annotations cover only a part
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP


@dataclass(slots=True)
class RawPage:
    """MuPDF's text with boxes in reading coordinates: origin top left, most lines running to the right."""

    content: dict[str, Any]
    width: float
    height: float
    shown_width: float
    shown_height: float
    to_shown: Any = None
    """Matrix from reading coordinates to the page as shown; None when they are the same."""


@dataclass(slots=True)
class Sheet:
    """Rows in reading order with the page that they came from."""

    rows: list[Row]
    page: RawPage

    def fractions(self, row: Row) -> tuple[float, float, float, float]:
        """The row's box in fractions of the page image, 0 to 1."""
        x0, y0, x1, y1 = row.x0, row.y0, row.x1, row.y1
        page = self.page
        if page.to_shown is not None:
            x0, y0, x1, y1 = _mupdf.Rect(x0, y0, x1, y1) * page.to_shown
        return (
            _part(x0, page.shown_width),
            _part(y0, page.shown_height),
            _part(x1, page.shown_width),
            _part(y1, page.shown_height),
        )


def _part(value: float, whole: float) -> float:
    return round(min(1.0, max(0.0, value / whole)), 5) if whole else 0.0


def read_page(page: Any) -> RawPage:
    """Text of a page. MuPDF's coordinates ignore the page's rotation, and text may be turned against either."""
    content: dict[str, Any] = page.get_text("dict", flags=_FLAGS)
    shown = page.rect
    turned = page.rotation in (90, 270)
    width, height = (shown.height, shown.width) if turned else (shown.width, shown.height)
    upright = _upright_matrix(content, width, height)
    raw = RawPage(content, width, height, shown.width, shown.height)
    if upright is not None:
        _turn(content, upright)
        if upright.a == 0:
            raw.width, raw.height = height, width
        raw.to_shown = ~upright * page.rotation_matrix
    elif page.rotation:
        raw.to_shown = page.rotation_matrix
    _keep_upright(raw)
    return raw


def sheet(raw: RawPage, fixed: frozenset[str]) -> Sheet:
    """The page's rows; `fixed` are the fixed-width fonts of the document."""
    pieces = fragments(raw.content, fixed)
    gutter = find_gutter(pieces, raw.width)
    return Sheet(in_reading_order(merge_rows(pieces, gutter), gutter), raw)


def _lines(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for block in content["blocks"] for line in block.get("lines", ())]


def _upright_matrix(content: dict[str, Any], width: float, height: float) -> Any:
    """The matrix that makes most lines run to the right, None when they do."""
    counts = {"right": 0, "left": 0, "up": 0, "down": 0}
    for line in _lines(content):
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
    return _mupdf.Matrix(*matrices[direction]) if direction in matrices else None


def _turn(content: dict[str, Any], matrix: Any) -> None:
    for line in _lines(content):
        line["bbox"] = tuple(_mupdf.Rect(line["bbox"]) * matrix)
        x, y = line["dir"]
        line["dir"] = (x * matrix.a + y * matrix.c, x * matrix.b + y * matrix.d)


def _keep_upright(raw: RawPage) -> None:
    """Leaves out sideways notes (an archive's stamp, labels of axes) and text outside the shown page."""
    for block in raw.content["blocks"]:
        block["lines"] = [
            line
            for line in block.get("lines", ())
            if abs(line["dir"][1]) < 0.3 and _is_inside(line["bbox"], raw)
        ]


def _is_inside(box: tuple[float, float, float, float], raw: RawPage) -> bool:
    return 0 <= (box[0] + box[2]) / 2 <= raw.width and 0 <= (box[1] + box[3]) / 2 <= raw.height
