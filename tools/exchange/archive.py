"""An Anki package looked at from outside, before Anki's library opens it."""

import zipfile
from pathlib import Path

from tools.ingest.containers import DAMAGED, check_archive
from tools.ingest.segments import Refusal

COLLECTIONS = ("collection.anki21b", "collection.anki21", "collection.anki2")
"""Newest format first; a package holds one or more."""
LARGEST_PACKAGE = 1 << 30
LARGEST_COLLECTION = 400 << 20
_NOT_ONE = "This is not an Anki package. Export the deck in Anki as .apkg, or give the cards as CSV or text."
_DAMAGED = "This Anki package is damaged and cannot be opened. Export it from Anki again."


def is_package(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name in archive.NameToInfo for name in COLLECTIONS)
    except DAMAGED:
        return False


def check_package(path: Path) -> None:
    """Raises Refusal: not_a_package, too_large, encrypted, corrupt. Sizes are what the list of entries says; the process that unpacks it
    watches what really comes out."""
    if path.stat().st_size > LARGEST_PACKAGE:
        raise Refusal("too_large", "This Anki package is larger than 1 GB. Export it in parts, deck by deck.")
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except DAMAGED as error:
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        raise Refusal("corrupt", _DAMAGED) if is_zip else Refusal("not_a_package", _NOT_ONE) from error
    found = [entry for entry in entries if entry.filename in COLLECTIONS]
    if not found:
        raise Refusal("not_a_package", _NOT_ONE)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refusal("encrypted", "This package is protected with a password. Export it from Anki again.")
    if any(entry.file_size > LARGEST_COLLECTION for entry in found):
        raise Refusal(
            "too_large", "The collection in this package is too large. Export it in parts, deck by deck."
        )


def is_whole_collection(path: Path) -> bool:
    """Whether it is a .colpkg: those say so by nothing but their name and by what they lack; the caller tries the other way when one fails."""
    return path.suffix.lower() == ".colpkg"
