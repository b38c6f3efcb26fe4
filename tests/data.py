"""Where the real files for tests lie."""

import os
from pathlib import Path
from typing import Any

import pymupdf
import pytest

mupdf: Any = pymupdf
"""PyMuPDF, whose annotations cover only a part."""

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("LYCEUM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


def shared(name: str) -> Path:
    """A file of the shared test data; skips the test in one line when the folder is not there."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"{name} is missing: set LYCEUM_TEST_DATA to the folder with the test data")
    return path


def textbook_pages(first: int, last: int) -> bytes:
    """A PDF of the textbook's pages first..last, counted from 0, both included."""
    return pages_of("docs/decay_textbook_241p.pdf", first, last)


def pages_of(name: str, first: int, last: int) -> bytes:
    """The same of any PDF."""
    excerpt = mupdf.open()
    with mupdf.open(shared(name)) as book:
        excerpt.insert_pdf(book, from_page=first, to_page=last)
    data: bytes = excerpt.tobytes()
    return data
