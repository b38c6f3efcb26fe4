"""What a PDF really holds where, to compare with what the page in the browser marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymupdf

_mupdf: Any = pymupdf  # its annotations cover only a part


@dataclass(frozen=True)
class Box:
    """A rectangle in fractions of the page, from its top left corner."""

    x0: float
    y0: float
    x1: float
    y1: float

    def holds(self, x: float, y: float) -> bool:
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


def cut_pages(source: Path, target: Path, first: int, last: int) -> None:
    """Writes the pages first to last, counted from 1, to a file of their own."""
    with _mupdf.open(source) as book, _mupdf.open() as cut:
        cut.insert_pdf(book, from_page=first - 1, to_page=last - 1)
        cut.save(target)


def page_count(path: Path) -> int:
    with _mupdf.open(path) as book:
        return int(book.page_count)


def page_text(path: Path, number: int) -> str:
    """The text of a page, counted from 1."""
    with _mupdf.open(path) as book:
        return str(book[number - 1].get_text())


def words_under(path: Path, number: int, boxes: Sequence[Box]) -> str:
    """The words of a page whose middles lie in a box, in the order of the file."""
    with _mupdf.open(path) as book:
        page = book[number - 1]
        width, height = page.rect.width, page.rect.height
        return " ".join(
            text
            for x0, y0, x1, y1, text, *_ in page.get_text("words")
            if any(box.holds((x0 + x1) / 2 / width, (y0 + y1) / 2 / height) for box in boxes)
        )
