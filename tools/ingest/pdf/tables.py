"""Tables of a PDF page as Markdown: by their ruling lines, else by cells that stand below each other. Pure."""

import itertools
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tools.ingest.pdf.boxes import Box, touches, union
from tools.ingest.pdf.layout import GAP, Row

Word: TypeAlias = tuple[float, float, float, float, str]
"""Box in points, text. A cell that is not cut further counts as a word."""

_THIN = 2.5
_SHORTEST_RULE = 40.0
_SAME = 3.0
"""Points that the ends of a table's rules may differ by."""
_MAX_ROWS = 120
_LINE_NUMBER = re.compile(r"\d+[:.]?")


@dataclass(frozen=True, slots=True)
class TableRow:
    """`cells` are what the row prints in each column: the text and box of each of its lines."""

    cells: tuple[tuple[tuple[str, Box], ...], ...]
    box: Box

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(" ".join(text for text, _ in cell) for cell in self.cells)

    @property
    def filled(self) -> int:
        return sum(map(bool, self.cells))

    @property
    def is_wrapped(self) -> bool:
        return any(len(cell) > 1 for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """The first row is the header."""

    rows: tuple[TableRow, ...]
    box: Box

    def holds(self, row: Row) -> bool:
        x0, y0, x1, y1 = self.box
        middle = (row.y0 + row.y1) / 2
        return y0 - 1 <= middle <= y1 + 1 and row.x1 > x0 and row.x0 < x1


def markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"


def escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def has_rules(vectors: Sequence[Box], pieces: Sequence[Row]) -> bool:
    """Whether a page may have a ruled table: two rules of the same length, and between them pieces side by side."""
    ends: dict[tuple[int, int], tuple[float, float]] = {}
    borders = 0
    for x0, y0, x1, y1 in vectors:
        if x1 - x0 >= _SHORTEST_RULE and (y1 - y0 < _THIN or 8 < y1 - y0 < 80):
            key = (round(x0 / 4), round(x1 / 4))
            top, bottom = ends.get(key, (y0, y1))
            ends[key] = min(top, y0), max(bottom, y1)
        borders += y1 - y0 > 8 and x1 - x0 < _THIN
    spans = [span for span in ends.values() if span[1] - span[0] > 12]
    if borders >= 4:  # of cells, drawn one by one
        spans.append((0.0, max(y1 for _, _, _, y1 in vectors)))
    return any(_side_by_side(pieces, top, bottom) for top, bottom in spans)


def _side_by_side(pieces: Sequence[Row], top: float, bottom: float) -> bool:
    """Two pieces or more, not of code, that stand beside the piece before them."""
    held = [piece for piece in pieces if piece.mono < 0.5 and piece.y0 > top - 3 and piece.y1 < bottom + 3]
    beside = sum(abs(a.base - b.base) < 2 and b.x0 - a.x1 > 0.6 * b.size for a, b in itertools.pairwise(held))
    return beside >= 2


def ruled_tables(words: Sequence[Word], vectors: Sequence[Box], rows: Sequence[Row]) -> list[Table]:
    """Tables between horizontal rules, from top to bottom, none inside another."""
    found: list[Table] = []
    for rules in _aligned(_rules(vectors)):
        for top, bottom in _regions(rules, words):
            table = _between(top, bottom, rules, words, rows)
            if table is not None and not any(touches(table.box, other.box) for other in found):
                found.append(table)
    return sorted(found, key=lambda table: table.box[1])


def aligned_table(rows: Sequence[Row]) -> Table | None:
    """A table without rules, from rows with wide gaps; None when their cells do not stand below each other."""
    lines: list[list[Word]] = []
    for row in rows:
        texts = row.text.split(GAP)
        spans = row.cells or ((row.x0, row.x1),)
        if len(texts) != len(spans):
            return None
        lines.append([(x0, row.y0, x1, row.y1, text) for (x0, x1), text in zip(spans, texts, strict=True)])
    return _table(lines, [])


# --- rules


def _rules(vectors: Sequence[Box]) -> list[Box]:
    """Horizontal lines, those that continue each other as one; filled or framed cells give their upper and lower edges."""
    lines: dict[int, list[Box]] = defaultdict(list)
    for x0, y0, x1, y1 in vectors:
        if y1 - y0 < _THIN and x1 - x0 > 4:
            lines[round(y0)].append((x0, y0, x1, y1))
        elif x1 - x0 > 16 and 8 < y1 - y0 < 80:
            lines[round(y0)].append((x0, y0, x1, y0))
            lines[round(y1)].append((x0, y1, x1, y1))
    joined: list[Box] = []
    for height in sorted(lines):
        for line in sorted(lines[height]):
            last = joined[-1] if joined else None
            if last and abs(last[1] - line[1]) < 2 and line[0] - last[2] < _SAME:
                joined[-1] = (last[0], last[1], max(last[2], line[2]), last[3])
            else:
                joined.append(line)
    return [line for line in joined if line[2] - line[0] >= _SHORTEST_RULE]


def _aligned(rules: Sequence[Box]) -> list[list[Box]]:
    """Groups of two or more rules with the same ends, longest first, each from top to bottom."""
    groups: list[list[Box]] = []
    for rule in rules:
        for group in groups:
            if abs(group[0][0] - rule[0]) < _SAME and abs(group[0][2] - rule[2]) < _SAME:
                if rule[1] - group[-1][1] > 2:
                    group.append(rule)
                break
        else:
            groups.append([rule])
    return sorted((group for group in groups if len(group) > 1), key=lambda group: group[0][0] - group[0][2])


def _regions(rules: Sequence[Box], words: Sequence[Word]) -> list[tuple[float, float]]:
    """Heights between which the rules frame cells and not running text."""
    found: list[tuple[float, float]] = []
    for above, below in itertools.pairwise(rules):
        strip = _lines(_inside(words, (above[0], above[1], above[2], below[1])))
        if strip and _is_prose(strip, above[2] - above[0]):
            continue
        if found and found[-1][1] == above[1]:
            found[-1] = (found[-1][0], below[1])
        else:
            found.append((above[1], below[1]))
    return found


def _is_prose(lines: Sequence[Sequence[Word]], width: float) -> bool:
    """Most lines run on without a gap, or the gap is the one between two columns of text."""
    full = 0
    for line in lines:
        height = line[0][3] - line[0][1]
        gaps = [b[0] - a[2] for a, b in itertools.pairwise(line)]
        covered = sum(word[2] - word[0] for word in line) + sum(gap for gap in gaps if gap < height)
        full += (
            max(gaps, default=0.0) < 0.8 * height and len(line) > 4 and covered > 0.6 * width
        ) or covered > 0.93 * width
    return full > 0.4 * len(lines)


def _inside(words: Sequence[Word], box: Box) -> list[Word]:
    x0, y0, x1, y1 = box
    return [
        word
        for word in words
        if y0 - 1 <= (word[1] + word[3]) / 2 <= y1 + 1 and x0 - 2 <= (word[0] + word[2]) / 2 <= x1 + 2
    ]


def _between(
    top: float, bottom: float, rules: Sequence[Box], words: Sequence[Word], rows: Sequence[Row]
) -> Table | None:
    box = (rules[0][0], top, rules[0][2], bottom)
    lines = _lines(_inside(words, box))
    held = [row for row in rows if top - 1 <= (row.y0 + row.y1) / 2 <= bottom + 1 and row.x0 >= box[0] - 4]
    if not 2 <= len(lines) <= _MAX_ROWS or not held:
        return None
    if sum(row.mono > 0.6 for row in held) > 0.5 * len(held):
        return None
    inner = [rule[1] for rule in rules if top + 2 < rule[1] < bottom - 2]
    return _table(lines, inner)


# --- cells


def _lines(words: Iterable[Word]) -> list[list[Word]]:
    """Words that stand at one height, from left to right; lines from top to bottom."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word[1] + word[3]):
        last = lines[-1][0] if lines else None
        if last and abs(word[1] + word[3] - last[1] - last[3]) < 0.9 * min(
            word[3] - word[1], last[3] - last[1]
        ):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line) for line in lines]


def _table(lines: Sequence[Sequence[Word]], rules: Sequence[float]) -> Table | None:
    """The table that the lines make; `rules` are the heights of horizontal lines inside it."""
    cuts, header = _columns(lines)
    if len(cuts) < 1 or len(lines) < 2 or (len(cuts) == 1 and len(lines) < 3):
        return None
    rows = [TableRow(_cells(line, cuts), union(word[:4] for word in line)) for line in lines]
    if sum(row.filled >= 2 for row in rows) < max(2, 0.5 * len(rows)):
        return None
    if len(cuts) == 1 and all(_LINE_NUMBER.fullmatch(row.texts[0]) for row in rows if row.cells[0]):
        return None  # a numbered list
    rows = _with_one_header(rows, header, rules)
    lengths = [len(text) for row in rows for text in row.texts if text]
    wordy = statistics.median(lengths) > 25
    by_rules = rules and (wordy or len(rules) >= 0.5 * len(rows))
    rows = _rows_of_a_grid(rows, rules) if by_rules else _completed(rows)
    if len(rows) < 2 or not _is_filled(rows):
        return None
    return Table(tuple(rows), union(row.box for row in rows))


def _is_filled(rows: Sequence[TableRow]) -> bool:
    """The ticks and legends of a plot leave most cells empty."""
    columns = len(rows[0].cells)
    filled = [row.filled for row in rows]
    return filled[0] >= max(2, 0.5 * columns) and sum(filled) > 0.45 * columns * len(rows)


def _columns(lines: Sequence[Sequence[Word]]) -> tuple[list[float], int]:
    """Where columns are parted, and how many rows above them are headings that span several."""
    best: list[float] = []
    header = 0
    for first in range(min(3, max(1, len(lines) - 1))):
        cuts = _gaps(lines[first:])
        if len(cuts) > len(best):
            best, header = cuts, first
    return best, header


def _gaps(lines: Sequence[Sequence[Word]]) -> list[float]:
    """Where no word of the lines stands: x of the middle of each empty strip that is wide enough to part columns."""
    parted = [line for line in lines if len(line) > 1]
    if len(parted) < 2:
        return []
    size = statistics.median(word[3] - word[1] for line in parted for word in line)
    least = (0.9 if len(parted) < 4 else 0.5) * size
    spans = sorted((word[0], word[2]) for line in parted for word in line)
    cuts: list[tuple[float, float]] = []
    reach = spans[0][1]
    for x0, x1 in spans[1:]:
        if x0 - reach >= least:
            cuts.append((reach, x0))
        reach = max(reach, x1)
    # A narrow gap before something that few lines have is one between words.
    ends = [left for left, _ in [*cuts, (reach, reach)][1:]]
    return [
        (left + right) / 2
        for (left, right), end in zip(cuts, ends, strict=True)
        if right - left > 0.9 * size or _lines_with(parted, right, end) >= 0.5 * len(parted)
    ]


def _lines_with(lines: Sequence[Sequence[Word]], left: float, right: float) -> int:
    return sum(any(left <= word[0] and word[2] <= right for word in line) for line in lines)


def _cells(line: Sequence[Word], cuts: Sequence[float]) -> tuple[tuple[tuple[str, Box], ...], ...]:
    columns: list[list[Word]] = [[] for _ in range(len(cuts) + 1)]
    for word in line:
        middle = (word[0] + word[2]) / 2
        columns[sum(cut < middle for cut in cuts)].append(word)
    return tuple(
        ((" ".join(" ".join(word[4] for word in words).split()), union(word[:4] for word in words)),)
        if words
        else ()
        for words in columns
    )


def _merged(a: TableRow, b: TableRow) -> TableRow:
    cells = tuple(above + below for above, below in zip(a.cells, b.cells, strict=True))
    return TableRow(cells, union((a.box, b.box)))


def _with_one_header(rows: list[TableRow], header: int, rules: Sequence[float]) -> list[TableRow]:
    """Rows of headings above each other become one, when a rule or spanning cells part them from the rest."""
    first_rule = min(rules, default=0.0)
    above = sum(row.box[3] <= first_rule + 2 for row in rows) if rules else 0
    count = max(header, above if above <= 3 else 1, 1)
    if count >= len(rows):
        return rows
    head = rows[0]
    for row in rows[1:count]:
        head = _merged(head, row)
    return [head, *rows[count:]]


def _rows_of_a_grid(rows: list[TableRow], rules: Sequence[float]) -> list[TableRow]:
    """Lines between two rules are one row."""
    grouped = itertools.groupby(
        rows, key=lambda row: sum(rule < (row.box[1] + row.box[3]) / 2 for rule in rules)
    )
    merged = []
    for _, group in grouped:
        row, *others = group
        for other in others:
            row = _merged(row, other)
        merged.append(row)
    return merged


def _completed(rows: list[TableRow]) -> list[TableRow]:
    """Joins what a table without lines between its rows prints on two heights: cells that span rows, and wrapped cells."""
    done = [rows[0]]
    for row in rows[1:]:
        last = done[-1]
        beside = row.box[1] < last.box[3] - 0.25 * (last.box[3] - last.box[1])
        spans_rows = beside and not any(a and b for a, b in zip(last.cells, row.cells, strict=True))
        wraps = (
            len(done) > 1
            and not row.cells[0]
            and row.filled < 0.5 * len(row.cells)
            and row.filled < last.filled
        )
        if spans_rows or wraps:
            done[-1] = _merged(last, row)
        else:
            done.append(row)
    return done
