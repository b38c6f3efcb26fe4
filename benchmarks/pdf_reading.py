"""Reading PDF files, before anything is embedded: our extraction beside PyMuPDF's own, in one run and on one core."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymupdf

from benchmarks.report import Aim, Section
from tools.ingest.pdf import PdfExtractor

RUNS = 3
SHARE = 0.9
"""Of PyMuPDF's speed for structured text with boxes, which is what ours delivers."""

_mupdf: Any = pymupdf  # its annotations cover only a part


def measure_pdf(path: Path) -> Section:
    """CPU seconds for all pages, the best of three runs that take turns, so that a busy machine slows all alike."""
    ways: dict[str, Callable[[], object]] = {
        "PyMuPDF text": lambda: _pages(path, "text"),
        "PyMuPDF dict": lambda: _pages(path, "dict"),
        "PyMuPDF rawdict": lambda: _pages(path, "rawdict"),
        "segments": lambda: _segments(path),
        "figures": lambda: _figures(path),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(RUNS):
        for name, way in ways.items():
            began = time.process_time()
            way()
            seconds[name] = min(seconds[name], time.process_time() - began)
    with _mupdf.open(path) as document:
        pages = document.page_count
    base = seconds["PyMuPDF dict"]
    section = Section("pdf_reading", f"Reading {path.name}", ["CPU s", "pages/s", "speed of dict"])
    section.rows = {name: [spent, pages / spent, base / spent] for name, spent in seconds.items()}
    section.aims = [Aim("segments", "speed of dict", SHARE, at_least=True)]
    section.notes.append(f"{pages} pages; figures are a later pass of their own")
    return section


def _pages(path: Path, kind: str) -> None:
    with _mupdf.open(path) as document:
        for page in document:
            page.get_text(kind)


def _segments(path: Path) -> None:
    extractor = PdfExtractor(path)
    for _ in extractor.segments():
        pass
    extractor.close()


def _figures(path: Path) -> None:
    extractor = PdfExtractor(path)
    for _ in extractor.figures():
        pass
    extractor.close()
