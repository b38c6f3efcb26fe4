"""Groups the rows of a PDF page into paragraphs, headings, lists, tables, formulas and captions, and writes the text."""

import itertools
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.ingest.pdf_layout import GAP, Row
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


@dataclass(slots=True)
class Group:
    """Rows that make one block. `code` keeps line breaks and indentation."""

    rows: list[Row]
    type: ContentType = ContentType.TEXT
    level: int = 0
    code: bool = False

    @property
    def title(self) -> str:
        return " ".join(" ".join(row.text for row in self.rows).split())

    def make_heading(self, level: int) -> None:
        """A chapter number printed below or beside its title goes first."""
        self.type, self.level = ContentType.HEADING, level
        if len(self.rows) > 1 and self.rows[-1].text.strip().isdigit():
            self.rows.insert(0, self.rows.pop())


def paragraphs(rows: Sequence[Row], body_size: float) -> list[Group]:
    """Groups rows by spacing, indentation and font, and types all but headings."""
    if not rows:
        return []
    leading = _leading(rows, body_size)
    groups = [Group([rows[0]])]
    for before, row in itertools.pairwise(rows):
        if _continues(groups[-1], before, row, leading, body_size):
            groups[-1].rows.append(row)
        else:
            groups.append(Group([row]))
    for group in groups:
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


def _continues(group: Group, before: Row, row: Row, leading: float, body_size: float) -> bool:
    if is_tabular(before) or is_tabular(row):
        return (
            is_tabular(before) == is_tabular(row)
            and row.y0 > before.y0
            and row.y0 - before.y1 < 1.2 * body_size
        )
    if _LEADER.search(before.text) or _LEADER.search(row.text):
        return False
    if (before.mono > 0.6) != (row.mono > 0.6):
        return False
    gap = row.y0 - before.y1
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
    if len(row.cells) < 2 or row.mono > 0.5 or row.math > 0.25 or _LEADER.search(row.text):
        return False
    return not is_formula(row)


def is_formula(row: Row) -> bool:
    """Mostly symbols, with some of a mathematical font or an equals sign among them."""
    text = row.text.replace(" ", "")
    if _FORMULA_NUMBER.fullmatch(text):
        return True
    symbols = len(_FORMULA_CHARS.findall(text))
    if row.mono > 0.5 or (row.math < 0.12 and "=" not in text):
        return False
    words = re.findall(r"[^\W\d_]{4,}", row.text)
    return len(words) <= 1 and (row.math + symbols / max(1, len(text)) > 0.55)


def _classify(group: Group) -> None:
    first = group.rows[0]
    group.code = first.mono > 0.6
    if group.code:
        return
    if _CAPTION.match(first.text):
        group.type = ContentType.CAPTION
    elif _is_table(group):
        group.type = ContentType.TABLE
    elif all(is_formula(row) for row in group.rows):
        group.type = ContentType.FORMULA
    elif BULLET.match(first.text) or _LEADER.search(first.text):
        group.type = ContentType.LIST


def _is_table(group: Group) -> bool:
    if not all(is_tabular(row) for row in group.rows):
        return False
    most = max(len(row.cells) for row in group.rows)
    return (len(group.rows) >= 2 and most >= 3) or len(group.rows) >= 4


class PageText:
    """The final text of a page with its blocks and lines; offsets are counted while it is written."""

    def __init__(self, to_fraction: Callable[[Row], tuple[float, float, float, float]]) -> None:
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
        by_line = group.code or group.type in (ContentType.TABLE, ContentType.FORMULA)
        between = " | " if group.type is ContentType.TABLE else " "
        left = min(row.x0 for row in group.rows)
        for index, row in enumerate(group.rows):
            following = group.rows[index + 1] if index + 1 < len(group.rows) else None
            if by_line:
                self._write("\n" if index else "")
                self._write(
                    " " * round((row.x0 - left) / (0.53 * row.size)) if group.code and row.size else ""
                )
                self._line(row, row.text.replace(GAP, between))
            else:
                self._prose(row, following)
        self.blocks.append(Block(group.type, start, self._length, group.level))

    def _prose(self, row: Row, following: Row | None) -> None:
        text = " ".join(row.text.split())
        if following is None:
            self._line(row, text)
        elif _HYPHENATED.search(text) and following.text[:1].islower():
            self._line(row, text if _COMPOUND.search(text) else text[:-1])
        else:
            self._line(row, text)
            self._write(" ")

    def _line(self, row: Row, text: str) -> None:
        start = self._length
        self._write(text)
        self.lines.append(Line(start, self._length, *self._to_fraction(row)))

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
