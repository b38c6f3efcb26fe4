"""From the glyph runs of a PDF page to printed rows in reading order. No document-wide knowledge, no I/O."""

import functools
import itertools
import re
import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from tools.ingest.cleaning import clean
from tools.ingest.pdf.scripts import SMALL, marked, script_of, with_scripts

_BOLD = re.compile(r"bold|black|heavy|semibold|demi|-medi|bx\d|cmssbx|sansbx", re.I)
_MONO = re.compile(r"mono|courier|consol|typewriter|cmtt|menlo|code|sftt|tt\d+$|letter gothic", re.I)
_MATH = re.compile(r"math|cmmi|cmsy|cmex|msam|msbm|symbol|stix.*(?:int|siz)|eufm|cmbsy|lcircle", re.I)
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd]")
_PRINTABLE_BUT_ODD = re.compile("[\ufb00-\ufb06\ufffd]")
"""What `readable` changes of all that str.isprintable lets pass: ligatures, and the sign of no character."""

GAP = "\t"
"""Stands in a row's text where the print has a wide gap."""

# TeX fonts without a Unicode table give the ligatures ff fi fl ffi ffl as these codes (T1, then OT1 encoding).
TEX_LIGATURES = dict(
    zip(
        map(ord, "\x1b\x1c\x1d\x1e\x1f\x0b\x0e\x0f"),
        ("ff", "fi", "fl", "ffi", "ffl", "ff", "ffi", "ffl"),
        strict=True,
    )
)

MAX_SCRIPT = 12
"""Characters."""

_BOLD_FLAG, _MONO_FLAG = 16, 8  # span flags of MuPDF


_Run: TypeAlias = tuple[int, str, float, int, float]
"""Glyphs of one font: characters, font, size, flags, base line."""

_TEXT, _FONT, _SIZE = itemgetter("text"), itemgetter("font"), itemgetter("size")
_RUN_SIZE = itemgetter(2)


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
    base: float = 0.0
    """Where most of its letters stand."""
    font: str = ""
    """Of most of its characters."""
    cells: tuple[tuple[float, float], ...] = ()
    """Left and right edge of the pieces between wide gaps: more than one such row below another is a table."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1

    @property
    def height(self) -> float:
        return self.y1 - self.y0


@functools.lru_cache(maxsize=2048)
def font_traits(font: str, flags: int) -> tuple[bool, bool, bool]:
    """Whether it is bold, fixed-width, mathematical: by MuPDF's span flags and by name."""
    name = font.split("+")[-1]
    mono = bool(flags & _MONO_FLAG) or bool(_MONO.search(name))
    return bool(flags & _BOLD_FLAG) or bool(_BOLD.search(name)), mono, bool(_MATH.search(name))


class FontWidths:
    """Finds fixed-width fonts by what they print, since names like "F91" say nothing."""

    def __init__(self) -> None:
        self._ratios: dict[str, list[float]] = defaultdict(list)

    def learn(self, pieces: Iterable[Row]) -> None:
        for piece in pieces:
            count = len(piece.text)
            if count >= 6 and piece.size and len(self._ratios[piece.font]) < 60:
                self._ratios[piece.font].append((piece.x1 - piece.x0) / count / piece.size)

    def fixed(self) -> frozenset[str]:
        """Fonts whose runs of text have the same mean width whatever they say."""
        return frozenset(
            font
            for font, ratios in self._ratios.items()
            if len(ratios) >= 8 and statistics.pstdev(ratios) < 0.02 * statistics.fmean(ratios)
        )


def extents(span: dict[str, Any]) -> tuple[float, float]:
    """How far MuPDF's box of a glyph of the span reaches above and below its base line, in points."""
    above, below, size = span["ascender"], -span["descender"], span["size"]
    whole = max(above + below, 1e-3)
    scale = size / min(whole, 1.0)
    return above * scale, below * scale


def base_of(span: dict[str, Any]) -> float:
    """Base line of a span. MuPDF gives that of its first character, which may be a space after a script."""
    base: float = span["origin"][1]
    if span["text"][:1] != " ":
        return base
    above, below = extents(span)
    _, top, _, bottom = span["bbox"]
    if top < base - above - 0.5:
        return float(top + above)
    return float(bottom - below) if bottom > base + below + 0.5 else base


def readable(text: str) -> str:
    """Clean text of one line, TeX's ligatures spelt out, without characters that mean nothing elsewhere."""
    if text.isprintable():
        if text.isascii():
            return text
        if not _PRINTABLE_BUT_ODD.search(text):
            return unicodedata.normalize("NFC", text)
    text = clean(_PRIVATE.sub("", text.translate(TEX_LIGATURES)))
    return text.replace("\t", " ").replace("\n", " ")


def fragment(line: dict[str, Any], block: int, raw: list[str]) -> Row | None:
    """One line of MuPDF's dict output, None when it is empty. MuPDF gives each word its own span: this is the hot loop."""
    spans = line["spans"]
    solid = [span for span in spans if span["text"] != " "]
    if not solid:
        return None
    text = "".join(map(_TEXT, spans))
    raw.append(text)
    if len(solid) == 1 or (len(set(map(_SIZE, solid))) == 1 and len(set(map(_FONT, solid))) == 1):
        first = solid[0]
        font, size, base = first["font"], first["size"], base_of(first)
        bold, mono, math = map(float, font_traits(font, first["flags"]))
    else:
        runs = _runs(solid)
        bold, mono, math = _shares(runs)
        _, font, size, _, base = _main(runs)
        if min(run[2] for run in runs) < SMALL * size:
            text = with_scripts(spans, size, base, font_traits)
    text = readable(text)
    left = text.lstrip()
    if not left:
        return None
    x0, y0, x1, y1 = line["bbox"]
    if len(left) != len(text) and mono > 0.5:
        # Leading spaces are part of the box; the indentation of code is measured from the box, so cut both.
        x0 += (len(text) - len(left)) * (x1 - x0) / len(text)
    return Row(left.rstrip(), x0, y0, x1, y1, size, bold, mono, math, block, base, font)


def _runs(spans: Sequence[dict[str, Any]]) -> list[_Run]:
    runs: list[_Run] = []
    font, size, flags, base, count = "", 0.0, 0, 0.0, 0
    for span in spans:
        if span["size"] != size or span["font"] != font:
            if count:
                runs.append((count, font, size, flags, base))
            font, size, flags, base, count = span["font"], span["size"], span["flags"], base_of(span), 0
        count += len(span["text"])
    runs.append((count, font, size, flags, base))
    return runs


def _shares(runs: Sequence[_Run]) -> tuple[float, float, float]:
    """Shares of the characters that are bold, fixed-width and mathematical."""
    total = bold = mono = math = 0
    for count, font, _, flags, _ in runs:
        is_bold, is_mono, is_math = font_traits(font, flags)
        total += count
        bold += count * is_bold
        mono += count * is_mono
        math += count * is_math
    return bold / total, mono / total, math / total


def _main(runs: Sequence[_Run]) -> _Run:
    """The longest run in the size of the line: the largest where all others are its scripts, else what most have."""
    large = max(runs, key=_RUN_SIZE)
    _, _, largest, _, base = large
    if all(size >= SMALL * largest or script_of(size, own, largest, base) for _, _, size, _, own in runs):
        return large
    sizes: dict[float, int] = defaultdict(int)
    for run in runs:
        sizes[round(run[2] * 2)] += run[0]
    size = max(sizes, key=lambda size: sizes[size])
    return max((run for run in runs if round(run[2] * 2) == size), key=lambda run: run[0])


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
    if piece.y0 > row.y1:
        return False
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
    text = piece.text
    sign = "" if wide or row.mono > 0.5 else script_of(piece.size, piece.base, row.size, row.base)
    if sign and b <= MAX_SCRIPT:
        separator, text = "", marked(row.text, sign, text, math=row.math + piece.math > 0)
    main = row if a >= b or sign else piece
    return Row(
        text=row.text + separator + text,
        x0=min(row.x0, piece.x0),
        y0=min(row.y0, piece.y0),
        x1=max(row.x1, piece.x1),
        y1=max(row.y1, piece.y1),
        size=main.size,
        bold=(row.bold * a + piece.bold * b) / (a + b),
        mono=(row.mono * a + piece.mono * b) / (a + b),
        math=(row.math * a + piece.math * b) / (a + b),
        block=row.block,
        base=main.base,
        font=main.font,
        cells=_cells(row, piece, wide=wide),
    )


def _cells(row: Row, piece: Row, *, wide: bool) -> tuple[tuple[float, float], ...]:
    if wide:
        return (*(row.cells or ((row.x0, row.x1),)), (piece.x0, piece.x1))
    if row.cells:
        left, right = row.cells[-1]
        return (*row.cells[:-1], (left, max(right, piece.x1)))
    return ()


def in_reading_order(rows: list[Row], gutter: float | None) -> list[Row]:
    """The order of the file where it is plausible, else top to bottom, column after column."""
    if not _is_disordered(rows, gutter):
        return rows
    if gutter is None:
        return sorted(rows, key=lambda row: (round(row.y0 / 3), row.x0))
    return column_by_column(sorted(rows, key=lambda row: row.y0), gutter)


def column_by_column(rows: list[Row], gutter: float | None) -> list[Row]:
    """Rows from top to bottom become columns between the rows that span both."""
    if gutter is None:
        return rows
    ordered: list[Row] = []
    left: list[Row] = []
    right: list[Row] = []
    for row in rows:
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
