"""Draws a page of a PDF as the picture that citations open."""

from pathlib import Path
from typing import Any

import pymupdf

from tools.ingest.pdf import ERRORS, open_pdf
from tools.ingest.segments import Refusal

_mupdf: Any = pymupdf  # its annotations cover only a part

MAX_WIDTH = 2000
_MAX_PIXELS = 12_000_000


def render_page(path: Path, number: int, width_px: int) -> bytes:
    """PNG of page `number` (from 1), `width_px` wide (64 to 2000; less for very tall pages), as rotated and cropped.

    Raises IndexError when the file has no such page, Refusal when it cannot be read.
    """
    document = open_pdf(path)
    try:
        if not 1 <= number <= document.page_count:
            raise IndexError(f"page {number} of {document.page_count}")
        page = document[number - 1]
        scale = max(64, min(width_px, MAX_WIDTH)) / page.rect.width
        scale = min(scale, (_MAX_PIXELS / (page.rect.width * page.rect.height)) ** 0.5)
        png: bytes = page.get_pixmap(matrix=_mupdf.Matrix(scale, scale), alpha=False).tobytes("png")
        return png
    except ERRORS as error:
        raise Refusal("corrupt", "This page of the PDF is damaged and cannot be drawn.") from error
    finally:
        document.close()
