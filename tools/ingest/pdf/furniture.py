"""Running heads, feet and page numbers: what is printed at the same place of many pages and says nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.ingest.pdf.layout import Row

_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(
    r"(?:page|seite|slide|p\.)?\s*[-–—\[(]*\s*(?:\d{1,4}|[ivxlcdm]{1,7})\s*(?:(?:/|of|von)\s*\d{1,4})?\s*[-–—\])]*",
    re.I,
)
_EDGE_ROWS = 3
_MARGIN = 0.12
"""Furniture stands in the outer share of the page height."""


def _edge_rows(rows: Sequence[Row], height: float) -> list[Row]:
    by_height = sorted(rows, key=lambda row: row.y0)
    top = [row for row in by_height[:_EDGE_ROWS] if row.y1 < _MARGIN * height]
    bottom = [row for row in by_height[-_EDGE_ROWS:] if row.y0 > (1 - _MARGIN) * height]
    return top + [row for row in bottom if row not in top]


def _place(row: Row, height: float) -> int:
    return round(100 * row.y0 / height)


def _pattern(row: Row) -> str:
    return _DIGITS.sub("#", row.text.casefold())


@dataclass(slots=True)
class Furniture:
    """What repeats at the edges, learnt from sample pages."""

    pages: int = 0
    places: Counter[int] = field(default_factory=Counter)
    repeated: Counter[tuple[int, str]] = field(default_factory=Counter)

    def learn(self, rows: Sequence[Row], height: float) -> None:
        """From the rows of one more page, `height` points high."""
        edges = _edge_rows(rows, height)
        self.pages += 1
        self.places.update({_place(row, height) for row in edges})
        self.repeated.update({(_place(row, height), _pattern(row)) for row in edges})

    def without(self, rows: Sequence[Row], height: float, numbers: Iterable[str]) -> list[Row]:
        """The rows that are content. `numbers` are the page's own number and label."""
        own = {number.casefold() for number in numbers if number}
        drop = {id(row) for row in _edge_rows(rows, height) if self._is_furniture(row, height, own)}
        return [row for row in rows if id(row) not in drop]

    def _is_furniture(self, row: Row, height: float, own: set[str]) -> bool:
        text = row.text.strip()
        if _NUMBER.fullmatch(text):
            return True
        if self.pages < 3:
            return False
        place = _place(row, height)
        same = sum(self.repeated[near, _pattern(row)] for near in (place - 1, place, place + 1))
        if same >= max(3, 0.12 * self.pages):
            return True
        usual = sum(self.places[near] for near in (place - 1, place, place + 1)) >= 0.3 * self.pages
        words = text.casefold().split()
        return usual and bool(own & {words[0], words[-1]})
