"""From the glyph runs of a PDF page to printed rows in reading order. No document-wide knowledge, no I/O."""

import functools
import itertools
import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tools.ingest.cleaning import clean

_BOLD = re.compile(r"bold|black|heavy|semibold|demi|-medi|bx\d|cmssbx|sansbx", re.I)
_MONO = re.compile(r"mono|courier|consol|typewriter|cmtt|menlo|code|sftt|tt\d+$|letter gothic", re.I)
_MATH = re.compile(r"math|cmmi|cmsy|cmex|msam|msbm|symbol|stix.*(?:int|siz)|eufm|cmbsy|lcircle", re.I)
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd]")

GAP = "\t"
"""Stands in a row's text where the print has a wide gap."""

# TeX fonts without a Unicode table give the ligatures ff fi fl ffi ffl as these codes (T1, then OT1 encoding).
_TEX_LIGATURES = str.maketrans(
    dict(
        zip(
            "\x1b\x1c\x1d\x1e\x1f\x0b\x0e\x0f",
            ("ff", "fi", "fl", "ffi", "ffl", "ff", "ffi", "ffl"),
            strict=True,
        )
    )
)

_BOLD_FLAG, _MONO_FLAG = 16, 8  # span flags of MuPDF


@dataclass(slots=True)
class Row:
    """One printed line. Coordinates in points of the page as it is shown, origin top left."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: float
    """Shares of the characters, 0 to 1: bold, fixed-width, from a mathematical font."""
    mono: float
    math: float
    block: int
    cells: tuple[float, ...] = ()
    """Left edges of the pieces after wide gaps: more than one such row below another is a table."""

    @property
    def height(self) -> float:
        return self.y1 - self.y0


@functools.lru_cache(maxsize=2048)
def _font_traits(font: str, flags: int) -> tuple[bool, bool, bool]:
    name = font.split("+")[-1]
    mono = bool(flags & _MONO_FLAG) or bool(_MONO.search(name))
    return bool(flags & _BOLD_FLAG) or bool(_BOLD.search(name)), mono, bool(_MATH.search(name))


class FontWidths:
    """Finds fixed-width fonts by what they print, since names like "F91" say nothing."""

    def __init__(self) -> None:
        self._ratios: dict[str, list[float]] = defaultdict(list)

    def learn(self, page: dict[str, Any]) -> None:
        for block in page["blocks"]:
            for line in block.get("lines", ()):
                for span in line["spans"]:
                    count = len(span["text"])
                    if count >= 6 and span["size"] and len(self._ratios[span["font"]]) < 60:
                        x0, _, x1, _ = span["bbox"]
                        self._ratios[span["font"]].append((x1 - x0) / count / span["size"])

    def fixed(self) -> frozenset[str]:
        """Fonts whose runs of text have the same mean width whatever they say."""
        return frozenset(
            font
            for font, ratios in self._ratios.items()
            if len(ratios) >= 8 and statistics.pstdev(ratios) < 0.02 * statistics.fmean(ratios)
        )


def fragments(page: dict[str, Any], fixed: frozenset[str] = frozenset()) -> list[Row]:
    """Horizontal runs of MuPDF's dict output in stream order, empty ones left out; `fixed` are fixed-width fonts."""
    found = []
    for number, block in enumerate(page["blocks"]):
        for line in block.get("lines", ()):
            row = _fragment(line, number, fixed)
            if row is not None:
                found.append(row)
    return found


def _fragment(line: dict[str, Any], block: int, fixed: frozenset[str]) -> Row | None:
    parts: list[str] = []
    bold = mono = math = total = 0
    best = 0
    size = 0.0
    for span in line["spans"]:
        text = span["text"]
        parts.append(text)
        count = len(text)
        if text.isspace():
            continue
        traits = _font_traits(span["font"], span["flags"])
        total += count
        bold += count * traits[0]
        mono += count * (traits[1] or span["font"] in fixed)
        math += count * traits[2]
        if count > best:
            best, size = count, span["size"]
    text = (
        clean(_PRIVATE.sub("", "".join(parts).translate(_TEX_LIGATURES)))
        .replace("\t", " ")
        .replace("\n", " ")
    )
    if not total or not text.strip():
        return None
    x0, y0, x1, y1 = line["bbox"]
    left = text.lstrip()
    if len(left) != len(text) and mono > total / 2:
        # Leading spaces are part of the box; the indentation of code is measured from the box, so cut both.
        x0 += (len(text) - len(left)) * (x1 - x0) / len(text)
    return Row(left.rstrip(), x0, y0, x1, y1, size, bold / total, mono / total, math / total, block)


def find_gutter(rows: Sequence[Row], width: float) -> float | None:
    """The middle of the empty strip between two columns of text, or None."""
    bins = 100
    wide = [row for row in rows if row.x1 - row.x0 > 0.2 * width]
    if len(wide) < 12:
        return None
    cover = [0] * (bins + 2)
    for row in wide:
        cover[max(0, int(row.x0 / width * bins))] += 1
        cover[min(bins, int(row.x1 / width * bins)) + 1] -= 1
    running, profile = 0, []
    for change in cover:
        running += change
        profile.append(running)
    middle = min(range(35, 66), key=lambda i: (profile[i], abs(i - 50)))
    gutter = (middle + 0.5) * width / bins
    left = sum(row.x1 <= gutter for row in wide)
    right = sum(row.x0 >= gutter for row in wide)
    if min(left, right) < 5 or left + right < 0.75 * len(wide):
        return None
    return gutter


def merge_rows(pieces: Sequence[Row], gutter: float | None) -> list[Row]:
    """Joins what is printed on one line: MuPDF cuts lines at subscripts, wide gaps and changes of font."""
    rows: list[Row] = []
    for piece in pieces:
        if rows and _same_row(rows[-1], piece, gutter):
            rows[-1] = _joined(rows[-1], piece)
        else:
            rows.append(piece)
    return rows


def _same_row(row: Row, piece: Row, gutter: float | None) -> bool:
    overlap = min(row.y1, piece.y1) - max(row.y0, piece.y0)
    if overlap < 0.5 * min(row.height, piece.height):
        return False
    size = max(row.size, piece.size)
    gap = piece.x0 - row.x1
    if gap < -0.6 * size and not (gap > -3 * size and piece.x1 - piece.x0 < 2 * size):
        return False  # a short piece may stand inside the row: an index below its power
    if gutter is not None and row.x1 <= gutter <= piece.x0 and gap > 0.6 * size:
        return False
    return gap < 3 * size or row.block == piece.block


def _joined(row: Row, piece: Row) -> Row:
    gap = piece.x0 - row.x1
    size = max(row.size, piece.size)
    a, b = len(row.text), len(piece.text)
    wide = gap > 1.2 * size
    separator = " " if gap > 0.12 * size else ""
    if wide:
        separator = GAP
    if wide and row.mono > 0.5 and piece.mono > 0.5:
        separator = " " * max(1, round(gap / (0.53 * size)))
    return Row(
        text=row.text + separator + piece.text,
        x0=min(row.x0, piece.x0),
        y0=min(row.y0, piece.y0),
        x1=max(row.x1, piece.x1),
        y1=max(row.y1, piece.y1),
        size=row.size if a >= b else piece.size,
        bold=(row.bold * a + piece.bold * b) / (a + b),
        mono=(row.mono * a + piece.mono * b) / (a + b),
        math=(row.math * a + piece.math * b) / (a + b),
        block=row.block,
        cells=(*(row.cells or (row.x0,)), piece.x0) if wide else row.cells,
    )


def in_reading_order(rows: list[Row], gutter: float | None) -> list[Row]:
    """The order of the file where it is plausible, else top to bottom, column after column."""
    if not _is_disordered(rows, gutter):
        return rows
    if gutter is None:
        return sorted(rows, key=lambda row: (round(row.y0 / 3), row.x0))
    ordered: list[Row] = []
    left: list[Row] = []
    right: list[Row] = []
    for row in sorted(rows, key=lambda row: row.y0):
        if row.x0 < gutter - 4 and row.x1 > gutter + 4:
            ordered += [*left, *right, row]
            left, right = [], []
        else:
            (left if row.x1 <= gutter + 4 else right).append(row)
    return [*ordered, *left, *right]


def _is_disordered(rows: Sequence[Row], gutter: float | None) -> bool:
    jumps = switches = 0
    for a, b in itertools.pairwise(rows):
        upwards = b.y1 < a.y0 + 1
        if upwards and not (b.x0 > a.x1 - 2 or (gutter is not None and a.x0 < gutter < b.x1)):
            jumps += 1
        if gutter is not None and (a.x1 <= gutter + 4) != (b.x1 <= gutter + 4):
            switches += 1
    return jumps > max(2, 0.06 * len(rows)) or switches > 8
