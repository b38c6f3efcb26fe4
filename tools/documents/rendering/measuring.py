"""What a PDF is like, by its own text: pages, the smallest print, and how full it is."""

from dataclasses import dataclass
from typing import Any

import pymupdf

_mupdf: Any = pymupdf  # its annotations cover only a part


@dataclass(frozen=True, slots=True)
class Measured:
    pages: int
    smallest: float
    """Size of the smallest print, in points; infinity where there is none."""
    filled: float
    """Share of the width and height of the last page's columns that is printed on, 0 to 1, roughly."""


def measured(pdf: bytes, columns: int = 1) -> Measured:
    """Blocks for some 10 ms a page."""
    with _mupdf.open(stream=pdf, filetype="pdf") as document:
        sizes = [span["size"] for page in document for span in _spans(page) if span["text"].strip()]
        last = document[-1]
        width, height = last.rect.width / columns, last.rect.height
        depths = [0.0] * columns
        for span in _spans(last):
            x0, _, _, y1 = span["bbox"]
            column = min(columns - 1, int(x0 / width))
            depths[column] = max(depths[column], y1 / height)
        return Measured(len(document), min(sizes, default=float("inf")), sum(depths) / columns)


def _spans(page: Any) -> list[dict[str, Any]]:
    blocks = page.get_text("dict")["blocks"]
    return [span for block in blocks for line in block.get("lines", []) for span in line["spans"]]
