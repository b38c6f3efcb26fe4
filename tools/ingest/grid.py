"""Rows of cells, merged ones too, as Markdown tables that are each short enough for a segment and carry their header. Pure.

A merged cell counts for every row and column that it covers, so that each row can be read alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tools.ingest.cleaning import one_line
from tools.ingest.sections import SECTION_CHARS, Paragraph
from tools.ingest.segments import ContentType

TABLE_CHARS = SECTION_CHARS - 200
HEADER_CHARS = 900
"""Of a table whose header is longer the columns are dealt out to several tables that repeat the first one."""
MAX_HEADER_ROWS = 4
_NUMBER = re.compile(r"[-+−–]?[\d.,\s]*\d\s*[%°]?")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    width: int = 1
    """Columns that it covers."""
    height: int = 1
    """Rows that it covers, where the format says so in the first of them."""
    above: bool = False
    """Part of the cell above it, where the format says so in each row."""
    header: bool = False
    """Marked as the head of its column."""


@dataclass(slots=True)
class _Slot:
    """One field of the table after merged cells were laid out."""

    text: str
    first: bool
    """The field in which its cell begins."""
    header: bool = False
    down: bool = False
    """Its cell began in a row above."""
    rows: int = 1
    """Rows that its cell still covers, this one included."""


_Row = list[_Slot]


def table(rows: Iterable[Sequence[Cell]]) -> Iterator[Paragraph]:
    """The paragraphs of a table, as it streams by: a title that spans the whole first row, then Markdown tables.

    The header is the rows marked so at the top; else the first row, and the second where cells of the first are merged.
    """
    laid = _laid_out(rows)
    ahead: list[_Row] = []
    for row in laid:
        if any(slot.text for slot in row):
            ahead.append(row)
        if len(ahead) > MAX_HEADER_ROWS:
            break
    if _is_title(ahead):
        yield Paragraph(ContentType.CAPTION, ahead.pop(0)[0].text)
    if not ahead:
        return
    count = _header_count(ahead)
    header = _joined(ahead[:count])
    body = (_texts(row) for row in chain(ahead[count:], laid))
    yield from _cut(header, (row for row in body if any(row)))


def plain_table(rows: Iterable[Sequence[str]]) -> Iterator[Paragraph]:
    """The same for rows without merged cells, the first of which is the header."""
    return table([Cell(text, header=number == 0) for text in row] for number, row in enumerate(rows))


def numbers_only(cells: Iterable[str]) -> bool:
    """Whether all cells that are not empty hold numbers, so that they are no header."""
    texts = [text for text in map(str.strip, cells) if text]
    return bool(texts) and all(_NUMBER.fullmatch(text) for text in texts)


def _laid_out(rows: Iterable[Sequence[Cell]]) -> Iterator[_Row]:
    last: _Row = []
    for cells in rows:
        row: _Row = []
        for cell in cells:
            _carry(row, last)
            text = one_line(cell.text)
            up = last[len(row)] if cell.above and len(row) < len(last) else None
            for column in range(max(1, cell.width)):
                first = column == 0
                if up:
                    row.append(_Slot(up.text, first, cell.header, True))
                else:
                    row.append(_Slot(text, first, cell.header, False, max(1, cell.height)))
        _carry(row, last)
        yield row
        last = row


def _carry(row: _Row, last: _Row) -> None:
    """Fields of cells that reach down from the row above."""
    while len(row) < len(last) and last[len(row)].rows > 1:
        above = last[len(row)]
        row.append(_Slot(above.text, above.first, above.header, True, above.rows - 1))


def _is_title(rows: list[_Row]) -> bool:
    """A first row of one cell over all columns says what the table is about."""
    if len(rows) < 2 or not _whole(rows[0]) or any(slot.down for slot in rows[1]):
        return False
    return not _marked(rows[0]) or _marked(rows[1])


def _marked(row: _Row) -> bool:
    return all(slot.header for slot in row)


def _whole(row: _Row) -> bool:
    return len(row) > 1 and row[0].first and not any(slot.first for slot in row[1:])


def _header_count(rows: list[_Row]) -> int:
    """Two rows make the header when cells of the first are merged and the second holds words, none going further down."""
    marked = next((at for at, row in enumerate(rows) if not _marked(row)), len(rows))
    if marked:
        return min(marked, MAX_HEADER_ROWS)
    if len(rows) < 3 or not any(not slot.first for slot in rows[0]):
        return 1
    second = rows[1]
    closed = not any(slot.down for slot in rows[2])
    worded = not any(_NUMBER.fullmatch(slot.text) for slot in second if not slot.down)
    return 2 if closed and worded and not _whole(second) else 1


def _joined(rows: list[_Row]) -> list[str]:
    """Header rows as one: the words above each other, each once."""
    width = max(len(row) for row in rows)
    names = []
    for column in range(width):
        words = [row[column].text for row in rows if column < len(row)]
        names.append(" ".join(dict.fromkeys(filter(None, words))))
    return names


def _texts(row: _Row) -> list[str]:
    """Texts of a body row; a cell over the whole row, the title of a group of rows, is written once."""
    if _whole(row):
        return [row[0].text]
    return [slot.text for slot in row]


def _cut(header: list[str], body: Iterable[list[str]]) -> Iterator[Paragraph]:
    """Tables of at most TABLE_CHARS each (more only where a single row is longer)."""
    groups = list(_column_groups(header))
    lines: list[list[str]] = [[] for _ in groups]
    sizes = [2 * len(_line(header, group)) for group in groups]
    used = list(sizes)
    for row in body:
        if len(row) > len(header):  # a row that is longer than the header: columns without a name
            header = [*header, *[""] * (len(row) - len(header))]
            groups[-1] = [*groups[-1], *range(groups[-1][-1] + 1, len(row))]
        made = [_line(row, group) for group in groups]
        if lines[0] and any(size + len(line) > TABLE_CHARS for size, line in zip(used, made, strict=True)):
            yield from _tables(header, groups, lines)
            lines, used = [[] for _ in groups], list(sizes)
        for index, line in enumerate(made):
            lines[index].append(line)
            used[index] += len(line) + 1
    yield from _tables(header, groups, lines)


def _column_groups(header: list[str]) -> Iterator[list[int]]:
    group: list[int] = []
    size = 0
    for column, name in enumerate(header):
        if len(group) > 1 and size + len(name) + 3 > HEADER_CHARS:
            yield group
            group, size = [0], len(header[0]) + 3
        group.append(column)
        size += len(name) + 3
    yield group


def _tables(header: list[str], groups: list[list[int]], lines: list[list[str]]) -> Iterator[Paragraph]:
    for group, rows in zip(groups, lines, strict=True):
        rule = "|" + " --- |" * len(group)
        yield Paragraph(ContentType.TABLE, "\n".join([_line(header, group), rule, *rows]), verbatim=True)


def _line(cells: list[str], group: list[int]) -> str:
    texts = (cells[column].replace("|", "\\|") if column < len(cells) else "" for column in group)
    return "| " + " | ".join(texts) + " |"
