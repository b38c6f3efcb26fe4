"""What stands in a spreadsheet's rows: the tables, titles and remarks between its empty rows. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.ingest.grid import Cell, numbers_only, table
from tools.ingest.sections import Paragraph
from tools.ingest.segments import ContentType

MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_CELLS = 4_000_000
TOO_MANY_ROWS = "Only the first rows of this table were read, because it is very long."
_TOO_MANY_COLUMNS = f"Only the first {MAX_COLUMNS} columns of this sheet were read."


@dataclass(frozen=True, slots=True)
class Row:
    """A row with something in it."""

    number: int
    """As the program shows it, from 1."""
    cells: dict[int, str]
    """Texts that are not empty, by column from 0."""
    spans: dict[int, tuple[int, int]]
    """Width and height of merged cells that begin here, by column."""


def sheet(name: str, rows: Iterable[Row]) -> Iterator[Paragraph]:
    """The paragraphs of one sheet, its name as heading; nothing of an empty one."""
    limited = _Limited(rows)
    headed = False
    for row in limited:
        if not headed:
            yield Paragraph(ContentType.HEADING, name, 1)
        headed = True
        below = limited.peek()
        if below is not None and below.number > row.number + 1:
            below = None
        if len(row.cells) > 1 or (below and _heads(row, below)):
            yield from table(_table(row, below, limited))
        else:
            yield Paragraph(ContentType.TEXT, next(iter(row.cells.values())))
    if limited.notices:
        yield Paragraph(ContentType.TEXT, "", notice=" ".join(limited.notices))


class _Limited(Iterator[Row]):
    """Rows and columns up to the limits, and what had to be left out."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._ahead: list[Row] = []
        self._rows_read = self._cells_read = self._width = 0
        self.notices: list[str] = []

    def __next__(self) -> Row:
        return self._ahead.pop() if self._ahead else self._following()

    def peek(self) -> Row | None:
        """The next row, which stays the next."""
        row = next(self, None)
        if row is not None:
            self._ahead.append(row)
        return row

    def _following(self) -> Row:
        for row in self._rows:
            self._width = max(self._width, 1 + min(MAX_COLUMNS, max(row.cells)))
            self._rows_read += 1
            self._cells_read += self._width
            if self._rows_read > MAX_ROWS or self._cells_read > MAX_CELLS:
                self._leave_out(TOO_MANY_ROWS)
                break
            kept = {column: text for column, text in row.cells.items() if column < MAX_COLUMNS}
            if len(kept) < len(row.cells):
                self._leave_out(_TOO_MANY_COLUMNS)
            if kept:
                return Row(row.number, kept, row.spans)
        raise StopIteration

    def _leave_out(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)


def _heads(row: Row, below: Row) -> bool:
    """Whether a single cell stands over some columns of the row below: not over all, which makes it a title."""
    column = next(iter(row.cells))
    width, _ = row.spans.get(column, (1, 1))
    return width > 1 and not (column <= min(below.cells) and column + width > max(below.cells))


def _table(first: Row, below: Row | None, rows: _Limited) -> Iterator[list[Cell]]:
    """Rows of the table that begins with `first`, up to the row with which something else begins."""
    left, right = min(first.cells), max(first.cells)
    right = max([right, *(at + width - 1 for at, (width, _) in first.spans.items() if at in first.cells)])
    if below:
        left, right = min(left, *below.cells), max(right, *below.cells)
    if numbers_only(first.cells.values()):
        yield [Cell(letters(column), header=True) for column in range(left, right + 1)]
    yield _cells(first, left, right)
    last = _bottom(first)
    while row := rows.peek():
        gap = row.number > last + 1
        alone = len(row.cells) == 1 and gap
        headed = gap and not any(numbers_only([text]) for text in row.cells.values())
        if min(row.cells) < left or alone or headed:
            return
        yield _cells(next(rows), left, max(right, *row.cells))
        last = _bottom(row)


def _bottom(row: Row) -> int:
    """Number of the last row that a cell of this one reaches into."""
    return row.number + max((height for _, height in row.spans.values()), default=1) - 1


def _cells(row: Row, left: int, right: int) -> list[Cell]:
    made, column = [], left
    while column <= right:
        width, height = row.spans.get(column, (1, 1))
        width = min(width, right - column + 1)
        made.append(Cell(row.cells.get(column, ""), width, height))
        column += width
    return made


def letters(column: int) -> str:
    """Name of a column from 0: A, B, … Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
