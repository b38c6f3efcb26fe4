"""Printed lines from single glyphs: which stand on one base line, which are scripts and limits, and how that is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.ingest.pdf.boxes import Box, union
from tools.ingest.pdf.layout import Row, font_traits, readable
from tools.ingest.pdf.scripts import SMALL, marked, script_of

COLUMN_GAP = 1.2
"""In sizes, as all gaps; a wider one parts two pieces of a line."""
_WORD_GAP = 0.16
_LIMITED = frozenset("∑∏⋃⋂⋁⋀∐")


@dataclass(slots=True, eq=False)
class Glyph:
    """A character, or a whole fraction that stands on the line."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    base: float
    size: float
    font: str
    flags: int
    line: int
    """Number of the line in the order of the file."""
    block: int
    main: float
    """Largest size of its line: smaller glyphs are scripts."""
    math: bool
    tall: bool = False
    """A large operator or bracket: hangs below its origin."""
    composed: bool = False

    @property
    def box(self) -> Box:
        return self.x0, self.y0, self.x1, self.y1

    @property
    def is_main(self) -> bool:
        return self.size >= SMALL * self.main or self.composed


def runs_of(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Glyphs of one printed line without wide gaps between them, each run from left to right."""
    rows: list[list[Glyph]] = []
    for glyph in sorted((g for g in glyphs if g.is_main and not g.tall), key=lambda g: g.base):
        if rows and glyph.base - rows[-1][-1].base < 0.25 * glyph.size:
            rows[-1].append(glyph)
        else:
            rows.append([glyph])
    for glyph in glyphs:
        if not glyph.is_main or glyph.tall:
            _attach(rows, glyph)
    return [run for row in rows for run in _parted(row)]


def _attach(rows: list[list[Glyph]], glyph: Glyph) -> None:
    """To the line whose script, operator or limit it is, else to a line of its own."""
    best, least = None, 2.4 * glyph.main
    for row in rows:
        main = row[0]
        distance = abs((glyph.y0 + glyph.y1) / 2 - (main.base - 0.3 * main.size))
        if distance >= least:
            continue
        gap = min(max(other.x0 - glyph.x1, glyph.x0 - other.x1) for other in row)
        if gap < main.size:
            best, least = row, distance
    if best is None:
        rows.append([glyph])
        return
    if glyph.tall:
        glyph.base, glyph.size = best[0].base, best[0].size
        glyph.main = glyph.size
    best.append(glyph)


def _parted(row: list[Glyph]) -> list[list[Glyph]]:
    row.sort(key=lambda glyph: (glyph.x0, glyph.base))
    runs = [[row[0]]]
    reach = row[0].x1
    for glyph in row[1:]:
        if glyph.x0 - reach > COLUMN_GAP * max(glyph.main, row[0].main):
            runs.append([glyph])
        else:
            runs[-1].append(glyph)
        reach = max(reach, glyph.x1)
    return runs


def text_of(glyphs: Sequence[Glyph]) -> str:
    """Numerator, denominator or radicand on one line."""
    main = max(glyph.size for glyph in glyphs)
    for glyph in glyphs:
        glyph.main = main
    return " ".join(_written(run) for run in runs_of(glyphs))


def _written(run: Sequence[Glyph]) -> str:
    """The text of a run, scripts marked, spaces where the print has gaps."""
    mains = [glyph for glyph in run if glyph.is_main] or list(run)
    base, size = _base_of(mains), max(glyph.size for glyph in mains)
    text, scripts = "", {"^": "", "_": ""}
    before: Glyph | None = None
    for glyph in _with_limits(run):
        if not glyph.is_main and (
            sign := script_of(glyph.size, glyph.base, size, base) or _limit(glyph, base)
        ):
            scripts[sign] += glyph.text
            before = glyph if before is None or glyph.x1 > before.x1 else before
            continue
        text = _with_scripts(text, scripts)
        text += _between(text, before, glyph, size) + glyph.text
        before = glyph
    return readable(_with_scripts(text, scripts).replace(" ′", "′")).strip()


def _with_scripts(text: str, scripts: dict[str, str]) -> str:
    """Writes what was gathered above and below since the last glyph on the line."""
    stem = text or "x"
    for sign, script in scripts.items():
        text += marked(stem, sign, script, math=True)
        scripts[sign] = ""
    return text


def _base_of(glyphs: Sequence[Glyph]) -> float:
    plain = sorted(glyph.base for glyph in glyphs if not glyph.composed) or [glyphs[0].base]
    return plain[len(plain) // 2]


def _limit(glyph: Glyph, base: float) -> str:
    return "^" if glyph.base < base else "_"


def _with_limits(run: Sequence[Glyph]) -> list[Glyph]:
    """Limits above and below an operator follow it."""
    operators = [glyph for glyph in run if glyph.text in _LIMITED]
    if not operators:
        return list(run)

    def place(glyph: Glyph) -> tuple[float, float, float]:
        if not glyph.is_main:
            for operator in operators:
                if operator.x0 - glyph.size * 1.5 < glyph.x0 and glyph.x1 < operator.x1 + glyph.size * 1.5:
                    return operator.x0 + 0.01, -glyph.base, glyph.x0
        return glyph.x0, 0.0, glyph.x0

    return sorted(run, key=place)


def _between(text: str, before: Glyph | None, glyph: Glyph, size: float) -> str:
    if before is None:
        return ""
    if glyph.x0 - before.x1 > _WORD_GAP * size:
        return " "
    if before.composed:
        return " " if glyph.text[:1].isalnum() or glyph.text[:1] in "∆∂" else ""
    return " " if glyph.composed and (text[-1:].isalnum() or text[-1:] in ")}]") else ""


def piece_of(run: Sequence[Glyph]) -> Row | None:
    text = _written(run)
    if not text:
        return None
    mains = [glyph for glyph in run if glyph.is_main] or list(run)
    total = sum(len(glyph.text) for glyph in run)
    traits = [(len(glyph.text), *font_traits(glyph.font, glyph.flags), glyph.math) for glyph in run]
    x0, y0, x1, y1 = union(glyph.box for glyph in run)
    size = max(glyph.size for glyph in mains)
    return Row(
        text, x0, y0, x1, y1, size,
        sum(count * bold for count, bold, _, _, _ in traits) / total,
        sum(count * mono for count, _, mono, _, _ in traits) / total,
        sum(count * math for count, _, _, _, math in traits) / total,
        run[0].block, _base_of(mains), mains[0].font,
    )  # fmt: skip
