"""Opens PDF files: what is refused, what the student is told about the whole file, and how much MuPDF may keep in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymupdf

from tools.ingest.segments import Refusal

MAX_PAGES = 10_000
FORGET_AFTER = 50
"""Pages of text."""
# What MuPDF throws at damaged files: FileDataError and EmptyFileError are RuntimeErrors, so are its own errors.
ERRORS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)
# Of single pages: one that is counted and not there is an IndexError, one that is none an AssertionError.
PAGE_ERRORS: tuple[type[Exception], ...] = (*ERRORS, IndexError, AssertionError)

mupdf: Any = pymupdf
"""PyMuPDF, whose annotations cover only a part."""
mupdf.TOOLS.mupdf_display_errors(False)
mupdf.TOOLS.mupdf_display_warnings(False)


class PageDamaged(Exception):
    """MuPDF cannot read a page."""


@contextmanager
def page_calls() -> Iterator[None]:
    """Around calls of MuPDF for one page: what it throws at damage becomes PageDamaged. Nothing of ours belongs inside,
    for our own mistakes are no damage."""
    try:
        yield
    except PAGE_ERRORS as error:
        raise PageDamaged from error


def open_pdf(path: Path) -> Any:
    """The document, unlocked. Raises Refusal: encrypted, corrupt, no_pages or too_many_pages."""
    try:
        document = mupdf.open(path, filetype="pdf")
        locked = document.needs_pass and not document.authenticate("")
        pages = 0 if locked else document.page_count
    except ERRORS as error:
        raise corrupt() from error
    refusal = None
    if locked:
        refusal = Refusal(
            "encrypted", "This PDF is protected with a password. Save it without one and upload it again."
        )
    elif pages <= 0:
        refusal = corrupt() if document.is_repaired else Refusal("no_pages", "This PDF has no pages.")
    elif pages > MAX_PAGES:
        refusal = Refusal(
            "too_many_pages",
            f"This PDF has {pages:,} pages, and {MAX_PAGES:,} is the most. Split it and upload the parts.",
        )
    if refusal is not None:
        document.close()
        raise refusal
    return document


def corrupt() -> Refusal:
    return Refusal("corrupt", "This PDF is damaged and cannot be read. Try to open it and save it again.")


def notice_of(document: Any) -> str | None:
    """What the student should know about the file: that it was mended, and what in it was left alone."""
    sentences = []
    if document.is_repaired:
        sentences.append(
            "This PDF is damaged or was cut off; what could be saved was read, and pages may be missing."
        )
    ignored = []
    if _has_scripts(document):
        ignored.append("JavaScript")
    if document.embfile_count():
        ignored.append("attached files")
    if ignored:
        sentences.append(f"The {' and the '.join(ignored)} in this PDF {_were(ignored)} ignored.")
    return " ".join(sentences) or None


def _were(things: list[str]) -> str:
    return "was" if things == ["JavaScript"] else "were"


def _has_scripts(document: Any) -> bool:
    catalog = document.pdf_catalog()
    if document.xref_get_key(catalog, "Names/JavaScript")[0] != "null":
        return True
    if document.xref_get_key(catalog, "AA")[0] != "null":
        return True
    return bool(document.xref_get_key(catalog, "OpenAction/S")[1] == "/JavaScript")


def forget_used() -> None:
    """Empties MuPDF's store of fonts and pictures of the pages that were read or drawn: by itself it grows to 256 MB."""
    mupdf.TOOLS.store_shrink(100)
