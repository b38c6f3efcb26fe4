"""Cuts Markdown tables between rows, and a row that is too long between cells; every part knows the header above it. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tools.ingest.cuts import Span, line_spans

Count = Callable[[str], int]
"""Tokens of a text."""
HEADER_SHARE = 0.4
"""A header repeated above later rows takes at most this part of the budget."""

_SEPARATOR = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_BAR = re.compile(r"(?<!\\)\|")
_CELL_CHARS = (60, 40, 24)
"""Lengths to which the cells of a header are shortened, one after the other, until it fits."""


@dataclass(frozen=True, slots=True)
class TablePart:
    """Characters [start, end) of the text, and what is put before them so that they read as a table of their own."""

    start: int
    end: int
    header: str = ""


@dataclass(frozen=True, slots=True)
class _Header:
    cells: tuple[str, ...]
    end: int
    """Where the header and its separator row end."""

    def within(self, budget: int, count: Count, first: int = 0, last: int | None = None) -> str:
        """Header and separator row of the columns [first, last), shortened to their share of the budget; empty when they
        are too many for it."""
        cells = self.cells[first:last]
        longest = max(map(len, cells), default=0)
        for most, rule in ((longest, " --- |"), *((most, "-|") for most in (longest, *_CELL_CHARS))):
            header = f"| {' | '.join(_short(cell, most) for cell in cells)} |\n|{rule * len(cells)}\n"
            if cells and count(header) <= HEADER_SHARE * budget:
                return header
        return ""


def table_parts(text: str, start: int, end: int, count: Count, budget: int) -> list[TablePart]:
    """The Markdown table text[start:end] in parts of about the same size, each at most `budget` tokens with its header.

    Only a single cell may be longer. Empty when the table has no header with a separator row below it.
    """
    header = _header_of(text, start, end)
    return [] if header is None else list(_packed(text, start, end, header, count, budget))


def _packed(
    text: str, start: int, end: int, header: _Header, count: Count, budget: int
) -> Iterator[TablePart]:
    rows = [(left, right, count(text[left:right])) for left, right in line_spans(text, header.end, end)]
    repeated = header.within(budget, count)
    above, sizes = count(repeated), [size for _, _, size in rows]
    full = above + sum(sizes) / _fewest(sizes, budget - above)
    part: TablePart | None = TablePart(start, header.end)
    used = count(text[start : header.end])
    if used > budget:  # the separator row alone would say nothing
        yield TablePart(start, start + text[start : header.end].rindex("\n"))
        part = None
    for left, right, size in rows:
        if part and (used + size > budget or (used + size / 2 > full and part.end > header.end)):
            yield part
            part = None
        if part:
            part, used = TablePart(part.start, right, part.header), used + size
        elif repeated and above + size <= budget:
            part, used = TablePart(left, right, repeated), above + size
        else:
            yield from _row_parts(text, left, right, header, count, budget)
    if part:
        yield part


def _fewest(sizes: Sequence[int], room: int) -> int:
    """Into how few parts rows of these sizes go."""
    parts, left = 1, room
    for size in sizes:
        if size > left:
            parts, left = parts + 1, room
        left -= size
    return parts


def _row_parts(
    text: str, start: int, end: int, header: _Header, count: Count, budget: int
) -> Iterator[TablePart]:
    """A row cut between cells, each part below the header of its own columns."""
    cells = [start + left for left, _ in cell_spans(text[start:end])]
    bounds = [start, *cells[1:], end]

    def part(first: int, last: int) -> TablePart:
        head = header.within(budget, count, first, last)
        opening = "| " if first and head else ""
        return TablePart(bounds[first], bounds[last], head + opening)

    first = 0
    for last in range(2, len(bounds)):
        wider = part(first, last)
        fits = count(wider.header) + count(text[wider.start : wider.end]) <= budget
        if last - first > 1 and not (fits and wider.header):
            yield part(first, last - 1)
            first = last - 1
    yield part(first, len(bounds) - 1)


def _header_of(text: str, start: int, end: int) -> _Header | None:
    lines = text[start:end].split("\n", 2)
    if len(lines) < 3 or "|" not in lines[0] or not _SEPARATOR.fullmatch(lines[1].strip()):
        return None
    cells = tuple(lines[0][left:right] for left, right in cell_spans(lines[0]))
    return _Header(cells, start + len(lines[0]) + 1 + len(lines[1]))


def cell_spans(row: str) -> Iterator[Span]:
    """Characters [start, end) of each cell of a row, without the blanks around it; an escaped bar belongs to its cell."""
    bars = [match.start() for match in _BAR.finditer(row)]
    if not bars or row[: bars[0]].strip():
        bars = [-1, *bars]
    if row[bars[-1] + 1 :].strip():
        bars = [*bars, len(row)]
    for left, right in pairwise(bars):
        cell = row[left + 1 : right]
        begin = left + 1 + (len(cell) - len(cell.lstrip()) if cell.strip() else 0)
        yield begin, begin + len(cell.strip())


def _short(cell: str, most: int) -> str:
    if len(cell) <= most:
        return cell
    cut = cell[:most].rsplit(" ", 1)[0] if " " in cell[1:most] else cell[:most]
    return cut.rstrip("\\")
