"""Groups the rows of a PDF page into paragraphs, headings, lists, tables, formulas and captions, and writes the text."""

import itertools
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.ingest.pdf.boxes import Box
from tools.ingest.pdf.layout import GAP, Row
from tools.ingest.pdf.tables import Table, TableRow, aligned_table, escaped, markdown_row
from tools.ingest.segments import Block, ContentType, Line

BULLET = re.compile(
    r"(?:[•◦▪▸►‣∙○●■□–⁃✓✔➢➤▶·*-]\s+\S|[•◦▪▸►‣●■➢➤▶]|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s+\S)"
)
_CAPTION = re.compile(
    r"(?:Fig(?:ure|\.)?|Tab(?:le|\.)?|Listing|Algorithm|Scheme|Abb(?:ildung|\.)?|Tabelle|Figura|Tabla|Tableau)\s*"
    r"[A-Z]?\d+(?:[.\-–]\d+)*[a-z]?\s*(?:[.:–—|]|\s+[A-Z(])"
)
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’)\]]*$")
_HYPHENATED = re.compile(r"[^\W\d_]{2,}[-‐]$")
# First parts of compounds that keep their hyphen when a line ends there.
_COMPOUND = re.compile(
    r"(?:^|\W)(?:non|self|well|high|low|long|short|two|three|four|first|second|third|higher|lower|real|time|large|small|"
    r"single|cross|half|quasi|open|near|fine|end-to|right|left|state|state-of|of-the|end|in-batch|data|user|object)[-‐]$",
    re.I,
)
_LEADER = re.compile(r"(?:\. ?){5}")
"""Dots from a title to its page number in a table of contents."""
_FORMULA_NUMBER = re.compile(r"\(\d+(?:\.\d+)*[a-z]?\)")
_FORMULA_CHARS = re.compile(r"[\d=+\-−*/^_()\[\]{}<>≤≥≈∑∏∫√∂∇∆±×·,.;:|′∞…]")

_RELATION = re.compile(r"[=≈≤≥<>∼→⇒≡∈]")


@dataclass(slots=True)
class Group:
    """Rows that make one block. `code` keeps line breaks and indentation."""

    rows: list[Row]
    type: ContentType = ContentType.TEXT
    level: int = 0
    code: bool = False
    table: Table | None = None

    @property
    def title(self) -> str:
        return " ".join(" ".join(row.text for row in self.rows).split())

    def make_heading(self, level: int) -> None:
        """A chapter number printed below or beside its title goes first."""
        self.type, self.level = ContentType.HEADING, level
        if len(self.rows) > 1 and self.rows[-1].text.strip().isdigit():
            self.rows.insert(0, self.rows.pop())


def paragraphs(rows: Sequence[Row], body_size: float, tables: Sequence[Table] = ()) -> list[Group]:
    """Groups rows by spacing, indentation and font, and types all but headings. `tables` have been found on the page."""
    leading = _leading(rows, body_size)
    tabular = _tabular_rows(rows)
    groups: list[Group] = []
    framed: dict[int, Group] = {}
    for row in rows:
        table = next((table for table in tables if table.holds(row)), None) if tables else None
        if table is not None:
            group = framed.get(id(table))
            if group is None:
                group = framed[id(table)] = Group([], ContentType.TABLE, table=table)
                groups.append(group)
            group.rows.append(row)
            continue
        last = groups[-1] if groups else None
        if last and not last.table and _continues(last, last.rows[-1], row, leading, body_size, tabular):
            last.rows.append(row)
        else:
            groups.append(Group([row]))
    for group in groups:
        if group.table is None:
            _classify(group)
    return _join_formulas(groups)


def _join_formulas(groups: list[Group]) -> list[Group]:
    """MuPDF cuts a displayed formula at fractions and at its number; together they are one block."""
    joined: list[Group] = []
    for group in groups:
        if joined and group.type is joined[-1].type is ContentType.FORMULA:
            joined[-1].rows += group.rows
        else:
            joined.append(group)
    return joined


def _leading(rows: Sequence[Row], body_size: float) -> float:
    """Usual gap between the rows of a paragraph, in points."""
    gaps = [b.y0 - a.y1 for a, b in itertools.pairwise(rows) if -body_size < b.y0 - a.y1 < 1.5 * body_size]
    return statistics.median_low(gaps) if gaps else 0.2 * body_size


def _tabular_rows(rows: Sequence[Row]) -> frozenset[int]:
    """The ids of rows with cells that stand next to another such row; a single one is a stretched line of text."""
    cells = [is_tabular(row) for row in rows]
    return frozenset(
        id(row)
        for index, row in enumerate(rows)
        if cells[index] and any(cells[max(0, index - 1) : index] + cells[index + 1 : index + 2])
    )


def _continues(
    group: Group, before: Row, row: Row, leading: float, body_size: float, tabular: frozenset[int]
) -> bool:
    if id(before) in tabular or id(row) in tabular:
        return (
            id(before) in tabular
            and id(row) in tabular
            and row.y0 > before.y0
            and row.y0 - before.y1 < 1.2 * body_size
        )
    if _has_leader(before.text) or _has_leader(row.text):
        return False
    if (before.mono > 0.6) != (row.mono > 0.6):
        return False
    gap = row.y0 - before.y1
    if _CAPTION.match(row.text) and _is_caption_apart(before, row, gap - max(leading, 0), body_size):
        return False
    if row.mono > 0.6:
        return -0.8 * body_size < gap < 1.6 * body_size
    if _changes_font(before, row):
        return False
    if BULLET.match(row.text) and not is_formula(row):
        return False
    if gap > max(leading, 0) + 0.45 * body_size:
        return False
    if row.y1 < before.y0 or row.x0 > before.x1 + body_size:
        # The next column or a jump back: the sentence goes on only if it plainly does.
        return not _SENTENCE_END.search(before.text) and row.text[:1].islower() and len(before.text) > 20
    return not _is_indented(group, before, row, body_size)


def _has_leader(text: str) -> bool:
    return text.count(".") >= 5 and bool(_LEADER.search(text))


def _is_caption_apart(before: Row, row: Row, more: float, body_size: float) -> bool:
    """Not a reference to a figure at the head of a line. `more` is how much larger the gap is than usual, in points."""
    narrow = before.x1 - before.x0 < 0.6 * (row.x1 - row.x0)
    return narrow or more > 0.25 * body_size or abs(before.size - row.size) > 0.04 * row.size


def _changes_font(before: Row, row: Row) -> bool:
    if (before.bold > 0.9) != (row.bold > 0.9) and max(before.bold, row.bold) > 0.9 > 0.3 > min(
        before.bold, row.bold
    ):
        return True
    formula = before.math > 0.3 or row.math > 0.3
    return not formula and abs(before.size - row.size) > 0.12 * max(before.size, row.size)


def _is_indented(group: Group, before: Row, row: Row, body_size: float) -> bool:
    shift = row.x0 - before.x0
    if not 0.8 * body_size < shift < 4 * body_size:
        return False
    hanging = len(group.rows) == 1 and bool(BULLET.match(before.text))
    return not hanging and bool(_SENTENCE_END.search(before.text))


def is_tabular(row: Row) -> bool:
    if len(row.cells) < 2 or row.mono > 0.5 or row.math > 0.25 or _has_leader(row.text):
        return False
    return not is_formula(row)


def is_formula(row: Row) -> bool:
    """Mostly symbols, with some of a mathematical font or an equals sign among them."""
    text = row.text.replace(" ", "")
    if _FORMULA_NUMBER.fullmatch(text):
        return True
    if row.mono > 0.5 or (row.math < 0.12 and "=" not in text):
        return False
    symbols = len(_FORMULA_CHARS.findall(text))
    words = re.findall(r"[^\W\d_]{4,}", row.text)
    if not words and row.math > 0.2 and len(text) > 8 and _RELATION.search(text):
        return True
    return len(words) <= 1 and (row.math + symbols / max(1, len(text)) > 0.55)


def _classify(group: Group) -> None:
    first = group.rows[0]
    group.code = first.mono > 0.6
    if group.code:
        return
    if _CAPTION.match(first.text):
        group.type = ContentType.CAPTION
    elif _is_table(group) and (table := aligned_table(group.rows)) is not None:
        group.type, group.table = ContentType.TABLE, table
    elif all(is_formula(row) for row in group.rows):
        group.type = ContentType.FORMULA
    elif BULLET.match(first.text) or _has_leader(first.text):
        group.type = ContentType.LIST


def _is_table(group: Group) -> bool:
    if not all(is_tabular(row) for row in group.rows):
        return False
    most = max(len(row.cells) for row in group.rows)
    return (len(group.rows) >= 2 and most >= 3) or len(group.rows) >= 4


class PageText:
    """The final text of a page with its blocks and lines; offsets are counted while it is written."""

    def __init__(self, to_fraction: Callable[[float, float, float, float], Box]) -> None:
        self._to_fraction = to_fraction
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []
        self.lines: list[Line] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, group: Group) -> None:
        if self._parts:
            listed = group.type is ContentType.LIST and self.blocks[-1].type is ContentType.LIST
            self._write("\n" if listed else "\n\n")
        start = self._length
        if group.table is not None:
            self._table(group.table)
        elif group.code or group.type is ContentType.FORMULA:
            self._by_line(group)
        else:
            for row, following in zip(group.rows, [*group.rows[1:], None], strict=True):
                self._prose(row, following)
        self.blocks.append(Block(group.type, start, self._length, group.level))

    def _table(self, table: Table) -> None:
        """A row is one line, one that wraps has a line for each piece of a cell; bars and dashes belong to the piece before."""
        for index, row in enumerate(table.rows):
            self._write("\n" if index else "")
            end = f" |\n{markdown_row('---' for _ in row.cells)}" if index == 0 else " |"
            if row.is_wrapped:
                self._wrapped(row, end)
            else:
                self._line(row.box, markdown_row(row.texts)[:-2] + end)

    def _wrapped(self, row: TableRow, end: str) -> None:
        before = ""
        pieces: list[tuple[str, Box]] = []
        for index, cell in enumerate(row.cells):
            before += " | " if index else "| "
            for number, (text, box) in enumerate(cell):
                following = cell[number + 1][0] if number + 1 < len(cell) else ""
                goes_on = bool(_HYPHENATED.search(text)) and following[:1].islower()
                pieces.append((before + escaped(text[:-1] if goes_on else text), box))
                before = "" if goes_on else " "
            before = "" if cell else before
        for text, box in pieces[:-1]:
            self._line(box, text)
        self._line(pieces[-1][1], pieces[-1][0] + before + end)

    def _by_line(self, group: Group) -> None:
        left = min(row.x0 for row in group.rows)
        for index, row in enumerate(group.rows):
            self._write("\n" if index else "")
            if group.code and row.size:
                self._write(" " * round((row.x0 - left) / (0.53 * row.size)))
            self._line(row.box, row.text.replace(GAP, " "))

    def _prose(self, row: Row, following: Row | None) -> None:
        text = " ".join(row.text.split())
        if following is None:
            self._line(row.box, text)
        elif text.endswith(("-", "‐")) and _HYPHENATED.search(text) and following.text[:1].islower():
            self._line(row.box, text if _COMPOUND.search(text) else text[:-1])
        else:
            self._line(row.box, text)
            self._write(" ")

    def _line(self, box: Box, text: str) -> None:
        start = self._length
        self._write(text)
        self.lines.append(Line(start, self._length, *self._to_fraction(*box)))

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
