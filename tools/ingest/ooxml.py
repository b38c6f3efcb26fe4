"""What Word and PowerPoint files share: opening the container safely and naming what can go wrong in it."""

import zipfile
import zlib
from pathlib import Path

from lxml.etree import LxmlError  # type: ignore[import-untyped]

from tools.ingest.segments import Refusal
from tools.ingest.sniff import check_unzipped_size

# Damaged containers (zipfile, zlib, EOFError), missing parts and relationships (KeyError, and AttributeError or
# TypeError where python-docx and python-pptx meet None), broken XML (LxmlError) and broken values in it (ValueError).
# IndexError, AssertionError and RecursionError come from the same libraries for empty or deeply nested elements.
ERRORS: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    LxmlError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    AssertionError,
    RecursionError,
)


def corrupt(what: str) -> Refusal:
    return Refusal("corrupt", f"This {what} is damaged and cannot be read. Try to open it and save it again.")


def check_container(path: Path) -> None:
    """Raises Refusal for what would fill memory (too_large) or uses XML entities, which Office never writes (corrupt)."""
    with zipfile.ZipFile(path) as archive:
        check_unzipped_size(archive)
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                with archive.open(name) as part:
                    if b"<!DOCTYPE" in part.read(2048).replace(b"\x00", b""):
                        raise Refusal(
                            "corrupt", "This file contains XML declarations that Office files never have."
                        )
