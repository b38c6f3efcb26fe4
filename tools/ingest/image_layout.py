"""From the recognised lines of a picture to paragraphs and headings in reading order, also where the lines slope."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tools.ingest.ocr import OcrLine
from tools.ingest.pdf.layout import Row
from tools.ingest.pdf.paragraphs import Group, paragraphs
from tools.ingest.pdf.recognised_rows import BOX_TO_SIZE, in_reading_order, same_sizes, usual_size
from tools.ingest.segments import ContentType

_HEADING = 1.35
"""Times the size of most text; heights waver by a fifth with the letters in a line."""
_HEADING_LETTERS = 100
_SURE_LETTERS = 8
"""Shorter lines say little about the slope."""


@dataclass(frozen=True, slots=True)
class ImageLayout:
    """Blocks of a picture. Their rows are level: what a sloping line has fallen is taken off their heights."""

    groups: list[Group]
    width: int
    height: int
    slope: float

    def fractions(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """The box around level coordinates in fractions of the picture, 0 to 1."""
        fall = sorted((self.slope * x0, self.slope * x1))
        return (
            _part(x0, self.width),
            _part(y0 + fall[0], self.height),
            _part(x1, self.width),
            _part(y1 + fall[1], self.height),
        )


def lay_out(lines: Sequence[OcrLine], width: int, height: int) -> ImageLayout:
    """The lines of a picture of that size in pixels, as blocks in reading order."""
    slope = _slope(lines)
    found = [_row(line, slope, number) for number, line in enumerate(lines)]
    rows, _ = in_reading_order(same_sizes(found, 0.75, _HEADING), width)
    groups: list[Group] = []
    if rows:
        body = usual_size(rows)
        groups = paragraphs(rows, body)
        _find_headings(groups, body)
    return ImageLayout(groups, width, height, slope)


def _slope(lines: Sequence[OcrLine]) -> float:
    slopes = [
        line.slope for line in lines if len(line.text) >= _SURE_LETTERS and line.x1 - line.x0 > line.height
    ]
    return statistics.median(slopes) if slopes else 0.0


def _row(line: OcrLine, slope: float, number: int) -> Row:
    middle = (line.y0 + line.y1) / 2 - slope * (line.x0 + line.x1) / 2
    top, bottom = middle - line.height / 2, middle + line.height / 2
    size = BOX_TO_SIZE * line.height
    return Row(line.text, line.x0, top, line.x1, bottom, size, 0, 0, 0, number, bottom - 0.2 * line.height)


def _find_headings(groups: Sequence[Group], body: float) -> None:
    """Short blocks in larger print; the largest is of level 1, what is a fifth smaller of the next."""
    found = [
        group
        for group in groups
        if group.type is ContentType.TEXT
        and min(row.size for row in group.rows) >= _HEADING * body
        and len(group.title) <= _HEADING_LETTERS
        and any(letter.isalpha() for letter in group.title)
    ]
    level, reached = 0, float("inf")
    for group in sorted(found, key=_size, reverse=True):
        if _size(group) < 0.8 * reached:
            level, reached = level + 1, _size(group)
        group.make_heading(level)


def _size(group: Group) -> float:
    return statistics.median(row.size for row in group.rows)


def _part(value: float, whole: int) -> float:
    return round(min(1.0, max(0.0, value / whole)), 5) if whole else 0.0
