"""The printed lines of an exam paper: where they stand, what is page furniture, what a line says of points. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

EDGE = 3
"""So many lines at the top and at the bottom of a page may be its header and footer."""

_TURN = re.compile(
    r"^\W*(?:(?:please )?turn (?:the page )?over|p\.?t\.?o\.?|bitte (?:umblättern|wenden)|end of (?:the )?(?:paper|exam\w*|questions?|test)|ende der (?:klausur|prüfung|aufgaben)|continued? (?:on|over).{0,30}|fortsetzung.{0,40}|blank page|leere seite|do not write (?:in|outside).{0,40}|(?:©|\(c\)\s*\d{4}|copyright).{0,80}|viel (?:erfolg|glück).{0,3}|good luck.{0,3})\W*$",
    re.IGNORECASE,
)
_PAGE = re.compile(
    r"^\W*(?:(?:page|seite|p\.|s\.)\s*\d{1,3}(?:\s*(?:of|von|/)\s*\d{1,3})?|\d{1,3}\s*(?:of|von|/)\s*\d{1,3})\W*$",
    re.IGNORECASE,
)
_ALONE = re.compile(r"^\W*\d{1,3}\W*$")
_RULE = re.compile(r"^[\s_.…·\-–=|]{5,}$")

_NUMBER = r"(?P<points>\d{1,3}(?:[.,]\d{1,2})?|½)"
_UNIT = r"(?:marks?|points?|pts?|punkte?n?|pkte?|pkt|pt|be|credits?|p)\b\.?"
_TOTAL = re.compile(
    rf"[\[(]?\s*(?:total|gesamt|summe|insgesamt)\b(?:\s+(?:for|of|für)\b[^\])\d]*(?:\d+\s*(?:is|ist|:|=))?)?\W*{_NUMBER}\s*(?:{_UNIT})?\s*[\])]?\s*$",
    re.IGNORECASE,
)
_POINTS = (
    re.compile(rf"[\[(]\s*(?:max\.?\s*)?(?:_+\s*/\s*)?{_NUMBER}\s*[-–]?\s*{_UNIT}\s*[\])]", re.IGNORECASE),
    re.compile(
        rf"[\[(]?\s*(?:_{{1,}}|\.{{3,}}|…)?\s*(?<![^\W_])/\s*{_NUMBER}\s*(?:{_UNIT})?\s*[\])]?\s*$",
        re.IGNORECASE,
    ),
    re.compile(rf"\[\s*{_NUMBER}\s*\]\s*$"),
    re.compile(rf"^\s*\(\s*{_NUMBER}\s*\)\s*$"),
    re.compile(rf"(?:^|\s[-–—,:]\s*|\s{{2,}}){_NUMBER}\s*[-–]?\s*{_UNIT}\s*$", re.IGNORECASE),
)
"""[5 marks], (4 Punkte), (3 BE); ____ / 10, /10 P.; [3]; (3) on a line of its own; … 5 marks at the end of a line."""


class Page(Protocol):
    """A segment of the paper, from the table or fresh from extraction: `text` counts the characters of all places."""

    @property
    def ordinal(self) -> int: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """Characters [start, end) of a segment's text, without the space around them."""

    segment: int
    start: int
    end: int
    text: str
    after_gap: bool
    """An empty line stands before it."""


def printed_lines(pages: Sequence[Page]) -> list[PrintedLine]:
    """The lines of all pages that belong to the paper's content, in order."""
    read = [_lines_of(page) for page in pages]
    repeated = _repeated(read)
    kept: list[PrintedLine] = []
    for lines in read:
        for index, line in enumerate(lines):
            at_edge = index < EDGE or index >= len(lines) - EDGE
            is_end = index in (0, len(lines) - 1)
            furniture = (
                _TURN.match(line.text)
                or _PAGE.match(line.text)
                or (at_edge and _shape(line.text) in repeated)
                or (is_end and len(pages) > 1 and _ALONE.match(line.text))
            )
            if not furniture:
                kept.append(line)
    return kept


def _lines_of(page: Page) -> list[PrintedLine]:
    lines: list[PrintedLine] = []
    position, gap = 0, False
    for raw in page.text.splitlines(keepends=True):
        text = raw.strip()
        if text:
            start = position + raw.index(text)
            lines.append(PrintedLine(page.ordinal, start, start + len(text), text, gap))
        gap = not text
        position += len(raw)
    return lines


def _repeated(read: Sequence[Sequence[PrintedLine]]) -> set[str]:
    """Shapes of lines that stand at the edge of more than half of the pages, of at least two."""
    if len(read) < 2:
        return set()
    counts = Counter(
        shape for lines in read for shape in {_shape(line.text) for line in [*lines[:EDGE], *lines[-EDGE:]]}
    )
    # A question's number is the same shape as the next one's: only lines with words can be furniture by repetition.
    return {
        shape
        for shape, count in counts.items()
        if count > max(1, len(read) / 2) and len(re.findall(r"[^\W\d_]{3,}", shape)) >= 1
    }


def _shape(text: str) -> str:
    """A line with all its numbers made alike, so that page numbers in a footer do not make it new on every page."""
    return re.sub(r"\d+", "#", " ".join(text.casefold().split()))


def is_rule(text: str) -> bool:
    """A line to write an answer on."""
    return bool(_RULE.match(text)) and len(re.sub(r"\s", "", text)) >= 5


def without_points(text: str) -> tuple[str, float | None, bool]:
    """(the text without its points, the points, whether they are a total of several parts)."""
    total = _TOTAL.search(text)
    if total:
        return text[: total.start()].strip(), _value(total["points"]), True
    for pattern in _POINTS:
        found = pattern.search(text)
        if found:
            left = f"{text[: found.start()].rstrip()} {text[found.end() :].lstrip()}".strip()
            return left, _value(found["points"]), False
    return text, None, False


def _value(number: str) -> float:
    return 0.5 if number == "½" else float(number.replace(",", "."))
